"""What a run's events add up to: everything that a screen shows of a run, folded from one event after another.

Nothing here is asked of a process or remembered elsewhere, so any later login rebuilds the same screen from the
folder. Texts are as the events carry them: what shows them makes them harmless. Whether somebody works on the run
right now is not in its events (a killed worker leaves no word): `Run.state` tells that.
"""

from __future__ import annotations

from array import array
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import islice
from math import nan
from typing import Any, Literal

from tunesmith.core import events as e
from tunesmith.core.evidence import examples_told
from tunesmith.core.figures import percent
from tunesmith.core.measures import measure
from tunesmith.core.run import Run
from tunesmith.core.stages import STAGES

NOTABLE_MOST = 500
"""Happenings that are kept for an event list; older ones fall out, so that a run of months does not fill memory."""

READ_MOST = 5_000
"""Events that a follower takes at a time by default: some ten milliseconds, so that keys are answered in between."""

LOOKS = ("understand", "select")
"""Stages that only look: beginning them anew makes no later result untrue (see `run.forget_before`)."""

Standing = Literal["waiting", "running", "done", "failed"]
Level = Literal["ok", "note", "warning", "error"]


@dataclass(slots=True)
class WorkedOn:
    """One job: a worker that took up the run. Times are seconds since 1970."""

    started_at: float
    pid: int
    stages: list[str]
    resumed: bool
    end: e.JobFinished | e.JobError | None = None
    """How it ended; None while it goes on, and for ever where it was killed."""


@dataclass(slots=True)
class Stage:
    """How one stage stands. Beginning it again clears what its former turn told."""

    name: str
    standing: Standing = "waiting"
    """`waiting` also where it was begun and stopped: then `started_at` is set."""
    started_at: float | None = None
    """Seconds since 1970."""
    seconds: float | None = None
    """How long it took; None until it is done."""
    summary: str = ""
    findings: list[e.Finding] = field(default_factory=list)
    decisions: list[e.Decision] = field(default_factory=list)
    progress: e.Progress | None = None
    """The piece of work at hand; None where none is reported."""


@dataclass(slots=True)
class Answers:
    """One validation question and what the model answered to it, by step; step 0 is the untouched model."""

    question: str
    expected: str
    steps: list[int] = field(default_factory=list)
    """Strictly increasing."""
    answers: list[str] = field(default_factory=list)
    """As long as `steps`."""

    def put(self, step: int, answer: str) -> None:
        """Take in the answer at `step`, the newest or the one of the untouched model, which may come late."""
        if step == 0 and self.steps and self.steps[0] > 0:
            self.steps.insert(0, step)
            self.answers.insert(0, answer)
        elif step == 0 and self.steps:
            self.answers[0] = answer
        else:
            self.cut(step)
            self.steps.append(step)
            self.answers.append(answer)

    def cut(self, step: int) -> None:
        """Forget the answers from `step` on."""
        while self.steps and self.steps[-1] >= step:
            self.steps.pop()
            self.answers.pop()


