"""Dates as people write them: which form a text has, and which day it means where that is beyond doubt."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

ISO = "2020-04-10"
"""The name of the ISO 8601 form; forms are named by an example."""

_MONTH_NAMES = (
    *("january", "february", "march", "april", "may", "june", "july"),
    *("august", "september", "october", "november", "december"),
)
_MONTHS = {short: number for number, name in enumerate(_MONTH_NAMES, start=1) for short in (name, name[:3])} | {
    "sept": 9
}
_ISO = re.compile(r"(\d{4})-(\d\d)-(\d\d)", re.ASCII)
_TIMED = re.compile(r"(\d{4})-(\d\d)-(\d\d)[T ](\d\d:\d\d(?::\d\d(?:\.\d+)?)?)(Z|[+-]\d\d:?\d\d)?", re.ASCII)
_YEAR_FIRST = re.compile(r"(\d{4})([-/.])(\d{1,2})\2(\d{1,2})", re.ASCII)
_YEAR_LAST = re.compile(r"(\d{1,2})([-/.])(\d{1,2})\2(\d{4}|\d\d)", re.ASCII)
_DAY_NAMED = re.compile(r"(\d{1,2})(?:st|nd|rd|th)?[ -]([A-Za-z]+)\.?,?[ -](\d{4})", re.ASCII)
_NAMED_DAY = re.compile(r"([A-Za-z]+)\.?[ -](\d{1,2})(?:st|nd|rd|th)?,?[ -](\d{4})", re.ASCII)


EITHER_WAY = "day and month could be either way round"
"""The doubt that a column's other dates may settle."""


@dataclass(frozen=True)
class Dated:
    """A text that is a date: its form, and its day or why the day is in doubt."""

    form: str
    day: date | None
    doubt: str = ""


def date_of(text: str) -> Dated | None:
    """The date that `text` writes, or None where it writes none or one that no calendar has."""
    text = text.strip()
    if len(text) > 40 or not any(c.isdigit() for c in text):
        return None
    if found := _ISO.fullmatch(text):
        return _certain(ISO, found[1], found[2], found[3])
    if found := _YEAR_FIRST.fullmatch(text):
        return _certain("2020/4/10", found[1], found[3], found[4])
    if found := _DAY_NAMED.fullmatch(text):
        return _named("10 April 2020", found[3], found[2], found[1])
    if found := _NAMED_DAY.fullmatch(text):
        return _named("April 10, 2020", found[3], found[1], found[2])
    if found := _YEAR_LAST.fullmatch(text):
        return _year_last(int(found[1]), int(found[3]), found[4], found[2])
    if found := _TIMED.fullmatch(text):
        dated = _certain("2020-04-10 09:30", found[1], found[2], found[3])
        timed = set(found[4]) - set("0:.")
        return Dated(dated.form, None, "it has a time of day, which a date would lose") if dated and timed else dated
    return None


class DayOrder:
    """Whether day or month stands first in a column's dates, proven by those that can be read in one way only.

    `25/03/2019` proves that `03/11/2019` beside it is in November, unless another date, `03/25/2019`, proves the other
    order. Dates with points, strokes and slashes are of different origin: each sign has an order of its own.
    """

    def __init__(self) -> None:
        self._first: dict[str, set[str]] = {}

    def see(self, text: str) -> None:
        """One of the column's cells."""
        found = _YEAR_LAST.fullmatch(text.strip())
        if found is None or len(found[4]) != 4 or not _in_calendar(int(found[1]), int(found[3])):
            return
        if int(found[1]) > 12:
            self._first.setdefault(found[2], set()).add("day")
        elif int(found[3]) > 12:
            self._first.setdefault(found[2], set()).add("month")

    def first(self, text: str) -> str:
        """What stands first in a date that is written as `text` is: day or month; nothing where it is not proven."""
        found = _YEAR_LAST.fullmatch(text.strip())
        proven = self._first.get(found[2], set()) if found else set()
        return next(iter(proven)) if len(proven) == 1 else ""

    def read(self, text: str) -> Dated | None:
        """The same as `date_of`, but in the order that is proven where day and month could be either way round."""
        dated = date_of(text)
        if dated is None or dated.doubt != EITHER_WAY or not (first := self.first(text)):
            return dated
        found = _YEAR_LAST.fullmatch(text.strip())
        assert found is not None
        one, other = int(found[1]), int(found[3])
        return _certain(dated.form, found[4], *((other, one) if first == "day" else (one, other)))


def _named(form: str, year: str, month: str, day: str) -> Dated | None:
    number = _MONTHS.get(month.lower())
    return _certain(form, year, number, day) if number else None


def _certain(form: str, year: str | int, month: str | int, day: str | int) -> Dated | None:
    try:
        return Dated(form, date(int(year), int(month), int(day)))
    except ValueError:
        return None


def _year_last(first: int, second: int, year: str, sign: str) -> Dated | None:
    """Day and month in either order: certain only where one of them can't be a month, or both are the same."""
    form = sign.join(("10", "04", "2020" if len(year) == 4 else "20"))
    if not _in_calendar(first, second):
        return None
    if len(year) == 2:
        return Dated(form, None, "its year has two digits")
    if first > 12 or first == second:
        return _certain(form, year, second, first)
    if second > 12:
        return _certain(form, year, first, second)
    return Dated(form, None, EITHER_WAY)


def _in_calendar(first: int, second: int) -> bool:
    """Whether one of two numbers can be a month and the other a day."""
    return 1 <= min(first, second) <= 12 and 1 <= max(first, second) <= 31
