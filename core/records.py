"""How a record of a table is written as text: the context that a model reads.

Prepare writes the rows with it and Evaluate writes them again in another order, so both must mean the same by a
layout. Light and pure: the same record gives the same text.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence

from tunesmith.core.plan import Layout


def label(column: str) -> str:
    """A column's name as people write it: ``hire_date`` and ``hireDate`` become ``Hire Date``."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", column)
    words = re.sub(r"[\s_\-.]+", " ", words).strip()
    return " ".join(word if word.isupper() else word[:1].upper() + word[1:] for word in words.split())


def write_record(record: Mapping[str, str], fields: Sequence[str], entity: str, layout: Layout) -> str:
    """The record as text.

    Args:
        record: Column names and values.
        fields: The columns to show, in the order in which they are to stand.
        entity: The column that names whom or what the record is about; written first where `fields` leaves it out,
            because a context that names nobody answers no question.
        layout: ``lines`` (one field a line), ``list`` (fields in one line), ``json``, or ``prose`` (sentences).
    """
    shown = list(fields) if entity in fields else [entity, *fields]
    if layout == "json":
        return json.dumps({column: record[column] for column in shown}, ensure_ascii=False)
    if layout == "prose":
        return _sentences(record[entity], [(label(c).lower(), record[c]) for c in shown if c != entity])
    pairs = [f"{label(column)}: {record[column]}" for column in shown]
    return ("\n" if layout == "lines" else ", ").join(pairs)


def _sentences(name: str, pairs: Sequence[tuple[str, str]]) -> str:
    """One sentence a field, the first about the entity by name."""
    if not pairs:
        return f"{name}."
    first, *others = pairs
    return " ".join([f"The {first[0]} of {name} is {first[1]}.", *(f"The {key} is {value}." for key, value in others)])