class Training:
    """One training, across all stops and resumes, as far as its events tell it.

    A training that goes on from a checkpoint repeats the steps after it: what was told of those is cut off, so that
    the steps of every line below increase strictly and the newer word stands.
    """

    def __init__(self) -> None:
        self.steps = array("l")
        self.losses = array("d")
        """Nats a trained token, by `steps`, like the other arrays."""
        self.learning_rates = array("d")
        self.gradient_norms = array("d")
        """NaN where none was told."""
        self.tokens_per_second = array("d")
        self.newest: e.Step | None = None
        """The last step told, as it was told."""
        self.validations: list[e.Validation] = []
        """By step, the untouched model (step 0) first wherever it came."""
        self.samples: dict[tuple[str, str], Answers] = {}
        """By question and expected answer, in the order of their first coming."""
        self.checkpoints: list[e.Checkpoint] = []
        """Every one that was completed; the run keeps only the last few of them on disk."""
        self._reached = 0
        """The highest step that anything was told of."""

    __hash__ = None  # type: ignore[assignment]  # it grows

    def __eq__(self, other: object) -> bool:
        """Whether both would be drawn the same; a NaN is like another NaN."""
        return isinstance(other, Training) and self._told() == other._told()

    @property
    def untouched(self) -> e.Validation | None:
        """The scores of the untouched model, the line that all others are held against."""
        return self.validations[0] if self.validations and self.validations[0].step == 0 else None

    @property
    def latest(self) -> e.Validation | None:
        """The newest scores of the model in training; None before the first, never the untouched model's."""
        return self.validations[-1] if self.validations and self.validations[-1].step else None

    @property
    def best(self) -> e.Validation | None:
        """The best scores of the model in training: the plan's metric, then exact match, F1, loss; of equals the
        earliest.
        """
        return max((v for v in self.validations if v.step), key=_goodness, default=None)

    def add_step(self, event: e.Step) -> None:
        """Take in a point of the curves."""
        step = event.step
        if step <= self._reached:
            self._cut(step)
        self._reached = step
        self.steps.append(step)
        self.losses.append(event.loss)
        self.learning_rates.append(event.learning_rate)
        norm = event.gradient_norm
        self.gradient_norms.append(nan if norm is None else norm)
        self.tokens_per_second.append(event.tokens_per_second)
        self.newest = event

    def add_validation(self, event: e.Validation) -> None:
        """Take in scores: the newest, or those of the untouched model, which may come after the first steps."""
        if event.step == 0:
            self.validations[: 1 if self.untouched else 0] = [event]
            return
        self._reach(event.step)
        if self.validations and self.validations[-1].step == event.step:
            self.validations.pop()
        self.validations.append(event)

    def add_sample(self, event: e.Sample) -> None:
        """Take in the answer to one question."""
        if event.step:
            self._reach(event.step)
        key = (event.question, event.expected)
        if key not in self.samples:
            self.samples[key] = Answers(*key)
        self.samples[key].put(event.step, event.answer)

    def add_checkpoint(self, event: e.Checkpoint) -> None:
        """Take in a checkpoint that is whole."""
        self._reach(event.step)
        if self.checkpoints and self.checkpoints[-1].step == event.step:
            self.checkpoints.pop()
        self.checkpoints.append(event)

    def _reach(self, step: int) -> None:
        if step < self._reached:
            self._cut(step + 1)
        self._reached = step

    def _cut(self, step: int) -> None:
        """Forget what was told of `step` and later ones; each line goes only once, so an event stays cheap."""
        step = max(step, 1)  # the untouched model's scores stay true
        curves = (self.steps, self.losses, self.learning_rates, self.gradient_norms, self.tokens_per_second)
        while self.steps and self.steps[-1] >= step:
            for curve in curves:
                curve.pop()
        for told in (self.validations, self.checkpoints):
            while told and told[-1].step >= step:
                told.pop()
        for asked in self.samples.values():
            asked.cut(step)

    def _told(self) -> tuple[object, ...]:
        curves = (self.steps, self.losses, self.learning_rates, self.gradient_norms, self.tokens_per_second)
        told = (self.newest, self.validations, list(self.samples.items()), self.checkpoints)
        return (*(curve.tobytes() for curve in curves), *told)


@dataclass(frozen=True, slots=True)
class Notable:
    """One happening that is worth a line in a list of events."""

    at: float
    """Seconds since 1970."""
    stage: str
    """Empty where it belongs to no stage."""
    level: Level
    text: str


Figure = e.Step | e.Validation | e.Score


