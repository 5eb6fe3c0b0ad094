"""The step Fine-tune on the events of real run folders: what it says, what Enter does, and what it sends."""

from __future__ import annotations

import asyncio
import fcntl
import os
import pty
import select
import socket
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path
from typing import ClassVar

import msgspec
import pytest
from textual.app import App, ComposeResult
from textual.content import Content
from textual.pilot import Pilot
from textual.screen import Screen
from textual.widget import Widget

from tests.core.test_history import answered, saved, scored, started, trained
from tunesmith.core.events import (
    AnyEvent,
    Decision,
    EventWriter,
    Evidence,
    JobError,
    JobFinished,
    StageFinished,
    StageStarted,
)
from tunesmith.core.events import Progress as Piece
from tunesmith.core.events import Step as TrainingStep
from tunesmith.core.jobs import own_start_time
from tunesmith.core.project import Project
from tunesmith.core.project_file import Saved
from tunesmith.core.run import ExitRecord, JobRecord, Run, write_json
from tunesmith.themes.palettes import THEMES
from tunesmith.tui.app import TunesmithApp
from tunesmith.tui.glyphs import ASCII, UNICODE, Glyphs
from tunesmith.tui.screens.finetune import FinetuneStep
from tunesmith.tui.screens.shell import Shell
from tunesmith.tui.screens.step import Step
from tunesmith.tui.session import Session
from tunesmith.tui.widgets.curve import Curve

TUI = Path(sys.modules[Shell.__module__].__file__ or "").parent
SIZES = ((80, 24), (120, 40))


class Frame(Screen[None]):
    """The shell without a project: its styles, and a note of what the step asks of it."""

    CSS_PATH: ClassVar = [TUI / "shell.tcss", TUI / "finetune.tcss", TUI.parent / "widgets" / "curve.tcss"]
    HORIZONTAL_BREAKPOINTS = Shell.HORIZONTAL_BREAKPOINTS
    VERTICAL_BREAKPOINTS = Shell.VERTICAL_BREAKPOINTS

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.session = session
        self.asked: list[str] = []

    def compose(self) -> ComposeResult:
        yield FinetuneStep(self.session)

    @property
    def step(self) -> FinetuneStep:
        return self.query_one(FinetuneStep)

    def look(self) -> None:
        """As the shell does it twice a second."""
        while self.session.read_news():
            pass
        self.step.show_run()

    def on_step_go_on(self, event: Step.GoOn) -> None:
        self.asked.append("go on")

    def go_on_with_run(self) -> None:
        self.asked.append("resume")

    def action_review(self) -> None:
        self.asked.append("review")

    def action_accept(self) -> None:
        self.step.accept()


class Host(App[None]):
    CSS_PATH = TUI.parent.parent / "themes" / "app.tcss"
    get_theme_variable_defaults = TunesmithApp.get_theme_variable_defaults

    def __init__(self, run: Run | None, glyphs: Glyphs = UNICODE, theme: str = THEMES[0].name) -> None:
        super().__init__()
        for one in THEMES:
            self.register_theme(one)
        self.theme = theme
        session = Session(glyphs, Project(Path("/nowhere"), Saved("/nowhere")))
        if run is not None:
            session.watch(run)
        self.frame = Frame(session)

    async def on_mount(self) -> None:
        await self.push_screen(self.frame)


def text_of(widget: Widget) -> str:
    drawn = widget.render()
    return drawn.plain if isinstance(drawn, Content) else str(drawn)


def seen(host: Host) -> str:
    """Everything that is displayed as text, the charts left out."""
    shown = [one for one in host.frame.walk_children(Widget) if one.region and one.display and not one.children]
    charts = [*host.frame.query(Curve), *host.frame.query("Curve *")]
    return "\n".join(text_of(one) for one in shown if one not in charts)


Act = Callable[[Host, Pilot[None]], Awaitable[None]]


