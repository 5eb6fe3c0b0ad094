"""What a plan will take before it is started: memory, steps, time and disk. All of it is estimated."""

from __future__ import annotations

import math
from dataclasses import dataclass

from tunesmith.core.facts import Facts
from tunesmith.core.plan import Plan
from tunesmith.core.select.load import adapter_parameters
from tunesmith.core.select.memory import MemoryForecast, forecast, load_of

CPU_FLOPS_A_CORE = (6e9, 40e9)
"""Floating-point operations a second that one core does in fp32 training, as a range. Measured with the practice model
on two cores of a shared AMD EPYC: 14 to 17e9; larger matrices and AVX-512 do better, a busy machine worse."""
OPERATIONS_A_TOKEN = {"full": 6, "lora": 4, "qlora": 4}
"""Per parameter: two for forward, two for the gradients of activations, two for those of weights that move
(Kaplan et al. 2020, arXiv:2001.08361, section 2.1)."""


@dataclass(frozen=True)
class Outlook:
    """Estimates for one plan on one machine."""

    memory: MemoryForecast
    steps: int
    """Optimizer steps of the whole training."""
    tokens: int
    """Tokens computed in all passes, without padding; 0 before they are counted."""
    trained_parameters: int
    seconds: tuple[float, float] | None
    """Training alone, from and to; None where there is nothing to reckon from (a GPU: its first steps tell)."""
    disk: int
    """Bytes that checkpoints and models will take."""
    disk_free: int

    @property
    def disk_suffices(self) -> bool:
        """Whether there is room for it, with a tenth to spare."""
        return 1.1 * self.disk < self.disk_free


def outlook(plan: Plan, facts: Facts) -> Outlook:
    """The estimates for `plan` with the data and model of `facts`."""
    select, model, counted = plan.select, facts.model, facts.data.tokens
    knobs = select.hyperparameters
    longest = counted.whole.longest if counted else knobs.max_length
    load = load_of(select, longest)
    trained = model.parameters if select.method == "full" else adapter_parameters(model, load)
    rows = training_rows(plan, facts)
    each = max(1.0, knobs.max_length / max(1.0, counted.whole.mean)) if knobs.packing and counted else 1.0
    steps = max(1, math.ceil(math.ceil(rows / each / (knobs.batch_size * knobs.accumulation)) * knobs.epochs))
    tokens = round(rows * min(counted.whole.mean, knobs.max_length) * knobs.epochs) if counted else 0
    return Outlook(
        memory=forecast(model, select, facts.hardware, longest),
        steps=steps,
        tokens=tokens,
        trained_parameters=trained,
        seconds=_seconds(plan, facts, tokens),
        disk=_disk(plan, facts, trained),
        disk_free=facts.hardware.disk_free,
    )


def training_rows(plan: Plan, facts: Facts) -> int:
    """Rows that are left for training by the plan's split; at least one."""
    split, counted = plan.prepare.split, facts.data.tokens
    asked = len(plan.prepare.questions) or 1
    rows = counted.rows if counted else facts.data.rows * (asked if plan.prepare.shape == "table" else 1)
    return max(1, round(rows * (1 - split.validation - split.test)))


def _seconds(plan: Plan, facts: Facts, tokens: int) -> tuple[float, float] | None:
    if plan.select.device != "cpu" or not tokens:
        return None
    again = 4 / 3 if plan.select.hyperparameters.gradient_checkpointing else 1
    operations = OPERATIONS_A_TOKEN[plan.select.method] * facts.model.parameters * tokens * again
    slow, fast = (rate * max(1, facts.hardware.cpu.cores) for rate in CPU_FLOPS_A_CORE)
    return operations / fast, operations / slow


def _disk(plan: Plan, facts: Facts, trained: int) -> int:
    """Checkpoints hold what is trained and AdamW's two states in fp32; one more is written before the oldest goes."""
    checkpoint = 12 * trained
    whole = 4 if plan.select.method == "full" else 2 if plan.select.precision != "fp32" else 4
    made = whole * facts.model.parameters if plan.productionize.merge or plan.select.method == "full" else 0
    adapter = 0 if plan.select.method == "full" else 4 * trained
    return (plan.finetune.keep_checkpoints + 1) * checkpoint + made + adapter
