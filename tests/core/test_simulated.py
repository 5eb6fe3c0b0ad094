"""The helper simulates a plan's step; what it finds goes into the facts, and the plan follows from it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tunesmith.core.errors import ModelError
from tunesmith.core.jobs import Helper
from tunesmith.core.load import Load
from tunesmith.core.models import find_model
from tunesmith.core.recommend import resolve
from tunesmith.core.select.memory import forecast, load_of
from tunesmith.core.survey import Survey, look, model_simulated, settled, simulated

WISHES: dict[str, Any] = {"prepare.data": "practice", "select.model": "practice"}


@pytest.fixture(scope="module")
def helper() -> Iterator[Helper]:
    with Helper() as one:
        yield one


@pytest.fixture(scope="module")
def seen(helper: Helper) -> Survey:
    return look(WISHES, Path.cwd(), helper)


def test_the_plans_step_is_simulated_once(helper: Helper, seen: Survey) -> None:
    plan = resolve(WISHES, seen.facts).plan
    then = simulated(seen, plan, helper)
    assert len(then.facts.model.simulations) == 1
    longest = plan.select.hyperparameters.max_length
    assert then.facts.model.simulations[0].load == load_of(plan.select, longest, plan.evaluate)
    told = forecast(then.facts.model, plan.select, seen.facts.hardware, longest, plan.evaluate)
    assert told.how == "simulated"
    assert told.evaluation is not None
    assert simulated(then, plan, helper).facts.model is then.facts.model


def test_a_plan_that_follows_from_its_own_simulation_is_settled(helper: Helper, seen: Survey) -> None:
    found = settled(seen, WISHES, helper)
    plan = resolve(WISHES, found.facts).plan
    longest = plan.select.hyperparameters.max_length
    assert any(one.load == load_of(plan.select, longest, plan.evaluate) for one in found.facts.model.simulations)


def test_a_model_that_is_not_here_is_simulated_from_its_config(helper: Helper) -> None:
    config = {
        "model_type": "llama",
        "hidden_size": 256,
        "num_hidden_layers": 4,
        "num_attention_heads": 4,
        "intermediate_size": 512,
        "vocab_size": 1000,
    }
    model = msgspec.structs.replace(find_model("practice"), path="")
    load = Load("qlora", "bf16", "cuda", 2, 128, rank=8, target_modules=("q_proj", "v_proj"))
    found = model_simulated(model, load, helper, config)
    assert found.simulations[0].load == load
    assert found.simulations[0].peak.total > 1 << 20


def test_what_can_not_be_simulated_is_said_and_the_plan_goes_by_arithmetic(helper: Helper, seen: Survey) -> None:
    plan = resolve(WISHES, seen.facts).plan
    with pytest.raises(ModelError) as refused:
        simulated(seen, plan, helper, {"model_type": "no_such_kind"})
    assert "no_such_kind" in refused.value.title
    assert settled(seen, WISHES, helper, {"model_type": "no_such_kind"}) is seen
