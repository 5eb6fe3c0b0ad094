"""The parameters of each kind of adapter against arithmetic done by hand for the small model of the tests."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tunesmith.core.load import Load
from tunesmith.core.plan import Peft
from tunesmith.core.select.load import adapter_parameters

from ..facts_kit import SMALL

# The small model: d 64, 2 layers, keys 2 × 32 = 64, f 128; layers (64, 64) × 4, (64, 128) × 6, (128, 64) × 4.
LOAD = Load("lora", "fp32", "cpu", 4, 50, rank=8, virtual_tokens=10)
LORA = 8 * (4 * 128 + 6 * 192 + 4 * 192)  # 19,456
OUTPUTS = 4 * 64 + 6 * 128 + 4 * 64  # 1,280


@pytest.mark.parametrize(
    ("peft", "expected"),
    [
        ("lora", LORA),
        ("rslora", LORA),
        ("pissa", LORA),
        ("dora", LORA + OUTPUTS),
        ("adalora", 12 * (4 * 129 + 6 * 193 + 4 * 193)),
        ("vera", 14 * 8 + OUTPUTS),
        ("ia3", 2 * (64 + 64 + 128)),
        ("ln-tuning", 5 * 64),
        ("prefix", 10 * 2 * 2 * 64),
        ("prompt", 10 * 64),
        ("p-tuning", 10 * 64 + (64 * 128 + 128) + (128 * 128 + 128) + (128 * 64 + 64)),
    ],
)
def test_each_kind_by_hand(peft: Peft, expected: int) -> None:
    assert adapter_parameters(SMALL, replace(LOAD, peft=peft)) == expected


def test_full_fine_tuning_has_no_adapter() -> None:
    assert adapter_parameters(SMALL, replace(LOAD, method="full")) == 0


def test_only_the_layers_named_count() -> None:
    attention = replace(LOAD, target_modules=["q_proj", "v_proj"])
    assert adapter_parameters(SMALL, attention) == 2 * 8 * ((64 + 128) + (64 + 64))
    assert adapter_parameters(SMALL, replace(attention, peft="ia3")) == 512  # IA3 has layers of its own
