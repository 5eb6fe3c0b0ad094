"""Which code trains, and what an adapter amounts to: what the arithmetic of the memory forecast begins from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from tunesmith.core.facts import ModelFacts
from tunesmith.core.load import Load


@dataclass(frozen=True)
class CodePath:
    """How the training code works where memory depends on it; the defaults are what Tunesmith's own worker does."""

    loss: Literal["fused", "plain", "shifted"] = "fused"
    """`fused`: TRL 1.16 goes through the vocabulary in blocks; `plain`: all logits are held; `shifted`: they are copied
    once more to lay them beside the next tokens, as transformers did before 4.45."""
    fp32_preparation: bool = False
    """Whether PEFT's prepare_model_for_kbit_training turned norms, embeddings and head to fp32 (QLoRA)."""
    autocast: bool = True
    """Whether a precision of 16 bits comes by autocast, as with the trainer's `bf16` and `fp16`."""
    half_adapters: bool = True
    """Whether adapters over packed weights are turned to bf16, as TRL does; else they stay in fp32."""
    half_masters: bool = False
    """Whether full fine-tuning trains 16-bit weights themselves, without fp32 masters."""
    keeps_outputs: bool = False
    """Whether the caller holds the model's outputs, and with them the logits, until the backward pass is over."""
    padded: bool | None = None
    """Whether rows of a batch differ in length, so that attention gets a mask; None: where there are several."""
    clips: bool = True
    """Whether the norm of the gradients is clipped."""


def adapted_shapes(model: ModelFacts, load: Load) -> Iterator[tuple[int, int, int]]:
    """(inputs, outputs, how many) of the linear layers that get an adapter.

    `all-linear` is exact, from the weight files; names of modules are worked out from the config by the names that
    Llama, Qwen and Mistral give them, and a name that is not one of those counts for nothing.
    """
    if load.method == "full":
        return
    if isinstance(load.target_modules, str):
        yield from model.linear_shapes
        return
    query, key = model.heads * model.head_size, model.kv_heads * model.head_size
    known = {
        "q_proj": (model.hidden_size, query),
        "k_proj": (model.hidden_size, key),
        "v_proj": (model.hidden_size, key),
        "o_proj": (query, model.hidden_size),
        "gate_proj": (model.hidden_size, model.intermediate_size),
        "up_proj": (model.hidden_size, model.intermediate_size),
        "down_proj": (model.intermediate_size, model.hidden_size),
    }
    for name in load.target_modules:
        if name in known:
            yield (*known[name], model.layers)


def adapter_parameters(model: ModelFacts, load: Load) -> int:
    """Parameters of the adapter: r × (inputs + outputs) for each layer adapted (Hu et al. 2021, arXiv:2106.09685)."""
    return sum(load.rank * (inputs + outputs) * count for inputs, outputs, count in adapted_shapes(model, load))
