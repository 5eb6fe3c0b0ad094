"""The method follows from memory; the reasons of those that lost are sentences with figures."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tunesmith.core.facts import ModelFacts
from tunesmith.core.load import Load
from tunesmith.core.select.method import Choice, choose_method

from ..facts_kit import SEVEN_B, SMALL, machine

GPU = Load("lora", "bf16", "cuda", 1, 512, rank=16, dropout=0.05)
CPU = replace(GPU, device="cpu", precision="fp32")


def why_not(choice: Choice, value: str) -> str:
    return next(other.because for other in choice.instead_of if other.value == value)


def test_lora_wins_on_the_practice_model_though_everything_fits() -> None:
    choice = choose_method(SMALL, machine(), CPU)
    assert choice.method == "lora"
    assert "moves only 1.8 % of the weights" in choice.because
    assert "arXiv:2405.09673" in why_not(choice, "full")
    assert why_not(choice, "qlora") == "saves no memory to speak of here, and is slower"


def test_full_that_does_not_fit_says_what_it_needs_and_what_there_is() -> None:
    choice = choose_method(SEVEN_B, machine("RTX 4090"), GPU)
    assert choice.method == "lora"
    assert why_not(choice, "full").startswith("needs 1")
    assert why_not(choice, "full").endswith("GiB even one row at a time, the card has 23.0 GiB free")
    assert "would save" in why_not(choice, "qlora")


def test_qlora_wins_only_where_lora_does_not_fit() -> None:
    choice = choose_method(SEVEN_B, machine("T4"), replace(GPU, precision="fp16"))
    assert choice.method == "qlora"
    assert "packing the frozen weights to 4 bits makes it fit" in choice.because
    assert "the card has 14.8 GiB free" in why_not(choice, "lora")


def test_where_nothing_fits_the_nearest_is_proposed_and_said_so() -> None:
    choice = choose_method(SEVEN_B, machine(ram=2), CPU)
    assert choice.method == "qlora"
    assert "nothing fits here" in choice.because
    assert "the memory has 2.0 GiB free; take a smaller model" in choice.because


def test_a_plan_for_a_gpu_elsewhere_is_not_judged_by_a_card_that_is_not_here() -> None:
    choice = choose_method(SEVEN_B, machine(), GPU)
    assert choice.method == "lora"
    assert "no GPU is here to be measured" in choice.because


@pytest.mark.parametrize("model", [SMALL, SEVEN_B])
def test_a_large_card_takes_any_of_them_with_lora_first(model: ModelFacts) -> None:
    assert choose_method(model, machine("H200"), GPU).method == "lora"
