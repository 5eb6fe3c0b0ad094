"""Recommends the section `select`: model, method, device, adapter and hyperparameters, each with its reason."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any, get_args

from tunesmith.core.draft import Alternative, Draft
from tunesmith.core.facts import Facts, ModelFacts
from tunesmith.core.figures import parameters, size
from tunesmith.core.load import Load
from tunesmith.core.plan import Method
from tunesmith.core.reckon import counted_rows, settle, training_rows
from tunesmith.core.select.memory import forecast_load
from tunesmith.core.select.method import choose_method

KNOBS = "select.hyperparameters."
EFFECTIVE_BATCH = 16
FALLBACK_LENGTH = 512
TINY_STEPS = 90
"""Optimizer steps within which a tiny model learns its task; measured on the practice model: exact match 99.7 to 100 %
after 90 in each of five seeds."""


@dataclass(frozen=True)
class RateRule:
    """Learning rates for models of fewer than `below` parameters."""

    below: float
    adapter: float
    full: float
    source: str


RATES = (
    RateRule(
        50e6,
        2e-3,
        1e-3,
        "a model this small needs large steps: measured on the practice model, 90 LoRA steps at 1e-3 reached 34 % "
        "exact match and at 2e-3 100 %, 90 steps of full fine-tuning at 5e-4 62 % and at 1e-3 100 %",
    ),
    RateRule(
        13.5e9,
        2e-4,
        2e-5,
        "LoRA: Dettmers et al. 2023, arXiv:2305.14314, for 7 and 13 B; full: Touvron et al. 2023, arXiv:2307.09288",
    ),
    RateRule(
        math.inf,
        1e-4,
        2e-5,
        "LoRA: Dettmers et al. 2023, arXiv:2305.14314, for 33 and 65 B; full: Touvron et al. 2023, arXiv:2307.09288",
    ),
)
EPOCHS = ((500, 5), (5_000, 3), (50_000, 2), (math.inf, 1))
"""(fewer training rows than, epochs): convention, around TRL's default of 3; little data is seen more often."""


def recommend_select(draft: Draft, facts: Facts) -> None:
    """Fill every path of `select`; looks at what `prepare.split` and `prepare.questions` hold already."""
    model, rows = facts.model, training_rows(draft, facts)
    draft.choose("select.model", model.source, _model_because(model))
    load = _device(draft, facts)
    load = replace(
        load, length=min(_lengths(facts)[0], model.max_positions), rank=8 if rows < 200 else 16, dropout=0.05
    )
    load = replace(load, method=_method(draft, facts, load))
    if load.method != "full":
        load = _adapter(draft, load, rows)
    if load.method == "qlora":
        double = settle(draft, "select.quantization.double", True, "packs the scales too, at no loss that was measured")
        draft.choose("select.quantization.type", "nf4", "made for weights that are normally distributed, as these are")
        load = replace(load, double_quantization=double)
    effective, load = _batch(draft, facts, load, rows)
    _optimizer(draft, facts, load)
    _course(draft, facts, load, rows, effective)


def _model_because(model: ModelFacts) -> str:
    size = parameters(model.parameters)
    if model.source == "practice":
        return f"shipped with Tunesmith: {size} parameters, tuned in a minute or two on a processor"
    licence = f", licence {model.license}" if model.license else ", licence not stated in its folder"
    return f"the one you named: {size} parameters{licence}"


def _device(draft: Draft, facts: Facts) -> Load:
    """Device and precision, as the beginning of a load."""
    gpu, cpu = facts.hardware.gpu, facts.hardware.cpu
    slower = Alternative("cpu", "many times slower")
    if gpu is not None:
        name = draft.choose("select.device", "cuda", f"{gpu.name} has {size(gpu.free)} free", (slower,))
    else:
        why = facts.hardware.gpu_problem or "there is no NVIDIA GPU here"
        name = draft.choose("select.device", "cpu", f"{why[0].lower()}{why[1:].rstrip('.')}" if why else "")
    device = "cuda" if name == "cuda" else "cpu"
    others: tuple[Alternative, ...] = ()
    if device == "cpu":
        precision, because = "fp32", "the safe choice on a processor"
        if cpu.bf16:
            others = (
                Alternative("bf16", "this processor has it, but short rows were no faster with it where measured"),
            )
    elif gpu is None or gpu.bf16:
        precision, because = "bf16", "half the memory of fp32 with its range, so nothing overflows"
        others = (Alternative("fp16", "overflows more easily"), Alternative("fp32", "twice the memory, and slower"))
    else:
        precision, because = "fp16", f"{gpu.name} does not compute bf16 in hardware (it came with Ampere)"
    chosen = draft.choose("select.precision", precision, because, others)
    chosen = chosen if chosen in ("bf16", "fp16", "fp32") else precision
    return Load("lora", chosen, device, 1, 8)  # type: ignore[arg-type]


