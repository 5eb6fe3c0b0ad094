"""What changes when one value of a plan does: two resolutions laid beside each other.

Because `resolve` is pure and quick, a screen can show this at each keystroke, before anything is accepted.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tunesmith.core.draft import Wishes
from tunesmith.core.errors import TunesmithError
from tunesmith.core.facts import Facts
from tunesmith.core.figures import parameters, price_span, size, span
from tunesmith.core.outlook import Outlook, outlook
from tunesmith.core.plan import Path, Plan
from tunesmith.core.recommend import Resolution, resolve
from tunesmith.core.schema import knob_at, knobs, plain_value, shown
from tunesmith.core.stages import STAGES
from tunesmith.core.understand.situation import ANSWERS
from tunesmith.core.wishes import with_wish

APPROACH = knob_at("understand.approach")


@dataclass(frozen=True)
class Change:
    """Something that is another way afterwards, in words."""

    title: str
    before: str
    after: str


@dataclass(frozen=True)
class WhatIf:
    """What choosing `value` would lead to: the changes beside it, or why it can't be chosen."""

    value: Any
    changes: tuple[Change, ...]
    refused: str = ""
    advice_stays: str = ""
    """The way that is advised before and after, where the answer is one that the advice looks at."""


def what_if(wishes: Wishes, path: Path, value: Any, facts: Facts, now: Resolution) -> WhatIf:
    """The consequences of wishing `value` at `path` instead of what is there now."""
    try:
        then = resolve(with_wish(wishes, path, value), facts)
    except TunesmithError as error:
        return WhatIf(value, (), error.title)
    found = changes(now.plan, then.plan, facts, leave_out=path)
    before, after = _advised(now), _advised(then)
    if before != after:  # first, and once: a plan that follows the advice changes its approach with it
        found = (Change("advice", before, after), *(one for one in found if one.title != APPROACH.title.lower()))
    looked_at = path in {f"understand.{name}" for name in ANSWERS}
    return WhatIf(value, found, advice_stays=before if looked_at and before == after else "")


def _advised(resolution: Resolution) -> str:
    """The way that is advised, also where the person chose another."""
    reason = resolution.reasons[APPROACH.path]
    return APPROACH.label(str(reason.recommended if reason.own else resolution.plan.understand.approach))


def changes(before: Plan, after: Plan, facts: Facts, leave_out: Path = "") -> tuple[Change, ...]:
    """What is another way in `after`: first what it takes (memory, time, money ...), then the values themselves."""
    return (*_estimates(outlook(before, facts), outlook(after, facts)), *_values(before, after, leave_out))


def _estimates(before: Outlook, after: Outlook) -> list[Change]:
    pairs = [
        ("memory, estimated", _memory(before), _memory(after)),
        ("trained parameters", parameters(before.trained_parameters), parameters(after.trained_parameters)),
        ("training steps", f"{before.steps:,}", f"{after.steps:,}"),
        ("training time, estimated", span(before.seconds), span(after.seconds)),
        ("money, estimated", price_span(before.money), price_span(after.money)),
        ("disk, estimated", size(before.disk), size(after.disk)),
    ]
    return [Change(*pair) for pair in pairs if pair[1] != pair[2]]


def _memory(one: Outlook) -> str:
    return size(one.memory.total) + ("" if one.memory.fits else " (does not fit)")


def _values(before: Plan, after: Plan, leave_out: Path) -> list[Change]:
    found = []
    for stage in STAGES:
        for knob in knobs(stage):
            was, is_now = plain_value(before, knob.path), plain_value(after, knob.path)
            if was != is_now and knob.path != leave_out:
                found.append(Change(knob.title.lower(), shown(knob, was), shown(knob, is_now)))
    return found
