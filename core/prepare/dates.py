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
        return _year_last(int(found[1]), int(found[3]), found[4])
    if found := _TIMED.fullmatch(text):
        dated = _certain("2020-04-10 09:30", found[1], found[2], found[3])
        timed = set(found[4]) - set("0:.")
        return Dated(dated.form, None, "it has a time of day, which a date would lose") if dated and timed else dated
    return None


def _named(form: str, year: str, month: str, day: str) -> Dated | None:
    number = _MONTHS.get(month.lower())
    return _certain(form, year, number, day) if number else None


def _certain(form: str, year: str | int, month: str | int, day: str | int) -> Dated | None:
    try:
        return Dated(form, date(int(year), int(month), int(day)))
    except ValueError:
        return None


def _year_last(first: int, second: int, year: str) -> Dated | None:
    """Day and month in either order: certain only where one of them can't be a month, or both are the same."""
    form = "10/04/2020" if len(year) == 4 else "10/04/20"
    if not (1 <= min(first, second) <= 12 and 1 <= max(first, second) <= 31):
        return None
    if len(year) == 2:
        return Dated(form, None, "its year has two digits")
    if first > 12 or first == second:
        return _certain(form, year, second, first)
    if second > 12:
        return _certain(form, year, first, second)
    return Dated(form, None, "day and month could be either way round")
