"""The schema as questions: complete, with help, and reading back what it tells."""

from __future__ import annotations

from typing import Any

import pytest

from tests.core.facts_kit import facts
from tunesmith.core.errors import PlanError
from tunesmith.core.plan_yaml import validate
from tunesmith.core.recommend import resolve
from tunesmith.core.schema import knob_at, knobs, plain_value, read, shown, told, value_at, wishes_of
from tunesmith.core.stages import STAGES

EVERY = [knob for stage in STAGES for knob in knobs(stage)]


@pytest.mark.parametrize("knob", EVERY, ids=lambda knob: knob.path)
def test_every_value_has_a_title_and_help(knob: Any) -> None:
    assert knob.title and knob.text.endswith((".", "?"))
    assert knob.kind not in ("choice", "choices") or knob.options
    assert set(knob.meanings) <= set(knob.options)
    assert not knob.question or knob.question.endswith("?")


def test_each_stage_that_asks_has_questions() -> None:
    for stage in STAGES[:3]:
        assert any(knob.question for knob in knobs(stage)), stage


@pytest.mark.parametrize("knob", EVERY, ids=lambda knob: knob.path)
def test_what_is_told_of_a_plain_value_is_read_back(knob: Any) -> None:
    plan = resolve({"select.method": "qlora"}, facts()).plan
    value = plain_value(plan, knob.path)
    if knob.kind != "structure" and value is not None:
        assert read(knob, told(knob, value)) == value


def test_a_plan_as_wishes_gives_the_same_plan() -> None:
    found = resolve({"select.method": "qlora"}, facts()).plan
    again = resolve(wishes_of(found), facts()).plan
    assert again == validate(found.model_dump())


@pytest.mark.parametrize(
    ("path", "text", "message"),
    [
        ("select.lora.rank", "many", "'many' is no number"),
        ("select.lora.rank", "8.5", "is not a whole number"),
        ("select.lora.rank", "nan", "is no number"),
        ("select.hyperparameters.learning_rate", "0,001", "is no number"),
        ("prepare.split.test", "0,25", "is no number"),
        ("productionize.merge", "perhaps", "neither yes nor no"),
        ("select.method", "magic", "can't be chosen"),
        ("select.method", "", "can't be chosen"),
        ("understand.tried", "prompt, luck", "can't be chosen"),
        ("prepare.questions", "[: {", "not readable"),
        ("understand.budget_hours", "a day", "'a day' is no number"),
        ("understand.evidence.shots", "1, few", "'few' is no number"),
        ("understand.evidence.shots", "1.5", "is not a whole number"),
    ],
)
def test_what_can_not_be_read_is_told(path: str, text: str, message: str) -> None:
    with pytest.raises(PlanError) as told_error:
        read(knob_at(path), text)
    assert message in str(told_error.value)
    assert told_error.value.next_step


@pytest.mark.parametrize(
    ("path", "text", "value"),
    [
        ("select.lora.rank", " 32 ", 32),
        ("prepare.split.seed", "1,234", 1234),
        ("select.hyperparameters.learning_rate", "2e-4", 2e-4),
        ("productionize.merge", "Yes", True),
        ("select.method", "q", "qlora"),
        ("understand.metric", "exact match", "exact_match"),
        ("understand.tried", "few-shot, prompt", ["few-shot", "prompt"]),
        ("understand.tried", "none", []),
        ("prepare.split.by", "", None),
        ("understand.budget_hours", "2.5", 2.5),
        ("understand.budget_hours", "", None),
        ("understand.budget_money", "none", None),
        ("understand.evidence.shots", "0, 2 4", [0, 2, 4]),
        ("understand.evidence.shots", "none", []),
    ],
)
def test_what_people_type_is_understood(path: str, text: str, value: Any) -> None:
    assert read(knob_at(path), text) == value


def test_a_value_of_an_absent_section_is_none() -> None:
    plan = resolve({"select.method": "full"}, facts()).plan
    assert value_at(plan, "select.lora.rank") is None
    with pytest.raises(KeyError):
        knob_at("select.lora.nothing")


def test_people_are_shown_labels_and_may_type_either_name() -> None:
    metric, tried = knob_at("understand.metric"), knob_at("understand.tried")
    assert shown(metric, "rouge_l") == "ROUGE-L" and shown(tried, ["few-shot", "prompt"]) == "few-shot prompt, prompt"
    for typed in ("exact_match", "exact match", "Exact-Match", "exact"):
        assert read(metric, typed) == "exact_match"
    assert read(tried, "Few-shot prompt, retrieval") == ["few-shot", "retrieval"]
    assert shown(knob_at("understand.budget_money"), None) == "no limit"
    assert read(knob_at("understand.budget_money"), "no limit") is None
    assert shown(knob_at("select.gpu"), None) == "this machine" and shown(knob_at("understand.tried"), []) == "none"


def test_every_label_is_of_an_option_and_is_unlike_the_others() -> None:
    for knob in (knob for stage in STAGES for knob in knobs(stage)):
        assert set(knob.labels) <= set(knob.options)
        assert len({knob.label(one).lower() for one in knob.options}) == len(knob.options)
        assert not any("_" in knob.label(one) for one in knob.options)
        assert knob.kind != "choices" or not any("," in knob.label(one) for one in knob.options)
        assert all(len(knob.label(one)) <= 26 for one in knob.options)  # what a row of 80 columns has room for
