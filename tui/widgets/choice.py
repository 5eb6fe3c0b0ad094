"""A value that is one of several: the left and right keys change it, Space shows all of them with what they mean."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message
from textual.widget import Widget

from tunesmith.tui.glyphs import Glyphs
from tunesmith.tui.plain_text import shortened


class Choice(Widget, can_focus=True):
    """One row: the value between two signs that say it can be changed."""

    DEFAULT_CSS = "Choice { height: 1; width: 1fr; }"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "left",
            "turn(-1)",
            "Change",
            id="choice.previous",
            tooltip="The option before this one; the right key leads to the one after",
            key_display="←→",
        ),
        Binding("right", "turn(1)", "Next", show=False, id="choice.next", tooltip="The option after this one"),
        Binding(
            "space",
            "list",
            "List",
            id="choice.list",
            tooltip="All options, each with what it would change",
            key_display="Space",
        ),
        Binding(
            "r", "take_back", "Recommended", show=False, id="choice.recommended", tooltip="Back to what is recommended"
        ),
    ]

    class Turned(Message):
        """Another value was chosen."""

        def __init__(self, choice: Choice, value: str) -> None:
            super().__init__()
            self.choice = choice
            self.value = value

    class Listed(Message):
        """All options are asked for."""

        def __init__(self, choice: Choice) -> None:
            super().__init__()
            self.choice = choice

    class TakenBack(Message):
        """The recommended value is wanted again."""

        def __init__(self, choice: Choice) -> None:
            super().__init__()
            self.choice = choice

    def __init__(
        self, glyphs: Glyphs, options: Sequence[str], *, turns: bool = True, id: str | None = None, classes: str = ""
    ) -> None:
        super().__init__(id=id, classes=classes)
        self._glyphs = glyphs
        self.options = list(options)
        self._turns = turns
        """Whether left and right change it; otherwise only the list does."""
        self.value = ""
        self._shown: str | None = None
        """The value as people read it; None before any is known."""

    def show(self, value: str, shown: str = "") -> None:
        """Show a value; nothing is said to anybody.

        Args:
            shown: How people read it, where that is not the value itself.
        """
        shown = shown or value or "none"
        if (value, shown) != (self.value, self._shown):
            self.value, self._shown = value, shown
            self.refresh()

    def render(self) -> Content:
        """The value, between signs where it can be turned."""
        if self._shown is None:
            return Content.styled(self._glyphs.ellipsis, "$text-muted")
        left, right = (self._glyphs.chooser_left, self._glyphs.chooser_right) if self._turns else ("", "")
        room = max(4, self.size.width - 4)
        style = "bold" if self.has_focus else ""
        return Content.assemble(
            (f"{left} " if left else "", "$text-muted"),
            (shortened(self._shown, room), style),
            (f" {right}" if right else "", "$text-muted"),
        )

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """What can only be chosen in its box is not turned."""
        return self._turns if action == "turn" else True

    def action_turn(self, by: int) -> None:
        """The option before or after this one, round and round."""
        if not self._turns or not self.options:
            return
        place = self.options.index(self.value) if self.value in self.options else -1
        self.post_message(self.Turned(self, self.options[(place + by) % len(self.options)]))

    def action_list(self) -> None:
        """Ask for the list of all options."""
        self.post_message(self.Listed(self))

    def action_take_back(self) -> None:
        """Ask for what is recommended."""
        self.post_message(self.TakenBack(self))

    def on_click(self, event: events.Click) -> None:
        """A click opens the list."""
        event.stop()
        self.focus()
        self.action_list()
