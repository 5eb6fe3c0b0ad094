"""One test row in full: what was asked, what was wanted, what both models answered, and where the answer differs."""

from __future__ import annotations

from collections.abc import Sequence

from textual.app import ComposeResult
from textual.content import Content

from tunesmith.core.evaluate.difference import Piece, difference
from tunesmith.core.figures import percent
from tunesmith.core.measures import ALWAYS, measure
from tunesmith.tui.glyphs import Glyphs
from tunesmith.tui.plain_text import harmless
from tunesmith.tui.widgets.answer_rows import Answered
from tunesmith.tui.widgets.roll import Roll
from tunesmith.tui.widgets.still import Still

LABEL = 11
"""Cells of the names at the left."""
SHOWN_MOST = 4_000
"""Signs of a text that are shown; the file beside the predictions has all of them."""

Part = str | tuple[str, str]


class RowDetail(Roll):
    """A pane that can be scrolled by keyboard where the row does not fit into it."""

    def __init__(self, glyphs: Glyphs, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._glyphs = glyphs

    def compose(self) -> ComposeResult:
        """One text."""
        yield Still(classes="row-detail-text")

    def show(self, row: Answered | None) -> None:
        """Show this row from its beginning."""
        self.query_one(Still).show(detail(row, self._glyphs) if row else Content(""))
        self.scroll_home(animate=False)
        self.look_again()


def detail(row: Answered, glyphs: Glyphs) -> Content:
    """The row as text; differences stand in `[-…-]` and `{+…+}`, so that they show without colour."""
    told = row.tuned
    expected, answer = difference(told.expected[:SHOWN_MOST], told.answer[:SHOWN_MOST])
    sign, right, style = _judged(row, glyphs)
    parts: list[Part] = [
        *_line("question", [harmless(told.question[:SHOWN_MOST])]),
        *_line("expected", _marked(expected, "[-", "-]", "underline $text-warning")),
        *_line("tuned", [*_marked(answer, "{+", "+}", "bold underline $text-error"), "  ", (f"{sign} {right}", style)]),
    ]
    if row.untouched is not None:
        parts += _line("untouched", [harmless(row.untouched[:SHOWN_MOST]) or ("(nothing)", "$text-muted")])
    if told.context:
        parts += _line("context", [_lines(told.context[:SHOWN_MOST])])
    scores = f"exact match {percent(told.exact_match)} {glyphs.bullet} F1 {percent(told.f1)} {glyphs.bullet} row "
    if row.metric not in ALWAYS:
        scores = f"{_by_metric(row)} {glyphs.bullet} {scores}"
    parts += _line("score", [scores + harmless(told.id)], last=True)
    return Content.assemble(*parts)


def _judged(row: Answered, glyphs: Glyphs) -> tuple[str, str, str]:
    """Sign, word and style of the tuned answer: right, wrong, or how good where there is something in between."""
    if row.right:
        return glyphs.done, "right", "$text-success"
    if row.graded:
        return glyphs.bullet, _by_metric(row), "$text-muted"
    return glyphs.error, "wrong", "$text-error"


def _by_metric(row: Answered) -> str:
    shown = measure(row.metric)
    return f"{shown.name} {shown.maybe(row.tuned.by(row.metric))}"


def _line(name: str, parts: Sequence[Part], *, last: bool = False) -> list[Part]:
    return [(name.ljust(LABEL), "$text-muted"), *parts, "" if last else "\n"]


def _marked(pieces: Sequence[Piece], begin: str, end: str, style: str) -> list[Part]:
    if not pieces:
        return [("(nothing)", "$text-muted")]
    return [
        (f"{begin}{harmless(piece.text)}{end}", style) if piece.differs else harmless(piece.text) for piece in pieces
    ]


def _lines(text: str) -> str:
    """Lines stay lines, below one another."""
    return ("\n" + " " * LABEL).join(harmless(line) for line in text.splitlines())
