"""The last line of a box: its keys, each with what it does."""

from __future__ import annotations

from textual.content import Content

from tunesmith.tui.widgets.by_width import ByWidth

GAP = 3
"""Cells between two keys."""

Key = tuple[str, str]
"""A key's name, and what it does here."""


class BoxKeys(ByWidth):
    """A line, or several where it is narrow; a key and what it does are never parted."""

    def __init__(self, *keys: Key, id: str | None = None) -> None:
        super().__init__(id=id, classes="box-keys")
        self._keys = keys

    def show(self, *keys: Key) -> None:
        """Offer these; nothing is sent where they are offered already."""
        if keys != self._keys:
            self._keys = keys
            self.refresh(layout=True)

    def laid(self, width: int) -> Content:
        """As many to a line as there is room for.

        Done here, because Textual breaks at any blank, a non-breaking one included.
        """
        lines: list[Content] = []
        for key, does in self._keys:
            told = Content.assemble((key, "bold $text-accent"), f" {does}")
            if lines and lines[-1].cell_length + GAP + told.cell_length <= width:
                lines[-1] = Content.assemble(lines[-1], " " * GAP, told)
            else:
                lines += told.wrap(width) if told.cell_length > width else [told]
        return Content("\n").join(lines)
