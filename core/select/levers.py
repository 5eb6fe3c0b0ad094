"""What fits: the methods side by side, the largest batch, the longest row, and each lever with the memory it saves.

All of it is the forecast (`memory.forecast_load`) asked again and again; it takes milliseconds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any, Literal

import msgspec

from tunesmith.core.facts import Hardware, ModelFacts
from tunesmith.core.load import Load
from tunesmith.core.plan import Method, Path
from tunesmith.core.select.adapter import ATTENTION
from tunesmith.core.select.memory import STEP, MemoryForecast, forecast_load

MOST_ROWS = 1024
"""Rows at once beyond which nobody asks."""
GRAIN = 8
"""Row lengths are told in multiples of this many tokens."""


@dataclass(frozen=True)
class Way:
    """A method, and how it keeps the frozen weights."""

    name: str
    method: Method
    quantization: Literal["nf4", "fp4", "int8"] = "nf4"
    """Of qlora."""

    def of(self, load: Load) -> Load:
        """`load` trained this way."""
        rank = load.rank or 16
        if self.method == "full":
            return replace(load, method="full")
        if self.method == "lora":
            return replace(load, method="lora", rank=rank)
        return replace(load, method="qlora", rank=rank, quantization=self.quantization)


WAYS = (
    Way("full", "full"),
    Way("LoRA", "lora"),
    Way("QLoRA 8-bit", "qlora", "int8"),
    Way("QLoRA 4-bit", "qlora", "nf4"),
)
"""From the most memory to the least; FP4 takes what NF4 does."""


@dataclass(frozen=True)
class WayFit:
    """One way with and without gradient checkpointing, and how far it goes at the better of both."""

    way: Way
    plain: MemoryForecast
    checkpointed: MemoryForecast
    batch: int
    """The most rows at once that fit with checkpointing; 0 where not one does."""
    longest: int
    """The longest row that fits with checkpointing, one at a time, in tokens; 0 where none does."""


@dataclass(frozen=True)
class Lever:
    """One thing that can be changed to need less memory."""

    name: str
    saves: int
    """Bytes of the whole."""
    costs: str
    """In speed or quality, in plain words."""
    source: str
    fits: bool
    """Whether it fits then."""
    wish: tuple[Path, Any]
    """What to state in a plan for it."""


@dataclass(frozen=True)
class _Change:
    """A lever as it is tried: what becomes of a load; None where it does not apply."""

    name: str
    costs: str
    source: str
    wish: Callable[[Load], tuple[Path, Any]]
    change: Callable[[Load], Load | None]
    spares: tuple[str, ...] = ()
    """The terms of which it can save no more than there is; any where none is named."""


TRAINED = ("adapter", "gradients", "optimizer")
KNOBS = "select.hyperparameters."
CHANGES: tuple[_Change, ...] = (
    _Change(
        "gradient checkpointing",
        "about a third more time: activations are computed twice",
        "Chen et al. 2016, arXiv:1604.06174",
        lambda load: (KNOBS + "gradient_checkpointing", True),
        lambda load: None if load.checkpointing else replace(load, checkpointing=True),
        ("activations",),
    ),
    _Change(
        "half the rows at once",
        "the same result with twice the accumulation; slower where the device is not busy then",
        "micro-batch × accumulation is what counts",
        lambda load: (KNOBS + "batch_size", load.batch_size // 2),
        lambda load: replace(load, batch_size=load.batch_size // 2) if load.batch_size > 1 else None,
        STEP,
    ),
    _Change(
        "half the sequence length",
        "longer rows are cut, and what is cut is not learnt",
        "the longest row sets the peak",
        lambda load: (KNOBS + "max_length", max(GRAIN, load.length // 2)),
        lambda load: replace(load, length=load.length // 2) if load.length >= 2 * GRAIN else None,
        STEP,
    ),
    _Change(
        "LoRA instead of full",
        "learns less of a new field, forgets less of the old one",
        "Biderman et al. 2024, arXiv:2405.09673",
        lambda load: ("select.method", "lora"),
        lambda load: replace(load, method="lora", rank=16) if load.method == "full" else None,
    ),
    _Change(
        "weights in 4 bits (QLoRA nf4)",
        "slower steps; a small loss of quality in the worst case",
        "Dettmers et al. 2023, arXiv:2305.14314",
        lambda load: ("select.method", "qlora"),
        lambda load: (
            replace(load, method="qlora", quantization="nf4", rank=load.rank or 16) if load.method != "qlora" else None
        ),
    ),
    _Change(
        "double quantization",
        "no loss was measured",
        "Dettmers et al. 2023, arXiv:2305.14314, section 3",
        lambda load: ("select.quantization.double", True),
        lambda load: (
            replace(load, double_quantization=True)
            if load.method == "qlora" and load.quantization != "int8" and not load.double_quantization
            else None
        ),
        ("weights",),
    ),
    _Change(
        "optimizer states in 8 bits",
        "no loss was measured",
        "Dettmers et al. 2021, arXiv:2110.02861",
        lambda load: (KNOBS + "optimizer", "adamw_8bit"),
        lambda load: (
            replace(load, optimizer="adamw_8bit")
            if load.device == "cuda" and not load.optimizer.endswith("8bit")
            else None
        ),
        ("optimizer",),
    ),
    _Change(
        "optimizer in 8 bits, paged",
        "slower where the card is short of memory: states are moved to the machine's and back",
        "Dettmers et al. 2023, arXiv:2305.14314, section 3",
        lambda load: (KNOBS + "optimizer", "paged_adamw_8bit"),
        lambda load: (
            replace(load, optimizer="paged_adamw_8bit")
            if load.device == "cuda" and not load.optimizer.startswith("paged")
            else None
        ),
        ("optimizer",),
    ),
    _Change(
        "half the rank",
        "less room to learn in; often not noticed",
        "Hu et al. 2021, arXiv:2106.09685, section 7.2",
        lambda load: ("select.lora.rank", load.rank // 2),
        lambda load: replace(load, rank=load.rank // 2) if load.method != "full" and load.rank > 1 else None,
        (*TRAINED, *STEP),
    ),
    _Change(
        "adapters in the attention only",
        "learns less than with all linear layers",
        "Dettmers et al. 2023, arXiv:2305.14314, figure 2",
        lambda load: ("select.lora.target_modules", list(ATTENTION)),
        lambda load: (
            replace(load, target_modules=ATTENTION)
            if load.method != "full" and isinstance(load.target_modules, str)
            else None
        ),
        (*TRAINED, *STEP),
    ),
)
NOTICED = 0.01
"""A lever that saves a smaller share than this is not worth a line."""


def bare_load(hardware: Hardware, method: Method, rows: int, length: int, rank: int = 16) -> Load:
    """A usual way of training on this machine: on the GPU where there is one, in bf16 where it computes that."""
    gpu = hardware.gpu
    return Load(
        method=method,
        precision="fp32" if gpu is None else "bf16" if gpu.bf16 else "fp16",
        device="cpu" if gpu is None else "cuda",
        batch_size=rows,
        length=length,
        rank=0 if method == "full" else rank,
        dropout=0.0 if method == "full" else 0.05,
    )


def ways(model: ModelFacts, load: Load, hardware: Hardware) -> list[WayFit]:
    """Each way of `WAYS` with the other settings of `load`."""
    found = []
    for way in WAYS:
        one = way.of(load)
        frugal = replace(one, checkpointing=True)
        found.append(
            WayFit(
                way,
                forecast_load(model, replace(one, checkpointing=False), hardware),
                forecast_load(model, frugal, hardware),
                largest_batch(model, frugal, hardware),
                longest_row(model, replace(frugal, batch_size=1), hardware),
            )
        )
    return found


def largest_batch(model: ModelFacts, load: Load, hardware: Hardware) -> int:
    """The most rows of `load.length` tokens at once that fit, at most `MOST_ROWS`; 0 where not one does."""
    return _most(1, MOST_ROWS, lambda rows: forecast_load(model, replace(load, batch_size=rows), hardware).fits)


def longest_row(model: ModelFacts, load: Load, hardware: Hardware) -> int:
    """The longest row in tokens, a multiple of `GRAIN` that the model can read, with which `load` fits; 0 for none."""
    most = max(1, model.max_positions // GRAIN)
    return GRAIN * _most(
        1, most, lambda grains: forecast_load(model, replace(load, length=GRAIN * grains), hardware).fits
    )


def largest_model(models: Iterable[ModelFacts], load: Load, hardware: Hardware) -> ModelFacts | None:
    """The one with the most parameters with which `load` fits; None where none does."""
    fitting = [model for model in models if forecast_load(model, load, hardware).fits]
    return max(fitting, key=lambda model: model.parameters, default=None)


def levers(model: ModelFacts, load: Load, hardware: Hardware) -> list[Lever]:
    """What can be changed to need less, each alone, the one that saves most first."""
    now = forecast_load(model, load, hardware)
    found = []
    for one in CHANGES:
        changed = one.change(load)
        if changed is None:
            continue
        saves = _saved(model, load, changed, now, hardware)
        if one.spares:
            with_gaps = now.reserved / max(1, now.allocated)
            saves = min(saves, round(with_gaps * sum(now.of(name) for name in one.spares)))
        if saves > NOTICED * now.total:
            fits = now.total - saves <= now.available
            found.append(Lever(one.name, saves, one.costs, one.source, fits, one.wish(load)))
    states = [lever for lever in found if lever.wish[0] == KNOBS + "optimizer"]
    if len(states) == 2 and states[1].saves - states[0].saves <= NOTICED * now.total:
        found.remove(states[1])  # paging spares nothing more
    return sorted(found, key=lambda lever: -lever.saves)


def _saved(model: ModelFacts, load: Load, changed: Load, now: MemoryForecast, hardware: Hardware) -> int:
    """Bytes that `changed` takes less than `load`, both from one source.

    Where only one of them was simulated or measured, both are reckoned by arithmetic, and the difference is scaled by
    what that is off by for `load`.
    """
    then = forecast_load(model, changed, hardware)
    if then.how != "arithmetic" or now.how == "arithmetic":
        return now.total - then.total
    bare = msgspec.structs.replace(model, simulations=(), probes=())
    before, after = (forecast_load(bare, one, hardware).total for one in (load, changed))
    return round((before - after) * now.total / max(1, before))


def _most(least: int, most: int, fits: Callable[[int], bool]) -> int:
    """The largest number from `least` to `most` for which `fits` holds, which it does up to some number; else 0."""
    if not fits(least):
        return 0
    if fits(most):
        return most
    while most - least > 1:
        middle = (least + most) // 2
        least, most = (middle, most) if fits(middle) else (least, middle)
    return least