def look_at(run: Run | None, act: Act | None = None, size: tuple[int, int] = (80, 24), glyphs: Glyphs = UNICODE) -> str:
    """What the step says of this run, after `act`."""

    async def go() -> str:
        host = Host(run, glyphs)
        async with host.run_test(size=size) as pilot:
            host.frame.look()
            await pilot.pause()
            if act is not None:
                await act(host, pilot)
                await pilot.pause()
            return seen(host)

    return asyncio.run(go())


def enter(run: Run | None) -> list[str]:
    """What Enter asks of the shell."""
    asked: list[str] = []

    async def press(host: Host, pilot: Pilot[None]) -> None:
        host.frame.step.accept()
        await pilot.pause()
        asked.extend(host.frame.asked)

    look_at(run, press)
    return asked


@pytest.fixture
def run(tmp_path: Path) -> Run:
    folder = tmp_path / "run-20260101-101010"
    folder.mkdir()
    return Run(folder)


def tell(run: Run, *events: AnyEvent) -> Run:
    writer = EventWriter(run.events_path)
    for event in events:
        writer.write(event)
    writer.close()
    return run


def at_work(run: Run) -> None:
    """This process is the worker, so the run is alive."""
    write_json(run.job_path, JobRecord(os.getpid(), own_start_time(), socket.gethostname(), ["finetune"]))
    run.heartbeat_path.touch()


def gone(run: Run) -> None:
    """The worker is no more and left no word."""
    write_json(run.job_path, JobRecord(os.getpid(), 1.0, socket.gethostname(), ["finetune"]))


def step(number: int, loss: float = 1.0, of: int = 106) -> TrainingStep:
    return TrainingStep(
        step=number, steps=of, epoch=0.1, loss=loss, learning_rate=1e-4, seconds_left=42.0, tokens_per_second=1234.4,
        memory_bytes=15 * 2**30, memory_kind="gpu",
    )  # fmt: skip


def under_way() -> list[AnyEvent]:
    looks: list[AnyEvent] = [scored(0, 0.0), answered(0, "Grace"), scored(20, 0.625), answered(20, "Ada"), saved(20)]
    return [*trained(), step(1, 2.3), *looks[:2], *(step(n, 2 / n) for n in range(2, 21)), *looks[2:], step(53, 0.04)]


DONE = StageFinished(stage="finetune", seconds=66, summary="106 steps in 58 s, loss 2.30 → 0.031; exact match 93.8 %")
BROKEN = JobError(
    title="The memory is not enough for this plan.", stage="finetune", log=f"/{'a long way/' * 9}worker.log",
    cause="CUDA out of memory. Tried to allocate 2.00 GiB. The GPU has 15.77 GiB, of which 1.20 GiB is free.",
    next_step="Take a smaller micro-batch or sequence length, gradient checkpointing, or qlora.",
)  # fmt: skip


@pytest.mark.parametrize("size", SIZES)
def test_a_training_under_way_says_how_far_it_is_and_enter_does_nothing(run: Run, size: tuple[int, int]) -> None:
    at_work(tell(run, *under_way()))
    text = look_at(run, size=size)
    assert "● training, step 53 of 106" in text
    assert "about 40 s left" in text
    assert "1,234 tokens/s" in text and "15.0 GiB on the GPU" in text and "exact match 62.5 %" in text
    assert "s stops and saves" in text and "leave with q" in text
    assert "✓ Fine-tune     checkpoint saved at step 20" in text
    assert "Who?" in text and "Grace" in text and "Ada ✓ right" in text and "At step 20" in text
    assert enter(run) == []


@pytest.mark.parametrize("size", SIZES)
def test_both_charts_are_seen_where_there_is_room_else_c_turns_to_the_other(run: Run, size: tuple[int, int]) -> None:
    at_work(tell(run, *under_way()))
    charts: list[list[bool]] = []

    async def turn(host: Host, pilot: Pilot[None]) -> None:
        for _ in range(3):
            charts.append([bool(chart.region) for chart in host.frame.query(Curve)])
            await pilot.press("c")
            await pilot.pause()

    look_at(run, turn, size)
    assert charts == ([[True, True]] * 3 if size[0] >= 100 else [[True, False], [False, True], [True, False]])


