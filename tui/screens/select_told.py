"""What the step Select tells: estimates, the methods side by side, the memory, what fits and what would need less."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content

from tunesmith.core.facts import Hardware
from tunesmith.core.figures import parameters, price_span, size, span
from tunesmith.core.fit import MethodFit
from tunesmith.core.outlook import Outlook
from tunesmith.core.schema import knob_at
from tunesmith.core.select.cards import card
from tunesmith.core.select.levers import MOST_ROWS, Lever, WayFit
from tunesmith.core.select.machine import HERE
from tunesmith.core.select.memory import MemoryForecast
from tunesmith.tui.glyphs import Glyphs
from tunesmith.tui.plain_text import harmless
from tunesmith.tui.widgets.histogram import bar

BAR = 6
"""Cells of a bar in the table of methods."""
HOW = {
    "simulated": "simulated",
    "corrected": "arithmetic, corrected",
    "arithmetic": "arithmetic",
    "measured": "measured here before",
}
"""How a forecast was made, in a word or two."""


def told(outlook: Outlook, glyphs: Glyphs, *, simulating: float | None = None) -> Content:
    """Memory, steps, time, money and disk in a few lines; each says that it is an estimate.

    Args:
        simulating: Seconds since a simulation began that will make the memory more certain; None where none is
            under way.
    """
    memory = outlook.memory
    where = "on the GPU" if memory.device == "cuda" else "in RAM"
    fits = fit(memory, glyphs)
    room = "" if outlook.disk_suffices else f" {glyphs.error} not enough room"
    free = "needed; free there is not known" if outlook.disk_free is None else f"of {size(outlook.disk_free)} free"
    over = "".join(f"\n{glyphs.warning} {sentence}" for sentence in outlook.over_budget)
    return Content.assemble(
        ("Estimates\n", "bold"),
        f"memory  {size(memory.total)} of {size(memory.available)} free {where}: ",
        fits,
        (f"\n        {HOW[memory.how] if simulating is None else simulating_told(simulating, glyphs)}", "$text-muted"),
        f"\nsteps   {outlook.steps:,}, training {parameters(outlook.trained_parameters)} parameters\n",
        f"time    {span(outlook.seconds)} for the training\n",
        f"money   {price_span(outlook.money)} for the training\n" if outlook.money is not None else "",
        f"disk    {size(outlook.disk)} {free}",
        (room, "$text-error"),
        (over, "$text-warning"),
        (f"\n\n{time_source(outlook)}", "$text-muted"),
    )


def simulating_told(seconds: float | None, glyphs: Glyphs) -> str:
    """`simulating a step … 2 s`."""
    return f"simulating a step {glyphs.ellipsis} {seconds or 0:.0f} s"


def machine_word(hardware: Hardware) -> str:
    """Which machine is meant: this one, or the cards that are planned for."""
    if not hardware.planned:
        return HERE
    count, one = card(hardware.planned)
    return f"{count} x {one.title}" if count > 1 else one.title


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
    """A line for each method, the chosen one first: memory as a bar against what is free, trained parameters, time."""
    head = f"  {'':<6}{'memory':>9} {'':<{BAR}}  {'':<14}{'trained':>9}  time"
    lines = [Content.styled(head, "$text-muted")]
    for one in sorted(found, key=lambda one: one.method != chosen):
        mark = glyphs.current if one.method == chosen else " "
        name = (f"{mark} {knob_at('select.method').label(one.method):<6}", "bold" if one.method == chosen else "")
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
                (", checkpointed" if one.outlook.load.checkpointing else "", "$text-muted"),
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


def ways_table(found: Sequence[WayFit], glyphs: Glyphs) -> Content:
    """A line for each way: memory without and with gradient checkpointing, and how far it goes with it."""
    head = f"  {'':<11}{'plain':>9}{'checkpointed':>15}{'most rows':>12}{'longest row':>13}"
    lines = [Content.styled(head, "$text-muted")]
    for one in found:
        parts: list[str | tuple[str, str]] = [f"  {one.way.name:<11}"]
        for width, memory in ((9, one.plain), (12, one.checkpointed)):
            sign, style = fit(memory, glyphs)
            parts += [f"{size(memory.total):>{width}}", (f" {sign[:1]}", style)]
        rows = f"{one.batch:,}{'+' if one.batch == MOST_ROWS else ''}" if one.batch else "none"
        longest = f"{one.longest:,}" if one.longest else "none"
        lines.append(Content.assemble(*parts, f"{rows:>11}{longest:>13}"))
    return Content("\n").join(lines)


def levers_table(found: Sequence[Lever], glyphs: Glyphs, *, fits_now: bool) -> Content:
    """What each lever saves, and what it costs; whether it makes the plan fit, where it does not."""
    if not found:
        return Content.styled("  Nothing that is known would save memory worth a word.", "$text-muted")
    lines = []
    for lever in found:
        fits = (f"  {glyphs.done} fits then" if lever.fits and not fits_now else "", "$text-success")
        costs = (f"\n    {harmless(lever.costs)}", "$text-muted")
        lines.append(Content.assemble(f"  {lever.name:<32}", (f"{size(lever.saves):>9} less", "bold"), fits, costs))
    return Content("\n").join(lines)
