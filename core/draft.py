"""A plan in the making: takes the person's wish where there is one, else what is recommended, and keeps the reason.

Each stage's `recommend.py` fills its section of a draft; `recommend.resolve` puts the sections together.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from tunesmith.core.plan import Path

Wishes = Mapping[Path, Any]
"""What the person stated: dotted paths of the plan and the values chosen. A list is one value."""

Value = TypeVar("Value")

STATED = "your choice"
"""The reason for what is as it is because the person stated it."""


@dataclass(frozen=True)
class Alternative:
    """What else was in question, and why it lost."""

    value: str
    because: str


@dataclass(frozen=True)
class Reason:
    """Why a value stands in the plan."""

    because: str
    instead_of: tuple[Alternative, ...] = ()
    chosen: bool = False
    """Whether the person stated it."""
    recommended: Any = None
    """What would stand here otherwise, where that is something else."""
    own: bool = False
    """Whether the person stated something else than what is recommended; that may be nothing at all (None)."""
    otherwise: str = ""
    """Where it is their own: why something else is recommended."""


@dataclass
class Draft:
    """The values chosen so far by dotted path, each with its reason."""

    wishes: Wishes
    values: dict[Path, Any] = field(default_factory=dict)
    reasons: dict[Path, Reason] = field(default_factory=dict)

    def choose(self, path: Path, recommended: Value, because: str, instead_of: tuple[Alternative, ...] = ()) -> Value:
        """Settle the value at `path`: the wish where there is one, else `recommended`; returns what was settled."""
        if path in self.wishes:
            value: Value = self.wishes[path]
            if because == STATED:  # what was measured follows the wish, so nobody knows what else would be recommended
                self.reasons[path] = Reason(because, chosen=True, own=True)
            elif value == recommended:
                self.reasons[path] = Reason(because, instead_of, chosen=True)
            else:
                kept = f"your choice; {'none' if recommended is None else recommended} was recommended: {because}"
                self.reasons[path] = Reason(kept, chosen=True, recommended=recommended, own=True, otherwise=because)
        else:
            value = recommended
            self.reasons[path] = Reason(because, instead_of)
        self.values[path] = value
        return value

    def tree(self) -> dict[str, Any]:
        """The values as the nested mapping that the plan's schema takes; it shares nothing with the wishes."""
        root: dict[str, Any] = {}
        for path, value in self.values.items():
            *parents, name = path.split(".")
            place = root
            for parent in parents:
                place = place.setdefault(parent, {})
            place[name] = dict(value) if isinstance(value, dict) else value
        return root
