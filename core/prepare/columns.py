"""What each column holds: text, numbers, dates or identifiers, how much of it is filled and how much of it differs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from functools import partial
from typing import get_args

import msgspec
import numpy as np
from numpy.typing import NDArray

from tunesmith.core.facts import Column
from tunesmith.core.meter import Meter, silent
from tunesmith.core.parallel import at_once, stretches
from tunesmith.core.plan.prepare import PersonalKind
from tunesmith.core.prepare.kinds import MOSTLY, kind_of, plain_name
from tunesmith.core.prepare.personal import PLACEHOLDERS, mask
from tunesmith.core.prepare.records import Records

__all__ = ["MOSTLY", "Distinct", "Profiled", "hashes_of", "masked", "plain_name", "profile_column", "profile_columns"]

EXAMPLES = 3
EXAMPLE_LENGTH = 80
"""Characters of an example, and of the longest value that is a label."""

READ = 4096
"""Characters of an example that are kept until personal data was masked in it: what is cut is found no more."""

SAMPLE = 20_000
"""Cells of a column that are read as numbers and dates to tell its kind. A share of 0.9 is then known to within half a
point (95 % interval, normal approximation)."""

FEW_VALUES = 50
"""Different values up to which a column says what they are, where they are short and each stands in two rows or more on
average."""

MOST_DISTINCT = 1 << 21
"""Different values that are counted one by one; beyond, a share of them is counted (error about 0.1 %)."""


def profile_columns(records: Records, meter: Meter = silent) -> tuple[Column, ...]:
    """The columns in the file's order. Lets `Cancelled` of the meter through."""
    # Dealt out in turn: columns of long texts, which take longest, often stand side by side.
    count = min(len(stretches(len(records.rows))), len(records.columns))
    dealt = [records.columns[first::count] for first in range(count)]
    told = at_once([partial(_profiled, records, names) for names in dealt], meter, min)
    by_name = {column.name: column for some in told for column in some}
    return tuple(by_name[name] for name in records.columns)


def _profiled(records: Records, names: Sequence[str], meter: Meter) -> list[Column]:
    """Some of the columns, in one pass."""
    stride = max(1, len(records.rows) // SAMPLE)
    profiled = {name: Profiled(name, stride) for name in names}
    done = 0
    for batch in records.batches(names):
        for name, column in profiled.items():
            column.see(batch.columns[name])
        done += len(batch)
        meter("looking at the columns", done, len(records.rows))
    return [column.column() for column in profiled.values()]


def masked(column: Column, *, people: bool, exact: bool) -> Column:
    """The column as it may be told: personal data masked in its examples, which are cut, and in its values.

    Args:
        column: As `profile_columns` gives it.
        people: Whether it holds names of people.
        exact: Whether its values are labels or ratings: those stand in prompts and plans, and stay as they are.
    """

    def told(text: str) -> str:
        return PLACEHOLDERS["name"] if people else mask(text, kinds, column.name)

    kinds = [kind for kind in get_args(PersonalKind) if kind != "name"]
    examples = tuple(dict.fromkeys(told(text)[:EXAMPLE_LENGTH] for text in column.examples))
    values: Counter[str] = Counter()
    for text, count in () if exact else column.values:
        values[told(text)] += count
    few = column.values if exact else tuple(values.most_common())
    return msgspec.structs.replace(column, examples=examples, values=few)


def profile_column(name: str, cells: Sequence[str]) -> Column:
    """One column from the text of all its cells, the empty ones too."""
    profiled = Profiled(name)
    profiled.see(cells)
    return profiled.column()


def hashes_of(cells: Sequence[str]) -> NDArray[np.int64]:
    """A 64-bit hash of each text: Python's own (SipHash), which holds for this process only and takes any text.

    Two of a million different texts share one once in 37 million files (n² / 2⁶⁵).
    """
    return np.fromiter(map(hash, cells), dtype=np.int64, count=len(cells))


class Distinct:
    """Counts different hashes in bounded memory: adaptive sampling (Wegman; Flajolet 1990, Computing 43:391-400).

    Where more than `most` differ, those are kept whose lowest `level` bits are zero, one of 2**level.
    """

    def __init__(self, most: int = MOST_DISTINCT) -> None:
        self._most = most
        self._level = 0
        self._known: NDArray[np.int64] = np.empty(0, np.int64)
        self._new: list[NDArray[np.int64]] = []
        self._waiting = 0

    def add(self, hashes: NDArray[np.int64]) -> None:
        """More hashes, each as often as it comes."""
        if self._level:
            hashes = hashes[(hashes & ((1 << self._level) - 1)) == 0]
        self._new.append(hashes)
        self._waiting += len(hashes)
        if self._waiting > self._most // 2:
            self._merge()

    def count(self) -> int:
        """How many different ones came."""
        self._merge()
        return len(self._known) << self._level

    def _merge(self) -> None:
        self._known = np.unique(np.concatenate([self._known, *self._new]))
        self._new, self._waiting = [], 0
        while len(self._known) > self._most:
            self._level += 1
            self._known = self._known[(self._known & ((1 << self._level) - 1)) == 0]


class Profiled:
    """One column while its cells come by."""

    def __init__(self, name: str, stride: int = 1) -> None:
        self.name = name
        self.filled = 0
        self._distinct = Distinct()
        self._examples: dict[str, None] = {}
        self._sample: list[str] = []
        self._stride = stride
        self._values: Counter[str] | None = Counter()
        """How often each value comes; None once there are too many."""
        self._next = 0
        """How many cells come before the next that is sampled."""

    def see(self, cells: Sequence[str]) -> None:
        """The next cells of the column, without white space around them."""
        if not cells:
            return
        hashes = hashes_of(cells)
        if (empty := cells.count("")) < len(cells):
            self.filled += len(cells) - empty
            self._distinct.add(hashes[hashes != hash("")] if empty else hashes)
            if len(self._examples) < EXAMPLES:
                self._more_examples(cells)
        if self._values is not None:
            self._values.update(cells)
            if len(self._values) > FEW_VALUES + 1:
                self._values = None
        self._sample += [text for text in cells[self._next :: self._stride] if text]
        self._next = (self._next - len(cells)) % self._stride

    def _more_examples(self, cells: Iterable[str]) -> None:
        for text in cells:
            if text:
                self._examples[text] = None
                if len(self._examples) == EXAMPLES:
                    return

    def column(self) -> Column:
        """What it is."""
        distinct = min(self._distinct.count(), self.filled)
        kind = kind_of(self.name, self._sample, self.filled, distinct, self._stride)
        examples = tuple(text[:READ] for text in self._examples)
        values = [(text, count) for text, count in (self._values or Counter()).most_common() if text]
        labels = len(values) <= FEW_VALUES and 2 * len(values) <= self.filled
        few = tuple(values) if labels and all(len(text) <= EXAMPLE_LENGTH for text, _ in values) else ()
        return Column(self.name, kind, self.filled, distinct, examples, few)
