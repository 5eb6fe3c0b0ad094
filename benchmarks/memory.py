"""Lays the memory forecast beside peaks measured by others on real cards: `python benchmarks/memory.py [simulated]`.

Two forecasts: the simulated step, and the arithmetic. Both are given the conditions only. `allocated` is the peak of
what torch's allocator handed out, `reserved` the peak of what it took from the driver; where only one was published,
only that is compared. The measured runs are of other versions of these libraries; whose code ran is said by a
`CodePath`, from reading the scripts that measured.

What was looked at while this was built: the arithmetic's plain loss (16 bytes a token and word) was read off points A.
In the simulation no figure was set by any point: it was run on A, F and B in this order when it first ran at all, and
stands as it was. The conditions of F (fp32 preparation for QLoRA, 16-bit masters for full) are from its scripts. Its
two LoRA runs took 4 and 6 % more than simulated, by 72 KB a token: as much as if the logits had been held in bf16
until the backward pass was over; why they should have been is not known, so the simulation does not hold them.

Not used: C (Qwen's README), whose lengths from 4,096 to 8,192 add less than their logits alone would take, so rows were
not that long; F's Mixtral, whose experts transformers has since put into tensors that bitsandbytes does not pack.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from peft import AdaLoraConfig, OFTConfig, PeftConfig, PromptEncoderConfig

from tunesmith.core.facts import Cpu, Gpu, Hardware, ModelFacts
from tunesmith.core.figures import GIB
from tunesmith.core.load import Load
from tunesmith.core.select.load import CodePath
from tunesmith.core.select.memory import forecast_from, forecast_load
from tunesmith.core.worker.simulation.simulate import simulate

AMPERE = Hardware(Cpu("none", 1), 0, 0, 0, (Gpu(0, "a card of that time", 0, 0, (8, 9)),))
ATTENTION = ("q_proj", "k_proj", "v_proj", "o_proj")
FEED = ("gate_proj", "up_proj", "down_proj")


def decoder(
    name: str, kind: str, numbers: tuple[int, int, int, int, int, int], *, tied: bool
) -> tuple[ModelFacts, dict[str, Any]]:
    """A decoder as facts and as config: width, layers, heads, key-value heads, feed-forward width, vocabulary."""
    hidden, layers, heads, kv_heads, wide, words = numbers
    size = hidden // heads
    key = kv_heads * size
    shapes = (
        (hidden, hidden, 2 * layers),
        (hidden, key, 2 * layers),
        (hidden, wide, 2 * layers),
        (wide, hidden, layers),
    )
    linear = sum(inputs * outputs * count for inputs, outputs, count in shapes)
    rest = words * hidden * (1 if tied else 2) + (2 * layers + 1) * hidden
    rest += layers * (hidden + 2 * key) if kind == "qwen2" else 0
    facts = ModelFacts(
        source=name,
        path="",
        name=name,
        architecture="",
        parameters=linear + rest,
        weight_bytes=2 * (linear + rest),
        dtype="bfloat16",
        hidden_size=hidden,
        layers=layers,
        heads=heads,
        kv_heads=kv_heads,
        head_size=size,
        intermediate_size=wide,
        vocabulary=words,
        max_positions=32768,
        tied_embeddings=tied,
        has_chat_template=True,
        linear_parameters=linear,
        linear_shapes=shapes,
    )
    config = {
        "model_type": kind,
        "hidden_size": hidden,
        "num_hidden_layers": layers,
        "num_attention_heads": heads,
        "num_key_value_heads": kv_heads,
        "head_dim": size,
        "intermediate_size": wide,
        "vocab_size": words,
        "max_position_embeddings": 32768,
        "tie_word_embeddings": tied,
    }
    return facts, config | ({"sliding_window": None} if kind == "mistral" else {})


QWEN_05 = decoder("Qwen2.5-0.5B", "qwen2", (896, 24, 14, 2, 4864, 151936), tied=True)
QWEN_15 = decoder("Qwen2.5-1.5B", "qwen2", (1536, 28, 12, 2, 8960, 151936), tied=True)
QWEN_3 = decoder("Qwen2.5-3B", "qwen2", (2048, 36, 16, 2, 11008, 151936), tied=True)
QWEN_7 = decoder("Qwen2.5-7B", "qwen2", (3584, 28, 28, 4, 18944, 152064), tied=False)
LLAMA_3 = decoder("Llama-3.2-3B", "llama", (3072, 28, 24, 8, 8192, 128256), tied=True)
MISTRAL = decoder("Mistral-7B", "mistral", (4096, 32, 32, 8, 14336, 32000), tied=False)


@dataclass(frozen=True)
class Point:
    """One measured run; GiB."""

    section: str
    what: str
    model: tuple[ModelFacts, dict[str, Any]]
    load: Load
    path: CodePath
    allocated: float | None
    reserved: float | None
    adapter: Callable[[], PeftConfig] | None = None
    """Where the adapter is of a kind, or has settings, that a load can't say."""
    context: bool = False
    """Whether `reserved` was read from the driver, with CUDA's context."""


