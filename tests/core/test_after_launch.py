"""What must be watched in real use is said with the person's own words, and that Tunesmith can't measure it."""

from __future__ import annotations

from typing import Any, get_args

import pytest

from tunesmith.core.after_launch import after_launch
from tunesmith.core.plan import Understand
from tunesmith.core.plan.understand import BusinessMetric, Users
from tunesmith.core.plan_yaml import validate


def brief(tree: dict[str, Any], **answers: object) -> Understand:
    tree["understand"] |= answers
    return validate(tree).understand


def test_the_business_goal_is_a_reminder_not_a_measurement(plan_tree: dict[str, Any]) -> None:
    text = after_launch(
        brief(plan_tree, business_metric="tickets-avoided", business_goal="From 40 % to 60 % of requests.")
    )
    assert "how many requests need no person any more. The goal: From 40 % to 60 % of requests." in text
    assert "Tunesmith can't measure that: write the figure down before the launch" in text


def test_where_an_error_is_grave_a_person_stays_in_the_loop(plan_tree: dict[str, Any]) -> None:
    assert "a person must stay in the loop" not in after_launch(brief(plan_tree))
    text = after_launch(brief(plan_tree, error_cost="high", users="customers"))
    assert "a person must stay in the loop and see every answer before anybody acts on it" in text
    assert "People outside read the answers and believe them." in text


@pytest.mark.parametrize("users", get_args(Users))
@pytest.mark.parametrize("metric", get_args(BusinessMetric))
def test_there_are_words_for_every_answer(plan_tree: dict[str, Any], users: str, metric: str) -> None:
    for cost in ("low", "medium", "high"):
        answers = {"users": users, "business_metric": metric, "error_cost": cost, "business_goal": "b\x1b[2J"}
        text = after_launch(brief(plan_tree, **answers))
        assert text.startswith("- ") and "\x1b" not in text
