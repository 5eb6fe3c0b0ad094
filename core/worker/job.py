"""What a stage is given inside a worker: the run, its plan, where to write events, and whether to stop."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from tunesmith.core.events import AnyEvent, EventWriter, Finding, Progress
from tunesmith.core.plan import Plan
from tunesmith.core.run import Run


class Stopped(Exception):
    """Work ends before its end, and what is worth keeping was saved: the person asked for it, or `advice` says why."""

    def __init__(self, advice: str = "") -> None:
        super().__init__(advice)
        self.advice = advice


@dataclass
class Job:
    """One worker's view of its run."""

    run: Run
    plan: Plan
    events: EventWriter
    resume: bool = False
    asked: bool = field(default=False)
    """Set by SIGTERM; the stop file says the same from outside."""

    def emit(self, event: AnyEvent) -> None:
        """Append `event` to the run's log of events."""
        self.events.write(event)

    def stop_requested(self) -> bool:
        """Whether somebody asked to stop and save."""
        return self.asked or self.run.stop_path.exists()

    def check_stop(self) -> None:
        """Raise Stopped where somebody asked to stop: for work that loses nothing by being begun again."""
        if self.stop_requested():
            raise Stopped

    def finding(self, stage: str, text: str, level: str = "note", count: int = 0) -> None:
        """Tell the person something a stage found out."""
        self.emit(Finding(stage=stage, text=text, level=level, count=count))  # type: ignore[arg-type]

    def progress(self, stage: str, doing: str, unit: str = "rows") -> Meter:
        """A meter for a piece of work, that reports at most twice a second."""
        return Meter(self, stage, doing, unit)


@dataclass
class Meter:
    """Reports how far a piece of work is, at most twice a second, and looks whether to stop."""

    job: Job
    stage: str
    doing: str
    unit: str
    last: float = 0.0

    def __call__(self, done: int, total: int) -> None:
        """`done` of `total` are finished. Raises Stopped where somebody asked to stop."""
        self.job.check_stop()
        now = time.monotonic()
        if now - self.last >= 0.5 or done == total:
            self.last = now
            self.job.emit(Progress(stage=self.stage, doing=self.doing, done=done, total=total, unit=self.unit))


@dataclass
class JobMeter:
    """The same for work in several parts, as `core.meter.Meter`: each part says what it is."""

    job: Job
    stage: str
    last: float = 0.0
    doing: str = ""

    def __call__(self, doing: str, done: int, of: int) -> None:
        """`done` of `of` rows are finished. Raises Stopped where somebody asked to stop."""
        self.job.check_stop()
        now = time.monotonic()
        if now - self.last >= 0.5 or doing != self.doing:
            self.last, self.doing = now, doing
            self.job.emit(Progress(stage=self.stage, doing=doing, done=done, total=max(done, of), unit="rows"))
