"""The machine that a plan is for: chosen in a box on Select, shown in the line above, told before a start."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from textual.pilot import Pilot
from textual.widgets import OptionList

from tests.tui.test_wizard import row, until, wizard
from tunesmith.core.project import Project, new_project
from tunesmith.core.select.cards import cards, hardware_for
from tunesmith.tui.app import TunesmithApp
from tunesmith.tui.glyphs import UNICODE
from tunesmith.tui.screens.dialogs import Choose
from tunesmith.tui.screens.select import told as estimates
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
        assert "H100 SXM 80 GB" in shown and "80 GiB" in shown and "$3.99 an hour (2026-11-09)" in shown
        listed.highlighted = places["h100-80gb"]
        await pilot.press("enter")
        await until(pilot, lambda: shell.session.counted and project.facts.hardware.planned == "h100-80gb")
        assert project.plan.select.gpu == "h100-80gb"
        assert project.plan.select.device == "cuda"
        overview = str(estimates(project.outlook, UNICODE))
        assert "money" in overview and "the disk there is not known" in overview
        assert "Time is from the rate and bandwidth of H100 SXM 80 GB" in overview

    wizard(project, act, counted=True)


def test_the_line_about_the_machine_says_that_it_is_not_here() -> None:
    shown = told(hardware_for("2xh100"), "·")
    assert shown == "planned for 2xh100-80gb, not here: 79.6 GiB  ·  RAM and disk not known"
