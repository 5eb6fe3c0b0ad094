"""What a run does before its first step: it scores the untouched model, and trains nothing where a prompt will do."""

from __future__ import annotations

import copy
import os
import signal
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.core.small_run import make_rows, make_run
from tests.core.test_jobs import of_kind, until
from tunesmith.core import jobs
from tunesmith.core.events import Evidence, Finding, JobFinished, Progress, Sample, Step, Validation, Written
from tunesmith.core.evidence import LEAST_ROWS, read_record
from tunesmith.core.launch import resume
from tunesmith.core.plan_yaml import read_plan, write_plan
from tunesmith.core.prompt_file import PromptFile
from tunesmith.core.results import predictions_path, read_predictions
from tunesmith.core.rows import write_rows
from tunesmith.core.run import Run

pytestmark = pytest.mark.slow


def made(root: Path, tree: dict[str, Any], *, rows: int = 12, shots: tuple[int, ...] = (0, 1), **brief: Any) -> Run:
    """A small run that asks `rows` validation rows before its training."""
    tree = copy.deepcopy(tree)
    stop = brief.pop("stop", True)
    tree["understand"] |= {**brief, "evidence": {"shots": list(shots), "stop": stop}}
    run = make_run(root, tree, steps=2)
    several = make_rows(60)
    write_rows(run.rows_path("validation"), several[40 : 40 + rows])
    plan = read_plan(run.plan_path)
    slice_ = plan.finetune.model_copy(update={"validation_rows": rows})
    write_plan(run.plan_path, plan.model_copy(update={"finetune": slice_}))
    return run


def log(run: Run) -> str:
    return run.log_path.read_text()[-3000:]


def texts(run: Run) -> list[str]:
    return [finding.text for finding in of_kind(run, Finding)]


def test_a_goal_that_a_prompt_reaches_stops_the_run_with_a_prompt_file_and_resuming_trains(
    runs_folder: Path, plan_tree: dict[str, Any]
) -> None:
    run = made(runs_folder, plan_tree, shots=(0, 1, 30), threshold=0.0)
    jobs.start(run, ["finetune"])
    state = jobs.wait(run, 180)
    assert (state.status, state.advised) == ("stopped", True), log(run)
    assert state.text == "stopped before the training, as advised"

    told = of_kind(run, Evidence)
    assert [one.shots for one in told] == [0, 1, 30]
    assert all(one.rows == 12 and one.goal_low <= one.goal <= one.goal_high for one in told[:2])
    assert told[2].skipped == "only 24 training rows can be shown"
    assert any(one.doing.endswith(", 1 example") for one in of_kind(run, Progress))
    end = of_kind(run, JobFinished)[-1]
    assert end.advised and "reaches the goal already: exact match" in end.text and "prompt.md" in end.text
    assert "on 12 validation rows, goal 0 %" in end.text
    assert not of_kind(run, Step) and not run.adapter.exists()

    assert [one.path for one in of_kind(run, Written)] == ["prompt.md", "prompt.json"]
    prompt = msgspec.json.decode(run.messages_path.read_bytes(), type=PromptFile)
    best = max(told[:2], key=lambda one: (one.goal, one.f1, -one.shots))
    assert prompt.examples == best.shots and prompt.scored is not None and prompt.scored.f1 == best.f1
    assert prompt.messages[-1] == {"role": "user", "content": "{context}\n\n{question}"}
    asked = {row.group for row in make_rows(60)[40:52]}
    assert not any(
        group in message["content"].replace(",", " ").split() for message in prompt.messages for group in asked
    )
    assert "Goal: exact match of 0 %" in run.prompt_path.read_text()

    resume(run)
    assert jobs.wait(run, 180).status == "finished", log(run)
    assert len(of_kind(run, Evidence)) == 3, "nothing is asked twice"
    assert "Trained all the same, as asked." in texts(run)
    assert not any("No checkpoint was saved" in text for text in texts(run))
    assert [step.step for step in of_kind(run, Step)] == [1, 2]
    first = next(score for score in of_kind(run, Validation) if score.step == 0)
    assert (first.exact_match, first.f1, first.rows) == (told[0].exact_match, told[0].f1, 12)
    assert first.loss is not None
    answers = {p.question: p.answer for p in read_predictions(predictions_path(run, "base", "evidence-0"))}
    shown = [sample for sample in of_kind(run, Sample) if sample.step == 0]
    assert shown and all(answers[sample.question] == sample.answer for sample in shown)
    assert sum("asking the untouched" not in one.doing for one in of_kind(run, Progress)) == 1, (
        "only the last look asks"
    )


