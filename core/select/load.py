"""Which code trains, and what an adapter amounts to: what the arithmetic of the memory forecast begins from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from tunesmith.core.adapters import P_TUNING_WIDTH, adalora_first_rank
from tunesmith.core.facts import ModelFacts
from tunesmith.core.load import Load
from tunesmith.core.plan import RANKED


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
    """Parameters that the adapter trains; exact for decoders of the Llama kind, checked against PEFT 0.21.

    With r the rank and, for each layer adapted, i inputs and o outputs; d the width of the model, k that of the keys,
    f that of the feed-forward part, n layers, v virtual tokens:

        lora, rslora, pissa   r (i + o)            Hu et al. 2021, arXiv:2106.09685
        dora                  r (i + o) + o        and a length for each output; Liu et al. 2024, arXiv:2402.09353
        adalora               r' (i + o + 1)       r' = 1.5 r at first; Zhang et al. 2023, arXiv:2303.10512
        vera                  r + o                two vectors; Kopiczko et al. 2023, arXiv:2310.11454
        ia3                   n (2 k + f)          three vectors a layer; Liu et al. 2022, arXiv:2205.05638
        ln-tuning             (2 n + 1) d          one vector a norm; Zhao et al. 2023, arXiv:2312.11420
        prefix                v n 2 k              a key and a value a layer; Li and Liang 2021, arXiv:2101.00190
        prompt                v d                  Lester et al. 2021, arXiv:2104.08691
        p-tuning              v d + the network    d → 128 → 128 → d with biases; Liu et al. 2021, arXiv:2103.10385
    """
    if load.method == "full":
        return 0
    if load.peft in RANKED:
        return sum(_ranked(load, inputs, outputs) * count for inputs, outputs, count in adapted_shapes(model, load))
    hidden, keys, tokens = model.hidden_size, model.kv_heads * model.head_size, load.virtual_tokens
    if load.peft == "ia3":
        return model.layers * (2 * keys + model.intermediate_size)
    if load.peft == "ln-tuning":
        # Gemma 2 and 3 have a norm after each part as well.
        norms = 4 if model.architecture.startswith(("Gemma2", "Gemma3")) else 2
        return (norms * model.layers + 1) * hidden
    if load.peft == "prefix":
        return tokens * model.layers * 2 * keys
    if load.peft == "prompt":
        return tokens * hidden
    width = P_TUNING_WIDTH
    return tokens * hidden + (hidden + 1) * width + (width + 1) * width + (width + 1) * hidden


def _ranked(load: Load, inputs: int, outputs: int) -> int:
    """Parameters of one layer's adapter of a rank."""
    if load.peft == "vera":
        return load.rank + outputs
    if load.peft == "adalora":
        return adalora_first_rank(load.rank) * (inputs + outputs + 1)
    return load.rank * (inputs + outputs) + (outputs if load.peft == "dora" else 0)
