"""Lays models side by side for a person to choose from: those on this machine and those of the catalogue.

Whether one fits is asked of the forecast for one short row with gradient checkpointing, the most frugal way to train.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Literal

from tunesmith.core import catalogue
from tunesmith.core.catalogue import Entry
from tunesmith.core.facts import Facts, Hardware, ModelFacts
from tunesmith.core.plan import Method
from tunesmith.core.practice import PRACTICE
from tunesmith.core.select.levers import bare_load
from tunesmith.core.select.memory import forecast_load

SHORT_ROW = 512
"""Tokens of the row that decides whether a model fits: a question with a short text and its answer."""
METHODS: tuple[Method, ...] = ("full", "lora", "qlora")
"""From the one that needs the most memory."""
MOST_ON_A_PROCESSOR, MOST_FOR_NARROW, MOST = 0.7e9, 4.5e9, 9.5e9
"""Parameters of what is suggested: on a processor a pass over a thousand rows must end within hours; sorting into
classes and picking out fields need no more than a small model; beyond 9 B the gain is seldom worth a beginner's wait.
Conventions, not measurements."""
NARROW = ("classification", "extraction")

Order = Literal["fits", "size", "licence"]
ORDERS: tuple[Order, ...] = ("fits", "size", "licence")


@dataclass(frozen=True)
class Candidate:
    """A model that could be chosen."""

    model: ModelFacts
    entry: Entry | None
    """What the catalogue knows of it."""
    method: Method | None
    """The method that needs the most memory of those that fit; None where none does."""
    slow: bool = False
    """Whether a pass over the data would take a day and more, because there is only a processor."""

    @property
    def hindrance(self) -> str:
        """Why it can't be trained at all; empty where it can."""
        return self.entry.hindrance if self.entry else ""

    @property
    def fits(self) -> str:
        """The method that fits, as a word for a table."""
        if self.hindrance:
            return "never"
        return {"full": "full", "lora": "LoRA", "qlora": "QLoRA", None: "no"}[self.method]

    @property
    def parameters(self) -> int:
        """All of them."""
        return self.model.parameters


def candidates(here: Sequence[ModelFacts], hardware: Hardware) -> list[Candidate]:
    """The models in `here` and all of the catalogue, each name once, in the order `fits`."""
    known = {entry.name: entry for entry in catalogue.entries()}
    named = {model.source for model in here}
    models = [*here, *(catalogue.facts_of(entry) for name, entry in known.items() if name not in named)]
    found = [
        Candidate(model, known.get(model.source), fitting(model, hardware), _slow(model, hardware)) for model in models
    ]
    return in_order(found, "fits")


def in_order(found: Sequence[Candidate], order: Order) -> list[Candidate]:
    """The candidates, sorted: what fits best, the smallest, or the freest licence first."""
    key: dict[Order, Callable[[Candidate], Any]] = {
        "fits": lambda one: (
            _place(one),
            not one.model.here,
            one.slow,
            not _suggested(one),
            one.model.kind == "base",
            -one.parameters,
            one.model.source,
        ),
        "size": lambda one: (one.parameters, one.model.source),
        "licence": lambda one: (_freedom(one.model.license), one.model.license, one.model.gated, one.parameters),
    }
    return sorted(found, key=key[order])


def _place(one: Candidate) -> int:
    """0 for what fits, whatever the method: LoRA is as good as full fine-tuning for most."""
    if one.hindrance:
        return 3
    return {"full": 0, "lora": 0, "qlora": 1, None: 2}[one.method]


def _slow(model: ModelFacts, hardware: Hardware) -> bool:
    return hardware.gpu is None and model.parameters > MOST_ON_A_PROCESSOR


def _suggested(one: Candidate) -> bool:
    return one.entry is not None and one.entry.suggested


def _freedom(licence: str) -> int:
    """0 for the licences that ask for nothing but a notice, 2 where none is stated."""
    return 0 if licence in ("apache-2.0", "mit") else 1 if licence else 2


def fitting(model: ModelFacts, hardware: Hardware) -> Method | None:
    """The method that needs the most memory of those with which one short row fits."""
    for method in METHODS:
        load = replace(bare_load(hardware, method, 1, min(SHORT_ROW, model.max_positions)), checkpointing=True)
        if forecast_load(model, load, hardware).fits:
            return method
    return None


@lru_cache(maxsize=16)
def suggestion(hardware: Hardware, use_case: str = "") -> Candidate | None:
    """The model of the catalogue to begin with on this machine: the largest sensible one of the few that are suggested.

    Those that are free to download and fit with LoRA come before those that only fit packed.
    """
    most = MOST_FOR_NARROW if use_case in NARROW else MOST
    most = most if hardware.gpu else MOST_ON_A_PROCESSOR
    known = [(catalogue.facts_of(entry), entry) for entry in catalogue.entries() if entry.suggested]
    found = [Candidate(model, entry, fitting(model, hardware)) for model, entry in known if model.parameters <= most]
    usable = [one for one in found if one.method is not None]
    return max(usable, key=lambda one: (one.method != "qlora", one.parameters), default=None)


def rehearsal(facts: Facts, use_case: str = "") -> str:
    """That the practice model is no model for a person's own data, and which one would be; empty where it is not so."""
    if facts.model.source != PRACTICE or facts.data.source == PRACTICE:
        return ""
    text = "the practice model is only a rehearsal: it shows the whole way in minutes, and knows nothing of the world"
    better = suggestion(facts.hardware, use_case)
    if better is None or better.entry is None:
        return f"{text}; for real work take a larger one, on a machine with a GPU"
    licence = f"licence {better.entry.licence}{', gated' if better.entry.gated else ''}"
    return f"{text}; for real work take {better.entry.name}, which fits here with {better.fits} ({licence})"
