"""When each row was, as numbers that can be ordered."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime

import numpy as np
import numpy.typing as npt

from tunesmith.core.prepare.dates import date_of

_YEAR = re.compile(r"(1[89]|20|21)\d\d", re.ASCII)
_MONTH = re.compile(r"(\d{4})[-/](\d\d)", re.ASCII)
_UNIX = re.compile(r"1\d{9}(\d{3})?(\.\d+)?", re.ASCII)
_EITHER_WAY = re.compile(r"(\d{1,2})[-/.](\d{1,2})[-/.](\d{4})\b(.*)", re.ASCII | re.DOTALL)
_DAY = 86_400.0


def moments(texts: Sequence[str]) -> npt.NDArray[np.float64]:
    """The moment that each text writes, in days since 1970-01-01; NaN where it writes none beyond doubt.

    Read are ISO 8601 with or without a time (without a zone as UTC), seconds or milliseconds since 1970, years, months,
    and whatever `dates.date_of` reads. Where day and month could be either way round, the column's other dates
    decide: if some can only be day first and none only month first, all are day first, and the other way round.
    """
    known: dict[str, float] = {}
    doubtful = set()
    days_first = months_first = False
    for text in set(texts):
        if text[4:5] != "-" and (found := _EITHER_WAY.fullmatch(text.strip())):
            doubtful.add(text)
            days_first = days_first or int(found[1]) > 12 >= int(found[2])
            months_first = months_first or int(found[2]) > 12 >= int(found[1])
        else:
            known[text] = _moment(text.strip())
    for text in doubtful:
        known[text] = _moment(_turned(text.strip(), days_first, months_first))
    return np.fromiter((known[text] for text in texts), np.float64, len(texts))


def _turned(text: str, days_first: bool, months_first: bool) -> str:
    """A date whose year stands last, as ISO 8601 where the order of day and month is known."""
    found = _EITHER_WAY.fullmatch(text)
    if found is None or days_first == months_first:
        return text
    day, month = (found[1], found[2]) if days_first else (found[2], found[1])
    return f"{found[3]}-{int(month):02}-{int(day):02}{found[4]}"


def _moment(text: str) -> float:
    if not text or len(text) > 40:
        return float("nan")
    if text[4:5] == "-" == text[7:8]:
        return _iso(text)
    if _UNIX.fullmatch(text):
        seconds = float(text)
        return (seconds / 1000 if seconds > 1e11 else seconds) / _DAY
    if _YEAR.fullmatch(text):
        text = f"{text}-01-01"
    elif found := _MONTH.fullmatch(text):
        text = f"{found[1]}-{found[2]}-01"
    return _iso(text)


def _iso(text: str) -> float:
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        dated = date_of(text)
        return _days(dated.day) if dated and dated.day else float("nan")
    return (read if read.tzinfo else read.replace(tzinfo=UTC)).timestamp() / _DAY


def _days(day: date) -> float:
    return float(day.toordinal() - date(1970, 1, 1).toordinal())
