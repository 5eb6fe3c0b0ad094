"""Jobs as they are: real processes that train a real model, are stopped, killed and taken up again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.core.small_run import make_rows, make_run
from tunesmith.core import jobs
from tunesmith.core.errors import DataError, ModelError, RunError
from tunesmith.core.events import AnyEvent, Checkpoint, EventReader, JobError, JobFinished, JobStarted, Step, Validation
from tunesmith.core.plan_yaml import validate, write_plan
from tunesmith.core.rows import write_rows
from tunesmith.core.run import Run, create_run

slow = pytest.mark.slow


def until(run: Run, found: Callable[[AnyEvent], bool], seconds: float = 120) -> None:
    """Wait for an event of the run."""
    reader, deadline = EventReader(run.events_path), time.monotonic() + seconds
    while time.monotonic() < deadline:
        if any(found(event) for event in reader.read()):
            return
        assert run.state().alive, run.log_path.read_text()[-3000:]
        time.sleep(0.02)
    raise AssertionError("the event did not come")


def of_kind(run: Run, kind: type[Any]) -> list[Any]:
    return [event for event in EventReader(run.events_path).read() if isinstance(event, kind)]


@slow
def test_a_job_trains_and_leaves_an_adapter_a_log_and_its_events(runs_folder: Path, plan_tree: dict[str, Any]) -> None:
    run = make_run(runs_folder, plan_tree)
    jobs.start(run, ["finetune"])
    assert jobs.wait(run, 180).status == "finished", run.log_path.read_text()[-3000:]
    assert (run.adapter / "adapter_model.safetensors").exists()
    # An adapter is passed on: it must not tell where it was made.
    config = (run.adapter / "adapter_config.json").read_text()
    assert str(Path.home()) not in config and "/practice/model" not in config and str(run.folder) not in config
    steps = of_kind(run, Step)
    assert [step.step for step in steps] == list(range(1, 13))
    assert all(step.steps == 12 and step.tokens_per_second >= 0 and step.memory_bytes > 1e8 for step in steps)
    assert steps[-1].loss < steps[0].loss
    scores = of_kind(run, Validation)
    assert [score.step for score in scores] == [0, 12]
    assert all(score.rows == 2 and score.loss is not None for score in scores)
    assert of_kind(run, JobFinished)[-1].outcome == "finished"


@slow
def test_a_killed_worker_is_told_and_resuming_ends_as_if_nothing_had_happened(
    runs_folder: Path, plan_tree: dict[str, Any]
) -> None:
    from safetensors.numpy import load_file

    whole = make_run(runs_folder, plan_tree)
    jobs.start(whole, ["finetune"])
    broken = make_run(runs_folder, plan_tree)
    assert jobs.wait(whole, 180).status == "finished"

    pid = jobs.start(broken, ["finetune"])
    until(broken, lambda event: isinstance(event, Checkpoint) and event.step == 4)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    assert broken.state().status == "killed"
    assert not broken.adapter.exists()

    jobs.start(broken, ["finetune"], resume=True)
    assert jobs.wait(broken, 180).status == "finished", broken.log_path.read_text()[-3000:]
    resumed = of_kind(broken, JobStarted)[-1]
    assert resumed.resumed
    after = [event.step for event in of_kind(broken, Step) if event.at > resumed.at]
    assert after[0] > 4 and after[-1] == 12
    expected, found = (load_file(run.adapter / "adapter_model.safetensors") for run in (whole, broken))
    assert expected.keys() == found.keys()
    for name, weights in expected.items():
        assert abs(weights - found[name]).max() < 1e-5, name


@slow
def test_stopping_saves_a_checkpoint_to_go_on_from(runs_folder: Path, plan_tree: dict[str, Any]) -> None:
    run = make_run(runs_folder, plan_tree, steps=200, save_every=1000)
    jobs.start(run, ["finetune"])
    with pytest.raises(RunError, match="is being worked on already"):
        jobs.start(run, ["finetune"])
    until(run, lambda event: isinstance(event, Step))
    jobs.stop(run)
    state = jobs.wait(run, 60)
    assert state.status == "stopped"
    assert run.last_checkpoint() is not None
    assert of_kind(run, JobFinished)[-1].outcome == "stopped"
    with pytest.raises(RunError, match="is not running: stopped and saved"):
        jobs.stop(run)


def test_files_beside_the_person_are_never_run_as_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, runs_folder: Path, plan_tree: dict[str, Any]
) -> None:
    (tmp_path / "random.py").write_text("raise SystemExit('executed')\n")
    monkeypatch.chdir(tmp_path)
    from tunesmith.core.practice import MODEL_DIR

    with jobs.Helper() as helper:
        assert helper.ask("look", wishes={}, base=str(tmp_path))["facts"]["data"]["source"] == "practice"
        assert helper.ask("tokens", model=str(MODEL_DIR))["profile"]["rows"] == 1200
    run = create_run("safe", runs_folder)
    write_plan(run.plan_path, validate(plan_tree))
    (run.folder / "random.py").write_text("raise SystemExit('executed')\n")
    jobs.start(run, ["understand", "prepare"])
    assert jobs.wait(run, 60).status == "finished", run.log_path.read_text()


def test_of_two_starts_at_the_same_moment_only_one_works(runs_folder: Path, plan_tree: dict[str, Any]) -> None:
    run = create_run("twice", runs_folder)
    write_plan(run.plan_path, validate(plan_tree))
    write_rows(run.rows_path("train"), make_rows(4))
    code = (
        "import sys, pathlib\nfrom tunesmith.core import jobs\nfrom tunesmith.core.run import Run\n"
        "try: jobs.start(Run(pathlib.Path(sys.argv[1])), ['understand', 'finetune'])\n"
        "except jobs.RunError as error: print(error.title)"
    )
    words = [sys.executable, "-c", code, str(run.folder)]
    starters = [subprocess.Popen(words, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    said = [starter.communicate(timeout=60)[0].strip() for starter in starters]
    jobs.kill(run)
    assert sorted(said) == ["", *[f"{run.name} is being worked on already."] * 3]
    assert len(of_kind(run, JobStarted)) == 1


@slow
@pytest.mark.parametrize(
    ("method", "select"),
    [
        ("full", {"method": "full", "lora": None, "quantization": None}),
        ("qlora", {"method": "qlora", "quantization": {"type": "nf4", "double": True}}),
    ],
)
def test_the_other_methods_train_too(
    runs_folder: Path, plan_tree: dict[str, Any], method: str, select: dict[str, Any]
) -> None:
    tree = plan_tree | {"select": plan_tree["select"] | select}
    run = make_run(runs_folder, tree, steps=12)
    jobs.start(run, ["finetune"])
    assert jobs.wait(run, 180).status == "finished", run.log_path.read_text()[-3000:]
    losses = [step.loss for step in of_kind(run, Step)]
    assert losses[-1] < losses[0]
    assert (run.merged / "model.safetensors").exists() == (method == "full")
    assert (run.adapter / "adapter_model.safetensors").exists() == (method == "qlora")


def test_a_failing_job_says_why_and_keeps_its_traceback_in_the_log(
    runs_folder: Path, plan_tree: dict[str, Any]
) -> None:
    tree = plan_tree | {"select": plan_tree["select"] | {"model": "/no/such/model"}}
    run = create_run("bad", runs_folder)
    write_plan(run.plan_path, validate(tree))
    write_rows(run.rows_path("train"), make_rows(4))
    write_rows(run.rows_path("validation"), [])
    jobs.start(run, ["finetune"])
    state = jobs.wait(run, 60)
    assert state.status == "failed"
    error = of_kind(run, JobError)[-1]
    assert "/no/such/model" in error.title
    assert error.stage == "finetune"
    assert "Traceback" in run.log_path.read_text()


def test_training_before_preparing_says_what_to_do(runs_folder: Path, plan_tree: dict[str, Any]) -> None:
    run = create_run("unprepared", runs_folder)
    write_plan(run.plan_path, validate(plan_tree))
    jobs.start(run, ["finetune"])
    assert jobs.wait(run, 60).status == "failed"
    error = of_kind(run, JobError)[-1]
    assert error.title == "The data of this run was not prepared yet."
    assert "--from prepare" in error.next_step


def test_the_helper_counts_tokens_and_answers_again_after_a_mistake(tmp_path: Path) -> None:
    from tunesmith.core.practice import MODEL_DIR

    (tmp_path / "faq.csv").write_text("question,answer\n" + "".join(f"Which is {n}?,it is {n}\n" for n in range(20)))
    with jobs.Helper() as helper:
        with pytest.raises(DataError, match="There is no file"):
            helper.ask("look", wishes={"prepare.data": "nowhere.csv"}, base=str(tmp_path))
        seen = helper.ask("look", wishes={"prepare.data": "faq.csv"}, base=str(tmp_path))
        with pytest.raises(ModelError, match="tokenizer in .*nowhere can't be loaded"):
            helper.ask("tokens", model=str(tmp_path / "nowhere"))
        answer = helper.ask("tokens", model=str(MODEL_DIR))
    assert seen["preview"]["read"] == 20
    assert answer["profile"]["rows"] == 20
    assert sum(count for _, count in answer["profile"]["bins"]) == 20
    assert 0 < answer["profile"]["trained_share"] < 0.5
    trained = ["".join(text for text, is_trained in one["pieces"] if is_trained) for one in answer["pictures"]]
    assert trained == [f"{row['answer']}<|im_end|>" for row in seen["preview"]["examples"]]
