"""What fits: the methods side by side with a plan's other settings, and one model with every way and lever."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, get_args

from tunesmith.core.catalogue import entries, facts_of
from tunesmith.core.draft import Wishes
from tunesmith.core.errors import PlanError
from tunesmith.core.evaluate.recommend import UNCOUNTED_ANSWER, usual_rows
from tunesmith.core.facts import Facts, Hardware, ModelFacts
from tunesmith.core.load import Load
from tunesmith.core.outlook import Outlook, outlook
from tunesmith.core.plan import Method
from tunesmith.core.recommend import resolve
from tunesmith.core.room import rows_below
from tunesmith.core.select.adapter import usual_targets
from tunesmith.core.select.choosing import MOST_ON_A_PROCESSOR
from tunesmith.core.select.levers import WAYS, Lever, Way, WayFit, bare_load, largest_model, levers, ways
from tunesmith.core.select.memory import MemoryForecast, forecast_load
from tunesmith.core.wishes import with_wish

LORA, QLORA = (next(way for way in WAYS if way.name == name) for name in ("LoRA", "QLoRA 4-bit"))
HOPELESS = 1.3
"""Times what is free: arithmetic is off by less."""


@dataclass(frozen=True)
class MethodFit:
    """One method with everything that would go with it."""

    method: Method
    outlook: Outlook | None
    """None where it can't be chosen with the other wishes."""
    refused: str = ""


def methods(wishes: Wishes, facts: Facts) -> list[MethodFit]:
    """Each method as it would be resolved with these wishes."""
    found = []
    for method in get_args(Method):
        try:
            plan = resolve(with_wish(wishes, "select.method", method), facts).plan
        except PlanError as error:
            found.append(MethodFit(method, None, error.title))
            continue
        found.append(MethodFit(method, outlook(plan, facts)))
    return found


def unsimulated(wishes: Wishes, facts: Facts) -> Load | None:
    """A way of training that these wishes lay side by side and whose memory is only arithmetic; the plan's own first.

    Raises:
        PlanError: The wishes contradict the plan's schema.
    """
    shown = [outlook(resolve(wishes, facts).plan, facts), *(one.outlook for one in methods(wishes, facts))]
    loads = (one.load for one in shown if one is not None and one.memory.how not in ("simulated", "measured"))
    return next(loads, None)


@dataclass(frozen=True)
class Answers:
    """What writing answers takes while a training is interrupted for its evaluation: a peak of its own."""

    rows: int
    """Prompts of the full length, answered at once, as a plan would be recommended."""
    tokens: int
    """Of the longest answer."""
    bytes: int
    """All that torch has handed out then."""
    more_than_step: bool
    rows_below: int
    """Rows at once with which it takes no more than a step of the training; 0 where not even one does."""


@dataclass(frozen=True)
class Fit:
    """What training one model one way takes on a machine, and what else would."""

    model: ModelFacts
    hardware: Hardware
    load: Load
    memory: MemoryForecast
    ways: list[WayFit]
    levers: list[Lever]
    largest: dict[str, str]
    """Way → the largest model of the catalogue that fits so, frugally trained; empty where none does."""
    answers: Answers | None = None

    @property
    def told(self) -> str:
        """The way of training in one sentence."""
        load = self.load
        rows = f"{load.batch_size} {'row' if load.batch_size == 1 else 'rows'} of {load.length:,} tokens at once"
        how = "full fine-tuning" if load.method == "full" else f"{_named(load)} of rank {load.rank}"
        again = ", gradient checkpointing" if load.checkpointing else ""
        return f"{rows[0].upper()}{rows[1:]}, {how}, {load.precision}{again}."


def _named(load: Load) -> str:
    bits = {"int8": "8-bit", "nf4": "4-bit", "fp4": "4-bit FP4"}[load.quantization]
    return "LoRA" if load.method == "lora" else f"QLoRA {bits}"


def load_to_show(
    model: ModelFacts,
    hardware: Hardware,
    rows: int,
    length: int,
    way: Way | None,
    checkpointing: bool | None,
    simulated: Callable[[ModelFacts, Load], ModelFacts],
) -> tuple[ModelFacts, Load]:
    """The first way of training that fits as it is simulated, and the model with what was simulated for that.

    In order: LoRA, then QLoRA, each without gradient checkpointing and with it; the last where none fits.

    Args:
        way: The only one that is asked for.
        checkpointing: Whether with it; either where it is not said.
        simulated: Simulates a step.
    """
    device = "cpu" if hardware.gpu is None else "cuda"
    more: dict[str, Any] = {
        "answer_rows": usual_rows(model.parameters, device)[0],
        "answer_tokens": UNCOUNTED_ANSWER,
        "target_modules": usual_targets(model),
    }
    tried = []
    for one in (way,) if way else (LORA, QLORA):
        load = replace(one.of(bare_load(hardware, one.method, rows, length)), **more)
        tried += [replace(load, checkpointing=c) for c in (False, True) if checkpointing in (None, c)]
    for load in tried[:-1]:
        if _hopeless(forecast_load(model, load.training, hardware)):
            continue
        known = simulated(model, load)
        if forecast_load(known, load.training, hardware).fits:
            return known, load
    return simulated(model, tried[-1]), tried[-1]


def _hopeless(told: MemoryForecast) -> bool:
    return told.total > HOPELESS * told.available


def _answers(model: ModelFacts, hardware: Hardware, load: Load) -> Answers | None:
    told = forecast_load(model, load, hardware)
    if told.evaluation is None:
        return None
    more = told.evaluation.bytes > told.step
    return Answers(load.answer_rows, load.answer_tokens, told.evaluation.bytes, more, rows_below(model, load, hardware))


def slow_here(model: ModelFacts, hardware: Hardware) -> bool:
    """Whether training it takes hours to days: on a processor, beyond what the models list suggests there."""
    return hardware.gpu is None and model.parameters > MOST_ON_A_PROCESSOR


def fit_of(model: ModelFacts, hardware: Hardware, load: Load) -> Fit:
    """Everything that is known about `load` on `hardware`, the ways and levers beside it.

    The memory is that of the training; what answers take in its evaluation stands apart.
    """
    answers, load = _answers(model, hardware, load), load.training
    known = [facts_of(entry) for entry in entries() if not entry.hindrance]
    frugal = replace(load, batch_size=1, checkpointing=True)
    largest = {way.name: largest_model(known, way.of(frugal), hardware) for way in WAYS}
    return Fit(
        model,
        hardware,
        load,
        forecast_load(model, load, hardware),
        ways(model, load, hardware),
        levers(model, load, hardware),
        {name: found.source if found else "" for name, found in largest.items()},
        answers,
    )
