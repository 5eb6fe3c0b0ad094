"""The typed lines of a run's `events.jsonl`: few, append-only, readable from any byte.

A writer appends whole lines; a reader keeps an offset, so it can start anywhere, follow a growing file without
rereading it, and never trips over a line that is only half written. Lines of a kind that this version does not
know are passed over, so an older Tunesmith can watch a newer run.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import msgspec

from tunesmith.core.bootstrap import Interval


class Event(msgspec.Struct, frozen=True, tag_field="event", omit_defaults=True, kw_only=True):
    """What every line carries: when it happened, in seconds since 1970."""

    at: float = msgspec.field(default_factory=time.time)


class JobStarted(Event, frozen=True, tag="job_started"):
    """A worker took up the run."""

    pid: int
    stages: list[str]
    resumed: bool = False


class StageStarted(Event, frozen=True, tag="stage_started"):
    """One of the six stages began."""

    stage: str


class StageFinished(Event, frozen=True, tag="stage_finished"):
    """A stage is done; `summary` is its result in one sentence."""

    stage: str
    seconds: float
    summary: str


class Progress(Event, frozen=True, tag="progress"):
    """How far a piece of work is: `done` of `total` `unit` (`total` 0 when unknown)."""

    stage: str
    doing: str
    done: int
    total: int
    unit: str = ""


class Finding(Event, frozen=True, tag="finding"):
    """Something a stage found out that the person should see, e.g. duplicates and what was done about them."""

    stage: str
    text: str
    level: Literal["ok", "note", "warning"] = "note"
    count: int = 0


class Decision(Event, frozen=True, tag="decision"):
    """A value of the plan that a stage works by, with its reason, as shown beside it."""

    stage: str
    name: str
    value: str
    because: str


class Step(Event, frozen=True, tag="step"):
    """One logged training step. `loss` is the mean over the steps since the last line (nats a trained token).

    `tokens_seen` counts all tokens that went through the model since the training began, those of the prompts
    included, padding left out; a resumed training counts on from its checkpoint.
    """

    step: int
    steps: int
    epoch: float
    loss: float
    learning_rate: float
    gradient_norm: float | None = None
    tokens_seen: int = 0
    tokens_per_second: float = 0.0
    seconds_left: float = 0.0
    memory_bytes: int = 0
    memory_kind: Literal["gpu", "ram"] = "ram"


class Validation(Event, frozen=True, tag="validation"):
    """Scores on the fixed validation slice; step 0 is the untouched model. Shares are 0 to 1."""

    step: int
    loss: float | None
    exact_match: float
    f1: float
    rows: int
    metric: str = "exact_match"
    """The plan's, by which success is measured; runs of before it could be chosen lack it."""
    score: float | None = None
    """By that metric; None in such runs, and where it is not a number."""

    def by(self, metric: str) -> float | None:
        """The score by this metric; None where it is not known."""
        always = {"exact_match": self.exact_match, "accuracy": self.exact_match, "f1": self.f1}
        return always.get(metric, self.score if metric == self.metric else None)


class Sample(Event, frozen=True, tag="sample"):
    """What the model answers to one fixed validation question at this step."""

    step: int
    question: str
    expected: str
    answer: str


class Evidence(Event, frozen=True, tag="evidence"):
    """The untouched model on the validation slice, before the training, with `shots` examples in its prompt.

    Shares are 0 to 1. `goal` is its score in the plan's own metric with the bounds of its interval; None where that
    is not known. Where `skipped` says why, nothing was scored.
    """

    shots: int
    rows: int = 0
    exact_match: float = 0.0
    f1: float = 0.0
    metric: str = "exact_match"
    threshold: float = 0.0
    goal: float | None = None
    goal_low: float | None = None
    goal_high: float | None = None
    confidence: float = 0.0
    seconds: float = 0.0
    skipped: str = ""


class Checkpoint(Event, frozen=True, tag="checkpoint"):
    """A checkpoint is complete on disk; `path` is relative to the run's folder."""

    step: int
    path: str


