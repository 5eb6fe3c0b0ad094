"""Rows that are no example."""

from __future__ import annotations

from typing import Any

import pytest

from tests.core.prepare.look.tables import look, only, pairs, people, records_of
from tunesmith.core.plan import Repair
from tunesmith.core.prepare.repair.apply import apply


def test_the_header_inside_the_data_is_found() -> None:
    rows = people(100)
    header = {name: name for name in rows[0]}
    found = only(look([*rows[:50], header, *rows[50:], header], kind="repeated-header"))
    assert (found.count, found.examples) == (2, ("line 52", "line 103"))
    assert found.repair == {"kind": "drop-values", "column": "name", "names": ["name"]}
    half = {**header, "city": "Rome"}
    assert look([*rows, half], kind="repeated-header") == []


@pytest.mark.parametrize("text", ["asdf", "TODO", "Lorem ipsum dolor sit amet, consectetur adipiscing elit."])
def test_placeholders_are_found(text: str) -> None:
    rows = pairs(100)
    rows[7]["answer"] = text
    found = only(look(rows, "question-answer", "placeholder"))
    assert (found.column, found.count) == ("answer", 1) and found.examples[0].startswith("line 9: ")
    assert found.repair == {"kind": "drop-values", "column": "answer", "names": [text]}


def test_a_placeholder_that_may_be_meant_is_the_persons_to_judge() -> None:
    rows = pairs(100)
    rows[7]["answer"] = "Test"
    found = only(look(rows, "question-answer", "placeholder"))
    assert found.repair is None and found.repairs and found.text.endswith("; it may be meant.")


def test_words_that_hold_a_placeholder_are_none() -> None:
    rows = pairs(100, answer=lambda n: f"The test of todo number {n} is done by asdfghjkl.")
    assert look(rows, "question-answer", "placeholder") == []


def test_sum_rows_of_a_spreadsheet_are_found() -> None:
    rows = people(100)
    total = {"name": "Total", "city": "", "hired": "", "salary": "5750000"}
    found = only(look([*rows, total], kind="total-row"))
    assert found.examples == ("line 102: Total",)
    assert found.repair == {"kind": "drop-values", "column": "name", "names": ["Total"]}


def test_a_thing_that_is_called_total_is_the_persons_to_judge() -> None:
    rows = [*people(100), {"name": "Total", "city": "Oslo", "hired": "2010-01-11", "salary": "50000"}]
    assert only(look(rows, kind="total-row")).repair is None


def test_rows_with_nothing_but_a_name_are_told() -> None:
    rows = [*people(100), {"name": "Nobody", "city": "", "hired": "", "salary": ""}]
    found = only(look(rows, kind="bare-row"))
    assert (found.count, found.examples) == (1, ("line 102: [NAME]",))
    assert found.repair is None and found.repairs[0]["names"] == ["Nobody"]


def test_only_the_repeated_header_is_left_out_where_other_rows_begin_like_it() -> None:
    rows = [{"type": "type" if n < 20 else "kind", "text": f"Text {n}", "n": n} for n in range(100)]
    header = {name: name for name in rows[0]}
    found = only(look([*rows, header], "text", "repeated-header", text="text"))
    assert (found.count, found.column) == (1, "text")
    repair = Repair.model_validate(found.repair)
    assert apply(records_of([*rows, header]), [repair], used=("text",)).set_aside == 1
    rows = [{"type": "type", "text": "other"}, {"type": "other", "text": "text"}, {"type": "type", "text": "text"}]
    found = only(look(rows * 20, "text", "repeated-header", text="text"))
    assert (found.count, found.repairs, found.recommended) == (20, (), False)


def _with_total(rows: list[dict[str, Any]], **cells: str) -> list[dict[str, Any]]:
    return [*rows, dict.fromkeys(rows[0], "") | cells]


def test_the_sum_may_be_called_so_in_another_column_than_the_names() -> None:
    rows = _with_total(people(100, code=lambda n: str(7000 + n)), code="Total", salary="5750000")
    (found,) = look(rows)
    assert (found.kind, found.column, found.examples) == ("total-row", "code", ("line 102: Total",))
    assert found.repair == {"kind": "drop-values", "column": "code", "names": ["Total"]}


def test_a_row_that_is_a_sum_lacks_nothing_and_is_no_odd_number() -> None:
    rows = _with_total(
        people(100, city=lambda n: "" if n == 9 else ("Rome", "Oslo")[n % 2]), name="Total", salary="9e9"
    )
    assert {(one.kind, one.column, one.count) for one in look(rows)} == {("total-row", "name", 1), ("empty", "city", 1)}


def test_a_word_for_a_sum_that_is_a_value_of_other_rows_too_is_not_left_out() -> None:
    rows = people(100, code=lambda n: "Total" if n % 5 == 0 else f"Part {n}")
    found = only(look(_with_total(rows, code="Total", salary="5750000"), kind="total-row"))
    assert found.column == "code" and found.repair is None


def test_a_row_without_a_name_but_with_words_is_no_sum() -> None:
    rows = _with_total(people(100), city="Total", hired="soon", salary="1")
    assert look(rows, kind="total-row") == []


def test_among_nothing_but_numbers_a_thing_that_is_called_total_counts_as_any_other() -> None:
    rows = [{"name": f"Firm {n}", "a": str(100 + n), "b": str(200 + n)} for n in range(100)]
    found = look([*rows, {"name": "Total", "a": "120", "b": ""}])
    assert {(one.kind, one.recommended) for one in found} == {("total-row", False), ("empty", True)}
