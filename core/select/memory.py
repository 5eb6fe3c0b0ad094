"""Forecasts the peak memory of a training run, term by term, by arithmetic over the model's shapes; nothing is run.

How far to trust it: every term is an estimate that names what it is from. The sum is meant as an upper bound, because
not all terms peak in the same moment and rows are rarely all as long as the longest. `benchmarks/memory.py` lays it
beside peaks that others measured: 0.88 to 1.07 of what torch had reserved, on three kinds of card (in part no blind
test, as that script says). On a CPU the saved activations come within 6 % of those counted with torch's own hooks in
three runs of 2 M parameters. Libraries and margin were set by one of them (16 rows × 104 tokens, forecast over peak
1.00), and 16 × 512 tokens came to 0.90, so the CPU's total is the less certain.

It knows decoders with a gated feed-forward part (Llama, Qwen, Mistral, Gemma). Not in it: mixtures of experts beyond
their weights, vision towers' activations, several GPUs, and the key-value cache of the answers written during
evaluation (small beside the activations of training).

The activations follow Korthikanti et al. 2022 (arXiv:2205.05198, section 4), adapted to grouped-query attention, a
gated feed-forward part and attention that keeps no score matrix (`activations.py`); the loss follows TRL 1.16, which
never holds all the logits at once (`trl/kernels/chunked_logprob.py`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from tunesmith.core.facts import Hardware, ModelFacts
from tunesmith.core.figures import GIB, parameters
from tunesmith.core.load import Load
from tunesmith.core.plan import Select
from tunesmith.core.select.activations import layer_gradient_bytes, layer_input_bytes, loss_bytes, saved_bytes
from tunesmith.core.select.load import CodePath, adapter_parameters

NF4_BYTES = 0.5
"""A parameter packed to 4 bits."""
ABSMAX_BYTES = {False: 4 / 64, True: 1 / 64 + 4 / (64 * 256)}
"""Scale per packed parameter, by double quantization: one fp32 a block of 64, or one byte with an fp32 a 256 blocks
(Dettmers et al. 2023, arXiv:2305.14314, section 3)."""
STATE_BYTES_8BIT = 2 * (1 + 4 / 256)
"""AdamW's two states in 8 bits with an fp32 scale a block of 256 (bitsandbytes 0.50, `optim/optimizer.py`)."""
CUDA_CONTEXT = GIB // 2
"""An assumption, not measured here: 0.3 to 0.6 GiB by card and driver, with the cuBLAS workspace."""
CPU_PROCESS = 510 << 20
"""torch 2.13, transformers, peft, trl and datasets imported and a trainer made: 502 to 511 MiB measured."""
MARGIN = 0.1
"""Reserved over allocated on GPUs was 1.04 to 1.25, in the mean 1.09, in eight runs (`benchmarks/memory.py`)."""
CPU_STEP_MARGIN = 0.5
"""What glibc's allocator keeps between the blocks of a step on a CPU: a LoRA run of 2 M parameters took 439 MiB beyond
the libraries where 296 were in use (measured without and with MALLOC_MMAP_THRESHOLD_)."""
STEP = ("activations", "loss", "backward")
"""Terms that come and go with each step."""


@dataclass(frozen=True)
class Term:
    """One part of the memory: `bytes` is an estimate, `from_what` says of what it was made."""

    name: str
    bytes: int
    from_what: str


@dataclass(frozen=True)
class MemoryForecast:
    """The terms, their sum, and what the device has free (bytes)."""

    terms: tuple[Term, ...]
    total: int
    available: int
    device: Literal["cuda", "cpu"]
    fits: bool

    def of(self, name: str) -> int:
        """The bytes of the term `name`; 0 where there is none."""
        return sum(term.bytes for term in self.terms if term.name == name)

    @property
    def tight(self) -> bool:
        """Whether it fits with less than a tenth to spare."""
        return self.fits and self.total > 0.9 * self.available


def forecast(model: ModelFacts, select: Select, hardware: Hardware, longest: int) -> MemoryForecast:
    """The peak memory of training `model` as the plan's section `select` says.

    Args:
        longest: Tokens of the longest row; rows are cut at the plan's sequence length.
    """
    return forecast_load(model, load_of(select, longest), hardware)


def load_of(select: Select, longest: int) -> Load:
    """What decides the memory in the plan's section `select`."""
    knobs, lora = select.hyperparameters, select.lora
    return Load(
        method=select.method,
        precision=select.precision,
        device=select.device,
        batch_size=knobs.batch_size,
        length=min(longest, knobs.max_length),
        optimizer=knobs.optimizer,
        checkpointing=knobs.gradient_checkpointing,
        rank=lora.rank if lora else 0,
        dropout=lora.dropout if lora else 0.0,
        target_modules=lora.target_modules if lora else "all-linear",
        double_quantization=select.quantization.double if select.quantization else False,
        quantization=select.quantization.type if select.quantization else "nf4",
        peft=select.peft,
        virtual_tokens=select.virtual_tokens or 0,
    )


