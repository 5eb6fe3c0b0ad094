"""A box to ask the served model: a test row's record, its question to take or to change, and the answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.message import Message
from textual.widgets import Input

from tunesmith.core.productionize.trying import own_question, record_of, right
from tunesmith.core.rows import Row
from tunesmith.tui.glyphs import Glyphs
from tunesmith.tui.plain_text import harmless
from tunesmith.tui.widgets.line import Line
from tunesmith.tui.widgets.still import Still

SHOWN_MOST = 4_000
"""Signs of a text that are shown."""
LABEL = 10


@dataclass(frozen=True)
class Question:
    """What is asked about which row."""

    row: Row
    text: str
    own: bool
    """Whether it is the row's own question, so that its answer is known."""


class TryBox(Vertical):
    """It asks nothing itself: it tells what the person wants to ask, and is told the answer."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down", "turn(1)", "Next test row", id="try.next", tooltip="Another record with its question"),
        Binding("up", "turn(-1)", "Row before", show=False, id="try.previous", tooltip="The test row before"),
    ]

    class Sent(Message):
        """The person sent a question."""

        def __init__(self, question: Question) -> None:
            super().__init__()
            self.question = question

    def __init__(self, glyphs: Glyphs, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._glyphs = glyphs
        self._rows: Sequence[Row] = ()
        self._at = 0

    def compose(self) -> ComposeResult:
        """Record, question, answer."""
        yield Line(self._glyphs, id="try-head")
        with VerticalScroll(id="try-record", can_focus=False):
            yield Still(id="try-record-text")
        with Horizontal(id="try-line"):
            yield Line(self._glyphs, ("question", "$text-muted"), id="try-label")
            entry = Input(compact=True, select_on_focus=True, id="try-question")
            entry.cursor_blink = False  # a blinking cursor would send some kilobytes a second
            yield entry
        yield Still(id="try-answer")

    def show(self, rows: Sequence[Row]) -> None:
        """Offer these rows, the first one now."""
        self._rows, self._at = rows, 0
        self._show_row()

    @property
    def question(self) -> Question | None:
        """What Enter would ask; None where there is no row, or nothing was typed."""
        text = self.query_one(Input).value
        if not self._rows or not text.strip():
            return None
        row = self._rows[self._at]
        shown = harmless(own_question(row))
        own = text == shown
        return Question(row, own_question(row) if own else text.replace("⏎", "\n"), own)

    def send(self) -> None:
        """Ask what stands in the box."""
        question = self.question
        if question is not None:
            self.post_message(self.Sent(question))
        elif self._rows:
            self.tell(Content.styled("Type a question first; Down brings back a test row's own.", "$text-muted"))

    def tell(self, text: Content) -> None:
        """Show this where the answer stands."""
        self.query_one("#try-answer", Still).show(text)

    def tell_answer(self, question: Question, answer: str, seconds: float) -> None:
        """The answer, the time it took, and what was expected."""
        glyphs = self._glyphs
        shown = _lines(answer[:SHOWN_MOST])
        parts: list[str | tuple[str, str]] = [
            ("answer".ljust(LABEL), "$text-muted"),
            (shown, "bold") if shown else ("(nothing)", "$text-muted"),
            (f"  {seconds:.1f} s\n", "$text-muted"),
        ]
        if not question.own:
            parts.append(("Your own question: compare the answer with the record above.", "$text-muted"))
        elif right(question.row, answer):
            parts += [("expected".ljust(LABEL), "$text-muted"), _lines(question.row.answer[:SHOWN_MOST])]
            parts.append((f"  {glyphs.done} the same", "$text-success"))
        else:
            parts += [("expected".ljust(LABEL), "$text-muted"), _lines(question.row.answer[:SHOWN_MOST])]
            parts.append((f"  {glyphs.error} not the same", "$text-error"))
        self.tell(Content.assemble(*parts))

    def action_turn(self, by: int) -> None:
        """To the next test row or the one before, round and round."""
        if self._rows:
            self._at = (self._at + by) % len(self._rows)
            self._show_row()

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.send()

    def _show_row(self) -> None:
        if not self._rows:
            self.query_one("#try-head", Line).show(("There are no test rows to ask; type a question.", "$text-muted"))
            return
        row, glyphs = self._rows[self._at], self._glyphs
        place = f"test row {self._at + 1:,} of {len(self._rows):,}"
        keys = f" {glyphs.bullet} Down: the next one {glyphs.bullet} or type your own question"
        self.query_one("#try-head", Line).show(("Try it  ", "bold"), (place + keys, "$text-muted"))
        self.query_one("#try-record-text", Still).show(Content(_lines(record_of(row)[:SHOWN_MOST])))
        entry = self.query_one(Input)
        entry.value = harmless(own_question(row))
        entry.cursor_position = len(entry.value)
        self.tell(Content(""))


def _lines(text: str) -> str:
    """Lines stay lines."""
    return "\n".join(harmless(line) for line in text.splitlines())