class Score(Event, frozen=True, tag="score"):
    """One model on one set of held-out rows: shares 0 to 1 with the bounds of the confidence interval.

    `model` is base, tuned or merged; `rows_kind` is test or the name of a probe.
    """

    model: str
    rows_kind: str
    rows: int
    exact_match: float
    exact_match_low: float
    exact_match_high: float
    f1: float
    f1_low: float
    f1_high: float
    confidence: float
    seconds: float = 0.0
    metric: str = "exact_match"
    """The plan's, by which success is measured; runs of before it could be chosen lack it and the three below."""
    score: float | None = None
    score_low: float | None = None
    score_high: float | None = None

    def by(self, metric: str) -> Interval | None:
        """The score by this metric with its bounds; None where it is not known."""
        if metric in ("exact_match", "accuracy"):
            return Interval(self.exact_match, self.exact_match_low, self.exact_match_high)
        if metric == "f1":
            return Interval(self.f1, self.f1_low, self.f1_high)
        if metric != self.metric or self.score is None or self.score_low is None or self.score_high is None:
            return None
        return Interval(self.score, self.score_low, self.score_high)


class Verdict(Event, frozen=True, tag="verdict"):
    """The result against the goal of stage 1, in one sentence."""

    reached: bool
    text: str


class Written(Event, frozen=True, tag="written"):
    """A product was written; `path` is relative to the run's folder, `bytes` its size on disk."""

    what: str
    path: str
    bytes: int


class JobFinished(Event, frozen=True, tag="job_finished"):
    """The worker ended as planned, or stopped: because it was asked to, or by its own advice, which `text` then is."""

    outcome: Literal["finished", "stopped"]
    text: str = ""
    advised: bool = False


class JobError(Event, frozen=True, tag="job_error"):
    """The worker ended with an error; the traceback is in the log at `log`."""

    title: str
    cause: str
    next_step: str
    log: str
    stage: str = ""


AnyEvent = (
    JobStarted
    | StageStarted
    | StageFinished
    | Progress
    | Finding
    | Decision
    | Step
    | Validation
    | Sample
    | Evidence
    | Checkpoint
    | Score
    | Verdict
    | Written
    | JobFinished
    | JobError
)

_decoder = msgspec.json.Decoder(AnyEvent)
_encoder = msgspec.json.Encoder()


class EventWriter:
    """Appends events to a file, each as one line in one write, so that readers never see two lines mixed.

    One writer at a time: the worker that holds the run's lock.
    """

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o644)
        size = os.fstat(self._file).st_size
        # A worker that was killed in the middle of a line leaves half of it: close that line, never join onto it.
        if size and os.pread(self._file, 1, size - 1) != b"\n":
            os.write(self._file, b"\n")
        self._torn = False
        """Whether the last line was refused half way, so that the next one must not join onto it."""

    def write(self, event: AnyEvent) -> None:
        """Append `event`. Raises OSError when the disk does not take all of it; what it took stays half a line."""
        line = _encoder.encode(event) + b"\n"
        left = memoryview(b"\n" + line if self._torn else line)
        while left:  # a disk that is nearly full, or a signal, may take only a part and say so
            written = os.write(self._file, left)
            left = left[written:]
            self._torn = bool(left)

    def close(self) -> None:
        """Close the file; the writer can't be used afterwards."""
        os.close(self._file)


class EventReader:
    """Reads the events of a growing file from a byte offset on."""

    def __init__(self, path: Path, offset: int = 0) -> None:
        self.path = path
        self.offset = offset
        """The first byte not yet read; always the beginning of a line once a first line was read."""

    def read(self) -> list[AnyEvent]:
        """All events that were completed since the last call; an empty list when there are none."""
        return list(self.stream())

    def stream(self, chunk: int = 1 << 20) -> Iterator[AnyEvent]:
        """The same one by one, reading `chunk` bytes at a time, for files that are too long to hold at once."""
        try:
            file = self.path.open("rb")
        except FileNotFoundError:
            return
        with file:
            if self.offset:  # a start in the middle of a line moves to the next one
                file.seek(self.offset - 1)
                if file.read(1) != b"\n":
                    self.offset += len(file.readline())
            rest = b""
            while block := file.read(chunk):
                lines = (rest + block).split(b"\n")
                rest = lines.pop()
                for line in lines:
                    self.offset += len(line) + 1
                    event = decode(line)
                    if event is not None:
                        yield event


def decode(line: bytes) -> AnyEvent | None:
    """The event on one line, or None for a damaged line or a kind that this version does not know."""
    try:
        event: AnyEvent = _decoder.decode(line)
    except msgspec.DecodeError:  # also the base of ValidationError, which an unknown tag raises
        return None
    return event