def forecast_load(model: ModelFacts, load: Load, hardware: Hardware, path: CodePath | None = None) -> MemoryForecast:
    """The same for a bare `Load`, and for other code than our worker's where `path` says so."""
    terms = [term for term in _terms(model, load, path or CodePath()) if term.bytes]
    stepwise = sum(term.bytes for term in terms if term.name in STEP)
    share = MARGIN if load.device == "cuda" else CPU_STEP_MARGIN
    margin = round(share * stepwise + MARGIN * (sum(term.bytes for term in terms) - stepwise))
    if load.device == "cuda":
        terms.append(Term("CUDA context", CUDA_CONTEXT, "an assumption: 0.3 to 0.6 GiB by card and driver"))
    else:
        terms.append(Term("libraries", CPU_PROCESS, "measured: torch, transformers, peft and trl imported"))
    text = f"{100 * share:.0f} % of what comes and goes with a step, {100 * MARGIN:.0f} % of the rest: gaps in memory"
    terms.append(Term("margin", margin, text))
    total = sum(term.bytes for term in terms)
    available = available_bytes(hardware, load.device)
    return MemoryForecast(tuple(terms), total, available, load.device, total <= available)


def available_bytes(hardware: Hardware, device: str) -> int:
    """What is free for a new process: on the GPU that would be used (0 without one), or in RAM."""
    if device == "cpu":
        return hardware.ram_available
    return hardware.gpu.free if hardware.gpu else 0


def _terms(model: ModelFacts, load: Load, path: CodePath) -> list[Term]:
    adapter = adapter_parameters(model, load)
    trained = model.parameters if load.method == "full" else adapter
    # PEFT holds adapters over half-precision weights in fp32 (autocast_adapter_dtype); TRL turns those over packed
    # weights to bf16, as the QLoRA paper does.
    width = 2 if load.method == "qlora" else 4
    whose = "all weights" if load.method == "full" else "the adapter's weights"
    terms = [_weights(model, load, path)]
    if load.method == "full" and load.precision != "fp32":
        text = (
            f"{parameters(model.linear_parameters)} weights once more in {load.precision}, for the products (autocast)"
        )
        terms.append(Term("working copies", 2 * model.linear_parameters, text))
    if load.method == "qlora":
        largest = max((inputs * outputs for inputs, outputs, _ in model.linear_shapes), default=0)
        terms.append(
            Term("unpacked weight", largest * load.compute_bytes, "the largest layer, unpacked for its product")
        )
    if load.method != "full":
        text = f"{parameters(adapter)} parameters of rank {load.rank} × {width} bytes"
        terms.append(Term("adapter", adapter * width, text))
    terms.append(Term("gradients", trained * width, f"{parameters(trained)} × {width} bytes, one for each of {whose}"))
    terms.append(_optimizer(trained, width, load))
    return terms + _step(model, load, path)


def _weights(model: ModelFacts, load: Load, path: CodePath) -> Term:
    """Full: fp32 masters (Micikevicius et al. 2017, arXiv:1710.03740); LoRA: frozen, in the precision computed in."""
    if load.method == "qlora":
        each = NF4_BYTES + ABSMAX_BYTES[load.double_quantization]
        rest = model.parameters - model.linear_parameters
        width = 4 if path.fp32_preparation else load.compute_bytes
        text = (
            f"{parameters(model.linear_parameters)} parameters × {each:.3f} bytes in 4 bits with their scales, "
            f"{parameters(rest)} (embeddings, norms) × {width} bytes"
        )
        return Term("weights", round(model.linear_parameters * each) + rest * width, text)
    width = 4 if load.method == "full" else load.compute_bytes
    return Term("weights", model.parameters * width, f"{parameters(model.parameters)} parameters × {width} bytes")


def _optimizer(trained: int, width: int, load: Load) -> Term:
    if load.optimizer.endswith("8bit"):
        text = f"{parameters(trained)} × 2 states of AdamW in 8 bits with their scales"
        return Term("optimizer", round(trained * STATE_BYTES_8BIT), text)
    # `adamw_torch` on a GPU takes torch's multi-tensor path, which holds one more copy during the step.
    copies = 3 if load.optimizer == "adamw_torch" and load.device == "cuda" else 2
    return Term(
        "optimizer", trained * copies * width, f"{parameters(trained)} × {copies} states of AdamW × {width} bytes"
    )


def _step(model: ModelFacts, load: Load, path: CodePath) -> list[Term]:
    """What a step holds between forward and backward, and the larger of the two peaks on top of it."""
    tokens = load.batch_size * load.length
    rows = f"{load.batch_size} rows × {load.length} tokens"
    saved = saved_bytes(model, load, path)
    backward = round(layer_gradient_bytes(model, load, path) * tokens)
    if load.checkpointing:
        kept = round(layer_input_bytes(model, load, path) * model.layers * tokens)
        activations = Term("activations", kept, f"{rows}: the input of each of {model.layers} layers (checkpointing)")
        backward += round(saved / model.layers * tokens)
        doing = "one layer recomputed, and its gradients"
    else:
        activations = Term(
            "activations", round(saved * tokens), f"{rows}: what {model.layers} layers keep for backward"
        )
        doing = "gradients of one layer's activations"
    loss = loss_bytes(model, load, path)
    if loss >= backward:
        how = "a block of logits at a time" if path.loss == "fused" else "all logits at once"
        return [activations, Term("loss", loss, f"{rows} × {model.vocabulary:,} words, {how}")]
    return [activations, Term("backward", backward, f"{rows}: {doing}")]
