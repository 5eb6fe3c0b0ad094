"""One value of a record: as text, as a number, and as it may stand in a sentence to a person."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from typing import Any

_NUMBER = re.compile(r"[+-]?(\d+|\d{1,3}(,\d{3})+)(\.\d+)?([eE][+-]?\d{1,3})?", re.ASCII)
_UNITS = "$€£¥% \u00a0"


def text_of(value: Any) -> str:
    """A value as text: nothing for None, JSON for what is not text already."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    return json.dumps(value, ensure_ascii=False)


def cell(values: Mapping[str, Any], column: str) -> str:
    """The text of a record's value without white space around it; empty where the record lacks the column."""
    return text_of(values.get(column)).strip()


def number_of(text: str) -> float | None:
    """The number that `text` writes, with or without thousands commas, a currency or a per cent sign; else None."""
    bare = text.strip(_UNITS)
    if bare[:1] in "+-" and bare[1:2] in _UNITS:  # -$500
        bare = bare[:1] + bare[1:].strip(_UNITS)
    return float(bare.replace(",", "")) if _NUMBER.fullmatch(bare) else None


def shown(text: str, most: int = 60) -> str:
    """`text` for a sentence to a person: cut at `most` characters, and whatever would steer a terminal spelled out."""
    cut = text if len(text) <= most else text[: most - 1] + "…"
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in cut)


def lines_shown(text: str) -> str:
    """The same for a text that is shown in full, its lines apart."""
    return "\n".join(shown(line, len(line)) for line in text.replace("\r\n", "\n").split("\n"))


def counted(count: int, one: str, many: str = "") -> str:
    """`1 row`, `1,200 rows`."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def plain(number: float) -> str:
    """A number as a person writes it: 16000.0 as 16,000."""
    return (
        f"{number:,.0f}" if math.isfinite(number) and number == int(number) and abs(number) < 1e15 else f"{number:,.6g}"
    )
