"""Values as people write them, and what the repairs make of the data."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunesmith.core.errors import PlanError
from tunesmith.core.plan import Repair
from tunesmith.core.prepare.cells import number_of, shown, text_of
from tunesmith.core.prepare.dates import date_of
from tunesmith.core.prepare.records import Record
from tunesmith.core.prepare.repair import apply_repairs


def records(column: str, *cells: Any) -> list[Record]:
    return [Record(n, n + 1, {column: value}) for n, value in enumerate(cells, start=1)]


def kept(rows: list[Record], column: str) -> list[Any]:
    return [row.values[column] for row in rows]


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


# Repairs


def test_duplicates_are_set_aside_and_the_first_is_kept() -> None:
    done = apply_repairs(records("a", "x", "y", "x"), [Repair(kind="drop-duplicates")])
    assert kept(done.kept, "a") == ["x", "y"]
    assert [(one.record.line, one.step, one.why) for one in done.aside] == [(4, "drop-duplicates", "repeats line 2")]
    assert done.steps[0].text == "1 row set aside: repeats of an earlier row."


def test_duplicates_of_one_column_leave_rows_without_a_value() -> None:
    done = apply_repairs(records("a", "x", "", "x ", ""), [Repair(kind="drop-duplicates", column="a")])
    assert kept(done.kept, "a") == ["x", "", ""]
    assert done.aside[0].why == "repeats line 2 in a"


def test_empty_rows_are_set_aside() -> None:
    done = apply_repairs(records("a", "x", " ", None, 0), [Repair(kind="drop-empty", column="a")])
    assert kept(done.kept, "a") == ["x", 0]
    assert done.steps[0].text == "2 rows set aside: a is empty."
    assert kept(apply_repairs(records("a", "x", ""), [Repair(kind="drop-empty")]).kept, "a") == ["x"]


def test_dates_become_iso_or_are_set_aside_with_the_reason() -> None:
    rows = records("d", "2020-04-10", "25/03/2019", "March 5, 2018", "03/11/2019", "soon", "")
    done = apply_repairs(rows, [Repair(kind="dates-to-iso", column="d")])
    assert kept(done.kept, "d") == ["2020-04-10", "2019-03-25", "2018-03-05", ""]
    assert [one.why for one in done.aside] == [
        "03/11/2019 in d: day and month could be either way round",
        "soon in d is no date",
    ]
    assert done.steps[0].changed == 2
    assert done.steps[0].text.startswith("2 dates in d rewritten as year-month-day; 2 rows set aside: 03/11/2019 in d")
    assert kept(rows, "d")[1] == "25/03/2019", "the records that were read stay as they were"


def test_numbers_out_of_range_are_set_aside() -> None:
    rows = records("s", "85,000", "-1", "9000000", "?", "")
    done = apply_repairs(rows, [Repair(kind="drop-out-of-range", column="s", low=20_000, high=500_000)])
    assert kept(done.kept, "s") == ["85,000", ""]
    assert [one.why for one in done.aside] == [
        "-1 in s lies outside 20,000 to 500,000",
        "9000000 in s lies outside 20,000 to 500,000",
        "? in s is no number",
    ]
    only_low = apply_repairs(rows, [Repair(kind="drop-out-of-range", column="s", low=0)])
    assert only_low.steps[0].text == "2 rows set aside: s outside 0 and more."


def test_a_repair_with_nothing_to_do_says_so() -> None:
    done = apply_repairs(records("a", "x"), [Repair(kind="drop-empty", column="a")])
    assert done.steps[0].text == "drop-empty a: nothing to do."


def test_a_repair_without_what_it_needs_is_refused_by_its_place_in_the_plan() -> None:
    with pytest.raises(PlanError) as caught:
        apply_repairs([], [Repair(kind="drop-empty"), Repair(kind="dates-to-iso")])
    assert str(caught.value) == "`prepare.repairs.1`: dates-to-iso needs a column. Add column: to that repair."
    with pytest.raises(PlanError, match=r"`prepare.repairs.0`: drop-out-of-range needs low or high\."):
        apply_repairs([], [Repair(kind="drop-out-of-range", column="s")])


repairs = st.lists(
    st.builds(
        Repair,
        kind=st.sampled_from(["drop-duplicates", "drop-empty", "dates-to-iso", "drop-out-of-range"]),
        column=st.sampled_from(["a", "b"]),
        low=st.just(0.0),
        high=st.sampled_from([None, 100.0]),
    ),
    max_size=5,
)
cells = st.sampled_from(["", "x", "5", "-5", "500", "2020-04-10", "25/03/2019", "03/11/2019", None]) | st.text(
    max_size=5
)


@given(st.lists(st.fixed_dictionaries({"a": cells, "b": cells}), max_size=30), repairs)
def test_what_is_kept_and_what_is_set_aside_make_up_what_was_read(
    rows: list[dict[str, Any]], steps: list[Repair]
) -> None:
    read = [Record(n, n, values) for n, values in enumerate(rows, start=1)]
    before = [dict(row.values) for row in read]
    done = apply_repairs(read, steps)
    numbers_kept = [row.number for row in done.kept]
    assert sorted(numbers_kept + [one.record.number for one in done.aside]) == [row.number for row in read]
    assert numbers_kept == sorted(numbers_kept)
    assert [row.values for row in read] == before
    again = apply_repairs(done.kept, steps)
    assert not again.aside, "mending what is mended changes nothing"
