"""Rows that are no example."""

from __future__ import annotations

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
