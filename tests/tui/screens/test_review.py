"""What the review says that Enter does, and what comes after it."""

from __future__ import annotations

import copy
from typing import Any

from tunesmith.core.plan import Plan
from tunesmith.core.plan_yaml import validate
from tunesmith.tui.screens.review import start_told


def plan(tree: dict[str, Any], **brief: Any) -> Plan:
    tree = copy.deepcopy(tree)
    tree["understand"] |= brief
    return validate(tree)


def test_enter_says_where_nothing_will_be_trained(plan_tree: dict[str, Any]) -> None:
    assert start_told(plan(plan_tree)).startswith("start the training")
    stops = plan(plan_tree, approach="few-shot")
    assert start_told(stops) == "score the untouched model, write a prompt file; nothing is trained"
    goes_on = plan(plan_tree, approach="few-shot", evidence={"stop": False})
    assert start_told(goes_on).startswith("start the training")
