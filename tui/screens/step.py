"""What the six steps have in common: a body, a line that says what Enter does, and the questions of the schema."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from typing import Any, ClassVar

from textual import work
from textual.app import ComposeResult
from textual.containers import Container, Vertical, VerticalScroll
from textual.content import Content
from textual.message import Message
from textual.timer import Timer
from textual.widget import Widget
from textual.widgets import Static

from tunesmith.core.consequences import WhatIf, what_if
from tunesmith.core.recommend import Resolution
from tunesmith.core.schema import Knob, knobs, plain_value
from tunesmith.tui.plain_text import harmless
from tunesmith.tui.session import Session
from tunesmith.tui.widgets.knob_row import KnobRow, row_at
from tunesmith.tui.widgets.next_line import NextLine
from tunesmith.tui.widgets.why import Why, explanation

PAUSE_SECONDS = 0.15
"""After a pause this long it is worked out what other values would change; while keys come in, only what is seen."""


class Step(Vertical):
    """One of the wizard's steps. It shows what the session holds, and tells the shell what the person wants."""

    stage: ClassVar[str]
    pane: ClassVar[str] = ""
    """Its name in the shell; that of its stage, where it is the stage's only one."""

    class GoOn(Message):
        """The step is done: the shell opens the next one."""

    class LookAgain(Message):
        """The look at the data that was stopped is to be taken up again."""

    class Wished(Message):
        """A value that has no row of its own was stated."""

        def __init__(self, path: str, value: Any) -> None:
            super().__init__()
            self.path, self.value = path, value

    def __init__(self, session: Session) -> None:
        super().__init__(id=f"step-{self.pane or self.stage}", classes="step")
        self.session = session

    def show_plan(self) -> None:
        """The plan, its reasons or the facts are others than before."""

    def show_simulating(self) -> None:
        """The memory of a training step is being simulated; called again each second until it is done."""

    def show_run(self) -> None:
        """Something happened in the run."""

    def accept(self) -> None:
        """Enter: what the step's last line says."""
        self.post_message(self.GoOn())

    def arrive(self) -> None:
        """The step was opened: put the focus where Enter goes on."""
        for line in self.query(NextLine):
            line.focus(scroll_visible=False)

    @property
    def asked(self) -> Knob | None:
        """The value that the person is at, for the help; None where they are at none."""
        row = row_at(self.screen.focused)
        return row.knob if row is not None else None

    @property
    def more(self) -> bool:
        """Whether something lies outside what is seen."""
        return any(form.max_scroll_y > 0 for form in self.query(".step-form, .step-why"))

    def page(self, by: int) -> None:
        """Show what lies below (1) or above (-1)."""
        for form in self.query(".step-form"):
            turn(form, by)

    def say_next(self, text: str, *, ready: bool = True) -> None:
        """What Enter does now."""
        self.query_one(NextLine).say(text.replace("…", self.session.glyphs.ellipsis), ready=ready)


