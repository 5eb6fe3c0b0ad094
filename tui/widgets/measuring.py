"""Measures data, model and machine for the answers of a project, in a thread of its own. It is not seen."""

from __future__ import annotations

import time
from typing import Any

from textual import on, work
from textual.message import Message
from textual.timer import Timer
from textual.widget import Widget
from textual.worker import Worker

from tunesmith.core.errors import TunesmithError
from tunesmith.core.load import Load
from tunesmith.core.meter import Cancelled
from tunesmith.core.pace import Pace
from tunesmith.core.survey import Survey
from tunesmith.tui.failures import defect
from tunesmith.tui.session import Session

TYPING_SECONDS = 0.3
"""A pause this long means that a word is finished, and what follows from it is measured."""

LONG_SECONDS = 1.5
"""A measurement that takes longer says how far it is."""


class Measuring(Widget):
    """Measures for the present wishes; what was measured for older ones is dropped."""

    DEFAULT_CSS = "Measuring { display: none; }"

    class Begun(Message):
        """A measurement is under way."""

    class Doing(Message):
        """How far it is, as a sentence; only of what takes long."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    class Stopped(Message):
        """The person stopped it."""

    class Seen(Message):
        """Something was measured for the present wishes; `whole` once the tokens are counted, too."""

        def __init__(self, survey: Survey, *, whole: bool) -> None:
            super().__init__()
            self.survey, self.whole = survey, whole

    class Simulating(Message):
        """A simulation is under way."""

    class Simulated(Message):
        """A training step was simulated for what is measured now; None where that was not possible."""

        def __init__(self, survey: Survey | None) -> None:
            super().__init__()
            self.survey = survey

    class Refused(Message):
        """The data, the model or the wishes can't be used."""

        def __init__(self, error: TunesmithError) -> None:
            super().__init__()
            self.error = error

    class Told(Message):
        """From the thread to this widget: what was found for `wishes`, how far it is, or (None) that it was stopped."""

        def __init__(self, found: Survey | TunesmithError | str | None, wishes: object, *, whole: bool = False) -> None:
            super().__init__()
            self.found, self.wishes, self.whole = found, wishes, whole

    class Finished(Message):
        """From the thread to this widget: what became of the simulation for `seen`."""

        def __init__(self, found: Survey | None, seen: Survey) -> None:
            super().__init__()
            self.found, self.seen = found, seen

    def __init__(self, session: Session) -> None:
        super().__init__(id="measuring")
        self._session = session
        self._wishes: dict[str, Any] | None = None
        """Those that the newest measurement was started for."""
        self._long = False
        self._waiting: Timer | None = None
        """For the person to stop typing."""
        self._simulation: Timer | None = None
        self._proving = False
        """Whether the rows are being cut at another sequence length."""
        self._proved: tuple[Survey, int] | None = None
        """What that was begun for last: it is not tried twice."""

    @property
    def begun(self) -> bool:
        """Whether anything was measured, or is being measured."""
        return self._wishes is not None

    def soon(self) -> None:
        """Measure once the person has stopped typing."""
        if self._waiting is not None:
            self._waiting.stop()
        self._waiting = self.set_timer(TYPING_SECONDS, self.now)

    def now(self) -> None:
        """Begin to measure for the present wishes."""
        self._wishes = dict(self._session.project.wishes)
        self.post_message(self.Begun())
        self._measure(self._wishes)

    def simulate_soon(self) -> None:
        """Simulate a step of the present plan once the person has stopped typing, where it is not known yet."""
        if self._simulation is not None:
            self._simulation.stop()
        self._simulation = self.set_timer(TYPING_SECONDS, self._simulate_now)

    def _simulate_now(self) -> None:
        project = self._session.project
        if project.survey is None or self._session.simulating or self._proving:
            return
        longest = self._session.unproven()
        if longest is not None and self._proved != (project.survey, longest):
            self._proving, self._proved = True, (project.survey, longest)
            self._prove(project.survey, longest)
            return
        load = self._session.unsimulated()
        if load is None:
            return
        self._session.simulating, self._session.simulating_since = True, time.monotonic()
        self.post_message(self.Simulating())
        self._simulate(project.survey, load)

    @work(thread=True, group="proof", exit_on_error=False)
    def _prove(self, seen: Survey, longest: int) -> None:
        try:
            found = self._session.prove(seen, longest)
        except TunesmithError:
            found = None  # the run counts every row before it trains
        self.post_message(self.Finished(found, seen))

    @work(thread=True, group="simulation", exit_on_error=False)
    def _simulate(self, seen: Survey, load: Load) -> None:
        try:
            found = self._session.simulate(seen, load)
        except TunesmithError:
            found = None  # the arithmetic stands, and says that it is arithmetic
        self.post_message(self.Finished(found, seen))

    @on(Finished)
    def _finished(self, event: Finished) -> None:
        event.stop()
        if self._proving and event.found is None:
            self.simulate_soon()  # what comes after it does not wait for it
        self._session.simulating = self._proving = False
        still = event.seen is self._session.project.survey
        self.post_message(self.Simulated(event.found if still else None))

    @work(thread=True, exclusive=True, group="survey", exit_on_error=False)
    def _measure(self, wishes: dict[str, Any]) -> None:
        # Messages are posted, nothing waits for an answer: a wizard that is being left never hangs on this thread.
        pace, began = Pace(), time.monotonic()

        def seen(first: Survey) -> None:
            self.post_message(self.Told(first, wishes))

        def tell(doing: str, done: int, of: int) -> None:
            now = time.monotonic()
            pace.see(doing, done, of, now)
            if now - began >= LONG_SECONDS and not self._session.closed:
                self.post_message(self.Told(pace.text(), wishes))

        try:
            found = self._session.measure(wishes, seen, tell)
        except Cancelled:
            self.post_message(self.Told(None, wishes))
            return
        except TunesmithError as error:
            if not self._session.closed:
                self.post_message(self.Told(error, wishes))
            return
        if found is not None:
            self.post_message(self.Told(found, wishes, whole=True))

    @property
    def long(self) -> bool:
        """Whether a measurement is under way that takes long: it can be stopped."""
        return self._long

    def stop(self) -> None:
        """Give up what is being measured."""
        self._session.cancel()

    @on(Told)
    def _told(self, event: Told) -> None:
        event.stop()
        if event.wishes is not self._wishes:
            return  # the person has said something else since
        self._long = isinstance(event.found, str)
        if isinstance(event.found, str):
            self.post_message(self.Doing(event.found))
        elif event.found is None:
            self.post_message(self.Stopped())
        elif isinstance(event.found, TunesmithError):
            self.post_message(self.Refused(event.found))
        else:
            self.post_message(self.Seen(event.found, whole=event.whole))

    @on(Worker.StateChanged)
    def _worker_failed(self, event: Worker.StateChanged) -> None:
        """A defect of ours must not pass unseen."""
        error = defect(event)
        if error is not None:
            self._session.simulating = self._proving = False
            self.post_message(self.Refused(error))
