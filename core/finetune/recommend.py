"""Recommends the section `finetune`: how often a run is looked at and saved."""

from __future__ import annotations

import math

from tunesmith.core.draft import Alternative, Draft
from tunesmith.core.facts import Facts
from tunesmith.core.plan import held
from tunesmith.core.reckon import counted_rows, optimizer_steps, settle, usable

LOOKS = 5
"""Evaluations in a run: enough to see a curve, few enough to cost little."""
POINTS = 50
"""Points of the loss curve."""


def recommend_finetune(draft: Draft, facts: Facts) -> None:
    """Fill every path of `finetune`; looks at the steps that `select.hyperparameters` gives."""
    steps = optimizer_steps(draft, facts)
    draft.choose("finetune.log_every", max(1, steps // POINTS), f"about {POINTS} points over {steps} steps")
    every = math.ceil(steps / LOOKS)  # rounded up: the last look is at the last step in any case
    looks = max(1, steps // every)
    every = max(
        1,
        int(
            settle(
                draft,
                "finetune.evaluate_every",
                every,
                f"{looks} looks at the validation rows over {steps} steps",
                (Alternative("1", "the answers are written in full each time, which would take most of the time"),),
            )
        ),
    )
    share = usable(draft.values.get("prepare.split.validation"), 0.0)
    there = math.ceil(held(share, counted_rows(draft, facts)))
    most = 64 if draft.values.get("select.device") == "cuda" else 24
    because = f"answered in full at each look, so no more than {most} here; the same rows every time"
    if there < most:
        because = f"all of the {there} validation rows there are"
    rows = int(settle(draft, "finetune.validation_rows", min(there, most), because))
    draft.choose(
        "finetune.samples", min(3, rows), "answers to read with one's own eyes: figures do not show everything"
    )
    because = "at each look, so that any point of the curve can be gone back to"
    if draft.values.get("select.hyperparameters.early_stopping") is not None:
        because = "at each look: early stopping keeps the weights of the best one"
    draft.choose("finetune.save_every", every, because)
    draft.choose("finetune.keep_checkpoints", 2, "the last one, and the one before should the disk fill in between")
