"""One label in several ways of writing, and labels that are far rarer than others."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from tests.core.prepare.look.tables import look, only, people, sentence
from tunesmith.core.prepare.look.labels import misspelled, same_but_for_form, shortened


def table(*labels: str) -> list[dict[str, Any]]:
    return people(300, team=lambda n: labels[n] if n < len(labels) else ("Engineering", "Sales", "Legal")[n % 3])


def test_case_spaces_and_dots_make_no_other_label() -> None:
    found = only(look(table("engineering ", "ENGINEERING", "sales.", "Sales"), kind="labels"))
    assert found.repair == {
        "kind": "unify-labels",
        "column": "team",
        "values": {"engineering": "Engineering", "ENGINEERING": "Engineering", "sales.": "Sales"},
    }
    assert found.count == 3 and "3 labels in 3 rows look like another one" in found.text
    often = only(look(table(*["sales"] * 30), kind="labels"))
    assert (often.count, often.share) == (30, 0.1), "of the rows, not of the labels"
    assert found.examples[0] == "line 2: engineering → Engineering"
    assert dict(found.picture)["Legal"] == 99


def test_where_labels_begin_with_a_capital_that_form_is_kept() -> None:
    written = {"sales": 40, "Sales": 35, "Legal": 60, "Support": 50}
    assert same_but_for_form(written) == {"sales": "Sales"}
    assert same_but_for_form(written | {"Sales": 9}) == {"Sales": "sales"}, "too rare to be meant"
    assert same_but_for_form({"sales": 40, "Sales": 35, "legal": 60, "support": 50}) == {"Sales": "sales"}


def test_short_forms_and_slips_are_proposed_for_the_person_to_judge() -> None:
    found = only(look(table("Eng", "Eng", "Enginering"), kind="labels"))
    assert found.repair is None
    assert found.repairs == (
        {"kind": "unify-labels", "column": "team", "values": {"Eng": "Engineering", "Enginering": "Engineering"}},
    )


def test_certain_ones_are_recommended_and_all_of_them_offered() -> None:
    found = only(look(table("Eng", "engineering"), kind="labels"))
    assert found.repair is not None and found.repair["values"] == {"engineering": "Engineering"}
    assert found.repairs[1]["values"] == {"engineering": "Engineering", "Eng": "Engineering"}


def test_a_finding_counts_the_rows_that_its_best_repair_mends_and_names_the_labels_left() -> None:
    found = only(look(table(*["engineering"] * 3, *["Eng"] * 5), kind="labels"))
    assert found.count == 3 and found.share == 0.01
    assert found.text == (
        "team: 1 label in 3 rows looks like another one written differently: engineering beside Engineering. "
        "Perhaps the same too: Eng and Engineering."
    )
    likely = only(look(table(*["Eng"] * 5), kind="labels"))
    assert likely.count == 5 and likely.text.endswith("Eng beside Engineering; they may be different things.")


def test_of_many_labels_those_that_are_not_named_are_counted() -> None:
    ways = ("engineering", "ENGINEERING", "Engineering.", "sales", "SALES", "Sales.")
    found = only(look(table(*ways), kind="labels"))
    assert found.count == 6 and found.text.endswith(" and 2 more.")


@pytest.mark.parametrize(
    "labels",
    [
        ["Level 1", "Level 2", "Level 3"],
        ["Grade A", "Grade B"],
        ["male", "female"],
        ["A", "a"],
        ["-1", "1", "+1"],
        ["cat", "car", "can"],
        ["North", "South", "East", "West"],
        ["Data", "Database Design", "Date"],
        ["C", "C++", "C#"],
    ],
)
def test_labels_that_differ_are_left_alone(labels: Sequence[str]) -> None:
    counts = {label: 100 if n == 0 else 5 for n, label in enumerate(labels)}
    assert same_but_for_form(counts) == {} and misspelled(counts) == {} and shortened(counts) == {}


def test_first_letters_are_a_short_form() -> None:
    assert shortened({"Human Resources": 9, "HR": 2, "Sales": 5}) == {"HR": "Human Resources"}
    assert shortened({"Market": 3, "Eng": 2, "England": 5, "Engineering": 9}) == {}, "it could be either"


def test_a_column_of_names_is_no_column_of_labels() -> None:
    rows = [{"name": f"p{n}", "city": ("Lyon", "lyon")[n % 2] + str(n)} for n in range(100)]
    assert look(rows, kind="labels") == []


def labelled(*counts: int) -> list[dict[str, Any]]:
    labels = [f"label {chr(97 + n)}" for n, count in enumerate(counts) for _ in range(count)]
    return [{"text": sentence(n), "label": label} for n, label in enumerate(labels)]


@pytest.mark.parametrize(
    ("counts", "severity"),
    [((150, 130), ""), ((400, 100), "note"), ((700, 50), "warning"), ((990, 6), "serious"), ((300, 3), "serious")],
)
def test_the_rarest_label_says_how_much_it_matters(counts: tuple[int, ...], severity: str) -> None:
    found = look(labelled(*counts), "classification", "balance")
    assert [finding.severity for finding in found] == ([severity] if severity else [])


def test_balance_is_told_with_its_picture_and_no_repair() -> None:
    found = only(look(labelled(900, 60, 40), "classification", "balance"))
    assert found.text == "label: label c stands in 40 rows (4.0 %), label a in 900 (90 %)."
    assert found.picture == (("label a", 900), ("label b", 60), ("label c", 40))
    assert found.repairs == () and found.count == 40
