"""What fits: the methods side by side with a plan's other settings, and one model with every way and lever."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import get_args

from tunesmith.core.catalogue import entries, facts_of
from tunesmith.core.draft import Wishes
from tunesmith.core.errors import PlanError
from tunesmith.core.facts import Facts, Hardware, ModelFacts
from tunesmith.core.load import Load
from tunesmith.core.outlook import Outlook, outlook
from tunesmith.core.plan import Method
from tunesmith.core.recommend import resolve
from tunesmith.core.select.levers import WAYS, Lever, WayFit, largest_model, levers, ways
from tunesmith.core.select.memory import MemoryForecast, forecast_load
from tunesmith.core.wishes import with_wish


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

    @property
    def told(self) -> str:
        """The way of training in one sentence."""
        load = self.load
        rows = f"{load.batch_size} {'row' if load.batch_size == 1 else 'rows'} of {load.length:,} tokens at once"
        how = "full fine-tuning" if load.method == "full" else f"{METHOD_NAMES[load.method]} of rank {load.rank}"
        again = ", gradient checkpointing" if load.checkpointing else ""
        return f"{rows[0].upper()}{rows[1:]}, {how}, {load.precision}{again}."


METHOD_NAMES = {"full": "full", "lora": "LoRA", "qlora": "QLoRA"}


def fit_of(model: ModelFacts, hardware: Hardware, load: Load) -> Fit:
    """Everything that is known about `load` on `hardware`, the ways and levers beside it."""
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
    )
