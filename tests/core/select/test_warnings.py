"""Absurd values that the schema allows get a sentence; sensible ones get none."""

from __future__ import annotations

from typing import Any

import pytest

from tunesmith.core.facts import Facts
from tunesmith.core.recommend import resolve
from tunesmith.core.select.warnings import warnings

from ..facts_kit import SEVEN_B, SMALL, facts, tokens

AT = "select.hyperparameters."


def told(about: Facts, **wishes: Any) -> dict[str, str]:
    plan = resolve({path.replace("__", "."): value for path, value in wishes.items()}, about).plan
    return {one.path: one.text for one in warnings(plan, about)}


@pytest.mark.parametrize("rows", [60, 1050, 8000])
@pytest.mark.parametrize("method", ["full", "lora", "qlora"])
def test_what_is_recommended_is_never_warned_of(rows: int, method: str) -> None:
    for about in (facts(tokens=tokens(rows=rows)), facts(SEVEN_B, "A100", tokens=tokens(rows=rows))):
        assert told(about, select__method=method) == {}


@pytest.mark.parametrize("peft", ["lora", "dora", "rslora", "pissa", "vera", "ln-tuning"])
def test_no_kind_is_warned_of_with_its_own_recommendations(peft: str) -> None:
    assert told(facts(SEVEN_B, "A100", tokens=tokens(rows=8000)), select__peft=peft) == {}


def test_a_learning_rate_of_nothing_and_one_that_flies_apart() -> None:
    about = facts(SEVEN_B, "A100", tokens=tokens(rows=1050))
    path = AT + "learning_rate"
    low = told(about, select__hyperparameters__learning_rate=1e-12)[path]
    assert low == (
        "1e-12 is so small that the model will hardly change: for LoRA on a model of this size 0.0001 to 0.0002 is "
        "usual."
    )
    assert "so large that the training may fly apart" in told(about, select__hyperparameters__learning_rate=0.5)[path]
    assert path not in told(about, select__hyperparameters__learning_rate=1e-4)


def test_what_is_usual_depends_on_what_is_trained() -> None:
    about = facts(SEVEN_B, "A100", tokens=tokens(rows=1050))
    wish = {"select__hyperparameters__learning_rate": 5e-3}
    assert "for LoRA" in told(about, **wish)[AT + "learning_rate"]
    assert AT + "learning_rate" not in told(about, select__peft="ia3", **wish)
    assert "for full fine-tuning" in told(about, select__method="full", **wish)[AT + "learning_rate"]


def test_a_high_rate_with_one_row_a_step() -> None:
    wishes = {"batch_size": 1, "accumulation": 1, "learning_rate": 4e-4}
    found = told(
        facts(SEVEN_B, "A100", tokens=tokens()), **{f"select__hyperparameters__{k}": v for k, v in wishes.items()}
    )
    assert "with one row a step: each step follows single rows far" in found[AT + "learning_rate"]


def test_a_rank_above_the_width_of_a_layer_and_one_that_makes_the_adapter_the_larger_part() -> None:
    wide = told(facts(tokens=tokens()), select__lora__rank=1024)
    assert wide["select.lora.rank"] == (
        "Rank 1024 is more than the narrowest layer's width of 64: beyond that nothing is gained."
    )
    large = told(facts(SEVEN_B, "A100", tokens=tokens()), select__lora__rank=1000)
    assert "the adapter has 2.6 B parameters, the model 7.2 B" in large["select.lora.rank"]


def test_an_alpha_that_has_nothing_to_do_with_the_rank() -> None:
    found = told(facts(tokens=tokens()), select__lora__rank=8, select__lora__alpha=4096)
    assert found["select.lora.alpha"] == (
        "Alpha 4096 at rank 8 multiplies the adapter's output by 512; 1 to 2 is usual."
    )


def test_a_hundred_passes_over_fifty_rows() -> None:
    about = facts(SEVEN_B, "A100", tokens=tokens(rows=62))
    found = told(about, select__hyperparameters__epochs=100.0)
    assert found[AT + "epochs"] == (
        "100 passes over 43 rows: in the end the model knows them by heart, and no others; early stopping would end it "
        "in time."
    )


def test_a_single_step() -> None:
    wishes = {"select__hyperparameters__epochs": 1.0, "select__hyperparameters__batch_size": 1024}
    found = told(facts(tokens=tokens(rows=200)), **wishes)
    assert found[AT + "batch_size"] == "A step takes 1,024 rows, and there are 140: each pass is a single step."
    assert found[AT + "epochs"].startswith("Only 1 step in all")


def test_rows_that_lose_their_answer() -> None:
    found = told(facts(tokens=tokens(longest=400)), select__hyperparameters__max_length=16)
    assert found[AT + "max_length"] == "Half of the rows have more than 16 tokens and lose their end, the answer first."


@pytest.mark.parametrize("peft", ["ia3", "prefix", "prompt", "p-tuning"])
def test_who_takes_a_small_adapter_is_told_that_it_saves_little_memory(peft: str) -> None:
    found = told(facts(SEVEN_B, "A100", tokens=tokens()), select__peft=peft)
    assert "save little memory" in found["select.peft"]
    assert "LoRA took 13.4 GiB, IA3 13.8" in found["select.peft"]


def test_virtual_tokens_for_which_the_model_has_no_room() -> None:
    found = told(facts(tokens=tokens(longest=500)), select__peft="prompt", select__virtual_tokens=100)
    assert found["select.virtual_tokens"] == (
        "100 virtual tokens and rows of 504 are more than the 512 that the model reads."
    )


def test_adalora_in_a_few_steps() -> None:
    found = told(facts(SEVEN_B, "A100", tokens=tokens(rows=120)), select__peft="adalora")
    assert "shares out its ranks over the steps" in found["select.peft"]


def test_early_stopping_that_can_not_come_early() -> None:
    found = told(facts(SMALL, tokens=tokens()), select__hyperparameters__early_stopping=5)
    assert "it can't end anything early" in found[AT + "early_stopping"]


def test_other_extremes_have_their_sentence_too() -> None:
    wishes = {"warmup": 0.9, "weight_decay": 0.9, "max_grad_norm": 1e-6, "packing": True, "max_length": 512}
    found = told(facts(tokens=tokens(rows=30)), **{f"select__hyperparameters__{k}": v for k, v in wishes.items()})
    for name in ("warmup", "weight_decay", "max_grad_norm", "packing"):
        assert AT + name in found, name
    assert "leaves out most" in told(facts(tokens=tokens()), select__lora__dropout=0.9)["select.lora.dropout"]
