"""What is found wrong in the data, and what the repairs make of it."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunesmith.core.prepare.cells import number_of, shown, text_of
from tunesmith.core.prepare.dates import date_of
from tunesmith.core.prepare.findings import dates, duplicates, empty, numbers, repeated, usual_range
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


# Findings


def test_exact_duplicates_are_counted_beside_the_first() -> None:
    rows = records("a", "x", "y", "x", "x")
    found = duplicates(rows)
    assert found is not None
    assert (found.count, found.examples, found.repair) == (2, ("line 4", "line 5"), "drop-duplicates")
    assert found.text == "2 rows repeat an earlier row in every column."
    assert duplicates(records("a", "x", "X", "x ")) is None


def test_rows_of_json_are_duplicates_whatever_the_order_of_their_keys() -> None:
    rows = [Record(1, 1, {"a": 1, "b": None}), Record(2, 1, {"b": "", "a": 1}), Record(3, 1, {"a": 1})]
    found = duplicates(rows)
    assert found is not None and found.count == 2


def test_few_empty_cells_are_faults_and_many_are_an_optional_column() -> None:
    few = empty(records("a", *["x"] * 99, " "), "a")
    assert few is not None and (few.text, few.repair, few.examples) == (
        "a is empty in 1 row.",
        "drop-empty",
        ("line 101",),
    )
    many = empty(records("a", *["x"] * 60, *[None] * 40), "a")
    assert many is not None and many.repair == ""
    assert many.text == "a is empty in 40 rows of 100: an optional column; it is left out where it is empty."
    answer = empty(records("a", "x", ""), "a", needed=True)
    assert answer is not None and answer.repair == "drop-empty"
    assert empty(records("a", "x", 0, False), "a") is None


def test_dates_unlike_the_usual_form_are_found() -> None:
    found = dates(records("d", *["2020-04-10"] * 8, "", "03/11/2019", "soon"), "d")
    assert found is not None
    assert found.text == "d: 2 dates of 10 are not written like the others (2020-04-10), e.g. 03/11/2019."
    assert (found.count, found.examples, found.repair) == (2, ("03/11/2019", "soon"), "dates-to-iso")
    assert dates(records("d", "2020-04-10", ""), "d") is None


def test_dates_among_others_than_iso_are_named_but_no_repair_guesses_what_the_others_mean() -> None:
    found = dates(records("d", *["03/11/2019"] * 8, "2020-04-10"), "d")
    assert found is not None and found.repair == "" and "(10/04/2020)" in found.text


SALARIES = [str(40_000 + 700 * n) for n in range(150)]


def test_numbers_out_of_range_are_found_with_the_range() -> None:
    found = numbers(records("s", *SALARIES, "-50000", "0", "8900000"), "s")
    assert found is not None
    assert (found.count, found.repair) == (3, "drop-out-of-range")
    assert found.low is not None and found.high is not None
    assert 0 < found.low < 40_000 and 144_300 < found.high < 8_900_000
    assert found.text == f"s: 3 values of 153 lie outside {found.low:,.0f} to {found.high:,.0f}, unlike the others: " \
        "-50000, 0, 8900000."  # fmt: skip


def test_the_range_follows_iglewicz_and_hoaglin() -> None:
    # Median 20 and MAD 5 on a scale with negative numbers: 20 ± 3.5 · 5 / 0.6745 = -5.9 to 45.9, rounded outwards.
    values = [-1.0, -1.0] + [15.0] * 10 + [20.0] * 9 + [25.0] * 10
    span = usual_range(values)
    assert span is not None and (span.low, span.high) == (-6.0, 46.0)


def test_a_cell_that_is_no_number_is_unlike_the_others() -> None:
    found = numbers(records("s", *SALARIES, "unknown"), "s")
    assert found is not None and found.examples == ("unknown",)
    assert "or is no number" in found.text


def test_sound_numbers_raise_no_finding() -> None:
    assert numbers(records("s", *SALARIES), "s") is None
    assert numbers(records("s", *map(str, range(1990, 2025))), "s") is None
    skewed = [str(round(1.1**n)) for n in range(1, 150)]  # populations: from 1 to a million and a half
    assert numbers(records("s", *skewed), "s") is None


def test_too_few_numbers_or_a_column_of_one_value_say_nothing() -> None:
    assert usual_range([1.0, 2.0, 3.0, 1000.0]) is None
    assert usual_range([5.0] * 80 + [1.0] * 20) is None


def test_many_unusual_numbers_are_a_heavy_tail_and_no_repair_is_proposed() -> None:
    found = numbers(records("s", *SALARIES, *["8900000"] * 9), "s")
    assert found is not None and found.repair == "" and found.text.endswith("; they may well be right.")


def test_a_name_in_several_rows_that_differ_is_told() -> None:
    rows = [Record(1, 2, {"n": "Al", "x": 1}), Record(2, 3, {"n": "Al", "x": 2}), Record(3, 4, {"n": "Bo", "x": 1})]
    found = repeated(rows, "n")
    assert found is not None and found.count == 1 and found.repair == ""
    assert found.text.startswith("n: 1 value stands in several rows that differ, e.g. Al;")
    assert repeated([rows[0], rows[0], rows[2]], "n") is None
