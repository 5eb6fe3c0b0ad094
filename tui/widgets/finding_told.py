"""The panel for one finding: what it does to a model, a picture of the distribution, examples, and what can be done."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.cells import cell_len
from textual.content import Content

from tunesmith.core.facts import DataFinding
from tunesmith.core.figures import percent
from tunesmith.core.prepare.account import StepCount
from tunesmith.core.prepare.repair.recipe import mending, offered_as
from tunesmith.core.prepare.repair.words import told
from tunesmith.tui.glyphs import Glyphs
from tunesmith.tui.plain_text import harmless
from tunesmith.tui.widgets.cells import filled
from tunesmith.tui.widgets.histogram import bar

LABEL = 16
"""Cells of a bar's name at the most."""
SEVERITY = {"serious": "serious", "warning": "worth a look", "note": "good to know"}


def finding_told(
    finding: DataFinding, repairs: list[dict[str, Any]], steps: Sequence[StepCount], glyphs: Glyphs, width: int
) -> Content:
    """Everything about one finding.

    Args:
        repairs: Those that the plan has.
        steps: What they did.
        width: Cells of the panel.
    """
    where = f"{harmless(finding.column)}: " if finding.column else ""
    parts: list[Content | str | tuple[str, str]] = [
        (f"{where}{percent(finding.share)} of the rows, {SEVERITY[finding.severity]}\n", "bold"),
    ]
    if finding.effect:
        parts.append(f"{harmless(finding.effect)}\n")
    if finding.picture:
        parts += ["\n", bars(finding.picture, glyphs, width), "\n"]
    if finding.examples:
        parts.append(("\nFor example\n", "$text-muted"))
        parts += [f"{glyphs.bullet} {harmless(example)}\n" for example in finding.examples]
    if finding.repairs:
        parts.append(("\nWhat can be done\n", "$text-muted"))
        now = mending(finding, repairs)
        at = offered_as(finding, now) if now is not None else -1
        for place, repair in enumerate(finding.repairs):
            best = " (recommended)" if place == 0 and finding.recommended else ""
            if place == at and now is not None:
                changed = ", as you changed it" if now != repair else best
                parts.append((f"{glyphs.current} {told(now)}{changed}\n", "bold"))
            else:
                parts.append(f"  {told(repair)}{best}\n")
        left = now is None
        best = "" if finding.recommended else " (recommended)"
        parts.append((f"{glyphs.current if left else ' '} leave it as it is{best}\n", "bold" if left else ""))
        done = _step(finding, repairs, steps)
        if done is not None:
            parts.append(("\nWhat it did\n", "$text-muted"))
            parts.append(f"{done.before:,} rows before, {done.after:,} after; {done.changed:,} changed\n")
            parts += [
                f"{harmless(where)}: {harmless(old)} {glyphs.arrow} {harmless(new)}\n"
                for where, old, new in done.examples
            ]
    return Content.assemble(*parts)


def _step(finding: DataFinding, repairs: list[dict[str, Any]], steps: Sequence[StepCount]) -> StepCount | None:
    """What the repair that answers the finding did, where the rows were made with it already."""
    done = mending(finding, repairs)
    if done is None or len(steps) < len(repairs):
        return None
    step = steps[repairs.index(done)]
    return step if step.name == done["kind"] else None


def bars(picture: tuple[tuple[str, int], ...], glyphs: Glyphs, width: int) -> Content:
    """A distribution as a line a bar, `width` cells wide."""
    most = max(count for _, count in picture) or 1
    wide = min(LABEL, max(cell_len(harmless(label)) for label, _ in picture))
    number = max(len(f"{count:,}") for _, count in picture)
    room = max(4, width - wide - number - 3)
    lines = [
        Content.assemble(
            (f"{filled(label, wide, glyphs.ellipsis)} ", "$text-muted"),
            (f"{bar(count / most, room, glyphs):<{room}}", "$primary"),
            f" {count:>{number},}",
        )
        for label, count in picture
    ]
    return Content("\n").join(lines)
