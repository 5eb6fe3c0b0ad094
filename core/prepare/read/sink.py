"""Takes what a reader finds and writes it down batch by batch: rows as Arrow, what was no row as JSON lines.

A store is a folder: `rows-0.arrow`, `rows-1.arrow` … (a new one begins where a column appears or turns out to be
nested, because an Arrow file has one schema), `rejected.jsonl`, and `meta.json`, which is written last.
"""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa

from tunesmith.core.errors import DataError
from tunesmith.core.prepare.cells import counted, shown, text_of
from tunesmith.core.prepare.records import BATCH, Format, Rejected

MOST_CHARACTERS = 8_000_000
"""Of a batch: a cell may have 10 MB, and a batch must fit into memory."""
MOST_CUT = 2_000
"""Characters that are kept of what was no row."""
_MOST_COLUMNS = 4_096
_MOST_DEPTH = 100
"""Levels of nesting that are kept: every library that meets them later has a limit of its own near 1,000."""
_BYTE = re.compile("[\udc80-\udcff]")
"""What stands for a byte that is no UTF-8 (PEP 383)."""
_LINE, _FILE = pa.field("line", pa.int64()), pa.field("file", pa.int32())
NESTED = {b"nested": b"1"}

Cells = Mapping[str, pa.Array]


class StoreFailed(Exception):
    """The folder of the store can't be written; the reason is an OSError."""

    def __init__(self, reason: OSError) -> None:
        super().__init__(str(reason))
        self.reason = reason


class Segment(msgspec.Struct, frozen=True):
    """One Arrow file of a store."""

    name: str
    rows: int
    size: int
    checksum: int
    """CRC-32."""


class Meta(msgspec.Struct, frozen=True):
    """What a store holds, besides the rows."""

    format: Format
    columns: list[str]
    segments: list[Segment]
    rejected: int
    rejected_size: int
    """Bytes of rejected.jsonl."""
    files: list[str]
    notes: list[str]
    by_row: list[int] = []
    """Of which of `files` (counted from 0) the lines are numbers of rows."""

    @property
    def rows(self) -> int:
        """All rows."""
        return sum(segment.rows for segment in self.segments)


