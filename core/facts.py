"""What was measured, never what was chosen: the machine, the data, the model.

All of it is frozen and small, so that `resolve` can be called at each keystroke and a test can state any machine.
Sizes are bytes, shares 0 to 1, lengths tokens.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from tunesmith.core.load import Load

Shape = Literal[
    "table", "question-answer", "prompt-completion", "chat", "text", "classification", "preference", "rated"
]
Severity = Literal["note", "warning", "serious"]
"""How much a finding matters: to know, to mend, or to mend before anything is trained."""
ColumnKind = Literal["text", "number", "date", "identifier"]
ModelKind = Literal["", "base", "instruct", "reasoning"]


class GpuProcess(msgspec.Struct, frozen=True):
    """A program that holds memory of a GPU, as far as the driver and the kernel tell it to this user."""

    pid: int
    name: str = ""
    user: str = ""
    used: int | None = None
    """Bytes; None where the driver does not say (inside a container, for other users)."""


class Pcie(msgspec.Struct, frozen=True):
    """A card's slot. An idle card lowers its generation to save power, so the present one may be below the best."""

    generation: int | None = None
    width: int | None = None
    """Lanes."""
    best_generation: int | None = None
    best_width: int | None = None


class Gpu(msgspec.Struct, frozen=True):
    """One NVIDIA GPU, or one MIG slice of one, as NVML reports it. What a card does not tell is absent."""

    index: int
    """NVML's, by PCI bus; slices have that of their card."""
    name: str
    total: int
    free: int
    compute_capability: tuple[int, int]
    uuid: str = ""
    architecture: str = ""
    processes: tuple[GpuProcess, ...] = ()
    slice: str = ""
    """The profile of a MIG slice, e.g. `1g.10gb`, or `slice` where the driver does not name it; empty for a card."""
    parent: str = ""
    """The UUID of the card that a slice is of."""
    ecc: bool | None = None
    """Whether memory errors are corrected; the card then holds back a share of its memory on some models."""
    pcie: Pcie | None = None
    nvlinks: int = 0
    """Active NVLinks."""
    temperature: int | None = None
    """Degrees Celsius."""
    slowdown_temperature: int | None = None
    """Where the card slows itself down."""
    power: float | None = None
    """Watts drawn now."""
    power_limit: float | None = None
    slowdowns: tuple[str, ...] = ()
    """Why the card is slower than it could be now, in plain words; being idle is no reason."""

    @property
    def bf16(self) -> bool:
        """Whether bfloat16 is computed in hardware (Ampere, capability 8.0, and later).

        CUDA C++ Programming Guide, "Features and Technical Specifications": bf16 tensor cores from 8.0.
        """
        return self.compute_capability >= (8, 0)

    @property
    def fp8(self) -> bool:
        """Whether the tensor cores compute fp8 (Ada, capability 8.9, and later; NVIDIA Transformer Engine's guide)."""
        return self.compute_capability >= (8, 9)

    @property
    def flash_attention(self) -> bool:
        """Whether FlashAttention 2 runs on it: Ampere (8.0) or later (Dao 2023, arXiv:2307.08691, and its README)."""
        return self.compute_capability >= (8, 0)


class GpuLink(msgspec.Struct, frozen=True):
    """How two GPUs of the machine reach each other."""

    first: int
    second: int
    """Indices of the GPUs."""
    nvlinks: int = 0
    """NVLinks between the two, bonded; 0 where the way is PCI Express."""
    way: str = ""
    """In plain words, e.g. `4 NVLinks`, `18 NVLinks through a switch`, `one PCIe switch`."""


class Cpu(msgspec.Struct, frozen=True):
    """The processor as this process may use it."""

    name: str
    cores: int
    bf16: bool = False
    """Whether the instruction set has bfloat16 arithmetic (avx512_bf16 or amx_bf16)."""
    physical_cores: int | None = None
    """Of the machine, without hyper-threads; None where the kernel does not tell."""


