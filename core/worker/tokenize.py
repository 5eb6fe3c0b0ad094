"""From a row to tokens, the one way that Prepare shows, Fine-tune trains and Evaluate asks.

The prompt's tokens are those the model will be given when it is served (the chat template with its generation
prompt), the answer's follow, and the token that ends the answer is trained, so that the model learns to stop. Plain
text, a row without a prompt, has no template: it begins as the tokenizer begins a text and ends with the same token.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from weakref import WeakKeyDictionary

import msgspec
from jinja2 import TemplateError
from transformers import PreTrainedTokenizerBase

from tunesmith.core.errors import ModelError
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


@dataclass(frozen=True)
class Texts:
    """A row as the chat template writes it."""

    prompt: str
    """What is asked, up to where the answer begins."""
    whole: str
    """The same conversation with the answer in it."""


def encode_prompt(
    tokenizer: PreTrainedTokenizerBase, prompt: Sequence[Message], tools: Sequence[dict[str, Any]] = ()
) -> list[int]:
    """The tokens of a prompt as the model is given them when it must answer; without a turn, those that begin a text.

    Args:
        tools: What the prompt offers, in OpenAI's form.

    Raises:
        ModelError: The chat template can't write the prompt, or leaves the tools out.
    """
    if not prompt:
        return beginning(tokenizer)
    turns = [_turn(message) for message in prompt]
    return token_ids(tokenizer, _prompt_text(tokenizer, turns, list(tools)))


def encode(tokenizer: PreTrainedTokenizerBase, row: Row, max_length: int | None = None) -> Encoded:
    """The tokens of a row, with the answer and its end mark trained and everything else masked.

    Args:
        max_length: Tokens kept; None keeps all.

    Raises:
        ModelError: The chat template can't write the row, or leaves out its tools or the calls that are its answer.
    """
    if row.prompt:
        texts = texts_of(tokenizer, row)
        prompt = token_ids(tokenizer, texts.prompt)
        answer = answer_ids(tokenizer, row, texts, prompt, token_ids(tokenizer, texts.whole))
    else:
        prompt = beginning(tokenizer)
        answer = [*token_ids(tokenizer, row.answer), _end(tokenizer)]
    ids = prompt + answer
    labels = [MASKED] * len(prompt) + answer
    cut = max_length is not None and len(ids) > max_length
    ids, labels = ids[:max_length], labels[:max_length]
    return Encoded(ids, labels, len(prompt), sum(label != MASKED for label in labels), cut)


def texts_of(tokenizer: PreTrainedTokenizerBase, row: Row) -> Texts:
    """The row with at least one turn as the chat template writes it. Raises ModelError as `encode` does."""
    turns = [_turn(message) for message in row.prompt]
    answer: dict[str, Any] = {"role": "assistant", "content": row.answer}
    if row.calls:
        answer |= {"content": "", "tool_calls": [_call(call) for call in row.calls]}
    prompt = _prompt_text(tokenizer, turns, row.tools)
    whole = _rendered(tokenizer, [*turns, answer], row.tools, ask=False)
    for name in _names(row.calls):
        if whole.count(name) <= prompt.count(name):
            raise ModelError(
                "The chat template of this model leaves out calls of tools.",
                cause=f"It does not write that {name} is called, which is the answer of row {row.id}.",
                next_step="Take a model that was made for tools, or give the calls as the text of the answer.",
            )
    return Texts(prompt, whole)


def answer_ids(
    tokenizer: PreTrainedTokenizerBase, row: Row, texts: Texts, prompt: Sequence[int], whole: Sequence[int]
) -> list[int]:
    """The tokens that are trained: those of `whole` behind `prompt`, up to the mark that ends the answer."""
    if list(whole[: len(prompt)]) == list(prompt):
        return _up_to_end_mark(tokenizer, whole[len(prompt) :])
    # Some templates write a turn's answer another way when it lies in the past; what counts is what is served.
    if not row.calls:
        return [*token_ids(tokenizer, row.answer), _end(tokenizer)]
    if not texts.whole.startswith(texts.prompt):
        raise ModelError(
            "The chat template of this model writes calls of tools in a way that can't be trained.",
            cause="What it writes for a conversation with the call does not begin with the conversation before it.",
            next_step="Take another model, or give the calls as the text of the answer.",
        )
    return _up_to_end_mark(tokenizer, token_ids(tokenizer, texts.whole[len(texts.prompt) :]))


def token_ids(tokenizer: PreTrainedTokenizerBase, text: str) -> list[int]:
    """The tokens of a text that is already whole: nothing is put before or after it."""
    ids: list[int] = tokenizer(text, add_special_tokens=False)["input_ids"]
    return ids


def beginning(tokenizer: PreTrainedTokenizerBase) -> list[int]:
    """What the tokenizer puts before a plain text, such as its begin-of-text token; often nothing."""
    with_marks: list[int] = tokenizer("a")["input_ids"]
    bare = token_ids(tokenizer, "a")
    for start in range(len(with_marks) - len(bare) + 1):
        if with_marks[start : start + len(bare)] == bare:
            return with_marks[:start]
    return []


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


_SPECIAL: WeakKeyDictionary[PreTrainedTokenizerBase, frozenset[int]] = WeakKeyDictionary()


def special_ids(tokenizer: PreTrainedTokenizerBase) -> frozenset[int]:
    """The ids of all control marks; gathered once for each tokenizer, which takes as long as tokenising a row."""
    if tokenizer not in _SPECIAL:
        marks = {id_ for id_, token in tokenizer.added_tokens_decoder.items() if token.special}
        _SPECIAL[tokenizer] = frozenset(marks | set(tokenizer.all_special_ids))
    return _SPECIAL[tokenizer]


def control_marks(tokenizer: PreTrainedTokenizerBase) -> tuple[str, ...]:
    """The model's own control marks as text, such as `<|im_end|>`, longest first.

    Only those that the tokenizer calls special: marks such as `<think>`, which a template may mention as well, are
    rightly part of the answers that reasoning models are trained on.
    """
    marks = {token.content for token in tokenizer.added_tokens_decoder.values() if token.special}
    marks |= {str(mark) for mark in tokenizer.all_special_tokens}
    return tuple(sorted((mark for mark in marks if len(mark) > 1 and not mark.isspace()), key=lambda m: (-len(m), m)))


def is_marked(row: Row, marks: tuple[str, ...]) -> bool:
    """Whether one of the control marks stands in the row's own text, where the model would take it for its own."""
    find, firsts = _finder(marks)
    for first in firsts:
        if first in row.answer or any(first in turn.content for turn in row.prompt):
            if find.search(row.answer) or any(find.search(turn.content) for turn in row.prompt):
                return True
            break
    return bool(row.calls or row.tools) and neutralised(row, marks) is not row


