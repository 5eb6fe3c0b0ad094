"""What a plan and another tool can both say comes back as it was; what they can't is named."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml as pyyaml
from hypothesis import given, settings
from hypothesis import strategies as st

from tunesmith.core.errors import PlanError
from tunesmith.core.exchange import axolotl, llamafactory
from tunesmith.core.exchange.read import import_text
from tunesmith.core.exchange.terms import Given, Tool
from tunesmith.core.exchange.text import parsed
from tunesmith.core.exchange.write import converter
from tunesmith.core.plan import Peft, Plan
from tunesmith.core.plan_yaml import validate
from tunesmith.core.schema import wishes_of

from .plans import GIVEN, MODEL, TREE, plans

TOOLS: tuple[Tool, ...] = get_args(Tool)
KNOWN = json.loads(Path(__file__).with_name("known_keys.json").read_text())
UNSAID = {"select.device", "select.gpu", "select.price_hour", "select.virtual_tokens"}
"""A GPU is what every tool looks for first; only its absence is said."""


def _unsaid(plan: Plan, tool: Tool) -> set[str]:
    """Paths that a round trip may leave to what is recommended."""
    found = set(UNSAID)
    if plan.select.peft == "lora":
        found.add("select.peft")  # the one that is recommended
    if plan.select.quantization is not None and plan.select.quantization.type == "int8":
        found.add("select.quantization.double")  # means nothing for 8 bits
    if tool == "llamafactory" and not plan.select.hyperparameters.group_by_length:
        found.add("select.hyperparameters.group_by_length")  # its key has another name in older versions
    return found


@pytest.mark.parametrize("tool", TOOLS)
@settings(max_examples=80, deadline=None)
@given(plan=plans())
def test_a_plan_comes_back_from_another_tool_as_it_was(tool: Tool, plan: Plan) -> None:
    exported = converter(tool).export(plan, GIVEN)
    imported = import_text(exported.text, Path("/nowhere") / converter(tool).FILE)
    assert imported.tool == tool
    named = {one.path for one in exported.dropped}
    for path, value in wishes_of(plan).items():
        if not path.startswith(("select.", "finetune.")) or path in named or path in _unsaid(plan, tool):
            continue
        assert imported.wishes.get(path) == value, path
    assert imported.wishes.keys() <= wishes_of(plan).keys()
    assert {one.path for one in imported.dropped} <= {"dataset_name", "datasets", "dataset", *VALIDATION}
    if plan.select.device == "cpu" and tool != "axolotl":
        assert imported.wishes["select.device"] == "cpu"


VALIDATION = ("test_datasets", "eval_dataset")
"""The validation rows of an export are a file; a plan splits its own off the data."""


@pytest.mark.parametrize("tool", TOOLS)
@settings(max_examples=60, deadline=None)
@given(plan=plans())
def test_parsers_of_yaml_1_1_and_1_2_read_the_same_values(tool: Tool, plan: Plan) -> None:
    text = converter(tool).export(plan, GIVEN).text
    assert pyyaml.safe_load(text) == parsed(text, "it")


@settings(max_examples=60, deadline=None)
@given(plan=plans(("lora", "rslora", "dora", "pissa")), template=st.booleans(), validation=st.sampled_from([0, 5]))
def test_every_key_is_one_that_axolotl_knows(plan: Plan, template: bool, validation: int) -> None:
    said = parsed(axolotl.export(plan, Given(MODEL, template, validation)).text, "it")
    assert said.keys() <= set(KNOWN["axolotl"]["keys"])
    for dataset in [*said["datasets"], *said.get("test_datasets", [])]:
        assert dataset.keys() <= set(KNOWN["axolotl"]["dataset"])


@settings(max_examples=60, deadline=None)
@given(plan=plans(), template=st.booleans(), validation=st.sampled_from([0, 5]))
def test_every_key_is_one_that_llamafactory_knows(plan: Plan, template: bool, validation: int) -> None:
    there = Given(MODEL, template, validation)
    said = parsed(llamafactory.export(plan, there).text, "it")
    assert said.keys() <= set(KNOWN["llamafactory"]["keys"])
    for entry in llamafactory.dataset_info(there).values():
        assert entry.keys() <= set(KNOWN["llamafactory"]["dataset_info"])
        assert entry["tags"].keys() <= set(KNOWN["llamafactory"]["tags"])


@pytest.mark.parametrize("tool", TOOLS)
def test_an_adapter_that_the_tool_has_not_is_refused_not_replaced(tool: Tool, plan_tree: dict[str, Any]) -> None:
    taken = {"trl": {"lora", "rslora", "dora"}}.get(tool, {"lora", "rslora", "dora", "pissa"})
    for peft in get_args(Peft):
        plan_tree["select"]["peft"] = peft
        lora, virtual = plan_tree["select"].pop("lora", LORA), peft in ("prefix", "prompt", "p-tuning")
        if peft in ("lora", "dora", "rslora", "pissa", "adalora", "vera"):
            plan_tree["select"]["lora"] = lora
        plan_tree["select"]["virtual_tokens"] = 8 if virtual else None
        plan_tree["productionize"]["merge"] = not virtual
        plan = validate(plan_tree)
        if peft in taken:
            assert converter(tool).export(plan, GIVEN).text
            continue
        with pytest.raises(PlanError, match=f"can't train an adapter of the kind {peft}.*Set select.peft to"):
            converter(tool).export(plan, GIVEN)


LORA = {"rank": 16, "alpha": 32, "dropout": 0.05, "target_modules": "all-linear"}


@pytest.mark.parametrize("tool", TOOLS)
def test_what_a_tool_can_not_say_is_named_and_stands_in_the_file(tool: Tool, plan_tree: dict[str, Any]) -> None:
    plan_tree["select"] |= {"gpu": "h100-80gb", "price_hour": 2.5}
    exported = converter(tool).export(validate(plan_tree), GIVEN)
    paths = {one.path for one in exported.dropped}
    assert {"understand", "evaluate", "productionize", "select.gpu", "select.price_hour"} <= paths
    assert ("select.device" in paths) == (tool == "axolotl")
    head = exported.text.partition("\n\n")[0].replace("\n#   ", " ")
    for one in exported.dropped:
        assert f"# - {one.path}: {one.why}" in head


@pytest.mark.parametrize("tool", ["axolotl", "llamafactory"])
def test_early_stopping_is_said_where_each_save_falls_on_an_evaluation(tool: Tool, plan_tree: dict[str, Any]) -> None:
    plan_tree["select"]["hyperparameters"]["early_stopping"] = 3
    plan_tree["finetune"] |= {"evaluate_every": 5, "save_every": 5}
    said = parsed(converter(tool).export(validate(plan_tree), GIVEN).text, "it")
    key = {"axolotl": "early_stopping_patience", "llamafactory": "early_stopping_steps"}[tool]
    assert said[key] == 3
    assert tool == "axolotl" or (said["load_best_model_at_end"] and said["metric_for_best_model"] == "eval_loss")


@pytest.mark.parametrize("tool", TOOLS)
def test_without_validation_rows_nothing_is_evaluated(tool: Tool) -> None:
    tree = {**TREE, "select": _select(), "finetune": _watched()}
    said = parsed(converter(tool).export(validate(tree), Given(MODEL)).text, "it")
    assert "eval_steps" not in said
    assert said.get("eval_strategy", "no") == "no"
    assert not said.keys() & {"test_datasets", "eval_dataset", "dataset_test_split"}


def test_full_fine_tuning_in_bf16_is_named_where_the_weights_are_bf16_themselves() -> None:
    tree = {**TREE, "select": {**_select(), "precision": "bf16"}, "finetune": _watched()}
    exported = {tool: converter(tool).export(validate(tree), GIVEN) for tool in TOOLS}
    assert "select.precision" in {one.path for one in exported["axolotl"].dropped}
    assert "select.precision" not in {one.path for one in exported["trl"].dropped}
    said = parsed(exported["trl"].text, "it")
    assert (said["dtype"], said["bf16"]) == ("float32", True)


def _select() -> dict[str, Any]:
    knobs = {
        "learning_rate": 1e-5,
        "schedule": "cosine",
        "warmup": 0.05,
        "epochs": 2.0,
        "batch_size": 4,
        "accumulation": 4,
        "max_length": 512,
        "weight_decay": 0.01,
        "max_grad_norm": 1.0,
        "optimizer": "adamw_torch_fused",
        "gradient_checkpointing": True,
        "seed": 1,
    }
    return {"model": MODEL, "method": "full", "device": "cuda", "precision": "bf16", "hyperparameters": knobs}


def _watched() -> dict[str, Any]:
    numbers = {"log_every": 1, "evaluate_every": 5, "validation_rows": 4, "samples": 1, "save_every": 5}
    return {**numbers, "keep_checkpoints": 2}
