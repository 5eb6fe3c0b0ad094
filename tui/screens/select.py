"""Step 3, Select: which model, which method, which settings, and whether that fits this machine."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from tunesmith.core.figures import parameters, price_span, size, span
from tunesmith.core.fit import MethodFit, methods
from tunesmith.core.outlook import Outlook
from tunesmith.core.schema import Knob
from tunesmith.core.select.machine import HERE
from tunesmith.core.select.memory import MemoryForecast
from tunesmith.tui.glyphs import Glyphs
from tunesmith.tui.plain_text import harmless
from tunesmith.tui.screens.step import AskStep
from tunesmith.tui.widgets.histogram import bar
from tunesmith.tui.widgets.knob_row import KnobRow
from tunesmith.tui.widgets.still import Still

BAR = 10


class SelectStep(AskStep):
    """Model, method and settings; below them the methods side by side, and the memory term by term."""

    stage: ClassVar[str] = "select"
    intro: ClassVar[str] = "Which model is tuned, how, and whether that fits this machine."
    next_text: ClassVar[str] = "accept these settings and see the whole plan"

    def waits_for(self) -> str:
        """The lengths decide the memory and several settings."""
        counting = "" if self.session.counted else "one moment, the rows are being counted in the model's tokens …"
        return super().waits_for() or counting

    def row(self, knob: Knob) -> KnobRow:
        """A model and a machine are chosen in a box."""
        empty = HERE if knob.path == "select.gpu" else ""
        return KnobRow(knob, self.session.glyphs, opens=knob.path in ("select.model", "select.gpu"), empty=empty)

    def exhibits(self) -> Iterable[Widget]:
        """The methods, and the memory."""
        yield Static("Methods on this machine", classes="section")
        yield Still("", id="methods", classes="exhibit")
        yield Static("Memory of the chosen one, an estimate", classes="section")
        yield Still("", id="memory", classes="exhibit")

    def overview(self) -> Content:
        """What the plan will take, as estimates."""
        return told(self.session.project.outlook, self.session.glyphs)

    def show_exhibits(self) -> None:
        """Bars against what is free."""
        project, glyphs = self.session.project, self.session.glyphs
        table = methods_table(methods(project.wishes, project.facts), project.plan.select.method, glyphs)
        self.query_one("#methods", Still).show(table)
        self.query_one("#memory", Still).show(memory_table(project.outlook, glyphs))


def told(outlook: Outlook, glyphs: Glyphs) -> Content:
    """Memory, steps, time, money and disk in a few lines; each says that it is an estimate."""
    memory = outlook.memory
    where = "on the GPU" if memory.device == "cuda" else "in RAM"
    fits = fit(memory, glyphs)
    room = "" if outlook.disk_suffices else f" {glyphs.error} not enough room"
    free = "the disk there is not known" if outlook.disk_free is None else f"of {size(outlook.disk_free)} free"
    over = "".join(f"\n{glyphs.warning} {sentence}" for sentence in outlook.over_budget)
    return Content.assemble(
        ("Estimates\n", "bold"),
        f"memory  {size(memory.total)} of {size(memory.available)} free {where}: ",
        fits,
        f"\nsteps   {outlook.steps:,}, training {parameters(outlook.trained_parameters)} parameters\n",
        f"time    {span(outlook.seconds)} for the training\n",
        f"money   {price_span(outlook.money)} for the training\n" if outlook.money is not None else "",
        f"disk    {size(outlook.disk)} {free}",
        (room, "$text-error"),
        (over, "$text-warning"),
        (f"\n\n{time_source(outlook)}", "$text-muted"),
    )


def time_source(outlook: Outlook) -> str:
    """What the time was reckoned from."""
    if not outlook.seconds_from:
        return "The first steps tell the time."
    exactly = "" if outlook.seconds_measured else "; the first steps tell it exactly"
    return f"Time is from {outlook.seconds_from}{exactly}."


def fit(memory: MemoryForecast, glyphs: Glyphs) -> tuple[str, str]:
    """Symbol, words and colour for whether it fits."""
    if not memory.fits:
        return f"{glyphs.error} does not fit", "$text-error"
    return (f"{glyphs.warning} tightly", "$text-warning") if memory.tight else (f"{glyphs.done} fits", "$text-success")


def methods_table(found: list[MethodFit], chosen: str, glyphs: Glyphs) -> Content:
    """A line for each method: memory as a bar against what is free, trained parameters, time."""
    head = f"  {'':<6}{'memory':>9} {'':<{BAR}}  {'':<14}{'trained':>9}  time"
    lines = [Content.styled(head, "$text-muted")]
    for one in found:
        mark = glyphs.current if one.method == chosen else " "
        name = (f"{mark} {one.method:<6}", "bold" if one.method == chosen else "")
        if one.outlook is None:
            lines.append(Content.assemble(name, f"can't be chosen: {harmless(one.refused)}"))
            continue
        memory = one.outlook.memory
        share = memory.total / memory.available if memory.available else 1.0
        fits = fit(memory, glyphs)
        lines.append(
            Content.assemble(
                name,
                f"{size(memory.total):>9} ",
                (f"{bar(share, BAR, glyphs):<{BAR}}  ", "$primary" if memory.fits else "$error"),
                (f"{fits[0]:<14}", fits[1]),
                f"{parameters(one.outlook.trained_parameters):>9}  {span(one.outlook.seconds)}",
            )
        )
    free = next((one.outlook.memory.available for one in found if one.outlook), 0)
    lines.append(Content.styled(f"  the whole bar is what is free: {size(free)}", "$text-muted"))
    return Content("\n").join(lines)


def memory_table(outlook: Outlook, glyphs: Glyphs) -> Content:
    """Each term of the forecast with its share as a bar and what it was reckoned from."""
    memory = outlook.memory
    most = max((term.bytes for term in memory.terms), default=1)
    lines = [
        Content.assemble(
            f"  {term.name:<16}{size(term.bytes):>9}  ",
            (f"{bar(term.bytes / most, 10, glyphs):<10}", "$primary"),
            (f"  {harmless(term.from_what)}", "$text-muted"),
        )
        for term in memory.terms
    ]
    lines.append(Content.assemble(("  together        ", "bold"), (f"{size(memory.total):>9}", "bold")))
    return Content("\n").join(lines)


STEP = SelectStep
