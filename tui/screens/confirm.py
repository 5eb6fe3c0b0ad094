"""A question before something that may go wrong: `y` does it; Enter, which is pressed by habit, does not."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content

from tunesmith.tui.screens.calm import CalmModal
from tunesmith.tui.widgets.box_keys import BoxKeys
from tunesmith.tui.widgets.still import Still


class Confirm(CalmModal[bool]):
    """Yes or no, by a key of its own."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "dismiss(True)", "Yes", id="confirm.yes", tooltip="Do it"),
        Binding("n,escape,enter,q", "dismiss(False)", "No", id="confirm.no", tooltip="Leave it", key_display="n"),
    ]

    def __init__(self, question: str, why: str) -> None:
        super().__init__(classes="box")
        self._question, self._why = question, why

    def compose(self) -> ComposeResult:
        """What speaks against it, and the two keys."""
        with Vertical(classes="box-body"):
            yield Still(Content.styled(self._question, "bold"), classes="box-title")
            yield Still(self._why)
            yield BoxKeys(("y", "yes"), ("n", "no"))
