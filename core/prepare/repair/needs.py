"""What a repair must be given before it can run. Light: the interface asks, too."""

from __future__ import annotations

from collections.abc import Sequence
from typing import get_args

from tunesmith.core.errors import PlanError
from tunesmith.core.plan import PersonalKind, Repair

_COLUMN = frozenset(("fill-empty", "drop-values", "dates-to-iso", "plain-numbers", "drop-out-of-range", "unify-labels"))
_FIELDS = {
    "fill-empty": "value",
    "drop-values": "names",
    "unify-labels": "values",
    "drop-short": "low",
    "drop-long": "high",
    "drop-repeated-answers": "names",
    "keep-languages": "names",
}


def unfit(repair: Repair) -> str:
    """What the repair lacks, as a clause such as `dates-to-iso needs a column`; nothing where it can run."""
    missing = lacking(repair)
    if missing == "low or high":
        return f"{repair.kind} needs low or high"
    if missing == "column":
        return f"{repair.kind} needs a column"
    if missing:
        return f"{repair.kind} needs {missing}"
    kinds = get_args(PersonalKind)
    if repair.kind.endswith("-personal") and (odd := [name for name in repair.names or () if name not in kinds]):
        return f"{repair.kind} knows no kind {odd[0]!r}"
    if repair.low is not None and repair.high is not None and repair.low > repair.high:
        return f"{repair.kind} has a low above its high"
    return ""


def lacking(repair: Repair) -> str:
    """The field that the repair's kind needs and that it lacks; nothing where it has all."""
    if repair.kind in _COLUMN and repair.column is None:
        return "column"
    if repair.kind == "drop-out-of-range" and repair.low is None and repair.high is None:
        return "low or high"
    field = _FIELDS.get(repair.kind, "")
    return field if field and getattr(repair, field) in (None, [], {}) else ""


def check(repair: Repair, number: int, prompts: Sequence[str], answers: Sequence[str]) -> None:
    """Refuse a repair that can't run.

    Args:
        repair: The plan's `number`-th, counted from 0.
        number: Its place in the plan.
        prompts: The columns that prompts are made of.
        answers: The columns that answers are made of.

    Raises:
        PlanError: Names the place in the plan and what to add there.
    """
    place = f"`prepare.repairs.{number}`"
    if why := unfit(repair):
        missing = lacking(repair)
        step = f"Add {missing.replace(' or ', ': or ')}: to that repair." if missing else "Change that repair."
        if why.count(" knows no kind "):
            step = f"Name some of {', '.join(get_args(PersonalKind))}."
        raise PlanError(f"{place}: {why}.", next_step=step)
    if repair.kind == "drop-contradictions" and not (prompts and answers):
        step = "Take it out; a table's questions are answered by its columns."
        raise PlanError(f"{place}: drop-contradictions needs rows with a prompt and an answer.", next_step=step)
    by_answer = ("drop-short", "drop-long", "drop-repeated-answers")
    if repair.kind in by_answer and repair.column is None and not answers:
        raise PlanError(f"{place}: {repair.kind} needs a column.", next_step="Add column: to that repair.")
