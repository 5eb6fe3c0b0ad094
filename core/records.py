"""Writes records of a table down: as context in one of the layouts, and questions and answers from their templates.

Prepare writes the rows with it and Evaluate writes them again in another order, so both must mean the same by a
layout. Light and pure: the same record gives the same text.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence

from tunesmith.core.plan import Layout

_PLACE = re.compile(r"\{\{|\}\}|\{([^{}]*)\}")


def write_record(record: Mapping[str, str], fields: Sequence[str], entity: str, layout: Layout) -> str:
    """A record as text.

    Args:
        record: Values by column.
        fields: The columns to show, in this order; those without a value are left out.
        entity: The column that names what the record is about. It is always shown: first, where `fields` lacks it;
            in prose as the subject of each sentence.
        layout: lines (`Name: Alice Smith` one under another), list (the same in one line), json (an object with the
            columns' own names), or prose (`The hire date of Alice Smith is 2020-04-10.`).
    """
    order = [entity, *fields] if entity not in fields else list(fields)
    shows = [column for column in order if record.get(column)]
    name = record.get(entity, "")
    if layout == "json":
        return json.dumps({column: record[column] for column in shows}, ensure_ascii=False)
    told = [column for column in shows if column != entity]
    if layout == "prose" and told:
        return " ".join(f"The {words(column)} of {name} is {record[column]}." for column in told)
    pairs = (f"{label(column)}: {record[column]}" for column in shows)
    return ", ".join(pairs) if layout == "list" else "\n".join(pairs)


def label(column: str) -> str:
    """A column's name as a heading: `hire_date` and `hireDate` as `Hire Date`, `employee_id` as `Employee ID`."""
    return " ".join(_capital(word) for word in _parts(column)) or column


def words(column: str) -> str:
    """A column's name inside a sentence: `Hire Date` as `hire date`; abbreviations such as `GDP` stay."""
    parts = _parts(column)
    shouted = all(part.isupper() for part in parts) and any(len(part) > 4 for part in parts)
    return " ".join(part.lower() if shouted or not part.isupper() else part for part in parts) or column


def fill(template: str, record: Mapping[str, str]) -> str:
    """The template with each {column} replaced by the record's value; {{ and }} stand for braces themselves."""
    return _PLACE.sub(lambda found: record.get(found[1], "") if found[1] is not None else found[0][0], template)


def _parts(column: str) -> list[str]:
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", column)
    return [part for part in re.split(r"[\s_]+|(?<=\w)-(?=\w)", spaced) if part]


def _capital(word: str) -> str:
    if word.lower() in ("id", "url", "uuid", "sku"):
        return word.upper()
    return word.capitalize() if word.islower() else word