@dataclass
class History:
    """Everything that a screen shows of a run. `add` takes the next event in constant time."""

    newest_at: float = 0.0
    """When the newest event happened, seconds since 1970; 0 before the first."""
    jobs: list[WorkedOn] = field(default_factory=list)
    """Who worked on it, the newest last."""
    stages: dict[str, Stage] = field(default_factory=lambda: {name: Stage(name) for name in STAGES})
    """All six in their order, after them any that this version does not know."""
    last_stage: str = ""
    """The stage that was begun last, whatever became of it; empty before the first."""
    training: Training = field(default_factory=Training)
    scores: dict[tuple[str, str], e.Score] = field(default_factory=dict)
    """By model and kind of rows, e.g. `("tuned", "test")`, in the order of their first coming."""
    verdict: e.Verdict | None = None
    evidence: dict[int, e.Evidence] = field(default_factory=dict)
    """Before the training: the untouched model's scores, by the number of examples in its prompt."""
    written: dict[str, e.Written] = field(default_factory=dict)
    """What is there to be used, by its path in the run's folder."""
    figure: Figure | None = None
    """The newest figure of the last stage, for telling a run in one line; Productionize leaves the one before it."""
    end: e.JobFinished | e.JobError | None = None
    """How the last job ended; None while one goes on or where it was killed."""
    notable: deque[Notable] = field(default_factory=lambda: deque(maxlen=NOTABLE_MOST))
    """What is worth a line in a list of events, the newest last; at most `NOTABLE_MOST`."""
    _pace: e.Step | None = field(default=None, init=False)
    """The newest step since Fine-tune was begun or taken up: one from before says nothing about the time left."""
    _written_in: dict[str, str] = field(default_factory=dict, init=False)
    """By path, the stage that wrote it."""

    def add(self, event: e.AnyEvent) -> None:
        """Fold in the next event of the run."""
        self.newest_at = event.at
        fold = _FOLDS.get(type(event))
        if fold is not None:
            fold(self, event)

    def take(self, events: Iterable[e.AnyEvent]) -> int:
        """Fold in the next events in their order; returns how many there were."""
        count = 0
        for count, event in enumerate(events, 1):  # noqa: B007
            self.add(event)
        return count

    @property
    def untouched(self) -> e.Validation | None:
        """The validation scores of the untouched model."""
        return self.training.untouched

    @property
    def latest(self) -> e.Validation | None:
        """The newest validation scores of the model in training; None before the first."""
        return self.training.latest

    @property
    def best(self) -> e.Validation | None:
        """The best validation scores of the model in training; None before the first."""
        return self.training.best

    @property
    def training_done(self) -> bool:
        """Whether there is a tuned model."""
        return self.stages["finetune"].standing == "done"

    @property
    def current_stage(self) -> str | None:
        """The stage that is being worked on as far as the events tell; None between stages and after the end."""
        stage = self.stages.get(self.last_stage)
        return stage.name if stage and stage.standing == "running" else None

    def seconds_left(self, now: float) -> float | None:
        """Seconds until the training ends, an estimate, at `now` (seconds since 1970); None where it is not known."""
        step = self._pace
        if step is None or self.current_stage != "finetune" or (step.seconds_left <= 0 and step.step < step.steps):
            return None
        return max(0.0, step.seconds_left - max(0.0, now - step.at))

    def _stage(self, name: str) -> Stage:
        return self.stages.setdefault(name, Stage(name))

    def _note(self, event: e.AnyEvent, stage: str, level: Level, text: str) -> None:
        self.notable.append(Notable(event.at, stage, level, text))

    def _rest(self) -> None:
        """Nobody works on it any more: what was running waits."""
        for stage in self.stages.values():
            if stage.standing == "running":
                stage.standing = "waiting"

    def _forget_from(self, name: str) -> None:
        """Forget the results of stage `name` and of all that follow from it, as `run.forget_before` does on disk."""
        first = STAGES.index(name)
        void = [stage for stage in STAGES[first:] if stage == name or stage not in LOOKS]
        for stage in void:
            self.stages[stage] = Stage(stage)
        if "finetune" in void:
            self.training, self.evidence = Training(), {}
        if "evaluate" in void:
            self.scores, self.verdict = {}, None
        for path in [path for path, stage in self._written_in.items() if stage in void]:
            del self.written[path], self._written_in[path]

    def _job_started(self, event: e.JobStarted) -> None:
        if self.jobs and self.end is None:
            self._note(event, self.current_stage or "", "warning", "the worker before was gone without a word")
        self._rest()
        self.end = None
        self.jobs.append(WorkedOn(event.at, event.pid, event.stages, event.resumed))
        if event.resumed:
            self._note(event, "", "note", "resumed")
            return
        anew = [STAGES.index(stage) for stage in event.stages if stage in STAGES and stage not in LOOKS]
        if anew:
            self._forget_from(STAGES[min(anew)])

    def _stage_started(self, event: e.StageStarted) -> None:
        name = event.stage
        resumed = bool(self.jobs) and self.jobs[-1].resumed
        if (name == "finetune" and not resumed) or name == "evaluate":  # Evaluate always begins from the beginning
            self._forget_from(name)
        self._rest()
        self.stages[name] = Stage(name, "running", event.at)
        self.last_stage = name
        if name == "finetune":
            self._pace = None
        if name != "productionize":
            self.figure = None
        self._note(event, name, "note", "begun")

    def _stage_finished(self, event: e.StageFinished) -> None:
        stage = self._stage(event.stage)
        stage.standing, stage.seconds, stage.summary, stage.progress = "done", event.seconds, event.summary, None
        self._note(event, event.stage, "ok", event.summary or "done")

    def _progress(self, event: e.Progress) -> None:
        self._stage(event.stage).progress = event

    def _finding(self, event: e.Finding) -> None:
        self._stage(event.stage).findings.append(event)
        self._note(event, event.stage, event.level, event.text)

    def _decision(self, event: e.Decision) -> None:
        self._stage(event.stage).decisions.append(event)

    def _step(self, event: e.Step) -> None:
        self.training.add_step(event)
        self.figure = self._pace = event

    def _validation(self, event: e.Validation) -> None:
        self.training.add_validation(event)
        self.stages["finetune"].progress = None  # its rows are answered
        if event.step:
            self.figure = event

    def _sample(self, event: e.Sample) -> None:
        self.training.add_sample(event)

    def _evidence(self, event: e.Evidence) -> None:
        self.evidence[event.shots] = event
        score = f"left out: {event.skipped}" if event.skipped else f"exact match {percent(event.exact_match)}"
        self._note(event, "finetune", "note", f"untouched, {examples_told(event.shots)} in the prompt: {score}")
        self._stage("finetune").progress = None  # its rows are answered

    def _checkpoint(self, event: e.Checkpoint) -> None:
        self.training.add_checkpoint(event)
        self._note(event, "finetune", "ok", f"checkpoint saved at step {event.step}")

    def _score(self, event: e.Score) -> None:
        self.scores[event.model, event.rows_kind] = event
        if (event.model, event.rows_kind) == ("tuned", "test"):
            self.figure = event

    def _verdict(self, event: e.Verdict) -> None:
        self.verdict = event
        self._note(event, "evaluate", "ok" if event.reached else "warning", event.text)

    def _written(self, event: e.Written) -> None:
        self.written[event.path] = event
        self._written_in[event.path] = self.last_stage

    def _job_finished(self, event: e.JobFinished) -> None:
        stage = self.current_stage or ""
        self._ended(event)
        if event.outcome == "stopped":
            self._note(event, stage, "note", event.text or "stopped")

    def _job_error(self, event: e.JobError) -> None:
        stage = event.stage or self.current_stage or ""
        self._ended(event)
        if stage:
            self._stage(stage).standing = "failed"
        self._note(event, stage, "error", event.title)

    def _ended(self, event: e.JobFinished | e.JobError) -> None:
        self.end = event
        if self.jobs:
            self.jobs[-1].end = event
        self._rest()


