"""Step 2 in the real application: findings and what is done about them, the data record by record, a long look."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Input, Static

from tests.tui.test_wizard import until, wizard
from tunesmith.core.project import Project, new_project
from tunesmith.tui.app import TunesmithApp
from tunesmith.tui.glyphs import UNICODE
from tunesmith.tui.screens.data import Data
from tunesmith.tui.screens.prepare import PrepareStep
from tunesmith.tui.screens.shell import Shell
from tunesmith.tui.widgets.choice import Choice
from tunesmith.tui.widgets.finding_row import FindingRow
from tunesmith.tui.widgets.record_table import RecordTable


@pytest.fixture
def practice(tmp_path: Path) -> Project:
    return new_project("practice", tmp_path)


def many(folder: Path, count: int) -> Project:
    path = folder / "many.jsonl"
    with path.open("w") as file:
        for n in range(count):
            file.write(json.dumps({"question": f"What is number {n} called?", "answer": f"It is called {n}."}) + "\n")
    return new_project("many.jsonl", folder)


def panel(shell: Shell) -> str:
    assert shell.step is not None
    return " ".join(str(shell.step.query_one("#why-text", Static).content).split())


def finding(shell: Shell, kind: str) -> FindingRow:
    return next(one for one in shell.query(FindingRow) if one.finding.kind == kind)


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
def test_a_finding_shows_its_picture_and_the_keys_choose_what_is_done(practice: Project, size: tuple[int, int]) -> None:
    async def act(app: TunesmithApp, pilot: Pilot[Any], shell: Shell) -> None:
        await shell.open("prepare")
        await until(pilot, lambda: len(shell.query(FindingRow)) == 7)
        row = finding(shell, "out-of-range")
        row.query_one(Choice).focus()
        await until(pilot, lambda: "salary" in panel(shell))
        told = panel(shell)
        assert "0.7 % of the rows" in told and "line 185: 0" in told
        assert "left out (recommended)" in told and "leave it as it is" in told
        repair = row.finding.repair
        assert repair in [one.model_dump(exclude_none=True) for one in practice.plan.prepare.repairs]
        await pilot.press("right")
        assert repair not in [one.model_dump(exclude_none=True) for one in practice.plan.prepare.repairs]
        assert len(practice.plan.prepare.repairs) == 5, "the others stay"
        survey = practice.survey
        await until(pilot, lambda: practice.survey is not survey and not practice.pending)
        assert practice.survey is not None and practice.survey.preview.aside == 7, "the rows are made anew"
        await pilot.press("r")
        assert [one.kind for one in practice.plan.prepare.repairs].count("drop-out-of-range") == 1

    wizard(practice, act, size=size)


def test_a_repair_with_bounds_of_ones_own_is_the_present_answer(practice: Project) -> None:
    async def act(app: TunesmithApp, pilot: Pilot[Any], shell: Shell) -> None:
        await shell.open("prepare")
        await until(pilot, lambda: len(shell.query(FindingRow)) == 7)
        row = finding(shell, "out-of-range")
        offered, choice = row.finding.repair, row.query_one(Choice)
        assert offered is not None
        own = {**offered, "high": 70_000.0}
        repairs = [one.model_dump(exclude_none=True) for one in practice.plan.prepare.repairs]
        changed = [own if one == offered else one for one in repairs]
        assert isinstance(shell.step, PrepareStep)
        shell.step.post_message(shell.step.Wished("prepare.repairs", changed))
        await until(pilot, lambda: choice.value == "your own")
        said = str(row.query_one(".finding-text", Static).content)
        assert "Your plan: rows whose salary is outside" in said and "70,000 are left out" in said
        choice.focus()
        await until(pilot, lambda: "(your plan)" in panel(shell))

        def present() -> list[dict[str, Any]]:
            found = [one.model_dump(exclude_none=True) for one in practice.plan.prepare.repairs]
            return [one for one in found if one["kind"] == "drop-out-of-range"]

        await pilot.press("left")
        assert present() == [offered], "the one instead of the other"
        await pilot.press("right")
        assert present() == [own], "and back again"

    wizard(practice, act)


def test_enter_accepts_the_recommended_repairs(practice: Project) -> None:
    async def act(app: TunesmithApp, pilot: Pilot[Any], shell: Shell) -> None:
        await shell.open("prepare")
        await pilot.press("enter")
        await until(pilot, lambda: shell.step is not None and shell.step.stage == "select")
        assert [one.kind for one in practice.plan.prepare.repairs] == [
            "dates-to-iso",
            *["drop-empty"] * 3,
            "drop-out-of-range",
            "drop-duplicates",
        ]

    wizard(practice, act)


def test_the_data_is_looked_through_without_loading_it(tmp_path: Path) -> None:
    project = many(tmp_path, 30_000)

    async def act(app: TunesmithApp, pilot: Pilot[Any], shell: Shell) -> None:
        await shell.open("prepare")
        await pilot.press("d")
        await until(pilot, lambda: isinstance(app.screen, Data) and app.screen.query_one(RecordTable).total > 0)
        table = app.screen.query_one(RecordTable)

        def here() -> str:
            held = table.record(table.marked)
            return held[1][0] if held else ""

        assert (table.total, here()) == (30_000, "What is number 0 called?")
        await pilot.press("end")
        await until(pilot, lambda: here() == "What is number 29999 called?")
        await pilot.press("pageup", "up")
        assert "number 299" in here()
        await pilot.press("g", *"12345", "enter")
        await until(pilot, lambda: here() == "What is number 12344 called?")
        assert app.screen.query_one("#data-ask", Input).display is False
        title = str(app.screen.query_one("#data-title", Static).content)
        assert "record 12,345 of 30,000, line 12,345" in title
        await pilot.press("escape")
        assert app.screen is shell

    wizard(project, act)


def test_what_is_in_a_cell_is_text(tmp_path: Path) -> None:
    odd = "\x1b[31m[bold]=1+1\u202e\u0000"
    (tmp_path / "odd.jsonl").write_text(
        "\n".join(json.dumps({"question": f"{odd} {n}?", "answer": f"{odd}{n}"}) for n in range(60))
    )

    async def act(app: TunesmithApp, pilot: Pilot[Any], shell: Shell) -> None:
        await shell.open("prepare")
        await pilot.press("d")
        await until(pilot, lambda: isinstance(app.screen, Data) and app.screen.query_one(RecordTable).total > 0)
        shown = str(app.screen.query_one("#data-cells", Static).content)
        assert "[bold]=1+1" in shown and "\\x1b" in shown and "\\u202e" in shown
        assert not set(shown) & set("\x1b\u202e\u0000")

    wizard(new_project("odd.jsonl", tmp_path), act)


def test_a_long_look_says_how_far_it_is_can_be_stopped_and_taken_up_again(tmp_path: Path) -> None:
    project = many(tmp_path, 400_000)

    async def go() -> None:
        app = TunesmithApp(UNICODE, {"COLORTERM": "truecolor"})
        async with app.run_test(size=(80, 24)) as pilot:
            await app.open_project(project)
            shell = app.shell
            assert shell is not None
            await shell.open("prepare")
            await until(pilot, lambda: "Esc stops it" in str(shell.query_one("#notice", Static).content))
            await pilot.press("escape")
            await until(pilot, lambda: shell.session.stopped)
            assert shell.step is not None and shell.step.stage == "prepare", "Esc did not go back"
            line = '{"question": "Now?", "answer": "Short."}'
            (tmp_path / "many.jsonl").write_text("".join(line.replace("Now", str(n)) + "\n" for n in range(60)))
            await pilot.press("enter")
            await until(pilot, lambda: project.survey is not None and not shell.session.stopped)
            assert project.facts.data.rows == 60

    asyncio.run(asyncio.wait_for(go(), 120))
