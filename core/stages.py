"""The six stages: their order, and how each is called on a screen."""

from __future__ import annotations

STAGES: tuple[str, ...] = ("understand", "prepare", "select", "finetune", "evaluate", "productionize")
"""The six stages in order, named as the plan's sections are."""

TITLES: dict[str, str] = {stage: stage.capitalize() for stage in STAGES} | {"finetune": "Fine-tune"}
"""Stage → its name for people."""
