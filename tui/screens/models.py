"""The box in which a model is chosen: those on this machine, the catalogue, a folder, or a search of the Hub."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

from textual import events, on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Input, OptionList
from textual.widgets.option_list import Option

from tunesmith.core.errors import HubError, TunesmithError
from tunesmith.core.figures import parameters
from tunesmith.core.hardware import probe_hardware
from tunesmith.core.hub import HubModel, check_access, describe_from_hub, search_hub
from tunesmith.core.models import how_to_fetch, list_models
from tunesmith.core.run import runs_root
from tunesmith.core.select.choosing import ORDERS, Candidate, Order, candidates, in_order
from tunesmith.tui.glyphs import Glyphs
from tunesmith.tui.model_words import about, here_word
from tunesmith.tui.plain_text import harmless, shortened
from tunesmith.tui.screens.browse import Browse
from tunesmith.tui.screens.calm import CalmModal
from tunesmith.tui.session import Session
from tunesmith.tui.widgets.box_keys import BoxKeys
from tunesmith.tui.widgets.still import Still

ORDER_WORDS: dict[Order, str] = {"fits": "what fits here first", "size": "the smallest first", "licence": "by licence"}
WIDTHS = (10, 7, 14, 7, 8)
"""Columns after the name: size, fits, licence, gated, here."""
TAKEN = ("s", "h", "f")
"""Letters that are keys of the box."""
LEAST_NAME = 24
KEYS = (
    ("Enter", "takes it"),
    ("s", "sort"),
    ("/", "filter"),
    ("h", "search the Hub"),
    ("f", "folder"),
    ("Esc", "back"),
)


@dataclass(frozen=True)
class Line:
    """One line of the list: a model that is known, or one that a search of the Hub told of."""

    candidate: Candidate | None = None
    found: HubModel | None = None

    @property
    def name(self) -> str:
        """As it is named in a plan."""
        if self.candidate is not None:
            return self.candidate.model.source
        assert self.found is not None
        return self.found.name

    def cells(self) -> tuple[str, ...]:
        """What stands in the columns after the name."""
        if self.candidate is not None:
            model = self.candidate.model
            gated = "gated" if model.gated else ""
            licence = model.license or "not stated"
            return parameters(model.parameters), self.candidate.fits, licence, gated, here_word(model)
        assert self.found is not None
        size = parameters(self.found.parameters) if self.found.parameters else "?"
        return size, "?", self.found.licence or "not stated", "gated" if self.found.gated else "", "the Hub"

    def about(self) -> list[str]:
        """What is worth knowing before it is chosen."""
        if self.candidate is not None:
            return about(self.candidate)
        assert self.found is not None
        return [
            f"Found on the Hub; fetched {self.found.downloads:,} times in the last 30 days.",
            "Enter fetches its config and tokenizer, a few MB, to tell whether it fits; the weights stay where they "
            "are.",
        ]


class Models(CalmModal[str]):
    """Closes with the name or folder of a model, or with an empty text.

    The Hub is asked for nothing but what the person searches for, and for the name of a model that is chosen and not
    here.
    """

    CSS_PATH = "models.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "back", "Back", id="models.back", tooltip="Without a change", key_display="Esc"),
        Binding("s", "sort", "Sort", id="models.sort", tooltip="By what fits, size or licence"),
        Binding("slash", "ask('filter')", "Filter", id="models.filter", tooltip="Only names with these letters"),
        Binding("h", "ask('hub')", "Hub", id="models.hub", tooltip="Search the Hugging Face Hub"),
        Binding("f", "folder", "Folder", id="models.folder", tooltip="A model in a folder of this machine"),
    ]

    def __init__(self, session: Session, question: str, value: str) -> None:
        super().__init__(classes="box")
        self._session, self._question, self._value = session, question, value
        self._known: list[Candidate] = []
        self._found: list[HubModel] = []
        self._lines: list[Line] = []
        self._order: Order = "fits"
        self._wanted = ""
        """Letters that names must hold."""
        self._asks: Literal["filter", "hub"] = "filter"
        self._warned = ""
        """The model that a warning was given for: Enter once more takes it."""

    @property
    def _glyphs(self) -> Glyphs:
        return self._session.glyphs

    def compose(self) -> ComposeResult:
        """The list with its columns, what is known of the marked one, and the keys."""
        with Vertical(classes="box-body models"):
            yield Still("", id="models-title", classes="box-title")
            yield Input(compact=True, id="models-ask")
            yield Still("", classes="models-head", id="models-head")
            yield OptionList(markup=False, compact=True)
            yield Still("one moment, the models are being looked at …", id="models-about")
            yield Still("", id="models-word")
            yield BoxKeys(*KEYS)

    async def on_mount(self) -> None:
        """Look at what is here; the list comes a moment later."""
        self.query_one(OptionList).focus()
        self._look()

    @work(exclusive=True, group="look", exit_on_error=False)
    async def _look(self) -> None:
        survey = self._session.project.survey

        def look() -> list[Candidate]:
            hardware = survey.facts.hardware if survey else probe_hardware(runs_root())
            return candidates(list_models(), hardware)

        self._known = await asyncio.to_thread(look)
        self._show(self._value)

    # -- the list

    def _show(self, marked: str = "") -> None:
        """Everything anew, with the model `marked` under the bar."""
        listed = self.query_one(OptionList)
        marked = marked or self._marked_name()
        found = [one for one in self._known if self._wanted.lower() in one.model.source.lower()]
        known = {one.model.source for one in self._known}
        new = [Line(found=one) for one in self._found if one.name not in known]
        self._lines = [*new, *(Line(one) for one in in_order(found, self._order))]
        width = self._name_width()
        self.query_one("#models-head", Still).show(_row(" ", "", ("size", "fits", "licence", "", ""), width))
        told = f"  {len(self._lines)}{f' with {self._wanted}' if self._wanted else ''}, {ORDER_WORDS[self._order]}"
        title = Content.assemble((self._question, "bold"), (harmless(told), "$text-muted"))
        self.query_one("#models-title", Still).show(title)
        with self.app.batch_update():
            listed.clear_options()
            listed.add_options([Option(self._option(line, width)) for line in self._lines])
        places = [place for place, line in enumerate(self._lines) if line.name == marked]
        listed.highlighted = places[0] if places else 0 if self._lines else None
        if not self._lines:
            self.query_one("#models-about", Still).show("No name holds these letters. h searches the Hub for them.")

    def _option(self, line: Line, width: int) -> Content:
        mark = self._glyphs.done if line.name == self._value else " "
        row = _row(mark, shortened(_fitted(line.name, width), width), line.cells(), width)
        fits = line.candidate is None or (line.candidate.method is not None and not line.candidate.hindrance)
        return Content(row) if fits else Content.styled(row, "$text-muted")

    def _name_width(self) -> int:
        inner = min(116, self.size.width) - 6
        return max(LEAST_NAME, inner - sum(WIDTHS) - 2)

    def _marked_name(self) -> str:
        line = self._line_at(self.query_one(OptionList).highlighted)
        return line.name if line is not None else ""

    def _line_at(self, place: int | None) -> Line | None:
        """The line there; None where the list became shorter while what the person did to it was on its way."""
        return self._lines[place] if place is not None and place < len(self._lines) else None

    def on_resize(self, event: events.Resize) -> None:
        """Other columns."""
        if self._lines:
            self._show()

    @on(OptionList.OptionHighlighted)
    def _highlighted(self, event: OptionList.OptionHighlighted) -> None:
        event.stop()
        line = self._line_at(event.option_index)
        if line is None:
            return
        if line.name != self._warned:
            self._say("")
        lines = [f"{line.name}", *line.about()]
        told = Content("\n").join([Content.styled(harmless(lines[0]), "bold"), *map(harmless, lines[1:])])
        self.query_one("#models-about", Still).show(told)

    # -- keys

    def on_key(self, event: events.Key) -> None:
        """A letter that is no key of this box begins the filter, as people expect of a list of names."""
        letter = event.character or ""
        if not (letter.isalnum() and self.query_one(OptionList).has_focus) or event.key in TAKEN:
            return
        event.stop()
        self.action_ask("filter")
        entry = self.query_one(Input)
        entry.value = letter
        entry.cursor_position = 1

    def action_sort(self) -> None:
        """The next order."""
        self._order = ORDERS[(ORDERS.index(self._order) + 1) % len(ORDERS)]
        self._show()

    def action_ask(self, what: Literal["filter", "hub"]) -> None:
        """Open the entry for letters to filter by, or for a search of the Hub."""
        self._asks = what
        entry = self.query_one(Input)
        entry.placeholder = (
            "letters of the name" if what == "filter" else "words of the name; Enter sends them to the Hub"
        )
        with entry.prevent(Input.Changed):
            entry.value = self._wanted if what == "filter" else ""
        self.query_one(".models").add_class("-asks")
        entry.focus()

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        if self._asks == "filter":
            self._wanted = event.value.strip()
            self._show()

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self._close_entry()
        if self._asks == "hub" and event.value.strip():
            self._search(event.value.strip())

    def action_back(self) -> None:
        """Out of the entry first; then out of the box."""
        if self.query_one(Input).has_focus:
            self._close_entry()
            return
        self.dismiss("")

    def _close_entry(self) -> None:
        self.query_one(".models").remove_class("-asks")
        self.query_one(OptionList).focus()

    @work(exclusive=True, group="choose", exit_on_error=False)
    async def action_folder(self) -> None:
        """Name a folder instead."""
        browse = Browse("Which folder holds the model?", self._session.project.base, (), self._glyphs, folders=True)
        folder = await self.app.push_screen_wait(browse)
        if folder:
            self.dismiss(folder)

    @on(OptionList.OptionSelected)
    def _selected(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        line = self._line_at(event.option_index)
        if line is None:
            return
        if line.found is not None:
            self._describe(line.name)
        elif line.candidate is not None and line.candidate.hindrance:
            self._say(f"It can't be chosen. {' '.join(line.about())}")
        elif line.candidate is None or line.candidate.model.here or self._warned == line.name:
            self.dismiss(line.name)
        elif self._session.hub_silent:
            self.dismiss(line.name)  # it was said once that the Hub does not answer
        else:
            self._check(line.candidate)

    # -- the Hub

    @work(exclusive=True, group="choose", exit_on_error=False)
    async def _search(self, text: str) -> None:
        self._say(f"Asking the Hub for {text} …")
        try:
            self._found = await asyncio.to_thread(lambda: search_hub(text, self._session.hub()))
        except TunesmithError as error:
            self._say(f"{error.title} {error.next_step}")
            return
        self._wanted = text if not self._found else ""
        self._show(self._found[0].name if self._found else "")
        self._say("" if self._found else f"The Hub has no model of that name that writes text: {text}.")

    @work(exclusive=True, group="choose", exit_on_error=False)
    async def _check(self, one: Candidate) -> None:
        """Whether a model that is not here can be fetched: told now, not after everything was planned."""
        name = one.model.source
        self._say(f"Asking the Hub whether {name} may be fetched; it is told that name …")
        try:
            access = await asyncio.to_thread(lambda: check_access(name, self._session.hub()))
        except HubError as error:
            self._session.hub_silent = True
            self._warn(name, f"{error.title} {how_to_fetch(one.model)}")
            return
        except TunesmithError as error:
            self._say(f"{error.title} {error.next_step}")
            return
        if access.granted:
            self.dismiss(name)
        else:
            self._warn(name, f"{access.text} {access.remedy}")

    @work(exclusive=True, group="choose", exit_on_error=False)
    async def _describe(self, name: str) -> None:
        """Fetch what tells of a model that only the search knows."""
        self._say(f"Fetching config and tokenizer of {name} …")
        try:
            await asyncio.to_thread(lambda: describe_from_hub(name, self._session.hub()))
        except TunesmithError as error:
            self._say(f"{error.title} {error.next_step}")
            return
        self.dismiss(name)

    def _warn(self, name: str, text: str) -> None:
        self._warned = name
        self._say(f"{text} Enter once more takes it to plan with.")

    def _say(self, text: str) -> None:
        if not self.is_attached:
            return
        self.query_one(".models").set_class(bool(text), "-warns")
        self.query_one("#models-word", Still).show(f"{self._glyphs.warning} {harmless(text)}" if text else "")


def _row(mark: str, name: str, cells: Sequence[str], width: int) -> str:
    size, fits, licence, gated, here = cells
    return (
        f"{mark} {name:<{width}}{size:>{WIDTHS[0] - 2}}  {fits:<{WIDTHS[1]}}"
        f"{shortened(licence, WIDTHS[2] - 1):<{WIDTHS[2]}}{gated:<{WIDTHS[3]}}{here:<{WIDTHS[4]}}"
    )


def _fitted(name: str, width: int) -> str:
    """The name without its organisation where there is no room for both; the details below have it whole."""
    return name if len(name) <= width else name.rpartition("/")[2]
