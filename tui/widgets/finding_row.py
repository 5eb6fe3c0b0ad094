"""Something that was found in the data, and the person's answer to it: one of its repairs, or to leave it."""

from __future__ import annotations

from typing import Any

from textual import on
from textual.app import ComposeResult
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Static

from tunesmith.core.facts import DataFinding
from tunesmith.core.prepare.repair.recipe import present
from tunesmith.core.prepare.repair.words import short, told
from tunesmith.tui.glyphs import Glyphs
from tunesmith.tui.plain_text import harmless
from tunesmith.tui.widgets.choice import Choice
from tunesmith.tui.widgets.still import Still

LEAVE, OWN = "leave it", "your own"


class FindingRow(Widget):
    """One finding: what is done about it, how serious it is, and its sentence."""

    class Decided(Message):
        """The person chose one of the repairs, or (None) to leave it."""

        def __init__(self, row: FindingRow, repair: dict[str, Any] | None) -> None:
            super().__init__()
            self.row = row
            self.repair = repair

    def __init__(self, finding: DataFinding, glyphs: Glyphs) -> None:
        super().__init__()
        self.finding = finding
        self._glyphs = glyphs
        self._own: dict[str, Any] | None = None
        """A repair of the plan that answers the finding otherwise than any that is offered."""
        self._text = Still(harmless(finding.text), classes="finding-text")
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
        yield self._text

    def show(self, repairs: list[dict[str, Any]]) -> None:
        """Which of its repairs the plan has."""
        if self._choice is None:
            return
        answer = present(self.finding, repairs)
        offered = list(self.finding.repairs)
        if answer is not None and answer not in offered and answer != self._own:
            self._own = answer
            self._choice.options = [*map(str, range(len(offered))), OWN, LEAVE]
        told_here = self.finding.text
        if answer is None:
            self._choice.show(LEAVE)
        elif answer in offered:
            self._choice.show(str(offered.index(answer)), short(answer))
        else:
            self._choice.show(OWN)
            told_here += f" Your plan: {told(answer)}."
        self._text.show(harmless(told_here))

    @on(Choice.Turned)
    def _turned(self, event: Choice.Turned) -> None:
        event.stop()
        self._decide(event.value)

    @on(Choice.Listed)
    def _listed(self, event: Choice.Listed) -> None:
        event.stop()
        options = event.choice.options
        place = options.index(event.choice.value) if event.choice.value in options else -1
        self._decide(options[(place + 1) % len(options)])

    @on(Choice.TakenBack)
    def _taken_back(self, event: Choice.TakenBack) -> None:
        event.stop()
        self.post_message(self.Decided(self, self.finding.repair))

    def _decide(self, value: str) -> None:
        answers = {LEAVE: None, OWN: self._own}
        repair = answers[value] if value in answers else self.finding.repairs[int(value)]
        self.post_message(self.Decided(self, repair))
