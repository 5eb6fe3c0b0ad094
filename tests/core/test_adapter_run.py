"""A run with another adapter than LoRA goes the whole way: trained, scored, merged or said why not, described."""

from __future__ import annotations

import contextlib
import io
import warnings
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from tests.core.small_run import make_run
from tunesmith.core.events import EventReader, EventWriter, Finding
from tunesmith.core.plan_yaml import read_plan
from tunesmith.core.results import read_results
from tunesmith.core.worker.job import Job

pytestmark = pytest.mark.slow


def went(root: Path, tree: dict[str, Any], **select: Any) -> tuple[Job, dict[str, str]]:
    """A run of a few steps through the last three stages, and what each said at its end."""
    tree["select"].pop("lora")
    tree["select"]["hyperparameters"]["learning_rate"] = 3e-2
    tree["evaluate"]["probes"] = []
    tree["productionize"] |= {"merge": select["peft"] == "ia3", "ask_once": False}
    run = make_run(root, tree, steps=8, **select)
    job = Job(run, read_plan(run.plan_path), EventWriter(run.events_path))
    said = {}
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        for stage in ("finetune", "evaluate", "productionize"):
            said[stage] = import_module(f"tunesmith.core.{stage}.job").work(job)
    return job, said


def test_ia3_is_scored_merged_and_answers_the_same(runs_folder: Path, plan_tree: dict[str, Any]) -> None:
    job, said = went(runs_folder, plan_tree, peft="ia3")
    results = read_results(job.run)
    assert {score.model for score in results.scores} == {"base", "tuned", "merged"}
    assert "merged model gives the same answers on 8 of 8 rows" in said["productionize"]
    card = (job.run.adapter / "README.md").read_text("utf-8")
    assert "An IA3 adapter for Tunesmith's built-in practice model." in card
    assert "| adapter | IA3 |" in card


def test_prompt_tuning_is_scored_and_says_why_it_is_not_merged(runs_folder: Path, plan_tree: dict[str, Any]) -> None:
    job, said = went(runs_folder, plan_tree, peft="prompt", virtual_tokens=8)
    assert {score.model for score in read_results(job.run).scores} == {"base", "tuned"}
    assert not job.run.merged.exists()
    told = [event.text for event in EventReader(job.run.events_path).read() if isinstance(event, Finding)]
    assert any(text.startswith("Prompt tuning can't be merged") for text in told)
    assert "adapter (" in said["productionize"]
    card = (job.run.adapter / "README.md").read_text("utf-8")
    assert "PeftModel.from_pretrained" in card
    assert "| virtual tokens | 8 |" in card
