"""What was measured, never what was chosen: the machine, the data, the model.

All of it is frozen and small, so that `resolve` can be called at each keystroke and a test can state any machine.
Sizes are bytes, shares 0 to 1, lengths tokens.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from tunesmith.core.load import Load

Shape = Literal["table", "question-answer", "prompt-completion", "chat"]
ColumnKind = Literal["text", "number", "date", "identifier"]


class Gpu(msgspec.Struct, frozen=True):
    """One NVIDIA GPU as NVML reports it."""

    index: int
    name: str
    total: int
    free: int
    compute_capability: tuple[int, int]
    uuid: str = ""

    @property
    def bf16(self) -> bool:
        """Whether bfloat16 is computed in hardware (Ampere, capability 8.0, and later)."""
        return self.compute_capability >= (8, 0)


class Cpu(msgspec.Struct, frozen=True):
    """The processor as this process may use it."""

    name: str
    cores: int
    bf16: bool = False
    """Whether the instruction set has bfloat16 arithmetic (avx512_bf16 or amx_bf16)."""


class Hardware(msgspec.Struct, frozen=True):
    """The machine: visible GPUs, processor, memory that this process may use, disk where runs are kept."""

    cpu: Cpu
    ram_total: int
    ram_available: int
    disk_free: int
    gpus: tuple[Gpu, ...] = ()
    driver: str = ""
    gpu_problem: str = ""
    """Why no GPU can be used, in one sentence with the remedy; empty when one can, or when there is none."""

    @property
    def gpu(self) -> Gpu | None:
        """The GPU a run would use: the one with the most free memory."""
        return max(self.gpus, key=lambda gpu: gpu.free, default=None)


class Column(msgspec.Struct, frozen=True):
    """One column of a table or one key of the JSON records."""

    name: str
    kind: ColumnKind
    filled: int
    distinct: int
    examples: tuple[str, ...] = ()


class DataFinding(msgspec.Struct, frozen=True):
    """Something in the data that should be repaired or known: what, where, how often, and the repair proposed."""

    kind: str
    column: str
    count: int
    text: str
    examples: tuple[str, ...] = ()
    repair: str = ""
    """The kind of the repair (see `plan.Repair`) that mends it; empty when nothing is to be done."""
    low: float | None = None
    """out-of-range: the smallest value that is like the others."""
    high: float | None = None
    """out-of-range: the largest value that is like the others."""


class Lengths(msgspec.Struct, frozen=True):
    """A distribution of lengths in tokens."""

    p50: int
    p95: int
    p99: int
    longest: int
    mean: float


class TokenProfile(msgspec.Struct, frozen=True):
    """Lengths with the chosen model's own tokenizer and chat template."""

    rows: int
    whole: Lengths
    prompt: Lengths
    answer: Lengths
    trained_share: float
    """Trained tokens (the answer and its end mark) over all tokens."""
    bins: tuple[tuple[int, int], ...] = ()
    """Histogram of whole rows: (longest length in the bin, rows), bins of equal width from the shortest to the longest.
    """


class DataProfile(msgspec.Struct, frozen=True):
    """The person's file as it was read."""

    source: str
    fingerprint: str
    """`sha256:` and the digest of the file's bytes."""
    format: Literal["csv", "json", "jsonl"]
    rows: int
    columns: tuple[Column, ...]
    shape: Shape
    shape_because: str
    roles: dict[str, str]
    """Which column plays which part, e.g. {"entity": "name"} or {"question": "q", "answer": "a"}."""
    findings: tuple[DataFinding, ...] = ()
    tokens: TokenProfile | None = None


class MemoryPhase(msgspec.Struct, frozen=True):
    """The moment of one phase of a training step at which most memory is taken, and by what."""

    name: Literal["before the step", "forward", "loss", "backward", "optimizer", "evaluation"]
    bytes: dict[str, int]
    """By kind: weights, adapter, gradients, optimizer, working copies, activations, loss, backward, answers, temporary.
    """

    @property
    def total(self) -> int:
        """All kinds together."""
        return sum(self.bytes.values())


class Simulation(msgspec.Struct, frozen=True):
    """The memory of one way of training, by simulation of its step: an estimate, nothing was loaded for it."""

    load: Load
    phases: tuple[MemoryPhase, ...]
    """In the order of a step; the last is `evaluation` where answers are written."""
    seconds: float
    """How long the simulation took."""

    @property
    def peak(self) -> MemoryPhase:
        """The phase of training in which most is taken."""
        return max((phase for phase in self.phases if phase.name != "evaluation"), key=lambda phase: phase.total)

    @property
    def evaluation(self) -> MemoryPhase | None:
        """Writing answers during evaluation; None where none are written."""
        return next((phase for phase in self.phases if phase.name == "evaluation"), None)


class StepProbe(msgspec.Struct, frozen=True):
    """The memory and time of training steps on the longest batch, measured on the device that trains."""

    load: Load
    device: str
    """The card's name, or the processor's."""
    model: str
    """Path of the model's folder."""
    allocated: int
    """Bytes at the peak: what torch handed out on a GPU, what the process grew by on a CPU."""
    reserved: int
    """Bytes at the peak that torch's allocator had taken from the GPU; on a CPU the same as `allocated`."""
    seconds: float
    """Of one optimizer step's forward and backward pass over one micro-batch."""
    at: float
    """Seconds since 1970."""


class ModelFacts(msgspec.Struct, frozen=True):
    """A model as its configuration and the headers of its weight files describe it; nothing was loaded for this."""

    source: str
    """As the person names it: `practice`, a folder, or a name in the Hugging Face cache."""
    path: str
    name: str
    architecture: str
    parameters: int
    weight_bytes: int
    dtype: str
    hidden_size: int
    layers: int
    heads: int
    kv_heads: int
    head_size: int
    intermediate_size: int
    vocabulary: int
    max_positions: int
    tied_embeddings: bool
    has_chat_template: bool
    linear_parameters: int = 0
    """Parameters in the linear layers that LoRA adapts and 4-bit loading packs (embeddings and head excluded)."""
    linear_shapes: tuple[tuple[int, int, int], ...] = ()
    """(inputs, outputs, how many) of those linear layers."""
    license: str = ""
    simulations: tuple[Simulation, ...] = ()
    """Steps of this model that were simulated."""
    probes: tuple[StepProbe, ...] = ()
    """Steps of this model that were measured on this machine."""


class Facts(msgspec.Struct, frozen=True):
    """Everything that `resolve` may look at."""

    hardware: Hardware
    data: DataProfile
    model: ModelFacts
