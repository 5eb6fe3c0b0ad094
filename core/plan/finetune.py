"""The section `finetune`: what is watched and saved while it trains."""

from __future__ import annotations

from tunesmith.core.plan.section import Section, knob


class Finetune(Section):
    """What is watched and saved while it trains."""

    log_every: int = knob("Log every", "Steps between two points of the loss curve.", unit="steps", ge=1)
    evaluate_every: int = knob("Evaluate every", "Steps between two looks at the validation rows.", unit="steps", ge=1)
    validation_rows: int = knob(
        "Validation slice", "Rows answered in full at each evaluation; the same every time.", unit="rows", ge=0
    )
    samples: int = knob("Samples", "Answers of the slice that are shown.", unit="rows", ge=0)
    save_every: int = knob("Save every", "Steps between two checkpoints.", unit="steps", ge=1)
    keep_checkpoints: int = knob("Checkpoints kept", "Older ones are deleted.", ge=1)
