"""The line that shows the six stages: which is open, which are settled, stale, under way or still to come."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from textual.content import Content
from textual.widget import Widget

from tunesmith.core.stages import STAGES, TITLES
from tunesmith.tui.glyphs import Glyphs

Mark = Literal["settled", "stale", "open", "running", "stopped", "failed"]
STYLES: dict[Mark, str] = {
    "settled": "$text-success",
    "stale": "$text-warning",
    "open": "$text-muted",
    "running": "$text-primary",
    "stopped": "$text-warning",
    "failed": "$text-error",
}
FITS = 78
"""Columns that all six names need."""


class Stepper(Widget):
    """One row; repainted only when what it says has changed."""

    DEFAULT_CSS = "Stepper { height: 1; width: 1fr; }"

    def __init__(self, glyphs: Glyphs, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._glyphs = glyphs
        self._told: tuple[str, dict[str, Mark]] = ("", {})

    def show(self, current: str, marks: Mapping[str, Mark]) -> None:
        """Say where the person is and how each stage stands."""
        told = (current, dict(marks))
        if told != self._told:
            self._told = told
            self.refresh()

    def render(self) -> Content:
        """All six where there is room, else only the one that is open."""
        current, marks = self._told
        if self.content_size.width < FITS:
            place = STAGES.index(current) + 1 if current in STAGES else 0
            name = TITLES.get(current, "")
            word = marks.get(current, "open")
            return Content.assemble((f"{place} of {len(STAGES)} ", "$text-muted"), (name, "bold"), f"  {word}")
        parts = [self._stage(number, stage, current, marks) for number, stage in enumerate(STAGES, 1)]
        return Content(" ").join(parts)

    def _stage(self, number: int, stage: str, current: str, marks: Mapping[str, Mark]) -> Content:
        mark = marks.get(stage, "open")
        sign = {
            "settled": self._glyphs.done,
            "stale": self._glyphs.stale,
            "open": self._glyphs.open,
            "running": self._glyphs.running,
            "stopped": self._glyphs.stopped,
            "failed": self._glyphs.error,
        }[mark]
        name = f"{number} {TITLES[stage]}"
        if stage == current:
            return Content.assemble((sign, STYLES[mark]), (name, "bold underline"))
        return Content.assemble((sign, STYLES[mark]), (name, STYLES[mark] if mark != "settled" else "$text-muted"))
