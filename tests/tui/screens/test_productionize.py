"""The step Productionize: what was made and where, the model served and asked, and that no server is left behind."""

from __future__ import annotations

import asyncio
import shutil
import socket
import time
from pathlib import Path
from typing import Any

import psutil
import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from tests.tui.screens.results_kit import HOSTILE, SIZES, Host, evaluated, look_at, new_run, produced, seen, tell
from tunesmith.core.events import JobStarted, StageFinished
from tunesmith.core.productionize.serve import Manner, Server
from tunesmith.core.productionize.trying import own_question, record_of, trial_chat
from tunesmith.core.rows import Message, Row, ask
from tunesmith.core.run import Run
from tunesmith.core.stages import STAGES
from tunesmith.tui.glyphs import ASCII
from tunesmith.tui.screens import productionize
from tunesmith.tui.screens.productionize import ProductionizeStep
from tunesmith.tui.widgets.next_line import NextLine
from tunesmith.tui.widgets.snippets import Snippets

PRACTICE = Path(productionize.__file__).parents[2] / "core" / "practice" / "model"


@pytest.fixture
def tree(plan_tree: dict[str, Any]) -> dict[str, Any]:
    plan_tree["productionize"]["port"] = 0
    return plan_tree


@pytest.fixture
def run(tree: dict[str, Any], runs_folder: Path) -> Run:
    return evaluated(new_run(tree, runs_folder))


@pytest.mark.parametrize("size", SIZES)
def test_what_was_made_stands_with_sizes_and_places(run: Run, size: tuple[int, int]) -> None:
    told = look_at(ProductionizeStep, produced(run), size=size)
    assert "✓ The merged model gives the same answers." in told
    for text in ("merged model", "9 MiB", "with a card, README.md", "SERVE.md", "report.md"):
        assert text in told
    assert str(run.folder) in told.replace("\n", "")
    for text in (
        "serve for longer",
        "your own file",
        "share the tuning",
        "run it again",
        "curl -s http://127.0.0.1:8000",
    ):
        assert text in told
    assert "serve the model and try it" in told


def test_the_step_has_the_id_that_the_shell_looks_for(run: Run) -> None:
    async def act(host: Host, pilot: Pilot[None]) -> None:
        assert host.frame.step.id == "step-productionize"

    look_at(ProductionizeStep, produced(run), act)


def test_without_a_merged_model_it_says_how_to_get_one(run: Run) -> None:
    async def act(host: Host, pilot: Pilot[None]) -> None:
        await pilot.press("enter")
        await pilot.pause()

    told = " ".join(look_at(ProductionizeStep, produced(run, whole=False), act).split())
    assert "There is no whole model to serve: the plan says merge: false" in told
    assert f"`tunesmith run {run.name} --from productionize`" in told
    assert "serve the model" not in told and "This was the last step" in told


def test_what_is_gone_is_said_to_be_gone(run: Run) -> None:
    produced(run)
    run.report_path.unlink()
    line = next(line for line in look_at(ProductionizeStep, run).split("\n") if line.startswith("report"))
    assert "gone" in line


def test_before_its_turn_it_says_what_it_waits_for(run: Run) -> None:
    tell(run, JobStarted(pid=1, stages=list(STAGES)), StageFinished(stage="finetune", seconds=1, summary=""))
    told = look_at(ProductionizeStep, run)
    assert "Productionize: stopped before it was done" in told and "go on with the run where it ended" in told
    assert "Nothing was run yet" in look_at(ProductionizeStep, None)


def test_commands_are_turned_and_copied(run: Run) -> None:
    async def act(host: Host, pilot: Pilot[None]) -> None:
        snippets = host.frame.step.query_one(Snippets)
        await pilot.press("down", "right", "right")
        assert snippets.text == f"tunesmith serve {run.name}"
        await pilot.press("left", "y")
        assert host.clipboard == snippets.text and snippets.text.startswith("from openai import OpenAI")
        await pilot.press("left", "left")
        assert snippets.text.startswith("vllm serve")

    told = " ".join(look_at(ProductionizeStep, produced(run), act).split())
    assert "Copied, where your terminal allows it: ask from Python." in told and "SERVE.md too" in told


@pytest.mark.parametrize("size", [*SIZES, (20, 5), (40, 12)])
def test_hostile_text_is_shown_and_not_obeyed(run: Run, size: tuple[int, int]) -> None:
    told = look_at(ProductionizeStep, produced(run, finding=HOSTILE), size=size)
    assert not set("\x1b\x07\u202e") & set(told)


@pytest.mark.parametrize("size", [*SIZES, (20, 5)])
def test_ascii_is_enough(run: Run, size: tuple[int, int]) -> None:
    told = look_at(ProductionizeStep, produced(run), size=size, glyphs=ASCII)
    assert told.isascii(), [sign for sign in told if not sign.isascii()]


def test_a_server_that_can_not_start_is_told_in_sentences(run: Run) -> None:
    produced(run)

    async def act(host: Host, pilot: Pilot[None]) -> None:
        shutil.rmtree(run.merged)  # behind the wizard's back
        await pilot.press("enter")
        await until(pilot, lambda: "There is no model folder" in seen(host))
        assert "serve the model and try it" in seen(host)

    look_at(ProductionizeStep, run, act)


