"""How a run stands, in words: what it does now, how long that takes, what a person may do next."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from tunesmith.core.events import JobError, Progress
from tunesmith.core.figures import duration
from tunesmith.core.history import History
from tunesmith.core.run import Run, State
from tunesmith.core.stages import TITLES
from tunesmith.tui.glyphs import Glyphs

Next = Literal["wait", "go on", "resume", "review"]
"""What Enter does: nothing yet, the next step, taking the run up again, the plan."""

WAIT = "Just wait, or leave with q: it goes on without you. Evaluate comes after it."


@dataclass(frozen=True)
class Told:
    """How a run stands. Texts may hold what a model or a file name holds: whoever shows them makes them harmless."""

    sign: str
    style: str
    """Of the sign, and of the words where it is a failure."""
    doing: str
    time: str = ""
    detail: tuple[str, ...] = ()
    """Lines below; none while figures of the training stand there."""
    next: Next = "wait"
    next_text: str = WAIT
    resumes: bool = False
    """Whether it can be taken up where it ended."""


def tell(run: Run | None, state: State | None, history: History | None, glyphs: Glyphs, now: float) -> Told:
    """How the run stands at `now` (seconds since 1970)."""
    if run is None or state is None or history is None:
        return Told(
            glyphs.open,
            "$text-muted",
            "nothing was started yet",
            detail=("The plan comes first: what will be done, how long it takes, and whether it fits.",),
            next="review",
            next_text="look at the plan, and start it there",
        )
    if state.alive:
        return _alive(run, state, history, glyphs, now)
    if history.training_done:
        return _trained(run, state, history, glyphs)
    if state.status == "failed" or isinstance(history.end, JobError):
        return _failed(run, state, history, glyphs)
    return _ended(run, state, history, glyphs)


def checkpoint(history: History) -> int:
    """The step of the newest checkpoint; 0 before the first."""
    return history.training.checkpoints[-1].step if history.training.checkpoints else 0


def left(seconds: float) -> str:
    """An estimate, in steps coarse enough that it does not flicker."""
    if seconds < 1:
        return "nearly done"
    coarse = seconds if seconds >= 100 else 5 * round(seconds / 5) if seconds >= 20 else seconds
    return f"about {duration(coarse)} left"


def _alive(run: Run, state: State, history: History, glyphs: Glyphs, now: float) -> Told:
    done = history.training_done
    enter: tuple[Next, str] = ("go on", "open Evaluate, which is at work") if done else ("wait", WAIT)
    detail = _summary(history) if done else ()
    if state.status == "silent":
        doing = f"{re.sub(r' for [0-9]+ s$', '', state.text)} of life for over a minute"
        why = ("The disk or the driver may hang. The log may tell:", str(run.log_path))
        return Told(glyphs.warning, "$text-warning", doing, "", why, *enter)
    stage = history.current_stage
    if run.stop_path.exists():
        doing = "stopping: it saves a checkpoint after this step" if stage == "finetune" else "stopping: in a moment"
        return Told(glyphs.stopped, "$text-warning", doing, "", detail, *enter)
    if stage == "finetune":
        seconds = history.seconds_left(now)
        time = left(seconds) if seconds is not None else _so_far(history.stages[stage].started_at, now)
        return Told(glyphs.running, "$text-primary", _training(history, glyphs), time, (), *enter)
    if stage is None:
        since = history.jobs[-1].started_at if history.jobs and history.end is None else None
        doing, time = "starting: loading the libraries", _so_far(since, now)
    else:
        told = history.stages[stage]
        doing = f"{TITLES.get(stage, stage)}: {_piece(told.progress) or 'at work'}"
        time = _so_far(told.started_at, now)
    detail = detail or ("Nothing is needed from you; s stops it.",)
    return Told(glyphs.running, "$text-primary", doing, time, detail, *enter)


def _training(history: History, glyphs: Glyphs) -> str:
    """What Fine-tune is doing."""
    stage, newest = history.stages["finetune"], history.training.newest
    at, piece = checkpoint(history), _piece(stage.progress)
    if newest is None or stage.started_at is None or newest.at < stage.started_at:
        going_on = f"; it goes on after step {at:,}" if at and history.jobs and history.jobs[-1].resumed else ""
        return piece or (
            "starting the training" if history.evidence else f"starting: loading the model and the rows{going_on}"
        )
    step = f"step {newest.step:,} of {newest.steps:,}"
    if piece:
        return f"{step} {glyphs.bullet} {piece.replace('validation questions', 'questions')}"
    return f"{step} {glyphs.bullet} saving the tuned model" if newest.step >= newest.steps else f"training, {step}"


def _piece(progress: Progress | None) -> str:
    """The piece of work at hand."""
    if progress is None:
        return ""
    doing = progress.doing.replace("validation rows", "validation questions")
    of = f" of {progress.total:,}" if progress.total else ""
    return f"{doing}, {progress.done:,}{of}"


def _trained(run: Run, state: State, history: History, glyphs: Glyphs) -> Told:
    """The tuned model is there, and nobody works on the run."""
    stage = history.stages["finetune"]
    enter: tuple[Next, str] = ("go on", "open Evaluate: how good is it on questions it has never seen?")
    took = f"took {duration(stage.seconds)}" if stage.seconds is not None else ""
    detail = _summary(history)
    ended = state.status
    if ended == "finished":
        return Told(glyphs.done, "$text-success", "finished: the tuned model is saved", took, detail, *enter)
    at = next((name for name, one in history.stages.items() if one.standing == "failed"), history.last_stage)
    where = TITLES.get(at, at)
    how = {"failed": f"{where} failed", "killed": f"the worker was killed in {where}"}.get(ended, f"stopped in {where}")
    doing = f"the tuned model is saved; {how}"
    if isinstance(history.end, JobError):
        detail = (history.end.title, history.end.next_step, f"The log: {run.log_path}")
    sign = glyphs.stopped if ended == "stopped" else glyphs.warning
    return Told(sign, "$text-warning", doing, took, detail, *enter)


def _failed(run: Run, state: State, history: History, glyphs: Glyphs) -> Told:
    end, error = state.exit, history.end
    if isinstance(error, JobError):
        title, cause, next_step, log, stage = error.title, error.cause, error.next_step, error.log, error.stage
    else:
        title, cause, next_step = (end.title, end.cause, end.next_step) if end else ("", "", "")
        log, stage = str(run.log_path), history.last_stage
    where, at = TITLES.get(stage, stage) or "The run", checkpoint(history)
    said = tuple(part for part in (title, cause, next_step) if part)
    if not any(log in part for part in said):
        said = (*said, f"The log: {log}")
    text = "go back to the plan and change it"
    if at:
        text += f" {glyphs.bullet} g goes on from step {at:,} as it is"
    return Told(glyphs.error, "$text-error", f"{where} failed", "", said, "review", text, resumes=bool(at))


def _ended(run: Run, state: State, history: History, glyphs: Glyphs) -> Told:
    """Stopped, killed, finished without a training, or not begun."""
    at, newest = checkpoint(history), history.training.newest
    of = f" of {newest.steps:,}" if newest else ""
    enter: tuple[Next, str] = ("resume", f"go on after step {at:,}" if at else "go on; the training begins again")
    if state.advised and state.exit is not None:
        why = (state.exit.title, f"The prompt: {run.prompt_path}")
        doing = "nothing was trained, as advised"
        return Told(glyphs.done, "$text-success", doing, "", why, "resume", "train all the same", resumes=True)
    if not newest:
        enter = ("resume", "go on where it ended")
    if state.status == "stopped":
        kept = f"The checkpoint of step {at:,}{of} is kept; nothing is lost." if at else "Nothing was trained yet."
        doing = "stopped and saved" if at else "stopped before there was anything to save"
        return Told(glyphs.stopped, "$text-warning", doing, "", (kept,), *enter, resumes=True)
    if state.status == "killed":
        kept = f"The checkpoint of step {at:,}{of} is kept." if at else "There was no checkpoint yet."
        doing = "killed: the worker ended without a word"
        if "the worker was killed" not in state.text:
            doing = re.sub(r" for [0-9]+ s$", "", state.text)
        why = (f"{kept} The usual cause is memory that ran out.", f"The log: {run.log_path}")
        return Told(glyphs.error, "$text-error", doing, "", why, *enter, resumes=True)
    if state.status == "finished":
        detail = ("This run was not asked to train a model.",)
        return Told(glyphs.done, "$text-success", "finished", "", detail, "review", "look at the plan")
    return Told(glyphs.open, "$text-muted", "not started yet", "", ("A worker takes it up in a moment.",))


def _summary(history: History) -> tuple[str, ...]:
    """What came out of the training, a line for each of its parts."""
    return tuple(history.stages["finetune"].summary.split("; "))


def _so_far(since: float | None, now: float) -> str:
    return "" if since is None else f"{duration(max(0.0, now - since))} so far"
