"""What kind of thing a column holds, told by its name and a sample of its values; and which columns are used."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise

from tunesmith.core.facts import Column, ColumnKind, Shape
from tunesmith.core.prepare.cells import number_of
from tunesmith.core.prepare.dates import date_of

MOSTLY = 0.9
"""The share of filled cells that must read as numbers or dates: the others are then faults, not another kind."""

_IDENTIFIER_NAME = re.compile(r"(.*_)?(id|uuid|guid|key|sku)|no|nr|num|number|index|idx|row|unnamed_\d+")
_IDENTIFIER_VALUE = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|[0-9a-f]{24,64}", re.I)
_FEWEST_COUNTED = 10
"""Fewer integers in a row may follow one another by chance."""


def plain_name(name: str) -> str:
    """A column's name for comparison: lower case, words joined by underscores, e.g. `Hire Date` as `hire_date`."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name)
    return re.sub(r"[^a-z0-9]+", "_", spaced.lower()).strip("_")


def kind_of(name: str, sample: Sequence[str], filled: int, distinct: int, stride: int = 1) -> ColumnKind:
    """The kind of a column from filled cells in the file's order and from the counts of all of them.

    Args:
        name: Its name.
        sample: Filled cells, every `stride`-th row's.
        filled: How many cells are filled.
        distinct: How many of them differ.
        stride: See `sample`.
    """
    if not sample or not filled:
        return "text"
    if distinct >= MOSTLY * filled and (
        _IDENTIFIER_NAME.fullmatch(plain_name(name)) or _numbered(list(dict.fromkeys(sample)), stride)
    ):
        return "identifier"
    if _share(sample, lambda text: date_of(text) is not None) >= MOSTLY:
        return "date"
    if _share(sample, lambda text: number_of(text) is not None) >= MOSTLY:
        return "number"
    return "text"


def told_columns(shape: Shape, roles: Mapping[str, str], columns: tuple[Column, ...]) -> list[str]:
    """The columns that go into prompts and answers: of a table the entity first, then all but identifiers."""
    if shape != "table":
        return list(dict.fromkeys(roles.values()))
    entity = roles["entity"]
    others = [column for column in columns if column.filled and column.name != entity]
    told = [column.name for column in others if column.kind != "identifier"]
    return [entity, *(told or [column.name for column in others])]


def _share(sample: Sequence[str], holds: Callable[[str], bool]) -> float:
    """The share of the cells for which `holds` is true; each different text is asked about once."""
    known: dict[str, bool] = {}
    count = 0
    for text in sample:
        answer = known.get(text)
        if answer is None:
            answer = known[text] = holds(text)
        count += answer
    return count / len(sample)


def _numbered(values: list[str], stride: int) -> bool:
    """Whether different values, every `stride`-th in the file's order, are UUIDs, digests, or integers counted up."""
    if len(values) < _FEWEST_COUNTED:
        return False
    if all(_IDENTIFIER_VALUE.fullmatch(text) for text in values):
        return True
    if not all(text.isascii() and text.isdigit() and len(text) < 19 for text in values):
        return False
    numbers = [int(text) for text in values]
    return sum(b - a == stride for a, b in pairwise(numbers)) >= MOSTLY * (len(numbers) - 1)
