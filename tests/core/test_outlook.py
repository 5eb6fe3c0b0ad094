"""What a plan will take, and what would change with another value."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import msgspec
import pytest

from tests.core.facts_kit import SEVEN_B, facts, tokens
from tunesmith.core.consequences import what_if
from tunesmith.core.facts import Facts, Lengths
from tunesmith.core.figures import dollars, price_span, span
from tunesmith.core.fit import methods
from tunesmith.core.outlook import outlook, padded_length
from tunesmith.core.recommend import resolve
from tunesmith.core.select.cards import card, hardware_for
from tunesmith.core.select.load import adapter_parameters
from tunesmith.core.select.memory import load_of
from tunesmith.core.select.speed import micro_batch_seconds


def test_steps_tokens_and_time_are_reckoned_by_hand() -> None:
    known = facts(tokens=tokens())
    found = resolve({"select.hyperparameters.epochs": 2.0}, known)
    plan, told = found.plan, outlook(found.plan, known)
    counted = known.data.tokens
    assert counted is not None
    rows = round(counted.rows * (1 - plan.prepare.split.validation - plan.prepare.split.test))
    batch = plan.select.hyperparameters.batch_size * plan.select.hyperparameters.accumulation
    assert told.steps == -(-rows // batch) * 2
    assert told.tokens == round(rows * counted.whole.mean * 2)
    operations = 4 * known.model.parameters * told.tokens
    assert told.seconds == pytest.approx((operations / (40e9 * 2), operations / (6e9 * 2)))
    assert told.trained_parameters == adapter_parameters(known.model, load_of(plan.select, counted.whole.longest))


def test_full_fine_tuning_takes_more_disk_and_half_as_much_time_again() -> None:
    known = facts(tokens=tokens())
    lora = outlook(resolve({}, known).plan, known)
    full = outlook(resolve({"select.method": "full"}, known).plan, known)
    assert full.disk > lora.disk
    assert lora.seconds and full.seconds
    assert full.seconds[0] / full.tokens == pytest.approx(1.5 * lora.seconds[0] / lora.tokens)


def card_facts(card: str = "A100", **data: Any) -> Facts:
    """The machine of a card of the table, 1,050 rows of up to 100 tokens."""
    return msgspec.structs.replace(facts(SEVEN_B, **{"tokens": tokens(), **data}), hardware=hardware_for(card))


def test_a_gpus_time_is_micro_batches_times_what_one_takes_on_the_card() -> None:
    known = card_facts()
    plan = resolve({}, known).plan
    told, knobs = outlook(plan, known), plan.select.hyperparameters
    counted = known.data.tokens
    assert counted is not None
    rows = round(counted.rows * (1 - plan.prepare.split.validation - plan.prepare.split.test))
    length = padded_length(counted.whole, knobs.batch_size, knobs.max_length)
    load = replace(load_of(plan.select, counted.whole.longest), length=length)
    each = micro_batch_seconds(known.model, load, card("A100")[1])
    assert each is not None and told.seconds is not None
    batches = -(-rows // knobs.batch_size) * knobs.epochs
    assert told.seconds == pytest.approx((batches * each[0], batches * each[1]))
    assert told.seconds_from == "the rate and bandwidth of A100 80 GB"
    assert not told.seconds_measured


def test_rows_are_reckoned_as_long_as_the_batch_pads_them() -> None:
    whole = Lengths(p50=100, p95=190, p99=300, longest=900, mean=110.0)
    assert padded_length(whole, 1, 1024) == 110
    assert padded_length(whole, 3, 1024) == 150  # the quantile 3/4, on the line from p50 to p95
    assert padded_length(whole, 19, 1024) == 190
    assert padded_length(whole, 99, 1024) == 300
    assert padded_length(whole, 199, 1024) == 600
    assert padded_length(whole, 199, 512) == 512


def test_packing_and_grouping_compute_less_padding() -> None:
    known = card_facts(tokens=tokens(longest=400, p99=400))
    at = "select.hyperparameters."
    plain, grouped, packed = (
        outlook(resolve(wishes, known).plan, known)
        for wishes in ({}, {at + "group_by_length": True}, {at + "packing": True})
    )
    assert plain.seconds and grouped.seconds and packed.seconds
    assert grouped.seconds[1] < plain.seconds[1]
    assert packed.seconds[1] < plain.seconds[1]
    assert packed.tokens == plain.tokens


def test_a_card_that_is_not_in_the_table_tells_its_time_by_its_first_steps() -> None:
    known = facts(SEVEN_B, "A100", tokens=tokens())
    strange = msgspec.structs.replace(known.hardware.gpus[0], name="NVIDIA Strange")
    known = msgspec.structs.replace(known, hardware=msgspec.structs.replace(known.hardware, gpus=(strange,)))
    plan = resolve({}, known).plan
    told = outlook(plan, known)
    assert (told.seconds, told.money, told.seconds_from) == (None, None, "")
    assert span(None) == "told by the first steps"
    assert span((3.2, 130)) == "3 s to 2 min"
    measured = outlook(plan, known, seconds_a_step=2.0)
    assert measured.seconds == (2 * measured.steps, 2 * measured.steps)
    assert measured.seconds_measured and measured.seconds_from == "the seconds that a step took"
    assert span(measured.seconds).startswith("about ")


def test_money_is_hours_times_the_price_and_follows_a_stated_one() -> None:
    known = card_facts("2xH100")
    plan = resolve({}, known).plan
    told = outlook(plan, known)
    assert plan.select.price_hour == pytest.approx(2 * 3.99)
    assert told.seconds and told.money == pytest.approx(tuple(2 * 3.99 * one / 3600 for one in told.seconds))
    stated = resolve({"select.price_hour": 1.0}, known).plan
    assert outlook(stated, known).money == pytest.approx(tuple(one / 3600 for one in told.seconds))
    assert outlook(resolve({"select.price_hour": None}, known).plan, known).money is None
    assert outlook(resolve({}, facts(tokens=tokens())).plan, facts(tokens=tokens())).money is None


@pytest.mark.parametrize(
    ("share", "says"), [(-0.5, ("costs more", "takes longer")), (0.5, ("may cost more", "may take longer")), (2.0, ())]
)
def test_a_budget_that_is_exceeded_is_told_with_how_sure_that_is(share: float, says: tuple[str, ...]) -> None:
    known = card_facts("A100", tokens=tokens(rows=100_000))
    told = outlook(resolve({}, known).plan, known)
    assert told.money and told.seconds and told.over_budget == ()
    allowed = [0.5 * low if share < 0 else low + share * (high - low) for low, high in (told.money, told.seconds)]
    wishes = {"understand.budget_money": allowed[0], "understand.budget_hours": allowed[1] / 3600}
    found = outlook(resolve(wishes, known).plan, known).over_budget
    assert len(found) == len(says)
    for sentence in found:
        assert any(f"The training {one} than the" in sentence for one in says)
        assert "of your brief: " in sentence


def test_a_planned_machines_disk_is_not_known_and_not_held_against_it() -> None:
    known = card_facts()
    told = outlook(resolve({}, known).plan, known)
    assert told.disk_free is None and told.disk_suffices


def test_money_is_written_as_people_read_it() -> None:
    assert [dollars(one) for one in (0, 0.001, 0.394, 12.4, 1240)] == [
        "$0.00",
        "under $0.01",
        "$0.39",
        "$12.40",
        "$1,240",
    ]
    assert price_span((0.4, 1.2)) == "$0.40 to $1.20"
    assert price_span((0.4, 0.401)) == "about $0.40"
    assert price_span((0.001, 0.002)) == "under $0.01"
    assert price_span(None) == "not known"


def test_what_would_change_is_told_without_changing_it() -> None:
    known = facts(tokens=tokens())
    wishes: dict[str, object] = {}
    now = resolve(wishes, known)
    told = what_if(wishes, "select.lora.rank", 64, known, now)
    titles = {change.title: (change.before, change.after) for change in told.changes}
    assert titles["alpha"] == ("32", "128")
    assert "trained parameters" in titles
    assert wishes == {} and resolve(wishes, known).plan == now.plan


def test_another_way_that_would_be_advised_is_told_first_also_where_the_person_chose_one() -> None:
    known = facts(tokens=tokens())
    for wishes in ({}, {"understand.approach": "fine-tune"}):
        told = what_if(wishes, "understand.knowledge_changes", "weekly", known, resolve(wishes, known))
        assert (told.changes[0].title, told.changes[0].before) == ("advice", "fine-tuning")
        assert told.changes[0].after == "fine-tuning with retrieval" and not told.advice_stays
        assert [one.title for one in told.changes].count("approach") == 0


def test_an_answer_that_leaves_the_advice_as_it_is_says_so() -> None:
    known = facts(tokens=tokens())
    told = what_if({}, "understand.knowledge_changes", "yearly", known, resolve({}, known))
    assert not told.changes and told.advice_stays == "fine-tuning"
    assert not what_if({}, "select.lora.rank", 64, known, resolve({}, known)).advice_stays


def test_what_can_not_be_chosen_says_why() -> None:
    known = facts(tokens=tokens())
    told = what_if({}, "select.lora.rank", 0, known, resolve({}, known))
    assert "greater than or equal to 1" in told.refused


def test_the_methods_side_by_side() -> None:
    found = {one.method: one for one in methods({}, facts())}
    assert set(found) == {"full", "lora", "qlora"}
    assert all(one.outlook for one in found.values())
