"""Step 3, Select: which model, which method, which settings, and whether that fits this machine."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from tunesmith.core.fit import methods
from tunesmith.core.schema import Knob
from tunesmith.core.select.levers import levers, ways
from tunesmith.tui.screens.select_told import (
    levers_table,
    machine_word,
    memory_table,
    methods_table,
    simulating_told,
    told,
    ways_table,
)
from tunesmith.tui.screens.step import AskStep
from tunesmith.tui.widgets.knob_row import KnobRow
from tunesmith.tui.widgets.memory_bars import memory_bars
from tunesmith.tui.widgets.still import Still

BARS = 30
"""Cells of the longest bar of the memory over a step."""


class SelectStep(AskStep):
    """Model, method and settings; below them the methods side by side, and the memory term by term."""

    stage: ClassVar[str] = "select"
    intro: ClassVar[str] = "Which model is tuned, how, and whether that fits."
    next_text: ClassVar[str] = "accept these settings and see the whole plan"

    def waits_for(self) -> str:
        """The lengths decide the memory and several settings."""
        counting = "" if self.session.counted else "one moment, the rows are being counted in the model's tokens …"
        return super().waits_for() or counting

    def row(self, knob: Knob) -> KnobRow:
        """A model and a machine are chosen in a box."""
        return KnobRow(knob, self.session.glyphs, opens=knob.path in ("select.model", "select.gpu"))

    def exhibits(self) -> Iterable[Widget]:
        """The methods, the memory, what fits, and what would need less."""
        yield Still("Methods", id="methods-title", classes="section")
        yield Still("", id="methods", classes="exhibit")
        yield Static("Memory over one step, an estimate", classes="section")
        yield Still("", id="phases", classes="exhibit")
        yield Static("The same term by term", classes="section")
        yield Still("", id="memory", classes="exhibit")
        yield Static("What fits with these rows and settings", classes="section")
        yield Still("", id="ways", classes="exhibit")
        yield Static("What would need less", classes="section")
        yield Still("", id="levers", classes="exhibit")

    def overview(self) -> Content:
        """What the plan will take, as estimates."""
        project, glyphs = self.session.project, self.session.glyphs
        return Content("\n").join(
            [
                told(project.outlook, glyphs, simulating=self.session.simulated_for),
                *(Content.styled(f"\n{glyphs.warning} {one.text}", "$text-warning") for one in project.cautions),
            ]
        )

    def show_simulating(self) -> None:
        """In the estimates, and where the bars will stand."""
        project = self.session.project
        if project.resolution is None:
            return
        if self.here is None:
            self.query_one("#why-text", Still).show(self.overview())
        if not project.outlook.memory.phases:
            self.query_one("#phases", Still).show(self._no_phases())

    def _no_phases(self) -> Content:
        """Why there are no bars."""
        if self.session.simulating:
            text = simulating_told(self.session.simulated_for, self.session.glyphs)
        elif not self.session.counted:
            text = "A step is simulated once the rows are counted; that takes some seconds."
        else:
            text = "No step of it was simulated: the figures are from arithmetic."
        return Content.styled(f"  {text}", "$text-muted")

    def show_exhibits(self) -> None:
        """Bars against what is free."""
        project, glyphs = self.session.project, self.session.glyphs
        outlook, facts = project.outlook, project.facts
        self.query_one("#methods-title", Still).show(f"Methods on {machine_word(facts.hardware)}")
        table = methods_table(methods(project.wishes, project.facts), project.plan.select.method, glyphs)
        self.query_one("#methods", Still).show(table)
        phases = outlook.memory.phases
        told_phases = memory_bars(phases, glyphs, BARS) if phases else self._no_phases()
        self.query_one("#phases", Still).show(told_phases)
        self.query_one("#memory", Still).show(memory_table(outlook, glyphs))
        at = (facts.model, outlook.load, facts.hardware)
        self.query_one("#ways", Still).show(ways_table(ways(*at), glyphs))
        self.query_one("#levers", Still).show(levers_table(levers(*at), glyphs, fits_now=outlook.memory.fits))


STEP = SelectStep