class AskStep(Step):
    """A step of questions, with their reasons beside them and what was measured below."""

    _trying: Timer | None = None
    """For the person to pause."""
    _known_for: Resolution | None = None
    """The plan that `_known` is beside."""
    _known: dict[str, WhatIf]

    intro: ClassVar[str]
    next_text: ClassVar[str]

    def compose(self) -> ComposeResult:
        """Questions and exhibits at the left, reasons at the right (or below, where it is narrow)."""
        with Container(classes="step-body"):
            with VerticalScroll(classes="step-form", can_focus=False):
                yield Static(self.intro, classes="step-intro", markup=False)
                yield Vertical(*self.rows(), classes="step-rows")
                yield from self.exhibits()
            yield Why(classes="step-why")
        yield NextLine(self.session.glyphs)

    def on_mount(self) -> None:
        """Show what is known already."""
        self.show_plan()

    def rows(self) -> Iterable[Widget]:
        """The questions: those that everybody is asked, or every value of the section."""
        return [self.row(knob) for knob in knobs(self.stage) if knob.question or self.session.all_settings]

    def row(self, knob: Knob) -> KnobRow:
        """The row for one value."""
        return KnobRow(knob, self.session.glyphs)

    def exhibits(self) -> Iterable[Widget]:
        """What is shown below the questions."""
        return ()

    def overview(self) -> Content:
        """What the panel says while the person is at no question."""
        return Content("")

    def standing(self) -> Content:
        """What the panel says above the reasons for any question."""
        return Content("")

    def options(self, knob: Knob) -> Sequence[Any]:
        """Values whose consequences are shown beside the question."""
        return _options(knob, plain_value(self.session.project.plan, knob.path))

    def show_plan(self) -> None:
        """Show every value of the plan, and the reasons of the one that the person is at."""
        project = self.session.project
        known = project.resolution is not None
        for row in self.query(KnobRow):
            stated = project.wishes.get(row.knob.path)
            value = plain_value(project.plan, row.knob.path) if known else stated
            there = known and (value is not None or row.knob.optional or row.knob.path in project.reasons)
            row.display = (there or not known) and self.applies(row)
            if there or value is not None:
                row.show(value, project.reasons.get(row.knob.path) if known else None)
        if known:
            self.show_exhibits()
            self.explain()
        else:
            self._tell_problem()
        waits = self.waits_for()
        self.say_next(waits or self.next_text, ready=not waits)

    def applies(self, row: KnobRow) -> bool:
        """Whether a question has a place beside the other answers."""
        return True

    def waits_for(self) -> str:
        """What must be known before the stage can be accepted; empty when it is."""
        if self.session.problem:
            return f"first this must be mended: {self.session.problem}"
        if self.session.stopped:
            return "the look at the data was stopped: Enter takes it up again"
        return "one moment, the data is being looked at …" if self.session.project.pending else ""

    def show_exhibits(self) -> None:
        """Fill what `exhibits` made; the plan is known."""

    def explain(self) -> None:
        """Fill the panel for the question that the person is at."""
        if self.session.project.resolution is None or not self.display or not self.is_attached:
            return  # also while the step is being taken away: its panel may be gone already
        why, here = next(iter(self.query(Why)), None), self.here
        if why is None:
            return
        if here is None:
            if self.session.problem:
                self._tell_problem()
            else:
                why.show(self.overview())
            return
        tried = self._tried(here.knob)
        about = explanation(here.knob, self.session.project, self.session.glyphs, tried)
        why.show(Content.assemble(self.standing(), about))
        if tried is None:
            if self._trying is not None:
                self._trying.stop()
            self._trying = self.set_timer(PAUSE_SECONDS, self._try)

    def _tell_problem(self) -> None:
        """The whole of what must be mended, where the reasons would be."""
        if self.session.problem:
            sign = self.session.glyphs.error
            told = (self.session.problem_told or self.session.problem).replace("…", self.session.glyphs.ellipsis)
            for why in self.query(Why):
                why.show(Content.assemble((f"{sign} ", "$text-error"), harmless(told)))

    @property
    def here(self) -> KnobRow | None:
        """The question that the person is at."""
        row = row_at(self.screen.focused)
        return row if row is not None and self in row.ancestors else None

    def _others(self, knob: Knob) -> list[tuple[str, Any]]:
        """What can be tried there, each with the key it is remembered by."""
        value = plain_value(self.session.project.plan, knob.path)
        return [(f"{knob.path}={one!r}", one) for one in self.options(knob) if one != value]

    def _tried(self, knob: Knob) -> list[WhatIf] | None:
        """What other values there would change; None where that is not worked out yet for the present plan."""
        resolution = self.session.project.resolved
        if resolution is not self._known_for:
            self._known_for, self._known = resolution, {}
        others = self._others(knob)
        return [self._known[key] for key, _ in others] if all(key in self._known for key, _ in others) else None

    @work(exclusive=True, group="trying", exit_on_error=False)
    async def _try(self) -> None:
        """Work it out once the person pauses, an option at a time so that the keys stay quick; the newest wins."""
        project, here = self.session.project, self.here
        if here is None or project.resolution is None:
            return
        resolution, knob = project.resolution, here.knob
        for key, value in self._others(knob):
            if project.resolution is not resolution or self.here is not here or project.survey is None:
                return
            if key not in self._known:
                self._known[key] = what_if(project.wishes, knob.path, value, project.facts, resolution)
                await asyncio.sleep(0)
        self.explain()

    def accept(self) -> None:
        """Settle the stage and go on; only once the plan is known."""
        refused = next((row for row in self.query(KnobRow) if row.refused), None)
        if refused is not None:
            refused.control.focus()
            return
        if self.session.stopped:
            self.post_message(self.LookAgain())
            return
        if self.waits_for():
            return
        self.session.project.accept(self.stage)
        super().accept()

    def on_knob_row_done(self, event: KnobRow.Done) -> None:
        """Enter in an entry does what Enter does."""
        event.stop()
        self.accept()

    def on_knob_row_entered(self) -> None:
        """Show the reasons for this question."""
        self.explain()

    def on_descendant_blur(self) -> None:
        """The person left a question: the overview is back, unless the next question says otherwise."""
        self.call_after_refresh(self.explain)


def turn(pane: Widget, by: int) -> None:
    """Scroll a pane by its height, down (1) or up (-1)."""
    if by > 0:
        pane.scroll_page_down(animate=False)
    else:
        pane.scroll_page_up(animate=False)


def _options(knob: Knob, value: Any) -> Sequence[Any]:
    """All options of a choice; half and twice a number."""
    if knob.kind == "choice":
        return knob.options
    if knob.kind == "flag":
        return (True, False)
    if knob.kind == "whole" and isinstance(value, int) and value > 0 and "seed" not in knob.path:
        return sorted({max(1, value // 2), value * 2})
    if knob.kind == "number" and isinstance(value, float | int) and value > 0:
        return (value / 2, value * 2)
    return ()
