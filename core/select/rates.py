"""Learning rates by method, kind of adapter and size of the model, each with the source it is from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from tunesmith.core.adapters import COMPARISON
from tunesmith.core.plan import Method, Peft

TINY = 50_000_000
"""Models of fewer parameters learn at other rates than large ones: measured on the practice model."""
LARGE = 13_500_000_000
"""From here on the papers halve LoRA's rate."""

Trained = Peft | Literal["full"]


@dataclass(frozen=True)
class Rate:
    """A learning rate, the range within which people move it, and where it is from."""

    value: float
    low: float
    high: float
    source: str


QLORA = "Dettmers et al. 2023, arXiv:2305.14314"
TINY_SOURCE = "short trials on the practice model (benchmarks/adapters.py), half and twice as much around them"
TINY_RATES: dict[Trained, Rate] = {
    "full": Rate(
        1e-3, 5e-4, 2e-3, "a model this small needs large steps: 90 at 5e-4 reached 62 % exact match and at 1e-3 100 %"
    ),
    "lora": Rate(
        2e-3,
        1e-3,
        4e-3,
        "a model this small needs large steps: measured on the practice model, 90 LoRA steps at 1e-3 reached 34 % "
        "exact match and at 2e-3 100 %",
    ),
    "dora": Rate(2e-3, 1e-3, 4e-3, TINY_SOURCE),
    "rslora": Rate(1e-3, 5e-4, 2e-3, TINY_SOURCE),
    "pissa": Rate(1e-3, 5e-4, 2e-3, TINY_SOURCE),
    "adalora": Rate(5e-3, 3e-3, 1e-2, TINY_SOURCE),
    "vera": Rate(2e-2, 1e-2, 4e-2, TINY_SOURCE),
    "ia3": Rate(3e-2, 1e-2, 6e-2, TINY_SOURCE),
    "ln-tuning": Rate(3e-2, 1e-2, 6e-2, TINY_SOURCE),
    "prefix": Rate(3e-2, 1e-2, 6e-2, TINY_SOURCE),
    "prompt": Rate(1e-1, 5e-2, 2e-1, TINY_SOURCE),
    "p-tuning": Rate(1e-2, 5e-3, 2e-2, TINY_SOURCE),
}
USUAL_RATES: dict[Trained, Rate] = {
    "full": Rate(2e-5, 1e-5, 5e-5, "Touvron et al. 2023 (Llama 2), arXiv:2307.09288"),
    "lora": Rate(2e-4, 1e-4, 2e-4, f"{QLORA}, for 7 and 13 B"),
    "dora": Rate(1e-4, 5e-5, 2e-4, f"{COMPARISON}: 46.9 % right at rank 32"),
    "rslora": Rate(1e-4, 5e-5, 2e-4, f"{COMPARISON}: 51.3 % right at rank 64"),
    "pissa": Rate(1e-4, 2e-5, 2e-4, "Meng et al. 2024, arXiv:2404.02948 took 2e-5 for large batches; LoRA's lower end"),
    "adalora": Rate(5e-4, 5e-4, 2e-3, "Zhang et al. 2023, arXiv:2303.10512, appendix; 1e-4 learnt little elsewhere"),
    "vera": Rate(1e-3, 1e-3, 1e-2, COMPARISON),
    "ia3": Rate(3e-3, 1e-3, 1e-2, "Liu et al. 2022, arXiv:2205.05638"),
    "ln-tuning": Rate(1e-3, 1e-4, 1e-2, "an assumption: as other scales near one; no measurement of a large model"),
    "prefix": Rate(5e-3, 1e-3, 1e-2, COMPARISON),
    "prompt": Rate(1e-2, 1e-3, 3e-1, f"between 1e-3 ({COMPARISON}) and 0.3 (Lester et al. 2021, with Adafactor)"),
    "p-tuning": Rate(1e-3, 1e-4, 1e-2, f"above 1e-4, with which it came to 35.0 % and LoRA to 47.8 % ({COMPARISON})"),
}


def learning_rate(method: Method, peft: Peft, parameters: int) -> Rate:
    """The rate for a model of so many parameters."""
    trained: Trained = "full" if method == "full" else peft
    if parameters < TINY:
        return TINY_RATES[trained]
    if trained == "lora" and parameters >= LARGE:
        return Rate(1e-4, 5e-5, 2e-4, f"{QLORA}, for 33 and 65 B")
    return USUAL_RATES[trained]
