"""A plan for a machine that is not here says so, and what an hour of it costs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from tunesmith.core.errors import PlanError
from tunesmith.core.facts import Facts
from tunesmith.core.meter import silent
from tunesmith.core.recommend import Resolution, resolve
from tunesmith.core.select.cards import hardware_for
from tunesmith.core.wishes import with_wish
from tunesmith.core.worker.measure import measure

from ..facts_kit import SEVEN_B, facts, tokens


def planned(card: str, **wishes: Any) -> tuple[Facts, Resolution]:
    known = msgspec.structs.replace(facts(SEVEN_B, tokens=tokens()), hardware=hardware_for(card))
    return known, resolve({"select.gpu": card, **wishes}, known)


def test_a_plan_for_another_card_says_that_it_was_not_measured() -> None:
    _, found = planned("H100")
    assert found.plan.select.gpu == "H100"
    assert found.plan.select.device == "cuda"
    reason = found.reasons["select.gpu"]
    assert reason.chosen and reason.own and reason.recommended is None
    assert reason.because == (
        "your choice: planned for H100 SXM 80 GB, which is not here: from the table of cards, not measured"
    )
    assert "planned for H100 SXM 80 GB, which is not here" in found.reasons["select.device"].because


def test_of_two_cards_one_is_used_and_both_are_paid() -> None:
    _, found = planned("2xrtx4090")
    assert "of the 2, one is used: a run trains on one GPU" in found.reasons["select.gpu"].because
    assert found.plan.select.price_hour == pytest.approx(0.78)
    assert found.reasons["select.price_hour"].because == (
        "renting RTX 4090 24 GB cost 2 × $0.39 an hour on 2026-09-20 "
        "(Akash, starting at, https://akash.network/pricing/gpus/)"
    )


def test_a_card_that_present_torch_has_no_code_for_says_which_build_it_takes() -> None:
    _, found = planned("v100-32gb")
    assert found.reasons["select.gpu"].because.endswith("it takes torch's build for CUDA 12.6")
    assert found.plan.select.precision == "fp16"


def test_a_card_without_a_dated_price_leaves_it_to_the_person() -> None:
    _, found = planned("l40s")
    assert found.plan.select.price_hour is None
    assert "no dated price was found for L40S 48 GB" in found.reasons["select.price_hour"].because


def test_this_machine_is_recommended_and_a_processor_costs_nothing() -> None:
    found = resolve({}, facts(tokens=tokens()))
    assert (found.plan.select.gpu, found.plan.select.price_hour) == (None, None)
    assert "planned for this machine" in found.reasons["select.gpu"].because


def test_a_card_that_was_read_here_has_the_price_of_renting_one() -> None:
    found = resolve({}, facts(SEVEN_B, "RTX 4090", tokens=tokens()))
    assert found.plan.select.price_hour == 0.39
    assert found.reasons["select.price_hour"].because.endswith("empty it if the machine is yours")


def test_another_machine_has_another_price() -> None:
    wishes = with_wish({"select.gpu": "h100", "select.price_hour": 2.0}, "select.gpu", "a100")
    assert wishes == {"select.gpu": "a100"}


def test_what_is_measured_for_a_planned_machine_is_the_table(tmp_path: Path) -> None:
    seen, _ = measure({"prepare.data": "practice", "select.gpu": "h100-80gb"}, tmp_path, silent)
    assert seen.facts.hardware == hardware_for("h100-80gb")
    with pytest.raises(PlanError, match="No card is known as 'h1oo'"):
        measure({"prepare.data": "practice", "select.gpu": "h1oo"}, tmp_path, silent)
