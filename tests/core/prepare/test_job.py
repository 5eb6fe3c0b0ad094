"""The stage inside a run, with a real tokenizer and chat template."""

from __future__ import annotations

import copy
import errno
import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tunesmith.core.errors import AccessError, DataError
from tunesmith.core.events import AnyEvent, EventReader, EventWriter, Finding
from tunesmith.core.plan_yaml import validate
from tunesmith.core.practice import EMPLOYEES_CSV
from tunesmith.core.prepare import job as stage
from tunesmith.core.prepare.pipeline import prepare_rows
from tunesmith.core.prepare.prepared import AsideLine
from tunesmith.core.rows import SPLITS, Row, read_rows
from tunesmith.core.run import Run, create_run
from tunesmith.core.worker.job import Job

TEMPLATE = (
    "{% for message in messages %}<|start|>{{ message['role'] }}\n"
    "{% if message['role'] == 'assistant' %}{% generation %}{{ message['content'] }}<|end|>{% endgeneration %}"
    "{% else %}{{ message['content'] }}<|end|>{% endif %}\n{% endfor %}"
    "{% if add_generation_prompt %}<|start|>assistant\n{% endif %}"
)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model small enough to be made here: one layer, and a tokenizer that knows bytes and the practice table."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    folder = tmp_path_factory.mktemp("model")
    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=400,
        special_tokens=["<|start|>", "<|end|>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    made.train_from_iterator([EMPLOYEES_CSV.read_text()], trainer)
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=made, eos_token="<|end|>", pad_token="<|end|>")
    tokenizer.chat_template = TEMPLATE
    tokenizer.save_pretrained(folder)
    config = LlamaConfig(
        vocab_size=400, hidden_size=16, intermediate_size=32, num_hidden_layers=1, num_attention_heads=2
    )
    LlamaForCausalLM(config).save_pretrained(folder)
    return folder


def job_for(tree: dict[str, Any], root: Path, model: Path, **prepare: Any) -> Job:
    tree = copy.deepcopy(tree)
    tree["select"]["model"] = str(model)
    tree["select"]["hyperparameters"]["max_length"] = prepare.pop("max_length", 400)
    tree["prepare"] |= prepare
    run = create_run("try", root)
    return Job(run, validate(tree), EventWriter(run.events_path))


def findings(run: Run) -> list[Finding]:
    events: list[AnyEvent] = EventReader(run.events_path).read()
    return [event for event in events if isinstance(event, Finding)]


def test_the_rows_of_each_part_are_written_with_what_was_set_aside(
    plan_tree: dict[str, Any], tmp_path: Path, model: Path
) -> None:
    repairs = [{"kind": "drop-duplicates"}, {"kind": "dates-to-iso", "column": "hire_date"}]
    job = job_for(plan_tree, tmp_path, model, repairs=repairs)
    summary = stage.work(job)
    prepared = prepare_rows(job.plan.prepare)
    for name in SPLITS:
        assert list(read_rows(job.run.rows_path(name))) == list(prepared.rows(name))
    lines = (job.run.data / "set-aside.jsonl").read_bytes().splitlines()
    aside = [msgspec.json.decode(line, type=AsideLine) for line in lines]
    assert len(aside) == prepared.account.aside == 5  # duplicates, dates in doubt, no answer
    assert {one.step for one in aside} == {"drop-duplicates", "dates-to-iso", "make-rows"}
    text = EMPLOYEES_CSV.read_text().splitlines()
    assert all(text[one.line - 1].startswith(f"{one.values['id']},{one.values['name']}") for one in aside)
    train, validation, test = (prepared.account.parts[name] for name in SPLITS)
    parts = f"{train} train, {validation} validation, {test} test"
    assert summary.startswith(f"410 rows read, 5 set aside, {prepared.total} questions: {parts}; ")
    assert summary.endswith(" of tokens are trained")
    assert not list(job.run.data.glob("*.part"))


def test_what_was_found_and_done_is_told(plan_tree: dict[str, Any], tmp_path: Path, model: Path) -> None:
    job = job_for(plan_tree, tmp_path, model, fingerprint="sha256:other")
    stage.work(job)
    told = findings(job.run)
    texts = [one.text for one in told]
    assert texts[0] == "employees.csv has changed since the plan was made; the rows are made from what it holds now."
    assert texts[1] == "2 rows set aside: repeats of an earlier row."
    assert texts[2].startswith("1 row set aside: 1 row because it answers none of the questions")
    assert texts[3].startswith("Split by name, nobody in two parts: ")
    assert texts[4].endswith("tokens are trained, the answers; the prompts are masked.")
    assert [one.level for one in told] == ["warning", "note", "warning", "ok", "ok"]