def test_each_piece_of_work_is_told_in_words(run: Run) -> None:
    assert "nothing was started yet" in look_at(None)
    assert "not started yet" in look_at(run)
    at_work(run)
    text = look_at(run)
    assert "● starting: loading the libraries" in text and "The curves begin with the first steps." in text
    tell(run, started("prepare", "finetune", "evaluate"), StageStarted(stage="prepare"))
    assert "Prepare: at work" in look_at(run)
    tell(run, Piece(stage="prepare", doing="writing rows", done=3, total=10))
    assert "Prepare: writing rows, 3 of 10" in look_at(run)
    tell(run, StageFinished(stage="prepare", seconds=1, summary="10 rows"), StageStarted(stage="finetune"))
    assert "starting: loading the model and the rows" in look_at(run)
    tell(run, step(1), Piece(stage="finetune", doing="answering validation rows", done=8, total=16))
    assert "● step 1 of 106 · answering questions, 8 of 16" in look_at(run)
    run.stop_path.touch()
    assert "■ stopping: it saves a checkpoint after this step" in look_at(run)
    run.stop_path.unlink()
    tell(run, DONE, StageStarted(stage="evaluate"), Piece(stage="evaluate", doing="base", done=5, total=60))
    text = look_at(run)
    assert "Evaluate: base, 5 of 60" in text and "loss 2.30 → 0.031\nexact match 93.8 %" in text
    assert "Enter ▸ open Evaluate, which is at work" in text
    assert enter(run) == ["go on"]


def test_a_finished_training_leads_to_evaluate(run: Run) -> None:
    tell(run, *under_way(), DONE, JobFinished(outcome="finished"))
    write_json(run.exit_path, ExitRecord("finished", 1.0))
    text = look_at(run)
    assert "✓ finished: the tuned model is saved" in text and "took 66 s" in text
    assert enter(run) == ["go on"]


def test_a_stopped_run_goes_on_from_its_checkpoint(run: Run) -> None:
    tell(run, *under_way(), saved(53), JobFinished(outcome="stopped", text="stopped in finetune"))
    write_json(run.exit_path, ExitRecord("stopped", 1.0))
    text = look_at(run)
    assert "■ stopped and saved" in text and "The checkpoint of step 53 of 106 is kept; nothing is lost." in text
    assert "Enter ▸ go on after step 53" in text
    assert enter(run) == ["resume"]


def test_a_killed_run_says_what_is_kept_and_goes_on(run: Run) -> None:
    gone(tell(run, *under_way()))
    text = look_at(run)
    assert "✗ killed: the worker ended without a word" in text
    assert "The checkpoint of step 20 of 106 is kept." in text and f"The log: {run.log_path}" in text
    assert enter(run) == ["resume"]


def test_a_run_killed_before_its_first_checkpoint_begins_again(run: Run) -> None:
    gone(tell(run, *trained(step(1))))
    text = look_at(run)
    assert "There was no checkpoint yet." in text and "Enter ▸ go on; the training begins again" in text


@pytest.mark.parametrize("size", SIZES)
def test_a_failed_run_says_why_where_the_log_is_and_leads_to_the_plan(run: Run, size: tuple[int, int]) -> None:
    tell(run, *under_way(), BROKEN)
    write_json(run.exit_path, ExitRecord("failed", 1.0, BROKEN.title, BROKEN.cause, BROKEN.next_step))
    text = look_at(run, size=size)
    assert "✗ Fine-tune failed" in text
    assert f"{BROKEN.title}\n{BROKEN.cause}\n{BROKEN.next_step}\nThe log: {BROKEN.log}" in text
    assert "Enter ▸ go back to the plan and change it · g goes on from step 20 as it is" in text
    assert enter(run) == ["review"]

    async def press(host: Host, pilot: Pilot[None]) -> None:
        detail = host.frame.query_one("#finetune-detail")
        assert detail.get_content_height(detail.size, detail.size, detail.size.width) <= detail.size.height
        assert all(detail.region.bottom <= chart.region.y for chart in host.frame.query(Curve) if chart.region)
        host.frame.step.arrive()
        await pilot.press("g")
        await pilot.pause()
        assert host.frame.asked == ["resume"]

    look_at(run, press, size)


