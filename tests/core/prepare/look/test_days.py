"""Dates of one column in several forms, and days that can hardly be meant."""

from __future__ import annotations

from typing import Any

from tests.core.prepare.look.tables import look, only


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
    found = only(look(days(*(f"{n % 28 + 1:02d}/11/20{n % 20:02d}" for n in range(100))), kind="date-form"))
    assert found.severity == "note" and found.repairs == ()
    assert "can be read in more than one way" in found.text


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