def _method(draft: Draft, facts: Facts, load: Load) -> Method:
    choice = choose_method(facts.model, facts.hardware, load)
    chosen = draft.choose("select.method", choice.method, choice.because, choice.instead_of)
    return chosen if chosen in get_args(Method) else choice.method


def _adapter(draft: Draft, load: Load, rows: int) -> Load:
    """The adapter's settings."""
    because = "wide enough for a new style or format (people use 8 to 64); more costs memory and rarely helps"
    if rows < 200:
        because = f"{rows} training rows need no wider adapter (people use 8 to 64)"
    rank = settle(draft, "select.lora.rank", load.rank, because)
    draft.choose("select.lora.alpha", max(1, 2 * int(rank)), "twice the rank, so the learning rate holds for any rank")
    dropout = settle(draft, "select.lora.dropout", load.dropout, "a little, against learning few rows by heart")
    target = draft.choose(
        "select.lora.target_modules",
        "all-linear",
        "adapting every linear layer is needed to match full fine-tuning (arXiv:2305.14314)",
        (Alternative("q_proj, v_proj", "smaller, as LoRA was first used, but learns less"),),
    )
    return replace(load, rank=max(1, int(rank)), dropout=min(dropout, 0.99), target_modules=_names(target))


def _names(target: Any) -> str | tuple[str, ...]:
    return tuple(str(name) for name in target) if isinstance(target, list | tuple) else "all-linear"


def _lengths(facts: Facts) -> tuple[int, int]:
    """(99th percentile, longest) in tokens, rounded up to multiples of 8; a fallback until the rows are counted."""
    if facts.data.tokens is None:
        return FALLBACK_LENGTH, FALLBACK_LENGTH
    whole = facts.data.tokens.whole
    return 8 * math.ceil(max(8, whole.p99) / 8), 8 * math.ceil(max(8, whole.longest) / 8)


