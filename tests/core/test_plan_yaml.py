from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest

from tunesmith.core.draft import Alternative, Reason
from tunesmith.core.errors import AccessError, PlanError
from tunesmith.core.plan import Plan
from tunesmith.core.plan_yaml import dump_plan, read_plan, validate, write_plan
from tunesmith.core.stages import STAGES


def _sections(model: type[Any]) -> list[tuple[str, Any]]:
    """(dotted name, field) of every value in the schema."""
    from tunesmith.core.plan_yaml import _model_in

    found = []
    for name, field in model.model_fields.items():
        inner = _model_in(field.annotation)
        found += [(f"{name}.{n}", f) for n, f in _sections(inner)] if inner else []
        if inner is None:
            found.append((name, field))
    return found


def test_a_plan_comes_back_from_its_file_as_it_was(tmp_path: Path, plan_tree: dict[str, Any]) -> None:
    plan = validate(plan_tree)
    reasons = {"select.lora.rank": Reason("16 is enough", (Alternative("64", "four times the size"),))}
    write_plan(tmp_path / "plan.yaml", plan, reasons)
    assert read_plan(tmp_path / "plan.yaml") == plan


def test_reasons_stand_as_comments_above_their_values(plan_tree: dict[str, Any]) -> None:
    reasons = {
        "select.lora.rank": Reason("enough for a narrow task", (Alternative("64", "four times the size"),)),
    }
    lines = dump_plan(validate(plan_tree), reasons).splitlines()
    place = lines.index("    rank: 16")
    assert lines[place - 3 : place] == [
        "    # enough for a narrow task",
        "    # not 64: four times the size",
        "    # usual: 8 to 64",
    ]


def test_usual_range_unit_and_source_stand_in_one_line_and_are_not_said_twice(plan_tree: dict[str, Any]) -> None:
    reasons = {
        "select.lora.alpha": Reason("twice the rank"),
        "select.lora.target_modules": Reason("needed to match full fine-tuning (arXiv:2305.14314)"),
        "select.lora.rank": Reason("people use 8 to 64"),
    }
    text = dump_plan(validate(plan_tree), reasons)
    assert "    # twice the rank\n    # usual: r to 2 r\n    alpha: 32\n" in text
    assert "without; source: Chen et al. 2016, arXiv:1604.06174\n    gradient_checkpointing" in text
    assert "    # people use 8 to 64\n    rank: 16\n" in text
    assert text.count("2305.14314") == 1
    assert "    # usual: 1 to 5 passes\n    epochs: 2" in text
    assert "# usual" not in dump_plan(validate(plan_tree))


def test_the_header_names_the_schema_first_and_what_it_was_made_with(plan_tree: dict[str, Any]) -> None:
    text = dump_plan(validate(plan_tree), schema="plan.schema.json", made_with=("tunesmith 1.0", "torch 2.13.0"))
    lines = text.splitlines()
    assert lines[0] == "# yaml-language-server: $schema=plan.schema.json"
    assert "# Made with tunesmith 1.0, torch 2.13.0." in lines[:6]


def test_each_stage_is_introduced(plan_tree: dict[str, Any]) -> None:
    text = dump_plan(validate(plan_tree))
    for stage in STAGES:
        assert f"# -- {stage}: " in text


def test_every_value_has_a_title_and_a_help() -> None:
    fields = _sections(Plan)
    assert len(fields) > 40
    for name, field in fields:
        assert field.title, name
        assert field.description and field.description.endswith((".", "?")), name


def _file(tmp_path: Path, plan_tree: dict[str, Any], old: str, new: str) -> Path:
    text = dump_plan(validate(plan_tree))
    assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times"
    path = tmp_path / "plan.yaml"
    path.write_text(text.replace(old, new))
    return path


