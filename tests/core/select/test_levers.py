"""What fits at most, and what each lever saves."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import pytest

from tests.core.facts_kit import SEVEN_B, SMALL, machine
from tunesmith.core.facts import MemoryPhase, Simulation
from tunesmith.core.load import Load
from tunesmith.core.select.levers import (
    MOST_ROWS,
    WAYS,
    bare_load,
    largest_batch,
    largest_model,
    levers,
    longest_row,
    ways,
)
from tunesmith.core.select.memory import forecast_load

CARD = machine("RTX 4090")
LOAD = bare_load(CARD, "lora", 2, 512)


def fits(load: Load) -> bool:
    return forecast_load(SEVEN_B, load, CARD).fits


def test_the_largest_batch_fits_and_one_row_more_does_not() -> None:
    load = bare_load(CARD, "qlora", 1, 512)
    most = largest_batch(SEVEN_B, load, CARD)
    assert 1 < most < MOST_ROWS
    assert fits(replace(load, batch_size=most)) and not fits(replace(load, batch_size=most + 1))


def test_the_longest_row_fits_and_a_longer_one_does_not() -> None:
    load = replace(bare_load(CARD, "lora", 1, 512), checkpointing=True)
    longest = longest_row(SEVEN_B, load, CARD)
    assert 8 < longest < SEVEN_B.max_positions and longest % 8 == 0
    assert fits(replace(load, length=longest)) and not fits(replace(load, length=longest + 8))


def test_no_row_is_longer_than_the_model_reads() -> None:
    assert longest_row(SMALL, bare_load(machine(), "lora", 1, 64), machine()) == SMALL.max_positions


def test_nothing_fits_where_not_one_row_does() -> None:
    load = bare_load(CARD, "full", 1, 512)
    assert largest_batch(SEVEN_B, load, CARD) == 0
    assert longest_row(SEVEN_B, load, CARD) == 0


def test_each_way_needs_less_than_the_one_before() -> None:
    found = ways(SEVEN_B, LOAD, CARD)
    assert [one.way.name for one in found] == [way.name for way in WAYS]
    totals = [one.plain.total for one in found]
    assert totals == sorted(totals, reverse=True) and len(set(totals)) == len(totals)
    assert all(one.checkpointed.total < one.plain.total for one in found[1:])
    assert found[0].checkpointed.total == found[0].plain.total, "the end of the backward pass, where gradients are all"


def test_a_lever_saves_what_the_forecasts_differ_by_and_the_largest_comes_first() -> None:
    found = levers(SEVEN_B, LOAD, CARD)
    saved = {lever.name: lever.saves for lever in found}
    now = forecast_load(SEVEN_B, LOAD, CARD).total
    assert (
        saved["gradient checkpointing"] == now - forecast_load(SEVEN_B, replace(LOAD, checkpointing=True), CARD).total
    )
    assert saved["half the rows at once"] == now - forecast_load(SEVEN_B, replace(LOAD, batch_size=1), CARD).total
    assert list(saved.values()) == sorted(saved.values(), reverse=True)
    assert all(lever.costs and lever.source for lever in found)


@pytest.mark.parametrize(
    ("load", "gone"),
    [
        (replace(LOAD, checkpointing=True), "gradient checkpointing"),
        (replace(LOAD, batch_size=1), "half the rows at once"),
        (bare_load(CARD, "qlora", 2, 512), "weights in 4 bits (QLoRA nf4)"),
        (bare_load(CARD, "full", 2, 512), "half the rank"),
        (bare_load(machine(), "lora", 2, 512), "optimizer states in 8 bits"),
    ],
)
def test_a_lever_that_is_pulled_or_does_not_apply_is_not_offered(load: Load, gone: str) -> None:
    assert gone not in {lever.name for lever in levers(SEVEN_B, load, CARD)}


def test_a_lever_says_whether_it_makes_it_fit() -> None:
    tight = replace(LOAD, batch_size=8)
    assert not fits(tight)
    found = {lever.name: lever for lever in levers(SEVEN_B, tight, CARD)}
    assert found["gradient checkpointing"].fits
    assert found["gradient checkpointing"].wish == ("select.hyperparameters.gradient_checkpointing", True)


def test_the_largest_model_that_fits() -> None:
    load = replace(bare_load(CARD, "lora", 1, 512), checkpointing=True)
    assert largest_model([SMALL, SEVEN_B], load, CARD) == SEVEN_B
    assert largest_model([SMALL, SEVEN_B], replace(load, method="full"), CARD) == SMALL
    assert largest_model([], load, CARD) is None


def test_a_card_without_bf16_is_planned_in_fp16() -> None:
    assert bare_load(machine("T4"), "lora", 1, 512).precision == "fp16"
    assert bare_load(machine(), "lora", 1, 512).device == "cpu"


def test_a_lever_is_reckoned_from_one_source_and_saves_no_more_than_there_is() -> None:
    still = {"weights": 8 << 20, "optimizer": 2 << 20}
    phases = (MemoryPhase("loss", {**still, "activations": 100 << 20, "loss": 40 << 20}),)
    load = bare_load(CARD, "lora", 2, 512)
    known = msgspec.structs.replace(SMALL, simulations=(Simulation(load, phases, 0.5),))
    saved = {lever.name: lever.saves for lever in levers(known, load, CARD)}
    assert saved["gradient checkpointing"] <= 1.11 * (100 << 20)
    assert saved.get("weights in 4 bits (QLoRA nf4)", 0) <= 1.11 * (8 << 20)


def test_paging_is_a_lever_of_its_own_only_where_it_spares_more() -> None:
    names = {lever.name for lever in levers(SEVEN_B, bare_load(CARD, "full", 1, 512), CARD)}
    assert {"optimizer states in 8 bits", "optimizer in 8 bits, paged"} <= names
    assert "optimizer in 8 bits, paged" not in {lever.name for lever in levers(SMALL, LOAD, CARD)}
