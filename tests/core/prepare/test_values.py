"""What a cell means: as text, as a number, as a date."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunesmith.core.prepare.cells import number_of, shown, text_of
from tunesmith.core.prepare.dates import date_of
from tunesmith.core.prepare.records import Record


def records(column: str, *cells: Any) -> list[Record]:
    return [Record(n, n + 1, {column: value}) for n, value in enumerate(cells, start=1)]


# Values


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("85000", 85000),
        ("-3.5", -3.5),
        ("85,000", 85000),
        ("$1,234.50", 1234.5),
        ("-$5", -5),
        ("12 %", 12),
        ("1e3", 1000),
    ],
)
def test_numbers_as_people_write_them(text: str, number: float) -> None:
    assert number_of(text) == number


@pytest.mark.parametrize("text", ["", "n/a", "1,2", "8,50", "1.2.3", "nan", "inf", "0x10", "12a", "٣", "-", "1_000"])
def test_what_is_no_number(text: str) -> None:
    assert number_of(text) is None


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_every_number_python_writes_is_read(number: float) -> None:
    assert number_of(repr(number)) == number


@pytest.mark.parametrize(
    "text",
    ["2019-03-25", "2019/3/25", "2019.03.25", "25/03/2019", "03/25/2019", "25.3.2019", "25-03-2019", "25 March 2019",
     "25th Mar 2019", "March 25, 2019", "Mar 25 2019", "25-Mar-2019", "2019-03-25T00:00:00", "2019-03-25 00:00:00.0Z"],
)  # fmt: skip
def test_dates_beyond_doubt(text: str) -> None:
    dated = date_of(text)
    assert dated is not None and dated.day == date(2019, 3, 25)


@pytest.mark.parametrize(
    ("text", "doubt"),
    [
        ("03/11/2019", "day and month could be either way round"),
        ("3.11.2019", "day and month could be either way round"),
        ("25/03/19", "its year has two digits"),
        ("2019-03-25 09:30", "it has a time of day, which a date would lose"),
    ],
)
def test_dates_in_doubt(text: str, doubt: str) -> None:
    dated = date_of(text)
    assert dated is not None and dated.day is None and dated.doubt == doubt


def test_a_day_equal_to_its_month_is_beyond_doubt() -> None:
    dated = date_of("05/05/2019")
    assert dated is not None and dated.day == date(2019, 5, 5)


@pytest.mark.parametrize(
    "text", ["", "soon", "2019", "2019-02-30", "31/31/2019", "Foo 3, 2019", "1.2.3", "2019-13-01", "0/5/2019"]
)
def test_what_is_no_date(text: str) -> None:
    assert date_of(text) is None


@given(st.text())
def test_any_text_can_be_asked_whether_it_is_a_date_or_a_number(text: str) -> None:
    date_of(text)
    number_of(text)
    assert shown(text).isprintable()


def test_values_of_json_as_text() -> None:
    assert [text_of(value) for value in ("x", None, 1, 1.5, True, ["ä", 1])] == [
        "x",
        "",
        "1",
        "1.5",
        "true",
        '["ä", 1]',
    ]
