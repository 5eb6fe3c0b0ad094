"""Help: the term that the person is at, in two sentences with its range and source; and the keys."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from tunesmith.core.schema import Knob
from tunesmith.core.stages import TITLES
from tunesmith.tui.glyphs import Glyphs
from tunesmith.tui.screens.calm import CalmModal
from tunesmith.tui.widgets.box_keys import BoxKeys

KEYS = (
    ("Enter", "does what the last line says: mostly, accept and go on"),
    ("Up Down Tab", "to the questions and between them"),
    ("Left Right", "the option before or after; Space shows all options and what each would change"),
    ("r", "back to what is recommended (in a text field: empty it)"),
    ("PgUp PgDn", "what lies above and below: of the advice first, then of the questions"),
    ("1 to 6", "to a step that was reached; Esc one step back"),
    ("x", "all settings of a step, for experts; in Prepare d looks through the data"),
    ("w", "write the plan as a YAML file into the folder you started in"),
    ("v", "between the plan and the run that it led to"),
    ("s", "stop the run and save a checkpoint"),
    ("Ctrl+P", "everything that can be done, and other colours"),
    ("q Ctrl+Q", "leave; a run goes on without this window"),
)
STAGES_TOLD = {
    "understand": "What the model is for, how success is measured, and whether fine-tuning is the way to it.",
    "prepare": "From your file to rows of prompt and answer: mended, divided into parts, shown as the model sees them.",
    "select": "Which model, which method and which settings, and whether that fits this machine.",
    "finetune": "The training, live: loss, answers to questions it is not trained on, speed, memory, time left.",
    "evaluate": "The untouched and the tuned model on the same rows, which neither has seen in training.",
    "productionize": "What was written where, the model served and tried, and the commands to use it elsewhere.",
}


class Help(CalmModal[None]):
    """About one value where the person is at one; about the step and its keys in any case."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,escape,q,question_mark,f1", "dismiss", "Close", id="help.close", tooltip="Back")
    ]

    def __init__(self, knob: Knob | None, stage: str, glyphs: Glyphs) -> None:
        super().__init__(classes="box")
        self._knob = knob
        self._stage = stage
        self._glyphs = glyphs

    def compose(self) -> ComposeResult:
        """The texts."""
        with VerticalScroll(classes="box-body"):
            if self._knob is not None:
                yield Static(_about(self._knob), markup=False)
            else:
                yield Static(Content.styled(TITLES.get(self._stage, ""), "bold"), classes="box-title")
                yield Static(STAGES_TOLD.get(self._stage, ""), markup=False)
            yield Static(_keys(), classes="help-keys")
            yield BoxKeys(("Enter", "closes this"))


def _about(knob: Knob) -> Content:
    parts: list[str | tuple[str, str]] = [(knob.title, "bold"), f"\n{knob.text}\n"]
    for option, meaning in knob.meanings.items():
        parts += [(f"\n  {knob.label(option)}", "bold"), f"  {meaning}"]
    facts = [
        ("People use", knob.usual),
        ("It takes", knob.bounds),
        ("Counted in", knob.unit),
        ("Source", knob.source),
        ("In the plan", knob.path),
    ]
    for name, value in facts:
        if value:
            parts += [(f"\n{name}: ", "$text-muted"), value]
    return Content.assemble(*parts)


def _keys() -> Content:
    parts: list[str | tuple[str, str]] = [("Keys", "bold")]
    for key, does in KEYS:
        parts += [(f"\n  {key:<12}", "bold"), does]
    return Content.assemble(*parts)
