"""One question of the plan's schema with its answer: a row with the question, the value, and whose value it is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from textual import events, on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Input

from tunesmith.core.draft import Reason
from tunesmith.core.errors import PlanError
from tunesmith.core.schema import YES_NO, Knob, read, shown, told
from tunesmith.tui.glyphs import Glyphs
from tunesmith.tui.plain_text import harmless
from tunesmith.tui.widgets.choice import Choice
from tunesmith.tui.widgets.entry import Entry
from tunesmith.tui.widgets.still import Still

TYPED = ("text", "whole", "number", "numbers")


def row_at(focused: Widget | None) -> KnobRow | None:
    """The question that the person is at."""
    found = focused.ancestors_with_self if focused is not None else ()
    return next((one for one in found if isinstance(one, KnobRow)), None)


class KnobRow(Vertical):
    """A question with its answer. It holds nothing: it shows the plan's value, and says what the person did."""

    class Stated(Message):
        """The person stated a value."""

        def __init__(self, row: KnobRow, value: Any) -> None:
            super().__init__()
            self.row = row
            self.value = value

    class TakenBack(Message):
        """The person wants what is recommended."""

        def __init__(self, row: KnobRow) -> None:
            super().__init__()
            self.row = row

    class Listed(Message):
        """The person wants to see all options, or to edit a value that is no single word."""

        def __init__(self, row: KnobRow) -> None:
            super().__init__()
            self.row = row

    class Done(Message):
        """Enter in an entry: the step's own Enter is meant."""

    class Entered(Message):
        """The person came to this question."""

        def __init__(self, row: KnobRow) -> None:
            super().__init__()
            self.row = row

    def __init__(
        self,
        knob: Knob,
        glyphs: Glyphs,
        *,
        options: Sequence[str] | None = None,
        opens: bool = False,
        title: str = "",
    ) -> None:
        """Args:
        options: What can be chosen, where the schema does not know it (columns, models).
        opens: Whether the value is changed in a box of its own (a file, a list) rather than in the row.
        title: Another wording of the question than the schema's.
        """
        super().__init__(id="knob-" + knob.path.replace(".", "-"), classes="knob")
        self.knob = knob
        self._glyphs = glyphs
        self._title = title or knob.question or knob.title
        self._options = options
        self._opens = opens or knob.kind in ("choices", "structure")
        # Made here and not in `compose`, so that a row can show a value before it is on the screen.
        self.control = self._control()
        """What takes the keys."""
        self.refused = False
        """Whether what stands in the row is not what the plan has."""
        self._typed_as = ""
        """The plan's value as it is typed."""
        self._mark = Still(classes="knob-mark")
        self._error = Still(classes="knob-error")

    def compose(self) -> ComposeResult:
        """The row, and a line for what is wrong with the value, hidden until something is."""
        with Horizontal(classes="knob-line"):
            yield Still(self._title, classes="knob-title")
            yield self.control
            yield self._mark
        yield self._error

    def show(self, value: Any, reason: Reason | None) -> None:
        """Show the plan's value, and whether it is the recommended one."""
        if not self.refused:
            self._complain("")
        text = harmless(told(self.knob, value))
        control = self.control
        if isinstance(control, Choice):
            control.show(self._option(value, text), harmless(shown(self.knob, value)))
        elif isinstance(control, Input):
            self._typed_as = text
            control.placeholder = text or (self.knob.empty if self.knob.optional else "")
            # Several lines can't be edited in one row without being changed: they belong into the plan file.
            control.disabled = text != told(self.knob, value)
            if not control.has_focus and not self.refused:  # nothing changes under typing fingers
                self._rewrite(control)
        mark = ""
        if reason is not None:
            mark = "yours" if reason.own else "recommended"
        self._mark.set_class(mark == "yours", "-yours")
        self._mark.show(mark)

    def _option(self, value: Any, text: str) -> str:
        """Which of the options `value` is."""
        if value is None and "none" in self.options:
            return "none"
        return str(value) if self.knob.kind == "choice" and value is not None else text

    @property
    def options(self) -> Sequence[str]:
        """What can be chosen in this row now."""
        return self.control.options if isinstance(self.control, Choice) else ()

    def offer(self, options: Sequence[str]) -> None:
        """Other options than before (the columns of another file)."""
        if isinstance(self.control, Choice):
            self.control.options = list(options)

    def complain(self, text: str) -> None:
        """Say what is wrong with the value; what was typed stays."""
        self.refused = bool(text)
        self._complain(text)

    def _control(self) -> Widget:
        knob = self.knob
        if self._opens:
            return Choice(self._glyphs, (), turns=False, classes="knob-control")
        if self._options is not None:
            return Choice(self._glyphs, self._options, classes="knob-control")
        if knob.kind in TYPED:
            return Entry(replaces=knob.kind != "text", classes="knob-control")
        options = YES_NO if knob.kind == "flag" else knob.options
        return Choice(self._glyphs, options, classes="knob-control")

    def _rewrite(self, entry: Input) -> None:
        """Show the plan's value in the entry, the cursor at its end."""
        if entry.value != self._typed_as:
            with entry.prevent(Input.Changed):
                entry.value = self._typed_as
                entry.cursor_position = len(self._typed_as)
            if isinstance(entry, Entry):
                entry.show_beginning()

    def _complain(self, text: str) -> None:
        if text or self._error.display:
            self._error.show(f"{self._glyphs.error} {harmless(text)}" if text else "")
            self._error.display = bool(text)

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        if (
            isinstance(event.input, Entry) and not event.input.touched
        ):  # an entry says so, too, when it is made: that is nobody's answer
            return
        self.refused = False
        if not event.value.strip() and not self.knob.optional:
            self.post_message(self.TakenBack(self))
            return
        try:
            value = read(self.knob, event.value)
        except PlanError as error:
            self.complain(f"{error.title} {error.next_step}")
            return
        self.post_message(self.Stated(self, value))

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.post_message(self.Done())

    @on(Choice.Turned)
    def _turned(self, event: Choice.Turned) -> None:
        event.stop()
        self.refused = False
        value: Any = event.value
        if self.knob.kind == "flag":
            value = event.value == YES_NO[0]
        elif self.knob.optional and event.value in ("", "none"):
            value = None
        self.post_message(self.Stated(self, value))

    @on(Choice.TakenBack)
    def _taken_back(self, event: Choice.TakenBack) -> None:
        event.stop()
        self.refused = False
        if self.knob.path != "prepare.data":  # no file is recommended
            self.post_message(self.TakenBack(self))

    @on(Choice.Listed)
    def _listed(self, event: Choice.Listed) -> None:
        event.stop()
        self.post_message(self.Listed(self))

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """Say that the person is here, so that the reasons for this value are shown."""
        self.add_class("-here")
        self.post_message(self.Entered(self))

    def on_descendant_blur(self, event: events.DescendantBlur) -> None:
        """The person went on; what can't be taken stays as it was typed, with what is wrong about it."""
        self.remove_class("-here")
        if isinstance(self.control, Input) and not self.refused:
            self._rewrite(self.control)
