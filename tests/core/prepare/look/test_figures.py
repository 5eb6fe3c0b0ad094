"""Numbers in several ways of writing, units or currencies."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core.prepare.look.tables import look, only, people, records_of
from tunesmith.core.plan import Repair
from tunesmith.core.prepare.figure import Marks, figure_of
from tunesmith.core.prepare.repair.apply import apply


@pytest.mark.parametrize(
    ("text", "style", "unit", "number"),
    [
        ("1234", "bare", "", 1234),
        ("1234.5", "point", "", 1234.5),
        ("$1,234.50", "point", "$", 1234.5),
        ("1.234,50 €", "comma", "€", 1234.5),
        ("EUR 12,5", "comma", "€", 12.5),
        ("1'234.50 CHF", "point", "CHF", 1234.5),
        ("1 234,50", "comma", "", 1234.5),
        ("-5 kg", "bare", "kg", -5),
        ("($1,200.00)", "point", "$", -1200),
        ("12 %", "bare", "%", 12),
        ("1,234", "either", "", None),
        ("1.234", "either", "", None),
        ("1,234,567", "point", "", 1234567),
        ("0.125", "point", "", 0.125),
    ],
)
def test_numbers_as_people_write_them(text: str, style: str, unit: str, number: float | None) -> None:
    figure = figure_of(text)
    assert figure is not None and (figure.style, figure.unit, figure.number) == (style, unit, number)


@pytest.mark.parametrize(
    "text", ["", "A1", "2nd", "12a", "1.2.3.4", "1,23,4", "12-5", "$5 €", "(5", "soon", "3 months"]
)
def test_what_is_no_number(text: str) -> None:
    assert figure_of(text) is None


@given(st.text(max_size=45))
def test_any_text_can_be_asked(text: str) -> None:
    figure_of(text)


def test_marks_of_two_countries_in_one_column() -> None:
    found = only(look(people(100, pay=lambda n: f"1.{n + 100},50" if n < 3 else f"1,{n + 100}.50"), kind="number-form"))
    assert (found.column, found.count) == ("pay", 3)
    assert found.repair == {"kind": "plain-numbers", "column": "pay"}
    assert found.examples[0] == "line 2: 1.100,50"


def test_where_thousands_could_be_decimals_it_is_the_persons_to_judge() -> None:
    rows = people(100, pay=lambda n: "1,234" if n == 0 else f"1.{n + 100},50" if n % 2 else f"1,{n + 100}.50")
    found = only(look(rows, kind="number-form"))
    assert found.repair is None and found.repairs


def test_two_currencies_are_told_and_not_mended() -> None:
    rows = people(100, pay=lambda n: f"{n + 100} €" if n < 3 else f"${n + 100}")
    found = only(look(rows, kind="number-form"))
    assert (found.count, found.severity, found.repairs) == (3, "serious", ())
    assert "how they compare only you know" in found.text and "100 €" in found.text


def test_one_currency_in_two_spellings_is_one() -> None:
    assert look(people(100, pay=lambda n: f"EUR {n + 100}" if n % 2 else f"{n + 100} €"), kind="number-form") == []


def test_a_currency_that_some_lack_is_left_off() -> None:
    found = only(look(people(100, pay=lambda n: f"${n + 100}" if n < 3 else f"{n + 100}"), kind="number-form"))
    assert found.count == 3 and found.repair == {"kind": "plain-numbers", "column": "pay"}


def test_a_sign_that_changes_the_number_is_never_left_off() -> None:
    for unit in ("k", "%"):
        rows = people(100, pay=lambda n, unit=unit: f"{n + 100}{unit}" if n < 3 else f"{n + 100}")
        assert only(look(rows, kind="number-form")).repairs == ()


def test_thousands_set_apart_in_some() -> None:
    found = only(look(people(100, pay=lambda n: f"{85_000 + n:,}" if n < 4 else f"{85_000 + n}"), kind="number-form"))
    assert found.count == 4 and found.repair is not None


@pytest.mark.parametrize(
    "make",
    [
        lambda n: f"${n * 40:,.2f}",
        lambda n: f"{n * 40:,}",
        lambda n: f"{n * 40}",
        lambda n: f"{n / 7:.2f}",
        lambda n: f"{n},50 €",
        lambda n: f"{n} kg",
        lambda n: ("12 Main St", "7 Elm Rd")[n % 2],
        lambda n: f"A{n % 7}",
        lambda n: f"{n % 5} years",
    ],
)
def test_columns_of_one_way_raise_nothing(make: Callable[[int], str]) -> None:
    assert look(people(200, pay=make), kind="number-form") == []


def euros(count: int = 100) -> list[dict[str, Any]]:
    """Salaries with a dot between thousands, the sign before some and behind others."""
    return people(count, pay=lambda n: f"€ {40 + n}.500" if n % 3 else f"{40 + n}.000 €")


def test_money_with_always_three_digits_behind_a_dot_has_dots_between_thousands() -> None:
    found = only(look(euros(), kind="number-form"))
    assert found.text == (
        "pay: in 100 numbers of 100 a dot sets thousands apart: 40.000 € is 40,000. "
        "The unit stands before some and behind others."
    )
    assert found.repair == {"kind": "plain-numbers", "column": "pay"} and found.count == 100
    assert dict(found.picture) == {"€ 1.234": 66, "1.234 €": 34}, "as they stand in the data"


def test_all_in_one_way_they_are_told_and_left() -> None:
    found = only(look(people(100, pay=lambda n: f"{40 + n}.500 €"), kind="number-form"))
    assert (found.severity, found.repair) == ("note", None) and found.repairs


def test_the_check_the_range_and_the_repairs_read_them_alike() -> None:
    rows = euros()
    rows[50]["pay"], rows[70]["pay"] = "€ -45.000", "€ 5.000.000"
    found = look(rows)
    odd = only([one for one in found if one.kind == "out-of-range"])
    assert odd.count == 2 and odd.repair is not None and odd.repair["low"] > 10_000
    assert odd.examples == ("line 52: € -45.000", "line 72: € 5.000.000")
    records = records_of(rows)
    recipe = [Repair.model_validate(one.repair) for one in found if one.repair]
    assert [one.kind for one in recipe] == ["plain-numbers", "drop-out-of-range"]
    done = apply(records, recipe, used=("name", "pay"))
    assert done.set_aside == 2
    assert [row.values["pay"] for row in done.view.records()][:2] == ["40000", "41500"]
    alone = apply(records, recipe[1:], used=("name", "pay"))
    assert alone.set_aside == 2, "also where the numbers are left as they are written"


@pytest.mark.parametrize(
    "cells",
    [
        ("1.234", "5.678", "9.012"),
        ("1.234 kg", "5.678 kg", "9.012 kg"),
        ("1.234 €", "5.678 €", "0.999 €"),
        ("1.234 €", "5.678 €", "9.5 €"),
        ("$1,234.500", "$2.345", "$3.456"),
        ("1.234 €", "5.678 €", "1,234.50 €"),
    ],
)
def test_without_proof_or_against_it_a_dot_marks_decimals(cells: tuple[str, ...]) -> None:
    marks = Marks("weight")
    marks.learn(cells)
    figure = figure_of("5.678")
    assert not marks.dots_group and figure is not None and marks.number(figure) == 5.678


@pytest.mark.parametrize(
    ("column", "cells"),
    [
        ("x", ("1.234", "12.345.678")),
        ("x", ("1.234", "1.234,50")),
        ("x", ("1.234 €", "5.678 €", "9.012 €", "950 €")),
        ("Gehalt", ("43.000", "45.500", "79.000")),
    ],
)
def test_what_shows_that_dots_stand_between_thousands(column: str, cells: tuple[str, ...]) -> None:
    marks = Marks(column)
    marks.learn(cells)
    figure = figure_of("-43.500 €")
    assert marks.dots_group and figure is not None and marks.number(figure) == -43500


def test_amounts_without_a_currency_are_read_by_their_header() -> None:
    rows = [row | {"Gehalt": f"{40 + n}.500"} for n, row in enumerate(people(100))]
    found = look(rows)
    assert only([one for one in found if one.kind == "number-form"]).severity == "note"
    assert not [one for one in found if one.kind == "out-of-range"]


def test_three_numbers_are_shown_and_those_first_that_are_not_as_most_are() -> None:
    found = only(look(people(100, pay=lambda n: f"${n + 100}" if n < 4 else f"{n + 100}"), kind="number-form"))
    assert found.examples == ("line 2: $100", "line 3: $101", "line 4: $102")
    found = only(look(people(100, pay=lambda n: f"{n + 100}" if n < 4 else f"${n + 100}"), kind="number-form"))
    assert found.examples == ("line 2: 100", "line 3: 101", "line 4: 102")