class Hardware(msgspec.Struct, frozen=True):
    """The machine: visible GPUs, processor, memory that this process may use, disks."""

    cpu: Cpu
    ram_total: int
    ram_available: int
    disk_free: int
    """Where runs are kept."""
    gpus: tuple[Gpu, ...] = ()
    driver: str = ""
    gpu_problem: str = ""
    """Why no GPU can be used, in one sentence with the remedy; empty when one can, or when there is none."""
    cuda: tuple[int, int] | None = None
    """The newest CUDA that the driver knows."""
    links: tuple[GpuLink, ...] = ()
    swap_total: int = 0
    swap_free: int = 0
    cache_free: int | None = None
    """Where downloaded models are kept (the Hugging Face cache)."""
    planned: str = ""
    """Where this is a machine that is planned for and not here: its GPUs as they were asked for, e.g. `h100-80gb`.
    Its RAM, disk and processor are not known and stand at 0."""

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
    values: tuple[tuple[str, int], ...] = ()
    """Its values with how often each occurs, the most frequent first; empty where they are no labels: many, or long."""


class DataFinding(msgspec.Struct, frozen=True):
    """Something in the data that should be repaired or known: what, where, how often, what it does, and the repairs."""

    kind: str
    """What was looked for, e.g. `duplicate`; a kind stands at most once for each column."""
    column: str
    """Empty where it is about whole rows."""
    count: int
    """Rows it is true of (values, for `repeated`)."""
    text: str
    """One sentence to a person."""
    examples: tuple[str, ...] = ()
    """Up to three, each with its line where it has one; harmless, personal data masked."""
    share: float = 0.0
    """`count` over all rows (0 to 1)."""
    severity: Severity = "warning"
    effect: str = ""
    """What it does to a model that is trained on it, in one sentence."""
    repairs: tuple[dict[str, Any], ...] = ()
    """What can be done about it, each as it stands in the plan (see `plan.Repair`), the best one first; empty where
    there is nothing to do but know it."""
    recommended: bool = False
    """Whether the first of `repairs` is recommended; else it is the person's to choose."""
    picture: tuple[tuple[str, int], ...] = ()
    """The distribution as bars: (label, rows), in the order in which they are drawn; at most 12."""

    @property
    def repair(self) -> dict[str, Any] | None:
        """The repair that is recommended."""
        return self.repairs[0] if self.recommended and self.repairs else None


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
    prompt_bins: tuple[tuple[int, int], ...] = ()
    """The same of prompts."""
    answer_bins: tuple[tuple[int, int], ...] = ()
    """The same of answers."""
    estimated: bool = False
    """Whether the lengths were reckoned from characters, because the model's tokenizer is not on this machine."""


class DataProfile(msgspec.Struct, frozen=True):
    """The person's file as it was read."""

    source: str
    fingerprint: str
    """`sha256:` and the digest of the file's bytes."""
    format: str
    """What kind of file it is: csv, jsonl, parquet, xlsx, sql … (see `prepare.read.formats`)."""
    rows: int
    columns: tuple[Column, ...]
    shape: Shape
    shape_because: str
    roles: dict[str, str]
    """Which column plays which part, e.g. {"entity": "name"} or {"question": "q", "answer": "a"}."""
    findings: tuple[DataFinding, ...] = ()
    shape_confidence: float = 1.0
    """How sure the shape is, 0 to 1."""
    left_out: tuple[str, ...] = ()
    """Columns with content that are in no prompt and no answer, identifiers apart; of a table none, see its fields."""
    rejected: int = 0
    """Rows of the file that could not be read; they are set aside before anything else."""
    files: int = 1
    """How many files were read."""
    answer_characters: int | None = None
    """Characters that 95 % of the rows' answers stay within; None where no rows were made."""
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
    """As the person names it: `practice`, a folder, or a name on the Hugging Face Hub."""
    path: str
    """Its folder; empty for a model that is only known from the catalogue."""
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
    here: bool = True
    """Whether the weights are on this machine. If not, it can be planned with and not be run."""
    gated: bool = False
    """Whether its page on the Hub asks something of a person before the download."""
    catch: str = ""
    """What the licence asks for, in one plain sentence."""
    kind: ModelKind = ""
    """Whether it was tuned to follow instructions, or to think aloud first; empty where that is not known."""
    experts: int = 0
    """Feed-forward parts that take turns, in a mixture of experts; 0 in other models."""
    active_parameters: int = 0
    """Parameters that one token goes through, in a mixture of experts; 0 in other models, where it is all of them."""
    simulations: tuple[Simulation, ...] = ()
    """Steps of this model that were simulated."""
    probes: tuple[StepProbe, ...] = ()
    """Steps of this model that were measured on this machine."""


class Facts(msgspec.Struct, frozen=True):
    """Everything that `resolve` may look at."""

    hardware: Hardware
    data: DataProfile
    model: ModelFacts
