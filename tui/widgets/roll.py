"""A pane that takes the focus only where its content does not fit: Tab leads to nothing that needs no scrolling."""

from __future__ import annotations

from textual.containers import VerticalScroll
from textual.message import Message


class Roll(VerticalScroll, can_focus=False):
    """Scrolls by the arrow and paging keys where there is something to scroll to."""

    class Fits(Message):
        """Whether it has to be scrolled is another question than before."""

    def look_again(self) -> None:
        """The content is another one: see whether it fits, once it is laid out."""
        self.call_after_refresh(self._decide)

    def on_resize(self) -> None:
        """Whether it fits is another question now."""
        self.look_again()

    def _decide(self) -> None:
        if self.can_focus != (self.max_scroll_y > 0):
            self.can_focus = not self.can_focus
            self.post_message(self.Fits())
