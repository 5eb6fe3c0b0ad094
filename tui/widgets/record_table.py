"""The records of the data as they were read, of which only what is seen is held: a million scroll like a hundred."""

from __future__ import annotations

from collections import OrderedDict
from typing import ClassVar, NamedTuple

from rich.cells import cell_len
from textual import events
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message
from textual.reactive import Reactive
from textual.widget import Widget

from tunesmith.core.survey import Page
from tunesmith.tui.glyphs import Glyphs
from tunesmith.tui.plain_text import harmless
from tunesmith.tui.widgets.cells import filled

PAGE = 100
"""Records that are asked for at a time."""
KEPT = 12
"""Pages that are kept."""
WIDEST, NARROWEST = 40, 4
GAP = "  "


class Held(NamedTuple):
    """A record that is here."""

    place: str
    """Where it stands: `line 12`, or `b.csv, line 3` where several files were read."""
    cells: list[str]
    whole: bool
    """Whether nothing of the cells is cut."""


class RecordTable(Widget, can_focus=True):
    """A header, and below it as many records as there is room for; the marked one is told to whoever listens."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "move(-1)", show=False),
        Binding("down", "move(1)", show=False),
        Binding("pageup", "leaf(-1)", show=False),
        Binding("pagedown", "leaf(1)", show=False),
        Binding("home,ctrl+home", "to_end(-1)", show=False),
        Binding("end,ctrl+end", "to_end(1)", show=False),
        Binding("left", "shift(-1)", show=False),
        Binding("right", "shift(1)", show=False),
    ]
    marked: Reactive[int] = Reactive(0)
    """Which record the bar is on, counted from 0."""

    class Wanted(Message):
        """Records are to be shown that are not here yet."""

        def __init__(self, start: int) -> None:
            super().__init__()
            self.start = start

    class Marked(Message):
        """The bar is on another record."""

    def __init__(self, glyphs: Glyphs) -> None:
        super().__init__()
        self._glyphs = glyphs
        self._pages: OrderedDict[int, Page] = OrderedDict()
        self._asked: set[int] = set()
        self.columns: list[str] = []
        self.total = 0
        self._top = self._first = 0
        self._widths: list[int] = []

    def take(self, page: Page) -> None:
        """Records that have come."""
        number = page.start // PAGE
        self._asked.discard(number)
        self._pages[number] = page
        while len(self._pages) > KEPT:
            self._pages.popitem(last=False)
        if not self.columns:
            self.columns = page.columns
            self._widths = [_width(name, [row[place] for row in page.cells]) for place, name in enumerate(page.columns)]
        self.total = page.total
        self.refresh()
        self.post_message(self.Marked())

    def forget(self, start: int) -> None:
        """The records from `start` on did not come: they are asked for again when the table is next drawn."""
        self._asked.discard(start // PAGE)

    def record(self, number: int) -> Held | None:
        """A record; None where it is not here yet."""
        page = self._pages.get(number // PAGE)
        at = number % PAGE
        return Held(page.places[at], page.cells[at], page.whole[at]) if page and at < len(page.cells) else None

    def go_to(self, number: int) -> None:
        """Put the bar on a record, as near as there is one."""
        self.marked = min(max(0, number), max(0, self.total - 1))

    def watch_marked(self) -> None:
        """Keep the bar in sight."""
        room = max(1, self.size.height - 1)
        if self.marked < self._top:
            self._top = self.marked
        elif self.marked >= self._top + room:
            self._top = self.marked - room + 1
        self.refresh()
        self.post_message(self.Marked())

    def on_resize(self) -> None:
        """Another number of records fits."""
        self.watch_marked()

    def action_move(self, by: int) -> None:
        """The record before or after."""
        self.go_to(self.marked + by)

    def action_leaf(self, by: int) -> None:
        """As many as are seen."""
        self.go_to(self.marked + by * max(1, self.size.height - 2))

    def action_to_end(self, by: int) -> None:
        """The first or the last record."""
        self.go_to(0 if by < 0 else self.total - 1)

    def action_shift(self, by: int) -> None:
        """Columns further left or right."""
        self._first = min(max(0, self._first + by), max(0, len(self.columns) - 1))
        self.refresh()

    async def on_click(self, event: events.Click) -> None:
        """A click marks what it hits."""
        if event.y > 0:
            self.go_to(self._top + event.y - 1)

    def render(self) -> Content:
        """Header and records; what is not here yet is asked for."""
        if not self.columns:
            self._want(0)
            return Content.styled("one moment, the data is being read", "$text-muted")
        width, lines = self.size.width, max(0, self.size.height - 1)
        number = len(f"{self.total:,}")
        shown = range(self._first, len(self.columns))
        head = " " * (number + 1) + GAP.join(self._cell(place, self.columns[place]) for place in shown)
        told = [Content.styled(_cut(head, width), "bold $text-muted")]
        for record in range(self._top, min(self._top + lines, self.total)):
            held = self.record(record)
            if held is None:
                self._want(record)
            cells = held.cells if held else []
            text = GAP.join(self._cell(place, cells[place]) for place in shown) if cells else self._glyphs.ellipsis
            line = _cut(f"{record + 1:>{number},} {text}", width)
            told.append(Content.styled(line, "reverse" if record == self.marked and self.has_focus else ""))
        return Content("\n").join(told)

    def _cell(self, place: int, text: str) -> str:
        return filled(text, self._widths[place], self._glyphs.ellipsis)

    def _want(self, record: int) -> None:
        page = record // PAGE
        if page not in self._asked and page not in self._pages:
            self._asked.add(page)
            self.post_message(self.Wanted(page * PAGE))


def _width(name: str, cells: list[str]) -> int:
    """Of a column: what its name and nine of ten cells need, within bounds."""
    needed = sorted(cell_len(harmless(cell)) for cell in cells)
    usual = needed[int(0.9 * (len(needed) - 1))] if needed else 0
    return min(WIDEST, max(NARROWEST, cell_len(harmless(name)), usual))


def _cut(text: str, width: int) -> str:
    return filled(text, width, "")
