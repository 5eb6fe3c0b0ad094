"""Dates of one column in several forms, and days that can hardly be meant."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from tests.core.prepare.look.tables import look, only, records_of
from tunesmith.core.plan import Repair
from tunesmith.core.prepare.repair.apply import apply


def days(*cells: Any) -> list[dict[str, Any]]:
    return [{"name": f"p{n}", "d": text} for n, text in enumerate(cells)]


USUAL = [f"20{n % 20:02d}-0{n % 9 + 1}-1{n % 9}" for n in range(100)]


def test_dates_unlike_the_usual_form_are_found() -> None:
    found = only(look(days(*USUAL, "", "03/11/2019", "soon"), kind="date-form"))
    assert found.text == "d: 2 dates of 102 are not written like the others (2020-04-10), e.g. 03/11/2019."
    assert (found.count, found.examples) == (2, ("line 103: 03/11/2019", "line 104: soon"))
    assert found.repair == {"kind": "dates-to-iso", "column": "d"}
    assert found.picture == (("2020-04-10", 100), ("10/04/2020", 1), ("no date", 1))


def test_among_doubtful_dates_no_repair_guesses_what_the_others_mean() -> None:
    found = only(look(days(*["03/11/2019"] * 8, *["04/11/2019"] * 8, "2020-04-10"), kind="date-form"))
    assert found.repairs == () and "(10/04/2020)" in found.text


def test_a_mix_of_forms_beyond_doubt_is_mended_whichever_is_usual() -> None:
    cells = [f"{n % 27 + 1} March 2019" for n in range(50)] + ["2019/3/25", "March 5, 2018"]
    found = only(look(days(*cells), kind="date-form"))
    assert found.count == 2 and found.repair == {"kind": "dates-to-iso", "column": "d"}


def test_one_form_raises_nothing_unless_day_and_month_may_be_either_way_round() -> None:
    assert look(days(*USUAL)) == []
    assert look(days(*(f"{n % 27 + 1} March 20{n % 20:02d}" for n in range(100)))) == []
    found = only(look(days(*(f"{n % 12 + 1:02d}/11/20{n % 20:02d}" for n in range(100))), kind="date-form"))
    assert found.severity == "note" and found.repairs == ()
    assert "can be read in more than one way" in found.text
    assert found.examples == ("line 2: 01/11/2000", "line 3: 02/11/2001", "line 4: 03/11/2002")


WEEKS = [date(2020, 1, 1) + timedelta(days=7 * n) for n in range(100)]


@pytest.mark.parametrize(("form", "first"), [("%m/%d/%Y", "month"), ("%d.%m.%Y", "day")])
def test_the_order_of_day_and_month_that_a_column_proves_is_used(form: str, first: str) -> None:
    rows = days(*(day.strftime(form) for day in WEEKS))
    found = only(look(rows, kind="date-form"))
    assert (found.repair, found.count, found.severity) == ({"kind": "dates-to-iso", "column": "d"}, 34, "warning")
    assert found.text.endswith(f"; others of the column prove that the {first} stands first.")
    assert found.examples[0] == f"line 3: {WEEKS[1].strftime(form)}" and len(found.examples) == 3
    done = apply(records_of(rows), [Repair(**found.repair)], used=("name", "d"))
    assert [row.values["d"] for row in done.view.records()] == [day.isoformat() for day in WEEKS]


def test_an_order_that_is_contradicted_is_none() -> None:
    cells = [day.strftime("%m/%d/%Y") for day in WEEKS] + ["25/03/2020"]
    found = only(look(days(*cells), kind="date-form"))
    assert found.repairs == () and found.severity == "note" and found.examples[0] == "line 3: 01/08/2020"


def test_the_rest_beside_iso_dates_proves_its_own_order() -> None:
    rows = days(*USUAL, "15/06/2019", "20/02/2018", "03/11/2019")
    found = only(look(rows, kind="date-form"))
    assert found.count == 3 and "prove that the day stands first" in found.text
    done = apply(records_of(rows), [Repair(**found.repair or {})], used=("name", "d"))
    assert [row.values["d"] for row in done.view.records()][100:] == ["2019-06-15", "2018-02-20", "2019-11-03"]


def test_the_few_iso_dates_of_a_column_in_another_form_are_shown() -> None:
    found = only(look(days(*(f"{n % 27 + 1} March 2019" for n in range(50)), *USUAL[:3]), kind="date-form"))
    assert found.examples == tuple(f"line {52 + n}: {USUAL[n]}" for n in range(3))


def test_one_odd_day_of_few_is_told() -> None:
    found = only(look(days(*USUAL[:29], "2190-01-01"), kind="date-range"))
    assert (found.count, found.examples) == (1, ("line 31: 2190-01-01",))


def test_days_far_off_are_told_where_nearly_all_others_are_not() -> None:
    found = only(look(days(*USUAL, "0019-03-02", "2999-12-31"), kind="date-range"))
    assert (found.count, found.repair) == (2, None)
    assert found.repairs[0]["kind"] == "drop-values" and set(found.repairs[0]["names"]) == {"0019-03-02", "2999-12-31"}
    assert found.examples == ("line 102: 0019-03-02", "line 103: 2999-12-31")
    found = only(look(days(*USUAL, "2201-01-01"), kind="date-range"))
    assert "1 date of 101 (1.0 %) is yet to come" in found.text


def test_a_history_and_a_plan_are_no_slips() -> None:
    assert look(days(*(f"1{n % 9}44-05-0{n % 9 + 1}" for n in range(100)), *USUAL), kind="date-range") == []
    assert look(days(*(f"21{n % 20:02d}-05-0{n % 9 + 1}" for n in range(30)), *USUAL), kind="date-range") == []


def test_the_usual_form_is_told_with_the_signs_that_it_has() -> None:
    found = only(
        look(days(*[f"{n % 28 + 1:02}.{n % 12 + 1:02}.2020" for n in range(60)], "2020-04-10"), kind="date-form")
    )
    assert "(10.04.2020)" in found.text and found.picture[0][0] == "10.04.2020"
