"""The memory over one training step as bars, one a phase: what stays, what the rows need, what comes and goes.

The parts of a bar differ in sign and not only in colour, so that the picture can be read without colours.
"""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content

from tunesmith.core.facts import MemoryPhase
from tunesmith.core.figures import size
from tunesmith.tui.glyphs import Glyphs

GROUPS: tuple[tuple[str, tuple[str, ...], str], ...] = (
    ("stays", ("weights", "working copies", "adapter", "gradients", "optimizer"), "$primary"),
    ("kept for the rows", ("activations", "answers"), "$secondary"),
    ("comes and goes", (), "$accent"),
)
"""(what the part is called, the kinds of memory in it, its colour); the last part is everything else."""
NAME = 16
"""Cells of a phase's name."""


def memory_bars(phases: Sequence[MemoryPhase], glyphs: Glyphs, width: int) -> Content:
    """One bar a phase, all to the scale of the highest, and a legend.

    Args:
        width: Cells of the longest bar.
    """
    most = max((sum(phase.bytes.values()) for phase in phases), default=1) or 1
    lines = []
    for phase in phases:
        parts = _parts(phase)
        cells = _cells(parts, most, width)
        bar = [(sign * count, part[2]) for sign, count, part in zip(glyphs.stack, cells, GROUPS, strict=True)]
        total = f"{'':<{width - sum(cells)}}  {size(sum(parts)):>9}"
        peak = "  the peak" if sum(parts) == most else ""
        lines.append(Content.assemble(f"  {phase.name:<{NAME}}", *bar, total, (peak, "bold")))
    legend = [(f"{sign} {name}   ", colour) for sign, (name, _, colour) in zip(glyphs.stack, GROUPS, strict=True)]
    return Content("\n").join([*lines, Content.assemble("  ", *legend)])


def _parts(phase: MemoryPhase) -> list[int]:
    """Bytes of each of `GROUPS`."""
    named = [sum(phase.bytes.get(kind, 0) for kind in kinds) for _, kinds, _ in GROUPS[:-1]]
    return [*named, sum(phase.bytes.values()) - sum(named)]


def _cells(parts: Sequence[int], most: int, width: int) -> list[int]:
    """Whole cells of each part: rounded where the parts end, so that they add up to the bar's own length."""
    ends = [round(width * sum(parts[: place + 1]) / most) for place in range(len(parts))]
    return [end - start for start, end in zip([0, *ends], ends, strict=False)]
