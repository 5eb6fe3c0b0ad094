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
from tunesmith.core.practice import PRACTICE
from tunesmith.core.project_file import unfinished
from tunesmith.core.run import Run, State, list_runs
from tunesmith.tui.glyphs import Glyphs
from tunesmith.tui.opening import Opening
from tunesmith.tui.plain_text import harmless
from tunesmith.tui.screens.calm import CalmScreen
from tunesmith.tui.widgets.still import Still

if TYPE_CHECKING:
    from tunesmith.tui.app import TunesmithApp

MOST_RUNS = 30


@dataclass(frozen=True)
class Way:
    """One line of the start."""

    kind: str
    title: str
    about: str
    opens: Opening | None = None
    """What it leads to; None where that is asked first."""


PRACTICE_WAY = Way(
    "practice", "Practice project", "an employee table, a small model, two minutes", Opening(data=PRACTICE)
)
FILE_WAY = Way("file", "New project from a file", "CSV, JSON, Excel, Parquet, text …")
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
        self._ways = _ways()
        ways = self.query_one(OptionList)
        ways.clear_options()
        width = max(len(way.title) for way in self._ways) + 2
        for place, way in enumerate(self._ways):
            if self._ways[place - 1] is PLAN_WAY:
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
            opens = way.opens or await self._asked(way)
        except OSError as error:  # the folder that one is in is gone
            app.fail(error)
            return
        if opens is not None:
            await app.open(opens)

    async def _asked(self, way: Way) -> Opening | None:
        """What the person names in a box; None where they went back."""
        from tunesmith.core.prepare.read.formats import FORMATS
        from tunesmith.tui.screens.browse import Browse

        here = Path.cwd()
        if way.kind == "plan":
            chosen = await self.app.push_screen_wait(Browse("Which plan?", here, (".yaml", ".yml"), self._glyphs))
            return Opening(plan=Path(chosen)) if chosen else None
        browse = Browse("Which data holds your examples?", here, tuple(FORMATS), self._glyphs, data=True)
        chosen = await self.app.push_screen_wait(browse)
        return Opening(data=chosen) if chosen else None


def _ways() -> list[Way]:
    """Live runs and unfinished answers, the ways to begin, and what was done."""
    runs = _runs()
    ways = [
        Way("live", f"Keep watching {run.name}", state.text, Opening(run=run)) for run, state in runs if state.alive
    ]
    open_project = unfinished()
    if open_project is not None:
        folder, saved = open_project
        ways.append(Way("unfinished", f"Go on with {folder.name}", f"at {saved.stage}", Opening(folder=folder)))
    done = [Way(state.status, run.name, state.text, Opening(run=run)) for run, state in runs if not state.alive]
    return [*ways, PRACTICE_WAY, FILE_WAY, PLAN_WAY, *done]


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
