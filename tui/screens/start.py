"""The first frame: what is running or was done, and the ways to begin. One sentence, one obvious key."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import Footer, OptionList, Static
from textual.widgets.option_list import Option

from tunesmith.core import __version__
from tunesmith.core.errors import TunesmithError
from tunesmith.core.project_file import unfinished
from tunesmith.core.run import Run, State, list_runs
from tunesmith.tui.glyphs import Glyphs
from tunesmith.tui.plain_text import harmless
from tunesmith.tui.screens.calm import CalmScreen
from tunesmith.tui.widgets.still import Still

if TYPE_CHECKING:
    from tunesmith.core.project import Project
    from tunesmith.tui.app import TunesmithApp

MOST_RUNS = 30


@dataclass(frozen=True)
class Way:
    """One line of the start."""

    kind: str
    title: str
    about: str
    run: Run | None = None
    folder: Path | None = None


PRACTICE_WAY = Way("practice", "Practice project", "an employee table, a small model, two minutes")
FILE_WAY = Way("file", "New project from a file", "your own CSV, JSON or JSONL")
PLAN_WAY = Way("plan", "Open a plan", "a plan.yaml from before or from elsewhere")


class Ways(OptionList):
    """The list; Enter stands in the footer."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "select", "Open", id="start.open", tooltip="What is marked", key_display="Enter")
    ]


class Start(CalmScreen[None]):
    """Live and finished runs first, then the ways to begin; the first line is what most would do next."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("question_mark,f1", "help", "Help", id="start.help", tooltip="What this is", key_display="F1"),
        Binding("q", "app.leave", "Leave", id="start.leave", tooltip="Close the wizard; runs go on"),
    ]

    def __init__(self, glyphs: Glyphs) -> None:
        super().__init__()
        self._glyphs = glyphs
        self._ways: list[Way] = []

    def compose(self) -> ComposeResult:
        """The sentence and the list."""
        yield Static(
            Content.assemble(("Tunesmith", "bold $text-primary"), (f"  {__version__}", "$text-muted")), id="name"
        )
        yield Static("From a file and a problem to a tuned, measured, served language model.", id="promise")
        yield Ways(id="ways", markup=False, compact=True)
        yield Still("", id="hint")
        yield Footer()

    def on_mount(self) -> None:
        """List what there is."""
        self._fill()
        self.query_one(OptionList).focus()

    def on_screen_resume(self) -> None:
        """Back from a project: the list may be another."""
        if self._ways:
            self._fill()

    def _fill(self) -> None:
        self._ways = [*_runs_first(), PRACTICE_WAY, FILE_WAY, PLAN_WAY, *_finished()]
        ways = self.query_one(OptionList)
        ways.clear_options()
        width = max(len(way.title) for way in self._ways) + 2
        for place, way in enumerate(self._ways):
            if place and way.run is not None and self._ways[place - 1].run is None:
                ways.add_option(None)
            ways.add_option(Option(_line(way, width, self._glyphs), id=str(place)))
            if way.kind in ("live", "unfinished") and self._ways[place + 1].kind not in ("live", "unfinished"):
                ways.add_option(None)
        ways.highlighted = 0
        first = self._ways[0]
        hint = {
            "live": "Enter keeps watching it.",
            "unfinished": "Enter goes on where you were.",
        }.get(first.kind, "New here? Enter opens the practice project, with every answer filled in.")
        self.query_one("#hint", Still).show(hint)

    @on(OptionList.OptionSelected)
    def _selected(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        self._open(self._ways[int(event.option_id or 0)])

    def action_help(self) -> None:
        """What this program is, and its keys."""
        from tunesmith.tui.screens.help import Help

        self.app.push_screen(Help(None, "", self._glyphs))

    @work(exclusive=True, group="open", exit_on_error=False)
    async def _open(self, way: Way) -> None:
        """Open a way; what is asked first is asked in a box."""
        app: TunesmithApp = self.app  # type: ignore[assignment]
        try:
            project = await self._project(way)
            if project is not None:
                await app.open_project(project, way.run)
        except (TunesmithError, OSError) as error:  # OSError: a folder that is gone or can't be read
            app.fail(error)

    async def _project(self, way: Way) -> Project | None:
        from tunesmith.core.project import Project, new_project, open_plan, project_of
        from tunesmith.core.project_file import read_saved
        from tunesmith.tui.screens.browse import Browse

        if way.run is not None:
            return project_of(way.run)
        if way.folder is not None:
            return Project(way.folder, read_saved(way.folder))
        here = Path.cwd()
        if way.kind == "practice":
            return new_project("practice", here)
        if way.kind == "plan":
            chosen = await self.app.push_screen_wait(Browse("Which plan?", here, (".yaml", ".yml"), self._glyphs))
            return open_plan(Path(chosen)) if chosen else None
        suffixes = (".csv", ".tsv", ".json", ".jsonl", ".ndjson")
        chosen = await self.app.push_screen_wait(
            Browse("Which file holds your examples?", here, suffixes, self._glyphs)
        )
        return new_project(chosen, here) if chosen else None


def _runs_first() -> list[Way]:
    """Live runs, and the answers that no run was started from yet."""
    ways = [Way("live", f"Keep watching {run.name}", state.text, run=run) for run, state in _runs() if state.alive]
    open_project = unfinished()
    if open_project is not None:
        folder, saved = open_project
        ways.append(Way("unfinished", f"Go on with {folder.name}", f"at {saved.stage}", folder=folder))
    return ways


def _finished() -> list[Way]:
    return [Way(state.status, run.name, state.text, run=run) for run, state in _runs() if not state.alive]


def _runs() -> list[tuple[Run, State]]:
    try:
        return [(run, run.state()) for run in list_runs()[:MOST_RUNS]]
    except (TunesmithError, OSError):
        return []


def _line(way: Way, width: int, glyphs: Glyphs) -> Content:
    signs = {
        "live": (glyphs.running, "$text-primary"),
        "finished": (glyphs.done, "$text-success"),
        "failed": (glyphs.error, "$text-error"),
        "killed": (glyphs.error, "$text-error"),
        "stopped": (glyphs.stopped, "$text-warning"),
        "unfinished": (glyphs.current, "$text-primary"),
    }
    sign, style = signs.get(way.kind, (glyphs.bullet, "$text-muted"))
    return Content.assemble(
        (f"{sign} ", style), f"{harmless(way.title):<{width}}", (harmless(way.about), "$text-muted")
    )
