"""A run: one folder on disk from which everything a screen shows can be rebuilt.

plan.yaml         the decisions                    data/         rows per split, as JSON lines
environment.json  versions, driver, GPU            checkpoints/  what a stopped run goes on from
events.jsonl      what happened                    model/        adapter and merged model
worker.log        everything the worker printed    predictions/  answers row by row
job.json          who works on it                  report.md     the result
heartbeat         its time is the last sign of life
exit.json         how the last job ended           stop          present: stop and save
evidence.json     scores before the training       prompt.md     the prompt to use instead of one
lock              held by the worker while it lives
"""

from __future__ import annotations

import os
import re
import shutil
import socket
import threading
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal, TypeVar

import msgspec

from tunesmith.core.errors import AccessError, RunError
from tunesmith.core.events import EventReader, JobStarted, StageFinished
from tunesmith.core.stages import STAGES

Record = TypeVar("Record")
Status = Literal["new", "running", "silent", "stopped", "finished", "failed", "killed"]

HEARTBEAT_SECONDS = 2.0
SILENT_AFTER_SECONDS = 60.0
"""A live process that gave no sign for this long is said to be silent (a frozen disk, a stuck driver)."""


class JobRecord(msgspec.Struct, frozen=True):
    """Who works on a run: enough to tell this process from another that got its number later."""

    pid: int
    started: float
    """The process's own start time as the kernel tells it, seconds since 1970."""
    host: str
    stages: list[str]
    resume: bool = False


class ExitRecord(msgspec.Struct, frozen=True, omit_defaults=True):
    """How a job ended; without one, a job that is gone was killed."""

    outcome: Literal["finished", "stopped", "failed"]
    at: float
    title: str = ""
    """What failed; of a job that stopped by its own advice, that advice."""
    cause: str = ""
    next_step: str = ""


@dataclass(frozen=True)
class State:
    """What is known about a run right now, from its folder and the process table."""

    status: Status
    text: str
    """The same as a sentence."""
    job: JobRecord | None = None
    exit: ExitRecord | None = None

    @property
    def alive(self) -> bool:
        """Whether a worker is at it."""
        return self.status in ("running", "silent")

    @property
    def advised(self) -> bool:
        """Whether it stopped by its own advice, because there is a way without training; nobody asked for the stop."""
        return self.status == "stopped" and self.exit is not None and bool(self.exit.title)