def neutralised(row: Row, marks: tuple[str, ...]) -> Row:
    """The row with each control mark in its text broken by a space: `<|im_end|>` becomes `< |im_end|>`.

    A mark in the data would be the very token that ends a turn: the model would learn to stop in the middle, and a
    text could pass itself off as another turn. The data is changed, and not the way in which it is tokenised, because
    only then training, scoring and any server that is asked with these rows (also one that is not ours) see the same.
    A space is taken because it can be seen, and because normalisers that drop invisible signs (a zero-width space, for
    instance, in SentencePiece's nmt_nfkc) would put the mark together again.

    Args:
        marks: As `control_marks` gives them.

    Returns:
        The same object where there is nothing to break.
    """
    find, firsts = _finder(marks)

    def clean(value: Any) -> Any:
        if isinstance(value, str):
            return _broken(value, find) if any(first in value for first in firsts) else value
        if isinstance(value, list):
            return [clean(item) for item in value]
        if isinstance(value, dict):
            return {clean(key): clean(item) for key, item in value.items()}
        return value

    new: dict[str, Any] = {}
    for name in ("answer", "context", "question", "rejected", "record", "calls", "tools"):
        before = getattr(row, name)
        if before and (after := clean(before)) != before:
            new[name] = after
    turns = [_clean_turn(turn, clean) for turn in row.prompt]
    if any(turn is not old for turn, old in zip(turns, row.prompt, strict=True)):
        new["prompt"] = turns
    return msgspec.structs.replace(row, **new) if new else row


