"""How surprised a model is by the answers that are wanted: their tokens' negative log-likelihood, row by row."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from transformers import PreTrainedTokenizerBase

from tunesmith.core.errors import DataError, ModelError
from tunesmith.core.rows import Row
from tunesmith.core.worker.tokenize import MASKED, Encoded, encode


@dataclass(frozen=True, slots=True)
class Surprise:
    """One row: the negative log-likelihood of its trained tokens, in nats, summed, and how many they are."""

    nats: float
    tokens: int
    """0 where the row was cut before its answer began."""

    @property
    def perplexity(self) -> float:
        """e^(nats a token); 1 where there is no token. Infinite beyond what a float holds."""
        mean = self.nats / max(1, self.tokens)
        return math.exp(mean) if mean < 700 else math.inf


def surprises(
    model: Any,
    tokenizer: PreTrainedTokenizerBase,
    rows: Sequence[Row],
    *,
    batch_size: int,
    max_length: int | None = None,
    report: Callable[[int, int], None] = lambda done, total: None,
) -> list[Surprise]:
    """The surprise of `model` at the answer of each row, in the rows' order, by a forward pass over each.

    Rows become tokens as in training (`tokenize.encode`), and what counts is what is trained: the answer and its end
    mark. `report(done, total)` is called after each batch and may raise to stop.

    Args:
        model: Left in the mode it was in; an adapter counts where it is switched on.
        rows: At least one.
        batch_size: Rows at a time; one that training has room for has room here.
        max_length: Tokens of a row that count; None counts all.

    Raises:
        DataError: No row has a token of its answer within `max_length`.
        ModelError: The model gives no number for a row.
    """
    encoded = [encode(tokenizer, row, max_length) for row in rows]
    if not any(one.trained_tokens for one in encoded):
        raise DataError(
            f"No answer begins within {max_length} tokens, so there is nothing to take a perplexity of.",
            next_step="Set a larger sequence length (select.hyperparameters.max_length), or shorten the prompts.",
        )
    order = sorted(range(len(encoded)), key=lambda place: len(encoded[place].input_ids))
    found = [Surprise(0.0, 0)] * len(encoded)
    pad = int(tokenizer.pad_token_id)
    with _looking(model):
        for start in range(0, len(order), batch_size):
            batch = order[start : start + batch_size]
            for place, surprise in zip(batch, _of_batch(model, [encoded[p] for p in batch], pad), strict=True):
                found[place] = surprise
            report(min(start + batch_size, len(order)), len(order))
    for row, surprise in zip(rows, found, strict=True):
        if not math.isfinite(surprise.perplexity):
            raise ModelError(
                "This model gives no usable probability for the answers that are wanted, so it has no perplexity.",
                cause=f"The sum of the log-likelihoods for row {row.id} is {-surprise.nats}.",
                next_step="Train again with a smaller learning rate: the training has diverged.",
            )
    return found


def _of_batch(model: Any, rows: Sequence[Encoded], pad: int) -> list[Surprise]:
    """The surprises of some rows in one forward pass, padded on the right, where a causal model does not look.

    Only the logits from the first trained token on are made: those of all positions may need more memory than the
    model. They are counted from the end, because virtual tokens of an adapter may stand before the row.
    """
    longest = max(len(row.input_ids) for row in rows)
    ids = torch.full((len(rows), longest), pad, dtype=torch.long)
    mask = torch.zeros((len(rows), longest), dtype=torch.long)
    labels = torch.full((len(rows), longest), MASKED, dtype=torch.long)
    for place, row in enumerate(rows):
        length = len(row.input_ids)
        ids[place, :length] = torch.tensor(row.input_ids)
        mask[place, :length] = 1
        labels[place, :length] = torch.tensor(row.labels)
    labels[:, 0] = MASKED  # nothing stands before it that could tell it
    counting = (labels != MASKED).any(dim=0).nonzero()
    if not len(counting):
        return [Surprise(0.0, 0)] * len(rows)
    kept = longest - int(counting[0])
    fewer = {"logits_to_keep": kept + 1} if _takes_logits_to_keep(model) else {}
    logits = model(
        input_ids=ids.to(model.device), attention_mask=mask.to(model.device), use_cache=False, **fewer
    ).logits
    logits, wanted = logits[:, -kept - 1 : -1], labels[:, -kept:].to(logits.device)
    # Row by row, so that only one row's logits are held in 32 bits.
    sums = [
        float(torch.nn.functional.cross_entropy(one.float(), its, ignore_index=MASKED, reduction="sum"))
        for one, its in zip(logits, wanted, strict=True)
    ]
    counts = (wanted != MASKED).sum(dim=1).tolist()
    return [Surprise(nats if count else 0.0, count) for nats, count in zip(sums, counts, strict=True)]


def _takes_logits_to_keep(model: Any) -> bool:
    inner = model.get_base_model() if hasattr(model, "get_base_model") else model
    return "logits_to_keep" in inspect.signature(inner.forward).parameters


@contextmanager
def _looking(model: Any) -> Iterator[None]:
    """The model in evaluation mode without gradients, and as it was before afterwards."""
    was_training = model.training
    model.eval()
    try:
        with torch.no_grad():
            yield
    finally:
        model.train(was_training)