def qwen(
    model: tuple[ModelFacts, dict[str, Any]],
    method: str,
    rows: tuple[int, int],
    figures: tuple[float, float],
    checkpointing: bool = True,
) -> Point:
    load = Load(
        method=method,  # type: ignore[arg-type]
        precision="bf16",
        device="cuda",
        batch_size=rows[0],
        length=rows[1],
        optimizer="paged_adamw_8bit",
        checkpointing=checkpointing,
        rank=16,
        target_modules=ATTENTION,
    )
    # A loop of its own without autocast, that holds the outputs; the rows are all of one length.
    path = CodePath(
        "plain",
        fp32_preparation=method == "qlora",
        autocast=False,
        half_adapters=False,
        keeps_outputs=True,
        padded=False,
        clips=False,
    )
    what = method if checkpointing else f"{method}, no ckpt"
    return Point("A", what, model, load, path, *figures)


LLAMA_LOAD = Load("lora", "bf16", "cuda", 4, 768, "adamw_torch", target_modules=("q_proj", "v_proj"))
LLAMA_PATH = CodePath("plain", autocast=False, keeps_outputs=True, padded=True)


def llama(what: str, most: float, adapter: Callable[[], PeftConfig] | None = None, **changes: Any) -> Point:
    path = replace(LLAMA_PATH, half_masters=changes.get("method") == "full")
    return Point("B", what, LLAMA_3, replace(LLAMA_LOAD, **changes), path, None, most, adapter)


def adalora() -> PeftConfig:
    return AdaLoraConfig(init_r=64, target_r=32, total_step=5000, tinit=200, tfinal=500, task_type="CAUSAL_LM")


def p_tuning() -> PeftConfig:
    return PromptEncoderConfig(num_virtual_tokens=20, encoder_hidden_size=3072, task_type="CAUSAL_LM")


def oft() -> PeftConfig:
    return OFTConfig(r=32, oft_block_size=0, target_modules=["q_proj", "v_proj"], task_type="CAUSAL_LM")


def mistral(method: str, batch: int, allocated: int, reserved: int) -> Point:
    rank = 0 if method == "full" else 16
    load = Load(
        method,  # type: ignore[arg-type]
        "bf16",
        "cuda",
        batch,
        4096,
        "adamw_torch",
        checkpointing=True,
        rank=rank,
        dropout=0.1 if rank else 0.0,
        target_modules=ATTENTION,
    )
    packed = method == "qlora"
    path = CodePath(
        "shifted",
        fp32_preparation=packed,
        autocast=packed,
        half_adapters=False,
        half_masters=method == "full",
        padded=False,
    )
    return Point("F", method, MISTRAL, load, path, allocated / GIB, reserved / 1024, context=True)


