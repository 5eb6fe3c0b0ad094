"""The section `finetune`: what is watched and saved while it trains."""

from __future__ import annotations

from tunesmith.core.plan.section import Section, knob

TRAINER = "transformers 5.23, TrainingArguments"


class Finetune(Section):
    """What is watched and saved while it trains."""

    log_every: int = knob(
        "Log every",
        "Steps between two points of the loss curve.",
        unit="steps",
        usual="1 to 50: some 50 points in the whole training",
        source=f"{TRAINER}: 500, TRL 1.16: 10",
        ge=1,
    )
    evaluate_every: int = knob(
        "Evaluate every",
        "Steps between two looks at the validation rows.",
        unit="steps",
        usual="5 to 10 looks in the whole training",
        source=f"{TRAINER}: as often as it logs; the answers are written in full here, which takes longer",
        ge=1,
    )
    validation_rows: int = knob(
        "Validation slice",
        "Rows answered in full at each evaluation; the same every time.",
        unit="rows",
        usual="24 to 64: 64 rows tell 80 % from 95 %",
        source="the 95 % interval of a share of 64 rows is at most 12 points to either side (Wilson 1927)",
        ge=0,
    )
    samples: int = knob(
        "Samples",
        "Answers of the slice that are shown.",
        unit="rows",
        usual="3 to 5, as many as are read",
        source="this wizard's own choice",
        ge=0,
    )
    save_every: int = knob(
        "Save every",
        "Steps between two checkpoints.",
        unit="steps",
        usual="at each look at the validation rows",
        source=f"{TRAINER}: 500, and with early stopping a multiple of the evaluation's",
        ge=1,
    )
    keep_checkpoints: int = knob(
        "Checkpoints kept",
        "Older ones are deleted.",
        usual="1 to 5; each holds what is trained three times over",
        source=f"{TRAINER}: all are kept, which fills a disk",
        ge=1,
    )
