"""Reads `rules.toml`, the table of rules that the advice is made of, and refuses what is wrong in it.

A rule holds where all its conditions do. A condition stands under the name of a field of `Situation`:

    use_case = "style"                              this answer
    use_case = ["style", "safety"]                  one of these answers
    tried = { any = ["prompt"], none = ["few-shot"] }   of a list: some of these are in it, none of those is
    examples = ">= 50, < 200"                       a number, in these bounds; a number that is not known is in none
    has_context = true                              this and not the other
"""

from __future__ import annotations

import dataclasses
import math
import re
import string
import tomllib
from collections.abc import Callable, Collection, Mapping, Set
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, get_args

from tunesmith.core.plan import TRAINS, Approach
from tunesmith.core.schema import knob_at
from tunesmith.core.understand.situation import ANSWERS, MEASURED, Situation

TABLE = Path(__file__).with_name("rules.toml")
STRONGEST = 9
"""The largest weight: it alone outweighs three ordinary reasons."""
NUMBERS: tuple[str, ...] = ("examples", "budget_money", "budget_hours", "parameters")
BOUND = re.compile(r"(<=|>=|<|>)\s*([\d_]+(?:\.\d+)?(?:e\d+)?)")

Condition = Callable[[Situation], bool]
Weights = Mapping[Approach, int]


class RulesError(ValueError):
    """The table of rules is wrong: a defect of ours, found by the tests; names the entry."""


@dataclass(frozen=True)
class Rule:
    """One reason, and the ways it speaks for or against."""

    id: str
    conditions: tuple[Condition, ...]
    fields: frozenset[str]
    """What it looks at, by the names of `Situation`."""
    supports: Weights
    opposes: Weights
    reason: str
    """With the names of fields in braces; see `situation.words`."""
    would_change: str
    """Which other answer takes this reason away."""
    source: str
    bounds: Mapping[str, tuple[float, ...]] = dataclasses.field(default_factory=dict)
    """The numbers that its conditions name, by the field."""
    first: str = ""
    """What to do before anything else, whichever way is taken; empty for most."""

    def holds(self, situation: Situation) -> bool:
        """Whether all its conditions do."""
        return all(condition(situation) for condition in self.conditions)


@dataclass(frozen=True)
class Conflict:
    """Two wishes that pull apart, and what is advised between them."""

    id: str
    between: tuple[frozenset[str], frozenset[str]]
    """The rules of the one side and of the other; it holds where at least one of each does."""
    sides: tuple[str, str]
    """Both sides in words, with the names of fields in braces."""
    resolution: str
    why: str
    source: str
    supports: Weights
    opposes: Weights
    advised: frozenset[Approach] = frozenset()
    """It is told only where one of these is advised; empty for whichever is."""

    def between_holds(self, ids: Set[str]) -> bool:
        """Whether of each side at least one rule is among those that hold."""
        return not (self.between[0].isdisjoint(ids) or self.between[1].isdisjoint(ids))


@dataclass(frozen=True)
class Way:
    """One of the ways: what Tunesmith does for somebody who takes it, and what comes next."""

    approach: Approach
    stop: str
    """How the verdict begins where it is advised: what not to do. Empty for what Tunesmith trains itself."""
    offers: str
    """What Tunesmith itself does here, and what it does not."""
    next_steps: tuple[str, ...]


@dataclass(frozen=True)
class Table:
    """Everything that stands in `rules.toml`."""

    ways: tuple[Way, ...]
    """The one with the least effort first: where two are level, it is advised."""
    rules: tuple[Rule, ...]
    conflicts: tuple[Conflict, ...]

    def bounds(self, field: str) -> list[float]:
        """The numbers of a field at which some rule begins or ceases to hold, in their order."""
        return sorted({bound for rule in self.rules for bound in rule.bounds.get(field, ())})


@cache
def table() -> Table:
    """The table that ships, read once."""
    return read_table(TABLE.read_text(encoding="utf-8"))


