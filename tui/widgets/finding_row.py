"""Something that was found in the data, and the person's answer to it: mend it, or leave it."""

from __future__ import annotations

from typing import Any

from textual import on
from textual.app import ComposeResult
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Static

from tunesmith.core.facts import DataFinding
from tunesmith.tui.glyphs import Glyphs
from tunesmith.tui.plain_text import harmless, shortened
from tunesmith.tui.widgets.choice import Choice

MEND, LEAVE = "mend it", "leave it"


class FindingRow(Widget):
    """One finding: its sentence with examples, and what is done about it."""

    class Decided(Message):
        """The person said whether it is mended."""

        def __init__(self, row: FindingRow, mend: bool) -> None:
            super().__init__()
            self.row = row
            self.mend = mend

    def __init__(self, finding: DataFinding, repair: dict[str, Any], glyphs: Glyphs) -> None:
        super().__init__()
        self._finding = finding
        self.repair = repair
        self._glyphs = glyphs
        self._choice = Choice(glyphs, (MEND, LEAVE)) if finding.repair else None

    def compose(self) -> ComposeResult:
        """The sentence at the left, the answer at the right."""
        if self._choice is not None:
            yield self._choice
        else:
            yield Static("to know", classes="finding-note", markup=False)
        examples = ", ".join(shortened(one, 40) for one in self._finding.examples[:3])
        text = harmless(self._finding.text)
        if examples and not any(one in self._finding.text for one in self._finding.examples):
            text += f" For example: {examples}"
        yield Static(text, classes="finding-text", markup=False)

    def show(self, mended: bool) -> None:
        """Whether the plan mends it."""
        if self._choice is not None:
            self._choice.show(MEND if mended else LEAVE)

    @on(Choice.Turned)
    def _turned(self, event: Choice.Turned) -> None:
        event.stop()
        self.post_message(self.Decided(self, event.value == MEND))

    @on(Choice.Listed)
    def _listed(self, event: Choice.Listed) -> None:
        event.stop()
        self.post_message(self.Decided(self, event.choice.value != MEND))

    @on(Choice.TakenBack)
    def _taken_back(self, event: Choice.TakenBack) -> None:
        event.stop()
        self.post_message(self.Decided(self, True))
