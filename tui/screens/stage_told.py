"""How far a stage of the run is, in words: what it does, what it waits for, or why it will not come."""

from __future__ import annotations

from dataclasses import dataclass

from tunesmith.core.events import JobError, Progress
from tunesmith.core.history import History
from tunesmith.core.run import Run
from tunesmith.core.stages import STAGES, TITLES
from tunesmith.tui.glyphs import Glyphs
from tunesmith.tui.session import Session


@dataclass(frozen=True)
class StageTold:
    """A stage that is not done. Texts may hold what a file is named: whoever shows them makes them harmless."""

    sign: str
    style: str
    title: str
    """What it does or waits for, in a few words."""
    detail: str = ""
    share: float | None = None
    """How far the piece of work at hand is, 0 to 1; None where that is not known."""
    resumes: bool = False
    """Whether the run can be taken up where it ended, so that this stage comes."""


def tell_stage(session: Session, name: str) -> StageTold | None:
    """How stage `name` of the run that is watched stands; None once it is done."""
    run, history, glyphs = session.run, session.history, session.glyphs
    if run is None or history is None or session.state is None:
        return StageTold(glyphs.open, "$text-muted", "Nothing was run yet", "Step 4, Fine-tune, starts it.")
    stage = history.stages[name]
    if stage.standing == "done":
        return None
    if session.alive:
        return _alive(run, history, name, glyphs)
    if isinstance(history.end, JobError):
        return _failed(history, history.end, glyphs)
    return _ended(session, run, history, name)


def _alive(run: Run, history: History, name: str, glyphs: Glyphs) -> StageTold:
    """A worker is at the run: at this stage, or at one before it."""
    current = history.current_stage
    progress = history.stages[current].progress if current else None
    share = progress.done / progress.total if progress and progress.total else None
    piece = _piece(progress)
    if current == name:
        return StageTold(glyphs.running, "$text-primary", piece or "loading the model", "", share)
    if not _wanted(history, name):
        return _not_wanted(run, name, glyphs)
    where = TITLES.get(current, current) if current else "the worker"
    now = f"Now {where}: {piece or _training(history, current) or 'at work'}." if current else "It starts just now."
    title = f"{TITLES[name]} begins when {_before(name)} is done"
    return StageTold(glyphs.open, "$text-muted", title, now)


def _training(history: History, current: str | None) -> str:
    newest = history.training.newest
    return f"step {newest.step:,} of {newest.steps:,}" if current == "finetune" and newest else ""


def _piece(progress: Progress | None) -> str:
    if progress is None:
        return ""
    of = f" of {progress.total:,}" if progress.total else ""
    unit = f" {progress.unit}" if progress.unit else ""
    return f"{progress.doing}: {progress.done:,}{of}{unit}"


def _failed(history: History, error: JobError, glyphs: Glyphs) -> StageTold:
    where = TITLES.get(error.stage, error.stage) or "The run"
    said = [error.title, error.cause, error.next_step]
    if error.log and not any(error.log in part for part in said):
        said.append(f"The log: {error.log}")
    detail = " ".join(part for part in said if part)
    return StageTold(glyphs.error, "$text-error", f"{where} failed", detail, resumes=history.training_done)


def _ended(session: Session, run: Run, history: History, name: str) -> StageTold:
    """Nobody works on the run, and it said of no error: stopped, killed, or never asked for this stage."""
    glyphs, state = session.glyphs, session.state
    if state is None or not _wanted(history, name):
        return _not_wanted(run, name, glyphs)
    if not history.training_done:
        title = f"{TITLES[name]} comes after Fine-tune, which is not done"
        return StageTold(glyphs.stopped, "$text-warning", title, f"The run was {state.text}. Step 4 goes on with it.")
    killed = state.status == "killed"
    title = "killed: the worker ended without a word" if killed else "stopped before it was done"
    detail = f"Nothing is lost: the tuned model is saved. The log: {run.log_path}"
    sign, style = (glyphs.error, "$text-error") if killed else (glyphs.stopped, "$text-warning")
    return StageTold(sign, style, f"{TITLES[name]}: {title}", detail, resumes=True)


def _wanted(history: History, name: str) -> bool:
    """Whether the run was ever asked for this stage; a run without a job may still be."""
    return not history.jobs or any(name in job.stages for job in history.jobs)


def _not_wanted(run: Run, name: str, glyphs: Glyphs) -> StageTold:
    title = f"This run was not asked for {TITLES[name]}"
    return StageTold(glyphs.open, "$text-muted", title, f"`tunesmith run {run.name} --from {name}` does it.")


def _before(name: str) -> str:
    return TITLES[STAGES[STAGES.index(name) - 1]]
