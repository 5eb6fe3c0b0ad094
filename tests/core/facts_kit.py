"""A small model, machines and data stated as facts, for tests of what is recommended from them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from tunesmith.core.draft import Draft
from tunesmith.core.facts import Column, Cpu, DataProfile, Facts, Gpu, Hardware, Lengths, ModelFacts, TokenProfile

GIB = 1 << 30
SMALL = ModelFacts(
    source="practice",
    path="/models/small",
    name="practice model",
    architecture="LlamaForCausalLM",
    parameters=2_200_000,
    weight_bytes=4_400_000,
    dtype="float16",
    hidden_size=64,
    layers=2,
    heads=4,
    kv_heads=2,
    head_size=32,
    intermediate_size=128,
    vocabulary=256,
    max_positions=512,
    tied_embeddings=True,
    has_chat_template=True,
    linear_parameters=98304,
    linear_shapes=((64, 64, 4), (64, 128, 6), (128, 64, 4)),
)
SEVEN_B = ModelFacts(
    source="org/seven",
    path="/models/seven",
    name="org/seven",
    architecture="MistralForCausalLM",
    parameters=7_241_732_096,
    weight_bytes=14_483_464_192,
    dtype="bfloat16",
    hidden_size=4096,
    layers=32,
    heads=32,
    kv_heads=8,
    head_size=128,
    intermediate_size=14336,
    vocabulary=32000,
    max_positions=32768,
    tied_embeddings=False,
    has_chat_template=True,
    linear_parameters=6_979_321_856,
    linear_shapes=((4096, 4096, 64), (4096, 1024, 64), (4096, 14336, 64), (14336, 4096, 32)),
)
CARDS = {
    "RTX 4090": Gpu(0, "NVIDIA GeForce RTX 4090", 24 * GIB, 23 * GIB, (8, 9), "GPU-1"),
    "A100": Gpu(0, "NVIDIA A100-SXM4-80GB", 80 * GIB, 79 * GIB, (8, 0), "GPU-2"),
    "H200": Gpu(0, "NVIDIA H200", 141 * GIB, 140 * GIB, (9, 0), "GPU-3"),
    "T4": Gpu(0, "Tesla T4", 15 * GIB, 15 * GIB - (1 << 28), (7, 5), "GPU-4"),
}


def machine(card: str = "", ram: float = 22.0, disk: float = 70.0) -> Hardware:
    return Hardware(
        cpu=Cpu("AMD EPYC", 2, bf16=True),
        ram_total=round((ram + 2) * GIB),
        ram_available=round(ram * GIB),
        disk_free=round(disk * GIB),
        gpus=(CARDS[card],) if card else (),
        driver="580.95.05" if card else "",
    )


def lengths(longest: int, p99: int | None = None) -> Lengths:
    p99 = p99 or longest
    return Lengths(p50=p99 // 2, p95=p99 - 1, p99=p99, longest=longest, mean=p99 / 2)


def tokens(rows: int = 1050, longest: int = 100, p99: int | None = None, answer: int = 10) -> TokenProfile:
    return TokenProfile(rows, lengths(longest, p99), lengths(longest - answer), lengths(answer), 0.1)


def facts(model: ModelFacts = SMALL, card: str = "", ram: float = 22.0, **data: Any) -> Facts:
    """The practice table on a machine without a GPU; `data` changes the profile."""
    profile = DataProfile(
        source="practice",
        fingerprint="sha256:0",
        format="csv",
        rows=350,
        columns=(Column("name", "text", 350, 348),),
        shape="table",
        shape_because="each row is a record",
        roles={"entity": "name"},
    )
    return Facts(machine(card, ram), msgspec.structs.replace(profile, **data), model)


def recommended(of: Callable[[Draft, Facts], None], about: Facts, **wishes: Any) -> Draft:
    """A draft in which one stage filled its section; the split keeps 5 % and 15 % as Prepare would."""
    draft = Draft({path.replace("__", "."): value for path, value in wishes.items()})
    draft.choose("prepare.split.validation", 0.05, "")
    draft.choose("prepare.split.test", 0.15, "")
    draft.choose("prepare.shape", about.data.shape, "")
    draft.choose("prepare.columns", about.data.roles, "")
    of(draft, about)
    return draft
