"""The folder that another tool trains from: the rows in its form, and what else it reads."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any, get_args

import pytest

from tunesmith.core.chat_template import PLAIN_TEMPLATE
from tunesmith.core.errors import AccessError, DataError, PlanError
from tunesmith.core.exchange.read import import_file
from tunesmith.core.exchange.rows import line_of, takes_turns
from tunesmith.core.exchange.terms import Tool
from tunesmith.core.exchange.text import parsed
from tunesmith.core.exchange.write import export_to
from tunesmith.core.plan_yaml import validate
from tunesmith.core.practice import MODEL_DIR
from tunesmith.core.rows import Message, Row

TOOLS: tuple[Tool, ...] = get_args(Tool)
ROW = Row("1", [Message("system", "Be brief."), Message("user", "Which colour?")], "red")


def test_each_tool_gets_rows_in_its_own_form() -> None:
    prompt = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Which colour?"}]
    answer = {"role": "assistant", "content": "red"}
    assert line_of(ROW, "trl") == {"prompt": prompt, "completion": [answer]}
    assert line_of(ROW, "llamafactory") == {"messages": [*prompt, answer]}
    turns = line_of(ROW, "axolotl")["messages"]
    assert [turn["train"] for turn in turns] == [False, False, True]


def test_rows_that_llamafactory_would_skip_are_counted(tmp_path: Path, plan_tree: dict[str, Any]) -> None:
    assert takes_turns(ROW)
    assert not takes_turns(Row("2", [Message("user", "a"), Message("user", "b")], "c"))
    chats = [[("user", f"a{n}"), ("user", "b"), ("assistant", "c")] for n in range(8)]
    chats += [[("user", f"d{n}"), ("assistant", "e")] for n in range(32)]
    lines = [{"messages": [{"role": role, "content": text} for role, text in chat]} for chat in chats]
    (tmp_path / "chats.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    plan_tree["prepare"] |= {"data": "chats.jsonl", "shape": "chat", "columns": {"messages": "messages"}}
    plan_tree["prepare"] |= {"fields": [], "questions": [], "layouts": [], "shuffle_fields": False, "repairs": []}
    plan_tree["prepare"]["split"] |= {"by": None, "validation": 0.2}
    written = export_to(tmp_path / "there", validate(plan_tree), "llamafactory", tmp_path)
    assert any("skips 8 rows" in one.why for one in written.exported.dropped)
    assert "skips 8 rows" in written.config.read_text()


@pytest.mark.parametrize("tool", TOOLS)
def test_all_rows_are_there_and_every_file_that_is_named(tool: Tool, plan_tree: dict[str, Any], tmp_path: Path) -> None:
    written = export_to(tmp_path / "a" / "there", validate(plan_tree), tool, tmp_path)
    for part, count in written.parts.items():
        assert len((written.folder / "data" / f"{part}.jsonl").read_text().splitlines()) == count > 0
    said = parsed(written.config.read_text(), "it")
    assert said.get("base_model", said.get("model_name_or_path")) == str(MODEL_DIR)
    if tool == "axolotl":
        named = [one["path"] for one in said["datasets"] + said["test_datasets"]]
    elif tool == "llamafactory":
        info = json.loads((written.folder / said["dataset_dir"] / "dataset_info.json").read_text())
        named = [f"data/{info[said[key]]['file_name']}" for key in ("dataset", "eval_dataset")]
    else:
        named = [f"{said['dataset_name']}/{said[key]}.jsonl" for key in ("dataset_train_split", "dataset_test_split")]
    assert all((written.folder / name).is_file() for name in named)
    imported = import_file(written.config)
    if tool == "trl":
        assert "prepare.data" not in imported.wishes
        assert "its prompts are chats by themselves" in imported.dropped[0].why
    else:
        assert imported.wishes["prepare.data"] == str(written.folder / "data" / "train.jsonl")
    assert imported.wishes["select.model"] == "practice"


@pytest.mark.parametrize("tool", TOOLS)
def test_a_model_without_a_chat_template_gets_one(tool: Tool, plan_tree: dict[str, Any], tmp_path: Path) -> None:
    bare = tmp_path / "bare"
    shutil.copytree(MODEL_DIR, bare)
    (bare / "chat_template.jinja").unlink(missing_ok=True)
    config = json.loads((bare / "tokenizer_config.json").read_text())
    config.pop("chat_template", None)
    (bare / "tokenizer_config.json").write_text(json.dumps(config))
    plan_tree["select"]["model"] = str(bare)
    written = export_to(tmp_path / "there", validate(plan_tree), tool, tmp_path)
    said = parsed(written.config.read_text(), "it")
    if tool == "llamafactory":
        assert said["template"] == "default"
        assert any("no chat template" in one.why for one in written.exported.dropped)
        return
    name = said["chat_template_path" if tool == "trl" else "chat_template_jinja"]
    assert (written.folder / name).read_text() == PLAIN_TEMPLATE


def test_nothing_is_written_over_unasked(plan_tree: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "mine.txt").write_text("mine")
    plan = validate(plan_tree)
    with pytest.raises(PlanError, match="is not empty.*--force"):
        export_to(tmp_path / "there", plan, "trl", tmp_path)
    assert export_to(tmp_path / "there", plan, "trl", tmp_path, force=True).config.is_file()
    with pytest.raises(PlanError, match="is a file"):
        export_to(tmp_path / "there" / "mine.txt", plan, "trl", tmp_path)
    with pytest.raises(AccessError, match="can't be written to"):
        export_to(tmp_path / "there" / "mine.txt" / "inside", plan, "trl", tmp_path)


def test_data_that_is_gone_is_named(plan_tree: dict[str, Any], tmp_path: Path) -> None:
    plan_tree["prepare"]["data"] = "gone.csv"
    with pytest.raises(DataError, match="gone.csv"):
        export_to(tmp_path / "there", validate(plan_tree), "trl", tmp_path)
    assert not (tmp_path / "there").exists()
