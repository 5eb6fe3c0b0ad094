"""The ways of training that are measured on a GPU, and the file in which what was measured is kept."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec

from tunesmith.core.load import Load

MEASURED = Path(__file__).parent / "measured"
"""One file a machine."""


class Case(msgspec.Struct, frozen=True):
    """One way of training one model."""

    model: str
    load: Load
    plain: bool = False
    """Whether all logits are held (transformers' Trainer) instead of TRL's blocks."""
    timed: bool = False
    """Whether its steps are timed as well, with nothing else on the card."""


class Peak(msgspec.Struct, frozen=True):
    """What one case took; bytes."""

    case: Case
    allocated: int
    """At most in a step: `torch.cuda.max_memory_allocated`."""
    reserved: int
    """`torch.cuda.max_memory_reserved`."""
    answering: int = 0
    """Allocated at most while answers were written; without the optimizer's states. 0 where none were."""
    seconds: float = 0.0
    """A step's, where the case is timed."""


class Measurements(msgspec.Struct, frozen=True):
    """All that was measured on one machine."""

    card: str
    total: int
    """Bytes of the card."""
    driver: str
    versions: dict[str, str]
    date: str
    context: int
    """Bytes that the driver took of the card beside what torch had reserved, with one process on it."""
    models: dict[str, dict[str, Any]]
    """Name → the values of its config.json."""
    peaks: list[Peak]
    failed: dict[str, str] = {}
    """A case in words → why there is no figure."""


def llama(hidden: int, layers: int, heads: int, kv_heads: int, wide: int, words: int) -> dict[str, Any]:
    """A Llama's config."""
    return {
        "model_type": "llama",
        "architectures": ["LlamaForCausalLM"],
        "hidden_size": hidden,
        "num_hidden_layers": layers,
        "num_attention_heads": heads,
        "num_key_value_heads": kv_heads,
        "intermediate_size": wide,
        "vocab_size": words,
        "max_position_embeddings": 8192,
        "tie_word_embeddings": True,
    }


MODELS = {
    "0.1 B": llama(576, 30, 9, 3, 1536, 49152),
    "0.5 B": {**llama(896, 24, 14, 2, 4864, 151936), "model_type": "qwen2", "architectures": ["Qwen2ForCausalLM"]},
    "0.6 B": {
        **llama(1024, 28, 16, 8, 3072, 151936),
        "model_type": "qwen3",
        "architectures": ["Qwen3ForCausalLM"],
        "head_dim": 128,
    },
    "1.0 B": {
        **llama(1152, 26, 4, 1, 6912, 262144),
        "model_type": "gemma3_text",
        "architectures": ["Gemma3ForCausalLM"],
        "head_dim": 256,
        "sliding_window": 512,
        "query_pre_attn_scalar": 256,
    },
    "1.2 B": llama(2048, 16, 32, 8, 8192, 128256),
    "3.2 B": llama(3072, 28, 24, 8, 8192, 128256),
    "8.0 B": {**llama(4096, 32, 32, 8, 14336, 128256), "tie_word_embeddings": False},
}
"""The shapes of SmolLM2 135M, Qwen2.5 0.5B, Qwen3 0.6B, Gemma 3 1B, Llama 3.2 1B and 3B, Llama 3.1 8B."""


def cases() -> Iterator[Case]:
    """Sizes, methods, with and without checkpointing, both losses, several lengths, kinds of adapters, packing."""
    full = Load("full", "bf16", "cuda", 4, 512)
    lora = Load("lora", "bf16", "cuda", 4, 512, rank=16, dropout=0.05)
    qlora = replace(lora, method="qlora")
    answers = {"answer_rows": 32, "answer_tokens": 64}
    few = {"answer_rows": 8, "answer_tokens": 64}
    yield Case("8.0 B", replace(qlora, batch_size=1, length=2048, checkpointing=True, **few), timed=True)
    yield Case("8.0 B", replace(lora, batch_size=2, length=1024, checkpointing=True), timed=True)
    yield Case("3.2 B", replace(qlora, batch_size=2, length=2048, checkpointing=True))
    yield Case("3.2 B", replace(lora, batch_size=1, length=4096, checkpointing=True), timed=True)
    yield Case("3.2 B", replace(lora, batch_size=2))
    for load in (full, lora, qlora):
        yield Case("0.1 B", replace(load, **answers), timed=load is lora)
        yield Case("0.1 B", replace(load, checkpointing=True, length=2048))
    yield Case("1.2 B", replace(full, batch_size=1, checkpointing=True, optimizer="adamw_8bit"))
    yield Case("0.1 B", replace(full, optimizer="adamw_torch"))
    yield Case("0.1 B", replace(lora, precision="fp32"))
    yield Case("0.5 B", lora, timed=True)
    yield Case("0.5 B", lora, plain=True)
    yield Case("0.5 B", replace(lora, packing=True))
    yield Case("0.5 B", replace(lora, batch_size=1, length=1024))
    yield Case("1.2 B", replace(full, batch_size=2, length=1024, checkpointing=True), timed=True)
    yield Case("0.5 B", replace(qlora, optimizer="paged_adamw_8bit", batch_size=1, length=2048, checkpointing=True))
    yield Case("0.5 B", replace(full, batch_size=2, checkpointing=True))
    yield Case("0.5 B", replace(full, batch_size=2), plain=True)
    yield Case("0.5 B", replace(lora, peft="dora"))
    yield Case("0.5 B", replace(lora, peft="ia3", rank=0, dropout=0.0))
    yield Case("0.5 B", replace(lora, peft="prefix", rank=0, dropout=0.0, virtual_tokens=20))
    yield Case("0.5 B", replace(lora, target_modules=("q_proj", "v_proj")))
    yield Case("0.6 B", replace(lora, checkpointing=True, length=1024, **answers))
    yield Case("0.6 B", qlora)
    yield Case("1.0 B", lora)
    yield Case("1.0 B", replace(qlora, checkpointing=True, length=1024, **answers))
    yield Case("1.2 B", replace(lora, length=1024, checkpointing=True), timed=True)
    yield Case("1.2 B", replace(qlora, length=1024))
    yield Case("1.2 B", replace(qlora, length=1024, quantization="fp4", double_quantization=False))
    yield Case("1.2 B", replace(qlora, length=1024, quantization="int8", dropout=0.0))


def told(case: Case) -> str:
    """The case in a line of a table."""
    load = case.load
    how = {"int8": f"{load.method} int8", "fp4": f"{load.method} fp4"}.get(load.quantization, load.method)
    how = how if load.peft == "lora" else load.peft
    rows = f"{load.batch_size} x {load.length}"
    more = ["plain" if case.plain else "blocks"]
    more += ["packed"] if load.packing else []
    more += [load.precision] if load.precision != "bf16" else []
    more += [load.optimizer] if load.optimizer != "adamw_torch_fused" else []
    more += ["q,v"] if load.target_modules == ("q_proj", "v_proj") else []
    ckpt = "yes" if load.checkpointing else "no"
    return f"{case.model:7}{how:11}{rows:>9}{ckpt:>5}  {', '.join(more):25}"
