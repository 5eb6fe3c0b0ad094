"""Records: the rows of the person's file as they were read, and the errors that name a place in it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from tunesmith.core.errors import DataError
from tunesmith.core.prepare.cells import counted, shown

Format = Literal["csv", "json", "jsonl"]


@dataclass(frozen=True)
class Record:
    """One row of the file."""

    number: int
    """Which record of the file it is, counted from 1."""
    line: int
    """Where it begins, counted from 1; in JSON several may share a line."""
    values: dict[str, Any]
    """What it holds by column."""


@dataclass(frozen=True)
class Records:
    """A file that was read whole."""

    source: str
    """`practice`, or the absolute path."""
    path: Path
    format: Format
    fingerprint: str
    """`sha256:` and the digest of the file's bytes."""
    columns: tuple[str, ...]
    """In the order of the header, or of their first appearance."""
    rows: list[Record]


def name_of(path: Path) -> str:
    """The path as it stands in a sentence."""
    return shown(str(path), most=400)


def fault(path: Path, line: int, what: str, next_step: str) -> DataError:
    """The error for what is wrong at a line; `what` is a sentence without its full stop."""
    return DataError(f"{name_of(path)}: line {line:,}: {what}.", next_step=next_step, file=path, line=line)


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
