"""Runs with results as the last two stages leave them, written by the same code, and a shell to see a step in."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any, ClassVar

import msgspec
from textual.app import App, ComposeResult
from textual.binding import Binding
from textual.content import Content
from textual.pilot import Pilot
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Footer, Input

from tunesmith.core.bootstrap import Draws, Interval
from tunesmith.core.evaluate.probes import MEANING
from tunesmith.core.events import (
    AnyEvent,
    EventWriter,
    Finding,
    JobFinished,
    JobStarted,
    StageFinished,
    StageStarted,
    Verdict,
    Written,
)
from tunesmith.core.measures import ALWAYS, measure, per_row
from tunesmith.core.metrics import exact_match, token_f1
from tunesmith.core.plan_yaml import validate, write_plan
from tunesmith.core.project import Project
from tunesmith.core.project_file import Saved
from tunesmith.core.results import Prediction, Results, Scored, predictions_path, write_predictions, write_results
from tunesmith.core.rows import Row, ask, write_rows
from tunesmith.core.run import Run, create_run
from tunesmith.core.stages import STAGES
from tunesmith.themes.palettes import THEMES
from tunesmith.tui.app import TunesmithApp
from tunesmith.tui.glyphs import UNICODE, Glyphs
from tunesmith.tui.screens import shell
from tunesmith.tui.screens.shell import Shell
from tunesmith.tui.screens.step import Step
from tunesmith.tui.session import Session

TUI = Path(shell.__file__).parent
SIZES = ((80, 24), (120, 40))
HOSTILE = "\x1b[2J\x1b]0;owned\x07[bold red]x[/] \u202eevil\u202c\nline two"


def rows(count: int) -> list[Row]:
    made = []
    for number in range(count):
        context = f"Room: R{number}, Colour: red, Floor: {number}"
        question = f"Which floor is R{number} on?"
        made.append(Row(f"{number}.1", ask(question, context), str(number), f"R{number}", context, question))
    return made


def scored(model: str, share: float, kind: str = "test", plainly: float | None = None, width: float = 0.05) -> Scored:
    interval = Interval(share, max(0.0, share - width), min(1.0, share + width))
    meaning = MEANING.get(kind, "")  # type: ignore[call-overload]
    return Scored(model, kind, 300, 100, interval, interval, 2.0, plainly, meaning)


SCORES = (
    scored("base", 0.02),
    scored("tuned", 0.96),
    scored("tuned", 0.0, "context-withheld", 0.96, 0.0),
    scored("tuned", 0.96, "fields-reordered", 0.96),
    scored("tuned", 0.70, "values-invented", 0.96),
    scored("tuned", 0.92, "as-prose", 0.96),
)


def results(reached: bool = True, scores: Sequence[Scored] = SCORES) -> Results:
    return Results(
        goal="Tell floors.",
        metric="exact_match",
        threshold=0.95,
        reached=reached,
        verdict=f"Goal of 95 % {'' if reached else 'not '}reached: exact match 96.0 % (91.0–100.0 %)",
        headline="Exact match 2.0 % → 96.0 %",
        scores=list(scores),
        gain_exact_match=Interval(0.94, 0.9, 0.98),
        gain_f1=Interval(0.9, 0.88, 0.92),
        became_right=282,
        became_wrong=1,
        draws=Draws(0.95, 1000, 7),
        max_new_tokens=16,
        versions={},
    )


def graded_results(metric: str, before: float, after: float, width: float) -> Results:
    """The same evaluation of a plan that measures by `metric`; exact matches are few, as with long answers."""

    def by(one: Scored) -> Scored:
        value = before if one.model == "base" else 2 * after if one.rows_kind == "as-prose" else after
        rare = msgspec.structs.replace(scored(one.model, 0.02, one.rows_kind, 0.02), metric=metric)
        return msgspec.structs.replace(rare, score=Interval(value, value - width, value + width), plain_score=after)

    shown = measure(metric)
    goal = shown.goal(0.4 if shown.share else 1.5)
    known = results(scores=[by(one) for one in SCORES])
    change = Interval(after - before, after - before - width, after - before + width)
    return msgspec.structs.replace(
        known,
        metric=metric,
        verdict=f"Goal of {goal} reached: {shown.name} {known.scores[1].told(metric)}",
        headline=f"Exact match 2.0 % → 2.0 %, {shown.name} {shown.told(before)} → {shown.told(after)}",
        gain_score=change,
        became_better=280,
        became_worse=3,
    )


def predicted(row: Row, answer: str, metric: str = "exact_match") -> Prediction:
    scores = exact_match(answer, row.answer), token_f1(answer, row.answer)
    found = Prediction(row.id, row.question, row.answer, answer, *scores, row.group, row.context)
    if metric in ALWAYS:
        return found
    chosen = 1.2 + 0.1 * len(answer) if metric == "perplexity" else per_row(metric, answer, row.answer)
    return msgspec.structs.replace(found, score=chosen, tokens=3)


def new_run(tree: dict[str, Any], root: Path, count: int = 12) -> Run:
    """Prepared, with test rows; nothing was told yet."""
    plan = validate(tree)
    run = create_run("rooms", root)
    write_plan(run.plan_path, plan)
    write_rows(run.rows_path("test"), rows(count))
    return run


def tell(run: Run, *events: AnyEvent) -> None:
    writer = EventWriter(run.events_path)
    for event in events:
        writer.write(event)
    writer.close()


def evaluated(run: Run, wrong: dict[int, str] | None = None, found: Results | None = None, count: int = 12) -> Run:
    """Evaluate is done; `wrong` are answers of the tuned model by row."""
    asked = rows(count)
    found = found or results()
    told = [predicted(row, (wrong or {}).get(at, row.answer), found.metric) for at, row in enumerate(asked)]
    write_predictions(predictions_path(run, "tuned"), told)
    write_predictions(predictions_path(run, "base"), [predicted(row, "it is red", found.metric) for row in asked])
    write_results(run, found)
    run.report_path.write_text("# Report\n")
    tell(
        run,
        JobStarted(pid=1, stages=list(STAGES)),
        StageStarted(stage="finetune"),
        StageFinished(stage="finetune", seconds=1, summary=""),
        StageStarted(stage="evaluate"),
        *(one.event(0.95) for one in found.scores),
        Verdict(reached=found.reached, text=found.verdict),
        Written(what="report", path="report.md", bytes=9),
        StageFinished(stage="evaluate", seconds=1, summary=found.headline),
    )
    return run


def produced(run: Run, *, whole: bool = True, finding: str = "The merged model gives the same answers.") -> Run:
    """All stages are done."""
    run.adapter.mkdir(parents=True)
    (run.adapter / "README.md").write_text("card")
    parts: list[AnyEvent] = [Written(what="adapter", path="model/adapter", bytes=1 << 20)]
    if whole:
        run.merged.mkdir(parents=True, exist_ok=True)
        if not (run.merged / "config.json").exists():
            (run.merged / "config.json").write_text("{}")
        run.commands_path.write_text("# Serving\n")
        parts.append(Written(what="merged model", path="model/merged", bytes=9 << 20))
        parts.append(Written(what="commands for serving", path="SERVE.md", bytes=10))
    tell(
        run,
        StageStarted(stage="productionize"),
        Finding(stage="productionize", text=finding, level="ok"),
        *parts,
        StageFinished(stage="productionize", seconds=1, summary="written"),
        JobFinished(outcome="finished"),
    )
    return run


class Frame(Screen[None]):
    """The shell without a project: its styles, its keys, and a note of what the step asks of it."""

    CSS_PATH: ClassVar = [TUI / "shell.tcss", TUI / "evaluate.tcss", TUI / "productionize.tcss"]
    HORIZONTAL_BREAKPOINTS = Shell.HORIZONTAL_BREAKPOINTS
    VERTICAL_BREAKPOINTS = Shell.VERTICAL_BREAKPOINTS
    BINDINGS: ClassVar = [
        Binding("enter", "accept", "Go on", id="frame.accept"),
        Binding("escape", "back", "Back", id="frame.back"),
    ]

    def __init__(self, session: Session, kind: type[Step]) -> None:
        super().__init__()
        self.session = session
        self._kind = kind
        self.asked: list[str] = []

    def compose(self) -> ComposeResult:
        yield self._kind(self.session)
        yield Footer()

    @property
    def step(self) -> Step:
        return self.query_one(Step)

    def look(self) -> None:
        """As the shell does it twice a second."""
        while self.session.read_news():
            pass
        self.step.show_run()

    def on_step_go_on(self, event: Step.GoOn) -> None:
        self.asked.append("go on")

    def go_on_with_run(self) -> None:
        self.asked.append("resume")

    def action_accept(self) -> None:
        self.step.accept()

    def action_back(self) -> None:
        if isinstance(self.focused, Input):
            self.step.arrive()
        else:
            self.asked.append("back")


class Host(App[None]):
    CSS_PATH = TUI.parent.parent / "themes" / "app.tcss"
    get_theme_variable_defaults = TunesmithApp.get_theme_variable_defaults

    def __init__(self, kind: type[Step], run: Run | None, glyphs: Glyphs = UNICODE) -> None:
        super().__init__()
        for one in THEMES:
            self.register_theme(one)
        self.theme = THEMES[0].name
        self.session = Session(glyphs, Project(Path("/nowhere"), Saved("/nowhere")))
        if run is not None:
            self.session.watch(run)
        self.frame = Frame(self.session, kind)

    async def on_mount(self) -> None:
        await self.push_screen(self.frame)


def text_of(widget: Widget) -> str:
    drawn = widget.render()
    return drawn.plain if isinstance(drawn, Content) else str(drawn)


def seen(host: Host) -> str:
    """Everything that the step shows, as text; lists and bars as they are drawn."""
    lines = []
    for one in host.frame.step.walk_children(Widget):
        if one.region and not one.children:
            lines += [strip.text for strip in one.render_lines(one.size.region)]
    return "\n".join(lines)


Act = Callable[[Host, Pilot[None]], Awaitable[None]]


async def settled(host: Host, pilot: Pilot[None]) -> None:
    """The step has read what it reads in the background."""
    host.frame.look()
    await host.workers.wait_for_complete(
        [worker for worker in host.workers if worker.group in ("results", "look") and not worker.is_finished]
    )
    await pilot.pause()
    await pilot.pause()


def look_at(
    kind: type[Step],
    run: Run | None,
    act: Act | None = None,
    size: tuple[int, int] = (80, 24),
    glyphs: Glyphs = UNICODE,
) -> str:
    """What the step says of this run, after `act`."""

    async def go() -> str:
        host = Host(kind, run, glyphs)
        async with host.run_test(size=size) as pilot:
            await pilot.pause()
            await settled(host, pilot)
            host.frame.step.arrive()
            await pilot.pause()
            if act is not None:
                await act(host, pilot)
                await pilot.pause()
            return seen(host)

    return asyncio.run(go())