def read_table(text: str) -> Table:
    """The table in `text`.

    Raises:
        RulesError: It names a key, an option, a rule or a way that there is none of, or a condition can't ever hold.
    """
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise RulesError(f"the table is no TOML: {error}") from error
    _only(document, "the table", {"way", "rule", "conflict"})
    ways = tuple(_way(entry) for entry in document.get("way", []))
    rules = tuple(_rule(entry) for entry in document.get("rule", []))
    if sorted(way.approach for way in ways) != sorted(get_args(Approach)):
        raise RulesError("each way of the plan's schema stands in the table once")
    ids = [rule.id for rule in rules]
    if len(set(ids)) < len(ids):
        raise RulesError(f"two rules have the same id: {sorted(one for one in ids if ids.count(one) > 1)[0]}")
    conflicts = tuple(_conflict(entry, ids) for entry in document.get("conflict", []))
    return Table(ways, rules, conflicts)


def _way(entry: dict[str, Any]) -> Way:
    name = _only(entry, "a way", {"approach", "stop", "offers", "next_steps"})
    approach = _approach(entry.get("approach"), name)
    stop = str(entry.get("stop", ""))
    if bool(stop) == (approach in TRAINS):
        raise RulesError(f"{approach}: a stop is said of the ways that Tunesmith does not train, and of those alone")
    steps = entry.get("next_steps", [])
    if not isinstance(steps, list) or not steps:
        raise RulesError(f"{approach}: it has no next steps")
    return Way(approach, stop, _sentence(entry, "offers", approach), tuple(map(str, steps)))


def _rule(entry: dict[str, Any]) -> Rule:
    keys = {"id", "when", "for", "against", "reason", "would_change", "source", "first"}
    name = _only(entry, "a rule", keys)
    when = entry.get("when")
    if not isinstance(when, dict) or not when:
        raise RulesError(f"{name}: it says not when it holds")
    rule = Rule(
        id=name,
        conditions=tuple(_condition(field, wanted, name) for field, wanted in when.items()),
        fields=frozenset(when),
        supports=_weights(entry.get("for", {}), name),
        opposes=_weights(entry.get("against", {}), name),
        reason=_template(entry, "reason", name),
        would_change=_sentence(entry, "would_change", name),
        source=_sentence(entry, "source", name),
        bounds={field: _numbers_in(wanted) for field, wanted in when.items() if field in NUMBERS},
        first=str(entry.get("first", "")),
    )
    if not rule.supports and not rule.opposes and not rule.first:
        raise RulesError(f"{name}: it speaks for nothing and against nothing")
    if rule.supports.keys() & rule.opposes.keys():
        raise RulesError(f"{name}: it speaks for a way and against it")
    return rule


def _conflict(entry: dict[str, Any], ids: Collection[str]) -> Conflict:
    keys = {"id", "between", "sides", "resolution", "why", "source", "for", "against", "advised"}
    name = _only(entry, "a conflict", keys)
    between, sides = entry.get("between", []), entry.get("sides", [])
    if len(between) != 2 or len(sides) != 2 or not all(between):
        raise RulesError(f"{name}: a conflict is between two sides")
    for side in between:
        for one in side:
            if one not in ids:
                raise RulesError(f"{name}: there is no rule {one}")
    advised = frozenset(_approach(one, name) for one in entry.get("advised", []))
    if advised and (entry.get("for") or entry.get("against")):
        raise RulesError(f"{name}: what is told only after something was advised can't weigh in what is advised")
    for side in sides:
        _check_template(str(side), name)
    return Conflict(
        id=name,
        between=(frozenset(between[0]), frozenset(between[1])),
        sides=(str(sides[0]), str(sides[1])),
        resolution=_template(entry, "resolution", name),
        why=_template(entry, "why", name),
        source=_sentence(entry, "source", name),
        supports=_weights(entry.get("for", {}), name),
        opposes=_weights(entry.get("against", {}), name),
        advised=advised,
    )


def _condition(field: str, wanted: Any, name: str) -> Condition:
    """One condition as a question to a situation."""
    if field not in (*ANSWERS, *MEASURED):
        raise RulesError(f"{name}: a situation has no {field}")
    if field in NUMBERS:
        return _bounded(field, wanted, name)
    if field == "has_context":
        if not isinstance(wanted, bool):
            raise RulesError(f"{name}: {field} is true or false")
        return lambda it: it.has_context is wanted
    if field == "tried":
        return _listed(wanted, name)
    options = _options(field, wanted if isinstance(wanted, list) else [wanted], name)
    return lambda it: getattr(it, field) in options