class Sink:
    """Where readers put rows and rejections. One file after another: `begin` names which.

    Raises:
        StoreFailed: From any method: the folder can't be written.
        DataError: From those that take rows: there are too many columns.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.columns: dict[str, None] = {}
        self.rows = 0
        self.rejected = 0
        self.notes: list[str] = []
        self.extra: dict[str, str] = {}
        """Columns that every row of this file gets, unless it has them, with their value."""
        self.first: tuple[Path, Rejected, str] | None = None
        """The first rejection: in which file, what, and what to do about it."""
        self.path = Path()
        """The file that is read now."""
        self._files: list[str] = []
        self._by_row: list[int] = []
        self._nested: set[str] = set()
        self._waiting: list[tuple[pa.Array, pa.Array, Cells, frozenset[str]]] = []
        self._waiting_rows = self._waiting_size = 0
        self._rejections: list[Rejected] = []
        self._segments: list[Segment] = []
        self._writer: pa.ipc.RecordBatchFileWriter | None = None
        self._schema: pa.Schema | None = None
        self._written = 0
        try:
            self._rejected_file = (folder / "rejected.jsonl").open("wb")
        except OSError as error:
            raise StoreFailed(error) from error

    def begin(self, path: Path, name: str = "") -> None:
        """From here on, everything is from `path`, told as `name` where several files are read."""
        self.path = path
        self._files.append(name)

    @property
    def several(self) -> bool:
        """Whether rows tell which file they are from."""
        return bool(self._files and self._files[-1])

    @property
    def subject(self) -> str:
        """How a note names the file that is read now; without its folder, because notes are kept with what it holds."""
        return shown(self._files[-1]) if self.several else "The file"

    def number_rows(self) -> None:
        """Say that the lines of this file are numbers of its rows, several of which share a line."""
        self._by_row.append(len(self._files) - 1)

    def note(self, text: str) -> None:
        """Say something about how it was read; the same is said once."""
        if text not in self.notes:
            self.notes.append(text)

    def reject(self, line: int, why: str, text: str, next_step: str) -> None:
        """Set aside what is no row; `why` is a clause without its full stop."""
        text = text.rstrip("\r\n")
        cut = text if len(text) <= MOST_CUT else text[: MOST_CUT - 1] + "…"
        cut = _BYTE.sub(lambda byte: f"\\x{ord(byte[0]) - 0xDC00:02x}", cut)
        cut = cut.encode("utf-8", "backslashreplace").decode("utf-8")
        rejected = Rejected(line, why, cut, self._files[-1] if self._files else "")
        if self.first is None:
            self.first = (self.path, rejected, next_step)
        self.rejected += 1
        self._rejections.append(rejected)
        if len(self._rejections) >= BATCH:
            self._write_rejections()

    def objects(self, lines: Sequence[int], values: Sequence[dict[str, Any]]) -> None:
        """Rows as JSON or a database gives them: any value, columns may be missing."""
        names: dict[str, None] = {}
        for value in values:
            names.update(dict.fromkeys(value))
        if len(names) > _MOST_COLUMNS:
            self._know(names)
        try:
            cells, nested = _of_objects(values, names)
        except (UnicodeEncodeError, pa.ArrowInvalid, RecursionError, ValueError):
            self._one_by_one(lines, values)
            return
        self.arrow(pa.array(lines, pa.int64()), cells, nested)

    def arrow(self, lines: pa.Array, cells: Cells, nested: frozenset[str] = frozenset()) -> None:
        """Rows by column, each a large_string of its own; the cells of `nested` columns are JSON."""
        if not len(lines):
            return
        if self.extra:
            added = {name: value for name, value in self.extra.items() if name not in cells}
            same = {name: pa.repeat(pa.scalar(value, pa.large_string()), len(lines)) for name, value in added.items()}
            cells = {**cells, **same}
        self._know(cells)
        self._nested |= nested
        files = pa.repeat(pa.scalar(len(self._files) - 1, pa.int32()), len(lines))
        self._waiting.append((lines, files, cells, nested))
        self._waiting_rows += len(lines)
        self._waiting_size += sum(array.nbytes for array in cells.values())
        self.rows += len(lines)
        wide = self._waiting_rows * len(self.columns) > BATCH * 64
        if self._waiting_rows >= BATCH or self._waiting_size >= MOST_CHARACTERS or wide:
            self._flush()

    def close(self, form: Format) -> Meta:
        """Write what is left and then `meta.json`, which makes the folder a store."""
        self._flush()
        self._end_segment()
        self._write_rejections()
        try:
            size = self._rejected_file.tell()
            self._rejected_file.close()
            columns = list(self.columns)
            meta = Meta(form, columns, self._segments, self.rejected, size, self._files, self.notes, self._by_row)
            (self.folder / "meta.json").write_bytes(msgspec.json.encode(meta))
        except OSError as error:
            raise StoreFailed(error) from error
        return meta

    def abandon(self) -> None:
        """Close the files without caring for what is in them."""
        try:
            self._rejected_file.close()
            if self._writer is not None:
                self._writer.close()
        except OSError:
            pass

    def _know(self, names: Mapping[str, Any]) -> None:
        for name in names:
            self.columns.setdefault(name)
        if len(self.columns) > _MOST_COLUMNS:
            raise DataError(
                f"{counted(len(self.columns), 'column')} are more than the {_MOST_COLUMNS:,} that can be read.",
                cause="Names that differ from row to row are values rather than columns.",
                next_step="Put them into a column of their own.",
                file=self.path,
            )

    def _one_by_one(self, lines: Sequence[int], values: Sequence[dict[str, Any]]) -> None:
        """Rows of which at least one holds what can't be kept: that one is set aside."""
        for line, value in zip(lines, values, strict=True):
            try:
                cells, nested = _of_objects([value], value)
            except (UnicodeEncodeError, pa.ArrowInvalid):
                why, step = "half of a surrogate pair (\\ud800 to \\udfff) is no character", "Delete it."
            except (RecursionError, ValueError):
                why, step = "not readable: nested too deeply, or a number too long", "Mend that line."
            else:
                self.arrow(pa.array([line], pa.int64()), cells, nested)
                continue
            self.reject(line, why, ", ".join(map(str, value)), step)

    def _flush(self) -> None:
        if not self._waiting:
            return
        fields, arrays = [_LINE, _FILE], [pa.concat_arrays([waiting[at] for waiting in self._waiting]) for at in (0, 1)]
        for name in self.columns:
            nested = name in self._nested
            parts = []
            for lines, _, cells, nests in self._waiting:
                array = cells.get(name)
                if array is None:
                    array = pa.nulls(len(lines), pa.large_string())
                elif nested and name not in nests:
                    array = _quoted(array)
                parts.append(array)
            arrays.append(parts[0] if len(parts) == 1 else pa.concat_arrays(parts))
            fields.append(pa.field(name, pa.large_string(), metadata=NESTED if nested else None))
        schema = pa.schema(fields)
        try:
            if self._writer is None or not schema.equals(self._schema, check_metadata=True):
                self._end_segment()
                self._schema = schema
                self._writer = pa.ipc.new_file(str(self.folder / f"rows-{len(self._segments)}.arrow"), schema)
            batch = pa.RecordBatch.from_arrays(arrays, schema=schema)
            self._writer.write_batch(batch)
        except OSError as error:
            raise StoreFailed(error) from error
        self._written += batch.num_rows
        self._waiting.clear()
        self._waiting_rows = self._waiting_size = 0
        self._write_rejections()

    def _end_segment(self) -> None:
        if self._writer is None:
            return
        path = self.folder / f"rows-{len(self._segments)}.arrow"
        try:
            self._writer.close()
            self._writer = None
            self._segments.append(Segment(path.name, self._written, path.stat().st_size, checksum(path)))
        except OSError as error:
            raise StoreFailed(error) from error
        self._written = 0

    def _write_rejections(self) -> None:
        if not self._rejections:
            return
        self._rejections.sort(key=lambda rejected: rejected.line)
        try:
            for rejected in self._rejections:
                self._rejected_file.write(msgspec.json.encode(rejected) + b"\n")
        except OSError as error:
            raise StoreFailed(error) from error
        self._rejections.clear()


