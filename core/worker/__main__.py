"""`python -m tunesmith.core.worker RUN --stages a,b`: works through stages of a run, detached from any terminal."""

from __future__ import annotations

import argparse
import contextlib
import importlib
import os
import signal
import socket
import sys
import threading
import time
import traceback
from pathlib import Path

from tunesmith.core.errors import SpaceError, TunesmithError
from tunesmith.core.events import EventWriter, JobError, JobFinished, JobStarted, StageFinished, StageStarted
from tunesmith.core.gpus import gpu_environment
from tunesmith.core.hardware import probe_hardware
from tunesmith.core.jobs import own_start_time
from tunesmith.core.plan_yaml import read_plan
from tunesmith.core.run import HEARTBEAT_SECONDS, ExitRecord, JobRecord, Run, forget_before, write_json
from tunesmith.core.worker.job import Job, Stopped


def main(words: list[str] | None = None) -> int:
    """Work through the stages; the exit code is 0 when they are finished or were stopped, else 1."""
    parser = argparse.ArgumentParser(prog="python -m tunesmith.core.worker")
    parser.add_argument("run", type=Path)
    parser.add_argument("--stages", required=True)
    parser.add_argument("--resume", action="store_true")
    given = parser.parse_args(words)
    run, stages = Run(given.run), given.stages.split(",")
    write_json(run.job_path, JobRecord(os.getpid(), own_start_time(), socket.gethostname(), stages, given.resume))
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _beat(run)
    if not given.resume:
        forget_before(run, stages)
    events = EventWriter(run.events_path)
    events.write(JobStarted(pid=os.getpid(), stages=stages, resumed=given.resume))
    end = _work(run, stages, events, resume=given.resume)
    with contextlib.suppress(OSError):  # a disk without room for these few bytes: the events and the log tell it
        write_json(run.exit_path, end)
    return 1 if end.outcome == "failed" else 0


def _work(run: Run, stages: list[str], events: EventWriter, *, resume: bool) -> ExitRecord:
    """Run the stages and say how it ended, whatever happens."""
    stage = ""
    try:
        job = Job(run, read_plan(run.plan_path), events, resume)
        _choose_gpu(job)
        signal.signal(signal.SIGTERM, lambda *_: setattr(job, "asked", True))
        for stage in stages:
            job.check_stop()
            _stage(job, stage)
    except Stopped as stop:
        advice = stop.advice
        events.write(JobFinished(outcome="stopped", text=advice or f"stopped in {stage}", advised=bool(advice)))
        return ExitRecord("stopped", time.time(), advice)
    except BaseException as error:  # noqa: BLE001 - the last line of defence: nothing may end without a word
        traceback.print_exc()
        told = _told(error, run)
        event = JobError(
            title=told.title, cause=told.cause, next_step=told.next_step, log=str(run.log_path), stage=stage
        )
        try:
            events.write(event)
        except OSError:
            traceback.print_exc()  # a full disk: the exit record may still fit, and the log has it
        return ExitRecord("failed", time.time(), told.title, told.cause, told.next_step)
    events.write(JobFinished(outcome="finished"))
    return ExitRecord("finished", time.time())


def _choose_gpu(job: Job) -> None:
    """Show torch only the GPU that the plan was reckoned for, before anything imports it; TRL trains on one."""
    gpu = probe_hardware(job.run.folder).gpu if job.plan.select.device == "cuda" else None
    if gpu is not None:
        os.environ.update(gpu_environment(gpu))


def _stage(job: Job, stage: str) -> None:
    job.emit(StageStarted(stage=stage))
    began = time.monotonic()
    summary = importlib.import_module(f"tunesmith.core.{stage}.job").work(job)
    job.emit(StageFinished(stage=stage, seconds=time.monotonic() - began, summary=summary))


def _told(error: BaseException, run: Run) -> TunesmithError:
    """The error as a sentence for a person."""
    if isinstance(error, TunesmithError):
        return error
    # safetensors and torch wrap what the file system said; the numbers are ENOSPC and EDQUOT.
    told = str(error).lower()
    full = isinstance(error, OSError) and error.errno in (28, 122)
    if full or any(sign in told for sign in ("os error 28", "os error 122", "no space left")):
        return SpaceError(
            "The disk is full.",
            cause=f"Writing {getattr(error, 'filename', None) or run.folder} failed.",
            next_step="Free some room and go on with `tunesmith run --resume`.",
        )
    if type(error).__name__ == "OutOfMemoryError" or isinstance(error, MemoryError) or "allocate memory" in told:
        return SpaceError(
            "The memory is not enough for this plan.",
            cause=str(error).partition("\n")[0],
            next_step="Take a smaller micro-batch or sequence length, gradient checkpointing, or qlora.",
        )
    return TunesmithError(
        f"Something unexpected went wrong: {type(error).__name__}.",
        cause=str(error).partition("\n")[0],
        next_step=f"The details are in {run.log_path}.",
    )


def _beat(run: Run) -> None:
    """Give a sign of life every two seconds for as long as this process lives."""

    def beat() -> None:
        while True:
            # A full disk or a vanished folder must not end the beat: it may come back.
            with contextlib.suppress(OSError):
                run.heartbeat_path.touch()
            time.sleep(HEARTBEAT_SECONDS)

    threading.Thread(target=beat, daemon=True, name="heartbeat").start()


if __name__ == "__main__":
    sys.exit(main())
