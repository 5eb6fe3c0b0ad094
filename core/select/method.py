"""Chooses between full fine-tuning, LoRA and QLoRA from the memory each needs, with the reason why the others lost."""

from __future__ import annotations

from dataclasses import dataclass, replace

from tunesmith.core.draft import Alternative
from tunesmith.core.facts import Hardware, ModelFacts
from tunesmith.core.figures import parameters, size
from tunesmith.core.load import Load
from tunesmith.core.plan import Method
from tunesmith.core.select.load import adapter_parameters
from tunesmith.core.select.memory import MemoryForecast, forecast_load

FORGETS = "Biderman et al. 2024, LoRA learns less and forgets less, arXiv:2405.09673"


@dataclass(frozen=True)
class Choice:
    """A method, why, and why not the others."""

    method: Method
    because: str
    instead_of: tuple[Alternative, ...]


def choose_method(model: ModelFacts, hardware: Hardware, load: Load, much: str = "") -> Choice:
    """The method for this model on this machine.

    LoRA where it fits, else QLoRA; full fine-tuning where there is much to learn and it fits with room to spare. Each
    is asked whether it fits at its most frugal: one row at a time, with gradient checkpointing.

    Args:
        load: Device, precision, row length and rank; its method and batch are not looked at.
        much: Why more is to be learnt than an adapter may hold, as a part of a sentence; empty where it is not.
    """
    if load.device == "cuda" and hardware.gpu is None:
        return Choice("lora", "no GPU is here to be measured; LoRA is the usual choice where one is", ())
    least = replace(load, batch_size=1, checkpointing=True)
    need: dict[Method, MemoryForecast] = {
        "full": forecast_load(model, replace(least, method="full"), hardware),
        "lora": forecast_load(model, replace(least, method="lora"), hardware),
        "qlora": forecast_load(model, replace(least, method="qlora"), hardware),
    }
    if much and need["full"].fits and not need["full"].tight:
        because = f"{much}, and it fits ({_of(need['full'])}); LoRA learns less where that is so ({FORGETS})"
        saved = need["full"].total - need["lora"].total
        lora = Alternative("lora", f"would save {size(saved)} and forget less, but learn less too")
        return Choice("full", because, (lora, Alternative("qlora", _why_not_packed(need))))
    full = Alternative("full", _why_not_full(model, need["full"], least))
    if need["lora"].fits:
        share = adapter_parameters(model, replace(least, method="lora")) / max(1, model.parameters)
        because = (
            f"it fits ({_of(need['lora'])}), moves only {100 * share:.1f} % of the weights, forgets less of what the "
            "model knows, and its file is small"
        )
        return Choice("lora", because, (full, Alternative("qlora", _why_not_packed(need))))
    lora = Alternative("lora", _lacks(need["lora"]))
    if need["qlora"].fits:
        because = f"packing the frozen weights to 4 bits makes it fit ({_of(need['qlora'])})"
        return Choice("qlora", because, (full, lora))
    short = _lacks(need["qlora"])
    because = f"nothing fits here, and this comes nearest: it {short}; take a smaller model or another machine"
    return Choice("qlora", because, (full, lora))


def _why_not_full(model: ModelFacts, need: MemoryForecast, load: Load) -> str:
    if not need.fits:
        return _lacks(need)
    adapter = adapter_parameters(model, replace(load, method="lora"))
    return (
        f"it would fit too ({_of(need)}), but moves all {parameters(model.parameters)} parameters instead of "
        f"{parameters(adapter)}, forgets more of what the model knew, and saves the whole model each time "
        f"({FORGETS})"
    )


def _why_not_packed(need: dict[Method, MemoryForecast]) -> str:
    saved = need["lora"].total - need["qlora"].total
    if saved < 0.1 * need["lora"].total:
        return "saves no memory to speak of here, and is slower"
    return f"would save {size(saved)}, which is not needed, and costs time and some accuracy"


def _of(need: MemoryForecast) -> str:
    return f"one row at a time takes about {size(need.total)} of {size(need.available)}"


def _lacks(need: MemoryForecast) -> str:
    whose = "the card has" if need.device == "cuda" else "the memory has"
    return f"needs {size(need.total)} even one row at a time, {whose} {size(need.available)} free"