def _listed(wanted: Any, name: str) -> Condition:
    if not isinstance(wanted, dict) or not wanted or wanted.keys() - {"any", "none"}:
        raise RulesError(f"{name}: of tried, say any or none")
    some = _options("tried", wanted["any"], name) if "any" in wanted else frozenset()
    none = _options("tried", wanted["none"], name) if "none" in wanted else frozenset()
    if some and some <= none:
        raise RulesError(f"{name}: what must be tried must not be tried")
    return lambda it: (not some or not some.isdisjoint(it.tried)) and none.isdisjoint(it.tried)


def _options(field: str, wanted: Any, name: str) -> frozenset[str]:
    known = knob_at(f"understand.{field}").options
    if not isinstance(wanted, list) or not wanted:
        raise RulesError(f"{name}: no answer to {field} is named")
    for one in wanted:
        if one not in known:
            raise RulesError(f"{name}: {one!r} is no answer to {field}")
    if field != "tried" and set(wanted) == set(known):
        raise RulesError(f"{name}: every answer to {field} is named, so it is no condition")
    return frozenset(wanted)


def _bounded(field: str, wanted: Any, name: str) -> Condition:
    """A number between bounds; low and high as they are written, none of them included unless it says so."""
    parts = [BOUND.fullmatch(part.strip()) for part in str(wanted).split(",")]
    low, high = -math.inf, math.inf
    low_in = high_in = True
    for part in parts:
        if part is None:
            raise RulesError(f"{name}: {wanted!r} is no bound for {field}; write for example '>= 50, < 200'")
        bound, inclusive = float(part[2]), part[1].endswith("=")
        if part[1].startswith(">"):
            low, low_in = bound, inclusive
        else:
            high, high_in = bound, inclusive
    if high < max(low, 0.0) or (high == max(low, 0.0) and not (high_in and low_in)):
        raise RulesError(f"{name}: no {field} is {wanted}")

    def holds(situation: Situation) -> bool:
        value = situation.at_hand if field == "examples" else getattr(situation, field)
        if value is None:
            return False
        return bool((value > low or (low_in and value == low)) and (value < high or (high_in and value == high)))

    return holds


def _numbers_in(wanted: Any) -> tuple[float, ...]:
    """The numbers of a condition like '>= 50, < 200'."""
    return tuple(float(bound) for _, bound in BOUND.findall(str(wanted)))


def _weights(entry: Any, name: str) -> Weights:
    if not isinstance(entry, dict):
        raise RulesError(f"{name}: weights are a table of ways")
    for weight in entry.values():
        if not isinstance(weight, int) or isinstance(weight, bool) or not 1 <= weight <= STRONGEST:
            raise RulesError(f"{name}: a weight is a whole number from 1 to {STRONGEST}")
    return {_approach(approach, name): weight for approach, weight in entry.items()}


def _approach(text: Any, name: str) -> Approach:
    for approach in get_args(Approach):
        if approach == text:
            return approach  # type: ignore[no-any-return]
    raise RulesError(f"{name}: there is no way {text!r}")


def _only(entry: Mapping[str, Any], name: str, keys: set[str]) -> str:
    """The name of the entry, once it has no key that nobody reads."""
    name = str(entry.get("id", entry.get("approach", name)))
    unknown = sorted(entry.keys() - keys)
    if unknown:
        raise RulesError(f"{name}: nobody reads {unknown[0]!r}; it takes {', '.join(sorted(keys))}")
    if "id" in keys and not entry.get("id"):
        raise RulesError(f"{name} has no id")
    return name


def _sentence(entry: Mapping[str, Any], key: str, name: str) -> str:
    text = entry.get(key)
    if not isinstance(text, str) or not text.strip():
        raise RulesError(f"{name}: it has no {key}")
    return text


def _template(entry: Mapping[str, Any], key: str, name: str) -> str:
    text = _sentence(entry, key, name)
    _check_template(text, name)
    return text


def _check_template(text: str, name: str) -> None:
    for field in named_fields(text):
        if field not in (*ANSWERS, *MEASURED):
            raise RulesError(f"{name}: a situation has no {field}")


def named_fields(text: str) -> set[str]:
    """The fields that stand in braces in a text of the table."""
    return {field for _, field, _, _ in string.Formatter().parse(text) if field is not None}
