"""What Select recommends for a machine, a model and data; each value comes with a reason."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from tunesmith.core.draft import Draft
from tunesmith.core.facts import Facts, ModelFacts
from tunesmith.core.plan import Select
from tunesmith.core.select.recommend import recommend_select

from ..facts_kit import SEVEN_B, SMALL, facts, recommended, tokens

KNOBS = "select.hyperparameters."


def draft_of(about: Facts, **wishes: Any) -> Draft:
    return recommended(recommend_select, about, **wishes)


def knob(draft: Draft, name: str) -> Any:
    return draft.values[KNOBS + name]


def test_the_practice_project_gets_the_recipe_that_was_measured() -> None:
    draft = draft_of(facts(tokens=tokens(rows=1050, longest=100)))
    value = draft.values
    assert (value["select.model"], value["select.method"]) == ("practice", "lora")
    assert (value["select.device"], value["select.precision"]) == ("cpu", "fp32")
    assert (value["select.lora.rank"], value["select.lora.alpha"], value["select.lora.dropout"]) == (16, 32, 0.05)
    assert value["select.lora.target_modules"] == "all-linear"
    assert knob(draft, "learning_rate") == 2e-3
    assert knob(draft, "epochs") == 2.0  # 840 rows at 16 a step: 106 steps
    assert (knob(draft, "batch_size"), knob(draft, "accumulation")) == (16, 1)
    assert knob(draft, "max_length") == 104
    assert knob(draft, "warmup") == 0.05
    assert (knob(draft, "schedule"), knob(draft, "seed"), knob(draft, "max_grad_norm")) == ("cosine", 42, 1.0)
    assert (knob(draft, "weight_decay"), knob(draft, "optimizer")) == (0.0, "adamw_torch_fused")
    assert knob(draft, "gradient_checkpointing") is False


@pytest.mark.parametrize("method", ["full", "lora", "qlora"])
@pytest.mark.parametrize("card", ["", "T4", "RTX 4090", "H200"])
@pytest.mark.parametrize("model", [SMALL, SEVEN_B])
@pytest.mark.parametrize("counted", [True, False])
def test_whatever_is_recommended_is_a_valid_section_with_a_reason_for_each_value(
    method: str, card: str, model: ModelFacts, counted: bool
) -> None:
    about = facts(model, card, tokens=tokens() if counted else None)
    draft = draft_of(about, select__method=method)
    Select.model_validate(draft.tree()["select"])
    for path, reason in draft.reasons.items():
        if path.startswith("select."):
            assert len(reason.because) > 10, path
            assert all(len(other.because) > 5 for other in reason.instead_of), path


def test_full_takes_a_small_rate_and_no_adapter() -> None:
    draft = draft_of(facts(tokens=tokens()), select__method="full")
    assert (knob(draft, "learning_rate"), knob(draft, "weight_decay")) == (1e-3, 0.01)
    assert not [path for path in draft.values if path.startswith(("select.lora", "select.quantization"))]


def test_a_large_model_takes_the_papers_rates_and_few_epochs() -> None:
    draft = draft_of(facts(SEVEN_B, "A100", tokens=tokens(rows=8000)))
    assert (knob(draft, "learning_rate"), knob(draft, "epochs")) == (2e-4, 2.0)
    assert knob(draft_of(facts(SEVEN_B, "A100"), select__method="full"), "learning_rate") == 2e-5
    huge = msgspec.structs.replace(SEVEN_B, parameters=70_000_000_000)
    assert knob(draft_of(facts(huge, "A100")), "learning_rate") == 1e-4


def test_precision_follows_the_card() -> None:
    assert draft_of(facts(SEVEN_B, "A100")).values["select.precision"] == "bf16"
    old = draft_of(facts(SMALL, "T4"))
    assert old.values["select.precision"] == "fp16"
    assert "does not compute bf16 in hardware" in old.reasons["select.precision"].because


def test_a_gpu_that_can_not_be_used_is_the_reason_for_the_processor() -> None:
    about = facts(tokens=tokens())
    broken = msgspec.structs.replace(about.hardware, gpu_problem="The driver is not loaded: run `modprobe`.")
    draft = draft_of(msgspec.structs.replace(about, hardware=broken))
    assert draft.reasons["select.device"].because == "the driver is not loaded: run `modprobe`"


def test_the_longest_row_decides_the_length_where_it_fits_so_that_nothing_is_cut() -> None:
    draft = draft_of(facts(tokens=tokens(longest=300, p99=100)))
    assert knob(draft, "max_length") == 304
    assert "nothing is cut" in draft.reasons[KNOBS + "max_length"].because


def test_one_odd_row_that_would_not_fit_is_cut_at_the_99th_percentile() -> None:
    about = facts(SEVEN_B, "RTX 4090", tokens=tokens(longest=30_000, p99=900))
    draft = draft_of(about)
    assert knob(draft, "max_length") == 904
    assert "at most 11 are cut at the end, the longest has 30000" in draft.reasons[KNOBS + "max_length"].because


def test_no_row_is_longer_than_the_model_reads() -> None:
    draft = draft_of(facts(tokens=tokens(longest=2000)))
    assert knob(draft, "max_length") == 512
    because = draft.reasons[KNOBS + "max_length"].because
    assert because == "the model reads no more than 512 tokens; more than 1 % of 1050 rows are cut at the end"


def test_until_the_rows_are_counted_the_length_is_a_guess_that_says_so() -> None:
    draft = draft_of(facts(SEVEN_B, "A100"))
    assert knob(draft, "max_length") == 512
    assert "until the rows are counted" in draft.reasons[KNOBS + "max_length"].because


def test_micro_batches_shrink_to_what_fits_and_accumulation_makes_up_for_it() -> None:
    draft = draft_of(facts(SEVEN_B, "RTX 4090", tokens=tokens(longest=1000)))
    batch, accumulation = knob(draft, "batch_size"), knob(draft, "accumulation")
    assert batch < 16
    assert batch * accumulation == 16
    assert "largest power of two that fits" in draft.reasons[KNOBS + "batch_size"].because


def test_checkpointing_comes_only_where_nothing_fits_without() -> None:
    short = draft_of(facts(SEVEN_B, "RTX 4090", tokens=tokens(longest=256)))
    long = draft_of(facts(SEVEN_B, "RTX 4090", tokens=tokens(longest=4000)))
    assert knob(short, "gradient_checkpointing") is False
    assert knob(long, "gradient_checkpointing") is True
    assert "not even one row at a time fits" in long.reasons[KNOBS + "gradient_checkpointing"].because


def test_qlora_where_memory_is_short_takes_the_paged_optimizer() -> None:
    tight = draft_of(facts(SEVEN_B, "T4", tokens=tokens(longest=1500)))
    assert tight.values["select.method"] == "qlora"
    assert (tight.values["select.quantization.type"], tight.values["select.quantization.double"]) == ("nf4", True)
    assert knob(tight, "optimizer") == "paged_adamw_8bit"
    roomy = draft_of(facts(SMALL, "H200", tokens=tokens()), select__method="qlora")
    assert knob(roomy, "optimizer") == "adamw_torch_fused"


def test_what_does_not_fit_is_said_so_beside_the_batch() -> None:
    draft = draft_of(facts(SEVEN_B, ram=2, tokens=tokens()))
    assert "it is not expected to fit" in draft.reasons[KNOBS + "batch_size"].because


@pytest.mark.parametrize(("rows", "epochs"), [(1050, 2), (1800, 1), (125, 7), (30, 15)])
def test_a_tiny_model_is_given_enough_steps(rows: int, epochs: int) -> None:
    draft = draft_of(facts(tokens=tokens(rows=rows)))
    assert knob(draft, "epochs") == epochs


def test_few_rows_take_smaller_steps_and_a_narrower_adapter() -> None:
    draft = draft_of(facts(tokens=tokens(rows=60)))
    assert draft.values["select.lora.rank"] == 8
    assert knob(draft, "batch_size") * knob(draft, "accumulation") == 4


def test_a_wish_moves_what_depends_on_it() -> None:
    assert draft_of(facts(tokens=tokens()), select__lora__rank=64).values["select.lora.alpha"] == 128
    about = facts(tokens=tokens())
    smaller = Draft({KNOBS + "batch_size": 4})
    recommend_select(smaller, about)
    assert smaller.values[KNOBS + "accumulation"] == 4
    split = Draft({KNOBS + "accumulation": 8})
    recommend_select(split, about)
    assert split.values[KNOBS + "batch_size"] == 2


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("batch_size", "many"),
        ("accumulation", None),
        ("max_length", -4),
        ("epochs", [1]),
        ("gradient_checkpointing", "perhaps"),
    ],
)
def test_a_wish_of_the_wrong_kind_is_kept_for_the_schema_to_refuse(path: str, value: Any) -> None:
    draft = Draft({KNOBS + path: value, "select.lora.rank": "wide", "select.method": "magic", "select.device": 7})
    recommend_select(draft, facts(tokens=tokens()))
    assert draft.values[KNOBS + path] == value
    assert draft.values["select.method"] == "magic"
