from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from tunesmith.core.errors import AccessError, RunError
from tunesmith.core.events import EventWriter, JobStarted, StageFinished
from tunesmith.core.run import (
    SILENT_AFTER_SECONDS,
    ExitRecord,
    JobRecord,
    Run,
    create_run,
    find_run,
    forget_before,
    list_runs,
    stages_left,
    write_json,
)
from tunesmith.core.stages import STAGES


@pytest.fixture
def run(runs_folder: Path) -> Run:
    made = create_run("project", runs_folder)
    made.plan_path.write_text("version: 1\n")
    return made


def _record(pid: int, host: str | None = None) -> JobRecord:
    started = psutil.Process(pid).create_time()
    return JobRecord(pid, started, host or socket.gethostname(), ["finetune"])


def test_a_run_without_a_job_is_new(run: Run) -> None:
    assert run.state().status == "new"
    assert not run.state().alive


def test_a_live_worker_is_seen_and_its_death_is_told_truthfully(run: Run) -> None:
    worker = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    write_json(run.job_path, _record(worker.pid))
    run.heartbeat_path.touch()
    assert run.state().status == "running"
    worker.kill()
    deadline = time.monotonic() + 5
    while run.state().alive and time.monotonic() < deadline:  # the dead child is a zombie until it is waited for
        time.sleep(0.01)
    assert run.state().status == "killed"
    worker.wait()
    assert run.state().status == "killed"


def test_another_process_with_the_same_number_is_not_the_worker(run: Run) -> None:
    write_json(run.job_path, JobRecord(os.getpid(), 1000.0, socket.gethostname(), ["finetune"]))
    assert run.state().status == "killed"


def test_a_live_worker_without_a_heartbeat_is_silent(run: Run) -> None:
    write_json(run.job_path, _record(os.getpid()))
    run.heartbeat_path.touch()
    old = time.time() - SILENT_AFTER_SECONDS - 5
    os.utime(run.heartbeat_path, (old, old))
    state = run.state()
    assert state.status == "silent"
    assert state.alive
    assert "no sign for" in state.text


def test_a_worker_on_another_machine_is_judged_by_its_heartbeat(run: Run) -> None:
    write_json(run.job_path, JobRecord(1, 1.0, "another-host", ["finetune"]))
    run.heartbeat_path.touch()
    assert run.state().text == "running on another-host"
    old = time.time() - SILENT_AFTER_SECONDS - 5
    os.utime(run.heartbeat_path, (old, old))
    assert run.state().status == "killed"


def test_an_exit_record_says_how_it_ended(run: Run) -> None:
    write_json(run.job_path, _record(os.getpid()))
    write_json(run.exit_path, ExitRecord("failed", time.time(), title="The disk is full."))
    state = run.state()
    assert state.status == "failed"
    assert state.text == "failed: The disk is full."


def test_a_checkpoint_that_a_kill_cut_short_is_not_resumed_from(run: Run) -> None:
    for step, whole in ((9, True), (20, True), (100, False)):
        folder = run.checkpoints / f"checkpoint-{step}"
        folder.mkdir()
        if whole:
            (folder / "complete").touch()
    assert run.last_checkpoint() == run.checkpoints / "checkpoint-20"


def test_runs_made_in_the_same_second_get_names_of_their_own(runs_folder: Path) -> None:
    assert len({create_run("p", runs_folder).name for _ in range(3)}) == 3


def test_a_run_is_found_by_name_by_beginning_and_by_folder(run: Run, runs_folder: Path) -> None:
    run.events_path.touch()
    assert find_run(run.name).folder == run.folder
    assert find_run("proj").folder == run.folder
    assert find_run(str(run.folder)).folder == run.folder
    assert find_run().folder == run.folder
    assert [r.name for r in list_runs()] == [run.name]


def test_messages_for_runs_that_are_not_there(run: Run, runs_folder: Path) -> None:
    with pytest.raises(RunError, match=f"There is no run named other. There are: {run.name}"):
        find_run("other")
    second = create_run("project2", runs_folder)
    second.plan_path.write_text("version: 1\n")
    with pytest.raises(RunError, match="2 runs begin with project"):
        find_run("project")
    with pytest.raises(RunError, match="There are no runs yet. Start one with `tunesmith demo`"):
        find_run(root=runs_folder / "elsewhere")


def test_a_place_that_can_not_be_written_to_gets_a_sentence(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.touch()
    with pytest.raises(AccessError, match=r"A run can't be kept in .*Set TUNESMITH_RUNS"):
        create_run("p", blocked / "runs")


def _history(run: Run, *events: JobStarted | StageFinished) -> list[str]:
    writer = EventWriter(run.events_path)
    for event in events:
        writer.write(event)
    writer.close()
    return stages_left(run)


def _begun(*stages: str, resumed: bool = False) -> JobStarted:
    return JobStarted(pid=1, stages=list(stages), resumed=resumed)


def _done(*stages: str) -> list[StageFinished]:
    return [StageFinished(stage=stage, seconds=1, summary="") for stage in stages]


def test_a_resumed_run_does_what_is_left(run: Run) -> None:
    assert _history(run, _begun(*STAGES), *_done("understand", "prepare", "select")) == list(STAGES[3:])
    # looking at one stage again in between loses nothing of what was planned
    assert _history(run, _begun("select"), *_done("select")) == list(STAGES[3:])
    assert _history(run, _begun(*STAGES[3:], resumed=True), *_done("finetune")) == ["evaluate", "productionize"]
    assert _history(run, _begun("evaluate", "productionize", resumed=True), *_done(*STAGES[4:])) == []


def test_training_anew_makes_what_followed_from_the_old_training_due_again(run: Run) -> None:
    assert _history(run, _begun(*STAGES), *_done(*STAGES)) == []
    assert _history(run, _begun("finetune")) == ["finetune", "evaluate", "productionize"]
    assert _history(run, *_done("finetune")) == ["evaluate", "productionize"]


def test_a_run_of_one_stage_only_has_nothing_left(run: Run) -> None:
    assert _history(run, _begun("prepare"), *_done("prepare")) == []


def test_no_old_figure_outlives_a_new_training(run: Run) -> None:
    for path in (run.results_path, run.report_path, run.commands_path, run.data / "train.jsonl"):
        path.write_text("old")
    (run.checkpoints / "checkpoint-9").mkdir()
    run.merged.mkdir()
    forget_before(run, ["understand", "select"])
    assert run.results_path.exists() and run.merged.exists()
    forget_before(run, ["finetune", "evaluate"])
    assert (run.data / "train.jsonl").exists()
    assert not run.results_path.exists() and not run.report_path.exists() and not run.commands_path.exists()
    assert not run.merged.exists() and not list(run.checkpoints.iterdir())