def test_an_error_after_the_training_does_not_hide_that_the_model_is_there(run: Run) -> None:
    late = JobError(title="The disk is full.", cause="", next_step="Free some room.", log="/l", stage="evaluate")
    tell(run, *under_way(), DONE, StageStarted(stage="evaluate"), late)
    write_json(run.exit_path, ExitRecord("failed", 1.0, late.title))
    text = look_at(run)
    assert "! the tuned model is saved; Evaluate failed" in text and "The disk is full.\nFree some room." in text
    assert enter(run) == ["go on"]


def by(look: AnyEvent, metric: str, value: float | None) -> AnyEvent:
    return msgspec.structs.replace(look, metric=metric, score=value)


@pytest.mark.parametrize("size", SIZES)
def test_the_score_that_was_chosen_is_charted(run: Run, size: tuple[int, int]) -> None:
    looks = [by(scored(0, 0.0, 0.1), "rouge_l", 0.2), by(scored(20, 0.0, 0.2), "rouge_l", 0.45)]
    at_work(tell(run, *trained(step(1)), looks[0], *(step(n) for n in range(2, 21)), looks[1]))
    drawn: list[str] = []

    async def see(host: Host, pilot: Pilot[None]) -> None:
        if size[0] < 100:
            await pilot.press("c")
            await pilot.pause()
        drawn.append(points(host)[1])
        assert text_of(host.frame.query_one("#scores-title")).startswith("▲ ROUGE-L and ◆ F1 in %: higher is better")

    assert "ROUGE-L 45.0 %" in look_at(run, see, size)
    legend = drawn[0].split("\n")[0]  # where both charts stand beside each other, it has no room for names
    names = ("ROUGE-L ", "F1 ", "untouched ") if size[0] < 100 else ("", "", "")
    assert f"▲ {names[0]}45.0 %" in legend and f"◆ {names[1]}20.0 %" in legend and f"╌╌ {names[2]}20.0 %" in legend


@pytest.mark.parametrize("glyphs", [UNICODE, ASCII])
def test_perplexity_is_charted_as_a_number_that_falls_towards_one(run: Run, glyphs: Glyphs) -> None:
    values = {0: 38.0, 20: 6.2, 40: 1.21, 60: None}
    looks = [by(scored(n), "perplexity", value) for n, value in values.items()]
    told: list[list[str]] = []

    async def see(host: Host, pilot: Pilot[None]) -> None:
        tell(run, *trained(step(1)))
        host.frame.look()
        tell(run, looks[0], *(step(n) for n in range(2, 21)), looks[1])
        host.frame.look()
        tell(run, *(step(n) for n in range(21, 41)), looks[2])
        host.frame.look()
        await pilot.pause()
        told.append(points(host)[1].split("\n"))
        title = text_of(host.frame.query_one("#scores-title"))
        assert title.strip() == f"{'#' if glyphs is ASCII else '▲'} perplexity: lower is better"

    look_at(run, see, (120, 40), glyphs)
    lines = told[0]
    mark = "#" if glyphs is ASCII else "▲"
    assert f"{mark} perplexity 1.210" in lines[0] and "untouched 38.000" in lines[0]
    axis = [line[:6].strip() for line in lines[1:-1] if line[:6].strip()]
    assert axis == ["100", "31.6", "10", "3.16", "1"]
    heights = [at for at, line in enumerate(lines[1:]) if mark in line]
    assert heights == sorted(heights) and len(heights) == 3  # the later, the lower
    at_work(tell(run, looks[3]))
    assert "perplexity none" in look_at(run)  # a training that diverged has none, and the screen goes on


