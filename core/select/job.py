"""The third stage of a run: looks at the machine it really runs on, and says whether the plan fits there.

A plan may have been made on another machine or on another day, so everything is measured again. Imports nothing heavy.
"""

from __future__ import annotations

import os
import platform
from pathlib import Path
from typing import Any

import msgspec

import tunesmith.core
from tunesmith.core.adapters import KINDS, told_bits, told_method
from tunesmith.core.errors import ModelError, SpaceError
from tunesmith.core.events import Decision
from tunesmith.core.facts import Hardware, ModelFacts
from tunesmith.core.figures import parameters, size
from tunesmith.core.git_state import GitState, git_state
from tunesmith.core.hardware import probe_hardware
from tunesmith.core.jobs import STARTED_IN, environment
from tunesmith.core.load import Load
from tunesmith.core.models import config_of, model_here
from tunesmith.core.plan import Plan, Select
from tunesmith.core.probes import Foretold, with_probes, write_foretold
from tunesmith.core.run import write_json
from tunesmith.core.select.device import check_device
from tunesmith.core.select.load import adapter_parameters
from tunesmith.core.select.memory import MemoryForecast, forecast, load_of
from tunesmith.core.worker.job import Job

STAGE = "select"
PACKAGES = (
    "torch",
    "transformers",
    "peft",
    "trl",
    "datasets",
    "accelerate",
    "bitsandbytes",
    "tokenizers",
    "safetensors",
    "evaluate",
    "huggingface-hub",
)


class Environment(msgspec.Struct, frozen=True):
    """What a run ran on: `environment.json`."""

    tunesmith: str
    python: str
    platform: str
    packages: dict[str, str]
    hardware: Hardware
    model: ModelFacts
    git: GitState | None = None
    """Of the folder that the run was started from, where that is under version control."""


def work(job: Job) -> str:
    """Measure machine and model, tell method, settings and memory as events; returns the choice in one sentence.

    Raises:
        ModelError: The plan's model is not there or can't be used.
        SpaceError: It surely does not fit in memory, or there is no disk for the result.
        TunesmithError: The plan wants a GPU and there is none.
    """
    plan = job.plan
    hardware = probe_hardware(job.run.folder)
    known = with_probes(model_here(plan.select.model))
    longest = min(plan.select.hyperparameters.max_length, known.max_positions)
    load = load_of(plan.select, longest, plan.evaluate)
    model = _simulated(known, load)
    record = Environment(
        tunesmith=tunesmith.core.__version__,
        python=platform.python_version(),
        platform=platform.platform(),
        packages=environment(PACKAGES),
        hardware=_kept(hardware),
        model=model,
        git=git_state(Path(os.environ.get(STARTED_IN, "."))),
    )
    write_json(job.run.environment_path, record)
    check_device(plan.select, hardware)
    told = forecast(model, plan.select, hardware, longest, plan.evaluate)
    write_foretold(job.run, Foretold(load.training, told.step, told.how))
    _tell(job, model, told)
    check_memory(job, told)
    check_disk(job, model, hardware)
    return f"{told_method(plan.select)} on {model.name} ({parameters(model.parameters)} parameters), {_memory(told)}"


def _kept(hardware: Hardware) -> Hardware:
    """What a run's record keeps of the machine: not who else was at work on it."""
    gpus = tuple(msgspec.structs.replace(gpu, processes=()) for gpu in hardware.gpus)
    return msgspec.structs.replace(hardware, gpus=gpus)


def _simulated(model: ModelFacts, load: Load) -> ModelFacts:
    """The model with its step simulated; as it is where that can't be done, and arithmetic must serve.

    Not for a processor: the seconds that it takes are better spent on the training there.
    """
    if load.device == "cpu":
        return model
    from tunesmith.core.worker.simulation.simulate import simulate  # heavy

    try:
        found = simulate(config_of(model), load)
    except ModelError:
        return model
    return msgspec.structs.replace(model, simulations=(*model.simulations, found))


