"""Something that was found in the data, and the person's answer to it: one of its repairs, or to leave it."""

from __future__ import annotations

from typing import Any

from textual import on
from textual.app import ComposeResult
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Static

from tunesmith.core.facts import DataFinding
from tunesmith.core.prepare.repair.recipe import mending, offered_as
from tunesmith.core.prepare.repair.words import short
from tunesmith.tui.glyphs import Glyphs
from tunesmith.tui.plain_text import harmless
from tunesmith.tui.widgets.choice import Choice

LEAVE = "leave it"


class FindingRow(Widget):
    """One finding: what is done about it, how serious it is, and its sentence."""

    class Decided(Message):
        """The person chose one of the repairs, or (None) to leave it."""

        def __init__(self, row: FindingRow, repair: dict[str, Any] | None) -> None:
            super().__init__()
            self.row = row
            self.repair = repair

    class Opened(Message):
        """The person wants to see what can be done, and to change it."""

        def __init__(self, row: FindingRow) -> None:
            super().__init__()
            self.row = row

    def __init__(self, finding: DataFinding, glyphs: Glyphs) -> None:
        super().__init__()
        self.finding = finding
        self._glyphs = glyphs
        names = [str(place) for place in range(len(finding.repairs))]
        self._choice = Choice(glyphs, [*names, LEAVE]) if finding.repairs else None

    def compose(self) -> ComposeResult:
        """The answer, the sign, the sentence."""
        if self._choice is not None:
            yield self._choice
        else:
            yield Static("to know", classes="finding-note", markup=False)
        signs = {"serious": self._glyphs.error, "warning": self._glyphs.warning, "note": self._glyphs.bullet}
        severity = self.finding.severity
        yield Static(signs[severity], classes=f"finding-sign -{severity}", markup=False)
        yield Static(harmless(self.finding.text), classes="finding-text", markup=False)

    def show(self, repairs: list[dict[str, Any]]) -> None:
        """Which of its repairs the plan has."""
        if self._choice is None:
            return
        done = mending(self.finding, repairs)
        if done is None:
            self._choice.show(LEAVE)
        else:
            self._choice.show(str(offered_as(self.finding, done)), short(done))

    @on(Choice.Turned)
    def _turned(self, event: Choice.Turned) -> None:
        event.stop()
        self._decide(event.value)

    @on(Choice.Listed)
    def _listed(self, event: Choice.Listed) -> None:
        event.stop()
        self.post_message(self.Opened(self))

    @on(Choice.TakenBack)
    def _taken_back(self, event: Choice.TakenBack) -> None:
        event.stop()
        self.post_message(self.Decided(self, self.finding.repair))

    def _decide(self, value: str) -> None:
        self.post_message(self.Decided(self, None if value == LEAVE else self.finding.repairs[int(value)]))