def test_before_the_training_it_is_said_which_way_the_score_should_go(run: Run) -> None:
    at_work(tell(run, started("finetune")))
    assert "Exact match is the share of validation questions answered right to the letter: it should" in look_at(run)
    tell(run, Decision(stage="understand", name="Metric", value="perplexity", because="chosen"))
    text = " ".join(look_at(run).split())
    assert "Perplexity is taken on validation questions: how surprised the model is by the right answers" in text
    assert "It should fall well below that of the untouched model" in text


def points(host: Host) -> list[str]:
    """What stands on both charts."""
    return ["\n".join(chart.row(y, 0, chart.size.width).text for y in range(chart.size.height))
            for chart in host.frame.query(Curve)]  # fmt: skip


@pytest.mark.parametrize("between", [True, False])
def test_a_resumed_training_is_drawn_as_if_it_was_never_interrupted(run: Run, between: bool) -> None:
    tell(run, *under_way())
    resumed = [started("finetune", resumed=True), StageStarted(stage="finetune"), step(21, 0.9), step(22, 0.8)]
    told: list[list[str]] = []

    async def see(host: Host, pilot: Pilot[None]) -> None:
        if not told:  # the first time, the resume comes while it is watched
            for event in resumed:
                tell(run, event)
                if between:
                    host.frame.look()
            host.frame.look()
            await pilot.pause()
        told.append(points(host))

    look_at(run, see, (120, 40))
    look_at(run, see, (120, 40))
    assert told[0] == told[1]
    assert "training 0.800" in told[0][0]


def test_untouched_scores_that_come_late_and_a_training_begun_anew_are_drawn(run: Run) -> None:
    at_work(tell(run, *trained(step(1), scored(20, 0.5))))

    async def see(host: Host, pilot: Pilot[None]) -> None:
        assert "untouched" not in points(host)[1]
        tell(run, scored(0, 0.125))
        host.frame.look()
        await pilot.press("c")
        await pilot.pause()
        assert "untouched 12.5 %" in points(host)[1]
        tell(run, started("finetune"), StageStarted(stage="finetune"))
        host.frame.look()
        await pilot.pause()
        assert "The curves begin with the first steps." in seen(host)
        tell(run, step(1, 7.0, of=300))
        host.frame.look()
        await pilot.pause()
        assert "–" in points(host)[1] and "untouched" not in points(host)[1]

    look_at(run, see)


def test_hostile_text_is_shown_as_text(run: Run) -> None:
    nasty = "[bold red]\x1b[31mno\x1b]0;title\x07[/] \u202eevil\nline"
    at_work(tell(run, *trained(step(1), answered(0, nasty, nasty), answered(20, nasty, nasty))))
    tell(run, JobError(title=nasty, cause=nasty, next_step=nasty, log=nasty, stage="finetune"))
    write_json(run.exit_path, ExitRecord("failed", 1.0))
    text = look_at(run, size=(120, 40))
    assert "[bold red]\\x1b[31mno" in text and "\\u202eevil⏎line" in text
    assert not set("\x1b\x07\u202e") & set(text)


def test_ascii_terminals_get_ascii(run: Run) -> None:
    at_work(tell(run, *under_way()))
    charts: list[str] = []

    async def see(host: Host, pilot: Pilot[None]) -> None:
        charts.extend(points(host))

    text = look_at(run, see, (120, 40), ASCII)
    assert (text + "".join(charts)).isascii()
    assert "Ada v right" in text