def test_an_approach_without_training_stops_the_run_whatever_the_score(
    runs_folder: Path, plan_tree: dict[str, Any]
) -> None:
    scored = made(runs_folder, plan_tree, approach="few-shot", threshold=1.0)
    jobs.start(scored, ["finetune"])
    unscored = made(runs_folder, plan_tree, approach="retrieval", shots=())
    state = jobs.wait(scored, 180)
    assert state.advised, log(scored)
    text = of_kind(scored, JobFinished)[-1].text
    assert text.startswith(
        "The plan's approach is few-shot prompting, not fine-tuning on examples. The untouched model"
    )
    assert text.endswith("Nothing was trained; the best prompt, which does not reach the goal, is in prompt.md.")
    jobs.start(unscored, ["finetune"])
    assert jobs.wait(unscored, 180).advised, log(unscored)
    assert not of_kind(unscored, Evidence)
    prompt = msgspec.json.decode(unscored.messages_path.read_bytes(), type=PromptFile)
    assert prompt.examples == 3 and prompt.scored is None
    assert [message["role"] for message in prompt.messages] == ["user", "assistant"] * 3 + ["user"]
    assert "It was not scored." in unscored.prompt_path.read_text()


def test_where_the_plan_says_so_it_is_trained_all_the_same_and_told(
    runs_folder: Path, plan_tree: dict[str, Any]
) -> None:
    run = made(runs_folder, plan_tree, threshold=0.0, stop=False)
    jobs.start(run, ["finetune"])
    assert jobs.wait(run, 180).status == "finished", log(run)
    assert any("reaches the goal already" in text and "understand.evidence.stop" in text for text in texts(run))
    assert run.prompt_path.exists() and run.adapter.exists()


def test_few_rows_stop_nothing_and_packed_weights_are_told(runs_folder: Path, plan_tree: dict[str, Any]) -> None:
    plan_tree["select"] |= {"method": "qlora", "quantization": {"type": "nf4", "double": True}}
    run = made(runs_folder, plan_tree, threshold=0.0, rows=LEAST_ROWS - 1)
    jobs.start(run, ["finetune"])
    assert jobs.wait(run, 240).status == "finished", log(run)
    assert any(text.endswith("9 rows are too few to stop for.") for text in texts(run))
    assert any("weights packed to nf4" in text for text in texts(run))
    steps = of_kind(run, Step)
    assert steps[-1].gradient_norm and steps[-1].gradient_norm > 0, "packed weights still train after being asked"


def test_killed_while_it_asks_it_goes_on_asking_and_still_stops(runs_folder: Path, plan_tree: dict[str, Any]) -> None:
    run = made(runs_folder, plan_tree, threshold=0.0, shots=(0, 1, 2, 3))
    pid = jobs.start(run, ["finetune"])
    until(run, lambda event: isinstance(event, Evidence))
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    record = read_record(run)
    assert record is not None and record.scored[0].shots == 0 and not record.stopped
    jobs.start(run, ["finetune"], resume=True)
    assert jobs.wait(run, 180).advised, log(run)
    assert [one.shots for one in of_kind(run, Evidence)] == [0, 1, 2, 3]


def test_asking_first_changes_nothing_of_what_is_trained(runs_folder: Path, plan_tree: dict[str, Any]) -> None:
    losses = []
    for shots in ((), (0, 1)):
        run = made(runs_folder, plan_tree, shots=shots, threshold=1.0)
        jobs.start(run, ["finetune"])
        assert jobs.wait(run, 240).status == "finished", log(run)
        losses.append([step.loss for step in of_kind(run, Step)])
    assert losses[0] == pytest.approx(losses[1], abs=1e-6)
