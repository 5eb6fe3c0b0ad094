"""The time of a step is reckoned from the card's rate, its bandwidth and the kernels to start."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from tunesmith.core.load import Load
from tunesmith.core.select.cards import card
from tunesmith.core.select.load import adapter_parameters
from tunesmith.core.select.speed import (
    AROUND,
    LAUNCH,
    UNPACK_BYTES,
    UTILISATION,
    micro_batch_seconds,
    operations_a_token,
    product_parameters,
)

from ..facts_kit import SEVEN_B, SMALL

LORA = Load("lora", "bf16", "cuda", 8, 2048, rank=16)


def test_operations_are_counted_by_hand() -> None:
    products = SEVEN_B.linear_parameters + 32000 * 4096
    assert product_parameters(SEVEN_B) == products
    attention = 4 * 32 * 4096 * 2048
    full = replace(LORA, method="full", rank=0)
    assert operations_a_token(SEVEN_B, full, 2048) == 6 * products + 3 * attention
    adapter = adapter_parameters(SEVEN_B, LORA)
    assert operations_a_token(SEVEN_B, LORA, 2048) == 4 * products + 6 * adapter + 3 * attention
    again = operations_a_token(SEVEN_B, replace(LORA, checkpointing=True), 2048)
    assert again == 6 * products + 8 * adapter + 4 * attention


def test_long_rows_are_bound_by_the_products() -> None:
    _, a100 = card("a100")
    found = micro_batch_seconds(SEVEN_B, LORA, a100)
    work = operations_a_token(SEVEN_B, LORA, 2048) * 8 * 2048 / 312e12
    assert found == pytest.approx((work / UTILISATION[1], work / UTILISATION[0]))


def test_a_small_model_is_bound_by_its_kernels() -> None:
    found = micro_batch_seconds(SMALL, replace(LORA, length=64), card("h100")[1])
    assert found == pytest.approx((AROUND[0] + 2 * 2 * LAUNCH[0], AROUND[1] + 2 * 2 * LAUNCH[1]))


def test_one_short_row_is_bound_by_reading_the_weights() -> None:
    found = micro_batch_seconds(SEVEN_B, replace(LORA, batch_size=1, length=8), card("l4")[1])
    assert found is not None
    assert found[0] == pytest.approx(2 * product_parameters(SEVEN_B) * 2 / 300e9)


def test_packed_weights_are_unpacked_in_every_pass() -> None:
    _, a100 = card("a100")
    packed, plain = (micro_batch_seconds(SEVEN_B, replace(LORA, method=one), a100) for one in ("qlora", "lora"))  # type: ignore[arg-type]
    assert packed and plain
    more = UNPACK_BYTES * SEVEN_B.linear_parameters * 2 / 2039e9
    assert packed[0] - plain[0] == pytest.approx(more)


def test_a_precision_without_a_rate_has_no_time() -> None:
    assert micro_batch_seconds(SEVEN_B, LORA, card("t4")[1]) is None
    assert micro_batch_seconds(SEVEN_B, replace(LORA, precision="fp16"), card("t4")[1]) is not None


def test_the_range_holds_what_others_measured_but_for_one_run_of_half_a_billion() -> None:
    sys.path.insert(0, str(Path(__file__).parents[3] / "benchmarks"))
    try:
        from outlook import POINTS, ratio
    finally:
        sys.path.pop(0)
    outside = [point for point in POINTS if not ratio(point)[0][0] <= point.seconds <= ratio(point)[0][1]]
    assert len(POINTS) == 28
    assert [(point.card, point.model.name, point.load.length) for point in outside] == [
        ("rtx4080", "Qwen2.5-0.5B", 2048)
    ]
