"""Small tables made to show a fault, and what is found in them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tunesmith.core.facts import DataFinding, Shape
from tunesmith.core.prepare.columns import profile_columns
from tunesmith.core.prepare.look import Seen, find, seen_of
from tunesmith.core.prepare.records import Record, Records

NEEDED: dict[Shape, tuple[str, ...]] = {
    "table": ("entity",),
    "question-answer": ("question", "answer"),
    "prompt-completion": ("prompt", "completion"),
    "chat": ("messages",),
    "text": ("text",),
    "classification": ("text", "label"),
    "preference": ("chosen", "rejected"),
    "rated": ("prompt", "completion", "rating"),
}


def records_of(rows: Sequence[dict[str, Any]]) -> Records:
    """Rows as they come from a file whose first line is the header."""
    columns = tuple(dict.fromkeys(name for row in rows for name in row))
    made = [Record(number, number + 1, dict(row)) for number, row in enumerate(rows, start=1)]
    return Records("a.csv", Path("a.csv"), "csv", "sha256:0", columns, made)


def seen_in(records: Records, shape: Shape, roles: dict[str, str]) -> Seen:
    """The columns as they are understood for a shape."""
    return seen_of(profile_columns(records), shape, roles, tuple(roles[part] for part in NEEDED[shape]))


_PARTS: dict[Shape, tuple[str, ...]] = {
    **NEEDED,
    "question-answer": ("question", "answer", "context"),
    "prompt-completion": ("prompt", "completion", "input"),
    "preference": ("prompt", "chosen", "rejected"),
}


def look(rows: Sequence[dict[str, Any]], shape: Shape = "table", kind: str = "", **roles: str) -> list[DataFinding]:
    """Findings in rows of a shape; of one kind where `kind` is given. Roles are the names of the columns themselves."""
    records = records_of(rows)
    parts = roles or {part: part for part in _PARTS[shape] if part in records.columns}
    if shape == "table":
        parts = roles or {"entity": "name"}
    if not rows:
        return []
    findings = find(records, seen_in(records, shape, parts))
    return [finding for finding in findings if not kind or finding.kind == kind]


def only(findings: list[DataFinding]) -> DataFinding:
    """The one finding that there is."""
    assert len(findings) == 1, findings
    return findings[0]


def people(count: int = 200, **changed: Any) -> list[dict[str, Any]]:
    """A clean table of records about people; `changed` are columns made of the row's number."""
    cities = ("Rome", "Oslo", "Lima", "Cairo")
    rows = []
    for n in range(count):
        row: dict[str, Any] = {
            "name": f"Person {chr(65 + n % 26)}{n}",
            "city": cities[n % 4],
            "hired": f"20{n % 20:02d}-0{n % 9 + 1}-1{n % 9}",
            "salary": str(40_000 + 350 * (n * 37 % count)),
        }
        rows.append(row | {name: make(n) for name, make in changed.items()})
    return rows


_WORDS = ("river", "stone", "garden", "window", "market", "winter", "letter", "bridge", "morning", "teacher", "island")


def sentence(n: int) -> str:
    """A different English sentence for each number."""
    first, second, third = (_WORDS[n // 11**place % 11] for place in range(3))
    return f"The {first} near the old {second} was quiet when the {third} of number {n} was seen again."


def pairs(count: int = 200, **changed: Any) -> list[dict[str, Any]]:
    """Clean questions and answers."""
    return [
        {"question": f"What is known about the {_WORDS[n % 11]} of number {n}?", "answer": sentence(n)}
        | {name: make(n) for name, make in changed.items()}
        for n in range(count)
    ]
