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
from tunesmith.core.outlook import outlook
from tunesmith.core.recommend import resolve
from tunesmith.core.select.memory import forecast_load
from tunesmith.core.survey import Survey, look, model_simulated, settled, simulated

WISHES: dict[str, Any] = {"prepare.data": "practice", "select.model": "practice"}


@pytest.fixture(scope="module")
def helper() -> Iterator[Helper]:
    with Helper() as one:
        yield one


@pytest.fixture(scope="module")
def seen(helper: Helper) -> Survey:
    return look(WISHES, Path.cwd(), helper)


def planned_load(seen: Survey) -> Load:
    return outlook(resolve(WISHES, seen.facts).plan, seen.facts).load


def test_the_plans_step_is_simulated_once(helper: Helper, seen: Survey) -> None:
    load = planned_load(seen)
    then = simulated(seen, load, helper)
    assert [one.load for one in then.facts.model.simulations] == [load]
    told = forecast_load(then.facts.model, load, seen.facts.hardware)
    assert told.how == "simulated"
    assert told.evaluation is not None
    assert simulated(then, load, helper).facts.model is then.facts.model


def test_a_plan_that_follows_from_its_own_simulation_is_settled(helper: Helper, seen: Survey) -> None:
    found = settled(seen, WISHES, helper)
    assert planned_load(found) in [one.load for one in found.facts.model.simulations]


def test_a_model_that_is_not_here_is_simulated_from_its_config(helper: Helper) -> None:
    model = find_model("HuggingFaceTB/SmolLM2-135M-Instruct")
    assert not model.here
    load = Load("qlora", "bf16", "cuda", 2, 128, rank=8, target_modules=("q_proj", "v_proj"))
    found = model_simulated(model, load, helper)
    assert found.simulations[0].load == load
    packed_and_embedded = 106e6 / 2 + 28e6 * 2
    assert found.simulations[0].peak.bytes["weights"] == pytest.approx(packed_and_embedded, rel=0.05)


def test_what_can_not_be_simulated_is_said_and_the_plan_goes_by_arithmetic(
    helper: Helper, seen: Survey, tmp_path: Path
) -> None:
    (tmp_path / "config.json").write_text('{"model_type": "no_such_kind"}')
    model = msgspec.structs.replace(seen.facts.model, path=str(tmp_path))
    unknown = msgspec.structs.replace(seen, facts=msgspec.structs.replace(seen.facts, model=model))
    with pytest.raises(ModelError) as refused:
        simulated(unknown, planned_load(unknown), helper)
    assert "no_such_kind" in refused.value.title
    assert settled(unknown, WISHES, helper) is unknown