def checksum(path: Path) -> int:
    """CRC-32 of a file; reads it once."""
    value = 0
    with path.open("rb") as file:
        while chunk := file.read(1 << 20):
            value = zlib.crc32(chunk, value)
    return value


def _of_objects(
    values: Sequence[dict[str, Any]], names: Mapping[str, Any]
) -> tuple[dict[str, pa.Array], frozenset[str]]:
    """The cells by column, and which columns hold lists or objects.

    Raises:
        UnicodeEncodeError: A text has half a character.
        ValueError: A value is nested too deeply, or a number too long.
    """
    cells: dict[str, pa.Array] = {}
    nested = set()
    for name in names:
        column = [value.get(name) for value in values]
        kinds = set(map(type, column))
        if dict in kinds or list in kinds:
            nested.add(name)
            column = [None if value is None else _as_json(value) for value in column]
        elif not kinds <= {str, type(None)}:
            column = [None if value is None else text_of(value) for value in column]
        cells[name] = pa.array(column, pa.large_string())
        name.encode()  # a name with half a character can be written and not be read
    return cells, frozenset(nested)


def _as_json(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    if text.count("[") + text.count("{") > _MOST_DEPTH and _deeper(value, _MOST_DEPTH):
        raise ValueError("nested too deeply")
    return text


def _deeper(value: Any, than: int) -> bool:
    """Whether `value` is nested deeper than `than` levels."""
    level = [value]
    for _ in range(than):
        inner: list[Any] = []
        for item in level:
            if isinstance(item, dict):
                inner += item.values()
            elif isinstance(item, list):
                inner += item
        if not inner:
            return False
        level = inner
    return True


def _quoted(array: pa.Array) -> pa.Array:
    """Plain text as JSON, for a column that has turned out to be nested."""
    told = [None if text is None else json.dumps(text, ensure_ascii=False) for text in array.to_pylist()]
    return pa.array(told, pa.large_string())
