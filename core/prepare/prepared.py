"""The prepared set: a folder with the rows of each part, what was set aside, and the account of every row. Light."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any, Literal

import msgspec

from tunesmith.core.prepare.account import Account
from tunesmith.core.rows import SPLITS, Row, RowFiles, Split, read_rows

SET_ASIDE = "set-aside.jsonl"
REJECTED = "rejected.jsonl"


class Note(msgspec.Struct, frozen=True):
    """Something that was found or done on the way, as a sentence."""

    text: str
    level: Literal["ok", "note", "warning"] = "note"
    count: int = 0


class AsideLine(msgspec.Struct, frozen=True, omit_defaults=True):
    """A line of set-aside.jsonl: a record that is not used, which step took it out, why, and what it holds.

    Of those that were left out for the personal data in them there are no values.
    """

    line: int
    step: str
    why: str
    values: dict[str, Any] = {}
    file: str = ""


class RejectedLine(msgspec.Struct, frozen=True, omit_defaults=True):
    """A line of rejected.jsonl: what stood in a file and was no row."""

    line: int
    why: str
    text: str
    file: str = ""


class Preview(msgspec.Struct, frozen=True):
    """What became of every record, without the rows themselves: read = used + set aside."""

    read: int
    used: int
    aside: int
    parts: dict[str, int]
    """How many rows each part has."""
    notes: list[Note]
    examples: list[Row]
    """The first training rows."""
    account: Account | None = None


class Prepared(msgspec.Struct, frozen=True):
    """Where the rows lie and what became of every record: read = used + set aside."""

    at: str
    """The folder."""
    account: Account
    notes: list[Note]

    @property
    def folder(self) -> Path:
        """Where the files lie."""
        return Path(self.at)

    @property
    def total(self) -> int:
        """How many rows there are in all parts."""
        return sum(self.account.parts.values())

    def path(self, split: Split) -> Path:
        """The file of a part's rows."""
        return self.folder / f"{split}.jsonl"

    def rows(self, split: Split) -> Iterator[Row]:
        """The rows of a part, one after another."""
        return read_rows(self.path(split))

    @property
    def all(self) -> RowFiles:
        """The rows of all parts, train first."""
        return RowFiles(
            [(self.path(split), self.account.parts[split]) for split in SPLITS if split in self.account.parts]
        )

    def aside(self) -> Iterator[AsideLine]:
        """The records that are not used."""
        decoder = msgspec.json.Decoder(AsideLine)
        with (self.folder / SET_ASIDE).open("rb") as file:
            for line in file:
                yield decoder.decode(line)

    def preview(self, examples: int = 3) -> Preview:
        """The same in counts, with the first `examples` training rows."""
        told = self.account
        first = list(islice(self.rows("train"), examples))
        return Preview(told.read, told.used, told.aside, told.parts, self.notes, first, told)


class WrittenSet(msgspec.Struct, frozen=True):
    """A prepared set as it was written for somebody else."""

    files: list[str]
    """Names in the folder."""
    refused: list[str]
    """What the form's own limits refuse, a sentence a line; empty where it can be used as it is."""
