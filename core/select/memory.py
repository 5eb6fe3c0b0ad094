"""Forecasts the peak memory of a training run, term by term.

Three sources, the best that there is for a load: a probe that measured it on this machine; a simulation of the very
step (`core/worker/simulation`, kept in the model's facts); arithmetic (`arithmetic.py`), which answers at once. Where
another load of the same code was measured or simulated, the arithmetic is corrected by what it was off by there.

How far to trust it: `benchmarks/memory_gpu.py` lays the simulation beside peaks measured on a GPU (34 ways of training
on an H100: 0.967 to 1.000 of them), `benchmarks/memory.py` beside peaks that others measured. Allocated is what torch
hands out, reserved what its allocator takes from the device for that; the total, with what the driver takes, is laid
beside what is free.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, TypeVar

import msgspec

from tunesmith.core.facts import Hardware, MemoryPhase, ModelFacts, Simulation, StepProbe
from tunesmith.core.figures import GIB, size
from tunesmith.core.load import Load
from tunesmith.core.plan import Evaluate, Select
from tunesmith.core.select.activations import TOKEN_BLOCK, WORD_BLOCK
from tunesmith.core.select.arithmetic import STATIC, Term, answering, step_terms
from tunesmith.core.select.load import CodePath

CUDA_CONTEXT = round(0.67 * GIB)
"""What the driver takes for a process beside torch's memory: measured on an H100 (driver 580, torch 2.11 for CUDA 13;
`benchmarks/measured`). Smaller cards take less."""
WORKSPACE = "cuBLAS workspace"
CUBLAS_WORKSPACE = 2 * (4096 * 2 + 16 * 8) * 1024
CUBLAS_WORKSPACE_HOPPER = 2 * 4096 * 8 * 1024
"""One for the thread of the forward pass and one for that of the backward pass, larger from compute capability 9.0 on
(`aten/src/ATen/cuda/CublasHandlePool.cpp`, parseChosenWorkspaceSize)."""
CPU_PROCESS = 510 << 20
"""torch 2.13, transformers, peft, trl and datasets imported and a trainer made: 502 to 511 MiB measured."""
MARGIN = 0.1
"""Reserved over allocated was 1.01 to 1.18 in 34 runs on an H100, in the mean 1.05 (`benchmarks/memory_gpu.py`), and
1.02 to 1.25 in eleven on an RTX 4080 (`benchmarks/memory.py`, A). torch gives back what it does not use before memory
runs out."""
CPU_STEP_MARGIN = 0.5
"""What glibc's allocator keeps between the blocks of a step on a CPU: a LoRA run of 2 M parameters took 439 MiB beyond
the libraries where 296 were in use (measured without and with MALLOC_MMAP_THRESHOLD_)."""
CPU_LEAST_MARGIN = 0.15
"""Of a simulated step: four runs of the practice model grew by 0.75 to 1.14 of what torch had handed out."""
STEP = ("activations", "loss", "backward", "temporary", "answers")
"""Terms that come and go with each step."""
Known = TypeVar("Known", Simulation, StepProbe)
How = Literal["simulated", "corrected", "arithmetic", "measured"]
TOLD = {
    "simulated": "simulated: this very step, on tensors without content",
    "corrected": "arithmetic, corrected by a simulation or a measurement of another load",
    "arithmetic": "arithmetic over the model's shapes",
    "measured": "measured on this machine",
}
WHEN = {
    "before the step": "before the step",
    "forward": "in the forward pass",
    "loss": "at the loss",
    "backward": "in the backward pass",
    "optimizer": "in the optimizer's step",
}
KINDS = {
    "weights": "as they are held",
    "working copies": "weights once more in the precision of the products (autocast)",
    "adapter": "the trained parameters beside the weights",
    "gradients": "of what is trained",
    "optimizer": "its states",
    "activations": "what the layers keep for the backward pass",
    "loss": "the output head, the loss and its gradients",
    "backward": "gradients of activations, and what is computed once more",
    "temporary": "what operations take while they run",
    "answers": "keys and values of the answers, and the work on the prompts",
}
"""What each kind of a simulation is."""


@dataclass(frozen=True)
class MemoryForecast:
    """The terms at the peak, their sum, and what the device has free (bytes)."""

    terms: tuple[Term, ...]
    total: int
    """What the process takes of the device: reserved, with CUDA's context or the libraries. Laid beside `available`."""
    available: int
    device: Literal["cuda", "cpu"]
    fits: bool
    how: How = "arithmetic"
    allocated: int = 0
    """What torch hands out at the peak: `torch.cuda.max_memory_allocated`."""
    reserved: int = 0
    """What torch's allocator takes for it, with the gaps between blocks: `torch.cuda.max_memory_reserved`."""
    phases: tuple[MemoryPhase, ...] = ()
    """Of one step, for a picture; none without a simulation."""
    evaluation: Term | None = None
    """All that is there while answers are written, a peak of its own; in the total only where it is the higher one."""

    def of(self, name: str) -> int:
        """The bytes of the term `name`; 0 where there is none."""
        return sum(term.bytes for term in self.terms if term.name == name)

    @property
    def step(self) -> int:
        """What torch hands out at the peak of a training step, whatever the answers take."""
        return self.allocated - self.of("evaluation")

    @property
    def told(self) -> str:
        """How it was forecast, in words."""
        training = [phase for phase in self.phases if phase.name != "evaluation"]
        if not training:
            return TOLD[self.how]
        peak = max(training, key=lambda phase: phase.total).name
        return f"{TOLD[self.how]}; the peak is {WHEN[peak]}"

    @property
    def least(self) -> int:
        """What is there whatever the rows are: weights, adapter, gradients, optimizer."""
        of_phases = (sum(phase.bytes.get(kind, 0) for kind in STATIC) for phase in self.phases)
        return max(of_phases, default=sum(self.of(name) for name in STATIC))

    @property
    def tight(self) -> bool:
        """Whether it fits with less than a tenth to spare."""
        return self.fits and self.total > 0.9 * self.available


