"""A run that was recorded before the metric could be chosen still opens: its events, results and answers."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tunesmith.core.events import EventReader, Score, Validation
from tunesmith.core.history import read_history
from tunesmith.core.results import predictions_path, read_predictions, read_results
from tunesmith.core.run import Run, create_run

RECORDED = Path(__file__).parent / "recorded" / "before-metrics"
"""Of the practice demo on a processor; `progress` lines were left out."""


@pytest.fixture
def run(runs_folder: Path) -> Run:
    made = create_run("employees", runs_folder)
    shutil.copy(RECORDED / "events.jsonl", made.events_path)
    shutil.copy(RECORDED / "results.json", made.results_path)
    made.predictions.mkdir(exist_ok=True)
    shutil.copy(RECORDED / "tuned-test.jsonl", predictions_path(made, "tuned"))
    return made


def test_no_line_of_its_events_is_lost(run: Run) -> None:
    lines = run.events_path.read_bytes().count(b"\n")
    events = EventReader(run.events_path).read()
    assert len(events) == lines
    looks = [one for one in events if isinstance(one, Validation)]
    assert {(one.metric, one.score) for one in looks} == {("exact_match", None)}
    assert [one.by("exact_match") for one in looks[:2]] == [0.0, 0.7083333333333334]
    assert looks[1].by("f1") == 0.7430555555555555 and looks[1].by("rouge_l") is None
    scores = [one for one in events if isinstance(one, Score)]
    assert all(one.by(one.metric) is not None for one in scores)


def test_its_history_has_the_best_scores(run: Run) -> None:
    history = read_history(run)
    assert history.untouched is not None and history.untouched.exact_match == 0.0
    assert history.best is not None and history.best.step == 106  # of equals the lowest loss
    assert history.training_done and history.verdict is not None


def test_its_results_and_answers_are_read_with_what_they_hold(run: Run) -> None:
    results = read_results(run)
    assert results.metric == "exact_match" and results.gain == results.gain_exact_match
    tuned, prose = results.score("tuned"), results.score("tuned", "as-prose")
    assert tuned is not None and tuned.by("exact_match") == tuned.exact_match and tuned.by("rouge_l") is None
    assert prose is not None and prose.plainly("exact_match") == 1.0
    assert [one.by("f1") for one in read_predictions(predictions_path(run, "tuned"))] == [1.0, 1.0, 1.0]
