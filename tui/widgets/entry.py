"""A field to type in that takes keys in the order in which they were pressed.

Textual's own takes letters at once, but sends Backspace, Home and Enter the long way through the application's key
bindings: over a slow line, where keys arrive in bursts, letters overtake them.
"""

from __future__ import annotations

from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.widgets import Input


class Entry(Input):
    """An Input of one row."""

    # Textual's own has the key, too, but hides it: the footer would be silent about Enter while one types.
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "submit", "Go on", id="entry.accept", tooltip="What the last line says", key_display="Enter")
    ]

    def __init__(self, *, replaces: bool, classes: str = "") -> None:
        """Args:
        replaces: Whether typing replaces what stands there (a number) or goes on at its end (a sentence).
        """
        super().__init__(compact=True, select_on_focus=replaces, classes=classes)
        self.touched = False
        """Whether a person did something to it: it also tells of a change when it is made."""

    def show_beginning(self) -> None:
        """Show a long text from its beginning, though the cursor stands at its end: it is read before it is changed."""
        self.call_after_refresh(self.scroll_to, 0, animate=False, force=True)

    def on_focus(self) -> None:
        """The keys go here now."""
        self.show_beginning()

    async def on_key(self, event: events.Key) -> None:
        """Editing keys take effect before the next one is looked at."""
        self.touched = True
        action = _ACTIONS.get(event.key)
        if action is not None:
            event.stop()
            event.prevent_default()
            await self.run_action(action)

    def on_paste(self) -> None:
        """Pasting is typing."""
        self.touched = True


def _actions() -> dict[str, str]:
    """What each editing key does, from the field's own bindings."""
    found = {}
    for binding in Input.BINDINGS:
        assert not isinstance(binding, tuple)
        for key in binding.key.split(","):
            found[key.strip()] = binding.action
    return found


_ACTIONS = _actions()