_FOLDS: dict[type, Callable[[History, Any], None]] = {
    e.JobStarted: History._job_started,
    e.StageStarted: History._stage_started,
    e.StageFinished: History._stage_finished,
    e.Progress: History._progress,
    e.Finding: History._finding,
    e.Decision: History._decision,
    e.Step: History._step,
    e.Validation: History._validation,
    e.Sample: History._sample,
    e.Evidence: History._evidence,
    e.Checkpoint: History._checkpoint,
    e.Score: History._score,
    e.Verdict: History._verdict,
    e.Written: History._written,
    e.JobFinished: History._job_finished,
    e.JobError: History._job_error,
}


class Follower:
    """Keeps the history of a run up to date while its events grow."""

    def __init__(self, run: Run) -> None:
        self.run = run
        """Whose events are followed."""
        self.history = History()
        self._reader = e.EventReader(run.events_path)

    def read(self, most: int = READ_MOST) -> bool:
        """Fold in at most `most` new events, so that a caller can do something else in between.

        Returns:
            Whether there may be more already: read on. False when all that is written was read.
        """
        return self.history.take(islice(self._reader.stream(), most)) == most


def read_history(run: Run) -> History:
    """The history of `run` as far as it is written; an empty one where nothing is."""
    follower = Follower(run)
    while follower.read():
        pass
    return follower.history


def _goodness(scores: e.Validation) -> tuple[float, float, float, float]:
    chosen = scores.by(scores.metric)
    by_metric = float("-inf") if chosen is None else measure(scores.metric).goodness(chosen)
    return by_metric, scores.exact_match, scores.f1, -scores.loss if scores.loss is not None else float("-inf")
