"""What a plan will take before it is started: memory, steps, time, money and disk. All of it is estimated, but for the
time where steps were measured."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from itertools import pairwise

from tunesmith.core.facts import Facts, Lengths
from tunesmith.core.figures import dollars, price_span, span
from tunesmith.core.load import Load
from tunesmith.core.plan import Plan
from tunesmith.core.select.cards import card_of
from tunesmith.core.select.load import adapter_parameters
from tunesmith.core.select.memory import MemoryForecast, forecast_load, load_of
from tunesmith.core.select.speed import micro_batch_seconds

CPU_FLOPS_A_CORE = (6e9, 40e9)
"""Floating-point operations a second that one core does in fp32 training, as a range. Measured with the practice model
on two cores of a shared AMD EPYC: 14 to 17e9; larger matrices and AVX-512 do better, a busy machine worse."""
OPERATIONS_A_TOKEN = {"full": 6, "lora": 4, "qlora": 4}
"""Per parameter: two for forward, two for the gradients of activations, two for those of weights that move
(Kaplan et al. 2020, arXiv:2001.08361, section 2.1)."""
PACKED_SLOWER = 1.5
"""At most so many times the time of frozen weights that are not packed, on a processor: an assumption; the practice
model took 1.0 to 1.2 times as long."""
HOUR = 3600
FROM_STEPS = "the seconds that a step took"


@dataclass(frozen=True)
class Outlook:
    """Estimates for one plan on one machine."""

    load: Load
    """What decides the memory: the longest row, so many at once."""
    memory: MemoryForecast
    steps: int
    """Optimizer steps of the whole training."""
    tokens: int
    """Tokens computed in all passes, without padding; 0 before they are counted."""
    trained_parameters: int
    seconds: tuple[float, float] | None
    """Training alone, from and to; None where there is nothing to reckon from (its first steps tell)."""
    seconds_from: str
    """What they were reckoned from, in a few words; empty where there are none."""
    money: tuple[float, float] | None
    """US dollars for the training alone, from and to; None where time or price is not known."""
    over_budget: tuple[str, ...]
    """A sentence for each budget of the brief that this exceeds, or may exceed."""
    disk: int
    """Bytes that checkpoints and models will take."""
    disk_free: int | None
    """None for a machine that is planned for and not here."""

    @property
    def disk_suffices(self) -> bool:
        """Whether there is room for it, with a tenth to spare, as far as is known."""
        return self.disk_free is None or 1.1 * self.disk < self.disk_free

    @property
    def seconds_measured(self) -> bool:
        """Whether the time is from steps that were really done."""
        return self.seconds_from == FROM_STEPS


def outlook(plan: Plan, facts: Facts, seconds_a_step: float | None = None) -> Outlook:
    """The estimates for `plan` with the data and model of `facts`.

    Args:
        seconds_a_step: What one optimizer step took on the machine that is planned for, where that was measured.
    """
    select, model, counted = plan.select, facts.model, facts.data.tokens
    knobs = select.hyperparameters
    longest = counted.whole.longest if counted else knobs.max_length
    load = load_of(select, longest, plan.evaluate)
    trained = model.parameters if select.method == "full" else adapter_parameters(model, load)
    rows = training_rows(plan, facts)
    sequences = _sequences(plan, facts, rows)
    steps = max(1, math.ceil(math.ceil(sequences / (knobs.batch_size * knobs.accumulation)) * knobs.epochs))
    tokens = round(rows * min(counted.whole.mean, knobs.max_length) * knobs.epochs) if counted else 0
    seconds, seconds_from = (None, "")
    if seconds_a_step is not None:
        seconds, seconds_from = (steps * seconds_a_step, steps * seconds_a_step), FROM_STEPS
    elif select.device == "cpu":
        seconds, seconds_from = _cpu_seconds(plan, facts, tokens), "this machine's cores"
    elif counted:
        seconds, seconds_from = _gpu_seconds(plan, facts, load, sequences, counted.whole)
    money = None
    if seconds is not None and select.price_hour is not None:
        money = (seconds[0] / HOUR * select.price_hour, seconds[1] / HOUR * select.price_hour)
    return Outlook(
        load=load,
        memory=forecast_load(model, load, facts.hardware),
        steps=steps,
        tokens=tokens,
        trained_parameters=trained,
        seconds=seconds,
        seconds_from=seconds_from if seconds is not None else "",
        money=money,
        over_budget=_over_budget(plan, seconds, money),
        disk=_disk(plan, facts, trained),
        disk_free=None if facts.hardware.planned else facts.hardware.disk_free,
    )


def training_rows(plan: Plan, facts: Facts) -> int:
    """Rows that are left for training by the plan's split; at least one."""
    split, counted = plan.prepare.split, facts.data.tokens
    asked = len(plan.prepare.questions) or 1
    rows = counted.rows if counted else facts.data.rows * (asked if plan.prepare.shape == "table" else 1)
    return split.trained(rows)


