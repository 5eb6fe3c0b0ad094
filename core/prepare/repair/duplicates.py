"""Rows that repeat an earlier one, word by word or nearly."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import numpy.typing as npt

from tunesmith.core.prepare.cells import shown
from tunesmith.core.prepare.near import NearRows, floored
from tunesmith.core.prepare.repair.mender import Known
from tunesmith.core.prepare.repair.nested import readable
from tunesmith.core.prepare.repair.view import Piece, View

Hashes = npt.NDArray[np.int64]


def hashes_of_rows(columns: Sequence[Sequence[str]]) -> Hashes:
    """A 64-bit hash of each row's cells, by Python's own; two of a million differing rows share one by 1 in 4e7."""
    return np.fromiter(map(hash, zip(*columns, strict=True)), np.int64)


def firsts(hashes: Hashes) -> npt.NDArray[np.int64]:
    """For each of the hashes the index of the first that equals it."""
    order = np.argsort(hashes, kind="stable")
    ordered = hashes[order]
    begins = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]])) if len(hashes) else order
    first = np.empty(len(hashes), np.int64)
    first[order] = np.repeat(order[begins], np.diff(np.append(begins, len(hashes))))
    return first


class DropDuplicates(Known):
    """Sets aside what repeats an earlier row in every column, or in one; no value is no repeat of another."""

    def __init__(self, column: str | None, columns: tuple[str, ...]) -> None:
        super().__init__(columns if column is None else (column,))
        self._column = column
        self._of: list[int] = []

    def learn(self, view: View, tell: Callable[[int], None]) -> None:
        """Which rows are the same."""
        hashes, positions, lines = [], [], []
        done = 0
        for piece in view.pieces(self.looked_at):
            found = hashes_of_rows([piece.columns[name] for name in self.looked_at])
            filled = np.ones(len(piece), np.bool_)
            if self._column is not None:
                filled = np.fromiter(map(bool, piece.columns[self._column]), np.bool_, len(piece))
            hashes.append(found[filled])
            positions.append(piece.positions[filled])
            lines.append(np.asarray(piece.lines, np.int64)[filled])
            done += len(piece)
            tell(done)
        if not hashes:
            return
        first = firsts(np.concatenate(hashes))
        again = np.flatnonzero(first != np.arange(len(first)))
        self.aside = np.concatenate(positions)[again]
        self._of = np.concatenate(lines)[first[again]].tolist()

    def why(self, index: int) -> str:
        """Which line it repeats."""
        where = "" if self._column is None else f" in {shown(self._column)}"
        return f"repeats line {self._of[index]:,}{where}"


class DropNearDuplicates(Known):
    """Sets aside what is nearly the same as an earlier row that is kept, as `NearRows` finds it."""

    def __init__(self, columns: Sequence[str], threshold: float, background: Sequence[str] = ()) -> None:
        super().__init__((*columns, *background))
        self._near = NearRows(columns, background)
        self._threshold = threshold
        self._of: list[tuple[int, float]] = []

    def learn(self, view: View, tell: Callable[[int], None]) -> None:
        """Which rows are nearly the same."""
        positions, lines = [], []
        done = 0
        for piece in view.pieces(self.looked_at):
            self._near.see(piece)
            positions.append(piece.positions)
            lines.append(np.asarray(piece.lines, np.int64))
            done += len(piece)
            tell(done)
        if not positions:
            return
        found = self._near.found(view.pieces, self._threshold, self.meter)
        gone = found.gone(self._threshold)
        again, like = gone[:, 1], gone[:, 0]
        shares = [found.share(one, other) for one, other in gone.tolist()]
        self.aside = np.concatenate(positions)[again]
        self._of = list(zip(np.concatenate(lines)[like].tolist(), shares, strict=True))

    def why(self, index: int) -> str:
        """Which line it is like, and how much."""
        line, share = self._of[index]
        return f"nearly the same as line {line:,}, {floored(share)} alike"


def texts_of(piece: Piece, columns: Sequence[str]) -> Iterator[str]:
    """The texts of the columns together, for each row; of JSON what a person reads."""
    for cells in zip(*(piece.columns[name] for name in columns), strict=True):
        yield "\n".join(map(readable, cells))
