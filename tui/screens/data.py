"""The data as it was read, record by record: a table to scroll through, and the marked record in full."""

from __future__ import annotations

from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.timer import Timer
from textual.widgets import Input

from tunesmith.core.errors import TunesmithError
from tunesmith.core.survey import Page, Whole
from tunesmith.tui.plain_text import harmless
from tunesmith.tui.screens.calm import CalmModal
from tunesmith.tui.session import Session
from tunesmith.tui.widgets.box_keys import BoxKeys, Key
from tunesmith.tui.widgets.named_lines import NamedLines
from tunesmith.tui.widgets.record_table import PAGE, RecordTable
from tunesmith.tui.widgets.roll import Roll
from tunesmith.tui.widgets.still import Still

PAUSE_SECONDS = 0.15
"""At a record, before it is read in full."""
WIDEST_NAME = 24
"""Cells of a column's name."""


class Data(CalmModal[None]):
    """Closes without a result; nothing can be changed here."""

    CSS_PATH = "data.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,enter,q", "dismiss", "Back", id="data.back", tooltip="To the step", key_display="Esc"),
        Binding("g", "ask", "Go to", id="data.go", tooltip="A record by its number"),
    ]

    class Come(Message):
        """From the thread to this screen: a page, or why there is none."""

        def __init__(self, start: int, found: Page | TunesmithError) -> None:
            super().__init__()
            self.start, self.found = start, found

    class CameWhole(Message):
        """The same for one record in full."""

        def __init__(self, number: int, found: Whole | TunesmithError) -> None:
            super().__init__()
            self.number, self.found = number, found

    def __init__(self, session: Session) -> None:
        super().__init__(classes="box")
        self._session = session
        self._shown: int | None = None
        """Which record is shown in full."""
        self._asking: Timer | None = None
        """For the person to stay at a record."""

    def compose(self) -> ComposeResult:
        """The table, the record, the keys."""
        with Vertical(classes="box-body data"):
            yield Still("", id="data-title", classes="box-title")
            yield RecordTable(self._session.glyphs)
            with Roll(id="data-record"):
                yield NamedLines(self._session.glyphs, WIDEST_NAME, id="data-cells")
            yield Input(compact=True, type="integer", placeholder="number of a record", id="data-ask")
            yield BoxKeys(*self._keys())

    def on_mount(self) -> None:
        """Begin at the first record."""
        self.query_one("#data-ask", Input).display = False
        self.query_one(RecordTable).focus()

    def _keys(self) -> list[Key]:
        """The keys of what has the focus."""
        arrows = self._session.glyphs.braille
        record = self.query("#data-record").first(Roll) if self.is_mounted else None
        if record is not None and record.has_focus:
            scroll = f"{'↑↓' if arrows else 'Arrows'} PgUp PgDn"
            return [(scroll, "scroll the record"), ("Tab", "back to the table"), ("Esc", "back")]
        whole = [("Tab", "the record")] if record is not None and record.can_focus else []
        move = [("↑↓ PgUp PgDn", "move"), ("← →", "columns")] if arrows else [("Arrows, PgUp, PgDn", "move")]
        return [*move, ("g", "a number"), *whole, ("Esc", "back")]

    def _show_keys(self) -> None:
        self.query_one(BoxKeys).show(*self._keys())

    def on_descendant_focus(self) -> None:
        """Other keys do something now."""
        self._show_keys()

    @on(Roll.Fits)
    def _fits(self, event: Roll.Fits) -> None:
        event.stop()
        self._show_keys()

    @on(RecordTable.Wanted)
    def _wanted(self, event: RecordTable.Wanted) -> None:
        event.stop()
        self._fetch(event.start)

    @work(thread=True, group="page", exit_on_error=False)
    def _fetch(self, start: int) -> None:
        try:
            self.post_message(self.Come(start, self._session.page(start, PAGE)))
        except TunesmithError as error:
            if not self._session.closed:
                self.post_message(self.Come(start, error))

    @on(Come)
    def _come(self, event: Come) -> None:
        event.stop()
        if isinstance(event.found, TunesmithError):
            self.query_one(RecordTable).forget(event.start)
            self._tell_error(event.found)
        else:
            self.query_one(RecordTable).take(event.found)

    @on(RecordTable.Marked)
    def _marked(self, event: RecordTable.Marked) -> None:
        event.stop()
        table = self.query_one(RecordTable)
        held = table.record(table.marked)
        where = f"  record {table.marked + 1:,} of {table.total:,}" + (f", {harmless(held.place)}" if held else "")
        if not table.total:
            where = f"  one moment {self._session.glyphs.ellipsis}"
        survey = self._session.project.survey
        name = harmless(survey.facts.data.source.rpartition("/")[2]) if survey else "The data"
        self.query_one("#data-title", Still).show(Content.assemble((name, "bold"), (where, "$text-muted")))
        if held is None:
            return
        if self._shown is not None and self._shown == table.marked:
            return  # another page came; the record in full stays
        self._shown = table.marked if held.whole else None
        self._tell(list(zip(table.columns, held.cells, strict=True)))
        self.query_one("#data-record", Roll).scroll_home(animate=False)
        if not held.whole:
            self._ask_for_whole(table.marked)

    def _tell(self, lines: list[tuple[str, str]]) -> None:
        self.query_one("#data-cells", NamedLines).show(lines)
        self.query_one("#data-record", Roll).look_again()

    def _tell_error(self, error: TunesmithError) -> None:
        self._shown = None
        self._tell([("", f"{error.title} {error.next_step}")])

    def _ask_for_whole(self, number: int) -> None:
        """Once the person stays at a record: nobody reads those that are only passed."""
        if self._asking is not None:
            self._asking.stop()
        self._asking = self.set_timer(PAUSE_SECONDS, lambda: self._fetch_whole(number))

    @work(thread=True, group="whole", exit_on_error=False)
    def _fetch_whole(self, number: int) -> None:
        try:
            self.post_message(self.CameWhole(number, self._session.whole(number)))
        except TunesmithError as error:
            if not self._session.closed:
                self.post_message(self.CameWhole(number, error))

    @on(CameWhole)
    def _came_whole(self, event: CameWhole) -> None:
        event.stop()
        if event.number != self.query_one(RecordTable).marked:
            return
        if isinstance(event.found, TunesmithError):
            self._tell_error(event.found)
            return
        self._shown = event.number
        self._tell(_lines(event.found))

    def action_ask(self) -> None:
        """Ask for a record's number."""
        ask = self.query_one("#data-ask", Input)
        ask.display = True
        ask.focus()

    @on(Input.Submitted)
    def _asked(self, event: Input.Submitted) -> None:
        event.stop()
        table = self.query_one(RecordTable)
        if event.value.strip().isdigit():
            table.go_to(int(event.value) - 1)
        event.input.value = ""
        event.input.display = False
        table.focus()


def _lines(record: Whole) -> list[tuple[str, str]]:
    """The columns with their cells; below one that is too long, how much of it is missing."""
    told = []
    for column, cell, missing in zip(record.columns, record.cells, record.left_out, strict=True):
        told.append((column, cell))
        if missing:
            told.append(("", f"(cut here: {missing:,} more characters stand in the data)"))
    return told