class Run:
    """The folder of one run."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.name = folder.name
        self.plan_path = folder / "plan.yaml"
        self.environment_path = folder / "environment.json"
        self.events_path = folder / "events.jsonl"
        self.log_path = folder / "worker.log"
        self.job_path = folder / "job.json"
        self.heartbeat_path = folder / "heartbeat"
        self.lock_path = folder / "lock"
        self.exit_path = folder / "exit.json"
        self.stop_path = folder / "stop"
        self.report_path = folder / "report.md"
        self.results_path = folder / "results.json"
        self.commands_path = folder / "SERVE.md"
        self.evidence_path = folder / "evidence.json"
        self.prompt_path = folder / "prompt.md"
        self.messages_path = folder / "prompt.json"
        self.data = folder / "data"
        self.checkpoints = folder / "checkpoints"
        self.model = folder / "model"
        self.adapter = self.model / "adapter"
        self.merged = self.model / "merged"
        self.predictions = folder / "predictions"

    def rows_path(self, split: str) -> Path:
        """Where Prepare writes the rows of `split`."""
        return self.data / f"{split}.jsonl"

    @property
    def created(self) -> float:
        """When the folder was made, from its name (seconds since 1970); its file time where the name says nothing."""
        found = re.search(r"(\d{8}-\d{6})(-\d+)?$", self.name)
        if found:
            return datetime.strptime(found[1], "%Y%m%d-%H%M%S").timestamp()
        return self.folder.stat().st_mtime

    def job(self) -> JobRecord | None:
        """Who works or worked on it last."""
        return _read(self.job_path, JobRecord)

    def state(self) -> State:
        """What the folder and the process table say, never what is hoped."""
        job = self.job()
        end = _read(self.exit_path, ExitRecord)
        if end is not None:
            return State(end.outcome, _ended(end), job, end)
        if job is None:
            return State("new", "not started yet")
        age = self._silence()
        if job.host != socket.gethostname():
            # Its process can't be asked from here: only the heartbeat, on a shared disk, tells.
            if age < SILENT_AFTER_SECONDS:
                return State("running", f"running on {job.host}", job)
            return State("killed", f"no sign of life from {job.host} for {age:.0f} s", job)
        if not process_alive(job.pid, job.started):
            end = _read(self.exit_path, ExitRecord)  # it may have ended since we looked
            if end is not None:
                return State(end.outcome, _ended(end), job, end)
            return State("killed", "the worker was killed before it could finish", job)
        if age > SILENT_AFTER_SECONDS:
            return State("silent", f"alive, but no sign for {age:.0f} s", job)
        return State("running", "running", job)

    def last_checkpoint(self) -> Path | None:
        """The newest complete checkpoint, or None."""
        done = [p for p in self.checkpoints.glob("checkpoint-*") if (p / "complete").exists()]
        return max(done, key=lambda p: int(p.name.rpartition("-")[2]), default=None)

    def _silence(self) -> float:
        """Seconds since the last heartbeat; 0 where none was given yet."""
        try:
            return max(0.0, time.time() - self.heartbeat_path.stat().st_mtime)
        except FileNotFoundError:
            return 0.0


def forget_before(run: Run, stages: Sequence[str]) -> None:
    """Take away what was made of results that `stages` are about to make anew, so that no old figure outlives them.

    Beginning a stage anew makes everything untrue that followed from its former result: a checkpoint of the former
    training, scores of the former model, the merged model and its endpoint's commands. Looking again (understand,
    select) changes nothing.
    """
    scores = (run.predictions, run.results_path, run.report_path, run.commands_path)
    before = (run.evidence_path, run.prompt_path, run.messages_path)
    made_by: dict[str, tuple[Path, ...]] = {
        "prepare": (run.data, run.checkpoints, run.model, *before, *scores),
        "finetune": (run.checkpoints, run.model, *before, *scores),
        "evaluate": scores,
        "productionize": (run.commands_path,),
    }
    first = next((stage for stage in stages if stage in made_by), None)
    for path in made_by[first] if first else ():
        if path.is_dir():
            shutil.rmtree(path)
            path.mkdir()
        else:
            path.unlink(missing_ok=True)


def stages_left(run: Run) -> list[str]:
    """What a resumed run has still to do: every stage that was ever asked for and has no valid result.

    A stage that begins anew takes the validity of all later ones with it (see `forget_before`).
    """
    wanted, done = set[str](), set[str]()
    for event in EventReader(run.events_path).stream():
        if isinstance(event, JobStarted):
            wanted |= set(event.stages)
            anew = [STAGES.index(stage) for stage in event.stages if stage not in ("understand", "select")]
            if not event.resumed and anew:
                done -= set(STAGES[min(anew) :]) - {"select"}
        elif isinstance(event, StageFinished):
            done.add(event.stage)
    return [stage for stage in STAGES if stage in wanted - done]


def process_alive(pid: int, started: float) -> bool:
    """Whether the process that had `pid` when it started at `started` (seconds since 1970) is still there."""
    import psutil

    try:
        process = psutil.Process(pid)
        # The kernel counts start times in ticks since boot; the conversion wavers by under a second.
        return abs(process.create_time() - started) < 2 and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def runs_root() -> Path:
    """Where runs are kept: `$TUNESMITH_RUNS`, else `~/tunesmith/runs`."""
    stated = os.environ.get("TUNESMITH_RUNS")
    try:
        return Path(stated).expanduser().absolute() if stated else Path.home() / "tunesmith" / "runs"
    except RuntimeError as error:
        raise AccessError(
            f"It is not known where runs are kept: {error}", next_step="Set TUNESMITH_RUNS to a folder, written out."
        ) from error


def create_run(name: str, root: Path | None = None) -> Run:
    """A new, empty run folder named after the project and the time.

    Raises:
        AccessError: The folder can't be made there.
    """
    root = root or runs_root()
    stem = f"{name}-{datetime.now():%Y%m%d-%H%M%S}"
    try:
        root.mkdir(parents=True, exist_ok=True)
        for suffix in ("", *(f"-{n}" for n in range(2, 100))):
            try:
                (root / (stem + suffix)).mkdir()
            except FileExistsError:
                continue
            run = Run(root / (stem + suffix))
            for folder in (run.data, run.checkpoints, run.model, run.predictions):
                folder.mkdir()
            return run
    except OSError as error:
        raise AccessError(
            f"A run can't be kept in {root}: {error.strerror}.",
            next_step="Set TUNESMITH_RUNS to a folder that you may write to.",
        ) from error
    raise RunError(f"There are too many runs named {stem}.", next_step="Wait a second and start again.")


def list_runs(root: Path | None = None) -> list[Run]:
    """All runs, the newest first. A root that does not exist holds none."""
    root = root or runs_root()
    try:
        found = [Run(path) for path in root.iterdir() if (path / "plan.yaml").exists()]
    except FileNotFoundError:
        return []
    except OSError as error:
        raise AccessError(f"{root} can't be read: {error.strerror}.", next_step="Mend its permissions.") from error
    return sorted(found, key=lambda run: (run.created, run.name), reverse=True)


def find_run(name: str | None = None, root: Path | None = None) -> Run:
    """The run of that name, of a path to it, or of a name that begins so; the newest when no name is given.

    Raises:
        RunError: There is none, or several begin so.
    """
    if name and (Path(name) / "plan.yaml").exists() and (Path(name) / "events.jsonl").exists():
        return Run(Path(name).absolute())
    runs = list_runs(root)
    if not runs:
        raise RunError(
            "There are no runs yet.", next_step="Start one with `tunesmith demo` or `tunesmith run plan.yaml`."
        )
    if name is None:
        return runs[0]
    exact = [run for run in runs if run.name == name]
    begins = exact or [run for run in runs if run.name.startswith(name)]
    if len(begins) == 1:
        return begins[0]
    if begins:
        raise RunError(f"{len(begins)} runs begin with {name}: {_names(begins)}.", next_step="Give the whole name.")
    raise RunError(f"There is no run named {name}.", next_step=f"There are: {_names(runs)}.")


def write_json(path: Path, record: object) -> None:
    """Write a record as JSON, aside and then renamed, so that a reader sees the old one or the new one whole."""
    aside = path.with_name(f"{path.name}.{os.getpid()}-{threading.get_ident()}.part")
    aside.write_bytes(msgspec.json.format(msgspec.json.encode(record), indent=2) + b"\n")
    aside.replace(path)


def _ended(end: ExitRecord) -> str:
    if end.outcome == "stopped" and end.title:
        return "stopped before the training, as advised"
    return {"finished": "finished", "stopped": "stopped and saved", "failed": f"failed: {end.title}"}[end.outcome]


def _read(path: Path, kind: type[Record]) -> Record | None:
    try:
        return msgspec.json.decode(path.read_bytes(), type=kind)
    except (FileNotFoundError, msgspec.DecodeError):
        return None


def _names(runs: Iterable[Run], most: int = 5) -> str:
    names = [run.name for run in runs]
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")
