"""What every kind of step shares: it looks at the kept records piece by piece and says what becomes of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from tunesmith.core.meter import Meter, silent
from tunesmith.core.plan import Repair
from tunesmith.core.prepare.repair.view import Patches, Piece, Positions, View, texts_in_arrow

EXAMPLES = 3


@dataclass(frozen=True)
class Context:
    """What a step must know of the data beside its own repair."""

    columns: tuple[str, ...]
    used: tuple[str, ...]
    """The columns that go into prompts and answers: what a step without a column of its own works on."""
    prompts: tuple[str, ...]
    answers: tuple[str, ...]
    compared: tuple[str, ...] = ()
    """Those of them by which rows are told apart; all where none is named."""
    background: tuple[str, ...] = ()
    """Those of them that many rows may share, such as a context."""

    def texts(self, repair: Repair) -> tuple[str, ...]:
        """The columns whose text a step mends."""
        return (repair.column,) if repair.column is not None else self.used


Verdicts = Iterable[tuple[int, str]]
"""Indices within a piece whose records are set aside, rising, and why."""


@dataclass
class Outcome:
    """What a step makes of one piece."""

    aside: Verdicts = ()
    patches: Mapping[str, Mapping[int, str]] = field(default_factory=dict)
    """The new text of changed cells by column and index within the piece; rising."""


@dataclass
class Change:
    """What a step makes of all records: gathered piece by piece, held as arrays."""

    changed: int = 0
    """Records that were mended and kept."""
    examples: list[tuple[int, str, str, str]] = field(default_factory=list)
    """The first few changed cells: position, column, before, after."""
    _positions: list[Positions] = field(default_factory=list)
    _whys: list[pa.Array] = field(default_factory=list)
    _patches: dict[str, list[tuple[Positions, pa.Array]]] = field(default_factory=dict)

    def add(self, piece: Piece, outcome: Outcome) -> None:
        """What became of the next piece."""
        aside = list(outcome.aside)
        if aside:
            self._positions.append(piece.positions[[index for index, _ in aside]])
            self._whys.append(texts_in_arrow([why for _, why in aside]))
        gone = {index for index, _ in aside}
        mended: set[int] = set()
        for column, cells in outcome.patches.items():
            fresh = {index: text for index, text in cells.items() if index not in gone} if gone else cells
            if not fresh:
                continue
            mended.update(fresh)
            chunk = (piece.positions[list(fresh)], texts_in_arrow(list(fresh.values())))
            self._patches.setdefault(column, []).append(chunk)
            for index, text in fresh.items():
                if len(self.examples) >= EXAMPLES:
                    break
                self.examples.append((int(piece.positions[index]), column, piece.columns[column][index], text))
        self.changed += len(mended)

    @property
    def aside(self) -> Positions:
        """The positions of the records that are set aside, rising."""
        return np.concatenate([np.empty(0, np.int64), *self._positions])

    @property
    def whys(self) -> pa.ChunkedArray:
        """Why each of them is."""
        return pa.chunked_array(self._whys, pa.large_string())

    @property
    def patches(self) -> dict[str, Patches]:
        """The changed cells by column."""
        return {
            column: Patches(np.concatenate([some for some, _ in chunks]), pa.concat_arrays([t for _, t in chunks]))
            for column, chunks in self._patches.items()
        }


class Mender:
    """One step. Subclasses say which columns they read and what becomes of a piece."""

    def __init__(self, columns: Sequence[str]) -> None:
        self.columns = tuple(columns)
        self.meter: Meter = silent
        """For what takes long between two pieces; what it raises is let through."""

    def learn(self, view: View, tell: Callable[[int], None]) -> None:
        """Look at all records beforehand, for the steps that must; `tell` is called with how many were seen."""

    def mend(self, piece: Piece) -> Outcome:
        """What becomes of the records of a piece."""
        raise NotImplementedError

    def run(self, view: View, doing: str, meter: Meter) -> Change:
        """What becomes of all records. Lets through what `meter` raises."""
        of = len(view)
        self.meter = meter
        self.learn(view, lambda done: meter(doing, done, of))
        change, done = Change(), 0
        for piece in view.pieces(self.columns):
            change.add(piece, self.mend(piece))
            done += len(piece)
            meter(doing, done, of)
        return change


class Known(Mender):
    """A step that knows after its first look which records are set aside."""

    aside: Positions
    """Rising."""

    def __init__(self, columns: Sequence[str]) -> None:
        super().__init__(())  # the second time no cell is read
        self.looked_at = tuple(columns)
        self.aside = np.empty(0, np.int64)

    def why(self, index: int) -> str:
        """Why the record at `self.aside[index]` is set aside."""
        raise NotImplementedError

    def mend(self, piece: Piece) -> Outcome:
        """Those of the piece that were found."""
        if not len(piece):
            return Outcome()
        first, last = np.searchsorted(self.aside, (piece.positions[0], piece.positions[-1] + 1))
        indices = np.searchsorted(piece.positions, self.aside[first:last]).tolist()
        return Outcome(aside=[(index, self.why(number)) for number, index in enumerate(indices, int(first))])


class ByCell(Mender):
    """A step that judges the records by the cells of one column, each different text once in a while."""

    MOST_KNOWN = 1 << 16
    """Texts whose verdict is remembered."""

    def __init__(self, column: str) -> None:
        super().__init__((column,))
        self.column = column
        self._known: dict[str, tuple[str | None, str]] = {}

    def judge(self, text: str) -> tuple[str | None, str]:
        """Why the record is set aside, or None with the new text of its cell."""
        raise NotImplementedError

    def told(self, text: str) -> str:
        """A cell as a reason may quote it: personal data masked."""
        from tunesmith.core.prepare.personal import told

        return told(text, column=self.column)

    def mend(self, piece: Piece) -> Outcome:
        """The verdict on each cell."""
        aside: list[tuple[int, str]] = []
        patches: dict[int, str] = {}
        known = self._known
        for index, text in enumerate(piece.columns[self.column]):
            verdict = known.get(text)
            if verdict is None:
                verdict = self.judge(text)
                if len(known) >= self.MOST_KNOWN:
                    known.clear()
                if len(text) <= 200:
                    known[text] = verdict
            why, fresh = verdict
            if why is not None:
                aside.append((index, why))
            elif fresh != text:
                patches[index] = fresh
        return Outcome(aside, {self.column: patches})
