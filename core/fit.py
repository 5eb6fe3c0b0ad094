"""The methods side by side: what each would need on this machine with the plan's other settings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import get_args

from tunesmith.core.draft import Wishes
from tunesmith.core.errors import PlanError
from tunesmith.core.facts import Facts
from tunesmith.core.outlook import Outlook, outlook
from tunesmith.core.plan import Method
from tunesmith.core.recommend import resolve
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
