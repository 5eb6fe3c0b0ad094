"""Lays the memory forecast beside peaks measured by others on real cards: `python benchmarks/memory.py`.

The forecast is given the conditions only; but that plain logits take 16 bytes a token and word was read off points A,
so those are no blind test, while B and F are. TRL of the time prepared 4-bit models in fp32 (A and F). `allocated` is
what torch's allocator handed out, so it is compared with the forecast without CUDA context and margin; `reserved` is
what it took from the driver, compared with the margin but without the context.
"""

from __future__ import annotations

from dataclasses import dataclass

from tunesmith.core.facts import Cpu, Hardware, ModelFacts
from tunesmith.core.figures import GIB
from tunesmith.core.load import Load
from tunesmith.core.select.load import CodePath
from tunesmith.core.select.memory import MARGIN, forecast_load

NOWHERE = Hardware(Cpu("none", 1), 0, 0, 0)
ATTENTION = ("q_proj", "k_proj", "v_proj", "o_proj")


def decoder(name: str, numbers: tuple[int, int, int, int, int, int], *, tied: bool, bias: bool) -> ModelFacts:
    """A Llama-like model by its config: width, layers, heads, key-value heads, feed-forward width, vocabulary."""
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
    rest += layers * (hidden + 2 * key) if bias else 0
    return ModelFacts(
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


QWEN_05 = decoder("Qwen2.5-0.5B", (896, 24, 14, 2, 4864, 151936), tied=True, bias=True)
QWEN_15 = decoder("Qwen2.5-1.5B", (1536, 28, 12, 2, 8960, 151936), tied=True, bias=True)
QWEN_3 = decoder("Qwen2.5-3B", (2048, 36, 16, 2, 11008, 151936), tied=True, bias=True)
LLAMA_3 = decoder("Llama-3.2-3B", (3072, 28, 24, 8, 8192, 128256), tied=True, bias=False)
MISTRAL = decoder("Mistral-7B", (4096, 32, 32, 8, 14336, 32000), tied=False, bias=False)


@dataclass(frozen=True)
class Point:
    """One measured run; GiB."""

    section: str
    model: ModelFacts
    load: Load
    path: CodePath
    allocated: float | None
    reserved: float


def qwen(model: ModelFacts, method: str, rows: tuple[int, int], allocated: float, reserved: float) -> Point:
    load = Load(
        method=method,  # type: ignore[arg-type]
        precision="bf16",
        device="cuda",
        batch_size=rows[0],
        length=rows[1],
        optimizer="paged_adamw_8bit",
        checkpointing=True,
        rank=16,
        dropout=0.05,
        target_modules=ATTENTION,
    )
    return Point("A", model, load, CodePath("plain", fp32_preparation=method == "qlora"), allocated, reserved)


L40S = Load("lora", "bf16", "cuda", 4, 768, "adamw_torch", rank=64, target_modules=("q_proj", "v_proj"))
A100 = Load("lora", "fp16", "cuda", 8, 4096, "adamw_torch", True, rank=16, target_modules=ATTENTION)
A100_Q = Load("qlora", "fp16", "cuda", 8, 4096, "adamw_torch", True, rank=16, target_modules=ATTENTION)

POINTS = (
    qwen(QWEN_05, "qlora", (1, 1024), 3.12, 3.30),
    qwen(QWEN_05, "qlora", (1, 2048), 5.52, 6.28),
    qwen(QWEN_05, "lora", (1, 1024), 3.03, 3.79),
    qwen(QWEN_15, "qlora", (1, 512), 2.79, 2.91),
    qwen(QWEN_15, "qlora", (1, 1024), 4.04, 4.36),
    qwen(QWEN_15, "qlora", (1, 2048), 6.53, 7.10),
    qwen(QWEN_15, "qlora", (2, 1024), 6.53, 6.88),
    qwen(QWEN_3, "qlora", (1, 1024), 5.17, 5.54),
    Point("B", LLAMA_3, L40S, CodePath("plain"), None, 21.00),
    Point("F", MISTRAL, A100, CodePath("plain"), None, 43195 / 1024),
    Point("F", MISTRAL, A100_Q, CodePath("plain", fp32_preparation=True), None, 47145 / 1024),
)
SOURCES = """\
A  RTX 4080: DaoyuanLi2816/can-i-finetune-this, benchmarks/results/*.json (plain loss, PEFT's k-bit preparation)
B  L40S, longest batch: huggingface/peft, method_comparison/MetaMathQA/results (LoRA r 64 on q and v)
F  A100, reserved only: foundation-model-stack/fms-acceleration, scripts/benchmarks/refs/a100_80gb.csv"""


def main() -> None:
    print(f"{'':3}{'model':14}{'method':7}{'rows':>10}{'forecast':>10}{'measured':>10}{'ratio':>7}   GiB")
    for point in POINTS:
        told = forecast_load(point.model, point.load, NOWHERE, point.path)
        plain = sum(term.bytes for term in told.terms if term.name not in ("CUDA context", "margin"))
        rows = f"{point.load.batch_size} x {point.load.length}"
        for kind, measured, said in (
            ("allocated", point.allocated, plain / GIB),
            ("reserved", point.reserved, plain * (1 + MARGIN) / GIB),
        ):
            if measured is not None:
                print(
                    f"{point.section:3}{point.model.name:14}{point.load.method:7}{rows:>10}"
                    f"{said:>10.2f}{measured:>10.2f}{said / measured:>7.2f}   {kind}"
                )
    print(SOURCES)


if __name__ == "__main__":
    main()