def forecast(
    model: ModelFacts, select: Select, hardware: Hardware, longest: int, evaluate: Evaluate | None = None
) -> MemoryForecast:
    """The peak memory of training `model` as the plan's section `select` says.

    Args:
        longest: Tokens of the longest row; rows are cut at the plan's sequence length.
        evaluate: The plan's section; where it is given, answers during evaluation are forecast as well.
    """
    return forecast_load(model, load_of(select, longest, evaluate), hardware)


def load_of(select: Select, longest: int, evaluate: Evaluate | None = None) -> Load:
    """What decides the memory in the plan's sections."""
    knobs, lora = select.hyperparameters, select.lora
    return Load(
        method=select.method,
        precision=select.precision,
        device=select.device,
        batch_size=knobs.batch_size,
        length=knobs.max_length if knobs.packing else min(longest, knobs.max_length),
        optimizer=knobs.optimizer,
        checkpointing=knobs.gradient_checkpointing,
        rank=lora.rank if lora else 0,
        dropout=lora.dropout if lora else 0.0,
        target_modules=lora.target_modules if lora else "all-linear",  # type: ignore[arg-type]
        double_quantization=select.quantization.double if select.quantization else False,
        quantization=select.quantization.type if select.quantization else "nf4",
        peft=select.peft,
        virtual_tokens=select.virtual_tokens or 0,
        packing=knobs.packing,
        answer_rows=evaluate.batch_size if evaluate else 0,
        answer_tokens=evaluate.max_new_tokens if evaluate else 0,
    )


def forecast_load(model: ModelFacts, load: Load, hardware: Hardware, path: CodePath | None = None) -> MemoryForecast:
    """The same for a bare `Load`, and for other code than our worker's where `path` says so."""
    terms = step_terms(model, load, path or CodePath())
    how: How = "arithmetic"
    phases: tuple[MemoryPhase, ...] = ()
    evaluation = answering(model, load, path or CodePath())
    if path is None:
        simulation = _nearest(model.simulations, load)
        if simulation is not None:
            terms, how, phases = _from_simulation(model, load, simulation, terms)
            evaluation = _evaluation(simulation, load) or evaluation
    terms = _with_workspace(terms, load, hardware)
    probe = _nearest(_probes_here(model, load, hardware), load) if path is None else None
    if probe is not None:
        terms, how = _from_probe(model, load, probe, terms, hardware)
    untouched = _untouched(model, load) if phases else 0
    return _summed(terms, how, phases, evaluation, load, hardware, probe, untouched)


