"""From a row to tokens, the one way that Prepare shows, Fine-tune trains and Evaluate asks.

The prompt's tokens are those the model will be given when it is served (the chat template with its generation
prompt), the answer's follow, and the token that ends the answer is trained, so that the model learns to stop.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from jinja2 import TemplateError
from transformers import PreTrainedTokenizerBase

from tunesmith.core.errors import ModelError
from tunesmith.core.facts import TokenProfile
from tunesmith.core.lengths import profile_of
from tunesmith.core.rows import Message, Row

MASKED = -100
"""The label of a token that does not count in the loss (torch's `cross_entropy` default `ignore_index`)."""


@dataclass(frozen=True)
class Encoded:
    """One row as tokens: `labels` are `input_ids` where they are trained, else MASKED; both have the same length."""

    input_ids: list[int]
    labels: list[int]
    prompt_tokens: int
    trained_tokens: int
    cut: bool
    """Whether the row was longer than the sequence length and lost its end."""


def encode_prompt(tokenizer: PreTrainedTokenizerBase, prompt: Sequence[Message]) -> list[int]:
    """The tokens of a prompt as the model is given them when it must answer."""
    return _template(tokenizer, [message.as_dict() for message in prompt], ask=True)


def encode(tokenizer: PreTrainedTokenizerBase, row: Row, max_length: int | None = None) -> Encoded:
    """The tokens of a row, with the answer and its end mark trained and everything else masked.

    Args:
        max_length: Tokens kept; None keeps all.
    """
    turns = [message.as_dict() for message in row.prompt]
    prompt = _template(tokenizer, turns, ask=True)
    whole = _template(tokenizer, [*turns, {"role": "assistant", "content": row.answer}], ask=False)
    if whole[: len(prompt)] == prompt:
        answer = _up_to_end_mark(tokenizer, whole[len(prompt) :])
    else:
        # Some templates write a turn's answer another way when it lies in the past; what counts is what is served.
        answer = [*tokenizer(row.answer, add_special_tokens=False)["input_ids"], tokenizer.eos_token_id]
    ids = prompt + answer
    labels = [MASKED] * len(prompt) + answer
    cut = max_length is not None and len(ids) > max_length
    ids, labels = ids[:max_length], labels[:max_length]
    return Encoded(ids, labels, len(prompt), sum(label != MASKED for label in labels), cut)


def token_profile(tokenizer: PreTrainedTokenizerBase, rows: Iterable[Row]) -> TokenProfile:
    """Lengths of whole rows, prompts and answers, and the share of tokens that is trained. Needs at least one row."""
    prompts, answers = [], []
    for row in rows:
        encoded = encode(tokenizer, row)
        prompts.append(encoded.prompt_tokens)
        answers.append(encoded.trained_tokens)
    return profile_of(prompts, answers)


def rendered_pieces(tokenizer: PreTrainedTokenizerBase, encoded: Encoded) -> list[tuple[str, bool]]:
    """The row as text in runs of (text, whether it is trained), special tokens spelled out."""
    pieces: list[tuple[str, bool]] = []
    start = 0
    for end in range(1, len(encoded.input_ids) + 1):
        trained = encoded.labels[start] != MASKED
        if end == len(encoded.input_ids) or (encoded.labels[end] != MASKED) != trained:
            pieces.append((str(tokenizer.decode(encoded.input_ids[start:end])), trained))
            start = end
    return pieces


def _template(tokenizer: PreTrainedTokenizerBase, turns: list[dict[str, str]], *, ask: bool) -> list[int]:
    try:
        encoded: Any = tokenizer.apply_chat_template(turns, add_generation_prompt=ask, tokenize=True, return_dict=True)
    except TemplateError as error:  # also what the sandbox raises where a template asks for more than text
        raise ModelError(
            "The chat template of this model can't be used for these rows.",
            cause=f"{str(error).rstrip('.')}.",
            next_step="Take another model, or mend chat_template in its tokenizer_config.json.",
        ) from error
    ids: list[int] = encoded["input_ids"]
    return ids


def _up_to_end_mark(tokenizer: PreTrainedTokenizerBase, answer: list[int]) -> list[int]:
    """The answer with the token that ends its turn, without what the template writes after it.

    Where the template does not end the turn, the end-of-text token is added.
    """
    special = set(tokenizer.all_special_ids) | {
        id_ for id_, token in tokenizer.added_tokens_decoder.items() if token.special
    }
    last = max((index for index, token in enumerate(answer) if token in special), default=-1)
    return answer[: last + 1] if last >= 0 else [*answer, tokenizer.eos_token_id]
