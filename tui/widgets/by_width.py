"""A text that is broken into lines by a rule of its own, anew whenever its width is another one."""

from __future__ import annotations

from textual.content import Content
from textual.geometry import Size
from textual.widget import Widget


class ByWidth(Widget):
    """As high as its lines. A subclass says in `laid` what they are."""

    DEFAULT_CSS = "ByWidth { height: auto; width: 1fr; }"

    def laid(self, width: int) -> Content:
        """The text for `width` cells: no line is longer, so that Textual breaks none again."""
        raise NotImplementedError

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """Asked by Textual when it lays out the screen."""
        return self.laid(width).plain.count("\n") + 1 if width else 0

    def render(self) -> Content:
        """The lines."""
        return self.laid(self.size.width)
