"""Mends the records as the plan's repairs say. The file is never changed: a row is kept, or set aside with a reason."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace

from tunesmith.core.errors import PlanError
from tunesmith.core.plan import Repair
from tunesmith.core.prepare.cells import cell, counted, number_of, shown
from tunesmith.core.prepare.dates import date_of
from tunesmith.core.prepare.findings import plain, row_key
from tunesmith.core.prepare.records import Record


@dataclass(frozen=True)
class SetAside:
    """A record that is not used, which step took it out, and why."""

    record: Record
    step: str
    why: str


@dataclass(frozen=True)
class Step:
    """What one repair did."""

    repair: Repair
    changed: int
    """Records that were mended and kept."""
    aside: list[SetAside]

    @property
    def text(self) -> str:
        """The same as a sentence."""
        column = shown(self.repair.column or "")
        parts = []
        if self.changed:
            parts.append(f"{counted(self.changed, 'date')} in {column} rewritten as year-month-day")
        if self.aside:
            parts.append(f"{counted(len(self.aside), 'row')} set aside: {self._because(column)}")
        return "; ".join(parts) + "." if parts else f"{self.repair.kind} {column}".strip() + ": nothing to do."

    def _because(self, column: str) -> str:
        reasons = list(dict.fromkeys(one.why for one in self.aside))
        told = {
            "drop-duplicates": "repeats of an earlier row" if not column else f"{column} repeats an earlier row's",
            "drop-empty": f"{column} is empty" if column else "nothing in them",
            "drop-out-of-range": f"{column} outside {_span(self.repair)}",
        }.get(self.repair.kind)
        return told or "; ".join(reasons[:2]) + (" and the like" if len(reasons) > 2 else "")


@dataclass(frozen=True)
class Repaired:
    """The records that are used, and what each step did; kept + set aside = read."""

    kept: list[Record]
    steps: list[Step] = field(default_factory=list)

    @property
    def aside(self) -> list[SetAside]:
        """All records that were set aside, step by step."""
        return [one for step in self.steps for one in step.aside]


Verdict = Record | str
"""What a repair makes of a record: the record to keep, or why it is set aside."""


def apply_repairs(rows: Sequence[Record], repairs: Iterable[Repair]) -> Repaired:
    """Run the repairs in order.

    Raises:
        PlanError: A repair lacks the column or the bounds that its kind needs.
    """
    kept = list(rows)
    steps = []
    for number, repair in enumerate(repairs):
        judge = _judge(repair, f"prepare.repairs.{number}")
        left: list[Record] = []
        aside: list[SetAside] = []
        changed = 0
        for row in kept:
            verdict = judge(row)
            if isinstance(verdict, str):
                aside.append(SetAside(row, repair.kind, verdict))
            else:
                left.append(verdict)
                changed += verdict is not row
        steps.append(Step(repair, changed, aside))
        kept = left
    return Repaired(kept, steps)


def _judge(repair: Repair, place: str) -> Callable[[Record], Verdict]:
    """What judges each record under `repair`."""
    if repair.kind == "drop-duplicates":
        return _duplicates(repair.column)
    if repair.kind == "drop-empty":
        return _empty(repair.column)
    if repair.column is None:
        raise PlanError(f"`{place}`: {repair.kind} needs a column.", next_step="Add column: to that repair.")
    if repair.kind == "dates-to-iso":
        return _dates(repair.column)
    if repair.low is None and repair.high is None:
        raise PlanError(f"`{place}`: {repair.kind} needs low or high.", next_step="Add low: or high: to that repair.")
    return _range(repair.column, repair)


def _duplicates(column: str | None) -> Callable[[Record], Verdict]:
    first: dict[object, Record] = {}

    def judge(row: Record) -> Verdict:
        key: object = row_key(row) if column is None else cell(row.values, column)
        if key == "":
            return row  # no value is no repeat of another missing one
        earlier = first.setdefault(key, row)
        if earlier is row:
            return row
        return f"repeats line {earlier.line:,}" + ("" if column is None else f" in {shown(column)}")

    return judge


def _empty(column: str | None) -> Callable[[Record], Verdict]:
    def judge(row: Record) -> Verdict:
        if column is None:
            return row if any(cell(row.values, name) for name in row.values) else "nothing in it"
        return row if cell(row.values, column) else f"{shown(column)} is empty"

    return judge


def _dates(column: str) -> Callable[[Record], Verdict]:
    def judge(row: Record) -> Verdict:
        text = cell(row.values, column)
        if not text:
            return row
        dated = date_of(text)
        if dated is None:
            return f"{shown(text)} in {shown(column)} is no date"
        if dated.day is None:
            return f"{shown(text)} in {shown(column)}: {dated.doubt}"
        iso = dated.day.isoformat()
        return row if iso == text else replace(row, values={**row.values, column: iso})

    return judge


def _range(column: str, repair: Repair) -> Callable[[Record], Verdict]:
    low = float("-inf") if repair.low is None else repair.low
    high = float("inf") if repair.high is None else repair.high

    def judge(row: Record) -> Verdict:
        text = cell(row.values, column)
        if not text:
            return row
        number = number_of(text)
        if number is None:
            return f"{shown(text)} in {shown(column)} is no number"
        return row if low <= number <= high else f"{shown(text)} in {shown(column)} lies outside {_span(repair)}"

    return judge


def _span(repair: Repair) -> str:
    low, high = (None if bound is None else plain(bound) for bound in (repair.low, repair.high))
    if low and high:
        return f"{low} to {high}"
    return f"{low} and more" if low else f"up to {high}"
