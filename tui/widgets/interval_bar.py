"""A share as a bar with its confidence interval drawn on it, a label before and the figures as text behind."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby
from typing import ClassVar, Literal

from textual.content import Content
from textual.widget import Widget

from tunesmith.core.bootstrap import Interval
from tunesmith.tui.glyphs import Glyphs
from tunesmith.tui.widgets.cells import filled

Role = Literal["label", "fill", "empty", "interval", "text"]

LABEL = 18
"""Cells of the label, so that bars below one another begin in one column."""
BAR_LEAST = 6
"""A bar of fewer cells says nothing: the figures alone are shown."""
SHARES = ("0 %", "100 %")
"""The ends of a bar, where it is a share."""
WIDE = 96
"""Cells from which on the longer figures are shown."""


class IntervalBar(Widget):
    """One row: label, bar, figures. Repainted only when it says something else.

    Colours come by the component classes below, to be set in a screen's style sheet. Bars that stand below one
    another line up as long as their figures are texts of the same width.
    """

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "interval-bar--label",
        "interval-bar--fill",
        "interval-bar--empty",
        "interval-bar--interval",
        "interval-bar--text",
    }
    DEFAULT_CSS = "IntervalBar { height: 1; width: 1fr; }"

    def __init__(
        self, label: str, glyphs: Glyphs, *, scale: bool = False, id: str | None = None, classes: str = ""
    ) -> None:
        """Args:
        scale: Whether the bar's ends are told instead of a share: for the row above the others.
        """
        super().__init__(id=id, classes=classes)
        self._label, self._glyphs, self._scale = label, glyphs, scale
        self._interval: Interval | None = None
        self._text, self._wide_text = "", ""
        self._ends = SHARES

    def show(
        self,
        interval: Interval | None,
        text: str,
        wide_text: str = "",
        *,
        label: str = "",
        ends: tuple[str, str] = SHARES,
    ) -> None:
        """Show this share (0 to 1) and its figures; None for a bar that is still empty.

        Args:
            interval: The value and its bounds.
            text: What stands behind the bar.
            wide_text: The same where there is more room.
            label: Another label than before.
            ends: What the ends of a scale stand for.
        """
        told = (interval, text, wide_text or text, label or self._label, ends)
        if told != (self._interval, self._text, self._wide_text, self._label, self._ends):
            self._interval, self._text, self._wide_text, self._label, self._ends = told
            self.refresh()

    def render(self) -> Content:
        """Label, bar and figures, as much of them as has room."""
        width = self.size.width
        text = self._wide_text if width >= WIDE else self._text
        label = min(LABEL, width // 2)
        room = width - label - len(text)
        name = filled(self._label, label - 1, self._glyphs.ellipsis).ljust(label)
        parts: list[tuple[str, Role]] = [(name, "label")]
        if room >= BAR_LEAST:
            parts += self._bar(room)
        parts.append((text[: max(0, width - label)], "text"))
        return Content.assemble(
            *((part, self.get_visual_style(f"interval-bar--{role}", partial=True)) for part, role in parts if part)
        )

    def _bar(self, width: int) -> Iterable[tuple[str, Role]]:
        if self._scale:
            low, high = self._ends
            fits = width > len(low) + len(high)
            return [(low + high.rjust(width - len(low)) if fits else " " * width, "label")]
        return bar_cells(self._interval, width, self._glyphs)


def bar_cells(interval: Interval | None, width: int, glyphs: Glyphs) -> list[tuple[str, Role]]:
    """A bar of `width` cells in stretches of one role each: filled up to the value, the interval on top of it.

    The value's own cell shows the point; bounds that fall into that cell are not drawn. Shares beyond 0 and 1 stand
    at the ends.
    """
    cells: list[tuple[str, Role]] = [(glyphs.bar_empty, "empty")] * max(0, width)
    if interval is not None and cells:
        low, value, high = (_cell(share, width) for share in (interval.low, interval.value, interval.high))
        cells[:value] = [(glyphs.bar_full, "fill")] * value
        if low < high:
            cells[low : high + 1] = [(glyphs.interval_line, "interval")] * (high + 1 - low)
        if low < value:
            cells[low] = (glyphs.interval_left, "interval")
        if high > value:
            cells[high] = (glyphs.interval_right, "interval")
        cells[value] = (glyphs.interval_point, "interval")
    stretches = groupby(cells, key=lambda cell: cell[1])
    return [("".join(text for text, _ in stretch), role) for role, stretch in stretches]


def _cell(share: float, width: int) -> int:
    """The cell that a share falls into; not a number counts as 0."""
    if not share > 0:
        return 0
    return min(width - 1, int(share * width))
