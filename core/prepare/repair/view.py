"""What a recipe leaves of the records: which are kept, and the cells that were changed, beside the store."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import compress
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from tunesmith.core.prepare.records import BATCH, Batch, Record, Records
from tunesmith.core.prepare.repair.nested import nested

Positions = npt.NDArray[np.int64]


def texts_in_arrow(texts: Sequence[str]) -> pa.Array:
    """Texts side by side, 8 bytes each beside their own; half a surrogate, which JSON may hold, becomes `?`."""
    try:
        return pa.array(texts, pa.large_string())
    except UnicodeEncodeError:
        return pa.array([text.encode("utf-8", "replace").decode() for text in texts], pa.large_string())


@dataclass(frozen=True)
class Patches:
    """The changed cells of one column, by the position of their record; rising."""

    positions: Positions
    texts: pa.Array

    def within(self, start: int, stop: int) -> dict[int, str]:
        """Those of the records from `start` to before `stop`, counted from 0."""
        first, last = np.searchsorted(self.positions, (start, stop))
        if first == last:
            return {}
        texts = self.texts.slice(first, last - first).to_pylist()
        return dict(zip(self.positions[first:last].tolist(), texts, strict=True))

    def over(self, older: Patches | None) -> Patches:
        """These, and those of `older` whose cells were not changed again."""
        if older is None or not len(self.positions):
            return older or self
        kept = np.flatnonzero(~np.isin(older.positions, self.positions))
        positions = np.concatenate([older.positions[kept], self.positions])
        order = np.argsort(positions, kind="stable")
        texts = pa.concat_arrays([older.texts.take(pa.array(kept)), self.texts])
        return Patches(positions[order], texts.take(pa.array(order)))


@dataclass(frozen=True)
class Piece(Batch):
    """A batch of kept records as they are by now, with their positions among all records, counted from 0."""

    positions: Positions = field(default_factory=lambda: np.empty(0, np.int64))


@dataclass(frozen=True)
class View:
    """The kept records with their changed cells."""

    source: Records
    kept: npt.NDArray[np.bool_]
    """For each record that was read whether it is kept."""
    patches: Mapping[str, Patches] = field(default_factory=dict)

    @classmethod
    def of(cls, records: Records) -> View:
        """All of the records, unchanged."""
        return cls(records, np.ones(len(records.rows), np.bool_))

    def __len__(self) -> int:
        return int(np.count_nonzero(self.kept))

    @property
    def columns(self) -> tuple[str, ...]:
        """In the order of the header, or of their first appearance."""
        return self.source.columns

    def pieces(self, columns: Sequence[str] | None = None, size: int = BATCH) -> Iterator[Piece]:
        """The kept records by column (all columns, or those named), at most `size` at a time."""
        names = tuple(dict.fromkeys(self.columns if columns is None else columns))
        start = 0
        for batch in self.source.batches(names, size):
            stop = start + len(batch)
            kept = self.kept[start:stop]
            positions = start + np.flatnonzero(kept)
            if len(positions):
                yield self._piece(batch, names, start, kept, positions)
            start = stop

    def batches(self, columns: Sequence[str] | None = None, size: int = BATCH) -> Iterator[Batch]:
        """The same as `Records.batches`."""
        return self.pieces(columns, size)

    def _piece(
        self, batch: Batch, names: Sequence[str], start: int, kept: npt.NDArray[np.bool_], positions: Positions
    ) -> Piece:
        columns = {}
        for name in names:
            cells = batch.columns[name]
            if changed := self._within(name, start, start + len(batch)):
                cells = list(cells)
                for position, text in changed.items():
                    cells[position - start] = text
            columns[name] = cells
        numbers, lines = batch.numbers, batch.lines
        if len(positions) < len(batch):
            mask = kept.tolist()
            columns = {name: list(compress(cells, mask)) for name, cells in columns.items()}
            numbers, lines = list(compress(numbers, mask)), list(compress(lines, mask))
        return Piece(numbers, lines, columns, positions)

    def count(self, positions: range) -> int:
        """How many of the records at some positions are kept."""
        return int(np.count_nonzero(self.kept[positions.start : positions.stop]))

    def records(self, positions: range | None = None) -> Iterator[Record]:
        """The kept records in their order; a changed cell that held JSON is a value again.

        Args:
            positions: Of these records, counted from 0 among all that were read; of all where it is None.
        """
        places = range(len(self.kept)) if positions is None else positions
        for start in range(places.start, places.stop, BATCH):
            stop = min(start + BATCH, places.stop)
            kept = self.kept[start:stop]
            if not kept.any():
                continue
            changed = {name: cells for name in self.patches if (cells := self._within(name, start, stop))}
            rows = self.source.rows[start:stop]
            for position, (row, keep) in enumerate(zip(rows, kept.tolist(), strict=True), start):
                if keep:
                    yield self._patched(row, position, changed)

    def after(self, aside: Positions, patches: Mapping[str, Patches]) -> View:
        """What is left when the records at `aside` are not kept and the `patches` are made."""
        kept = self.kept.copy()
        kept[aside] = False
        merged = dict(self.patches)
        for name, fresh in patches.items():
            merged[name] = fresh.over(merged.get(name))
        return View(self.source, kept, merged)

    def _within(self, name: str, start: int, stop: int) -> dict[int, str]:
        patches = self.patches.get(name)
        return patches.within(start, stop) if patches is not None else {}

    @staticmethod
    def _patched(row: Record, position: int, changed: Mapping[str, Mapping[int, str]]) -> Record:
        fresh: dict[str, Any] = {}
        for name, cells in changed.items():
            if (text := cells.get(position)) is not None:
                was_nested = isinstance(row.values.get(name), list | dict)
                value = nested(text) if was_nested else None
                fresh[name] = text if value is None else value
        return replace(row, values={**row.values, **fresh}) if fresh else row
