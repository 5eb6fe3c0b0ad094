"""The kind of adapter, its size and its rate follow from goal, data and model; the losers lose with figures."""

from __future__ import annotations

from typing import Any, get_args

import msgspec
import pytest

from tunesmith.core.adapters import KINDS
from tunesmith.core.draft import Draft
from tunesmith.core.facts import Facts
from tunesmith.core.plan import Peft, Select
from tunesmith.core.recommend import resolve
from tunesmith.core.select.rates import TINY_RATES, USUAL_RATES, learning_rate
from tunesmith.core.select.recommend import recommend_select

from ..facts_kit import SEVEN_B, SMALL, facts, recommended, tokens

KNOBS = "select.hyperparameters."


def draft_of(about: Facts, use_case: str = "question-answering", **wishes: Any) -> Draft:
    def both(draft: Draft, about: Facts) -> None:
        draft.choose("understand.use_case", use_case, "")
        recommend_select(draft, about)

    return recommended(both, about, **wishes)


@pytest.mark.parametrize(
    ("rows", "use_case", "rank"),
    [
        (150, "domain-language", 8),
        (1000, "question-answering", 8),
        (1000, "style", 8),
        (20_000, "classification", 8),
        (20_000, "question-answering", 16),
        (20_000, "domain-language", 64),
        (200_000, "question-answering", 64),
    ],
)
def test_the_rank_follows_from_how_much_there_is_to_learn(rows: int, use_case: str, rank: int) -> None:
    draft = draft_of(facts(SEVEN_B, "RTX 4090", tokens=tokens(rows=rows)), use_case)
    assert draft.values["select.lora.rank"] == rank
    assert (
        "arXiv" in draft.reasons["select.lora.rank"].because
        or "people use" in draft.reasons["select.lora.rank"].because
    )


def test_of_a_mixture_of_experts_the_attention_is_adapted() -> None:
    draft = draft_of(facts(msgspec.structs.replace(SEVEN_B, experts=128), "H200"))
    assert draft.values["select.lora.target_modules"] == ["q_proj", "k_proj", "v_proj", "o_proj"]
    assert draft.values["select.lora.dropout"] == 0.05
    experts_too = draft_of(
        facts(msgspec.structs.replace(SEVEN_B, experts=128), "H200"), **{"select.lora.target_modules": "all-linear"}
    )
    assert experts_too.values["select.lora.dropout"] == 0
    assert "experts take none" in experts_too.reasons["select.lora.dropout"].because


def test_whoever_begins_at_a_low_rank_is_told_to_double_it_while_that_helps() -> None:
    draft = draft_of(facts(SEVEN_B, "A100", tokens=tokens(rows=1000)))
    assert "double it while the score on the validation rows still rises" in draft.reasons["select.lora.rank"].because


def test_much_to_learn_wants_every_weight_where_they_fit_and_rslora_where_they_do_not() -> None:
    rows = tokens(rows=30_000)
    three_b = msgspec.structs.replace(SEVEN_B, parameters=3_600_000_000, linear_parameters=3_400_000_000, layers=16)
    large = draft_of(facts(three_b, "H200", tokens=rows), "domain-language")
    assert large.values["select.method"] == "full"
    assert "a field's own language is much to learn, and it fits" in large.reasons["select.method"].because
    assert [other.value for other in large.reasons["select.method"].instead_of] == ["lora", "qlora"]
    small = draft_of(facts(SEVEN_B, "RTX 4090", tokens=rows), "domain-language")
    assert (small.values["select.method"], small.values["select.peft"]) == ("lora", "rslora")
    assert (small.values["select.lora.rank"], small.values["select.lora.alpha"]) == (64, 64)
    assert "51.3 % right" in small.reasons["select.peft"].because


def test_a_stated_adapter_is_never_answered_with_full_fine_tuning() -> None:
    wishes = {"select.peft": "ia3", "understand.use_case": "domain-language"}
    plan = resolve(wishes, facts(SEVEN_B, "H200", tokens=tokens(rows=30_000))).plan
    assert (plan.select.method, plan.select.peft) == ("lora", "ia3")


def test_the_kinds_that_lose_lose_with_what_was_measured() -> None:
    reason = draft_of(facts(SEVEN_B, "A100", tokens=tokens())).reasons["select.peft"]
    others = {other.value: other.because for other in reason.instead_of}
    assert set(others) == set(get_args(Peft)) - {"lora"}
    assert others["ia3"] == "learns less, and saves no memory over LoRA: 39.8 % right with 13.8 GiB (1e-3)"
    assert "takes more memory, since each row gets longer" in others["prompt"]
    assert "47.8 % right with 13.4 GiB" in reason.because


@pytest.mark.parametrize("peft", get_args(Peft))
@pytest.mark.parametrize("method", ["lora", "qlora"])
@pytest.mark.parametrize("card", ["", "T4", "A100"])
def test_every_kind_is_recommended_a_valid_section_with_reasons(peft: str, method: str, card: str) -> None:
    if (peft, method) == ("pissa", "qlora"):
        return
    for model in (SMALL, SEVEN_B):
        draft = draft_of(facts(model, card, tokens=tokens()), select__peft=peft, select__method=method)
        Select.model_validate(draft.tree()["select"])
        for path, reason in draft.reasons.items():
            assert len(reason.because) > 10 or not path.startswith("select."), path


def test_pissa_is_recommended_lora_even_where_only_packed_weights_fit() -> None:
    draft = draft_of(facts(SEVEN_B, "T4", tokens=tokens()), select__peft="pissa")
    assert draft.values["select.method"] == "lora"
    assert "can't be packed" in draft.reasons["select.method"].because


def test_every_kind_has_a_rate_within_its_usual_range_with_a_source() -> None:
    for rates in (TINY_RATES, USUAL_RATES):
        assert set(rates) == {*get_args(Peft), "full"}
        for rate in rates.values():
            assert rate.low <= rate.value <= rate.high
            assert len(rate.source) > 15
    assert learning_rate("lora", "lora", 7_000_000_000).value == 2e-4
    assert learning_rate("qlora", "lora", 70_000_000_000).value == 1e-4
    assert learning_rate("full", "lora", 7_000_000_000).value == 2e-5
    assert learning_rate("lora", "ia3", 7_000_000_000).value == 3e-3


def test_the_reason_of_a_rate_names_the_usual_range() -> None:
    draft = draft_of(facts(SEVEN_B, "A100", tokens=tokens()))
    assert draft.reasons[KNOBS + "learning_rate"].because.endswith("for 7 and 13 B; 0.0001 to 0.0002 is usual")


def test_int8_has_no_scales_to_pack() -> None:
    draft = draft_of(facts(SEVEN_B, "T4", tokens=tokens()), select__quantization__type="int8", select__method="qlora")
    assert draft.values["select.quantization.double"] is False


def test_every_kind_is_described_for_somebody_who_has_to_choose() -> None:
    assert set(KINDS) == set(get_args(Peft))
    for kind in KINDS.values():
        assert "arXiv:" in kind.paper
        assert kind.trains
        assert kind.size
        assert kind.right_when
