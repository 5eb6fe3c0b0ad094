"""A box that tells what went wrong: what happened, why, and what to do next. Never a traceback."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Static

from tunesmith.core.errors import TunesmithError
from tunesmith.tui.glyphs import Glyphs
from tunesmith.tui.plain_text import harmless
from tunesmith.tui.screens.calm import CalmModal
from tunesmith.tui.widgets.box_keys import BoxKeys


class Failure(CalmModal[None]):
    """One error as sentences; Enter or Esc closes it, and nothing was lost."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,escape,q", "dismiss", "Close", id="failure.close", tooltip="Back to where you were")
    ]

    def __init__(self, error: TunesmithError, glyphs: Glyphs) -> None:
        super().__init__(classes="box")
        self._error = error
        self._glyphs = glyphs

    def compose(self) -> ComposeResult:
        """Title, cause, next step, and the key."""
        error = self._error
        with Vertical(classes="box-body"):
            title = Content.assemble((f"{self._glyphs.error} ", "$text-error"), (harmless(error.title), "bold"))
            yield Static(title, classes="box-title", markup=False)
            if error.cause:
                yield Static(harmless(error.cause), markup=False)
            yield Static(Content.assemble((f"{self._glyphs.arrow} ", "$text-accent"), harmless(error.next_step)))
            yield BoxKeys(("Enter", "closes this"))
