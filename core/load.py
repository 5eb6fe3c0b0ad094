"""What decides the memory of a training run, apart from the model: method, precision, device, rows, adapter.

Select forecasts from it, the simulation and the probe say with it what they are for.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from tunesmith.core.plan import Peft


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
    target_modules: str | tuple[str, ...] = "all-linear"
    double_quantization: bool = True
    quantization: Literal["nf4", "fp4", "int8"] = "nf4"
    """Number format of the packed weights; only looked at for qlora."""
    peft: Peft = "lora"
    """Kind of adapter; not looked at for full."""
    virtual_tokens: int = 0
    """For prefix, prompt and p-tuning."""
    packing: bool = False
    """Whether rows are put together into sequences of the full length; a batch is then one long row."""
    answer_rows: int = 0
    """Prompts answered at once during evaluation; 0 where nothing is answered."""
    answer_tokens: int = 0
    """Tokens of the longest answer."""

    def __post_init__(self) -> None:
        """Names of modules may come as a list; as a tuple a load can be a key."""
        if not isinstance(self.target_modules, str):
            object.__setattr__(self, "target_modules", tuple(self.target_modules))

    @property
    def compute_bytes(self) -> int:
        """Bytes of a number in the precision of the products."""
        return 4 if self.precision == "fp32" else 2

    @property
    def tokens(self) -> int:
        """Tokens computed at once in training."""
        return self.batch_size * self.length

    @property
    def training(self) -> Load:
        """The same without the answers of evaluation."""
        return replace(self, answer_rows=0, answer_tokens=0)

    def alike(self, other: Load) -> bool:
        """Whether both run through the same code, so that what one was off by tells of the other."""
        return self._code() == other._code()

    def _code(self) -> tuple[object, ...]:
        packed = (self.quantization, self.double_quantization) if self.method == "qlora" else ()
        kind = self.peft if self.method != "full" else ""
        return (self.method, self.precision, self.device, self.checkpointing, self.packing, kind, packed)
