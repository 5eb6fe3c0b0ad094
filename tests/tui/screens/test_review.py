"""What the review says that Enter does, and what comes after it."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from tests.tui.snapshot_kit import screen_text
from tests.tui.test_wizard import until, wizard
from tunesmith.core.plan import Plan
from tunesmith.core.plan_yaml import validate
from tunesmith.core.project import new_project
from tunesmith.tui.app import TunesmithApp
from tunesmith.tui.screens.review import start_told
from tunesmith.tui.screens.shell import Shell
from tunesmith.tui.widgets.named_lines import NamedLines


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


NAMES = {"What", "Success", "Data", "Model", "First", "Then", ""}


def summary_seen(app: TunesmithApp, shell: Shell) -> list[tuple[str, str]]:
    """The rows of the summary as they stand on the screen, each cut where the texts begin."""
    place = shell.query_one("#review-summary", NamedLines).region
    lines = screen_text(app).splitlines()[place.y : place.bottom]
    return [(line[1:8].strip(), line[8:]) for line in lines]


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
def test_what_is_longer_than_its_line_goes_on_below_its_beginning(tmp_path: Path, size: tuple[int, int]) -> None:
    async def act(app: TunesmithApp, pilot: Pilot[Any], shell: Shell) -> None:
        await shell.open("review")
        for width in (size[0], 70):  # as it was opened, and pulled narrower
            await pilot.resize_terminal(width, size[1])
            await until(pilot, lambda: len(summary_seen(app, shell)) > 6)
            seen = summary_seen(app, shell)
            assert {name for name, _ in seen} == NAMES, "nothing of a text stands below a name"
            assert all(text[:2] == "  " and text[2:3].strip() for _, text in seen)
            told = " ".join(text.rstrip(" ▁▂▃▄▅▆▇█").strip() for _, text in seen)
            assert "Where that reaches the goal already, nothing is trained." in told

    wizard(new_project("practice", tmp_path), act, counted=True, size=size)