def _batch(draft: Draft, facts: Facts, load: Load, rows: int) -> tuple[int, Load]:
    """Sequence length, checkpointing, micro-batch and accumulation; returns the effective batch and the load."""
    effective = EFFECTIVE_BATCH
    while effective > 4 and rows / effective < 10:
        effective //= 2
    load = _length(draft, facts, load, effective)
    _, needed = _largest(facts, load, effective)
    because = (
        "it is needed: without it, not even one row at a time fits" if needed else "it fits without, which is faster"
    )
    checkpointing = settle(draft, KNOBS + "gradient_checkpointing", needed, because)
    load = replace(load, checkpointing=checkpointing)
    stated = draft.wishes.get(KNOBS + "accumulation")
    room = effective
    if isinstance(stated, int) and stated > 0:
        room = max(1, effective // stated)
    batch = _largest_power(facts, load, room)
    told = forecast_load(facts.model, replace(load, batch_size=batch), facts.hardware)
    memory = f"about {size(told.total)} of {size(told.available)}"
    because = (
        f"all of a step at once fits: {memory}" if batch == room else f"the largest power of two that fits: {memory}"
    )
    if not told.fits:
        because = f"one row at a time needs {memory}: it is not expected to fit"
    batch = max(1, int(settle(draft, KNOBS + "batch_size", batch, because)))
    because = f"{effective} rows a step steady it enough and still give many steps"
    accumulation = max(1, int(settle(draft, KNOBS + "accumulation", max(1, effective // batch), because)))
    return batch * accumulation, replace(load, batch_size=batch)


def _length(draft: Draft, facts: Facts, load: Load, effective: int) -> Load:
    """Settle the sequence length: nothing is cut where that costs little."""
    p99, longest = _lengths(facts)
    most, total = facts.model.max_positions, counted_rows(draft, facts)
    at_p99 = replace(load, length=min(p99, most), batch_size=_largest(facts, replace(load, length=p99), effective)[0])
    still_fits = forecast_load(facts.model, replace(at_p99, length=longest), facts.hardware).fits
    if facts.data.tokens is None:
        length, because = FALLBACK_LENGTH, "until the rows are counted in the model's tokens"
    elif longest <= 1.25 * p99 or still_fits:
        length = longest
        because = f"the longest row has {facts.data.tokens.whole.longest} tokens, so nothing is cut"
    else:
        length = p99
        because = (
            f"99 % of the rows are no longer; at most {math.ceil(total / 100)} are cut at the end, "
            f"the longest has {facts.data.tokens.whole.longest} tokens and would not fit as well"
        )
    if length > most:
        length = most
        cut = "rows may be cut at the end" if p99 <= most else f"more than 1 % of {total} rows are cut at the end"
        because = f"the model reads no more than {most} tokens; {cut}"
    length = max(8, int(settle(draft, KNOBS + "max_length", max(8, length), because)))
    return replace(load, length=min(length, longest))


def _largest(facts: Facts, load: Load, most: int) -> tuple[int, bool]:
    """(micro-batch, whether it needs checkpointing): without it where one row fits so."""
    plain = replace(load, checkpointing=False)
    if forecast_load(facts.model, replace(plain, batch_size=1), facts.hardware).fits:
        return _largest_power(facts, plain, most), False
    if load.device == "cuda" and facts.hardware.gpu is None:
        return most, False  # a plan for another machine: nothing is known that would speak for it
    return _largest_power(facts, replace(load, checkpointing=True), most), True


def _largest_power(facts: Facts, load: Load, most: int) -> int:
    """The largest power of two up to `most` rows that fits; 1 where none does."""
    batch = 1 << (most.bit_length() - 1)
    while batch > 1 and not forecast_load(facts.model, replace(load, batch_size=batch), facts.hardware).fits:
        batch //= 2
    return batch


def _optimizer(draft: Draft, facts: Facts, load: Load) -> None:
    told = forecast_load(facts.model, load, facts.hardware)
    if load.method == "qlora" and load.device == "cuda" and told.available and told.total > 0.8 * told.available:
        paged = Alternative("adamw_torch_fused", "its states take four times the memory")
        draft.choose(
            KNOBS + "optimizer", "paged_adamw_8bit", "memory is short: 8-bit states that may move to RAM", (paged,)
        )
        return
    draft.choose(
        KNOBS + "optimizer",
        "adamw_torch_fused",
        "AdamW in one pass over the weights; its states are small beside the rest"
        if load.method != "full"
        else "AdamW in one pass over the weights",
    )


def _course(draft: Draft, facts: Facts, load: Load, rows: int, effective: int) -> None:
    """Learning rate, schedule, epochs and what else shapes the course of training."""
    model = facts.model
    rule = next(rule for rule in RATES if model.parameters < rule.below)
    rate = rule.full if load.method == "full" else rule.adapter
    tiny = rule is RATES[0]
    draft.choose(KNOBS + "learning_rate", rate, rule.source)
    steps_each = math.ceil(rows / max(1, effective))
    if tiny:
        epochs = min(40, math.ceil(TINY_STEPS / steps_each))
        because = f"{epochs} × {steps_each} steps: a tiny model needs at least {TINY_STEPS} to learn its task"
    else:
        epochs = next(epochs for below, epochs in EPOCHS if rows < below)
        because = f"{rows} training rows: people take 5 passes over a few hundred, 3 over thousands, 1 over very many"
    epochs_chosen = settle(draft, KNOBS + "epochs", float(epochs), because)
    steps = max(1, math.ceil(steps_each * epochs_chosen))
    draft.choose(
        KNOBS + "schedule",
        "cosine",
        "large steps first, ever finer ones to the end",
        (Alternative("constant", "never settles"), Alternative("linear", "as good for most; cosine stays high longer")),
    )
    warmup = 0.1 if steps < 100 else 0.05
    draft.choose(
        KNOBS + "warmup", warmup, f"{math.ceil(warmup * steps)} of {steps} steps, until the optimizer knows its scales"
    )
    if load.method == "full":
        draft.choose(KNOBS + "weight_decay", 0.01, "a little keeps the weights near where they were")
    else:
        draft.choose(KNOBS + "weight_decay", 0.0, "an adapter starts at nothing and is small: there is no need to pull")
    draft.choose(KNOBS + "max_grad_norm", 1.0, "one odd batch can't throw the weights far; the common value")
    draft.choose(KNOBS + "seed", 42, "any number does; the same gives the same run")
