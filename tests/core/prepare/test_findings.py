"""What is found wrong in the data, and what the repairs make of it."""

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
from tunesmith.core.prepare.findings import dates, duplicates, empty, numbers, repeated, usual_range
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
    assert len(apply_repairs(rows, [Repair(kind="drop-duplicates")]).kept) == 1


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