def forecast_from(simulation: Simulation, hardware: Hardware) -> MemoryForecast:
    """What a simulation says of the load that it was made for, of whatever code path."""
    terms = _with_workspace(_simulated_terms(simulation), simulation.load, hardware)
    evaluation = _evaluation(simulation, simulation.load)
    return _summed(terms, "simulated", simulation.phases, evaluation, simulation.load, hardware)


def available_bytes(hardware: Hardware, device: str) -> int:
    """What is free for a new process: on the GPU that would be used (0 without one), or in RAM."""
    if device == "cpu":
        return hardware.ram_available
    return hardware.gpu.free if hardware.gpu else 0


def _nearest(known: tuple[Known, ...], load: Load) -> Known | None:
    """What is known of this very load, else of the one with the same code whose tokens are nearest."""
    alike = [one for one in known if one.load.alike(load)]
    same = [one for one in alike if one.load.training == load.training]
    if same:
        return same[-1]
    return min(alike, key=lambda one: abs(one.load.tokens - load.tokens), default=None)


def _from_simulation(
    model: ModelFacts, load: Load, simulation: Simulation, terms: list[Term]
) -> tuple[list[Term], How, tuple[MemoryPhase, ...]]:
    """The simulation's own terms for its load; for another one, arithmetic scaled by what it was off by there."""
    if simulation.load.training == load.training:
        return _simulated_terms(simulation), "simulated", simulation.phases
    there = step_terms(model, simulation.load, CodePath())
    ratios = []
    for stays in (True, False):
        reckoned = sum(term.bytes for term in there if _stays(term.name) == stays)
        simulated = sum(size for kind, size in simulation.peak.bytes.items() if _stays(kind) == stays)
        ratios.append(simulated / reckoned if reckoned else 1.0)
    scaled = [_scaled(term, ratios[0] if _stays(term.name) else ratios[1]) for term in terms]
    return scaled, "corrected", ()


def _simulated_terms(simulation: Simulation) -> list[Term]:
    at_peak = simulation.peak.bytes
    return [Term(kind, at_peak[kind], text) for kind, text in KINDS.items() if at_peak.get(kind)]


def _evaluation(simulation: Simulation, load: Load) -> Term | None:
    """Answers as they were simulated; of more or fewer rows, what they hold in proportion to the tokens."""
    phase, asked = simulation.evaluation, simulation.load
    if phase is None or not load.answer_rows or asked.training != load.training:
        return None
    tokens, simulated = (one.answer_rows * (one.length + one.answer_tokens) for one in (load, asked))
    answers = round(phase.bytes.get("answers", 0) * tokens / simulated)
    text = f"{load.answer_rows} rows × {load.length} + {load.answer_tokens} tokens, simulated: "
    text += f"{size(answers)} for keys, values and the work on the prompts"
    return Term("evaluation", phase.total - phase.bytes.get("answers", 0) + answers, text)


def _probes_here(model: ModelFacts, load: Load, hardware: Hardware) -> tuple[StepProbe, ...]:
    """Probes of this model on the device that the load is for."""
    name = hardware.cpu.name if load.device == "cpu" else hardware.gpu.name if hardware.gpu else ""
    return tuple(probe for probe in model.probes if probe.device == name)


def _from_probe(
    model: ModelFacts, load: Load, probe: StepProbe, terms: list[Term], hardware: Hardware
) -> tuple[list[Term], How]:
    """The terms scaled so that their sum is what was measured; for another load, by what a forecast is off by there."""
    if probe.load.training == load.training:
        return [_scaled(term, probe.allocated / max(1, _sum(terms))) for term in terms], "measured"
    unmeasured = msgspec.structs.replace(model, probes=())
    there = forecast_load(unmeasured, probe.load.training, hardware)
    return [_scaled(term, probe.allocated / max(1, there.allocated)) for term in terms], "corrected"


