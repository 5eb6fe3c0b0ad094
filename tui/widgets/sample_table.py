"""A few validation questions: what is wanted, what the untouched model answered, and what the model answers now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.cells import cell_len
from textual.content import Content
from textual.geometry import Size
from textual.widget import Widget

from tunesmith.core.history import Training
from tunesmith.core.metrics import exact_match
from tunesmith.tui.glyphs import Glyphs
from tunesmith.tui.plain_text import harmless
from tunesmith.tui.widgets.cells import filled, fitted, shared

GAP = "  "
BEFORE = 2
"""The column of the untouched model, which gives way first: it often talks on."""
NOT_YET = "not asked yet"


@dataclass(frozen=True)
class Asked:
    """One question with its answers; None where it was not answered yet."""

    question: str
    expected: str
    before: str | None
    """Of the untouched model."""
    now: str | None

    def is_right(self, answer: str | None) -> bool:
        """Whether this answer is the one that is wanted, as exact match counts it."""
        return answer is not None and exact_match(answer, self.expected) == 1


def asked(training: Training) -> tuple[tuple[Asked, ...], int]:
    """The questions of a training, and the step that the newest answers are of (0: none yet)."""
    rows, newest = [], 0
    for one in training.samples.values():
        answers = dict(zip(one.steps[:1] + one.steps[-1:], one.answers[:1] + one.answers[-1:], strict=True))
        last = one.steps[-1] if one.steps else 0
        newest = max(newest, last)
        rows.append(Asked(one.question, one.expected, answers.get(0), answers[last] if last else None))
    return tuple(rows), newest


class SampleTable(Widget):
    """A row a question, under a row of headings; right answers carry a sign and a word."""

    DEFAULT_CSS = "SampleTable { width: 1fr; height: auto; text-wrap: nowrap; }"

    def __init__(self, glyphs: Glyphs, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._glyphs = glyphs
        self._told: tuple[tuple[Asked, ...], int] = ((), 0)

    def show(self, training: Training | None) -> None:
        """Show the answers of this training; repaints only where there are others."""
        told = asked(training) if training else ((), 0)
        if told != self._told:
            grown = len(told[0]) != len(self._told[0])
            self._told = told
            self.refresh(layout=grown)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """A row for each question and one for the headings; none before the first."""
        rows = len(self._told[0])
        return rows + 1 if rows else 0

    def render(self) -> Content:
        """The table, in columns as wide as what stands in them where there is room."""
        rows, step = self._told
        if not rows or not self.size.height:
            return Content("")
        fit = max(0, self.size.height - 1)
        heads = ("Validation question", "Expected", "Untouched model", f"At step {step:,}" if step else "Now")
        cells = [self._cells(row) for row in rows[:fit]]
        wanted = [max(cell_len(text) for text in column) for column in zip(heads, *map(_plain, cells), strict=True)]
        room = self.size.width - 3 * len(GAP)
        if sum(wanted) > room:
            wanted[BEFORE] = min(wanted[BEFORE], max(cell_len(heads[BEFORE]), room // 4))
        widths = shared(wanted, room)
        lines = [Content.styled(GAP.join(map(self._filled, heads, widths)), "$text-muted")]
        lines += [Content(GAP).join(map(self._drawn, row, widths)) for row in cells]
        if len(rows) > fit > 0:
            more = f"{self._glyphs.ellipsis} and {len(rows) - fit + 1} more"
            lines[-1] = Content.styled(more, "$text-muted")
        return Content("\n").join(lines)

    def _cells(self, row: Asked) -> list[tuple[str, str]]:
        """Each cell as its text and the mark behind it."""
        mark = f" {self._glyphs.done} right"
        answers = [
            (harmless(answer) if answer else "(nothing)", mark if row.is_right(answer) else "")
            if answer is not None
            else (NOT_YET, "")
            for answer in (row.before, row.now)
        ]
        return [(harmless(row.question), ""), (harmless(row.expected), ""), *answers]

    def _drawn(self, cell: tuple[str, str], width: int) -> Content:
        text, mark = cell
        style = "$text-muted" if text == NOT_YET else ""
        shown = fitted(text, max(0, width - cell_len(mark)), self._glyphs.ellipsis)
        blanks = " " * max(0, width - cell_len(shown) - cell_len(mark))
        return Content.assemble((shown, style), (mark[: max(0, width)], "$text-success"), blanks)

    def _filled(self, text: str, width: int) -> str:
        return filled(text, width, self._glyphs.ellipsis)


def _plain(cells: Sequence[tuple[str, str]]) -> list[str]:
    return [text + mark for text, mark in cells]
