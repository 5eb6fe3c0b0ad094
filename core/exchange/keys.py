"""Keys and values that several trainers share, there and back, and what none of them can say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tunesmith.core.exchange.terms import Dropped, Key, Reading, Settings, Tool
from tunesmith.core.plan import SCHEDULERS, Plan
from tunesmith.core.schema import plain_value

KNOBS = "select.hyperparameters."


def read_schedule(name: Any) -> Any:
    """A plan's schedule by its name in transformers; another name as it is."""
    return next((ours for ours, theirs in SCHEDULERS.items() if name in (ours, theirs)), name)


TRAINER = (
    Key("learning_rate", KNOBS + "learning_rate"),
    Key("lr_scheduler_type", KNOBS + "schedule", to=SCHEDULERS.__getitem__, back=read_schedule),
    Key("num_train_epochs", KNOBS + "epochs"),
    Key("per_device_train_batch_size", KNOBS + "batch_size"),
    Key("gradient_accumulation_steps", KNOBS + "accumulation"),
    Key("weight_decay", KNOBS + "weight_decay"),
    Key("max_grad_norm", KNOBS + "max_grad_norm"),
    Key("optim", KNOBS + "optimizer", back=lambda name: "adamw_8bit" if name == "adamw_bnb_8bit" else name),
    Key("seed", KNOBS + "seed"),
    Key("logging_steps", "finetune.log_every"),
    Key("eval_steps", "finetune.evaluate_every"),
    Key("save_steps", "finetune.save_every"),
    Key("save_total_limit", "finetune.keep_checkpoints"),
)
"""Keys of transformers' `TrainingArguments`, which TRL and LLaMA-Factory share (transformers 5.23.0,
`training_args.py`); bitsandbytes' AdamW has two names there."""


def stated(plan: Plan, keys: tuple[Key, ...]) -> Settings:
    """Their keys with the plan's values; a value that the plan has not is left out."""
    found = {key.theirs: (key, plain_value(plan, key.ours)) for key in keys}
    return {theirs: key.to(value) for theirs, (key, value) in found.items() if value is not None}


def never_said(plan: Plan, tool: Tool) -> list[Dropped]:
    """What no trainer's file says, whichever it is."""
    merging = {
        "trl": "merge the adapter afterwards with PEFT's merge_and_unload",
        "axolotl": "merge the adapter afterwards with `axolotl merge-lora`",
        "llamafactory": "merge the adapter afterwards with `llamafactory-cli export`",
    }[tool]
    found = [
        Dropped("understand", "what it is for and when it is good enough is no setting of a trainer"),
        Dropped("finetune.validation_rows", "validation rows are only scored by their loss there, not answered"),
        Dropped("finetune.samples", "no answers are shown while it trains"),
        Dropped("evaluate", "no answers are scored; test.jsonl holds the rows kept for it"),
        Dropped("productionize", f"it ends with the weights: {merging if plan.select.lora else 'serve them yourself'}"),
    ]
    if plan.select.gpu is not None:
        found.append(Dropped("select.gpu", "it trains on the card that it finds"))
    if plan.select.price_hour is not None:
        found.append(Dropped("select.price_hour", "it reckons no costs"))
    return found


STEPS_COUNTED = "a plan states warm-up as a share of the steps, not as a count; it is recommended instead"


def read_model(reading: Reading, key: str) -> None:
    """Take the model's name. A folder's path is spelled out later, with the folder of the file."""
    model = reading.take(key)
    if model is not None:
        reading.wish(key, "select.model", str(model))


def read_precision(reading: Reading) -> None:
    """Take `bf16` and `fp16`; where neither is decided, the precision is recommended."""
    bf16, fp16 = reading.take("bf16"), reading.take("fp16")
    if bf16 in (True, "full"):
        reading.wishes["select.precision"] = "bf16"
        if fp16 is True:
            reading.drop("fp16", "bf16 is set as well, and a training has one precision")
    elif fp16 is True:
        reading.wishes["select.precision"] = "fp16"
    elif bf16 is False:
        reading.wishes["select.precision"] = "fp32"


def read_kind(reading: Reading, kinds: Mapping[str, Settings]) -> None:
    """Take the kind of adapter by the keys that mark it; where several are marked, the first is taken."""
    marked = {
        kind: marks
        for kind, marks in kinds.items()
        if marks and all(reading.left.get(key) == value for key, value in marks.items())
    }
    for place, (kind, marks) in enumerate(marked.items()):
        if place == 0:
            reading.wishes["select.peft"] = kind
        for key in marks:
            reading.take(key)
            if place > 0:
                reading.drop(key, f"an adapter of a plan is of one kind, and {next(iter(marked))} was taken")


def read_targets(reading: Reading, key: str, modules: Any) -> None:
    """Take the layers that get an adapter: one text, a list, or a pattern for the end of a name."""
    if modules is None:
        return
    names = [str(one).removeprefix(".*\\.") for one in ([modules] if isinstance(modules, str) else modules)]
    reading.wish(key, "select.lora.target_modules", "all-linear" if names == ["all-linear"] else names)
