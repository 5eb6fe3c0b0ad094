"""Answers many prompts by greedy decoding, in batches of similar length."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from transformers import GenerationConfig, PreTrainedTokenizerBase

from tunesmith.core.rows import Message
from tunesmith.core.worker.tokenize import encode_prompt


def answer_all(
    model: Any,
    tokenizer: PreTrainedTokenizerBase,
    prompts: Sequence[Sequence[Message]],
    *,
    max_new_tokens: int,
    batch_size: int,
    tools: Sequence[Sequence[dict[str, Any]]] = (),
    report: Callable[[int, int], None] = lambda done, total: None,
) -> list[str]:
    """The model's answer to each prompt, in the prompts' order, without special tokens and surrounding space.

    Greedy, so that the same model gives the same answers. A prompt without a turn (plain text) is not asked: its
    answer is empty. `tools` are those that each prompt offers. `report(done, total)` is called after each batch and
    may raise to stop.
    """
    offered = tools or [()] * len(prompts)
    encoded = [encode_prompt(tokenizer, one, own) for one, own in zip(prompts, offered, strict=True) if one]
    asked = [place for place, prompt in enumerate(prompts) if prompt]
    order = sorted(range(len(encoded)), key=lambda index: len(encoded[index]))
    answers = [""] * len(prompts)
    settings = _greedy(model, tokenizer, max_new_tokens)
    with answering(model):
        done = 0
        for batch in _batches(order, encoded, batch_size, alike=_has_virtual_tokens(model)):
            ids, mask = _left_padded([encoded[index] for index in batch], int(tokenizer.pad_token_id))
            written = model.generate(
                input_ids=ids.to(model.device), attention_mask=mask.to(model.device), generation_config=settings
            )
            texts = tokenizer.batch_decode(written[:, ids.shape[1] :], skip_special_tokens=True)
            for index, text in zip(batch, texts, strict=True):
                answers[asked[index]] = text.strip()
            done += len(batch)
            report(done, len(order))
    return answers


def _batches(
    order: Sequence[int], encoded: Sequence[list[int]], batch_size: int, *, alike: bool
) -> Iterator[list[int]]:
    """`order` in batches; with `alike` only prompts of one and the same length share a batch."""
    batch: list[int] = []
    for index in order:
        if batch and (len(batch) == batch_size or (alike and len(encoded[batch[0]]) != len(encoded[index]))):
            yield batch
            batch = []
        batch.append(index)
    if batch:
        yield batch


def _has_virtual_tokens(model: Any) -> bool:
    """Whether trained tokens stand before each prompt (prefix, prompt and P-tuning).

    Padding on the left would then come between them and the prompt, which it never did in training: PEFT 0.21 takes no
    positions for them (`peft/peft_model.py`, _adjust_prompt_learning_kwargs).
    """
    configs = getattr(model, "peft_config", {})
    return isinstance(configs, dict) and any(config.is_prompt_learning for config in configs.values())


@contextmanager
def answering(model: Any) -> Iterator[None]:
    """The model in evaluation mode with its key-value cache on, and as it was before afterwards."""
    was_training, had_cache = model.training, model.config.use_cache
    model.eval()
    model.config.use_cache = True
    try:
        with torch.no_grad():  # not inference_mode: caches a model fills meanwhile must still serve training
            yield
    finally:
        model.config.use_cache = had_cache
        model.train(was_training)


def end_tokens(model: Any, tokenizer: PreTrainedTokenizerBase) -> list[int]:
    """Every token that ends an answer: the model's own list and the tokenizer's."""
    own = model.generation_config.eos_token_id
    listed = [] if own is None else [own] if isinstance(own, int) else list(own)
    return list(dict.fromkeys([*listed, tokenizer.eos_token_id]))


def _greedy(model: Any, tokenizer: PreTrainedTokenizerBase, max_new_tokens: int) -> GenerationConfig:
    return GenerationConfig(
        do_sample=False,
        max_new_tokens=max_new_tokens,
        eos_token_id=end_tokens(model, tokenizer),
        pad_token_id=tokenizer.pad_token_id,
    )


def _left_padded(rows: Sequence[list[int]], pad: int) -> tuple[torch.Tensor, torch.Tensor]:
    """(batch, longest) token ids and their attention mask, padded on the left so that answers begin together."""
    longest = max(len(row) for row in rows)
    ids = torch.full((len(rows), longest), pad, dtype=torch.long)
    mask = torch.zeros((len(rows), longest), dtype=torch.long)
    for place, row in enumerate(rows):
        ids[place, longest - len(row) :] = torch.tensor(row)
        mask[place, longest - len(row) :] = 1
    return ids, mask
