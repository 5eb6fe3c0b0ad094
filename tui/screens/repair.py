"""The box in which a finding is answered: what can be done about it, and the values that it is done with."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Input, OptionList, TextArea
from textual.widgets.option_list import Option

from tunesmith.core.errors import PlanError
from tunesmith.core.facts import DataFinding
from tunesmith.core.prepare.repair.recipe import offered_as
from tunesmith.core.prepare.repair.typed import changed, values_of, written
from tunesmith.core.prepare.repair.words import told
from tunesmith.core.schema import Knob
from tunesmith.tui.glyphs import Glyphs
from tunesmith.tui.plain_text import harmless
from tunesmith.tui.screens.calm import CalmModal
from tunesmith.tui.widgets.box_keys import BoxKeys
from tunesmith.tui.widgets.entry import Entry
from tunesmith.tui.widgets.finding_told import bars
from tunesmith.tui.widgets.still import Still

PICTURES = {"near-duplicate": "Rows that would go, by how alike they must be"}
"""What the bars of a finding are, where that is not the distribution of what was found."""


@dataclass(frozen=True)
class Answered:
    """What the box was closed with."""

    repair: dict[str, Any] | None
    """As it stands in the plan; None leaves the finding as it is."""


class Mend(CalmModal[Answered | None]):
    """The repairs of one finding, with their values; closes with None where the person goes back."""

    CSS_PATH = "repair.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss", "Back", id="repair.back", tooltip="Without a change", key_display="Esc"),
        Binding("f2,ctrl+o", "take", "Take", id="repair.take", tooltip="What is marked", priority=True),
        Binding("down", "mark(1)", show=False, id="repair.next", tooltip="What else can be done"),
        Binding("up", "mark(-1)", show=False, id="repair.previous", tooltip="What else can be done"),
        Binding("pagedown", "page(1)", show=False, id="repair.below", tooltip="What lies below", priority=True),
        Binding("pageup", "page(-1)", show=False, id="repair.above", tooltip="What lies above", priority=True),
    ]

    def __init__(self, finding: DataFinding, now: dict[str, Any] | None, glyphs: Glyphs) -> None:
        """Args:
        now: The plan's repair that answers the finding; None where it is left as it is.
        """
        super().__init__(classes="box")
        self._finding, self._now, self._glyphs = finding, now, glyphs
        self._repairs = list(finding.repairs)
        """As they are offered; the one that the plan has with the plan's values."""
        self._at = offered_as(finding, now) if now is not None else len(self._repairs)
        if now is not None:
            self._repairs[self._at] = now
        self._values = [self._values_of(repair) for repair in self._repairs]

    def _values_of(self, repair: dict[str, Any]) -> list[tuple[str, Knob]]:
        """What can be said of a repair. Where the list offers each way to keep, choosing there says it."""
        kind = str(repair["kind"])
        listed = sum(one["kind"] == kind and "keep" in one for one in self._finding.repairs) > 1
        values = [(knob.path.rpartition(".")[2], knob) for knob in values_of(kind)]
        return [(name, knob) for name, knob in values if name != "keep" or not listed]

    def compose(self) -> ComposeResult:
        """The finding, what can be done about it, the values of what is marked, the picture."""
        with Vertical(classes="box-body mend"):
            yield Still(Content.styled(harmless(self._finding.text), "bold"), classes="box-title")
            with VerticalScroll(id="mend-middle", can_focus=False):
                yield OptionList(*map(self._option, range(len(self._repairs) + 1)), markup=False, compact=True)
                for place, repair in enumerate(self._repairs):
                    yield Vertical(*self._fields(place, repair), id=f"mend-{place}", classes="mend-fields")
                yield Still("", id="mend-picture")
            yield Still("", id="mend-error")
            yield BoxKeys(id="mend-keys")

    def _fields(self, place: int, repair: dict[str, Any]) -> Iterable[Widget]:
        for name, knob in self._values[place]:
            usual = f"; usual {knob.usual}" if knob.usual else ""
            yield Still(Content.assemble((knob.title, "bold"), (f"  {knob.text}{usual}", "$text-muted")))
            text = written(repair.get(name))
            if name == "values":
                yield TextArea(text, tab_behavior="focus", id=f"mend-{place}-{name}", compact=True)
                continue
            entry = Entry(replaces=knob.kind == "number")
            entry.id, entry.value = f"mend-{place}-{name}", text
            yield entry

    def _option(self, place: int) -> Option:
        mark = f"{self._glyphs.done if place == self._at else ' '} "
        if place == len(self._repairs):
            text, best = "leave it as it is", not self._finding.recommended
        else:
            text, best = told(self._typed(place) or self._repairs[place]), place == 0 and self._finding.recommended
        more = " (recommended)" if best else ""
        return Option(Content.assemble((mark, "$text-success"), harmless(text), (more, "$text-muted")))

    def on_mount(self) -> None:
        """What the plan does is marked."""
        listed = self.query_one(OptionList)
        listed.highlighted = self._at
        listed.focus()
        self._show(self._at)

    def on_resize(self) -> None:
        """The bars fill the box."""
        self.call_after_refresh(self._draw)

    def _draw(self) -> None:
        finding = self._finding
        if not finding.picture:
            return
        width = max(24, self.query_one("#mend-middle").scrollable_content_region.width)
        caption = PICTURES.get(finding.kind, "In the data")
        picture = Content.assemble((f"\n{caption}\n", "$text-muted"), bars(finding.picture, self._glyphs, width))
        self.query_one("#mend-picture", Still).show(picture)

    @property
    def _place(self) -> int:
        """What is marked."""
        marked = self.query_one(OptionList).highlighted
        return self._at if marked is None else marked

    def _show(self, place: int) -> None:
        """The values of what is marked, and the keys that lead to them."""
        for number in range(len(self._repairs)):
            self.query_one(f"#mend-{number}").display = number == place and bool(self._values[number])
        self._say("")
        values = self._values[place] if place < len(self._values) else []
        keys = [("Enter", "takes it")]
        if values:
            keys.append(("Tab", "to what it is done with"))
        if any(name == "values" for name, _ in values):
            keys.append(("F2 or Ctrl+O", "takes it from the lines"))
        self.query_one(BoxKeys).show(*keys, ("Esc", "back"))

    @on(OptionList.OptionHighlighted)
    def _marked(self, event: OptionList.OptionHighlighted) -> None:
        event.stop()
        self._show(event.option_index)

    @on(Input.Changed)
    @on(TextArea.Changed)
    def _retold(self, event: Input.Changed | TextArea.Changed) -> None:
        """The list says what would be done with what is typed."""
        event.stop()
        place = self._place
        if place < len(self._repairs):
            self.query_one(OptionList).replace_option_prompt_at_index(place, self._option(place).prompt)
            self._say("")

    @on(OptionList.OptionSelected)
    @on(Input.Submitted)
    def _taken(self, event: OptionList.OptionSelected | Input.Submitted) -> None:
        event.stop()
        self.action_take()

    def action_take(self) -> None:
        """Take what is marked, with what was typed; what can't be is said, and stays."""
        place = self._place
        if place >= len(self._repairs):
            self.dismiss(Answered(None))
            return
        try:
            self.dismiss(Answered(self._read(place)))
        except PlanError as error:
            self._say(f"{self._glyphs.error} {harmless(error.title)} {harmless(error.next_step)}")

    def _read(self, place: int) -> dict[str, Any]:
        """A repair with what was typed. Raises PlanError where that can't be."""
        repair, texts = self._repairs[place], {}
        for name, _ in self._values[place]:
            field = self.query_one(f"#mend-{place}-{name}")
            text = field.text if isinstance(field, TextArea) else field.value if isinstance(field, Input) else ""
            if text != written(repair.get(name)):
                texts[name] = text
        return changed(repair, texts)

    def _typed(self, place: int) -> dict[str, Any] | None:
        try:
            return self._read(place) if self.is_mounted else None
        except PlanError:
            return None

    def _say(self, text: str) -> None:
        error = self.query_one("#mend-error", Still)
        error.show(text)
        error.display = bool(text)

    def action_mark(self, by: int) -> None:
        """From a field to what else can be done."""
        listed = self.query_one(OptionList)
        listed.focus()
        if by > 0:
            listed.action_cursor_down()
        else:
            listed.action_cursor_up()

    def action_page(self, by: int) -> None:
        """Scroll what does not fit."""
        middle = self.query_one("#mend-middle", VerticalScroll)
        if by > 0:
            middle.scroll_page_down(animate=False)
        else:
            middle.scroll_page_up(animate=False)
