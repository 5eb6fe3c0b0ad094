"""Numbers unlike the others of their column."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tests.core.prepare.look.tables import look, only
from tunesmith.core.prepare.look.outliers import usual_range

SALARIES = [str(40_000 + 700 * n) for n in range(150)]


def numbers(cells: Iterable[Any]) -> list[dict[str, Any]]:
    return [{"name": f"p{n}", "s": text} for n, text in enumerate(cells)]


def test_numbers_out_of_range_are_found_with_the_range() -> None:
    found = only(look(numbers([*SALARIES, "-50000", "0", "8900000"]), kind="out-of-range"))
    assert (found.count, found.recommended) == (3, True)
    repair = found.repair or {}
    assert 0 < repair["low"] < 40_000 and 144_300 < repair["high"] < 8_900_000
    assert found.text == (
        f"s: 3 values of 153 lie outside {repair['low']:,.0f} to {repair['high']:,.0f}, unlike the others: "
        "-50000, 0, 8900000."
    )
    assert found.examples == ("line 152: -50000", "line 153: 0", "line 154: 8900000")
    assert sum(count for _, count in found.picture) == 153 and len(found.picture) == 12


def test_the_range_follows_iglewicz_and_hoaglin() -> None:
    # Median 20 and MAD 5 on a scale with negative numbers: 20 ± 3.5 · 5 / 0.6745 = -5.9 to 45.9, rounded outwards.
    span = usual_range([-1.0, -1.0] + [15.0] * 10 + [20.0] * 9 + [25.0] * 10)
    assert span is not None and (span.low, span.high) == (-6.0, 46.0)


def test_a_cell_that_is_no_number_is_unlike_the_others() -> None:
    found = only(look(numbers([*SALARIES, "unknown"]), kind="out-of-range"))
    assert found.examples == ("line 152: unknown",)
    assert "or is no number" in found.text


def test_sound_numbers_raise_no_finding() -> None:
    assert look(numbers(SALARIES)) == []
    assert look(numbers(map(str, [*range(1990, 2025), *range(1990, 2025)]))) == []
    assert look(numbers(str(round(1.1**n)) for n in range(1, 150)), kind="out-of-range") == []
    assert look(numbers(f"{(n * 37 % 1000) / 10:.1f}" for n in range(1000)), kind="out-of-range") == [], "shares"


def test_a_negative_number_among_positive_ones_that_hardly_differ() -> None:
    found = only(look(numbers(["5"] * 60 + ["7"] * 40 + ["-5"]), kind="out-of-range"))
    assert found.repair == {"kind": "drop-out-of-range", "column": "s", "low": 0.0}
    assert "lies outside 0 and more" in found.text


def test_too_few_numbers_or_a_column_of_one_value_say_nothing() -> None:
    assert usual_range([1.0, 2.0, 3.0, 1000.0]) is None
    assert usual_range([5.0] * 80 + [1.0] * 20) is None


def test_many_unusual_numbers_are_a_heavy_tail_and_no_repair_is_recommended() -> None:
    found = only(look(numbers([*SALARIES, *["8900000"] * 9]), kind="out-of-range"))
    assert found.repair is None and found.text.endswith("; they may well be right.")


def salaries(name: str, negative: int) -> list[dict[str, Any]]:
    return [{"name": f"p{n}", name: text} for n, text in enumerate([*SALARIES, *["-5000"] * negative])]


def test_negative_numbers_of_what_is_never_below_zero_are_found_however_many() -> None:
    found = only(look(salaries("Monthly salary", 8), kind="out-of-range"))
    assert (found.count, found.recommended) == (8, True) and (found.repair or {})["low"] >= 0
    assert look(salaries("balance", 8), kind="out-of-range") == [], "a balance may be"
    assert look(salaries("Monthly salary", 60), kind="out-of-range") == [], "a way of booking"


def test_cells_that_are_no_number_leave_a_slip_a_slip() -> None:
    rows = numbers([*SALARIES[:100], "-50000", "salary", "test", "TOTAL"])
    found = only(look(rows, kind="out-of-range"))
    assert (found.count, found.recommended) == (4, True) and "may well be right" not in found.text
    assert found.examples[0] == "line 102: -50000", "the numbers first"


def test_many_cells_that_are_no_number_are_not_left_out_for_one_slip() -> None:
    rows = numbers([*SALARIES, "-50000", *["on request"] * 12])
    assert only(look(rows, kind="out-of-range")).repair is None


def test_what_lies_just_outside_is_told_and_not_left_out() -> None:
    growth = [str((n * 7 % 41) - 20) for n in range(200)]
    found = only(look(numbers([*growth, "-63"]), kind="out-of-range"))
    assert found.count == 1 and found.repair is None and found.text.endswith("-63; they may well be right.")
    assert only(look(numbers([*growth, "-630"]), kind="out-of-range")).recommended
