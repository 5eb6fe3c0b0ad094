"""The plan's list of repairs as a person decides about one finding after another. Light."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tunesmith.core.facts import DataFinding


def chosen(
    findings: Sequence[DataFinding],
    repairs: Sequence[dict[str, Any]],
    finding: DataFinding,
    repair: dict[str, Any] | None,
) -> list[dict[str, Any]]:
    """`repairs` with `repair` instead of whatever mended `finding` before; None leaves it unmended.

    Repairs of findings stand in the findings' order; those that the person wrote follow them.
    """
    kept = [one for one in repairs if one not in finding.repairs]
    if repair is not None:
        order = [one for found in findings for one in found.repairs]
        kept.append(repair)
        kept.sort(key=lambda one: order.index(one) if one in order else len(order))
    return kept
