"""What a plan will take, and what would change with another value."""

from __future__ import annotations

import pytest

from tests.core.facts_kit import SEVEN_B, facts, tokens
from tunesmith.core.consequences import span, what_if
from tunesmith.core.fit import methods
from tunesmith.core.outlook import outlook
from tunesmith.core.recommend import resolve
from tunesmith.core.select.load import adapter_parameters
from tunesmith.core.select.memory import load_of


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


def test_a_gpus_time_is_told_by_its_first_steps() -> None:
    known = facts(SEVEN_B, "A100", tokens=tokens())
    assert outlook(resolve({}, known).plan, known).seconds is None
    assert span(None) == "told by the first steps"
    assert span((3.2, 130)) == "3 s to 2 min"


def test_what_would_change_is_told_without_changing_it() -> None:
    known = facts(tokens=tokens())
    wishes: dict[str, object] = {}
    now = resolve(wishes, known)
    told = what_if(wishes, "select.lora.rank", 64, known, now)
    titles = {change.title: (change.before, change.after) for change in told.changes}
    assert titles["alpha"] == ("32", "128")
    assert "trained parameters" in titles
    assert wishes == {} and resolve(wishes, known).plan == now.plan


def test_what_can_not_be_chosen_says_why() -> None:
    known = facts(tokens=tokens())
    told = what_if({}, "select.lora.rank", 0, known, resolve({}, known))
    assert "greater than or equal to 1" in told.refused


def test_the_methods_side_by_side() -> None:
    found = {one.method: one for one in methods({}, facts())}
    assert set(found) == {"full", "lora", "qlora"}
    assert all(one.outlook for one in found.values())
