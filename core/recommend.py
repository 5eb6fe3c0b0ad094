"""`resolve`: from what was wished and what was measured to a complete plan with a reason for every value.

A pure function, quick enough to run at each keystroke. What is recommended in a stage is the business of that
stage's own `recommend.py`; here they are only put in order, because a later one may look at what an earlier one chose.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tunesmith.core.draft import Draft, Reason, Wishes
from tunesmith.core.evaluate.recommend import recommend_evaluate
from tunesmith.core.facts import Facts
from tunesmith.core.finetune.recommend import recommend_finetune
from tunesmith.core.plan import Path, Plan
from tunesmith.core.plan_yaml import validate
from tunesmith.core.prepare.recommend import recommend_prepare
from tunesmith.core.productionize.recommend import recommend_productionize
from tunesmith.core.room import rows_beside
from tunesmith.core.select.recommend import recommend_select
from tunesmith.core.understand.recommend import recommend_understand


@dataclass(frozen=True)
class Resolution:
    """A complete plan, and why each of its values is what it is (by dotted path)."""

    plan: Plan
    reasons: Mapping[Path, Reason]


def resolve(wishes: Wishes, facts: Facts) -> Resolution:
    """The plan for these wishes on this machine with this data and model.

    Args:
        wishes: What the person stated, by dotted path; every other value is recommended.
        facts: What was measured.

    Raises:
        PlanError: A wish names no value of the plan, or contradicts the schema or another wish.
    """
    draft = Draft(wishes)
    recommend_understand(draft, facts)
    recommend_prepare(draft, facts)
    training = recommend_select(draft, facts)
    recommend_finetune(draft, facts)
    recommend_evaluate(draft, facts, lambda rows, tokens: rows_beside(facts, training, rows, tokens))
    recommend_productionize(draft, facts)
    unknown = {path: value for path, value in wishes.items() if path not in draft.values}
    draft.values.update(unknown)  # the schema names what is wrong with them
    return Resolution(validate(draft.tree()), draft.reasons)
