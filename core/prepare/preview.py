"""The one way from a file to rows: for the screen that shows them beforehand and for the job that writes them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import msgspec

from tunesmith.core.errors import DataError
from tunesmith.core.plan import Prepare
from tunesmith.core.prepare.cells import counted, shown
from tunesmith.core.prepare.make import make_rows, summary_of, unseen_answers
from tunesmith.core.prepare.read import read_records
from tunesmith.core.prepare.records import Records, name_of
from tunesmith.core.prepare.repair import SetAside, apply_repairs
from tunesmith.core.prepare.shape import check_columns
from tunesmith.core.prepare.split import split_rows
from tunesmith.core.rows import SPLITS, Row, Split


class Note(msgspec.Struct, frozen=True):
    """Something that was found or done on the way, as a sentence."""

    text: str
    level: Literal["ok", "note", "warning"] = "note"
    count: int = 0


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


@dataclass(frozen=True)
class Prepared:
    """The rows of each part and what became of every record: read = used + set aside."""

    source: str
    """`practice`, or the absolute path of the file that was read."""
    fingerprint: str
    read: int
    used: int
    rows: dict[Split, list[Row]]
    aside: list[SetAside] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)

    @property
    def total(self) -> int:
        """How many rows there are in all parts."""
        return sum(len(rows) for rows in self.rows.values())

    def preview(self, examples: int = 3) -> Preview:
        """The same in counts, with the first `examples` training rows."""
        parts: dict[str, int] = {split: len(self.rows[split]) for split in SPLITS}
        return Preview(self.read, self.used, len(self.aside), parts, self.notes, self.rows["train"][:examples])

    def each(self) -> Iterable[tuple[Split, Row]]:
        """All rows with their part, train first."""
        return ((split, row) for split in SPLITS for row in self.rows[split])


def rows_from_plan(prepare: Prepare, base: Path | None = None) -> Prepared:
    """Read the file, mend it, make the rows and split them, all as the plan says.

    Args:
        prepare: The plan's section.
        base: The folder that a relative `prepare.data` starts from: the plan's.

    Raises:
        DataError: The file can't be read or lacks a column that the plan names, no row can be made, or a part of
            the split would be empty.
        AccessError: The file system refuses to let it be read.
        PlanError: A question names a column that does not exist, or a repair lacks what it needs.
    """
    records = read_records(prepare.data, base)
    check_columns(_named(prepare), records.columns)
    notes = _changed(records, prepare)
    repaired = apply_repairs(records.rows, prepare.repairs)
    for step in repaired.steps:
        notes.append(Note(step.text, "note" if step.aside or step.changed else "ok", len(step.aside) + step.changed))
    made = make_rows(repaired.kept, records.columns, prepare)
    if made.aside:
        notes.append(Note(summary_of(made), "warning", len(made.aside)))
    if made.unanswered:
        left = f"{counted(made.unanswered, 'question')} left out, because the record lacks a value."
        notes.append(Note(left, "note", made.unanswered))
    if prepare.shape == "table":
        notes += [Note(_by_heart(template.ask), "warning") for template in unseen_answers(prepare)]
    if not made.rows:
        why = summary_of(made) or "The repairs set all rows aside."
        look = "Look at prepare.columns and prepare.repairs in the plan, and at the file."
        raise DataError(f"No row can be made of {name_of(records.path)}.", cause=why, next_step=look, file=records.path)
    parts = split_rows(made.rows, prepare.split)
    aside = repaired.aside + made.aside
    return Prepared(records.source, records.fingerprint, len(records.rows), made.used, parts, aside, notes)


def _named(prepare: Prepare) -> dict[str, str]:
    """Every column that the plan names outside question templates, by the place that names it."""
    named = {f"prepare.columns.{part}": column for part, column in prepare.columns.items()}
    if prepare.shape == "table":
        named |= {f"prepare.fields.{number}": column for number, column in enumerate(prepare.fields)}
    for number, repair in enumerate(prepare.repairs):
        if repair.column is not None:
            named[f"prepare.repairs.{number}.column"] = repair.column
    if prepare.split.by is not None:
        named["prepare.split.by"] = prepare.split.by
    return named


def _changed(records: Records, prepare: Prepare) -> list[Note]:
    """A warning where the file is not the one that the plan was made from."""
    if not prepare.fingerprint or prepare.fingerprint == records.fingerprint:
        return []
    text = f"{shown(records.path.name)} has changed since the plan was made; the rows are made from what it holds now."
    return [Note(text, "warning")]


def _by_heart(question: str) -> str:
    return f"The answer to {shown(question)!r} is in no column of prepare.fields: the context can't tell it."