def check_memory(job: Job, told: MemoryForecast) -> None:
    """Warn where memory is short; raise SpaceError where weights and optimizer alone are more than there is."""
    where = "GPU" if told.device == "cuda" else "machine"
    least = told.least
    if least > told.available:
        raise SpaceError(
            f"The plan does not fit: weights, gradients and optimizer alone need {size(least)}, and the {where} "
            f"has {size(told.available)} free.",
            next_step="Take a smaller model, or method qlora; end other programs that hold memory.",
        )
    if not told.fits:
        text = f"An estimated {_memory(told)}: it may not fit. A smaller micro-batch or gradient checkpointing helps."
        job.finding(STAGE, text, "warning")
    elif told.tight:
        job.finding(STAGE, f"Memory is tight: an estimated {_memory(told)}.", "warning")


def check_disk(job: Job, model: ModelFacts, hardware: Hardware) -> None:
    """Warn where disk is short; raise SpaceError where not even the result can be written."""
    result, checkpoint = disk_needed(job.plan, model)
    everything = result + (job.plan.finetune.keep_checkpoints + 1) * checkpoint  # one more while a new one is written
    free = hardware.disk_free
    if result > free:
        raise SpaceError(
            f"There is no disk for the result: the weights need {size(result)}, and {job.run.folder} has "
            f"{size(free)} free.",
            next_step="Free some room, or set TUNESMITH_RUNS to a folder on a larger disk.",
        )
    if everything > free:
        text = f"Disk is short: result and checkpoints need about {size(everything)}, {size(free)} are free."
        job.finding(STAGE, f"{text} Keep fewer checkpoints.", "warning")


def disk_needed(plan: Plan, model: ModelFacts) -> tuple[int, int]:
    """(result, one checkpoint) in bytes: fp32 weights that were trained; a checkpoint also has AdamW's two states."""
    load = load_of(plan.select, plan.select.hyperparameters.max_length)
    if plan.select.method == "full":
        weights = 4 * model.parameters
        return weights, 3 * weights
    adapter = 4 * adapter_parameters(model, load)
    merged = model.parameters * load.compute_bytes if plan.productionize.merge else 0
    return adapter + merged, 3 * adapter


def _tell(job: Job, model: ModelFacts, told: MemoryForecast) -> None:
    select = job.plan.select
    knobs = select.hyperparameters
    licence = f", licence {model.license}" if model.license else ""
    decisions: list[tuple[str, Any, str]] = [
        ("Model", model.name, f"{parameters(model.parameters)} parameters, {model.architecture}{licence}"),
        ("Method", told_method(select), _method_because(select)),
        ("Device", f"{select.device}, {select.precision}", _device_because(job)),
        ("Learning rate", f"{knobs.learning_rate:g}", f"{knobs.schedule} schedule, {100 * knobs.warmup:.0f} % warm-up"),
        ("Batch", knobs.batch_size * knobs.accumulation, f"{knobs.batch_size} rows at once × {knobs.accumulation}"),
        ("Epochs", f"{knobs.epochs:g}", "how often each row is seen"),
        ("Sequence length", f"{knobs.max_length} tokens", "longer rows are cut at the end"),
    ]
    decisions += [(f"Memory: {term.name}", size(term.bytes), term.from_what) for term in told.terms]
    if told.evaluation is not None:
        decisions.append(("Memory: while answering", size(told.evaluation.bytes), told.evaluation.from_what))
    of_these = "the sum of these, the line for evaluation aside" if told.evaluation is not None else "the sum of these"
    because = f"an estimate, {told.told}; {of_these}, for rows of the full sequence length"
    decisions.append(("Memory", _memory(told), because))
    for name, value, because in decisions:
        job.emit(Decision(stage=STAGE, name=name, value=str(value), because=because))


def _method_because(select: Select) -> str:
    if select.method == "full":
        return "every weight moves"
    trained = f"{KINDS[select.peft].trains}; the weights are frozen"
    return trained if select.method == "lora" else f"{trained}, packed to {told_bits(select)} numbers"


def _device_because(job: Job) -> str:
    hardware = msgspec.json.decode(job.run.environment_path.read_bytes(), type=Environment).hardware
    if job.plan.select.device == "cuda" and hardware.gpu:
        return f"{hardware.gpu.name}, driver {hardware.driver}"
    return f"{hardware.cpu.name}, {hardware.cpu.cores} {'core' if hardware.cpu.cores == 1 else 'cores'}"


def _memory(told: MemoryForecast) -> str:
    return f"about {size(told.total)} of {size(told.available)}"
