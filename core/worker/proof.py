"""Counts what the model's tokenizer makes of all rows, exactly and fast: the proof that Prepare gives before training.

Rows on disk are counted in stretches, each in a process of its own (`parallel`); how one is counted stands in `tally`.
`benchmarks/prepare.py` measures it with everything else.
"""

from __future__ import annotations

import gc
import os
import random
from array import array
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from heapq import nlargest
from itertools import islice

import msgspec
import numpy as np
from transformers import PreTrainedTokenizerBase

from tunesmith.core.errors import DataError
from tunesmith.core.lengths import profile_of
from tunesmith.core.meter import Meter, silent
from tunesmith.core.parallel import at_once, stretches
from tunesmith.core.proof import Picture, Proof
from tunesmith.core.rows import Row, RowFiles
from tunesmith.core.worker.frames import Frames
from tunesmith.core.worker.tally import BATCH, PICTURES, Restart, Tallied, Tally
from tunesmith.core.worker.texts import backend_of
from tunesmith.core.worker.tokenize import encode, rendered_pieces
from tunesmith.core.worker.words import Words, words_of


def count(
    tokenizer: PreTrainedTokenizerBase,
    rows: Iterable[Row],
    max_length: int | None,
    meter: Meter = silent,
    most: int | None = None,
) -> Proof:
    """What the tokenizer makes of `rows`, each counted as `encode` would tokenise it.

    Args:
        rows: At least one. Best on disk, or something else that can be gone through again.
        max_length: The sequence length in tokens that rows are cut at; None for none.
        meter: Called about once a batch; may raise to stop.
        most: For a quick look: of more rows on disk than these, a sample of so many is counted, and the longest of the
            others.

    Raises:
        DataError: There is no row.
        ModelError: The chat template can't write a row.
    """
    if most is not None and isinstance(rows, RowFiles) and len(rows) > most:
        sample = _Drawn(rows, most, meter)
        return msgspec.structs.replace(count(tokenizer, sample, max_length, meter), rows=len(rows))
    parts = [rows.stretch(one) for one in stretches(len(rows))] if isinstance(rows, RowFiles) else [rows]
    with _threads(alone=len(parts) == 1), _older_objects_left_alone():
        words = words_of(tokenizer, backend_of(tokenizer))
        told = Tallied()
        for one in at_once([partial(_tallied, tokenizer, words, part, max_length) for part in parts], meter):
            told.add(one)
    return _proof(tokenizer, told, max_length)


def _tallied(
    tokenizer: PreTrainedTokenizerBase, words: Words | None, rows: Iterable[Row], max_length: int | None, meter: Meter
) -> Tallied:
    frames, again = Frames(tokenizer), iter(rows) is not rows
    while True:
        tally = Tally(tokenizer, frames, words, max_length, may_restart=again)
        try:
            tally.add_all(rows, meter)
        except Restart:  # without words, or with the structure that differed written by the template, so this ends
            words = tally.words
            continue
        return tally.told


class _Drawn:
    """Rows drawn from many, and a thousandth as many of the longest: so few hardly move what 99 % of the rows have."""

    def __init__(self, rows: RowFiles, most: int, meter: Meter) -> None:
        self._rows = rows
        chosen = set(random.Random(0).sample(range(len(rows)), most))
        chosen.update(nlargest(max(1, most // 1000), range(len(rows)), key=_sizes(rows, meter).__getitem__))
        self._chosen = sorted(chosen)

    def __len__(self) -> int:
        return len(self._chosen)

    def __iter__(self) -> Iterator[Row]:
        return self._rows.drawn(self._chosen)


def _sizes(rows: RowFiles, meter: Meter) -> array[int]:
    sizes, told = rows.sizes(), array("q")
    while some := list(islice(sizes, BATCH)):
        told.extend(some)
        meter("measuring rows", len(told), len(rows))
    return told


@contextmanager
def _threads(*, alone: bool) -> Iterator[None]:
    """The tokenizers library on all cores where this process is the only one; jobs switch that off, since a trainer's
    data loaders fork.
    """
    name = "TOKENIZERS_PARALLELISM"
    before = os.environ.get(name)
    os.environ[name] = "true" if alone else "false"
    try:
        yield
    finally:
        if before is None:
            del os.environ[name]
        else:
            os.environ[name] = before


@contextmanager
def _older_objects_left_alone() -> Iterator[None]:
    """The garbage collector looks at what is made meanwhile only: going through all of the libraries' objects again and
    again took a third of the time (8.1 s instead of 5.7 for 100,000 rows).
    """
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


def _proof(tokenizer: PreTrainedTokenizerBase, told: Tallied, max_length: int | None) -> Proof:
    """Everything that was counted. Raises DataError where there was no row."""
    if not told.prompts:
        raise DataError("There is no row to tokenise.", next_step="Give more rows, or mend less away.")
    prompts, answers = np.frombuffer(told.prompts, np.int64), np.frombuffer(told.answers, np.int64)
    whole = prompts + answers
    most = whole.max() if max_length is None else max_length
    kept = np.minimum(whole, most)
    trained = np.maximum(kept - prompts, 0)
    ends, numbers = np.unique(np.frombuffer(told.ends, np.int64)[whole <= most], return_counts=True)
    end, pad = int(tokenizer.eos_token_id), tokenizer.pad_token_id
    return Proof(
        profile=profile_of(prompts, answers),
        max_length=max_length,
        exact=told.exact,
        cut=int((whole > most).sum()),
        lost=told.lost,
        lost_ids=tuple(told.lost_ids),
        lost_need=int(whole[prompts >= most].max()) if told.lost else 0,
        tokens=int(kept.sum()),
        trained=int(trained.sum()),
        trained_least=int(trained.min()),
        trained_median=float(np.median(trained)),
        marked=told.marked,
        marked_ids=tuple(told.marked_ids),
        ends={_token(tokenizer, int(one)): int(number) for one, number in zip(ends, numbers, strict=True)},
        end_mark=_token(tokenizer, end),
        pad_mark="" if pad is None else _token(tokenizer, int(pad)),
        pad_is_end=pad == end,
        pictures=tuple(_picture(tokenizer, row, max_length) for row in _shown(told)),
        rows=len(whole),
    )


def _token(tokenizer: PreTrainedTokenizerBase, id_: int) -> str:
    return str(tokenizer.convert_ids_to_tokens(id_))


def _shown(told: Tallied) -> list[Row]:
    """The first rows, and one that is cut where there is one and it is none of them."""
    if told.first_cut is None or told.first_cut in told.first:
        return told.first or [row for row in (told.long,) if row is not None]
    return [*told.first[: PICTURES - 1], told.first_cut]


def _picture(tokenizer: PreTrainedTokenizerBase, row: Row, max_length: int | None) -> Picture:
    tokens = len(encode(tokenizer, row).input_ids)
    encoded = encode(tokenizer, row, max_length)
    return Picture(row.id, rendered_pieces(tokenizer, encoded), tokens, len(encoded.input_ids))
