"""A new statement takes back what it makes meaningless, and nothing else."""

from __future__ import annotations

from typing import Any

import pytest

from tests.core.facts_kit import facts
from tunesmith.core.recommend import resolve
from tunesmith.core.schema import wishes_of
from tunesmith.core.wishes import with_wish


def test_another_file_has_other_columns() -> None:
    before = {"prepare.data": "a.csv", "prepare.shape": "table", "prepare.columns.entity": "x", "select.method": "lora"}
    assert with_wish(before, "prepare.data", "b.csv") == {"prepare.data": "b.csv", "select.method": "lora"}


def test_the_same_file_takes_back_nothing() -> None:
    before = {"prepare.data": "a.csv", "prepare.shape": "table"}
    assert with_wish(before, "prepare.data", "a.csv") == before


def test_another_shape_has_other_parts_but_the_split_stays() -> None:
    before = {"prepare.shape": "table", "prepare.questions": [], "prepare.split.test": 0.2}
    assert with_wish(before, "prepare.shape", "chat") == {"prepare.shape": "chat", "prepare.split.test": 0.2}


@pytest.mark.parametrize("method", ["full", "lora", "qlora"])
def test_every_method_can_be_chosen_where_every_value_was_stated(method: str) -> None:
    stated: dict[str, Any] = wishes_of(resolve({"select.method": "qlora"}, facts()).plan)
    plan = resolve(with_wish(stated, "select.method", method), facts()).plan
    assert plan.select.method == method
    assert plan.select.hyperparameters.learning_rate == stated["select.hyperparameters.learning_rate"]


@pytest.mark.parametrize(
    ("before", "path", "value", "stays"),
    [
        ({"understand.threshold": 0.8}, "understand.metric", "f1", True),
        ({"understand.threshold": 0.8}, "understand.metric", "perplexity", False),
        ({"understand.threshold": 0.8}, "understand.use_case", "domain-language", False),
        ({"understand.threshold": 0.8, "understand.metric": "f1"}, "understand.use_case", "domain-language", True),
        ({"understand.threshold": 4.0}, "understand.use_case", "translation", False),
        ({"understand.threshold": 4.0, "understand.metric": "perplexity"}, "understand.metric", "bleu", False),
        ({"understand.threshold": "much"}, "understand.metric", "bleu", True),
    ],
)
def test_a_goal_that_the_measure_can_not_take_goes(before: dict[str, Any], path: str, value: str, stays: bool) -> None:
    assert ("understand.threshold" in with_wish(before, path, value)) is stays
