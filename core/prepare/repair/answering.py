"""Which repair of the plan answers a finding, and the plan's list after the person answered it anew. Light."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tunesmith.core.facts import DataFinding
from tunesmith.core.prepare.repair.recipe import chosen

Plain = Mapping[str, Any]


def like(repair: Plain, offered: Plain) -> bool:
    """Whether a repair of the plan is one that a finding offers, perhaps with other values.

    Several findings may offer the same kind for the same column, each for words of its own: those have one in common.
    """
    if (repair.get("kind"), repair.get("column")) != (offered.get("kind"), offered.get("column")):
        return False
    if repair.get("kind") == "keep-languages":
        return True
    ours, theirs = _words(repair), _words(offered)
    return not theirs or bool(ours & theirs)


def mending(finding: DataFinding, repairs: Sequence[dict[str, Any]]) -> dict[str, Any] | None:
    """The repair of the plan that answers the finding; None where it is left as it is."""
    exact = next((one for one in repairs if one in finding.repairs), None)
    if exact is not None:
        return exact
    return next((one for one in repairs if any(like(one, offered) for offered in finding.repairs)), None)


def offered_as(finding: DataFinding, repair: Plain) -> int:
    """The place in `finding.repairs` of what `repair` is, with the same values or others; -1 where it is none."""
    places = range(len(finding.repairs))
    exact = next((place for place in places if finding.repairs[place] == repair), -1)
    return exact if exact >= 0 else next((n for n in places if like(repair, finding.repairs[n])), -1)


def answered(
    findings: Sequence[DataFinding],
    repairs: Sequence[dict[str, Any]],
    finding: DataFinding,
    repair: dict[str, Any] | None,
    place: int,
) -> list[dict[str, Any]]:
    """`repairs` with `repair` instead of whatever mended `finding` before; None leaves it unmended.

    Args:
        place: Which of `finding.repairs` it is, perhaps with other values.
    """
    now = mending(finding, repairs)
    if repair is None:
        return [one for one in repairs if one != now]
    if now is not None:
        return [repair if one == now else one for one in repairs]
    model = finding.repairs[place]
    return [repair if one == model else one for one in chosen(findings, repairs, finding, model)]


def _words(repair: Plain) -> set[str]:
    return {*(repair.get("names") or ()), *(repair.get("values") or ())}
