"""Commands to copy, one at a time: the left and right keys turn to the next."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content

from tunesmith.tui.glyphs import Glyphs
from tunesmith.tui.plain_text import harmless
from tunesmith.tui.widgets.line import Line
from tunesmith.tui.widgets.still import Still

TITLES = {
    "curl": "ask with curl",
    "python": "ask from Python",
    "tunesmith": "serve with Tunesmith",
    "transformers": "serve with transformers",
    "vllm": "serve with vLLM (not tried here)",
}


class Block(VerticalScroll):
    """The command itself; it takes the focus, so that the arrow keys scroll it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "turn(-1)", "Command before", id="snippets.previous", tooltip="The command before", show=False),
        Binding("right", "turn(1)", "Next command", id="snippets.next", tooltip="Another command or program"),
    ]

    def action_turn(self, by: int) -> None:
        """To the next command or the one before."""
        if isinstance(self.parent, Snippets):
            self.parent.turn(by)


class Snippets(Vertical):
    """A line that names the command, and the command in a block that scrolls."""

    def __init__(self, glyphs: Glyphs, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._glyphs = glyphs
        self._texts: dict[str, str] = {}
        self._which = ""

    def compose(self) -> ComposeResult:
        """Name and block."""
        yield Line(self._glyphs, classes="snippets-head")
        with Block(classes="snippets-block"):
            yield Still(classes="snippets-text")

    def show(self, texts: Mapping[str, str]) -> None:
        """Offer these commands, by name; the one that was shown stays."""
        if texts != self._texts:
            self._texts = dict(texts)
            self._which = self._which if self._which in self._texts else next(iter(self._texts), "")
            self._show()

    @property
    def text(self) -> str:
        """The command that is shown, as it is to be copied."""
        return self._texts.get(self._which, "")

    @property
    def title(self) -> str:
        """What the command that is shown does."""
        return TITLES.get(self._which, self._which)

    def turn(self, by: int) -> None:
        """To the next command or the one before, round and round."""
        names = list(self._texts)
        if names:
            self._which = names[(names.index(self._which) + by) % len(names)]
            self._show()
            self.query_one(Block).scroll_home(animate=False)

    def _show(self) -> None:
        glyphs, names = self._glyphs, list(self._texts)
        place = names.index(self._which) + 1 if self._which in names else 0
        self.query_one(Line).show(
            ("Commands  ", "bold"),
            (f"{glyphs.chooser_left} ", "$text-muted"),
            (self.title, "bold $text-accent"),
            (f" {glyphs.chooser_right} ", "$text-muted"),
            (f" {place} of {len(names)} {glyphs.bullet} y copies it", "$text-muted"),
        )
        lines = [harmless(line) for line in self.text.split("\n")]
        self.query_one(Still).show(Content("\n".join(lines)))
