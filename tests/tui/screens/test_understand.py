"""The first step in the real application: groups of questions, and the advice that answers to them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from textual.content import Content
from textual.pilot import Pilot
from textual.widgets import Static

from tests.tui.test_wizard import row, until, wizard
from tunesmith.core.plan_yaml import validate
from tunesmith.core.project import Project, new_project
from tunesmith.core.schema import knobs
from tunesmith.core.understand.advice import advise_on
from tunesmith.core.understand.turns import turns_on
from tunesmith.tui.app import TunesmithApp
from tunesmith.tui.screens.shell import Shell
from tunesmith.tui.screens.understand import told
from tunesmith.tui.widgets.knob_row import KnobRow
from tunesmith.tui.widgets.why import Why


@pytest.fixture
def practice(tmp_path: Path) -> Project:
    return new_project("practice", tmp_path)


def panel(shell: Shell) -> str:
    assert shell.step is not None
    return " ".join(str(shell.step.query_one("#why-text", Static).content).split())


def said(tree: dict[str, Any], **answers: Any) -> str:
    tree["understand"].update({"examples": 410, **answers})
    plan = validate(tree)
    text: Content = told(advise_on(plan, 2_200_000), plan.understand, turns_on(plan, 2_200_000))
    return " ".join(text.plain.split())


def test_every_question_has_a_row_below_one_of_five_headings(practice: Project) -> None:
    async def act(app: TunesmithApp, pilot: Pilot[Any], shell: Shell) -> None:
        assert shell.step is not None
        headings = [str(one.content) for one in shell.step.query(".group").results(Static)]
        assert headings == ["The task", "What is there", "What counts", "Limits", "The way"]
        rows = [one.knob.path for one in shell.step.query(KnobRow)]
        assert sorted(rows) == sorted(knob.path for knob in knobs("understand") if knob.question)
        await pilot.press("x")
        await until(pilot, lambda: len(shell.query(KnobRow)) == len(knobs("understand")))
        shots = row(shell, "understand.evidence.shots")
        shots.control.focus()
        await pilot.press(*"0, 2")
        assert practice.wishes["understand.evidence.shots"] == [0, 2]
        await pilot.press("home", "shift+end", "delete")
        assert "understand.evidence.shots" not in practice.wishes

    wizard(practice, act)


def test_the_advice_changes_with_an_answer_and_is_seen_at_the_question(practice: Project) -> None:
    async def act(app: TunesmithApp, pilot: Pilot[Any], shell: Shell) -> None:
        await until(pilot, lambda: "Advice: fine-tuning" in panel(shell))
        row(shell, "understand.example_form").control.focus()
        await pilot.press("left")  # the option before the first is the last one
        await until(pilot, lambda: "Stop: don't fine-tune. Advice: prompting" in panel(shell))
        assert practice.wishes["understand.example_form"] == "none"
        assert practice.plan.understand.approach == "prompt"
        await pilot.press("space")
        await pilot.pause()
        assert len(app.screen_stack) > 1
        await pilot.press("home", "enter")
        await until(pilot, lambda: practice.plan.understand.example_form == "pairs")

    wizard(practice, act)


def test_a_limit_is_typed_and_taken_away_again(practice: Project) -> None:
    async def act(app: TunesmithApp, pilot: Pilot[Any], shell: Shell) -> None:
        hours = row(shell, "understand.budget_hours")
        hours.control.focus()
        await pilot.press("1")
        assert practice.plan.understand.budget_hours == 1
        assert hours.query_one(".knob-mark", Static).has_class("-yours")
        await pilot.press("backspace")
        assert practice.plan.understand.budget_hours is None

    wizard(practice, act)


def test_page_down_reads_the_advice_to_its_end_before_it_moves_the_questions(practice: Project) -> None:
    async def act(app: TunesmithApp, pilot: Pilot[Any], shell: Shell) -> None:
        assert shell.step is not None
        why, form = shell.step.query_one(Why), shell.step.query_one(".step-form")
        await until(pilot, lambda: why.max_scroll_y > 0)
        presses = 0
        while why.scroll_y < why.max_scroll_y:
            assert form.scroll_y == 0
            await pilot.press("pagedown")
            await pilot.pause()
            presses += 1
            assert presses < 40
        await pilot.press("pagedown")
        await until(pilot, lambda: form.scroll_y > 0)
        for _ in range(40):
            await pilot.press("pageup")
        await until(pilot, lambda: form.scroll_y == 0 and why.scroll_y == 0)

    wizard(practice, act)


def test_stop_is_said_visibly_with_what_is_offered_instead(plan_tree: dict[str, Any]) -> None:
    text = said(plan_tree, knowledge_changes="weekly", approach="retrieval")
    assert not text.startswith("Stop")  # the context comes along: the reading can be tuned
    plan_tree["prepare"].update(shape="question-answer", columns={"question": "q", "answer": "a"})
    for key in ("fields", "questions", "layouts", "shuffle_fields"):
        plan_tree["prepare"].pop(key)
    text = said(plan_tree, knowledge_changes="weekly", approach="retrieval")
    assert text.startswith("Stop: don't fine-tune. Advice: retrieval")
    assert "1. the facts change weekly" in text
    assert "Instead: Tunesmith builds no index." in text
    assert "What would weaken it - facts that change once a year or less" in text
    assert "Next 1. Split your documents" in text
    assert "The other ways" in text and "fine-tuning" in text.partition("The other ways")[2]
    assert "Sources 1. Lewis et al. 2020" in text


@pytest.mark.parametrize(
    ("answers", "sentence"),
    [
        ({"approach": "retrieval"}, "You chose retrieval; the run scores the untouched model and stops there."),
        ({"approach": "retrieval", "evidence": {"stop": False}}, "You chose retrieval; it is trained all the same"),
        ({"approach": "smaller-model"}, "You chose tuning a smaller model; it is trained all the same"),
        ({"quality": "noisy"}, "First: Clean the examples before anything is trained"),
        ({"knowledge_changes": "daily"}, "Pulling apart facts that change daily and questions that come with their"),
    ],
)
def test_what_follows_from_an_answer_is_said(plan_tree: dict[str, Any], answers: dict[str, Any], sentence: str) -> None:
    assert sentence in said(plan_tree, **answers)
