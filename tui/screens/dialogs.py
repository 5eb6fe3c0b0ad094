"""The boxes in which a value is chosen from a list, picked, typed or edited: one for each kind of value."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from textual import events, on
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Input, OptionList, SelectionList, Static, TextArea
from textual.widgets.option_list import Option
from textual.widgets.selection_list import Selection

from tunesmith.core.consequences import what_if
from tunesmith.core.errors import PlanError
from tunesmith.core.figures import GIB
from tunesmith.core.practice import PRACTICE
from tunesmith.core.prepare.read.formats import FORMATS
from tunesmith.core.schema import Knob, plain_value, read, shown
from tunesmith.core.select.cards import Card, card, cards
from tunesmith.core.select.machine import HERE
from tunesmith.tui.glyphs import Glyphs
from tunesmith.tui.plain_text import harmless, shortened
from tunesmith.tui.screens.browse import Browse
from tunesmith.tui.screens.calm import CalmModal
from tunesmith.tui.screens.models import Models
from tunesmith.tui.session import Session
from tunesmith.tui.widgets.box_keys import BoxKeys
from tunesmith.tui.widgets.still import Still

MOST_CHANGES = 3
EXAMPLE = 40
"""Letters that are shown of what a column holds."""
UNCHANGED = ("Esc", "back without a change")


@dataclass(frozen=True)
class Answer:
    """What a box was closed with; None is an answer, too."""

    value: Any


@dataclass(frozen=True)
class Line:
    """One option of a list."""

    value: Any
    name: str
    about: str


async def ask(app: App[Any], session: Session, knob: Knob, options: Sequence[str]) -> Answer | None:
    """Let the person choose a value for `knob`; None where they went back without one.

    Args:
        options: What its row offers now, where that is not in the schema (the columns of the file).
    """
    glyphs = session.glyphs
    if knob.path == "prepare.data":
        browse = Browse("Which data holds your examples?", session.project.base, tuple(FORMATS), glyphs, data=True)
        chosen = await app.push_screen_wait(browse)
        return Answer(chosen) if chosen else None
    if knob.path == "select.model":
        value = str(session.project.wishes.get(knob.path, PRACTICE))
        named = await app.push_screen_wait(Models(session, knob.question, value))
        return Answer(named) if named else None
    if knob.path == "select.gpu":
        lines = [Line(None, HERE, "as it is measured"), *(Line(one.key, one.title, _told(one)) for one in cards())]
        planned = _known_card(session.project.wishes.get(knob.path))
        return await app.push_screen_wait(ChooseCard(knob.question, lines, planned, glyphs))
    if session.project.resolution is None:
        return None  # nothing is known yet that the others could be chosen by
    value = plain_value(session.project.plan, knob.path)
    if knob.kind == "choices":
        picked = await app.push_screen_wait(Pick(knob, value or [], glyphs))
        return Answer(picked) if picked is not None else None
    if knob.kind == "structure":
        edited = await app.push_screen_wait(Edit(knob, value, glyphs))
        return edited
    return await app.push_screen_wait(
        Choose(knob.question or knob.title, _lines(session, knob, options), value, glyphs)
    )


def _told(one: Card) -> str:
    """Memory, speed and price in what fits beside its name."""
    price = f"${one.price:.2f}/h" if one.price is not None else "no price"
    when = f" ({one.price_date:%Y-%m})" if one.price_date is not None else ""
    return f"{one.memory / GIB:.0f} GiB, {one.rate / 1e12:.0f} TFLOP/s, {price}{when}"


def _known_card(wished: Any) -> str | None:
    """The key of the card that was wished in whatever words; None for this machine, and for what is no card."""
    try:
        return card(wished)[1].key if isinstance(wished, str) else None
    except PlanError:
        return None


def _lines(session: Session, knob: Knob, options: Sequence[str]) -> list[Line]:
    """All options of a choice, each with its meaning and what it would change."""
    project = session.project
    values: Sequence[Any] = (True, False) if knob.kind == "flag" else options
    if knob.optional:
        values = [None, *(one for one in values if one != "none")]
    if knob.path.startswith("prepare.columns.") or knob.path == "prepare.split.by":
        return [_column_line(session, knob, value) for value in values]
    lines = []
    for value in values:
        tried = what_if(project.wishes, knob.path, value, project.facts, project.resolved)
        changes = [
            f"{one.title} {one.before} {session.glyphs.arrow} {one.after}" for one in tried.changes[:MOST_CHANGES]
        ]
        about = "; ".join(filter(None, [knob.meanings.get(str(value), ""), tried.refused or "; ".join(changes)]))
        name = shown(knob, value)
        lines.append(Line(value, name, about))
    return lines


def _column_line(session: Session, knob: Knob, value: Any) -> Line:
    """A column with what is in it: its name alone may say little."""
    column = next((one for one in session.project.facts.data.columns if one.name == value), None)
    if column is None:
        return Line(value, shown(knob, value), "")
    example = f", e.g. {shortened(column.examples[0], EXAMPLE)}" if column.examples else ", empty"
    return Line(value, column.name, f"{column.kind}{example}")


class Choose(CalmModal[Answer | None]):
    """A list of options; Enter takes the marked one."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "dismiss", "Back", id="choose.back", tooltip="Without a change", key_display="Esc")
    ]

    def __init__(self, question: str, lines: Sequence[Line], value: Any, glyphs: Glyphs) -> None:
        super().__init__(classes="box")
        self._question, self._lines, self._value, self._glyphs = question, list(lines), value, glyphs

    def compose(self) -> ComposeResult:
        """The question and the options, the present one marked."""
        with Vertical(classes="box-body"):
            yield Static(Content.styled(self._question, "bold"), classes="box-title")
            yield OptionList(*map(self._option, self._lines), markup=False, compact=True)
            yield BoxKeys(("Enter", "takes it"), UNCHANGED)

    def _option(self, line: Line) -> Option:
        mark = self._glyphs.done if line.value == self._value else " "
        about = f"  {harmless(line.about)}"
        return Option(
            Content.assemble((f"{mark} ", "$text-success"), (harmless(line.name), "bold"), (about, "$text-muted"))
        )

    def on_key(self, event: events.Key) -> None:
        """A letter marks the next option that begins with it."""
        listed, letter = self.query_one(OptionList), (event.character or "").lower()
        if not (letter.isalnum() and listed.has_focus and self._lines) or letter == "q":
            return
        after = (listed.highlighted if listed.highlighted is not None else -1) + 1
        places = [*range(after, len(self._lines)), *range(after)]
        found = next((place for place in places if self._lines[place].name.lower().startswith(letter)), None)
        if found is not None:
            listed.highlighted = found

    def on_mount(self) -> None:
        """The present value is marked."""
        places = [place for place, line in enumerate(self._lines) if line.value == self._value]
        self.query_one(OptionList).highlighted = places[0] if places else 0
        for taker in self.query("Input, OptionList").results():  # an entry before the list, where there is one
            taker.focus()
            break

    @on(OptionList.OptionSelected)
    def _selected(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        if event.option_index < len(self._lines):
            self.dismiss(Answer(self._lines[event.option_index].value))


class ChooseCard(Choose):
    """The list of cards with a line to type in: it filters them, and takes what no list can hold, as `2xrtx4090`."""

    DEFAULT_CSS = (
        "ChooseCard #cards-list { max-height: 40vh; margin-top: 1; } ChooseCard #cards-error { height: auto; }"
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss", "Back", id="cards.back", tooltip="Without a change", key_display="Esc"),
        Binding("down", "mark(1)", show=False, id="cards.next", tooltip="The card after this one", priority=True),
        Binding("up", "mark(-1)", show=False, id="cards.previous", tooltip="The card before this one", priority=True),
    ]

    def compose(self) -> ComposeResult:
        """The question, the line to type in, the cards."""
        self._all = self._lines
        with Vertical(classes="box-body"):
            yield Static(Content.styled(self._question, "bold"), classes="box-title")
            yield Input(placeholder="type a name, as 4090 or 2xh100-80gb", compact=True, id="cards-name")
            yield OptionList(*map(self._option, self._lines), markup=False, compact=True, id="cards-list")
            yield Still("", id="cards-error")
            yield BoxKeys(("Enter", "takes it"), UNCHANGED)

    def action_mark(self, by: int) -> None:
        """Mark the next card or the one before."""
        listed = self.query_one(OptionList)
        if by > 0:
            listed.action_cursor_down()
        else:
            listed.action_cursor_up()

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        """Only cards whose name holds every word; of several cards, those that they are several of."""
        event.stop()
        words = re.sub(r"^\s*\d{1,2}\s*[x×*]\s*", "", event.value.lower()).split()
        self._lines = [one for one in self._all if all(word in f"{one.value} {one.name}".lower() for word in words)]
        listed = self.query_one(OptionList)
        listed.clear_options()
        listed.add_options([self._option(one) for one in self._lines])
        listed.highlighted = 0 if self._lines else None
        self.query_one("#cards-error", Still).show("")

    @on(Input.Submitted)
    def _named(self, event: Input.Submitted) -> None:
        """Several cards as they are typed; else the marked one."""
        event.stop()
        place, text = self.query_one(OptionList).highlighted, event.value.strip()
        if re.match(r"\d{1,2}\s*[x×*]", text) or place is None or place >= len(self._lines):
            try:
                count, one = card(text)
            except PlanError as error:
                self.query_one("#cards-error", Still).show(harmless(f"{error.title} {error.next_step}"))
                return
            self.dismiss(Answer(f"{count}x{one.key}" if count > 1 else one.key))
            return
        self.dismiss(Answer(self._lines[place].value))


class Pick(CalmModal[list[str] | None]):
    """Several of a few: Space picks, Enter takes what is picked."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "dismiss", "Back", id="pick.back", tooltip="Without a change", key_display="Esc"),
        Binding("enter", "take", "Take", id="pick.take", tooltip="What is picked", priority=True, key_display="Enter"),
    ]

    def __init__(self, knob: Knob, value: Sequence[str], glyphs: Glyphs) -> None:
        super().__init__(classes="box")
        self._knob, self._value, self._glyphs = knob, list(value), glyphs

    def compose(self) -> ComposeResult:
        """The options with what they mean."""
        knob = self._knob
        with Vertical(classes="box-body"):
            yield Static(Content.styled(knob.question or knob.title, "bold"), classes="box-title")
            yield SelectionList[str](
                *(
                    Selection(
                        Content.assemble((knob.label(one), "bold"), (f"  {knob.meanings.get(one, '')}", "$text-muted")),
                        one,
                        one in self._value,
                    )
                    for one in knob.options
                ),
                compact=True,
            )
            yield BoxKeys(("Enter", "takes what is picked"), ("Space", "picks"), UNCHANGED)

    def on_mount(self) -> None:
        """The list takes the keys."""
        self.query_one(SelectionList).focus()

    def action_take(self) -> None:
        """In the schema's order."""
        picked = set(self.query_one(SelectionList).selected)
        self.dismiss([one for one in self._knob.options if one in picked])


class Edit(CalmModal[Answer | None]):
    """A list or mapping as YAML; what can't be read is told, and stays."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss", "Back", id="edit.back", tooltip="Without a change", key_display="Esc"),
        Binding("f2", "take", "Take", id="edit.take", tooltip="What is written", priority=True, key_display="F2"),
        Binding("ctrl+o", "take", show=False, id="edit.take2", priority=True, tooltip="What is written"),
    ]

    def __init__(self, knob: Knob, value: Any, glyphs: Glyphs) -> None:
        super().__init__(classes="box")
        self._knob, self._value, self._glyphs = knob, value, glyphs

    def compose(self) -> ComposeResult:
        """The text and what it means."""
        with Vertical(classes="box-body edit"):
            yield Static(Content.styled(self._knob.question or self._knob.title, "bold"), classes="box-title")
            yield Static(self._knob.text, markup=False)
            yield TextArea(_yaml(self._value), tab_behavior="focus", id="edit-text")
            yield Static("", id="edit-error", markup=False)
            yield BoxKeys(("F2 or Ctrl+O", "takes it"), UNCHANGED)

    def on_mount(self) -> None:
        """The text takes the keys."""
        self.query_one(TextArea).focus()

    def action_take(self) -> None:
        """Read it as YAML; the schema checks it afterwards."""
        try:
            self.dismiss(Answer(read(self._knob, self.query_one(TextArea).text)))
        except PlanError as error:
            text = f"{self._glyphs.error} {harmless(error.title)} {harmless(error.next_step)}"
            self.query_one("#edit-error", Static).update(text)


def _yaml(value: Any) -> str:
    import io

    from ruamel.yaml import YAML

    text = io.StringIO()
    yaml = YAML()
    yaml.width = 100
    yaml.default_flow_style = False
    yaml.indent(mapping=2, sequence=4, offset=2)
    yaml.dump(value, text)
    return text.getvalue().removesuffix("...\n")
