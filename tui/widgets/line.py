"""One row of text that is repainted only when it says something else."""

from __future__ import annotations

from textual.content import Content
from textual.widget import Widget

from tunesmith.tui.glyphs import Glyphs
from tunesmith.tui.widgets.cells import fitted

Part = tuple[str, str]
"""A text and its style."""


class Line(Widget):
    """A few parts of text in a row. A style sheet gives its width; what does not fit is cut."""

    DEFAULT_CSS = "Line { height: 1; width: 1fr; }"

    def __init__(self, glyphs: Glyphs, *parts: Part, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._glyphs = glyphs
        self._parts = parts

    def show(self, *parts: Part) -> None:
        """Say this; nothing is sent where it said so already."""
        if parts != self._parts:
            self._parts = parts
            self.refresh()

    def render(self) -> Content:
        """The parts, the last ones cut where there is no room."""
        told, room = [], self.size.width
        for text, style in self._parts:
            shown = fitted(text, room, self._glyphs.ellipsis)
            room -= Content(shown).cell_length
            if shown:
                told.append((shown, style))
        return Content.assemble(*told)
