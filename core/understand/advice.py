"""Advises between ten ways, of which fine-tuning is one: weighs the rules that hold and ranks the ways.

The rules themselves are data, `rules.toml`; nothing here knows one of them. A way's weight is the sum of what speaks
for it less the sum of what speaks against it. Where two wishes pull apart, the table's conflicts say what is advised
between them, and the advice carries both sides, so that nobody is left to guess why one of them lost.
"""

from __future__ import annotations

from dataclasses import dataclass

from tunesmith.core.plan import TRAINS, Approach, Plan
from tunesmith.core.understand.rules import Conflict, Rule, Table, Way, table
from tunesmith.core.understand.situation import Situation, has_context, situation_of, words


@dataclass(frozen=True)
class Ground:
    """What speaks for a way, or against it."""

    rule: str
    """Its id in the table; that of the conflict where it is a resolution."""
    text: str
    """In plain words that name the answers given."""
    weight: int
    source: str
    would_change: str = ""
    """Which other answer takes it away; empty for a resolution."""


@dataclass(frozen=True)
class Option:
    """One way: how much speaks for it, what, and what comes next where it is taken."""

    approach: Approach
    weight: int
    """For less against; below zero where more speaks against it."""
    reasons: tuple[Ground, ...]
    """What speaks for it, the strongest first."""
    against: tuple[Ground, ...]
    """What speaks against it, the strongest first."""
    stop: str
    """What not to do where this is advised, as a sentence; empty where Tunesmith trains for it."""
    offers: str
    """What Tunesmith itself does here, and what it does not."""
    next_steps: tuple[str, ...]

    @property
    def trains(self) -> bool:
        """Whether Tunesmith trains a model for it."""
        return self.approach in TRAINS

    @property
    def would_change(self) -> tuple[str, ...]:
        """Which other answers would weaken it, those that matter most first, each once."""
        return tuple(dict.fromkeys(one.would_change for one in self.reasons if one.would_change))

    @property
    def because(self) -> str:
        """What speaks for it in one line."""
        return "; ".join(one.text for one in self.reasons) or "nothing in your answers speaks for it"

    @property
    def why_not(self) -> str:
        """Why it is not the one that is advised, in one line."""
        return "; ".join(one.text for one in self.against) or "less in your answers speaks for it"


@dataclass(frozen=True)
class Resolved:
    """Two wishes that pull apart, and what is advised between them."""

    conflict: str
    sides: tuple[str, str]
    resolution: str
    why: str
    source: str


@dataclass(frozen=True)
class Advice:
    """The ways, the best first, and what holds whichever is taken."""

    ranked: tuple[Option, ...]
    conflicts: tuple[Resolved, ...]
    first: tuple[str, ...]
    """What to do before anything else: clean the examples, find somebody who checks the answers."""

    @property
    def best(self) -> Option:
        """What is advised."""
        return self.ranked[0]

    @property
    def stop(self) -> bool:
        """Whether Tunesmith's own training is advised against."""
        return not self.best.trains

    @property
    def verdict(self) -> str:
        """The advice as one sentence."""
        if self.stop:
            return f"{self.best.stop} {NAMES[self.best.approach]} serves better here."
        return f"{NAMES[self.best.approach]} is the way here."

    def option(self, approach: str) -> Option:
        """One of the ways. Raises KeyError where there is none of that name."""
        for option in self.ranked:
            if option.approach == approach:
                return option
        raise KeyError(approach)


NAMES: dict[Approach, str] = {
    "prompt": "A better prompt",
    "few-shot": "A prompt with a few examples",
    "retrieval": "Retrieval",
    "fine-tune": "Fine-tuning",
    "fine-tune-retrieval": "Fine-tuning for use with retrieval",
    "smaller-model": "Tuning a smaller model",
    "continued-pretraining": "Continued pretraining",
    "preference-optimisation": "Preference optimisation",
    "classifier": "A plain classifier",
    "no-model": "A program without a language model",
}
"""The ways as they begin a sentence."""


def advise(situation: Situation, rules: Table | None = None) -> Advice:
    """All ten ways, ranked by the rules that hold; where two are level, the one with less effort comes first.

    Args:
        rules: Another table than the one that ships.
    """
    rules = rules or table()
    said = words(situation)
    holding = [rule for rule in rules.rules if rule.holds(situation)]
    ids = {rule.id for rule in holding}
    open_conflicts = [one for one in rules.conflicts if one.between_holds(ids)]
    ranked = sorted((_option(way, holding, open_conflicts, said) for way in rules.ways), key=lambda one: -one.weight)
    return Advice(
        ranked=tuple(ranked),
        conflicts=tuple(
            _resolved(one, said) for one in open_conflicts if not one.advised or ranked[0].approach in one.advised
        ),
        first=tuple(rule.first for rule in holding if rule.first),
    )


def advise_on(plan: Plan, parameters: int | None = None) -> Advice:
    """The advice for the brief of a whole plan, whatever approach stands in it.

    Args:
        parameters: Of the plan's model; None where it is not known.
    """
    return advise(situation_on(plan, parameters))


def situation_on(plan: Plan, parameters: int | None = None) -> Situation:
    """The situation that a whole plan states."""
    context = has_context(plan.prepare.shape, plan.prepare.columns)
    return situation_of(plan.understand, has_context=context, parameters=parameters)


def _option(way: Way, holding: list[Rule], conflicts: list[Conflict], said: dict[str, str]) -> Option:
    reasons = [_ground(rule, rule.supports[way.approach], said) for rule in holding if way.approach in rule.supports]
    against = [_ground(rule, rule.opposes[way.approach], said) for rule in holding if way.approach in rule.opposes]
    for one in conflicts:
        for weights, kind in ((one.supports, reasons), (one.opposes, against)):
            if way.approach in weights:
                text = one.resolution.format_map(said)
                kind.append(Ground(one.id, text, weights[way.approach], one.source))
    return Option(
        approach=way.approach,
        weight=sum(one.weight for one in reasons) - sum(one.weight for one in against),
        reasons=tuple(sorted(reasons, key=lambda one: -one.weight)),
        against=tuple(sorted(against, key=lambda one: -one.weight)),
        stop=way.stop,
        offers=way.offers,
        next_steps=way.next_steps,
    )


def _ground(rule: Rule, weight: int, said: dict[str, str]) -> Ground:
    return Ground(rule.id, rule.reason.format_map(said), weight, rule.source, rule.would_change)


def _resolved(one: Conflict, said: dict[str, str]) -> Resolved:
    return Resolved(
        conflict=one.id,
        sides=(one.sides[0].format_map(said), one.sides[1].format_map(said)),
        resolution=one.resolution.format_map(said),
        why=one.why.format_map(said),
        source=one.source,
    )
