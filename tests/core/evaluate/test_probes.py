"""Probes ask the same in another way: the answer stays right and stays in the context."""

from __future__ import annotations

import json
import re
from datetime import date
from random import Random
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunesmith.core.evaluate.invent import invent, invent_values
from tunesmith.core.evaluate.probes import MEANING, probe_rows, prose
from tunesmith.core.plan import Prepare, Probe
from tunesmith.core.plan_yaml import validate
from tunesmith.core.records import write_record
from tunesmith.core.rows import Message, Row

KINDS: tuple[Probe, ...] = ("context-withheld", "fields-reordered", "values-invented", "as-prose")


@pytest.fixture
def prepare(tree: dict[str, Any]) -> Prepare:
    return validate(tree).prepare


def test_every_probe_of_the_plan_is_explained() -> None:
    assert set(MEANING) == set(KINDS)


@pytest.mark.parametrize("kind", KINDS[1:])
def test_the_answer_stays_in_the_context(kind: Probe, test_rows: list[Row], prepare: Prepare) -> None:
    asked = probe_rows(kind, test_rows, prepare, 100)
    assert [row.id for row in asked] == [row.id for row in test_rows]
    for row, plain in zip(asked, test_rows, strict=True):
        assert row.answer in row.context
        assert row.prompt[-1].content == f"{row.context}\n\n{row.question}"
        assert row.context != plain.context


@pytest.mark.parametrize("kind", KINDS)
def test_a_probe_is_the_same_in_every_run(kind: Probe, test_rows: list[Row], prepare: Prepare) -> None:
    assert probe_rows(kind, test_rows, prepare, 5) == probe_rows(kind, test_rows, prepare, 5)


def test_the_same_rows_are_drawn_for_every_probe(test_rows: list[Row], prepare: Prepare) -> None:
    drawn = [[row.id for row in probe_rows(kind, test_rows, prepare, 5)] for kind in KINDS]
    assert all(ids == drawn[0] and len(ids) == 5 for ids in drawn)


def test_withheld_leaves_the_question_alone_under_the_same_system_prompt(
    test_rows: list[Row], prepare: Prepare
) -> None:
    ruled = [msgspec.structs.replace(row, prompt=[Message("system", "Be brief."), *row.prompt]) for row in test_rows]
    for row, plain in zip(probe_rows("context-withheld", ruled, prepare, 100), ruled, strict=True):
        assert row.prompt == [Message("system", "Be brief."), Message("user", plain.question)]
        assert row.answer == plain.answer and plain.answer not in row.prompt[-1].content


def test_reordered_fields_are_all_there_in_another_order_than_the_table(test_rows: list[Row], prepare: Prepare) -> None:
    only_lines = prepare.model_copy(update={"layouts": ["lines"]})
    orders = set()
    for row in probe_rows("fields-reordered", test_rows, only_lines, 100):
        order = tuple(line.partition(":")[0] for line in row.context.split("\n"))
        assert sorted(order) == ["Department", "Hire Date", "Name", "Salary"]
        orders.add(order)
    assert ("Name", "Department", "Hire Date", "Salary") not in orders
    assert len(orders) > 2


def test_invented_rows_keep_nothing_of_the_person_and_agree_with_themselves(
    test_rows: list[Row], prepare: Prepare
) -> None:
    for row, plain in zip(probe_rows("values-invented", test_rows, prepare, 100), test_rows, strict=True):
        for column in ("name", "department", "hire_date", "salary"):
            assert plain.record[column] not in row.prompt[-1].content
        assert row.record["name"] in row.question
        assert row.answer in row.record.values()


def test_prose_is_no_layout_of_the_training(test_rows: list[Row], prepare: Prepare) -> None:
    wordings = set()
    for row in probe_rows("as-prose", test_rows, prepare, 100):
        layouts = ("lines", "list", "json", "prose")
        assert row.context not in {write_record(row.record, prepare.fields, "name", form) for form in layouts}
        assert all(row.record[column] in row.context for column in prepare.fields)
        wordings.add(re.sub("|".join(map(re.escape, row.record.values())), "_", row.context)[:12])
    assert len(wordings) > 2


@pytest.mark.parametrize("fields", [["hire_date"], ["hire_date", "salary"], ["name"]])
def test_prose_has_words_for_any_number_of_fields(fields: list[str]) -> None:
    record = {"name": "Alice Smith", "hire_date": "2020-04-10", "salary": "85000"}
    for seed in range(20):
        text = prose(record, fields, "name", Random(seed))
        assert text.endswith(".") and all(record[field] in text for field in ["name", *fields])


def test_rows_that_lack_what_a_probe_needs_are_left_out(test_rows: list[Row], prepare: Prepare) -> None:
    bare = [Row(id="1", prompt=[Message("user", "Hello?")], answer="Hi")]
    asked_otherwise = [msgspec.structs.replace(test_rows[0], question="Who is it?")]
    without_record = [msgspec.structs.replace(test_rows[0], record={})]
    for kind in KINDS:
        assert probe_rows(kind, bare, prepare, 9) == []
    assert probe_rows("values-invented", asked_otherwise, prepare, 9) == []
    assert probe_rows("fields-reordered", without_record, prepare, 9) == []
    assert len(probe_rows("context-withheld", without_record, prepare, 9)) == 1
    one_field = prepare.model_copy(update={"fields": ["name"]})
    assert probe_rows("fields-reordered", test_rows, one_field, 9) == []


def test_json_contexts_stay_json(test_rows: list[Row], prepare: Prepare) -> None:
    only_json = prepare.model_copy(update={"layouts": ["json"]})
    for row in probe_rows("values-invented", test_rows, only_json, 9):
        assert json.loads(row.context)["name"] == row.record["name"]


@pytest.mark.parametrize(
    ("value", "form"),
    [
        ("2020-04-10", r"\d{4}-\d\d-\d\d"),
        ("10 April 2020", r"\d\d [A-Z][a-z]+ \d{4}"),
        ("4/9/2020", r"\d{1,2}/\d{1,2}/\d{4}"),
        ("85000", r"[1-9]\d000"),
        ("$1,250.50", r"\$[1-9],\d{3}\.\d0"),
        ("007", r"00[1-9]"),
        ("EMP-0042", r"[A-Z]{3}-\d{4}"),
        ("Human Resources", r"[A-Z][a-z]+ [A-Z][a-z]+"),
        ("sales", r"[a-z]+"),
        ("IT", r"[A-Z]+"),
        ("Bank of Ghana", r"[A-Z][a-z]+ of [A-Z][a-z]+"),
    ],
)
def test_an_invented_value_has_the_form_of_the_given_one(value: str, form: str) -> None:
    for seed in range(30):
        made = invent(value, Random(seed))
        assert re.fullmatch(form, made), made


def test_invented_dates_exist_and_are_near() -> None:
    for seed in range(50):
        day = date.fromisoformat(invent("2020-02-29", Random(seed)))
        assert 2012 <= day.year <= 2027


@given(st.lists(st.text(max_size=12), max_size=8), st.integers(0, 99))
def test_different_values_stay_different(values: list[str], seed: int) -> None:
    made = invent_values(values, Random(seed))
    assert len(set(made.values())) == len(made)
    assert set(made) == {value for value in values if value.strip()}
