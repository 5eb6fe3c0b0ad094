"""The plan's list of repairs as a person decides about one finding after another. Light."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from tunesmith.core.facts import DataFinding
from tunesmith.core.prepare.repair.words import PERSONAL

_WHOLE = frozenset(("fix-encoding", "strip-html", "tidy-text", "keep-languages", "mask-personal", "drop-personal"))
"""Repairs that work on every used column where they name none."""

_ANY = frozenset(("drop-near-duplicates", "drop-contradictions"))
"""Repairs that are offered once for the whole data, whichever column they name."""

_LISTED = {
    "drop-values": "names",
    "drop-repeated-answers": "names",
    "mask-personal": "names",
    "drop-personal": "names",
    "unify-labels": "values",
}
"""Repairs that several findings of a column may offer, told apart by what they list."""


def answers(finding: DataFinding, repair: Mapping[str, Any]) -> bool:
    """Whether a repair, as it stands in a plan, mends what was found, perhaps with other bounds than those offered."""
    return any(_alike(repair, offered) for offered in finding.repairs)


def mending(finding: DataFinding, repairs: Iterable[dict[str, Any]]) -> dict[str, Any] | None:
    """The plan's repair that mends what was found: one as it is offered before one with other bounds; None where it
    is left as it is.
    """
    told = [one for one in repairs if answers(finding, one)]
    return next((one for one in finding.repairs if one in told), told[0] if told else None)


def offered_as(finding: DataFinding, repair: Mapping[str, Any]) -> int:
    """The place in `finding.repairs` of what `repair` is, with the same bounds or others; -1 where it is none."""
    places = range(len(finding.repairs))
    exact = next((place for place in places if finding.repairs[place] == repair), -1)
    return exact if exact >= 0 else next((place for place in places if _alike(repair, finding.repairs[place])), -1)


def answered(
    findings: Sequence[DataFinding],
    repairs: Sequence[dict[str, Any]],
    finding: DataFinding,
    repair: dict[str, Any] | None,
) -> list[dict[str, Any]]:
    """`repairs` with `repair` instead of whatever mended `finding` before; None leaves it unmended.

    It stands where the other stood, or else in the findings' order; the rest stays as it is ordered, because a recipe
    that a person wrote is worked through in that order. Of a repair that lists what other findings are about as well,
    only what is about this one goes.
    """
    kept: list[dict[str, Any]] = []
    stood: int | None = None
    for one in repairs:
        left = _without(finding, one)
        if left != one and stood is None:
            stood = len(kept)
        if left is not None:
            kept.append(left)
    if repair is None:
        return kept
    if stood is None:
        stood = _stands(findings, kept, findings.index(finding))
    return [*kept[:stood], repair, *kept[stood:]]


def _stands(findings: Sequence[DataFinding], repairs: Sequence[dict[str, Any]], own: int) -> int:
    """Where the repair of finding `own` belongs: before those of later findings, else behind those of earlier ones."""
    places = [_place(findings, one) for one in repairs]
    later = next((at for at, place in enumerate(places) if place is not None and place > own), None)
    if later is not None:
        return later
    return max((at + 1 for at, place in enumerate(places) if place is not None), default=len(repairs))


def _place(findings: Sequence[DataFinding], repair: dict[str, Any]) -> int | None:
    exact = next((at for at, found in enumerate(findings) if repair in found.repairs), None)
    if exact is not None:
        return exact
    return next((at for at, found in enumerate(findings) if answers(found, repair)), None)


def _without(finding: DataFinding, repair: dict[str, Any]) -> dict[str, Any] | None:
    """What is left of a repair when it does no more about the finding."""
    offered = [one for one in finding.repairs if _alike(repair, one)]
    field = _LISTED.get(str(repair.get("kind")))
    if not offered or field is None:
        return None if offered else repair
    gone = set().union(*(_items(one) for one in offered))
    left = [name for name in _items(repair) if name not in gone]
    if not left:
        return None
    values = repair.get(field)
    return repair | {field: {name: values[name] for name in left} if isinstance(values, dict) else left}


def _alike(repair: Mapping[str, Any], offered: Mapping[str, Any]) -> bool:
    kind, column = str(repair.get("kind")), repair.get("column")
    if kind != offered.get("kind"):
        return False
    if kind not in _ANY and column != offered.get("column") and not (column is None and kind in _WHOLE):
        return False
    return kind not in _LISTED or not set(_items(offered)).isdisjoint(_items(repair))


def _items(repair: Mapping[str, Any]) -> list[str]:
    """What a repair lists; one of personal data that names no kind is about all of them."""
    kind = str(repair.get("kind"))
    found = list(repair.get(_LISTED[kind]) or ())
    return found or (list(PERSONAL) if kind.endswith("-personal") else [])
