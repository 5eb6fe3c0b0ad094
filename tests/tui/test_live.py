"""A run seen from real terminals: closed in the middle, attached again, killed, resumed, and started anew elsewhere."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import time
from pathlib import Path

import pexpect
import pytest

from tests.core.small_run import make_run
from tunesmith.core.events import EventReader, StageFinished, Step
from tunesmith.core.plan_yaml import dump_plan
from tunesmith.core.run import Run, list_runs

from .conftest import TUNESMITH, Command

pytestmark = pytest.mark.slow

SHORT = [
    "--set=select.hyperparameters.epochs=1",
    "--set=finetune.validation_rows=4",
    "--set=evaluate.probes=[]",
    "--set=finetune.save_every=10",
]


def wait_for(found: object, seconds: float = 180) -> None:
    deadline = time.monotonic() + seconds
    while not found():  # type: ignore[operator]
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.1)


def steps(run: Run) -> list[Step]:
    return [event for event in EventReader(run.events_path).stream() if isinstance(event, Step)]


def terminal(*words: str) -> pexpect.spawn:
    return pexpect.spawn(TUNESMITH, list(words), dimensions=(24, 80), encoding="utf-8", timeout=180)


def test_closing_the_terminal_leaves_the_run_going_and_attach_shows_it(
    runs_folder: Path, tunesmith: Command, here: Path
) -> None:
    assert tunesmith("plan", "new", "practice", *SHORT).returncode == 0
    screen = terminal("run", str(here / "plan.yaml"))
    screen.expect("4 Fine-tune")
    screen.expect("step [0-9]+ of")
    run = list_runs(runs_folder)[0]
    with contextlib.suppress(pexpect.ExceptionPexpect):  # it complains where the end takes more than a moment
        screen.close(force=False)  # the terminal hangs up
    wait_for(lambda: not screen.isalive(), 10)
    assert run.state().alive
    before = len(steps(run))
    again = terminal("attach", "--plain")
    again.expect("2 Prepare")  # from its beginning
    again.expect("4 Fine-tune")
    wait_for(lambda: len(steps(run)) > before)
    again.sendintr()
    again.expect("goes on without this window")
    again.expect(pexpect.EOF)
    assert run.state().alive
    again.close()
    assert again.exitstatus == 130
    listed = json.loads(tunesmith("runs", "--json").stdout)
    assert [(one["run"], one["status"]) for one in listed] == [(run.name, "running")]
    done = tunesmith("attach", run.name)
    assert done.returncode == 0, done.stdout
    assert done.stdout.strip().splitlines()[-1].startswith("Exact match ")


def test_a_killed_worker_is_told_by_runs_and_resume_finishes_it(
    runs_folder: Path, plan_tree: dict[str, object], tunesmith: Command
) -> None:
    run = make_run(runs_folder, plan_tree, steps=60, save_every=5)
    assert tunesmith("run", run.name, "--only", "finetune", "--detach").returncode == 0
    wait_for(lambda: run.last_checkpoint() is not None)
    job = run.job()
    assert job is not None
    os.kill(job.pid, signal.SIGKILL)
    wait_for(lambda: not run.state().alive, 5)
    assert "killed" in tunesmith("runs").stdout
    attached = tunesmith("attach", run.name)
    assert attached.returncode == 4
    assert "the worker was killed before it could finish. Nothing saved is lost." in attached.stdout
    assert f"tunesmith run {run.name} --resume" in attached.stdout
    resumed = tunesmith("run", run.name, "--resume")
    assert resumed.returncode == 0, resumed.stdout + resumed.stderr
    assert "· resumed" in resumed.stdout
    assert run.state().status == "finished"
    assert steps(run)[-1].step == 60
    finished = tunesmith("run", run.name, "--resume")
    assert finished.returncode == 2
    assert "is finished" in finished.stderr


def test_stop_saves_and_says_how_to_go_on(runs_folder: Path, plan_tree: dict[str, object], tunesmith: Command) -> None:
    run = make_run(runs_folder, plan_tree, steps=400, save_every=1000)
    assert tunesmith("run", run.name, "--only", "finetune", "--detach").returncode == 0
    wait_for(lambda: bool(steps(run)))
    stopped = tunesmith("stop")
    assert stopped.returncode == 0, stopped.stderr
    assert "stopped and saved" in stopped.stdout
    assert f"tunesmith run {run.name} --resume" in stopped.stdout
    assert run.last_checkpoint() is not None
    assert tunesmith("attach").returncode == 3


def test_the_exported_plan_gives_the_same_answers_to_the_row_elsewhere(
    runs_folder: Path, tmp_path: Path, tunesmith: Command, here: Path
) -> None:
    assert tunesmith("plan", "new", "practice", *SHORT, "--set=productionize.ask_once=false").returncode == 0
    first = tunesmith("run", "plan.yaml", "--json")
    assert first.returncode == 0, first.stdout[-2000:]
    summaries = [json.loads(line) for line in first.stdout.splitlines()]
    assert any(event["event"] == "stage_finished" and event["stage"] == "evaluate" for event in summaries)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "exported.yaml").write_text(list_runs(runs_folder)[0].plan_path.read_text())
    other_runs = tmp_path / "other-runs"
    second = tunesmith("run", str(elsewhere / "exported.yaml"), TUNESMITH_RUNS=str(other_runs))
    assert second.returncode == 0, second.stdout
    runs = (list_runs(runs_folder)[0], list_runs(other_runs)[0])
    for name in sorted(path.name for path in runs[0].predictions.iterdir()):
        ours, theirs = ((run.predictions / name).read_text() for run in runs)
        assert ours == theirs, name


def test_a_job_runs_on_when_its_starter_is_killed(
    runs_folder: Path, plan_tree: dict[str, object], tmp_path: Path
) -> None:
    run = make_run(runs_folder, plan_tree, steps=12)
    starter = terminal("run", run.name, "--only", "finetune")
    wait_for(lambda: run.state().alive, 30)
    starter.kill(signal.SIGKILL)
    wait_for(lambda: run.state().status == "finished")
    finished = [event for event in EventReader(run.events_path).stream() if isinstance(event, StageFinished)]
    assert [event.stage for event in finished] == ["finetune"]


def test_the_plan_in_a_run_is_the_plan_that_was_given(tunesmith: Command, here: Path, runs_folder: Path) -> None:
    from tunesmith.core.plan_yaml import read_plan

    assert tunesmith("plan", "new", "practice").returncode == 0
    assert tunesmith("run", "plan.yaml", "--only", "understand").returncode == 0
    given, kept = read_plan(here / "plan.yaml"), read_plan(list_runs(runs_folder)[0].plan_path)
    assert dump_plan(given) == dump_plan(kept)
