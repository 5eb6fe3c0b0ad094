"""How the wizard behaves under a person's hands: the real app, headless, over real projects and files."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Input, OptionList, Static
from textual.widgets._footer import FooterKey

from tunesmith.core.project import Project, list_projects, new_project
from tunesmith.core.run import Run, create_run
from tunesmith.core.schema import knob_at
from tunesmith.tui.app import TunesmithApp
from tunesmith.tui.glyphs import UNICODE
from tunesmith.tui.screens.browse import Browse
from tunesmith.tui.screens.confirm import Confirm
from tunesmith.tui.screens.dialogs import Choose
from tunesmith.tui.screens.failure import Failure
from tunesmith.tui.screens.shell import Shell
from tunesmith.tui.widgets import starting
from tunesmith.tui.widgets.choice import Choice
from tunesmith.tui.widgets.knob_row import KnobRow
from tunesmith.tui.widgets.measuring import Measuring

PRODUCTS = "product,colour,price\n" + "".join(f"Lamp {n},red,{10 + n}\n" for n in range(40))
Act = Callable[[TunesmithApp, Pilot[Any], Shell], Awaitable[None]]


def wizard(project: Project, act: Act, *, counted: bool = False, size: tuple[int, int] = (80, 24)) -> None:
    """Open the project in the real app and do `act` once the data was looked at (or its tokens counted)."""

    async def go() -> None:
        app = TunesmithApp(UNICODE, {"COLORTERM": "truecolor"})
        async with app.run_test(size=size) as pilot:
            await app.open_project(project)
            shell = app.shell
            assert shell is not None
            await until(pilot, lambda: shell.session.counted if counted else known(shell))
            await act(app, pilot, shell)

    asyncio.run(asyncio.wait_for(go(), 120))


def known(shell: Shell) -> bool:
    return shell.session.project.survey is not None or bool(shell.session.problem)


async def until(pilot: Pilot[Any], true: Callable[[], bool], seconds: float = 60) -> None:
    for _ in range(round(seconds / 0.05)):
        if true():
            await pilot.pause()
            return
        await pilot.pause(0.05)
    raise AssertionError("it did not happen")


def row(shell: Shell, path: str) -> KnobRow:
    return shell.query_one("#knob-" + path.replace(".", "-"), KnobRow)


@pytest.fixture
def practice(tmp_path: Path) -> Project:
    return new_project("practice", tmp_path)


@pytest.fixture
def products(tmp_path: Path) -> Project:
    (tmp_path / "products.csv").write_text(PRODUCTS)
    return new_project("products.csv", tmp_path)


def test_enter_in_a_text_field_goes_on(practice: Project) -> None:
    async def act(app: TunesmithApp, pilot: Pilot[Any], shell: Shell) -> None:
        row(shell, "understand.threshold").control.focus()
        await pilot.press("0", ".", "7", "enter")
        await until(pilot, lambda: shell.step is not None and shell.step.stage == "prepare")
        assert practice.wishes["understand.threshold"] == 0.7

    wizard(practice, act)


def test_what_is_refused_stays_and_keeps_the_step_open(practice: Project) -> None:
    async def act(app: TunesmithApp, pilot: Pilot[Any], shell: Shell) -> None:
        threshold = row(shell, "understand.threshold")
        threshold.control.focus()
        await pilot.press(*"0.5z")
        await pilot.press("escape", "enter")
        await pilot.pause()
        assert shell.step is not None and shell.step.stage == "understand"
        assert isinstance(threshold.control, Input) and threshold.control.value == "0.5z"
        assert "is no number" in str(threshold.query_one(".knob-error", Static).content)
        assert app.focused is threshold.control

    wizard(practice, act)


def test_an_answer_before_the_first_measurement_can_be_mended(practice: Project) -> None:
    async def act(app: TunesmithApp, pilot: Pilot[Any], shell: Shell) -> None:
        practice.wish("understand.threshold", 0.9)
        practice.survey = practice.resolution = None
        practice.saved.wishes["understand.threshold"] = 7  # as a plan file edited by hand may say
        shell.query_one(Measuring).now()
        await until(pilot, lambda: bool(shell.session.problem))
        if isinstance(app.screen, Failure):
            await pilot.press("enter")
        await shell.open("understand")
        row(shell, "understand.threshold").control.focus()
        await pilot.press("0", ".", "8")
        await until(pilot, lambda: not shell.session.problem and practice.resolution is not None)
        assert practice.plan.understand.threshold == 0.8

    wizard(practice, act)


def test_a_file_that_can_not_be_used_leads_to_the_place_where_another_is_chosen(tmp_path: Path) -> None:
    (tmp_path / "bad.csv").write_text("only,a,header\n")
    (tmp_path / "good.csv").write_text(PRODUCTS)
    project = new_project("bad.csv", tmp_path)

    async def act(app: TunesmithApp, pilot: Pilot[Any], shell: Shell) -> None:
        await until(pilot, lambda: isinstance(app.screen, Failure))
        await pilot.press("enter")
        await until(pilot, lambda: shell.step is not None and shell.step.stage == "prepare")
        row(shell, "prepare.data").control.focus()
        await pilot.press("space")
        await until(pilot, lambda: isinstance(app.screen, Browse))
        await pilot.press(*"good.csv", "enter")
        await until(pilot, lambda: project.resolution is not None)
        assert project.plan.prepare.data == str(tmp_path / "good.csv")

    wizard(project, act)


def test_no_run_starts_on_a_file_that_was_replaced(products: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[Any] = []
    monkeypatch.setattr(starting, "launch", lambda plan, reasons: started.append(plan))

    async def act(app: TunesmithApp, pilot: Pilot[Any], shell: Shell) -> None:
        for _ in range(3):
            await pilot.press("enter")
            await pilot.pause(0.2)
        assert shell.query("#step-review")
        (products.base / "bad.csv").write_text("only,a,header\n")
        products.wish("prepare.data", "bad.csv")
        await pilot.press("enter", "enter")
        await pilot.pause(0.3)
        assert not started

    wizard(products, act, counted=True)


def test_enter_pressed_twice_starts_one_run(products: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[Any] = []

    def slowly(plan: Any, reasons: Any) -> Run:
        started.append(plan)
        run = create_run("products")
        run.plan_path.write_text("")
        return run

    monkeypatch.setattr(starting, "launch", slowly)

    async def act(app: TunesmithApp, pilot: Pilot[Any], shell: Shell) -> None:
        for _ in range(3):
            await pilot.press("enter")
            await pilot.pause(0.2)
        await pilot.press("enter", "enter", "enter")
        await until(pilot, lambda: bool(started))
        await pilot.pause(0.5)
        assert len(started) == 1
        assert products.run is not None

    wizard(products, act, counted=True)


def test_a_start_that_may_go_wrong_needs_a_yes(products: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[Any] = []
    monkeypatch.setattr(starting, "launch", lambda plan, reasons: started.append(plan))

    async def act(app: TunesmithApp, pilot: Pilot[Any], shell: Shell) -> None:
        products.wish("select.hyperparameters.batch_size", 1 << 20)
        for _ in range(3):
            await pilot.press("enter")
            await pilot.pause(0.3)
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, Confirm))
        await pilot.press("enter")
        await pilot.pause(0.2)
        assert not started and isinstance(app.screen, Shell)

    wizard(products, act, counted=True)


def test_the_columns_of_the_file_are_offered(products: Project) -> None:
    async def act(app: TunesmithApp, pilot: Pilot[Any], shell: Shell) -> None:
        await pilot.press("enter")
        await pilot.pause(0.2)
        row(shell, "prepare.split.by").control.focus()
        await pilot.press("space")
        await until(pilot, lambda: isinstance(app.screen, Choose))
        assert app.screen.query_one(OptionList).option_count == 4  # none, and three columns

    wizard(products, act)


def test_all_settings_show_on_every_step_and_go_again(products: Project) -> None:
    async def act(app: TunesmithApp, pilot: Pilot[Any], shell: Shell) -> None:
        for _ in range(3):
            await pilot.press("enter")
            await pilot.pause(0.2)
        assert not shell.query("#knob-productionize-port")
        await pilot.press("x")
        await pilot.pause(0.3)
        assert shell.query("#knob-productionize-port")
        await pilot.press("x")
        await pilot.pause(0.3)
        assert not shell.query("#knob-productionize-port")

    wizard(products, act, counted=True)


def test_another_method_and_back_keeps_what_was_stated(practice: Project) -> None:
    async def act(app: TunesmithApp, pilot: Pilot[Any], shell: Shell) -> None:
        practice.wish("select.lora.rank", 48)
        practice.wish("select.method", "full")
        assert "select.lora.rank" not in practice.wishes
        practice.wish("select.method", "lora")
        assert practice.plan.select.lora is not None and practice.plan.select.lora.rank == 48

    wizard(practice, act)


def test_two_wizards_on_one_project_lose_no_answer(practice: Project) -> None:
    async def act(app: TunesmithApp, pilot: Pilot[Any], shell: Shell) -> None:
        other = next(one for one in list_projects() if one.folder == practice.folder)
        other.saved.wishes["understand.goal"] = "Said in the other window."
        other.save()
        practice.go_to("select")
        kept = next(one for one in list_projects() if one.folder == practice.folder)
        assert kept.wishes["understand.goal"] == "Said in the other window."

    wizard(practice, act)


def test_a_path_that_can_not_be_looked_at_is_told_in_the_box(practice: Project) -> None:
    async def act(app: TunesmithApp, pilot: Pilot[Any], shell: Shell) -> None:
        await pilot.press("enter")
        await pilot.pause(0.2)
        row(shell, "prepare.data").control.focus()
        await pilot.press("space")
        await until(pilot, lambda: isinstance(app.screen, Browse))
        for text, message in (
            ("x" * 5000, "can't be looked at"),
            ("nowhere.csv", "There is no file"),
        ):
            app.screen.query_one(Input).value = text
            await pilot.press("enter")
            await pilot.pause()
            assert message in str(app.screen.query_one("#browse-error", Static).content)
        await pilot.press("escape")

    wizard(practice, act)


def test_a_file_name_is_text_and_never_a_terminal_command(practice: Project, tmp_path: Path) -> None:
    (tmp_path / "e\x1b[31mvil.csv").write_text("a\n1\n")

    async def act(app: TunesmithApp, pilot: Pilot[Any], shell: Shell) -> None:
        await pilot.press("enter")
        await pilot.pause(0.2)
        row(shell, "prepare.data").control.focus()
        await pilot.press("space")
        await until(pilot, lambda: isinstance(app.screen, Browse))
        await pilot.pause(0.5)
        picture = app.export_screenshot()
        assert "\\x1b[31mvil.csv" in picture.replace("&#160;", " ")

    wizard(practice, act)


def test_a_disk_that_refuses_does_not_end_the_wizard(practice: Project) -> None:
    async def act(app: TunesmithApp, pilot: Pilot[Any], shell: Shell) -> None:
        practice.folder = practice.folder / "project.json" / "below"  # no folder can be made there
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, Failure))
        assert app.is_running

    wizard(practice, act)


def test_what_changes_in_an_accepted_step_is_said_with_the_key_that_shows_it(practice: Project) -> None:
    async def act(app: TunesmithApp, pilot: Pilot[Any], shell: Shell) -> None:
        await pilot.press("enter")
        await until(pilot, lambda: bool(shell.query("#step-prepare")))
        notice = shell.query_one("#notice", Static)
        practice.wish("understand.use_case", "summarisation")
        shell._changed(False)
        assert "Step 1 changed: " in str(notice.content) and "1 shows it, Enter there accepts." in str(notice.content)
        assert "metric exact match → ROUGE-L" in str(notice.content) or "more" in str(notice.content)
        await pilot.press("1")
        await until(pilot, lambda: "Changed since you accepted it: " in str(notice.content))
        await pilot.press("enter")
        await until(pilot, lambda: practice.standing("understand") == "settled")
        await until(pilot, lambda: "hanged" not in str(notice.content))

    wizard(practice, act, counted=True)


def test_the_footer_fits_80_columns_and_names_the_arrows_and_what_is_below(practice: Project) -> None:
    async def act(app: TunesmithApp, pilot: Pilot[Any], shell: Shell) -> None:
        row(shell, "understand.use_case").control.focus()
        await until(pilot, lambda: any("←→" in str(key.key_display) for key in shell.query(FooterKey)))
        shown = list(shell.query(FooterKey))
        assert any(key.key_display == "PgDn" for key in shown)
        assert max(key.region.right for key in shown) <= 80

    wizard(practice, act, counted=True)


def test_nothing_is_said_of_a_value_before_it_is_known(practice: Project) -> None:
    async def act(app: TunesmithApp, pilot: Pilot[Any], shell: Shell) -> None:
        new = KnobRow(knob_at("understand.users"), shell.session.glyphs)
        assert isinstance(new.control, Choice) and str(new.control.render()) == "…"
        money = row(shell, "understand.budget_money").control
        assert isinstance(money, Input) and money.placeholder == "no limit"

    wizard(practice, act)
