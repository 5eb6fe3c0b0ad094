"""The template that rows were prepared with is held, byte by byte, against every tokenizer that comes after."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from tunesmith.core.errors import ModelError
from tunesmith.core.events import EventWriter
from tunesmith.core.plan_yaml import validate
from tunesmith.core.practice import MODEL_DIR
from tunesmith.core.rows import Row, ask, write_rows
from tunesmith.core.run import Run, create_run
from tunesmith.core.worker.job import Job
from tunesmith.core.worker.model import load_tokenizer
from tunesmith.core.worker.template import check_template, keep_template, template_of, template_path


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return create_run("try", tmp_path / "runs")


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """The practice model's folder, to be changed."""
    return Path(shutil.copytree(MODEL_DIR, tmp_path / "model"))


def edit(folder: Path, **changes: Any) -> None:
    path = folder / "tokenizer_config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def template_text(folder: Path) -> str:
    return str(json.loads((folder / "tokenizer_config.json").read_text())["chat_template"])


def test_what_is_saved_and_loaded_again_is_the_same(run: Run, model: Path, tmp_path: Path) -> None:
    tokenizer = load_tokenizer(model)
    kept = keep_template(run, tokenizer)
    tokenizer.save_pretrained(tmp_path / "saved")
    check_template(run, load_tokenizer(tmp_path / "saved"), "the model")
    assert template_of(load_tokenizer(tmp_path / "saved")) == kept and len(kept.sha256) == 64
    assert template_path(run).parent == run.data


def test_one_space_more_in_the_template_is_refused(run: Run, model: Path) -> None:
    kept = keep_template(run, load_tokenizer(model))
    edit(model, chat_template=template_text(model).replace("'<|im_start|>assistant\\n'", "'<|im_start|>assistant \\n'"))
    changed = load_tokenizer(model)
    assert template_of(changed).sha256 != kept.sha256
    with pytest.raises(ModelError, match="another chat template than that of the merged model") as error:
        check_template(run, changed, "the merged model")
    assert error.value.cause.startswith("Not the same: the chat template.")


def test_another_end_mark_is_refused(run: Run, model: Path) -> None:
    keep_template(run, load_tokenizer(model))
    edit(model, eos_token="<|pad|>")
    with pytest.raises(ModelError) as error:
        check_template(run, load_tokenizer(model), "the model")
    assert "eos token" in error.value.cause and "chat template" not in error.value.cause


def test_a_mark_that_became_another_token_is_refused(run: Run, model: Path) -> None:
    keep_template(run, load_tokenizer(model))
    text = template_path(run).read_text()
    template_path(run).write_text(text.replace('"<|im_end|>": 2', '"<|im_end|>": 7'))
    assert template_path(run).read_text() != text
    with pytest.raises(ModelError, match="the token of <|im_end|>"):
        check_template(run, load_tokenizer(model), "the model")


def test_line_ends_of_another_system_are_no_other_template(run: Run, model: Path, tmp_path: Path) -> None:
    edit(model, chat_template=template_text(model).replace("\n", "\r\n"))
    tokenizer = load_tokenizer(model)
    keep_template(run, tokenizer)
    tokenizer.save_pretrained(tmp_path / "saved")
    check_template(run, load_tokenizer(tmp_path / "saved"), "the model")


def test_a_run_that_kept_no_template_passes(run: Run, model: Path) -> None:
    check_template(run, load_tokenizer(model), "the model")


def test_fine_tune_refuses_a_template_that_was_edited_after_prepare(
    run: Run, model: Path, plan_tree: dict[str, Any]
) -> None:
    from tunesmith.core.finetune.job import work

    keep_template(run, load_tokenizer(model))
    for split in ("train", "validation", "test"):
        write_rows(run.rows_path(split), [Row("1", ask("a"), "b")])
    edit(model, chat_template=template_text(model) + " ")
    tree = {**plan_tree, "select": {**plan_tree["select"], "model": str(model)}}
    with pytest.raises(ModelError, match="prepared for another chat template"):
        work(Job(run, validate(tree), EventWriter(run.events_path)))


def test_productionize_refuses_a_template_that_was_edited_beside_the_weights(
    run: Run, model: Path, plan_tree: dict[str, Any]
) -> None:
    from tunesmith.core.productionize.job import work

    keep_template(run, load_tokenizer(model))
    shutil.copytree(model, run.adapter)
    (run.adapter / "adapter_config.json").write_text("{}")
    edit(run.adapter, chat_template=template_text(model).replace("<|im_end|>", "<|im_end|> ", 1))
    with pytest.raises(ModelError, match="that of the tuned model"):
        work(Job(run, validate(plan_tree), EventWriter(run.events_path)))
