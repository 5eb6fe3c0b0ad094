"""What the rules of the advice look at: the answers of the brief, and the two things about data and model that matter.

A rule may name any field of it. Each answer is also known as words, so that a reason can name what was answered.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Literal

from tunesmith.core.figures import parameters
from tunesmith.core.plan import (
    BusinessMetric,
    Changes,
    ExampleForm,
    Lacking,
    Latency,
    Metric,
    Privacy,
    Quality,
    Scale,
    Tried,
    Understand,
    UseCase,
    Users,
)
from tunesmith.core.schema import knob_at


@dataclass(frozen=True)
class Situation:
    """One person's case. What is left out is what the plan's schema takes where nothing is said."""

    use_case: UseCase
    users: Users = "team"
    metric: Metric = "exact_match"
    business_metric: BusinessMetric = "none"
    error_cost: Literal["low", "medium", "high"] = "medium"
    lacking: Lacking = "unknown"
    knowledge_changes: Changes = "never"
    examples: int = 0
    example_form: ExampleForm = "pairs"
    quality: Quality = "unknown"
    latency: Latency = "seconds"
    privacy: Privacy = "must-stay"
    scale: Scale = "hundreds"
    budget_money: float | None = None
    """US dollars; None for no limit."""
    budget_hours: float | None = None
    """Hours; None for no limit."""
    tried: tuple[Tried, ...] = ()
    has_context: bool = False
    """Whether the facts that an answer needs come with the question."""
    parameters: int | None = None
    """Of the model that is chosen; None where it is not known."""

    @property
    def at_hand(self) -> int:
        """Examples that can be used: none where there are said to be none yet, whatever was counted in the file."""
        return 0 if self.example_form == "none" else self.examples


ANSWERS: tuple[str, ...] = tuple(
    field.name for field in dataclasses.fields(Situation) if field.name in Understand.model_fields
)
"""The fields that are answers of the brief, by their names in the plan's section `understand`."""
MEASURED: tuple[str, ...] = ("has_context", "parameters")
"""The fields that come from the data and from the model."""


def situation_of(brief: Understand, *, has_context: bool, parameters: int | None = None) -> Situation:
    """The situation that a brief states.

    Args:
        has_context: See the function of this name.
        parameters: Of the model that is chosen; None where it is not known.
    """
    answers = {name: getattr(brief, name) for name in ANSWERS}
    answers["tried"] = tuple(brief.tried)
    return Situation(**answers, has_context=has_context, parameters=parameters)


def has_context(shape: object, roles: object) -> bool:
    """Whether rows of this shape bring the facts with the question: a table's record, or a context column."""
    return shape == "table" or (isinstance(roles, dict) and bool(roles.get("context")))


def words(situation: Situation) -> dict[str, str]:
    """Each field as it stands in a sentence: the answers in the words of the schema, numbers with their units."""
    told = {name: knob_at(f"understand.{name}").label(str(getattr(situation, name))) for name in ANSWERS}
    told["examples"] = f"{situation.at_hand:,}"
    told["tried"] = " and ".join(map(knob_at("understand.tried").label, situation.tried)) or "nothing"
    told["budget_money"] = "no limit" if situation.budget_money is None else money_told(situation.budget_money)
    told["budget_hours"] = "no limit" if situation.budget_hours is None else hours_told(situation.budget_hours)
    told["has_context"] = "with their context" if situation.has_context else "without a context"
    told["parameters"] = parameters(situation.parameters) if situation.parameters is not None else "unknown"
    return told


def money_told(amount: float) -> str:
    """US dollars as they are typed: `$0`, `$12.5`."""
    return f"${amount:,.10g}"


def hours_told(hours: float) -> str:
    """Hours as people say them: `6 minutes`, `1 hour`, `2.5 hours`."""
    if hours < 1:
        minutes = f"{60 * hours:.3g}"
        return f"{minutes} minute{'s' * (minutes != '1')}"
    return f"{hours:,.10g} hour{'s' * (hours != 1)}"
