"""The whole way as a newcomer goes it: from the table to a tuned, measured, served model, by every method."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tunesmith.core.results import Scored, read_results
from tunesmith.core.run import list_runs

from .conftest import Command

pytestmark = pytest.mark.slow

MODEST = [
    "--set=evaluate.probes=[]",
    "--set=productionize.ask_once=false",
    "--set=finetune.validation_rows=8",
]


def test_the_demo_keeps_what_it_promises(tunesmith: Command, runs_folder: Path) -> None:
    done = tunesmith("demo")
    assert done.returncode == 0, done.stdout + done.stderr
    last = done.stdout.strip().splitlines()[-1]
    assert last.startswith("Exact match ") and last.endswith(" on 300 unseen questions"), last
    for number, title in enumerate(("Understand", "Prepare", "Select", "Fine-tune", "Evaluate", "Productionize"), 1):
        assert f"\n{number} {title}\n" in done.stdout
    run = list_runs(runs_folder)[0]
    results = read_results(run)

    def share(score: Scored | None) -> float:
        assert score is not None
        return score.exact_match.value

    assert share(results.score("base")) < 0.40
    assert share(results.score("tuned")) >= 0.95
    assert share(results.score("merged")) == share(results.score("tuned"))
    probes = {score.rows_kind: share(score) for score in results.scores if score.rows_kind != "test"}
    assert probes["context-withheld"] <= 0.05  # it reads, it does not remember
    assert probes["fields-reordered"] > 0.80
    assert probes["values-invented"] > 0.80
    assert probes["as-prose"] > 0.80
    assert "Asked over HTTP" in done.stdout
    assert (run.merged / "README.md").exists() and run.report_path.exists()


@pytest.mark.parametrize("method", ["qlora", "full"])
def test_the_other_methods_go_from_plan_to_score(tunesmith: Command, runs_folder: Path, method: str) -> None:
    made = tunesmith("plan", "new", "practice", f"--set=select.method={method}", *MODEST)
    assert made.returncode == 0, made.stderr
    done = tunesmith("run", "plan.yaml")
    assert done.returncode == 0, done.stdout + done.stderr
    results = read_results(list_runs(runs_folder)[0])
    tuned, merged = results.score("tuned"), results.score("merged")
    assert tuned is not None and tuned.exact_match.value >= 0.80
    assert (merged is not None) == (method == "qlora")


def test_a_file_of_the_persons_own_goes_the_whole_way(tunesmith: Command, here: Path, runs_folder: Path) -> None:
    """Questions and answers as JSON lines, a shape the practice data has not; nothing but the file is given."""
    with (here / "capitals.jsonl").open("w") as file:
        for number in range(120):
            land, town = f"Land{number}", f"Town{number * 7 % 120}"
            row = {"context": f"{land}: capital {town}.", "question": f"Capital of {land}?", "answer": town}
            file.write(json.dumps(row) + "\n")
    made = tunesmith("plan", "new", "capitals.jsonl", *MODEST, "--set=select.hyperparameters.epochs=2")
    assert made.returncode == 0, made.stderr
    done = tunesmith("run", "plan.yaml", "--json")
    assert done.returncode == 0, done.stdout[-3000:]
    results = read_results(list_runs(runs_folder)[0])
    assert results.score("tuned") is not None and results.score("base") is not None
