"""In a run, Select looks at the machine again, tells its memory term by term, and stops what surely can't work."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.core.test_git_state import repository
from tunesmith.core.errors import SpaceError, TunesmithError
from tunesmith.core.events import Decision, EventReader, EventWriter, Finding
from tunesmith.core.facts import Hardware, ModelFacts
from tunesmith.core.git_state import GitState
from tunesmith.core.jobs import STARTED_IN
from tunesmith.core.plan_yaml import validate
from tunesmith.core.run import create_run
from tunesmith.core.select import job as stage
from tunesmith.core.worker.job import Job

from ..facts_kit import SEVEN_B, SMALL, machine


@pytest.fixture
def at(plan_tree: dict[str, Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    def make(hardware: Hardware, model: ModelFacts = SMALL, **changes: Any) -> Job:
        plan_tree["select"].update(changes)
        monkeypatch.setattr(stage, "probe_hardware", lambda _: hardware)
        monkeypatch.setattr(stage, "find_model", lambda _: model)
        run = create_run("employees", tmp_path / "runs")
        return Job(run, validate(plan_tree), EventWriter(run.events_path))

    return make


def told(job: Job, kind: type) -> list[Any]:
    return [event for event in EventReader(job.run.events_path).read() if isinstance(event, kind)]


def test_the_choice_is_told_in_a_sentence_and_its_memory_term_by_term(at: Any) -> None:
    job = at(machine())
    summary = stage.work(job)
    assert summary.startswith("LoRA r 16 on practice model (2.2 M parameters), about ")
    assert summary.endswith("of 22.0 GiB")
    decisions = {event.name: event for event in told(job, Decision)}
    assert decisions["Method"].value == "LoRA r 16"
    assert decisions["Learning rate"].value == "0.002"
    assert decisions["Memory: weights"].value == "8 MiB"
    assert decisions["Memory: libraries"].because.startswith("measured")
    assert "an estimate" in decisions["Memory"].because
    assert told(job, Finding) == []


def test_the_environment_is_written_with_versions_hardware_and_git_state(
    at: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit = repository(tmp_path / "mine")
    monkeypatch.setenv(STARTED_IN, str(tmp_path / "mine"))
    job = at(machine("T4"))
    stage.work(job)
    record = msgspec.json.decode(job.run.environment_path.read_bytes(), type=stage.Environment)
    assert record.packages["trl"].startswith("1.")
    assert record.hardware.driver == "580.95.05"
    assert record.hardware.gpus[0].name == "Tesla T4"
    assert record.model == SMALL
    assert record.git == GitState(commit, changed=False)
    assert (record.python[:2], bool(record.tunesmith)) == ("3.", True)


def test_a_plan_for_a_gpu_without_one_says_why_and_what_to_change(at: Any) -> None:
    broken = msgspec.structs.replace(machine(), gpu_problem="The driver is not loaded: run `sudo modprobe nvidia`.")
    with pytest.raises(TunesmithError) as caught:
        stage.work(at(broken, device="cuda", precision="bf16"))
    assert caught.value.title == "The plan computes on a GPU, and none can be used here."
    assert caught.value.cause == broken.gpu_problem
    assert "select.device to cpu and select.precision to fp32" in caught.value.next_step


def test_what_surely_does_not_fit_is_stopped_before_anything_is_loaded(at: Any) -> None:
    with pytest.raises(SpaceError, match="weights, gradients and optimizer alone need 27") as caught:
        stage.work(at(machine(), SEVEN_B))
    assert "the machine has 22.0 GiB free" in caught.value.title
    assert "smaller model, or method qlora" in caught.value.next_step


def test_what_may_not_fit_is_a_warning(at: Any) -> None:
    job = at(machine("RTX 4090"), SEVEN_B, device="cuda", precision="bf16")
    stage.work(job)
    (finding,) = told(job, Finding)
    assert finding.level == "warning"
    assert "it may not fit. A smaller micro-batch" in finding.text


def test_tight_memory_is_a_warning(at: Any) -> None:
    need = stage.forecast(SMALL, at(machine()).plan.select, machine(), 128).total
    job = at(machine(ram=1.05 * need / (1 << 30)))
    stage.work(job)
    assert told(job, Finding)[0].text.startswith("Memory is tight: an estimated about")


def test_no_disk_for_the_result_stops_the_run(at: Any) -> None:
    with pytest.raises(SpaceError, match="There is no disk for the result: the weights need 1") as caught:
        stage.work(at(machine("A100", disk=10), SEVEN_B, device="cuda", precision="bf16"))
    assert "TUNESMITH_RUNS" in caught.value.next_step


def test_disk_for_the_result_but_not_for_the_checkpoints_is_a_warning(at: Any) -> None:
    job = at(machine("A100", disk=14), SEVEN_B, device="cuda", precision="bf16")
    stage.work(job)
    (finding,) = told(job, Finding)
    assert finding.text.startswith("Disk is short: result and checkpoints need about")
    assert finding.text.endswith("Keep fewer checkpoints.")
