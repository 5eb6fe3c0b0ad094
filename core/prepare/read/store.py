"""Opens a store that a `Sink` has written: its rows stay on disk, memory-mapped, however many they are."""

from __future__ import annotations

import json
from array import array
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from pathlib import Path
from typing import Any, overload

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from tunesmith.core.prepare.cells import text_of
from tunesmith.core.prepare.read.sink import NESTED, Meta, checksum
from tunesmith.core.prepare.records import BATCH, Batch, Record, Records, Rejected

_MOST_CHECKED = 1 << 30
"""Bytes of a file up to which its checksum is compared; of a larger one only the size, so that opening stays quick."""
_checked: set[tuple[str, int, int]] = set()
"""Files whose checksum was right in this process: path, size and time of change in ns."""


class Store:
    """The rows of a store, by their place. Raises OSError, ValueError or msgspec.MsgspecError where it is damaged."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.meta = msgspec.json.decode((folder / "meta.json").read_bytes(), type=Meta)
        if (folder / "rejected.jsonl").stat().st_size != self.meta.rejected_size:
            raise ValueError("rejected.jsonl is not what was written")
        self._segments: list[tuple[pa.ipc.RecordBatchFileReader, dict[str, tuple[int, bool]]]] = []
        places: list[tuple[int, int]] = []
        counts: list[int] = []
        for number, segment in enumerate(self.meta.segments):
            path = folder / segment.name
            _check(path, segment.size, segment.checksum)
            reader = pa.ipc.open_file(pa.memory_map(str(path)))
            fields = {
                name: (at, (one.metadata or {}).get(b"nested") == NESTED[b"nested"])
                for at, (name, one) in enumerate(zip(reader.schema.names, reader.schema, strict=True))
                if at >= 2
            }
            self._segments.append((reader, fields))
            for at in range(reader.num_record_batches):
                places.append((number, at))
                counts.append(reader.get_batch(at).num_rows)
        self._places = places
        self.starts = [0, *accumulate(counts)]
        if self.starts[-1] != self.meta.rows:
            raise ValueError("rows are missing")

    def __len__(self) -> int:
        return self.starts[-1]

    def pieces(self, start: int, stop: int) -> Iterator[tuple[int, pa.RecordBatch, dict[str, tuple[int, bool]]]]:
        """What was written together of the rows from `start` to before `stop`.

        Gives the place of the first row, the rows, and by column which field it is and whether its cells are JSON.
        """
        at = bisect_right(self.starts, start) - 1
        while start < stop:
            end = min(stop, self.starts[at + 1])
            number, index = self._places[at]
            reader, fields = self._segments[number]
            yield start, reader.get_batch(index).slice(start - self.starts[at], end - start), fields
            start, at = end, at + 1

    def records(self, start: int, stop: int) -> Iterator[Record]:
        """The records from `start` to before `stop`, counted from 0."""
        names, by_row = self.meta.files, frozenset(self.meta.by_row)
        for first, batch, fields in self.pieces(start, stop):
            lines, files = batch.column(0).to_pylist(), batch.column(1).to_pylist()
            columns = [_values(batch.column(at), nested) for at, nested in fields.values()]
            whole = not any(batch.column(at).null_count for at, _ in fields.values())
            keys = list(fields)
            rows = zip(*columns, strict=True) if columns else ((),) * len(lines)
            for offset, (line, file, row) in enumerate(zip(lines, files, rows, strict=True)):
                pairs = zip(keys, row, strict=True)
                values = dict(pairs) if whole else {key: value for key, value in pairs if value is not None}
                yield Record(first + offset + 1, line, values, names[file], file in by_row)


def _check(path: Path, size: int, expected: int) -> None:
    """Raise ValueError where a file is not the one that was written."""
    found = path.stat()
    if found.st_size != size:
        raise ValueError(f"{path.name} has another size")
    key = (str(path), size, found.st_mtime_ns)
    if size <= _MOST_CHECKED and key not in _checked:
        if checksum(path) != expected:
            raise ValueError(f"{path.name} has another checksum")
        _checked.add(key)


def _values(column: pa.Array, nested: bool) -> list[Any]:
    cells: list[Any] = column.to_pylist()
    return [_value(cell) for cell in cells] if nested else cells


def _value(cell: str | None) -> Any:
    """What a JSON cell holds: lists and objects as they are, all else as text."""
    if cell is None:
        return None
    value = json.loads(cell)
    return value if isinstance(value, list | dict) else text_of(value)


class StoredRows(Sequence[Record]):
    """Records on disk; those that are asked for are made. A slice is another view, not a copy."""

    def __init__(self, store: Store, places: range | None = None) -> None:
        self._store = store
        self._places = range(len(store)) if places is None else places

    def __len__(self) -> int:
        return len(self._places)

    @overload
    def __getitem__(self, index: int) -> Record: ...
    @overload
    def __getitem__(self, index: slice) -> StoredRows: ...
    def __getitem__(self, index: int | slice) -> Record | StoredRows:
        if isinstance(index, slice):
            return StoredRows(self._store, self._places[index])
        place = self._places[index]
        return next(self._store.records(place, place + 1))

    def __iter__(self) -> Iterator[Record]:
        if self._places.step != 1:
            return (self[index] for index in range(len(self)))
        return self._in_order()

    def _in_order(self) -> Iterator[Record]:
        for start in range(self._places.start, self._places.stop, BATCH):
            yield from self._store.records(start, min(start + BATCH, self._places.stop))


class StoredRejected(Sequence[Rejected]):
    """What was no row, on disk, in the order in which it was found."""

    def __init__(self, path: Path, count: int) -> None:
        self._path = path
        self._count = count
        self._starts = array("Q")

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, index: int) -> Rejected: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Rejected, ...]: ...
    def __getitem__(self, index: int | slice) -> Rejected | tuple[Rejected, ...]:
        places = range(self._count)[index]
        if isinstance(places, range):
            return tuple(self[place] for place in places)
        with self._path.open("rb") as file:
            if not self._starts:  # where each line begins, found once
                at = 0
                for line in file:
                    self._starts.append(at)
                    at += len(line)
            file.seek(self._starts[places])
            return msgspec.json.decode(file.readline(), type=Rejected)

    def __iter__(self) -> Iterator[Rejected]:
        decoder = msgspec.json.Decoder(Rejected)
        with self._path.open("rb") as file:
            for line in file:
                yield decoder.decode(line)


@dataclass(frozen=True)
class StoredRecords(Records):
    """Records whose rows lie in a store."""

    store: Store | None = field(default=None, repr=False, compare=False)
    keep: object = field(default=None, repr=False, compare=False)
    """Whatever must live as long as the records do, such as a temporary folder."""

    def batches(self, columns: Sequence[str] | None = None, size: int = BATCH) -> Iterator[Batch]:
        """All rows by column, at most `size` at a time and fewer where cells are long; reads only `columns`.

        A name that is no column gives empty cells.
        """
        if self.store is None:
            yield from super().batches(columns, size)
            return
        names = tuple(self.columns if columns is None else columns)
        for first, whole, fields in self.store.pieces(0, len(self.store)):
            for at in range(0, whole.num_rows, size):
                batch = whole.slice(at, size)
                cells = {name: _stripped(batch, fields.get(name)) for name in names}
                numbers = range(first + at + 1, first + at + batch.num_rows + 1)
                yield Batch(numbers, batch.column(0).to_pylist(), cells)


def _stripped(batch: pa.RecordBatch, place: tuple[int, bool] | None) -> list[str]:
    """A column's cells as text without white space around it; empty where there is none."""
    if place is None:
        return [""] * batch.num_rows
    at, nested = place
    column = batch.column(at)
    if nested and pc.any(pc.starts_with(column, '"')).as_py():
        return [text_of(_value(cell)).strip() for cell in column.to_pylist()]
    if column.null_count:
        column = pc.fill_null(column, "")
    # Arrow holds the same characters to be white space as str.strip does.
    cells: list[str] = pc.utf8_trim_whitespace(column).to_pylist()
    return cells
