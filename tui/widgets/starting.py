"""Starts a run or goes on with one, in a thread: the worker needs some hundred milliseconds to put its name on it."""

from __future__ import annotations

from collections.abc import Callable

from textual import on, work
from textual.message import Message
from textual.widget import Widget
from textual.worker import Worker

from tunesmith.core.errors import TunesmithError
from tunesmith.core.launch import launch, resume
from tunesmith.core.recommend import Resolution
from tunesmith.core.run import Run
from tunesmith.tui.failures import defect


class Starting(Widget):
    """Tells when a worker is at the run, or why there is none. It is not seen."""

    DEFAULT_CSS = "Starting { display: none; }"

    class Started(Message):
        """A worker is at this run."""

        def __init__(self, run: Run, *, new: bool) -> None:
            super().__init__()
            self.run, self.new = run, new

    class Failed(Message):
        """A run could not be started."""

        def __init__(self, error: TunesmithError) -> None:
            super().__init__()
            self.error = error

    def start(self, resolution: Resolution) -> None:
        """Make a run of this plan and put a worker at it."""
        self._do(lambda: launch(resolution.plan, resolution.reasons), new=True)

    def go_on(self, run: Run) -> None:
        """Resume a run that was stopped or killed."""

        def again() -> Run:
            resume(run)
            return run

        self._do(again, new=False)

    @work(thread=True, exclusive=True, exit_on_error=False)
    def _do(self, act: Callable[[], Run], *, new: bool) -> None:
        try:
            run = act()
        except TunesmithError as error:
            self.post_message(self.Failed(error))
            return
        self.post_message(self.Started(run, new=new))

    @on(Worker.StateChanged)
    def _worker_failed(self, event: Worker.StateChanged) -> None:
        """A defect of ours must not pass unseen."""
        error = defect(event)
        if error is not None:
            self.post_message(self.Failed(error))