def _sum(terms: list[Term]) -> int:
    return sum(term.bytes for term in terms)


def _scaled(term: Term, ratio: float) -> Term:
    return term if ratio == 1 else Term(term.name, round(term.bytes * ratio), f"{term.from_what} (× {ratio:.2f})")


def _stays(name: str) -> bool:
    return name not in STEP and name != "unpacked weight"


def _with_workspace(terms: list[Term], load: Load, hardware: Hardware) -> list[Term]:
    if load.device != "cuda":
        return terms
    large = hardware.gpu is None or hardware.gpu.compute_capability >= (9, 0)
    taken = CUBLAS_WORKSPACE_HOPPER if large else CUBLAS_WORKSPACE
    return [*terms, Term(WORKSPACE, taken, "for matrix products, two of them")]


def _summed(
    terms: list[Term],
    how: How,
    phases: tuple[MemoryPhase, ...],
    evaluation: Term | None,
    load: Load,
    hardware: Hardware,
    probe: StepProbe | None = None,
    untouched: int = 0,
) -> MemoryForecast:
    """The terms with what the allocator and the device add."""
    allocated = _sum(terms)
    if evaluation is not None:
        workspace = sum(term.bytes for term in terms if term.name == WORKSPACE)
        evaluation = replace(evaluation, bytes=evaluation.bytes + workspace)
    if evaluation is not None and evaluation.bytes > allocated:
        more = Term("evaluation", evaluation.bytes - allocated, f"beyond the step itself: {evaluation.from_what}")
        terms, allocated = [*terms, more], evaluation.bytes
    margin, text = _margin(terms, allocated, load, untouched)
    if how == "measured" and probe is not None and load.device == "cuda":
        margin, text = probe.reserved - probe.allocated, "measured: reserved by torch's allocator beyond what was used"
    terms = [*terms, Term("margin", margin, text)]
    reserved = allocated + margin
    if load.device == "cuda":
        terms.append(Term("CUDA context", CUDA_CONTEXT, "measured on an H100; smaller cards take less"))
    else:
        terms.append(Term("libraries", CPU_PROCESS, "measured: torch, transformers, peft and trl imported"))
    total = _sum(terms)
    available = available_bytes(hardware, load.device)
    return MemoryForecast(
        terms=tuple(terms),
        total=total,
        available=available,
        device=load.device,
        fits=total <= available,
        how=how,
        allocated=allocated,
        reserved=reserved,
        phases=phases,
        evaluation=evaluation,
    )


def _margin(terms: list[Term], allocated: int, load: Load, untouched: int) -> tuple[int, str]:
    """(bytes, in words) that the allocator holds between blocks, less what is handed out and never touched."""
    stepwise = sum(term.bytes for term in terms if term.name in STEP)
    share = MARGIN if load.device == "cuda" else CPU_STEP_MARGIN
    text = f"{100 * MARGIN:.0f} %: gaps in memory"
    if share != MARGIN:
        text = (
            f"{100 * share:.0f} % of what comes and goes with a step, {100 * MARGIN:.0f} % of the rest: gaps in memory"
        )
    margin = share * (stepwise - untouched) + MARGIN * (allocated - stepwise) - untouched
    if untouched and margin < CPU_LEAST_MARGIN * allocated:
        return round(CPU_LEAST_MARGIN * allocated), f"{100 * CPU_LEAST_MARGIN:.0f} %: gaps in memory"
    return round(margin), text


def _untouched(model: ModelFacts, load: Load) -> int:
    """Bytes of TRL's block of logits that a small vocabulary leaves unused: a CPU gives memory when it is touched."""
    if load.device != "cpu":
        return 0
    return 4 * min(load.tokens, TOKEN_BLOCK) * max(0, WORD_BLOCK - model.vocabulary)
