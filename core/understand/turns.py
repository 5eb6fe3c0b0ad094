"""Which single answers would turn the advice: the same rules on the situations beside the one at hand.

A reason's own `would_change` says what weakens that reason, which often turns nothing. Here each answer is exchanged
for each other one, and each number moved to just beyond the next bound that a rule names; what is left is a short list
of answers that really lead another way.
"""

from __future__ import annotations

import dataclasses
import math
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

from tunesmith.core.figures import parameters
from tunesmith.core.plan import Approach, Plan
from tunesmith.core.schema import knob_at, shown
from tunesmith.core.understand.advice import situation_on
from tunesmith.core.understand.rules import NUMBERS, Conflict, Rule, Table, table
from tunesmith.core.understand.situation import ANSWERS, Situation, hours_told, money_told

MOST_TURNS = 4
GIVEN = ("use_case",)
"""Answers that are not exchanged: another task is another project."""
WHOLE = ("examples", "parameters")
"""Numbers that count something; the others are limits, which may be none."""
STEPS_OF = {
    "knowledge_changes": ("never", "yearly", "monthly", "weekly", "daily"),
    "scale": ("hundreds", "thousands", "millions"),
    "latency": ("any", "seconds", "instant"),
    "error_cost": ("low", "medium", "high"),
    "quality": ("noisy", "mixed", "checked"),
}
"""Answers that have an order: of those that turn the advice, the nearest one to the present answer is told."""


@dataclass(frozen=True)
class Turn:
    """An answer that would turn the advice, and the way that would be advised then."""

    question: str
    """As the brief asks it; for what is measured and not asked, what is meant."""
    answer: str
    """The other answer, in words."""
    approach: Approach

    @property
    def told(self) -> str:
        """`How often do the facts change? weekly`."""
        return f"{self.question} {self.answer}"


@dataclass(frozen=True)
class _Neighbour:
    """One answer exchanged, how far away it is, and how clearly another way is ahead then."""

    turn: Turn
    away: float
    ahead: int


def turns_on(plan: Plan, parameters: int | None = None) -> tuple[Turn, ...]:
    """What would turn the advice for the brief of a plan; see `turns`."""
    return turns(situation_on(plan, parameters))


def turns(situation: Situation, rules: Table | None = None) -> tuple[Turn, ...]:
    """At most four other answers that turn the advice, one of each question, the clearest first.

    Runs at each keystroke: only the rules that look at an answer are asked anew, and no reason is put into words.
    """
    rules = rules or table()
    holding = [rule for rule in rules.rules if rule.holds(situation)]
    now = _best(_weighed(holding, rules))
    found = []
    for field in (name for name in (*ANSWERS, "has_context", "parameters") if name not in GIVEN):
        nearest = _nearest(situation, field, rules, holding, now)
        if nearest is not None:
            found.append(nearest)
    return tuple(one.turn for one in _varied(found)[:MOST_TURNS])


def _nearest(situation: Situation, field: str, rules: Table, holding: list[Rule], now: Approach) -> _Neighbour | None:
    """Of the other answers to one question, the nearest that turns the advice; None where none does."""
    looking = [rule for rule in rules.rules if _looks_at(rule, field)]
    kept = [rule for rule in holding if not _looks_at(rule, field)]
    weighed: dict[tuple[str, ...], dict[Approach, int]] = {}
    beside = []
    for value, answer, away in _others(situation, field, rules):
        other = dataclasses.replace(situation, **{field: value})
        then = [rule for rule in looking if rule.holds(other)]
        key = tuple(rule.id for rule in then)  # many answers are the same to all rules
        if key not in weighed:
            weighed[key] = _weighed([*kept, *then], rules)
        best = _best(weighed[key])
        if best != now:
            ahead = weighed[key][best] - weighed[key][now]
            beside.append(_Neighbour(Turn(_question(field), answer, best), away, ahead))
    return min(beside, key=lambda one: (one.away, -one.ahead), default=None)


