"""What the wizard's screens share: the project that is open, the run that is watched, and the helper that measures."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from tunesmith.core.draft import Wishes
from tunesmith.core.fit import unsimulated
from tunesmith.core.history import Follower, History
from tunesmith.core.jobs import Helper
from tunesmith.core.load import Load
from tunesmith.core.meter import Cancelled, Meter, silent
from tunesmith.core.paths import is_of_hub
from tunesmith.core.prepare.meant import Meant
from tunesmith.core.project import Project
from tunesmith.core.run import Run, State
from tunesmith.core.survey import Page, Survey, Whole, counted, look, page, proven, simulated, unproven, whole
from tunesmith.tui.glyphs import Glyphs

EVENTS_AT_ONCE = 16_000
"""Events folded before the keyboard is listened to again: about 40 milliseconds of work."""


@dataclass
class Session:
    """Nothing here is lost with the process: the project and the run are folders, the rest is measured again."""

    glyphs: Glyphs
    project: Project
    follower: Follower | None = None
    state: State | None = None
    """Of the run that is watched, as of the last look."""
    problem: str = ""
    """Why the present wishes can't be measured, in one sentence; empty where they can."""
    problem_told: str = ""
    """The same with its cause and what to do."""
    meant: Meant | None = None
    """What the person has to state before the data can be read, such as a query."""
    all_settings: bool = False
    """Whether every value of the plan is shown, not only what everybody is asked."""
    simulating: bool = False
    """Whether the memory of the present plan is being simulated."""
    simulating_since: float = 0.0
    """When that began, by `time.monotonic`."""
    stopped: bool = False
    """Whether the person stopped the look at the data: nothing follows from it until it is taken up again."""
    closed: bool = False
    """Whether the helper was ended on purpose: a question that it could not answer any more is no failure."""
    hub_silent: bool = False
    """Whether the Hub did not answer, or is not to be asked: that is said once."""
    _hub: Helper | None = field(default=None, repr=False)
    """Asks the Hub; started when the person first wants something of it."""
    _helper: Helper | None = field(default=None, repr=False)
    _pages: Helper | None = field(default=None, repr=False)
    """Reads stretches of the data for whoever looks through it."""
    _paging: threading.Lock = field(default_factory=threading.Lock, repr=False)
    _measuring: threading.Lock = field(default_factory=threading.Lock, repr=False)
    _wanted: Wishes | None = field(default=None, repr=False)
    """What the newest measurement is for."""

    @property
    def run(self) -> Run | None:
        """The run that is watched."""
        return self.follower.run if self.follower else None

    @property
    def history(self) -> History | None:
        """What happened in it so far."""
        return self.follower.history if self.follower else None

    @property
    def alive(self) -> bool:
        """Whether a worker is at the run, as of the last look."""
        return self.state is not None and self.state.alive

    @property
    def simulated_for(self) -> float | None:
        """Seconds that a simulation has taken so far; None where none is under way."""
        return time.monotonic() - self.simulating_since if self.simulating else None

    @property
    def counted(self) -> bool:
        """Whether the rows are counted in the model's tokens: before, lengths and memory are not known."""
        survey = self.project.survey
        return survey is not None and survey.facts.data.tokens is not None and not self.project.pending

    def watch(self, run: Run) -> None:
        """Follow this run from its beginning."""
        self.follower = Follower(run)
        self.state = run.state()

    def read_news(self) -> bool:
        """Take up some of what happened since; returns whether there is more to read at once."""
        if self.follower is None:
            return False
        self.state = self.follower.run.state()  # asked before reading: what was written before the end is still read
        return self.follower.read(EVENTS_AT_ONCE)

    def measure(self, wishes: Wishes, seen: Callable[[Survey], None], meter: Meter = silent) -> Survey | None:
        """Measure for these wishes; waits, so it is for a thread.

        One measurement at a time: the helper remembers the rows that it looked at last. One that was overtaken by
        a newer one gives None.

        Args:
            seen: Called with what is known before the tokens are counted.
            meter: Told how far it is.

        Raises:
            TunesmithError: The data, the model or the wishes can't be used.
            Cancelled: `cancel` was called.
        """
        self._wanted = wishes
        self.cancel()  # what is being measured for older wishes
        with self._measuring:
            if self._wanted is not wishes or self.closed:
                return None
            online = is_of_hub(wishes.get("prepare.data"))
            if self._helper is not None and online and not self._helper.online:
                self._helper.close()
                self._helper = None
            if self._helper is None:
                self._helper = Helper(online=online)
            try:
                first = look(wishes, self.project.base, self._helper, meter)
                if self._wanted is not wishes or self.closed:
                    return None
                seen(first)
                return counted(first, wishes, self._helper, meter)
            except Cancelled:
                if self._wanted is not wishes or self.closed:
                    return None
                raise

    def cancel(self) -> None:
        """Give up what is being measured."""
        helper = self._helper
        if helper is not None:
            helper.cancel()

    def page(self, start: int, count: int) -> Page:
        """A stretch of the data as it was read; waits, so it is for a thread.

        Raises:
            TunesmithError: The data can't be read any more.
        """
        with self._paging:
            if self._pages is None:
                self._pages = Helper()  # its own: the other one may be busy for minutes
            return page(self.project.wishes, self.project.base, self._pages, start, count)

    def whole(self, number: int) -> Whole:
        """One record in full, counted from 0; waits, so it is for a thread. Raises what `page` does."""
        with self._paging:
            if self._pages is None:
                self._pages = Helper()
            return whole(self.project.wishes, self.project.base, self._pages, number)

    def hub(self) -> Helper:
        """The helper that may ask the Hub; for a thread, because starting it takes a moment."""
        if self._hub is None:
            self._hub = Helper(online=True)
        return self._hub

    def unsimulated(self) -> Load | None:
        """A way of training whose memory is shown and is only arithmetic: the plan's own first, then other methods'."""
        project = self.project
        known = self.counted and project.resolution is not None
        return unsimulated(project.wishes, project.facts) if known else None

    def unproven(self) -> int | None:
        """The plan's sequence length, where it is not known yet what is cut and lost at it."""
        project = self.project
        if not self.counted or project.resolution is None or project.survey is None:
            return None
        longest = project.plan.select.hyperparameters.max_length
        return longest if unproven(project.survey, longest) else None

    def prove(self, seen: Survey, longest: int) -> Survey | None:
        """`seen` with its rows cut at `longest` tokens; waits, so it is for a thread. None where that can't be told.

        Raises:
            TunesmithError: The model's tokenizer can't be used any more.
        """
        with self._measuring:
            if self.closed or self._helper is None:
                return None  # a new helper has looked at no rows
            return proven(seen, longest, self._helper)

    def simulate(self, seen: Survey, load: Load) -> Survey | None:
        """`seen` with one training step simulated; waits, so it is for a thread. None where the wizard is closed.

        Raises:
            TunesmithError: The model can't be simulated.
        """
        with self._measuring:
            if self.closed:
                return None
            if self._helper is None:
                self._helper = Helper()
            return simulated(seen, load, self._helper)

    def open_again(self) -> None:
        """Measure again after `close`."""
        self.closed = False

    def close(self) -> None:
        """End the helpers; they are started again when they are needed."""
        helpers = (self._helper, self._hub, self._pages)
        self._helper = self._hub = self._pages = None
        self.closed = True
        for helper in helpers:
            if helper is not None:
                helper.close()
