"""Recommends the section `select`: model, device and method here, the rest in the modules of their names."""

from __future__ import annotations

from dataclasses import replace
from typing import get_args

from tunesmith.core.draft import Alternative, Draft
from tunesmith.core.facts import Facts
from tunesmith.core.figures import parameters, size
from tunesmith.core.load import Load
from tunesmith.core.plan import Method
from tunesmith.core.reckon import training_rows
from tunesmith.core.select.adapter import much_to_learn, rank_for, recommend_adapter
from tunesmith.core.select.batch import lengths, recommend_batch
from tunesmith.core.select.choosing import rehearsal
from tunesmith.core.select.hyperparameters import recommend_course, recommend_optimizer
from tunesmith.core.select.machine import choose_machine, told_of
from tunesmith.core.select.method import choose_method

OF_ADAPTERS = ("select.peft", "select.lora.", "select.virtual_tokens", "select.quantization.")
"""Whoever states one of these wants an adapter."""


def recommend_select(draft: Draft, facts: Facts) -> Load:
    """Fill every path of `select`; looks at what `understand` and `prepare` hold already.

    Returns:
        What decides the memory of the training that was chosen.
    """
    model, rows = facts.model, training_rows(draft, facts)
    draft.choose("select.model", model.source, _model_because(facts, str(draft.values.get("understand.use_case", ""))))
    load = _device(draft, facts)
    choose_machine(draft, facts.hardware, load.device)
    use_case = draft.values.get("understand.use_case")
    rank, _ = rank_for(model.parameters, rows, use_case)
    load = replace(load, length=min(lengths(facts)[0], model.max_positions), rank=rank, dropout=0.05)
    much = "" if any(path.startswith(OF_ADAPTERS) for path in draft.wishes) else much_to_learn(use_case, rows)
    load = replace(load, method=_method(draft, facts, load, much))
    load = recommend_adapter(draft, facts, load, rows)
    effective, load = recommend_batch(draft, facts, load, rows)
    recommend_optimizer(draft, facts, load)
    recommend_course(draft, facts, load, rows, effective)
    return load


def _model_because(facts: Facts, use_case: str) -> str:
    model = facts.model
    size = parameters(model.parameters)
    only_practice = rehearsal(facts, use_case)
    if only_practice:
        return only_practice
    if model.source == "practice":
        return f"shipped with Tunesmith: {size} parameters, tuned in a minute or two on a processor"
    licence = f", licence {model.license}" if model.license else ", licence not stated in its folder"
    absent = "" if model.here else ", not on this machine yet"
    return f"the one you named: {size} parameters{licence}{absent}"


def _device(draft: Draft, facts: Facts) -> Load:
    """Device and precision, as the beginning of a load."""
    gpu, cpu = facts.hardware.gpu, facts.hardware.cpu
    slower = Alternative("cpu", "many times slower")
    if gpu is not None:
        free = f"{gpu.name} has {size(gpu.free)} free"
        planned = told_of(facts.hardware)
        name = draft.choose("select.device", "cuda", f"{free}; {planned}" if planned else free, (slower,))
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


def _method(draft: Draft, facts: Facts, load: Load, much: str) -> Method:
    choice = choose_method(facts.model, facts.hardware, load, much)
    if draft.wishes.get("select.peft") == "pissa" and choice.method == "qlora":
        choice = replace(choice, method="lora", because="PiSSA takes the weights apart, so they can't be packed")
    chosen = draft.choose("select.method", choice.method, choice.because, choice.instead_of)
    return chosen if chosen in get_args(Method) else choice.method
