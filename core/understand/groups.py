"""The questions of the brief in groups, in the order in which they are asked: for screens and prompts alike."""

from __future__ import annotations

from tunesmith.core.plan import Path
from tunesmith.core.schema import Knob, knob_at

GROUPS: tuple[tuple[str, tuple[Path, ...]], ...] = (
    ("The task", ("understand.goal", "understand.use_case", "understand.users", "understand.lacking")),
    (
        "What is there",
        (
            "understand.examples",
            "understand.example_form",
            "understand.quality",
            "understand.knowledge_changes",
            "understand.tried",
        ),
    ),
    (
        "What counts",
        (
            "understand.metric",
            "understand.threshold",
            "understand.business_metric",
            "understand.business_goal",
            "understand.error_cost",
        ),
    ),
    (
        "Limits",
        (
            "understand.latency",
            "understand.privacy",
            "understand.scale",
            "understand.budget_money",
            "understand.budget_hours",
        ),
    ),
    ("The way", ("understand.approach",)),
)
"""A heading, and the questions below it."""


def grouped() -> list[tuple[str, list[Knob]]]:
    """Each heading with its questions."""
    return [(heading, [knob_at(path) for path in paths]) for heading, paths in GROUPS]
