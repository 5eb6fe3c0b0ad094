"""Lays the estimated training time beside times that others measured on one card: `python benchmarks/outlook.py`.

The estimate is given the conditions only. `within` says whether the measured time lies in the estimated range; the
ratio is measured over the middle of the range (the geometric mean of its ends).

The ranges that the estimate is made of (share of the rate, time to start kernels, time around a step) were widened
with these points in view, so they are no blind test, but for PowerLM-3b, which was laid beside it afterwards: they show
how wide the range must be, and where it still fails.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from memory import QWEN_05, QWEN_15, decoder

from tunesmith.core.facts import ModelFacts
from tunesmith.core.load import Load
from tunesmith.core.models import describe
from tunesmith.core.practice import MODEL_DIR
from tunesmith.core.select.cards import card
from tunesmith.core.select.speed import micro_batch_seconds

ATTENTION = ("q_proj", "k_proj", "v_proj", "o_proj")
MISTRAL = decoder("Mistral-7B", "mistral", (4096, 32, 32, 8, 14336, 32000), tied=False)[0]
QWEN_3 = decoder("Qwen2.5-3B", "qwen2", (2048, 36, 16, 2, 11008, 151936), tied=True)[0]
QWEN_7 = decoder("Qwen2.5-7B", "qwen2", (3584, 28, 28, 4, 18944, 152064), tied=False)[0]
LLAMA_3 = decoder("Llama-3.2-3B", "llama", (3072, 28, 24, 8, 8192, 128256), tied=True)[0]

POWER_3 = decoder("PowerLM-3b", "llama", (2304, 40, 36, 36, 9216, 49152), tied=True)[0]

SMOL = decoder("SmolLM2-135M", "llama", (576, 30, 9, 3, 1536, 49152), tied=True)[0]
PRACTICE = describe(MODEL_DIR, "practice", "practice")

OWN = "an H100 80GB HBM3, this project's own probe (core/worker/probe.py), 27 November 2026: two steps after the first"
FMS = "foundation-model-stack/fms-acceleration, scripts/benchmarks/refs/a100_80gb.csv and a100_80gb_granite.csv"
PEFT = "huggingface/peft, method_comparison/MetaMathQA/results/lora--llama-3.2-3B-rank32.json (19 June 2025)"
FIT = "DaoyuanLi2816/can-i-finetune-this, benchmarks/results (2 and 3 steps: the first, slow one is in the mean)"


@dataclass(frozen=True)
class Point:
    """A training that somebody measured: seconds for one micro-batch of full rows."""

    source: str
    card: str
    model: ModelFacts
    load: Load
    seconds: float


def fms(method: str, batch: int, tokens_a_second: float, model: ModelFacts = MISTRAL) -> Point:
    """On one A100 80 GB, 4096 tokens, checkpointing, FlashAttention 2, r 16 on q, k, v, o."""
    targets, rank = (ATTENTION, 16) if method != "full" else ("all-linear", 0)
    load = Load(method, "bf16", "cuda", batch, 4096, checkpointing=True, rank=rank, target_modules=targets)  # type: ignore[arg-type]
    return Point(FMS, "a100-80gb", model, load, batch * 4096 / tokens_a_second)


def fit(
    model: ModelFacts, method: str, length: int, seconds: float, *, batch: int = 1, checkpointing: bool = True
) -> Point:
    """On an RTX 4080, r 16 on q, k, v, o, every row full."""
    load = Load(
        method,  # type: ignore[arg-type]
        "bf16",
        "cuda",
        batch,
        length,
        optimizer="paged_adamw_8bit",
        checkpointing=checkpointing,
        rank=16,
        target_modules=ATTENTION,
    )
    return Point(FIT, "rtx4080", model, load, seconds)


def own(model: ModelFacts, method: str, batch: int, length: int, seconds: float) -> Point:
    """On an H100, r 16 on all linear layers."""
    load = Load(method, "bf16", "cuda", batch, length, rank=16, dropout=0.05)  # type: ignore[arg-type]
    return Point(OWN, "h100-80gb", model, load, seconds)


POINTS = (
    fms("full", 4, 3062.694),
    fms("full", 8, 3143.118),
    fms("lora", 4, 3324.155),
    fms("lora", 8, 3353.809),
    fms("qlora", 4, 2903.78),
    fms("qlora", 8, 2987.456),
    fms("full", 4, 5099.488, POWER_3),
    fms("full", 8, 5224.047, POWER_3),
    fms("lora", 4, 5033.196, POWER_3),
    fms("lora", 8, 5105.963, POWER_3),
    fms("qlora", 4, 4198.034, POWER_3),
    fms("qlora", 8, 4317.198, POWER_3),
    # 5,000 steps of 4 rows, 4,198,051 tokens in all (210 a row), 619 s of training without the evaluations between;
    # rows of like length stand in a batch, so little is padded.
    Point(
        PEFT,
        "l40s",
        LLAMA_3,
        Load("lora", "bf16", "cuda", 4, 210, rank=32, target_modules=("q_proj", "v_proj")),
        619.5 / 5000,
    ),
    fit(QWEN_05[0], "lora", 1024, 0.2722),
    fit(QWEN_05[0], "qlora", 1024, 0.3069),
    fit(QWEN_05[0], "qlora", 2048, 0.5944),
    fit(QWEN_15[0], "qlora", 512, 0.3419),
    fit(QWEN_15[0], "qlora", 1024, 0.4125),
    fit(QWEN_15[0], "qlora", 1024, 0.341, checkpointing=False),
    fit(QWEN_15[0], "qlora", 1024, 0.7695, batch=2),
    fit(QWEN_15[0], "qlora", 2048, 0.8801),
    fit(QWEN_15[0], "qlora", 4096, 2.4646),
    fit(QWEN_3, "qlora", 1024, 0.7859),
    fit(QWEN_7, "qlora", 1024, 1.1095),
    own(SMOL, "lora", 4, 512, 0.1986),
    own(QWEN_05[0], "lora", 4, 512, 0.1922),
    own(PRACTICE, "lora", 16, 120, 0.0800),
    own(PRACTICE, "qlora", 16, 120, 0.11),
)


def ratio(point: Point) -> tuple[tuple[float, float], float]:
    """(estimated range, measured over its middle)."""
    found = micro_batch_seconds(point.model, point.load, card(point.card)[1])
    assert found is not None
    return found, point.seconds / math.sqrt(found[0] * found[1])


def main() -> None:
    """Print a line a point, and how many lie within."""
    head = f"{'card':<12}{'model':<14}{'method':<7}{'batch':>6}{'length':>8}{'estimated, s':>20}{'measured':>10}"
    print(f"{head}{'ratio':>7}")
    inside = 0
    for point in POINTS:
        (low, high), over = ratio(point)
        within = low <= point.seconds <= high
        inside += within
        load = point.load
        print(
            f"{point.card:<12}{point.model.name:<14}{load.method:<7}{load.batch_size:>6}{load.length:>8}"
            f"{low:>11.3f} to {high:>5.3f}{point.seconds:>10.3f}{over:>7.2f}  {'within' if within else 'OUTSIDE'}"
        )
    print(f"{inside} of {len(POINTS)} within")
    for source in dict.fromkeys(point.source for point in POINTS):
        print(f"  {source}")


if __name__ == "__main__":
    main()