POINTS = (
    qwen(QWEN_05, "qlora", (1, 1024), (3.1158, 3.3027)),
    qwen(QWEN_05, "qlora", (1, 2048), (5.5220, 6.2812)),
    qwen(QWEN_05, "lora", (1, 1024), (3.0324, 3.7949)),
    qwen(QWEN_15, "qlora", (1, 512), (2.7943, 2.9062)),
    qwen(QWEN_15, "qlora", (1, 1024), (4.0413, 4.3574)),
    qwen(QWEN_15, "qlora", (1, 2048), (6.5324, 7.0977)),
    qwen(QWEN_15, "qlora", (1, 4096), (11.5068, 13.5566)),
    qwen(QWEN_15, "qlora", (2, 1024), (6.5311, 6.8809)),
    qwen(QWEN_15, "qlora", (1, 1024), (9.3413, 9.5527), checkpointing=False),
    qwen(QWEN_3, "qlora", (1, 1024), (5.1719, 5.5371)),
    qwen(QWEN_7, "qlora", (1, 1024), (10.0023, 11.2324)),
    llama("LoRA r64", 21.00, rank=64),
    llama("LoRA r32", 22292725760 / GIB, rank=32),
    llama("LoRA r10 MLP", 23.00, rank=10, target_modules=FEED),
    llama("DoRA r32", 24532484096 / GIB, rank=32, peft="dora"),
    llama("AdaLoRA r32", 21.22, adalora, rank=32, peft="adalora"),
    llama("VeRA r256", 20.14, rank=256, peft="vera"),
    llama("IA3", 21.64, peft="ia3"),
    llama("LN tuning", 19.73, peft="ln-tuning"),
    llama("OFT", 20.80, oft),
    llama("prefix 200", 20.45, peft="prefix", virtual_tokens=200),
    llama("prompt 200", 22.72, peft="prompt", virtual_tokens=200),
    llama("p-tuning 20", 19.48, p_tuning, peft="p-tuning", virtual_tokens=20),
    llama("full", 38868615168 / GIB, method="full"),
    mistral("lora", 4, 26704571904, 29576),
    mistral("lora", 8, 38742912512, 43232),
    mistral("qlora", 4, 20669338112, 26056),
    mistral("qlora", 8, 37002646016, 46050),
    mistral("full", 4, 72434837504, 77256),
    mistral("full", 8, 72435230720, 72988),
)
SOURCES = """\
A  RTX 4080 16 GB, torch 2.6, transformers 5.8: DaoyuanLi2816/can-i-finetune-this, benchmarks/results/*.json
B  L40S 48 GB, torch 2.13, transformers 5.13, the highest of 5,000 steps with rows of up to 768 tokens, reserved less
   what was there before: huggingface/peft, method_comparison/MetaMathQA/results
F  A100 80 GB, 2024, reserved as the driver shows it, with CUDA's context: foundation-model-stack/fms-acceleration,
   scripts/benchmarks/refs/a100_80gb.csv"""


def compared(point: Point) -> list[tuple[str, float, float, float | None]]:
    """(allocated or reserved, measured, simulated, by arithmetic) in GiB; arithmetic knows no 16-bit masters."""
    facts, config = point.model
    told = forecast_from(simulate(config, point.load, point.path, point.adapter and point.adapter()), AMPERE)
    plain = None if point.path.half_masters else forecast_load(facts, point.load, AMPERE, point.path)
    wanted = []
    if point.allocated is not None:
        wanted.append(("allocated", point.allocated, "allocated"))
    if point.reserved is not None and point.context:
        wanted.append(("driver", point.reserved, "total"))
    elif point.reserved is not None:
        wanted.append(("reserved", point.reserved, "reserved"))
        if point.allocated is None:
            wanted.append(("reserved, as allocated", point.reserved, "allocated"))
    return [
        (kind, measured, getattr(told, name) / GIB, getattr(plain, name) / GIB if plain else None)
        for kind, measured, name in wanted
    ]


def main() -> None:
    print(
        f"{'':3}{'model':14}{'what':16}{'rows':>9}{'measured':>10}{'simulated':>11}{'':6}{'arithmetic':>11}{'':6}   GiB"
    )
    ratios: dict[str, list[tuple[float, float]]] = {}
    for point in POINTS:
        rows = f"{point.load.batch_size} x {point.load.length}"
        for kind, measured, simulated, plain in compared(point):
            there = f"{plain:>11.2f}{plain / measured:>6.2f}" if plain else f"{'-':>11}{'':6}"
            pair = (simulated / measured, plain / measured if plain else None)
            ratios.setdefault(f"{point.section} {kind}", []).append(pair)
            print(
                f"{point.section:3}{point.model[0].name:14}{point.what:16}{rows:>9}{measured:>10.2f}"
                f"{simulated:>11.2f}{simulated / measured:>6.2f}{there}   {kind}",
                flush=True,
            )
    print("\nforecast over measured, from and to")
    for kind, pairs in ratios.items():
        ours, theirs = [pair[0] for pair in pairs], [pair[1] for pair in pairs if pair[1]]
        below = sum(ratio < 0.95 for ratio in ours)
        print(
            f"  {kind:26}{len(pairs):3} points   simulated {min(ours):.3f} to {max(ours):.3f}, {below} more than 5 % "
            f"below;   arithmetic {min(theirs):.2f} to {max(theirs):.2f}"
        )
    print(SOURCES)


if __name__ == "__main__":
    sys.exit(main())
