"""A few texts, each with its name at the left; one that needs several lines goes on below its own beginning."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content

from tunesmith.tui.glyphs import Glyphs
from tunesmith.tui.plain_text import harmless
from tunesmith.tui.widgets.by_width import ByWidth
from tunesmith.tui.widgets.cells import filled

GAP = 2
"""Cells between the names and the texts."""


class NamedLines(ByWidth):
    """Names in one column, texts in the other. Neither is markup, and what would steer a terminal is spelled out."""

    def __init__(self, glyphs: Glyphs, widest: int, *, id: str | None = None) -> None:
        """Args:
        widest: Cells that a name may take; a longer one is cut.
        """
        super().__init__(id=id)
        self._glyphs, self._widest = glyphs, widest
        self.lines: tuple[tuple[str, str], ...] = ()
        """What is said now: names and texts."""
        self._laid: tuple[int, Content] | None = None
        """Kept, because the texts may be long and are asked for several times: for this width, these lines."""

    def show(self, lines: Sequence[tuple[str, str]]) -> None:
        """Say these; nothing is sent where they are said already."""
        if tuple(lines) != self.lines:
            self.lines, self._laid = tuple(lines), None
            self.refresh(layout=True)

    def laid(self, width: int) -> Content:
        """Each text broken to what the names leave of `width`."""
        if self._laid is None or self._laid[0] != width:
            self._laid = width, self._broken(width)
        return self._laid[1]

    def _broken(self, width: int) -> Content:
        longest = max((Content(harmless(name)).cell_length for name, _ in self.lines), default=0)
        names = min(longest, self._widest) + GAP
        told = []
        for name, text in self.lines:
            lines = Content("\n".join(map(harmless, text.split("\n"))))
            first, *more = lines.wrap(max(1, width - names)) or [Content("")]
            shown = filled(name, names - GAP, self._glyphs.ellipsis) + " " * GAP
            told += [Content.assemble((shown, "$text-muted"), first)]
            told += [Content.assemble(" " * names, line) for line in more]
        return Content("\n").join(told)
