"""Which columns a split may go by: what must stay together, what should be balanced, what says when a row was.

Light: it looks at the profile of the columns only.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from tunesmith.core.facts import Column
from tunesmith.core.prepare.kinds import plain_name

FEWEST_GROUPS = 20
"""With fewer values a column is a label rather than who or what rows are about, and no parts can be cut of it."""

REPEATS = 1.5
"""Rows that a value has on average, from which on it matters that they stay together."""

MOST_LABELS = 50
ROWS_OF_LABEL = 5
"""A label has at least this many rows on average: of fewer, none can be in every part."""

MOSTLY = 0.8
"""The share of rows that must have a date for the split to go by it."""

_LONGEST_NAME = 60
"""Characters: what is longer in its examples is a text, not what something is called."""

_WHO = re.compile(
    r"(?:.*_)?(?:id|uuid|guid|key|name|person|people|customer|client|user|username|patient|employee|student|member|author"
    r"|e_?mail|account|speaker|household|company|organi[sz]ation|document|doc|article|thread|conversation|session|subject"
    r"|entity|product|device|site|url|repo|repository|case|ticket)(?:_(?:id|no|nr|number|name|key|code))?"
)
_LABEL = re.compile(
    r"(?:.*_)?(?:label|class|category|target|type|topic|intent|sentiment|rating|stars|grade|group|status|language|lang"
    r"|gender|sex|department|genre|tag|level|difficulty)"
)
_NOT_WHEN = re.compile(r"(?:.*_)?(?:birth|birthday|birthdate|born|dob|expir\w*|valid|due)(?:_.*)?")
"""Dates of people and of plans, which say nothing of when a row was."""

_WHEN = re.compile(
    r"(?:.*_)?(?:date|time|timestamp|datetime|day|created|updated|published|posted|at|on|when|year)(?:_.*)?"
)


def entity_candidates(columns: Sequence[Column]) -> list[str]:
    """Columns that say who or what a row is about, and repeat: the best first.

    Each value stands in one and a half rows or more on average, and there are too many values for a label. Columns
    whose name says what they are go before others; of texts only short ones count.
    """
    told = [
        column
        for column in columns
        if column.kind in ("text", "identifier", "number")
        and column.distinct >= FEWEST_GROUPS
        and column.filled >= REPEATS * column.distinct
        and not (column.kind == "number" and not _called(column, _WHO))
        and not _called(column, _LABEL)
        and all(len(example) <= _LONGEST_NAME for example in column.examples)
    ]
    # By the name first, then by how much of it is filled, then by how few rows each has: nearest to single people.
    return [c.name for c in sorted(told, key=lambda c: (not _called(c, _WHO), -c.filled, -c.distinct))]


def label_candidates(columns: Sequence[Column]) -> list[str]:
    """Columns whose values should have the same share in every part: few, each in several rows; the best first."""
    told = [
        column
        for column in columns
        if column.kind in ("text", "number")
        and 2 <= column.distinct <= MOST_LABELS
        and column.filled >= ROWS_OF_LABEL * column.distinct
        and (column.kind == "text" or _called(column, _LABEL))
        and all(len(example) <= _LONGEST_NAME for example in column.examples)
    ]
    return [c.name for c in sorted(told, key=lambda c: (not _called(c, _LABEL), -c.filled, c.distinct))]


def time_candidates(columns: Sequence[Column]) -> list[str]:
    """Columns that say when a row was, mostly filled and not all the same; the best first."""
    rows = max((column.filled for column in columns), default=0)
    told = [c for c in columns if c.kind == "date" and c.filled >= MOSTLY * rows and c.distinct > 2]
    told = [c for c in told if not _called(c, _NOT_WHEN)]
    return [c.name for c in sorted(told, key=lambda c: (not _called(c, _WHEN), -c.filled, -c.distinct))]


def _called(column: Column, names: re.Pattern[str]) -> bool:
    return names.fullmatch(plain_name(column.name)) is not None