@pytest.mark.parametrize("small", [(20, 5), (1, 1), (200, 3)])
@pytest.mark.parametrize("size", SIZES)
def test_any_size_is_drawn_and_the_old_one_looks_as_before(
    run: Run, size: tuple[int, int], small: tuple[int, int]
) -> None:
    at_work(tell(run, *under_way()))

    async def squeeze(host: Host, pilot: Pilot[None]) -> None:
        before = seen(host)
        await pilot.resize_terminal(*small)
        await pilot.pause()
        host.frame.look()
        await pilot.pause()
        await pilot.resize_terminal(*size)
        await pilot.pause()
        assert seen(host).splitlines()[-3:] == before.splitlines()[-3:]

    look_at(run, squeeze, size)


def test_nothing_is_repainted_where_nothing_happened(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    tell(run, *under_way(), JobFinished(outcome="stopped"))
    write_json(run.exit_path, ExitRecord("stopped", 1.0))
    repainted: list[Widget] = []

    async def idle(host: Host, pilot: Pilot[None]) -> None:
        await pilot.pause()
        refresh = Widget.refresh

        def noted(self: Widget, *regions: object, **kinds: bool) -> Widget:
            repainted.append(self)
            return refresh(self, *regions, **kinds)  # type: ignore[arg-type]

        monkeypatch.setattr(Widget, "refresh", noted)
        for _ in range(5):
            host.frame.look()
            await pilot.pause()
        monkeypatch.undo()

    look_at(run, idle)
    assert repainted == []


def long_history(steps: int) -> Iterable[AnyEvent]:
    yield from trained()
    for number in range(1, steps + 1):
        yield step(number, 2.3 / number, of=steps)
        if number % 1_000 == 0:
            yield scored(number, number / steps)


@pytest.mark.slow
def test_a_history_of_200000_events_is_there_at_once(run: Run) -> None:
    tell(run, *long_history(200_000))
    gone(run)
    took: list[float] = []

    async def attach() -> None:
        host = Host(run)
        async with host.run_test(size=(120, 40)) as pilot:
            began = time.monotonic()
            host.frame.look()
            await pilot.pause()
            took.append(time.monotonic() - began)
            assert "training 1.1e-05" in points(host)[0]
            began = time.monotonic()
            host.frame.look()
            took.append(time.monotonic() - began)

    asyncio.run(attach())
    assert took[1] < took[0] / 10  # a look at what has not changed reads nothing again


LIVE = """
import sys
from pathlib import Path
from tests.tui.screens.test_finetune import Host, at_work, step, tell, under_way
from tunesmith.core.run import Run

run = Run(Path(sys.argv[1]))
at_work(tell(run, *under_way()))

class Live(Host):
    number = 53

    async def on_mount(self):
        await super().on_mount()
        self.set_interval(0.5, self.more)

    def more(self):
        if sys.argv[2] == "live" and self.number < 106:
            self.number += 1
            tell(run, step(self.number, 2 / self.number))
        self.frame.look()

if sys.argv[2] != "live":
    (run.folder / "exit.json").write_text('{"outcome": "stopped", "at": 1.0}')
Live(run).run()
"""


def sent(words: list[str], seconds: float, size: tuple[int, int]) -> int:
    """Bytes that a program sends to a terminal in `seconds`, counted from two seconds after its first chart."""
    leader, follower = pty.openpty()
    fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", size[1], size[0], 0, 0))
    settings = {**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor"}
    settings["PYTHONPATH"] = os.pathsep.join(filter(None, (str(Path.cwd()), os.environ.get("PYTHONPATH"))))
    with subprocess.Popen(words, stdin=follower, stdout=follower, stderr=follower, env=settings) as app:
        os.close(follower)
        count, drawn_at, received, began = 0, 0.0, b"", time.monotonic()
        try:
            while not drawn_at or time.monotonic() < drawn_at + 2 + seconds:
                assert time.monotonic() < began + 60, received[-2000:]
                ready, _, _ = select.select([leader], [], [], 0.05)
                data = os.read(leader, 1 << 16) if ready else b""
                received += data
                count += len(data) if drawn_at and time.monotonic() > drawn_at + 2 else 0
                if not drawn_at and "┤".encode() in received:
                    drawn_at = time.monotonic()
        finally:
            app.kill()
            os.close(leader)
    return count


@pytest.mark.slow
@pytest.mark.parametrize("size", SIZES)
def test_a_training_sends_little_and_a_run_that_rests_sends_nothing(
    run: Run, tmp_path: Path, size: tuple[int, int]
) -> None:
    script = tmp_path / "live.py"
    script.write_text(LIVE)
    live = sent([sys.executable, str(script), str(run.folder), "live"], 6, size) / 6
    assert 20 < live <= 4_000
    assert sent([sys.executable, str(script), str(run.folder), "still"], 4, size) == 0


# -- before the training


def asked_first(shots: int, share: float, **more: object) -> Evidence:
    return Evidence(shots=shots, rows=24, exact_match=share, f1=share, goal=share, goal_low=share / 2,
                    goal_high=(1 + share) / 2, confidence=0.95, threshold=0.9, **more)  # type: ignore[arg-type]  # fmt: skip


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("glyphs", [UNICODE, ASCII], ids=["unicode", "ascii"])
def test_the_scores_before_the_training_stand_in_a_table_that_grows(
    run: Run, size: tuple[int, int], glyphs: Glyphs
) -> None:
    doing = "asking the untouched model, 1 example"
    piece = Piece(stage="finetune", doing=doing, done=8, total=24, unit="rows")
    at_work(tell(run, *trained(), asked_first(0, 0.125), piece))
    text = look_at(run, size=size, glyphs=glyphs)
    assert "asking the untouched model, 1 example, 8 of 24" in text
    assert "Before the training: the untouched model on 24 of your validation rows" in text
    assert "no example" in text and "12.5 %" in text and "1 example  " not in text
    assert "the goal" in text and "90 %  exact match" in text
    assert "The curves begin with the first steps" not in text
    tell(run, asked_first(1, 0.5), Evidence(shots=5, skipped="600 tokens with the answer"))
    text = look_at(run, size=size, glyphs=glyphs)
    assert next(line for line in text.splitlines() if line.startswith("1 example")).endswith("the best")
    assert "left out: 600 tokens with the answer" in text


def test_once_it_trains_the_scores_before_it_are_lines_in_the_chart(run: Run) -> None:
    at_work(tell(run, *trained(), asked_first(0, 0.0), asked_first(3, 0.4), step(1), scored(0, 0.0), scored(20, 0.6)))
    names: list[str] = []

    async def read(host: Host, pilot: Pilot[None]) -> None:
        chart = host.frame.query_one("#curve-scores", Curve)
        names.extend(
            text.strip() for y in range(chart.size.height) if (text := chart.row(y, chart.size.width - 7, 200).text)
        )

    text = look_at(run, read, (120, 40))
    assert "Before the training" not in text
    assert names.index("goal") < names.index("3-shot")


def test_a_run_that_stopped_by_its_own_advice_says_so_and_enter_trains_all_the_same(run: Run) -> None:
    advice = "The untouched model with 3 examples in its prompt reaches the goal already. Nothing was trained."
    tell(run, *trained(), asked_first(3, 0.96), JobFinished(outcome="stopped", text=advice, advised=True))
    write_json(run.exit_path, ExitRecord("stopped", 1.0, advice))
    text = look_at(run)
    assert "✓ nothing was trained, as advised" in text and "reaches the goal already" in " ".join(text.split())
    assert f"The prompt: {run.prompt_path}" in text and "reaches the goal\n" in text + "\n"
    assert "Enter ▸ train all the same" in text
    assert enter(run) == ["resume"]
    at_work(tell(run, started("finetune", resumed=True), StageStarted(stage="finetune")))
    run.exit_path.unlink()
    assert "starting the training" in look_at(run)
