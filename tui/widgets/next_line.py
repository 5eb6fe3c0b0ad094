"""The last line of a step: what Enter does now. It holds the focus when a step opens."""

from __future__ import annotations

from textual.content import Content
from textual.widget import Widget

from tunesmith.tui.glyphs import Glyphs


class NextLine(Widget, can_focus=True):
    """A row, or a few of more words; the key is the screen's own, so that Enter works wherever the person is."""

    DEFAULT_CSS = "NextLine { height: auto; max-height: 3; width: 1fr; }"

    def __init__(self, glyphs: Glyphs) -> None:
        super().__init__()
        self._glyphs = glyphs
        self._text, self._ready = "", True

    def say(self, text: str, *, ready: bool = True) -> None:
        """What Enter does; `ready` says whether it does anything yet."""
        if (text, ready) != (self._text, self._ready):
            longer = len(text) != len(self._text)  # it may need another number of rows
            self._text, self._ready = text, ready
            self.refresh(layout=longer)

    def render(self) -> Content:
        """`Enter ▸ accept and go on`."""
        if not self._ready:
            return Content.styled(self._text, "$text-muted")
        return Content.assemble(("Enter", "bold $text-accent"), f" {self._glyphs.current} ", self._text)

    async def on_click(self) -> None:
        """A click does what Enter does."""
        await self.screen.run_action("accept")
