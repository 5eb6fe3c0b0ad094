"""What decides the memory of a training run, apart from the model: method, precision, device, rows, adapter."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from tunesmith.core.facts import ModelFacts


@dataclass(frozen=True)
class Load:
    """One way of training. Plain, so that a recommendation can try many in a millisecond."""

    method: Literal["full", "lora", "qlora"]
    precision: Literal["bf16", "fp16", "fp32"]
    device: Literal["cuda", "cpu"]
    batch_size: int
    length: int
    """Tokens a row, the longest."""
    optimizer: str = "adamw_torch_fused"
    checkpointing: bool = False
    rank: int = 0
    dropout: float = 0.0
    target_modules: str | Sequence[str] = "all-linear"
    double_quantization: bool = True

    @property
    def compute_bytes(self) -> int:
        """Bytes of a number in the precision of the products."""
        return 4 if self.precision == "fp32" else 2


@dataclass(frozen=True)
class CodePath:
    """How the training code works where memory depends on it; the defaults are what Tunesmith's own worker does."""

    loss: Literal["fused", "plain"] = "fused"
    """`fused`: TRL 1.16 goes through the vocabulary in blocks; `plain`: all logits are held, as before it."""
    fp32_preparation: bool = False
    """Whether PEFT's prepare_model_for_kbit_training turned norms, embeddings and head to fp32 (QLoRA)."""


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
