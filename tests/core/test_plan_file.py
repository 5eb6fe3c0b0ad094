"""A plan as people keep it: with its schema beside it, and with their own comments when it becomes a run."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from tunesmith.core import __version__
from tunesmith.core.errors import AccessError, PlanError
from tunesmith.core.launch import new_run_of
from tunesmith.core.plan_file import copied_plan, hand_out
from tunesmith.core.plan_schema import SCHEMA_NAME, plan_schema, write_schema
from tunesmith.core.plan_yaml import dump_plan, read_plan, validate


def _resolved(schema: dict[str, Any], path: str) -> dict[str, Any]:
    """The schema of the value at a dotted path."""
    node = schema
    for part in path.split("."):
        for inner in (node, *node.get("anyOf", ())):
            if "$ref" in inner:
                node = schema["$defs"][inner["$ref"].rpartition("/")[2]]
        node = node["properties"][part]
    return node


def test_a_plan_for_people_names_a_schema_that_lies_beside_it(tmp_path: Path, plan_tree: dict[str, Any]) -> None:
    hand_out(tmp_path / "plan.yaml", validate(plan_tree))
    text = (tmp_path / "plan.yaml").read_text()
    named = text.splitlines()[0].removeprefix("# yaml-language-server: $schema=")
    assert json.loads((tmp_path / named).read_text()) == plan_schema()
    assert f"# Made with tunesmith {__version__}, torch " in text
    assert read_plan(tmp_path / "plan.yaml") == validate(plan_tree)


def test_the_schema_explains_values_with_range_unit_and_source() -> None:
    schema = plan_schema()
    rank = _resolved(schema, "select.lora.rank")
    assert (rank["title"], rank["minimum"], rank["maximum"]) == ("Rank (r)", 1, 1024)
    assert "Usual: 8 to 64." in rank["description"]
    assert "Usual: 1 to 5 passes." in _resolved(schema, "select.hyperparameters.epochs")["description"]
    assert "full: every weight moves;" in _resolved(schema, "select.method")["description"]
    assert "Source: Hu et al. 2021, arXiv:2106.09685" in _resolved(schema, "select.lora.alpha")["description"]


def test_the_schema_is_valid_and_takes_what_the_plan_takes(plan_tree: dict[str, Any]) -> None:
    jsonschema = pytest.importorskip("jsonschema")
    schema = plan_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    check = jsonschema.Draft202012Validator(schema)
    assert check.is_valid(plan_tree)
    assert check.is_valid(validate(plan_tree).model_dump(mode="json", exclude_none=True))
    for path, wrong in (("rank", 0), ("rank", "many"), ("rnak", 8)):
        tree = copy.deepcopy(plan_tree)
        tree["select"]["lora"][path] = wrong
        assert not check.is_valid(tree), path


def test_a_schema_that_can_not_be_written_gets_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(AccessError, match="can't be written"):
        write_schema(tmp_path / "missing" / SCHEMA_NAME)


def _edited(tmp_path: Path, plan_tree: dict[str, Any], data: str) -> Path:
    plan_tree["prepare"]["data"] = data
    path = tmp_path / "mine.yaml"
    text = dump_plan(validate(plan_tree), schema=SCHEMA_NAME)
    path.write_text(text.replace("    rank: 16\n", "    # we tried 64, no better\n    rank: 16  # agreed\n"))
    return path


def test_a_plan_copied_into_a_run_keeps_what_a_person_wrote_into_it(tmp_path: Path, plan_tree: dict[str, Any]) -> None:
    path = _edited(tmp_path, plan_tree, "practice")
    run = new_run_of(path)
    text = run.plan_path.read_text()
    assert text == path.read_text().partition("\n")[2]  # all but the reference to a schema that is not beside it
    assert read_plan(run.plan_path) == read_plan(path)


def test_relative_paths_are_spelled_out_in_the_copy_and_the_comments_stay(
    tmp_path: Path, plan_tree: dict[str, Any]
) -> None:
    plan, text = copied_plan(_edited(tmp_path, plan_tree, "rows/people.csv"))
    assert plan.prepare.data == str(tmp_path / "rows" / "people.csv")
    assert f"  data: {tmp_path}/rows/people.csv\n" in text
    assert "    # we tried 64, no better\n    rank: 16  # agreed\n" in text
    assert "yaml-language-server" not in text
    (tmp_path / "copy.yaml").write_text(text)
    assert read_plan(tmp_path / "copy.yaml") == plan


def test_a_wrong_plan_makes_no_run(tmp_path: Path, plan_tree: dict[str, Any], runs_folder: Path) -> None:
    path = _edited(tmp_path, plan_tree, "practice")
    path.write_text(path.read_text().replace("rank: 16", "rank: none"))
    with pytest.raises(PlanError, match=r"mine.yaml: line \d+: `select.lora.rank`"):
        new_run_of(path)
    assert not runs_folder.exists()