def test_a_question_stands_in_the_trained_prompt() -> None:
    row = Row("1", ask("Who?", "Name: Ada", "Be brief."), "Ada", context="Name: Ada", question="Who?")
    assert own_question(row) == "Who?" and record_of(row) == "system: Be brief.\nName: Ada"
    assert trial_chat(row, "Who?") == [turn.as_dict() for turn in row.prompt]
    assert trial_chat(row, "When?")[1] == {"role": "user", "content": "Name: Ada\n\nWhen?"}
    chat = Row(
        "2", [Message("system", "S"), Message("user", "Hi"), Message("assistant", "Ho"), Message("user", "A?")], "b"
    )
    assert own_question(chat) == "A?" and record_of(chat) == "system: S\nuser: Hi\nassistant: Ho"
    assert [turn["content"] for turn in trial_chat(chat, "B?")] == ["S", "Hi", "Ho", "B?"]


class StillLoading:
    """What waits as a server that loads a large model does, and tells whether it was given up."""

    given_up = False

    def __call__(self, model: Path, host: str, port: int, log: Path, manner: Manner) -> Server:
        try:
            while True:
                manner.waiting()
                time.sleep(0.02)
        except BaseException:
            self.given_up = True
            raise


@pytest.fixture
def loading(monkeypatch: pytest.MonkeyPatch) -> StillLoading:
    stub = StillLoading()
    monkeypatch.setattr("tunesmith.core.productionize.trying.start_server", stub)
    return stub


async def until(pilot: Pilot[None], found: Any, seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not found():
        assert time.monotonic() < deadline, "it did not happen"
        await pilot.pause(0.05)


@pytest.mark.parametrize("size", SIZES)
def test_loading_tells_the_seconds_and_esc_ends_it(run: Run, loading: StillLoading, size: tuple[int, int]) -> None:
    async def act(host: Host, pilot: Pilot[None]) -> None:
        await pilot.press("enter")
        await until(pilot, lambda: "1 s so far (10 s as a rule" in seen(host))
        assert "one moment, the model is being loaded" in seen(host)
        await pilot.press("enter", "escape")
        await until(pilot, lambda: loading.given_up and "serve the model and try it" in seen(host))
        assert host.frame.asked == []
        await pilot.press("escape")
        assert host.frame.asked == ["back"]

    look_at(ProductionizeStep, produced(run), act, size)


def test_leaving_while_it_loads_ends_it(run: Run, loading: StillLoading) -> None:
    async def act(host: Host, pilot: Pilot[None]) -> None:
        await pilot.press("enter")
        await until(pilot, lambda: "Loading the model" in seen(host))

    began = time.monotonic()
    look_at(ProductionizeStep, produced(run), act)
    assert loading.given_up and time.monotonic() - began < 10


def servers() -> list[psutil.Process]:
    return [one for one in psutil.Process().children(recursive=True) if one.status() != psutil.STATUS_ZOMBIE]


@pytest.mark.slow
def test_the_model_is_served_asked_and_gone_with_the_wizard(
    plan_tree: dict[str, Any], runs_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        plan_tree["productionize"]["port"] = port
        run = evaluated(new_run(plan_tree, runs_folder))
        shutil.copytree(PRACTICE, run.merged)
        produced(run)

        async def act(host: Host, pilot: Pilot[None]) -> None:
            await pilot.press("enter")
            await until(pilot, lambda: "ask the model this question" in seen(host), 120)
            told = " ".join(seen(host).split())
            assert f"port {port} is taken, so a free one" in told and "ends with this window" in told
            entry = host.frame.step.query_one(Input)
            await until(pilot, lambda: entry.has_focus)
            assert entry.value == "Which floor is R0 on?" and len(servers()) == 1
            await pilot.press("enter")
            await until(pilot, lambda: "expected  0" in seen(host), 120)
            assert "the same" in seen(host)  # or not: the practice model was not tuned for rooms
            await pilot.press("down")
            assert entry.value == "Which floor is R1 on?" and "Room: R1, Colour: red" in seen(host)
            entry.value = "Which colour has R1?"
            await pilot.press("enter")
            await until(pilot, lambda: "Your own question" in seen(host), 120)
            for size in ((20, 5), (120, 40), (80, 24)):
                await pilot.resize_terminal(*size)
                await pilot.pause()
            await pilot.press("escape")
            assert isinstance(host.frame.focused, NextLine)
            await pilot.press("e")
            await until(pilot, lambda: "serve the model and try it" in seen(host) and not servers())
            await pilot.press("enter")
            await until(pilot, lambda: "ask the model this question" in seen(host), 120)

        look_at(ProductionizeStep, run, act)
    assert not servers()


@pytest.mark.slow
def test_leaving_while_a_real_server_loads_leaves_nothing_behind(run: Run) -> None:
    shutil.copytree(PRACTICE, run.merged)
    produced(run)

    async def act(host: Host, pilot: Pilot[None]) -> None:
        await pilot.press("enter")
        await until(pilot, lambda: len(servers()) == 1)
        await asyncio.sleep(1)

    look_at(ProductionizeStep, run, act)
    assert not servers()
