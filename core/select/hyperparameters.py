"""Recommends what shapes the course of training: optimizer, learning rate, epochs, schedule, and when to stop."""

from __future__ import annotations

import math

from tunesmith.core.draft import Alternative, Draft
from tunesmith.core.facts import Facts
from tunesmith.core.load import Load
from tunesmith.core.plan import held
from tunesmith.core.reckon import counted_rows, settle, usable
from tunesmith.core.select.memory import forecast_load
from tunesmith.core.select.rates import TINY, learning_rate

KNOBS = "select.hyperparameters."
TINY_STEPS = 90
"""Optimizer steps within which a tiny model learns its task; measured on the practice model: exact match 99.7 to 100 %
after 90 in each of five seeds."""
EPOCHS = ((500, 5), (5_000, 3), (50_000, 2), (math.inf, 1))
"""(fewer training rows than, epochs): convention, around TRL's default of 3; little data is seen more often."""
BY_HEART = 5
"""Epochs beyond which rows are learnt by heart rather than understood, as a rule of thumb."""
WATCHED_ROWS = 20
"""Validation rows from which on their loss is steady enough to stop a training by it."""
PATIENCE = 3


def recommend_optimizer(draft: Draft, facts: Facts, load: Load) -> None:
    """AdamW; in 8 bits and paged where memory is short."""
    told = forecast_load(facts.model, load, facts.hardware)
    if load.method == "qlora" and load.device == "cuda" and told.available and told.total > 0.8 * told.available:
        paged = Alternative("adamw_torch_fused", "its states take four times the memory")
        because = "memory is short: 8-bit states that may move to RAM (arXiv:2305.14314, section 3)"
        draft.choose(KNOBS + "optimizer", "paged_adamw_8bit", because, (paged,))
        return
    because = "AdamW in one pass over the weights"
    if load.method != "full":
        because += "; its states are small beside the rest"
    draft.choose(KNOBS + "optimizer", "adamw_torch_fused", because)


def recommend_course(draft: Draft, facts: Facts, load: Load, rows: int, effective: int) -> None:
    """Fill learning rate, epochs, schedule, warm-up, weight decay, clipping, early stopping and seed.

    Args:
        rows: Rows that are trained on.
        effective: Rows a step.
    """
    rate = learning_rate(load.method, load.peft, facts.model.parameters)
    usual = f"; {rate.low:g} to {rate.high:g} is usual"
    draft.choose(KNOBS + "learning_rate", rate.value, rate.source + usual)
    steps_each = math.ceil(rows / max(1, effective))
    tiny = facts.model.parameters < TINY
    epochs = _epochs(draft, rows, steps_each, tiny=tiny)
    steps = max(1, math.ceil(steps_each * epochs))
    draft.choose(
        KNOBS + "schedule",
        "cosine",
        "large steps first, ever finer ones to the end",
        (Alternative("constant", "never settles"), Alternative("linear", "as good for most; cosine stays high longer")),
    )
    warmup = 0.1 if steps < 100 else 0.05
    because = f"{math.ceil(warmup * steps)} of {steps} steps, until the optimizer knows its scales; 3 to 10 % is usual"
    draft.choose(KNOBS + "warmup", warmup, because)
    if load.method == "full":
        draft.choose(KNOBS + "weight_decay", 0.01, "a little keeps the weights near where they were")
    else:
        draft.choose(KNOBS + "weight_decay", 0.0, "an adapter starts at nothing and is small: there is no need to pull")
    because = "one odd batch can't throw the weights far; the common value (QLoRA took 0.3)"
    draft.choose(KNOBS + "max_grad_norm", 1.0, because)
    _early_stopping(draft, facts, epochs, tiny=tiny)
    draft.choose(KNOBS + "seed", 42, "any number does; the same gives the same run")


def _epochs(draft: Draft, rows: int, steps_each: int, *, tiny: bool) -> float:
    if tiny:
        epochs = min(40, math.ceil(TINY_STEPS / steps_each))
        because = f"{epochs} × {steps_each} steps: a tiny model needs at least {TINY_STEPS} to learn its task"
    else:
        epochs = next(epochs for below, epochs in EPOCHS if rows < below)
        because = f"{rows} training rows: people take 5 passes over a few hundred, 3 over thousands, 1 over very many"
    more = Alternative(f"more than {max(BY_HEART, epochs)}", "in the end it knows the rows by heart, and no others")
    return float(settle(draft, KNOBS + "epochs", float(epochs), because, (more,)))


def _early_stopping(draft: Draft, facts: Facts, epochs: float, *, tiny: bool) -> None:
    """Stop when the validation loss no longer falls: where rows are seen often and there are rows to tell by."""
    share = usable(draft.values.get("prepare.split.validation"), 0.0)
    watched = math.ceil(held(share, counted_rows(draft, facts)))
    recommended: int | None = None
    if tiny:
        because = "the course of a model this small was measured, and it ends by itself"
    elif watched < WATCHED_ROWS:
        because = f"{watched} validation rows are too few to tell by"
    elif epochs < 3:
        because = f"with {epochs:g} passes over the rows it hardly gets worse before the end"
    else:
        recommended = PATIENCE
        because = (
            f"{epochs:g} passes may be more than is good: it ends after {PATIENCE} looks without a better loss, and "
            "keeps the best weights"
        )
    draft.choose(KNOBS + "early_stopping", recommended, because)
