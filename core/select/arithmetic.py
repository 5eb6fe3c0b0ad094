"""The memory of a training step by arithmetic over the model's shapes, term by term; nothing is run.

It knows decoders with a gated feed-forward part (Llama, Qwen, Mistral, Gemma). Not in it: mixtures of experts beyond
their weights, vision towers' activations, several GPUs. `core/worker/simulation` runs the step itself on tensors
without content and needs no such knowledge; this here answers at once, for any load.

The activations follow Korthikanti et al. 2022 (arXiv:2205.05198, section 4), adapted to grouped-query attention, a
gated feed-forward part and attention that keeps no score matrix (`activations.py`); the loss follows TRL 1.16, which
never holds all the logits at once (`trl/kernels/chunked_logprob.py`).
"""

from __future__ import annotations

from dataclasses import dataclass

from tunesmith.core.facts import ModelFacts
from tunesmith.core.figures import parameters
from tunesmith.core.load import Load
from tunesmith.core.select.activations import (
    answer_bytes,
    layer_gradient_bytes,
    layer_input_bytes,
    loss_bytes,
    saved_bytes,
)
from tunesmith.core.select.load import CodePath, adapter_parameters

NF4_BYTES = 0.5
"""A parameter packed to 4 bits."""
ABSMAX_BYTES = {False: 4 / 64, True: 1 / 64 + 4 / (64 * 256)}
"""Scale per packed parameter, by double quantization: one fp32 a block of 64, or one byte with an fp32 a 256 blocks
(Dettmers et al. 2023, arXiv:2305.14314, section 3)."""
STATE_BYTES_8BIT = 2 * (1 + 4 / 256)
"""AdamW's two states in 8 bits with an fp32 scale a block of 256 (bitsandbytes 0.50, `optim/optimizer.py`)."""
PAGED_LEAST = 1e7
"""Trained parameters from which most matrices are large enough (100,000) for bitsandbytes to page their states: an
assumption; the simulation looks at each matrix."""
STATIC = ("weights", "working copies", "adapter", "gradients", "optimizer")
"""Terms that are there whatever the rows are: where these alone are too much, it surely does not fit."""


@dataclass(frozen=True)
class Term:
    """One part of the memory: `bytes` is an estimate, `from_what` says of what it was made."""

    name: str
    bytes: int
    from_what: str


def step_terms(model: ModelFacts, load: Load, path: CodePath) -> list[Term]:
    """What a training step holds at its peak, apart from what the device and its allocator add."""
    adapter = adapter_parameters(model, load)
    trained = model.parameters if load.method == "full" else adapter
    # PEFT holds adapters over half-precision weights in fp32 (autocast_adapter_dtype); TRL turns those over packed
    # weights to bf16, as the QLoRA paper does.
    width = 2 if load.method == "qlora" else 4
    whose = "all weights" if load.method == "full" else "the adapter's weights"
    terms = [_weights(model, load, path)]
    if load.method == "qlora":
        largest = max((inputs * outputs for inputs, outputs, _ in model.linear_shapes), default=0)
        terms.append(
            Term("unpacked weight", largest * load.compute_bytes, "the largest layer, unpacked for its product")
        )
    if load.method != "full":
        text = f"{parameters(adapter)} parameters of rank {load.rank} × {width} bytes"
        terms.append(Term("adapter", adapter * width, text))
    text = f"{parameters(trained)} × {width} bytes, one for each of {whose}"
    gradients = Term("gradients", trained * width, text)
    terms.append(_optimizer(trained, width, load))
    step = _full_step(model, load, path, gradients) if load.method == "full" else [gradients, *_step(model, load, path)]
    return [term for term in terms + step if term.bytes]


def _full_step(model: ModelFacts, load: Load, path: CodePath, gradients: Term) -> list[Term]:
    """The higher of two moments: activations are let go of while gradients come, so they are never all there at once.

    After the forward pass, with what the layers keep and the copies of weights that autocast made; and at the end of
    the backward pass, with all gradients and one layer's work.
    """
    first = _step(model, load, path)
    copies = _working_copies(model, load)
    tokens = load.tokens
    layer = layer_gradient_bytes(model, load, path) + saved_bytes(model, load, path) / model.layers
    text = f"{load.batch_size} rows × {load.length} tokens: one layer's activations and their gradients"
    last = [gradients, Term("backward", round(layer * tokens), text)]
    return max([copies, *first], last, key=lambda terms: sum(term.bytes for term in terms))


def _working_copies(model: ModelFacts, load: Load) -> Term:
    """Weights once more in 16 bits for the products: autocast's, kept for the backward pass where nothing is redone."""
    if load.precision == "fp32":
        return Term("working copies", 0, "none in fp32")
    count = model.linear_parameters // (model.layers if load.checkpointing else 1)
    which = "one layer's weights" if load.checkpointing else f"{parameters(count)} weights"
    return Term("working copies", 2 * count, f"{which} once more in {load.precision}, for the products (autocast)")


def _weights(model: ModelFacts, load: Load, path: CodePath) -> Term:
    """Full: fp32 masters (Micikevicius et al. 2017, arXiv:1710.03740); LoRA: frozen, in the precision computed in."""
    if load.method == "qlora":
        if load.quantization == "int8":
            scales = 4 * sum(outputs * count for _, outputs, count in model.linear_shapes)
            each, bits = 1 + scales / max(1, model.linear_parameters), 8
        else:
            each, bits = NF4_BYTES + ABSMAX_BYTES[load.double_quantization], 4
        rest = model.parameters - model.linear_parameters
        width = 4 if path.fp32_preparation else load.compute_bytes
        text = (
            f"{parameters(model.linear_parameters)} parameters × {each:.3f} bytes in {bits} bits with their "
            f"scales, "
            f"{parameters(rest)} (embeddings, norms) × {width} bytes"
        )
        return Term("weights", round(model.linear_parameters * each) + rest * width, text)
    width = 4 if load.method == "full" else load.compute_bytes
    return Term("weights", model.parameters * width, f"{parameters(model.parameters)} parameters × {width} bytes")


def _optimizer(trained: int, width: int, load: Load) -> Term:
    if load.optimizer.startswith("paged") and trained >= PAGED_LEAST:
        text = "scales of AdamW's states in 8 bits; the states are paged, and lie in the machine's memory where need be"
        return Term("optimizer", round(trained * (STATE_BYTES_8BIT - 2)), text)
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


def answering(model: ModelFacts, load: Load, path: CodePath) -> Term | None:
    """What is there while answers are written during evaluation; None where none are."""
    if not load.answer_rows:
        return None
    kept = sum(
        term.bytes
        for term in step_terms(model, load, path)
        if term.name in ("weights", "adapter", "optimizer", "unpacked weight")
    )
    text = f"{load.answer_rows} rows × {load.length} + {load.answer_tokens} tokens: weights, and keys and values"
    return Term("evaluation", kept + answer_bytes(model, load), text)
