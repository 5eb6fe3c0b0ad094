"""A list of test rows with what two models answered: only the rows in sight are drawn, a page at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.widget import Widget

from tunesmith.core.measures import measure
from tunesmith.core.results import Prediction
from tunesmith.tui.glyphs import Glyphs
from tunesmith.tui.widgets.cells import filled

PAGE = 200
"""Rows on a page."""
READ_MOST = 400
"""Signs of a text that are looked at for one cell of the list."""


@dataclass(frozen=True, slots=True)
class Answered:
    """One test row: the tuned model's answer, and the untouched model's where it is known."""

    tuned: Prediction
    untouched: str | None = None
    metric: str = "exact_match"
    """What the run measures success by."""

    @property
    def graded(self) -> bool:
        """Whether an answer that is no exact match is not simply wrong."""
        return measure(self.metric).graded and not self.right

    @property
    def right(self) -> bool:
        """Whether the tuned answer counts as an exact match."""
        return self.tuned.exact_match >= 1


class AnswerRows(ScrollView, can_focus=True):
    """Question, expected, tuned and untouched answer; the arrow keys choose a row."""

    ALLOW_SELECT = False
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "answer-rows--row",
        "answer-rows--right",
        "answer-rows--graded",
        "answer-rows--wrong",
        "answer-rows--here",
    }
    DEFAULT_CSS = "AnswerRows { overflow-x: hidden; }"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down", "go(1)", "Next row", show=False, id="answers.next", tooltip="The next row"),
        Binding("up", "go(-1)", "Row before", show=False, id="answers.previous", tooltip="The row before"),
        Binding("pagedown", "screenful(1)", "Further rows", show=False, id="answers.down", tooltip="A screenful down"),
        Binding("pageup", "screenful(-1)", "Earlier rows", show=False, id="answers.up", tooltip="A screenful up"),
        Binding("home", "end_of(-1)", "First row", show=False, id="answers.first", tooltip="The first row of the page"),
        Binding("end", "end_of(1)", "Last row", show=False, id="answers.last", tooltip="The last row of the page"),
        Binding("right", "page(1)", "Next page", id="answers.page.next", tooltip=f"The next {PAGE} rows"),
        Binding("left", "page(-1)", "Page before", id="answers.page.previous", tooltip=f"The {PAGE} rows before"),
    ]

    class Chosen(Message):
        """Another row is the one that the person is at."""

        def __init__(self, rows: AnswerRows, row: Answered) -> None:
            super().__init__()
            self.rows = rows
            self.row = row

    def __init__(self, glyphs: Glyphs, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._glyphs = glyphs
        self._rows: Sequence[Answered] = ()
        self._first = 0
        """The first row of the page."""
        self._here = 0
        """The chosen row, counted within the page."""

    def show(self, rows: Sequence[Answered]) -> None:
        """Show these rows, the first one chosen."""
        self._rows = rows
        self._open(0, 0)

    @property
    def here(self) -> Answered | None:
        """The chosen row; None where there are none."""
        return self._rows[self._first + self._here] if self._rows else None

    @property
    def page_told(self) -> str:
        """`rows 201-400`; empty where one page holds them all."""
        count = len(self._rows)
        if count <= PAGE:
            return ""
        return f"rows {self._first + 1:,}-{min(count, self._first + PAGE):,}"

    @property
    def _on_page(self) -> int:
        return max(0, min(PAGE, len(self._rows) - self._first))

    def _open(self, first: int, here: int) -> None:
        self._first, self._here = first, here
        self.virtual_size = Size(self.size.width, self._on_page)
        self._into_sight()
        self.refresh()
        self.refresh_bindings()
        self._tell()

    def _tell(self) -> None:
        here = self.here
        if here is not None:
            self.post_message(self.Chosen(self, here))

    def _into_sight(self) -> None:
        self.scroll_to_region(
            Region(0, self._here, max(1, self.size.width), 1), animate=False, force=True, immediate=True
        )

    def _choose(self, place: int) -> None:
        place = max(0, min(self._on_page - 1, place))
        if place == self._here or not self._rows:
            return
        before, self._here = self._here, place
        self.refresh_line(before)
        self.refresh_line(place)
        self._into_sight()
        self._tell()

    # -- keys

    def action_go(self, by: int) -> None:
        """A row down or up; beyond the ends to what stands after or before the list."""
        if not 0 <= self._here + by < self._on_page:
            if by > 0:
                self.screen.focus_next()
            else:
                self.screen.focus_previous()
            return
        self._choose(self._here + by)

    def action_screenful(self, by: int) -> None:
        """As many rows down or up as are in sight."""
        self._choose(self._here + by * max(1, self.size.height - 1))

    def action_end_of(self, by: int) -> None:
        """To the last or the first row of the page."""
        self._choose(self._on_page - 1 if by > 0 else 0)

    def action_page(self, by: int) -> None:
        """The next page or the one before."""
        first = self._first + by * PAGE
        if 0 <= first < len(self._rows):
            self._open(first, 0)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Pages are offered only where there is another one."""
        if action == "page":
            return 0 <= self._first + (PAGE if parameters == (1,) else -PAGE) < len(self._rows)
        return True

    def on_click(self, event: events.Click) -> None:
        """A click chooses the row."""
        self._choose(self.scroll_offset.y + event.y)

    # -- drawing

    def on_resize(self) -> None:
        """The same rows in other columns."""
        self.virtual_size = Size(self.size.width, self._on_page)
        self._into_sight()
        self.refresh()

    def on_focus(self) -> None:
        """The chosen row is told apart more clearly while the keys go here."""
        self.refresh_line(self._here)

    def on_blur(self) -> None:
        """See `on_focus`."""
        self.refresh_line(self._here)

    def render_line(self, y: int) -> Strip:
        """One row of the list."""
        place, width = self.scroll_offset.y + y, self.size.width
        if not 0 <= place < self._on_page or width <= 0:
            return Strip.blank(max(0, width), self.rich_style)
        row = self._rows[self._first + place]
        role = "here" if place == self._here else "row"
        style = self.get_component_rich_style(f"answer-rows--{role}")
        kind = "right" if row.right else "graded" if row.graded else "wrong"
        mark = self.get_component_rich_style(f"answer-rows--{kind}")
        sign = {"right": self._glyphs.done, "graded": self._glyphs.bullet, "wrong": self._glyphs.error}[kind]
        at = self._glyphs.current if place == self._here else " "
        marked = style + Style(color=mark.color, bold=mark.bold)
        untouched = "" if row.untouched is None else row.untouched
        texts = (row.tuned.question, row.tuned.expected, row.tuned.answer, untouched)
        dots = self._glyphs.ellipsis
        cells = [_cell(text, size, dots) for text, size in zip(texts, columns(width - 4), strict=True)]
        return Strip([Segment(f"{at} ", style), Segment(f"{sign} ", marked), Segment("".join(cells), style)]).crop(
            0, width
        )


