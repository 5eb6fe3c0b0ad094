"""A screen that repaints only what changes when the focus moves; the base of all of ours."""

from __future__ import annotations

from typing import TypeVar

from textual.reactive import Reactive
from textual.screen import ModalScreen, Screen
from textual.widget import Widget

Result = TypeVar("Result")


class CalmScreen(Screen[Result]):
    """Textual repaints the whole screen at every move of the focus (15 kB at 120×40); the widgets that gain and lose
    it repaint themselves, and that is all that changes.
    """

    focused: Reactive[Widget | None] = Reactive(None, repaint=False)


class CalmModal(ModalScreen[Result]):
    """The same for a box."""

    focused: Reactive[Widget | None] = Reactive(None, repaint=False)