def _clean_turn(turn: Message, clean: Any) -> Message:
    new = {name: clean(value) for name in turn.__struct_fields__ if (value := getattr(turn, name))}
    changed = {name: value for name, value in new.items() if value != getattr(turn, name)}
    return msgspec.structs.replace(turn, **changed) if changed else turn


@lru_cache(maxsize=8)
def _finder(marks: tuple[str, ...]) -> tuple[re.Pattern[str], tuple[str, ...]]:
    """A pattern of all marks, and the signs that one of them begins with: looking for those first is much faster."""
    pattern = re.compile("|".join(map(re.escape, marks)) or "(?!)")
    return pattern, tuple(sorted({mark[0] for mark in marks}))


def _broken(text: str, find: re.Pattern[str]) -> str:
    for _ in range(4):  # a mark may hold another, or a space of its own
        if not find.search(text):
            return text
        text = find.sub(lambda mark: f"{mark[0][0]} {mark[0][1:]}", text)
    while find.search(text):
        text = find.sub("", text)
    return text


def _turn(message: Message) -> dict[str, Any]:
    turn = message.as_dict()
    if message.tool_calls:
        turn["tool_calls"] = [_call(call) for call in message.tool_calls]
    return turn


def _call(call: dict[str, Any]) -> dict[str, Any]:
    """A call with its arguments as values: OpenAI's form has them as JSON text, templates take them as a mapping.

    Servers turn them as well before they use the template (transformers 5.23 `cli/serving/utils.py`; vLLM).
    """
    function = call.get("function")
    if not isinstance(function, dict) or not isinstance(function.get("arguments"), str):
        return call
    try:
        arguments = json.loads(function["arguments"])
    except ValueError:
        return call
    return {**call, "function": {**function, "arguments": arguments}}


def _names(described: Sequence[dict[str, Any]]) -> list[str]:
    """The functions' names in tools or calls."""
    functions = [one.get("function", one) for one in described]
    return [str(function["name"]) for function in functions if isinstance(function, dict) and function.get("name")]


def _prompt_text(tokenizer: PreTrainedTokenizerBase, turns: list[dict[str, Any]], tools: list[dict[str, Any]]) -> str:
    text = _rendered(tokenizer, turns, tools, ask=True)
    missing = next((name for name in _names(tools) if name not in text), None)
    if missing is not None:
        raise ModelError(
            "The chat template of this model leaves out the tools that the rows offer.",
            cause=f"It does not write the tool {missing}, so the model would never be told of it.",
            next_step="Take a model that was made for tools, or write the tools into the system prompt.",
        )
    return text


def _rendered(
    tokenizer: PreTrainedTokenizerBase, turns: list[dict[str, Any]], tools: list[dict[str, Any]], *, ask: bool
) -> str:
    try:
        text: Any = tokenizer.apply_chat_template(
            turns,
            tools=tools or None,  # type: ignore[arg-type]
            add_generation_prompt=ask,
            tokenize=False,
        )
    # TemplateError is also what the sandbox raises where a template asks for more than text; the others come from what
    # a template does with a turn that it does not expect.
    except (TemplateError, TypeError, ValueError, KeyError) as error:
        raise ModelError(
            "The chat template of this model can't be used for these rows.",
            cause=f"{str(error).rstrip('.')}.",
            next_step="Take another model, or mend chat_template in its tokenizer_config.json.",
        ) from error
    return str(text)


def _end(tokenizer: PreTrainedTokenizerBase) -> int:
    return int(tokenizer.eos_token_id)


def _up_to_end_mark(tokenizer: PreTrainedTokenizerBase, answer: Sequence[int]) -> list[int]:
    """The answer with the token that ends its turn, without what the template writes after it.

    Where the template does not end the turn, the end-of-text token is added.
    """
    special = special_ids(tokenizer)
    last = max((index for index, token in enumerate(answer) if token in special), default=-1)
    return list(answer[: last + 1]) if last >= 0 else [*answer, _end(tokenizer)]