def test_the_first_rows_show_what_is_trained_and_what_is_masked(
    plan_tree: dict[str, Any], tmp_path: Path, model: Path
) -> None:
    job = job_for(plan_tree, tmp_path, model)
    stage.work(job)
    rendered = msgspec.json.decode((job.run.data / "rendered.json").read_bytes(), type=list[stage.Rendered])
    rows = list(read_rows(job.run.rows_path("train")))[:3]
    assert [one.id for one in rendered] == [row.id for row in rows]
    for one, row in zip(rendered, rows, strict=True):
        (prompt, masked), (answer, trained) = one.pieces
        assert (masked, trained) == (False, True)
        assert row.prompt[0].content in prompt
        assert answer == f"{row.answer}<|end|>"


def test_rows_that_lose_part_of_their_answer_are_counted(
    plan_tree: dict[str, Any], tmp_path: Path, model: Path
) -> None:
    data = tmp_path / "qa.jsonl"
    rows = [{"q": f"{n}?", "a": "yes " * (60 if n == 5 else 1)} for n in range(60)]
    data.write_text("\n".join(json.dumps(row) for row in rows))
    job = job_for(plan_tree, tmp_path, model, **_questions(data), max_length=100)
    summary = stage.work(job)
    cut = [one for one in findings(job.run) if "cut off" in one.text]
    assert [(one.text, one.level, one.count) for one in cut] == [
        ("1 row longer than 100 tokens: the end of the answer is cut off.", "warning", 1)
    ]
    assert "60 questions" in summary


def test_a_row_without_any_trained_token_is_refused_by_name(
    plan_tree: dict[str, Any], tmp_path: Path, model: Path
) -> None:
    data = tmp_path / "qa.jsonl"
    rows = [{"q": "word " * (80 if n in (5, 9) else 1) + str(n), "a": "yes"} for n in range(60)]
    data.write_text("\n".join(json.dumps(row) for row in rows))
    job = job_for(plan_tree, tmp_path, model, **_questions(data), max_length=64)
    with pytest.raises(DataError) as caught:
        stage.work(job)
    assert caught.value.title == "2 rows would be trained on without their answer."
    assert caught.value.cause == "The sequence length of 64 tokens ends before the answer begins (rows 6, 10)."
    needed = int(caught.value.next_step.removeprefix("Raise select.hyperparameters.max_length to ").partition(",")[0])
    job = job_for(plan_tree, tmp_path, model, **_questions(data), max_length=needed)
    stage.work(job)
    assert not [one for one in findings(job.run) if "cut off" in one.text], "what is advised is enough"


def _questions(data: Path) -> dict[str, Any]:
    return {
        "data": str(data),
        "shape": "question-answer",
        "columns": {"question": "q", "answer": "a"},
        "fields": [],
        "questions": [],
        "layouts": [],
        "repairs": [],
        "split": {"by": None, "validation": 0.1, "test": 0.1, "seed": 8},
    }


def test_odd_text_goes_through_to_the_rows_and_only_a_control_mark_is_broken_up(
    plan_tree: dict[str, Any], tmp_path: Path, model: Path
) -> None:
    odd = "\x1b[2J [bold red]x[/] \u202egnp.exe 🙂 \x07<|end|>"
    data = tmp_path / "qa.jsonl"
    data.write_text("\n".join(json.dumps({"q": f"{odd} {n}", "a": odd}) for n in range(60)))
    job = job_for(plan_tree, tmp_path, model, **_questions(data))
    stage.work(job)
    rows: list[Row] = [row for name in SPLITS for row in read_rows(job.run.rows_path(name))]
    assert len(rows) == 60 and all(row.answer == odd.replace("<|end|>", "< |end|>") for row in rows)
    told = next(one for one in findings(job.run) if "control mark" in one.text)
    assert (told.level, told.count) == ("note", 60)


def test_a_run_that_can_not_be_written_to_says_so(
    plan_tree: dict[str, Any], tmp_path: Path, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = job_for(plan_tree, tmp_path, model)

    def refuse(*_: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", "x")

    monkeypatch.setattr(stage, "_copy_rows", refuse)
    with pytest.raises(AccessError) as caught:
        stage.work(job)
    assert str(caught.value) == (
        f"{job.run.data} can't be written to: Permission denied. Mend its permissions, or set TUNESMITH_RUNS to a "
        "folder that you may write to."
    )


def test_a_full_disk_is_left_to_the_worker_which_names_it(
    plan_tree: dict[str, Any], tmp_path: Path, model: Path
) -> None:
    job = job_for(plan_tree, tmp_path, model)
    (job.run.data / "train.jsonl.part").symlink_to("/dev/full")
    with pytest.raises(OSError) as caught:
        stage.work(job)
    assert caught.value.errno == errno.ENOSPC


def test_everything_but_the_job_is_light() -> None:
    import subprocess
    import sys

    code = (
        "import sys, tunesmith.core.prepare.recommend, tunesmith.core.prepare.prepared, tunesmith.core.survey\n"
        "heavy = {'torch', 'transformers', 'datasets', 'pandas', 'pyarrow', 'numpy', 'rich', 'textual'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "[]"