class AnswerHead(Widget):
    """The line above the list: a title over the questions, and the names of the other columns."""

    DEFAULT_CSS = "AnswerHead { height: 1; width: 1fr; }"

    def __init__(self, glyphs: Glyphs, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._glyphs = glyphs
        self._title = ""

    def show(self, title: str) -> None:
        """Say this over the questions."""
        if title != self._title:
            self._title = title
            self.refresh()

    def render(self) -> Content:
        """The names in the columns of the list."""
        question, *others = columns(self.size.width - 4)
        names = zip(("expected", "tuned", "untouched"), others, strict=True)
        dots = self._glyphs.ellipsis
        text = _cell(self._title, question + 4, dots) + "".join(_cell(name, size, dots) for name, size in names)
        return Content.styled(text, "$text-muted")


def columns(width: int) -> tuple[int, int, int, int]:
    """Cells of question, expected, tuned and untouched answer; where it is narrow, the last ones go first."""
    if width < 24:
        return max(0, width), 0, 0, 0
    if width < 48:
        third = width // 3
        return width - third, 0, third, 0
    fifth = width // 5
    return width - 3 * fifth, fifth, fifth, fifth


def _cell(text: str, width: int, dots: str) -> str:
    """`text` in `width` cells, the last of which parts it from the next column."""
    if width <= 1:
        return " " * max(0, width)
    return filled(text[:READ_MOST] or "(nothing)", width - 1, dots) + " "
