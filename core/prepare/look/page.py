"""A batch of records as the checks look at it: what several of them need is worked out once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from re import Pattern

import numpy as np
from numpy.typing import NDArray

from tunesmith.core.prepare.columns import hashes_of
from tunesmith.core.prepare.records import Batch

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Page(Batch):
    """A batch, with where it stands in the whole."""

    start: int = 0
    """The position of its first record in `Records.rows`, counted from 0."""
    _arrays: dict[tuple[str, str], Ints] = field(default_factory=dict, compare=False, repr=False)
    _joined: dict[str, str] = field(default_factory=dict, compare=False, repr=False)

    def hashes(self, column: str) -> Ints:
        """A 64-bit hash of each cell."""
        return self._array("hashes", column, lambda: hashes_of(self.columns[column]))

    def lengths(self, column: str) -> Ints:
        """Characters of each cell."""
        cells = self.columns[column]
        return self._array("lengths", column, lambda: np.fromiter(map(len, cells), np.int64, len(cells)))

    def joined(self, column: str) -> str:
        """All cells in one text, a line end between each two: quicker to search than one by one."""
        if column not in self._joined:
            self._joined[column] = "\n".join(self.columns[column])
        return self._joined[column]

    def mixed(self, columns: Sequence[str]) -> Ints:
        """A hash of several cells of each row together; that of empty cells does not depend on how many they are."""
        return self._array("mixed", "\0".join(columns), lambda: self._mix(columns))

    def rows_with(self, column: str, literal: str) -> Iterator[int]:
        """The rows of this page whose cell holds `literal`, each once, rising."""
        text = self.joined(column)
        at = text.find(literal)
        last = -1
        while at >= 0:
            row = self.row_at(column, at)
            if row != last and literal in self.columns[column][row]:
                yield row
            last = row
            at = text.find(literal, self._end(column, row))

    def rows_like(self, column: str, pattern: Pattern[str]) -> Iterator[int]:
        """The rows of this page in whose cell `pattern` is found, each once, rising.

        The pattern is tried on all cells joined: one with ^ or \\b may miss a cell's first or last character.
        """
        text = self.joined(column)
        found = pattern.search(text)
        while found:
            row = self.row_at(column, found.start())
            if pattern.search(self.columns[column][row]):
                yield row
            found = pattern.search(text, self._end(column, row))

    def row_at(self, column: str, at: int) -> int:
        """The row that the character `at` of `joined` belongs to."""
        return int(np.searchsorted(self._ends(column), at, side="right"))

    def _end(self, column: str, row: int) -> int:
        return int(self._ends(column)[row])

    def _ends(self, column: str) -> Ints:
        """Where in `joined` the cell after each begins."""
        return self._array("ends", column, lambda: np.cumsum(self.lengths(column) + 1))

    def _mix(self, columns: Sequence[str]) -> Ints:
        mixed = np.zeros(len(self), np.uint64)
        for place, column in enumerate(columns):
            hashes = self.hashes(column)
            part = _scrambled(hashes.view(np.uint64) + np.uint64((place + 1) * _GOLDEN % (1 << 64)))
            mixed += np.where(hashes == _NOTHING, np.uint64(0), part)
        return mixed.view(np.int64)

    def _array(self, what: str, column: str, make: Callable[[], Ints]) -> Ints:
        key = (what, column)
        if key not in self._arrays:
            self._arrays[key] = make()
        return self._arrays[key]


_NOTHING = hash("")
_GOLDEN = 0x9E3779B97F4A7C15


def _scrambled(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """SplitMix64's finalizer (Steele, Lea & Flood 2014): sums of what it gives do not cancel out by accident."""
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))
