"""What each column holds: text, numbers, dates or identifiers, how much of it is filled and how much of it differs."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from itertools import pairwise

from tunesmith.core.facts import Column, ColumnKind
from tunesmith.core.prepare.cells import cell, number_of
from tunesmith.core.prepare.dates import date_of
from tunesmith.core.prepare.records import Records

MOSTLY = 0.9
"""The share of filled cells that must read as numbers or dates: the others are then faults, not another kind."""

EXAMPLES = 3
EXAMPLE_LENGTH = 80

_IDENTIFIER_NAME = re.compile(r"(.*_)?(id|uuid|guid|key|sku)|no|nr|num|number|index|idx|row|unnamed_\d+")
_IDENTIFIER_VALUE = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|[0-9a-f]{24,64}", re.I)


def profile_columns(records: Records) -> tuple[Column, ...]:
    """The columns in the file's order."""
    return tuple(profile_column(name, [cell(row.values, name) for row in records.rows]) for name in records.columns)


def profile_column(name: str, cells: list[str]) -> Column:
    """One column from the text of all its cells, the empty ones too."""
    counts = Counter(text for text in cells if text)
    filled = sum(counts.values())
    examples = tuple(text[:EXAMPLE_LENGTH] for text, _ in zip(counts, range(EXAMPLES), strict=False))
    return Column(name, _kind(name, counts, filled), filled, len(counts), examples)


def plain_name(name: str) -> str:
    """A column's name for comparison: lower case, words joined by underscores, e.g. `Hire Date` as `hire_date`."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name)
    return re.sub(r"[^a-z0-9]+", "_", spaced.lower()).strip("_")


def _kind(name: str, counts: Counter[str], filled: int) -> ColumnKind:
    if not filled:
        return "text"
    distinct = len(counts) / filled
    if distinct >= MOSTLY and (_IDENTIFIER_NAME.fullmatch(plain_name(name)) or _numbered(list(counts))):
        return "identifier"
    if _share(counts, filled, lambda text: date_of(text) is not None) >= MOSTLY:
        return "date"
    if _share(counts, filled, lambda text: number_of(text) is not None) >= MOSTLY:
        return "number"
    return "text"


def _share(counts: Counter[str], filled: int, holds: Callable[[str], bool]) -> float:
    """The share of the filled cells for which `holds` is true."""
    return sum(count for text, count in counts.items() if holds(text)) / filled


def _numbered(values: list[str]) -> bool:
    """Whether different values, in the file's order, are UUIDs, digests, or integers counted up one by one."""
    if len(values) < 10:
        return False
    if all(_IDENTIFIER_VALUE.fullmatch(text) for text in values):
        return True
    if not all(text.isascii() and text.isdigit() and len(text) < 19 for text in values):
        return False
    numbers = [int(text) for text in values]
    return sum(b - a == 1 for a, b in pairwise(numbers)) >= MOSTLY * (len(numbers) - 1)
