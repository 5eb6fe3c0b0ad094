"""The machine that a plan is for: chosen in a box on Select, shown in the line above, told before a start."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import OptionList

from tests.tui.test_wizard import row, until, wizard
from tunesmith.core.errors import PlanError
from tunesmith.core.jobs import Helper
from tunesmith.core.project import Project, new_project
from tunesmith.core.schema import knob_at
from tunesmith.core.select.cards import cards, hardware_for
from tunesmith.tui.app import TunesmithApp
from tunesmith.tui.glyphs import UNICODE
from tunesmith.tui.plain.desk import Desk
from tunesmith.tui.plain.questions import MachineQuestion
from tunesmith.tui.plain.review import Review
from tunesmith.tui.plain.voice import Voice
from tunesmith.tui.screens.dialogs import Choose
from tunesmith.tui.screens.select_told import told as estimates
from tunesmith.tui.screens.shell import Shell
from tunesmith.tui.widgets.choice import Choice
from tunesmith.tui.widgets.machine_line import told


def practice(folder: Path) -> Project:
    return new_project("practice", folder)


def test_another_machine_is_chosen_in_a_box_with_memory_and_price(tmp_path: Path) -> None:
    project = practice(tmp_path)

    async def act(app: TunesmithApp, pilot: Pilot[Any], shell: Shell) -> None:
        for _ in range(2):
            await pilot.press("enter")
            await pilot.pause(0.3)
        await until(pilot, lambda: bool(shell.query("#knob-select-gpu")))
        machine = row(shell, "select.gpu")
        assert isinstance(machine.control, Choice) and "this machine" in str(machine.control.render())
        machine.control.focus()
        await pilot.press("space")
        await until(pilot, lambda: isinstance(app.screen, Choose))
        listed = app.screen.query_one(OptionList)
        assert listed.option_count == 1 + len(cards())
        assert listed.highlighted == 0
        places = {one.key: place for place, one in enumerate(cards(), 1)}
        shown = str(listed.get_option_at_index(places["h100-80gb"]).prompt)
        assert "H100 SXM 80 GB" in shown and "80 GiB" in shown and "$3.99/h (2026-11)" in shown
        listed.highlighted = places["h100-80gb"]
        await pilot.press("enter")
        await until(pilot, lambda: shell.session.counted and project.facts.hardware.planned == "h100-80gb")
        assert project.plan.select.gpu == "h100-80gb"
        assert project.plan.select.device == "cuda"
        overview = str(estimates(project.outlook, UNICODE))
        assert "money" in overview and "needed; free there is not known" in overview
        assert "Time is from the rate and bandwidth of H100 SXM 80 GB" in overview

    wizard(project, act, counted=True)


def test_the_line_about_the_machine_says_that_it_is_not_here() -> None:
    shown = told(hardware_for("2xh100"), "·")
    assert shown == "planned for 2xh100-80gb, not here: 79.6 GiB  ·  RAM and disk not known"


def test_the_plain_prompts_take_a_card_by_number_or_as_people_call_it(tmp_path: Path) -> None:
    said = io.StringIO()
    with Helper() as helper:
        desk = Desk(practice(tmp_path), helper, Voice(io.StringIO(), said))
        desk.measure()
        question = MachineQuestion(desk, knob_at("select.gpu"))
        question.show()
        assert "Recommended: this machine." in said.getvalue()
        assert "1. this machine: as it is measured (recommended)" in said.getvalue()
        assert question.take("2 x RTX 4090")
        assert desk.project.wishes["select.gpu"] == "2xrtx4090"
        assert desk.project.facts.hardware.planned == "2xrtx4090"
        with pytest.raises(PlanError, match="No card is known as 'rtx 4900'"):
            question.take("rtx 4900")
        assert Review(desk, "").hindrance == (
            "It is planned for 2xrtx4090, which is not this machine. Run the plan there."
        )
        assert question.take("1")
        assert desk.project.plan.select.gpu is None