def _line_of(path: Path, text: str) -> int:
    return next(n for n, line in enumerate(path.read_text().splitlines(), 1) if text in line)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("rank: 16", "rnak: 16", "`select.lora.rnak` is not a setting of a plan. Did you mean `rank`?"),
        ("rank: 16", "rank: many", "`select.lora.rank`: input should be a valid integer"),
        ("epochs: 2", "epochs: 0", "`select.hyperparameters.epochs`: input should be greater than 0"),
        ("method: lora", "method: lorra", "`select.method`: input should be 'full', 'lora' or 'qlora'"),
        ("method: lora", "method: full", "method full takes no lora section"),
        ("method: lora", "method: qlora", "a quantization section goes with method qlora"),
        ("select:\n", "selekt:\n", "`selekt` is not a setting of a plan. Did you mean `select`?"),
        ("kind: drop-duplicates", "kind: drop-dup", "`prepare.repairs.0.kind`"),
        ("name: employees", "name: ../evil", "`name`"),
    ],
)
def test_a_wrong_plan_is_refused_with_file_line_and_name(
    tmp_path: Path, plan_tree: dict[str, Any], old: str, new: str, message: str
) -> None:
    path = _file(tmp_path, plan_tree, old, new)
    with pytest.raises(PlanError) as caught:
        read_plan(path)
    told = str(caught.value)
    assert told.startswith(f"{path}: line ")
    assert message in told
    if "section" not in message:
        assert caught.value.line == _line_of(path, new.strip())


def test_a_missing_value_is_named(tmp_path: Path, plan_tree: dict[str, Any]) -> None:
    path = _file(tmp_path, plan_tree, "    rank: 16\n", "")
    with pytest.raises(PlanError, match=r"line \d+: `select.lora.rank` is missing"):
        read_plan(path)


def test_files_that_are_no_plans_get_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "plan.yaml"
    with pytest.raises(PlanError, match="There is no plan at"):
        read_plan(path)
    path.write_text("a: [1\nb: 2\n")
    with pytest.raises(PlanError, match="line 2: this is not YAML"):
        read_plan(path)
    path.write_text("")
    with pytest.raises(PlanError, match="is not a plan: it holds no sections"):
        read_plan(path)
    path.write_text("just words")
    with pytest.raises(PlanError, match="is not a plan"):
        read_plan(path)
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(PlanError, match="not a text file in UTF-8"):
        read_plan(path)
    with pytest.raises(PlanError, match="is a folder"):
        read_plan(tmp_path)


def test_a_plan_from_a_newer_version_is_refused(tmp_path: Path, plan_tree: dict[str, Any]) -> None:
    path = _file(tmp_path, plan_tree, "version: 1", "version: 99")
    with pytest.raises(PlanError, match="plan version 99 is not known here.*Update Tunesmith"):
        read_plan(path)


def test_yaml_can_not_run_code(tmp_path: Path) -> None:
    path = tmp_path / "plan.yaml"
    path.write_text("name: !!python/object/apply:os.system ['touch /tmp/never']\n")
    with pytest.raises(PlanError):
        read_plan(path)
    assert not Path("/tmp/never").exists()


def test_a_plan_that_can_not_be_written_gets_a_sentence(tmp_path: Path, plan_tree: dict[str, Any]) -> None:
    with pytest.raises(AccessError, match="can't be written"):
        write_plan(tmp_path / "missing" / "plan.yaml", validate(plan_tree))


@pytest.mark.parametrize(
    "bomb",
    [
        "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
        + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 12)),
        "a: &a\n  b: *a\n",
    ],
)
def test_a_small_file_that_unfolds_without_end_is_refused(tmp_path: Path, bomb: str) -> None:
    path = tmp_path / "plan.yaml"
    path.write_text(bomb)
    with pytest.raises(PlanError, match="Anchors|not a setting"):
        read_plan(path)


def test_a_repeated_key_is_refused_with_its_line(tmp_path: Path, plan_tree: dict[str, Any]) -> None:
    path = _file(tmp_path, plan_tree, "rank: 16\n", "rank: 16\n    rank: 8\n")
    with pytest.raises(PlanError, match=r"line \d+"):
        read_plan(path)


def test_numbers_that_are_no_numbers_are_refused(plan_tree: dict[str, Any]) -> None:
    tree = copy.deepcopy(plan_tree)
    tree["select"]["hyperparameters"]["learning_rate"] = float("nan")
    with pytest.raises(PlanError, match="learning_rate"):
        validate(tree)
