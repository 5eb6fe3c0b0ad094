"""What the plan measures by is what a real training tells live, what is judged, and what the report says."""

from __future__ import annotations

import copy
import math
from pathlib import Path
from typing import Any

import pytest

from tests.core.small_run import make_run
from tunesmith.core import jobs
from tunesmith.core.events import EventReader, Score, StageFinished, Validation, Verdict
from tunesmith.core.history import read_history
from tunesmith.core.measures import MEASURES
from tunesmith.core.plan_yaml import read_plan, validate, write_plan
from tunesmith.core.results import read_results
from tunesmith.core.run import Run

pytestmark = pytest.mark.slow


def trained_and_evaluated(root: Path, tree: dict[str, Any], metric: str, threshold: float) -> Run:
    tree = copy.deepcopy(tree)
    tree["understand"] |= {"metric": metric, "threshold": threshold, "error_cost": "high"}
    tree["evaluate"] |= {"resamples": 200, "probes": ["context-withheld"]}
    run = make_run(root, tree, steps=12)
    plan = read_plan(run.plan_path)
    watched = plan.finetune.model_copy(update={"validation_rows": 4})  # all there are, in one batch
    write_plan(run.plan_path, plan.model_copy(update={"finetune": watched}))
    jobs.start(run, ["finetune", "evaluate"])
    assert jobs.wait(run, 280).status == "finished", run.log_path.read_text()[-3000:]
    return run


def of_kind(run: Run, kind: type[Any]) -> list[Any]:
    return [event for event in EventReader(run.events_path).read() if isinstance(event, kind)]


def test_rouge_l_from_the_first_step_to_the_report(runs_folder: Path, plan_tree: dict[str, Any]) -> None:
    run = trained_and_evaluated(runs_folder, plan_tree, "rouge_l", 0.3)
    looks = of_kind(run, Validation)
    assert [look.step for look in looks] == [0, 12]
    assert all(look.metric == "rouge_l" and 0 <= look.score <= 1 for look in looks)
    told = next(one.summary for one in of_kind(run, StageFinished) if one.stage == "finetune")
    shown = MEASURES["rouge_l"].told
    assert f"ROUGE-L on 4 validation rows {shown(looks[0].score)} → {shown(looks[1].score)}" in told
    results = read_results(run)
    base, tuned = results.score("base"), results.score("tuned")
    assert base is not None and tuned is not None and base.score is not None and tuned.score is not None
    assert tuned.score.value > base.score.value and results.gain is not None and results.gain.value > 0
    assert results.reached == (tuned.score.value >= 0.3)
    assert [one.score for one in of_kind(run, Score)] == [one.score.value for one in results.scores if one.score]
    assert results.headline.startswith("Exact match ") and ", ROUGE-L " in results.headline
    report = run.report_path.read_text("utf-8")
    assert "| ROUGE-L |" in report and "a person must stay in the loop" in report


def test_perplexity_from_the_first_step_to_the_verdict(runs_folder: Path, plan_tree: dict[str, Any]) -> None:
    run = trained_and_evaluated(runs_folder, plan_tree, "perplexity", 900)
    looks = of_kind(run, Validation)
    assert [look.metric for look in looks] == ["perplexity"] * 2
    assert 1 < looks[1].score < looks[0].score  # it should fall, towards 1
    best = read_history(run).best
    assert best is not None and best.step == 12
    for look in looks:  # the trainer's own validation loss, of the same tokens of the same rows
        assert math.log(look.score) == pytest.approx(look.loss, rel=0.01)
    results = read_results(run)
    base, tuned = results.score("base"), results.score("tuned")
    assert base is not None and tuned is not None and base.score is not None and tuned.score is not None
    assert 1 < tuned.score.value < base.score.value and results.gain is not None and results.gain.high < 0
    assert [one.reached for one in of_kind(run, Verdict)] == [True]
    assert results.verdict.startswith("Goal of at most 900 reached: perplexity ")


def test_a_training_goes_on_where_its_model_has_no_perplexity(runs_folder: Path, plan_tree: dict[str, Any]) -> None:
    tree = copy.deepcopy(plan_tree)
    tree["understand"] |= {"metric": "perplexity", "threshold": 1.5}
    run = make_run(runs_folder, tree, steps=4)
    plan = validate(tree | {"finetune": tree["finetune"] | {"validation_rows": 2, "evaluate_every": 2}})
    knobs = plan.select.hyperparameters.model_copy(update={"max_length": 16, "batch_size": 4, "epochs": 4 * 4 / 24})
    select = plan.select.model_copy(update={"hyperparameters": knobs})
    write_plan(run.plan_path, plan.model_copy(update={"select": select}))
    jobs.start(run, ["finetune"])
    jobs.wait(run, 200)
    # Cut at 16 tokens no answer is left: that is told by the numbers that are lacking, not by an end.
    assert {look.score for look in of_kind(run, Validation)} == {None}