def _varied(found: list[_Neighbour]) -> list[_Neighbour]:
    """The clearest first, but one for each way before the second for any: four answers for one way tell less."""
    ranked = sorted(found, key=lambda one: -one.ahead)
    seen: Counter[Approach] = Counter()
    places = []
    for one in ranked:
        places.append(seen[one.turn.approach])
        seen[one.turn.approach] += 1
    return [one for _, one in sorted(zip(places, ranked, strict=True), key=lambda pair: pair[0])]


def _weighed(holding: Collection[Rule], rules: Table) -> dict[Approach, int]:
    """What speaks for each way less what speaks against it, the way with the least effort first."""
    ids = {rule.id for rule in holding}
    open_conflicts = [one for one in rules.conflicts if not one.advised and one.between_holds(ids)]
    weights = {way.approach: 0 for way in rules.ways}
    grounds: list[Rule | Conflict] = [*holding, *open_conflicts]
    for one in grounds:
        for approach, weight in one.supports.items():
            weights[approach] += weight
        for approach, weight in one.opposes.items():
            weights[approach] -= weight
    return weights


def _best(weights: dict[Approach, int]) -> Approach:
    return max(weights, key=lambda approach: weights[approach])  # the first of those that are level


def _looks_at(rule: Rule, field: str) -> bool:
    """Whether a rule may hold or not by this field; the form decides how many examples there are to use."""
    return field in rule.fields or (field == "example_form" and "examples" in rule.fields)


def _question(field: str) -> str:
    if field == "has_context":
        return "Do the facts come with each question?"
    if field == "parameters":
        return "How large is the model?"
    return knob_at(f"understand.{field}").question


def _others(situation: Situation, field: str, rules: Table) -> Iterator[tuple[Any, str, float]]:
    """Other answers to one question: the value, the value in words, and how far it is from the present one."""
    now = getattr(situation, field)
    if field == "has_context":
        yield (not now), ("no" if now else "yes"), 1
    elif field == "tried":
        yield from _others_tried(now)
    elif field in NUMBERS:
        yield from _others_of_number(now, field, rules.bounds(field))
    else:
        steps = STEPS_OF.get(field, ())
        knob = knob_at(f"understand.{field}")
        for option in knob.options:
            if option != now and (field, option) != ("example_form", "none"):
                ordered = option in steps and now in steps
                yield option, knob.label(option), abs(steps.index(option) - steps.index(now)) if ordered else 1


def _others_tried(now: tuple[str, ...]) -> Iterator[tuple[Any, str, float]]:
    """One more thing tried, or one less; besides, the two that belong together."""
    knob = knob_at("understand.tried")
    for option in knob.options:
        rest = tuple(one for one in now if one != option)
        then = rest if option in now else (*now, option)
        yield then, shown(knob, list(then)), 1
    if not now:
        both = ("prompt", "few-shot")
        yield both, shown(knob, list(both)), 1.5


def _others_of_number(now: float | None, field: str, bounds: list[float]) -> Iterator[tuple[Any, str, float]]:
    """Just below each bound that lies below, and at each bound that lies above; how far away counts by the factor."""
    if now is None and field == "parameters":
        return  # nothing is known of the model, so nothing is said of it
    whole, fewer = field in WHOLE, "fewer" if field == "examples" else "less"
    for bound in bounds:
        if now is None or bound <= now:
            below = int(bound) - 1 if whole else bound / 2
            away = 1 / bound if now is None else (now + 1) / (bound + 1)
            yield below, f"{fewer} than {_number_told(field, bound)}", away
        else:
            yield (int(bound) if whole else bound), f"{_number_told(field, bound)} or more", (bound + 1) / (now + 1)
    if now is not None and field not in WHOLE:
        yield None, "no limit", math.inf


def _number_told(field: str, number: float) -> str:
    if field == "budget_money":
        return money_told(number)
    if field == "budget_hours":
        return hours_told(number)
    return parameters(int(number)) if field == "parameters" else f"{number:,.0f}"