def _sequences(plan: Plan, facts: Facts, rows: int) -> int:
    """What a micro-batch is counted in: rows, or full sequences where several rows are packed into one."""
    knobs, counted = plan.select.hyperparameters, facts.data.tokens
    if not knobs.packing or counted is None:
        return rows
    return max(1, math.ceil(rows * min(counted.whole.mean, knobs.max_length) / knobs.max_length))


def _cpu_seconds(plan: Plan, facts: Facts, tokens: int) -> tuple[float, float] | None:
    if not tokens or facts.hardware.planned:
        return None
    again = 4 / 3 if plan.select.hyperparameters.gradient_checkpointing else 1
    operations = OPERATIONS_A_TOKEN[plan.select.method] * facts.model.parameters * tokens * again
    slow, fast = (rate * max(1, facts.hardware.cpu.cores) for rate in CPU_FLOPS_A_CORE)
    packed = PACKED_SLOWER if plan.select.method == "qlora" else 1
    return operations / fast, packed * operations / slow


def _gpu_seconds(
    plan: Plan, facts: Facts, load: Load, sequences: int, whole: Lengths
) -> tuple[tuple[float, float] | None, str]:
    """(from and to, what it was reckoned from); nothing for a card that the table does not hold."""
    knobs, gpu = plan.select.hyperparameters, facts.hardware.gpu
    card = card_of(gpu) if gpu is not None else None
    if card is None:
        return None, ""
    length = knobs.max_length if knobs.packing else padded_length(whole, knobs.batch_size, knobs.max_length)
    if knobs.group_by_length and not knobs.packing:
        length = min(round(whole.mean), knobs.max_length)
    each = micro_batch_seconds(facts.model, replace(load, length=max(1, length)), card)
    if each is None:
        return None, ""
    batches = math.ceil(sequences / knobs.batch_size) * knobs.epochs
    return (batches * each[0], batches * each[1]), f"the rate and bandwidth of {card.title}"


def padded_length(whole: Lengths, batch_size: int, most: int) -> int:
    """Tokens to which the rows of a batch are padded: about the quantile b / (b + 1) is the longest of b rows.

    (The mean of the largest of b draws from an even distribution; between the quantiles that were counted, a line.)
    """
    share = batch_size / (batch_size + 1)
    if batch_size == 1:
        return min(round(whole.mean), most)
    known = ((0.5, whole.p50), (0.95, whole.p95), (0.99, whole.p99), (1.0, whole.longest))
    for (low, shorter), (high, longer) in pairwise(known):
        if share <= high:
            length = shorter + (longer - shorter) * (share - low) / (high - low)
            return min(max(round(length), round(whole.mean)), most)
    return min(whole.longest, most)


def _over_budget(plan: Plan, seconds: tuple[float, float] | None, money: tuple[float, float] | None) -> tuple[str, ...]:
    """What the brief allowed, against the estimate: surely over where even its lower end is."""
    hours, most = plan.understand.budget_hours, plan.understand.budget_money
    found = []
    if hours is not None and seconds is not None and seconds[1] > hours * HOUR:
        sure = "takes" if seconds[0] > hours * HOUR else "may take"
        found.append(f"The training {sure} longer than the {hours:g} h of your brief: {span(seconds)}.")
    if most is not None and money is not None and money[1] > most:
        sure = "costs" if money[0] > most else "may cost"
        found.append(f"The training {sure} more than the {dollars(most)} of your brief: {price_span(money)}.")
    return tuple(found)


def _disk(plan: Plan, facts: Facts, trained: int) -> int:
    """Checkpoints hold what is trained and AdamW's two states in fp32; one more is written before the oldest goes."""
    checkpoint = 12 * trained
    whole = 4 if plan.select.method == "full" else 2 if plan.select.precision != "fp32" else 4
    made = whole * facts.model.parameters if plan.productionize.merge or plan.select.method == "full" else 0
    adapter = 0 if plan.select.method == "full" else 4 * trained
    return (plan.finetune.keep_checkpoints + 1) * checkpoint + made + adapter
