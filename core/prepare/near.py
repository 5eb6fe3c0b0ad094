"""Which rows are nearly the same as an earlier one: what the check finds and the repair leaves out, by one rule.

Two rows are nearly the same where each thing they say, such as the question and the answer, is alike from a threshold
on, the numbers and names in it are the same, and so is what it is said about. A question asked in fifteen ways is
fifteen rows, however long their one answer is. A row's context is no part of what it says: five questions about one
long text are five rows. Numbers and names are what filled-in forms differ by: `Order 17 was shipped` is not `Order 18
was shipped`, and what many rows share, such as an instruction before every text, makes no two of them alike.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tunesmith.core.meter import Meter, silent
from tunesmith.core.plan.prepare import LIKENESS
from tunesmith.core.prepare.likeness import (
    Indices,
    Signatures,
    earlier,
    joined,
    likeness,
    pairs,
    signatures,
    tokens_of,
)
from tunesmith.core.prepare.records import Batch
from tunesmith.core.prepare.repair.nested import asked_and_said, said

LOWEST = 0.6
"""Pairs are looked for from this likeness on whatever the threshold is, so that the numbers told for several
thresholds are those of the rows that each would leave out."""

SLACK = 0.1
"""Two standard errors of the estimate (see `likeness`): a pair at the threshold is reckoned exactly with 98 %."""

FRAME, FEWEST_FRAMED = 0.1, 20
"""What stands in one of ten rows, and in twenty at least, is the frame of those rows rather than what they say."""

_COUNTED = 20_000
"""Rows by which the frame is found, where there are more."""

_NUMBER = re.compile(r"(?<![A-Za-z0-9_])\d+")
_NAME = re.compile(r"(?<=[a-zß-ÿа-я,;:] )[A-ZÀ-ÞА-Я]\w+")
"""A word with a capital inside a sentence."""

Again = Callable[[Sequence[str]], Iterable[Batch]]
"""Gives some columns of the same rows once more, batch by batch."""

Tokens = npt.NDArray[np.int64]
"""Hashes of the different tokens of a text."""


class NearRows:
    """Fed with all rows in order, batch by batch, holds 300 bytes for each and finds those that are nearly the same."""

    def __init__(self, columns: Sequence[str], background: Sequence[str] = ()) -> None:
        """Which columns decide.

        Args:
            columns: Those whose text is compared, joined.
            background: Those that many rows may share, such as a context: only rows that are alike in them, too, by
                LIKENESS, are compared.
        """
        self._columns = tuple(columns)
        self._background = tuple(background)
        self._signatures: list[Signatures] = []
        self._numbers: list[Indices] = []
        self._places: dict[int, int] = {}
        """The place of each different background among them, by its hash."""
        self._firsts: list[int] = []
        """The first row of each of them."""
        self._shared: list[Signatures] = []
        self._shared_numbers: list[int] = []
        self._of: list[Indices] = []
        """For each row the place of its background."""
        self._rows = 0

    def see(self, batch: Batch) -> None:
        """The next rows."""
        texts = _texts(batch, self._columns)
        self._signatures.append(signatures(texts))
        self._numbers.append(np.array([filled_in(text) for text in texts], np.int64))
        if self._background:
            self._see_background(_texts(batch, self._background))
        self._rows += len(texts)

    def _see_background(self, texts: Sequence[str]) -> None:
        fresh, places = [], []
        for row, text in enumerate(texts, self._rows):
            key = hash(text)
            place = self._places.get(key)
            if place is None:
                place = self._places[key] = len(self._firsts)
                self._firsts.append(row)
                self._shared_numbers.append(filled_in(text))
                fresh.append(text)
            places.append(place)
        self._of.append(np.array(places, np.int64))
        if fresh:
            self._shared.append(signatures(fresh))

    def found(self, again: Again, threshold: float, meter: Meter = silent) -> Found:
        """The pairs that may be nearly the same, with what is needed to tell; asked once.

        Args:
            again: Gives the same rows once more: the texts of those that may be alike are compared exactly.
            threshold: The lowest that is asked for.
            meter: Told while rows are compared; what it raises is let through.
        """
        apart = np.concatenate([np.empty(0, np.int64), *self._numbers])
        if self._background:
            alike = self._alike_backgrounds(again, meter)[np.concatenate(self._of)]
            apart = np.fromiter(map(hash, zip(apart.tolist(), alike.tolist(), strict=True)), np.int64, len(apart))
        read = joined(self._signatures)
        some = _candidates(read, threshold, apart, meter)
        tokens = _tokens(again, self._columns, np.unique(some))
        frame = frame_of([tokens[row] for row in sampled(list(tokens))], len(tokens), len(read))
        return Found(read, some, likeness(read, some), Words(tokens, frame))

    def _alike_backgrounds(self, again: Again, meter: Meter) -> Indices:
        """For each background the first one that it is like, perhaps itself."""
        read = joined(self._shared)
        some = _candidates(read, LIKENESS, np.array(self._shared_numbers, np.int64), meter)
        rows = np.array(self._firsts, np.int64)
        by_row = _tokens(again, self._background, rows[np.unique(some)])
        tokens = {place: by_row[row] for place, row in enumerate(self._firsts) if row in by_row}
        gone = Found(read, some, likeness(read, some), Words(tokens)).gone(LIKENESS)
        alike = np.arange(len(read))
        alike[gone[:, 1]] = gone[:, 0]
        return alike


@dataclass
class Found:
    """Pairs of rows that may be nearly the same."""

    signatures: Signatures
    pairs: Indices
    estimates: npt.NDArray[np.float64]
    words: Words

    def gone(self, threshold: float) -> Indices:
        """Each row that is like an earlier one which is kept: pairs of the kept row and the other, by the latter."""
        some = self.pairs[self.estimates >= threshold - SLACK]
        like = earlier(self.signatures, some, lambda one, other: self.share(one, other) >= threshold)
        rows = np.flatnonzero(like >= 0)
        return np.stack([like[rows], rows], axis=1)

    def share(self, one: int, other: int) -> float:
        """The exact likeness of two of the rows."""
        return self.words.share(one, other)


class Words:
    """The tokens of some rows, by which their exact likeness is reckoned.

    Args:
        tokens: Of each row those of each thing it says.
        frame: Those that make no two rows alike (see `frame_of`).
    """

    def __init__(self, tokens: Mapping[int, tuple[Tokens, ...]], frame: frozenset[int] = frozenset()) -> None:
        self._tokens, self._frame = tokens, frame
        self._shares: dict[tuple[int, int], float] = {}
        self._last: tuple[int, list[set[int]]] = (-1, [])

    def share(self, one: int, other: int) -> float:
        """The likeness (`likeness.jaccard`) of what two rows say least alike, reckoned once."""
        share = self._shares.get((one, other))
        if share is None:
            if self._last[0] != other:  # asked of one row after another, each with several before it
                self._last = other, [set(some.tolist()) for some in self._tokens[other]]
            pairs = zip(self._tokens[one], self._last[1], strict=True)
            share = self._shares[one, other] = min(self._alike(set(first.tolist()), second) for first, second in pairs)
        return share

    def _alike(self, first: set[int], second: set[int]) -> float:
        """With the frame and without it, whichever is less."""
        share = _jaccard(first, second)
        return min(share, _jaccard(first - self._frame, second - self._frame)) if self._frame else share


def _jaccard(first: set[int], second: set[int]) -> float:
    common = len(first & second)
    every = len(first) + len(second) - common
    return common / every if every else 1.0


def sampled(rows: Sequence[int]) -> Sequence[int]:
    """Enough of the rows that may be alike to find their frame by."""
    return rows[:: max(1, len(rows) // _COUNTED)]


def frame_of(sample: Sequence[tuple[Tokens, ...]], like: int, rows: int) -> frozenset[int]:
    """The tokens that stand in many rows.

    Args:
        sample: What some of the rows that may be alike say.
        like: How many rows may be alike.
        rows: How many there are in all.
    """
    fewest = max(FEWEST_FRAMED, FRAME * rows)
    if like < fewest:
        return frozenset()
    found, counts = np.unique(np.concatenate([np.unique(np.concatenate(one)) for one in sample]), return_counts=True)
    return frozenset(found[counts * (like / len(sample)) >= fewest].tolist())


def _candidates(read: Signatures, threshold: float, apart: Indices, meter: Meter) -> Indices:
    """The pairs that may be alike by `threshold`.

    Of a crowd that is alike by 0.6 each is compared with the first only; two of it that are alike by 0.8 share longer
    bands, whose crowds are smaller.
    """
    found = [
        pairs(read, min(LOWEST, threshold), meter, apart=apart),  # without slack: half-alike texts have crowds of pairs
        pairs(read, LIKENESS, meter, apart=apart, slack=SLACK),
    ]
    return np.unique(np.concatenate(found), axis=0)


def _texts(batch: Batch, columns: Sequence[str]) -> list[str]:
    """What each row of a batch says in some columns."""
    return ["\n".join(map(said, cells)) for cells in zip(*(batch.columns[name] for name in columns), strict=True)]


def _tokens(again: Again, columns: Sequence[str], rows: Indices) -> dict[int, tuple[Tokens, ...]]:
    """The tokens of some rows, column by column."""
    found: dict[int, tuple[Tokens, ...]] = {}
    wanted = set(rows.tolist())
    start = 0
    for batch in again(columns) if wanted else ():
        for row, cells in enumerate(zip(*(batch.columns[name] for name in columns), strict=True), start):
            if row in wanted:
                found[row] = hashed(text for one in cells for text in asked_and_said(one))
        start += len(batch)
    return found


def hashed(texts: Iterable[str]) -> tuple[Tokens, ...]:
    """The hashes of the different tokens of some texts, 8 bytes each."""
    every = [set(map(hash, tokens_of(text))) for text in texts]
    return tuple(np.fromiter(tokens, np.int64, len(tokens)) for tokens in every)


def filled_in(text: str) -> int:
    """A hash of what is filled into a form: the numbers in a text and the names inside its sentences, in their order.

    Numbers inside a word such as `word12` are part of the word.
    """
    return hash((tuple(_NUMBER.findall(text)), tuple(_NAME.findall(text))))


def floored(share: float) -> str:
    """A likeness in words, rounded down: what is alike by 0.796 is not said to reach 80 %."""
    return f"{int(100 * share + 1e-9)} %"
