"""Records: the rows of the person's file as they were read, and the errors that name a place in it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from tunesmith.core.errors import DataError
from tunesmith.core.prepare.cells import cell, counted, shown

Format = Literal["csv", "json", "jsonl", "parquet", "excel", "text", "dataset", "hub", "sql"]


@dataclass(frozen=True)
class Record:
    """One row of the data."""

    number: int
    """Which record it is of all that were read, counted from 1."""
    line: int
    """Where it begins in its file, counted from 1 (in a workbook the row; the number of the row in Parquet, SQL,
    and in JSON whose rows share lines)."""
    values: dict[str, Any]
    """What it holds by column: text, or for nested JSON what it is in Python."""
    file: str = ""
    """The name of its file, where several were read."""
    by_row: bool = False
    """Whether `line` is the number of the row, because several share a line of the file."""

    @property
    def place(self) -> str:
        """Where it stands, e.g. `line 12`, `row 12`, or `b.csv, line 3`."""
        line = f"{'row' if self.by_row else 'line'} {self.line:,}"
        return f"{shown(self.file)}, {line}" if self.file else line


@dataclass(frozen=True)
class Rejected:
    """Something in a file that is no row: it was set aside when the file was read."""

    line: int
    why: str
    """A clause such as `3 cells, fewer than the 4 of the header`."""
    text: str
    """What stands there, cut where it is long."""
    file: str = ""


@dataclass(frozen=True)
class Batch:
    """A stretch of records by column, each cell as text without white space around it; empty where there is none."""

    numbers: Sequence[int]
    """Which record each is of all that were read, counted from 1; rising, not always without gaps."""
    lines: Sequence[int]
    columns: Mapping[str, list[str]]

    def __len__(self) -> int:
        return len(self.numbers)


BATCH = 8192
"""Records that are held as Python values at a time."""


@dataclass(frozen=True)
class Records:
    """What was read: its rows, and what was no row. read = rows + rejected."""

    source: str
    """`practice`, or the absolute path, the Hub's name or the database's address (without its password)."""
    path: Path
    format: Format
    fingerprint: str
    """`sha256:` and the digest of the bytes (of a database: of the rows)."""
    columns: tuple[str, ...]
    """In the order of the header, or of their first appearance."""
    rows: Sequence[Record]
    """May lie on disk (`read.store`): iterate, slice (a slice is no copy), or look at a few."""
    rejected: Sequence[Rejected] = ()
    """May be long and lie on disk: iterate, or look at a few."""
    files: tuple[Path, ...] = ()
    """What was read, in order."""
    key: str = ""
    """Of what was read and how (format, sheet, split): where it is the same, the rows are. Empty for rows that were
    never kept."""
    notes: tuple[str, ...] = ()
    """What had to be assumed or left out to read it, each as a sentence, e.g. the encoding where it is not UTF-8."""

    def batches(self, columns: Sequence[str] | None = None, size: int = BATCH) -> Iterator[Batch]:
        """All rows by column (all columns, or those named), `size` at a time."""
        names = self.columns if columns is None else columns
        for start in range(0, len(self.rows), size):
            rows = self.rows[start : start + size]
            cells = {name: [cell(row.values, name) for row in rows] for name in names}
            yield Batch([row.number for row in rows], [row.line for row in rows], cells)

    @property
    def total(self) -> int:
        """Everything that stood in the files: rows and what was no row."""
        return len(self.rows) + len(self.rejected)


def name_of(path: Path) -> str:
    """The path as it stands in a sentence."""
    return shown(str(path), most=400)


def fault(path: Path, line: int, what: str, next_step: str, *, asks: str = "", names: Iterable[str] = ()) -> DataError:
    """The error for what is wrong at a line; `what` is a sentence without its full stop, the rest as in DataError."""
    title = f"{name_of(path)}: line {line:,}: {what}."
    return DataError(title, next_step=next_step, file=path, line=line, asks=asks, names=names)


def no_rows(path: Path, what: str) -> DataError:
    """The error for a file that is readable and holds nothing."""
    return DataError(f"{name_of(path)} {what}.", next_step="Add rows to it, or name another file.", file=path, line=1)


def check_names(path: Path, names: list[str], line: int) -> None:
    """Refuse column names that are empty or stand twice; `names` in order.

    Raises:
        DataError: Names the column by its number.
    """
    first: dict[str, int] = {}
    for number, name in enumerate(names, start=1):
        if not name:
            step = f"Give column {number} a name, or delete it; pandas writes one unless told index=False."
            raise fault(path, line, f"column {number} of {counted(len(names), 'column')} has no name", step)
        if name in first:
            twice = f"the name {shown(name)} stands twice, over columns {first[name]} and {number}"
            raise fault(path, line, twice, "Give each column a name of its own.")
        first[name] = number
