"""Parts of a long piece of work at the same time, each in a process of its own, because Python computes in one thread.

The processes are forked: they begin with everything that this one holds, without reading or sending it, and give back
what they found. A part is a function of a meter that changes nothing here, so that it can be done here just as well.
"""

from __future__ import annotations

import ctypes
import gc
import os
import signal
import sys
import time
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from itertools import pairwise
from multiprocessing.connection import Connection, Pipe, wait
from typing import Any, NamedTuple, TypeVar

import psutil

from tunesmith.core.hardware import usable_cores
from tunesmith.core.meter import Meter, silent
from tunesmith.core.system import System

T = TypeVar("T")
Part = Callable[[Meter], T]
"""Does its part, tells the meter how far it is, and gives back something that can be pickled."""

FEWEST = 20_000
"""Rows that are worth a process: starting one takes as long as some hundreds of them, and its memory is its own."""

MOST = 8
"""Processes at a time: each holds batches of its own, and a GPU box with a hundred cores has other users."""

TELL_SECONDS = 0.25
"""Between two looks at how far the others are, once this process has nothing left to do."""

HANGS_SECONDS = 20.0
"""Without a moment of computing in this time a process waits for something that will not come, such as a thread of a
library that was not forked with it."""

_END_WITH_PARENT = 1
"""PR_SET_PDEATHSIG of Linux's prctl(2): a signal for when whoever forked this process ends, however that happens."""


class Told(NamedTuple):
    """How far a part is, as its meter was told."""

    doing: str
    done: int
    of: int


class Found(NamedTuple):
    """What a part gave back."""

    value: Any


def stretches(rows: int) -> list[range]:
    """`rows` cut into as many stretches as are worth a process, all nearly alike and in order; at least one."""
    count = max(1, min(cores(), rows // FEWEST, MOST))
    ends = [rows * number // count for number in range(count + 1)]
    return [range(start, stop) for start, stop in pairwise(ends)]


def cores() -> int:
    """Processes that can compute at the same time; 1 where the system can't fork safely."""
    return usable_cores(System()) if sys.platform == "linux" else 1


def at_once(parts: Sequence[Part[T]], meter: Meter = silent, combine: Callable[[Iterable[int]], int] = sum) -> list[T]:
    """What each of the parts gives back, in their order: the first is done here, the others beside it.

    A process that can't be started, fails, is killed or hangs gives nothing back, and its part is then done here: so an
    error is raised where it is understood, and a machine short of memory takes longer instead of failing.

    Args:
        parts: At least one.
        meter: Told what all of them together have done; what it raises ends them all and is let through.
        combine: What that is: `sum` for parts that share the rows, `min` for parts that each go through all of them.
    """
    if len(parts) == 1:
        return [parts[0](meter)]
    with _beside(parts[1:]) as others:
        together = _Together(meter, combine, len(parts), others)
        first = parts[0](partial(together.tell, 0))
        together.finish()
    found = [one.found for one in others]
    found += [None] * (len(parts) - 1 - len(others))
    return [
        first,
        *(
            part(partial(together.tell, number)) if one is None else one.value
            for number, (part, one) in enumerate(zip(parts[1:], found, strict=True), 1)
        ),
    ]


class _Other:
    """A process that does a part, and what is known of it. Raises OSError where none can be started."""

    def __init__(self, part: Part[Any]) -> None:
        self.reads, writes = Pipe(duplex=False)
        with writes:
            self.pid = _forked(partial(_run, part, self.reads, writes))
        self.told: Told | None = None
        self.found: Found | None = None
        self.ended = False
        self._computed, self._since = -1.0, 0.0
        """Seconds that it has computed, and since when it is so many."""

    def listen(self) -> None:
        """Take up what it has said until now."""
        try:
            while not self.ended and self.reads.poll():
                said = self.reads.recv()
                if isinstance(said, Found):
                    self.found, self.ended = said, True
                else:
                    self.told = said
        except (EOFError, OSError):
            self.ended = True

    def hangs(self) -> bool:
        """Whether it has not computed for a long time; asked again and again while nothing else is to be done."""
        try:
            computed = sum(psutil.Process(self.pid).cpu_times()[:2])
        except psutil.Error:
            return False  # it has ended, which the pipe will say
        now = time.monotonic()
        if computed != self._computed:
            self._computed, self._since = computed, now
        return now - self._since > HANGS_SECONDS

    def close(self) -> None:
        """End it, whatever it does."""
        with suppress(ProcessLookupError, ChildProcessError):  # where a program lets the system reap its children
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        self.reads.close()


@contextmanager
def _beside(parts: Sequence[Part[Any]]) -> Iterator[list[_Other]]:
    """A process for each of the parts, or for as many as can be had; none is left when this ends."""
    others: list[_Other] = []
    try:
        with suppress(OSError):
            for part in parts:
                others.append(_Other(part))
        yield others
    finally:
        for one in others:
            one.close()


class _Together:
    """Hears how far each part is, and tells what all of them have done."""

    def __init__(
        self, meter: Meter, combine: Callable[[Iterable[int]], int], parts: int, others: Sequence[_Other]
    ) -> None:
        self._meter, self._combine, self._others = meter, combine, others
        self._told: list[Told | None] = [None] * parts
        """What was last said of each; the others' come after the first."""

    def tell(self, part: int, doing: str, done: int, of: int) -> None:
        """The meter of a part that is done here."""
        self._listen()
        self._told[part] = Told(doing, done, of)
        self._tell(Told(doing, done, of))

    def finish(self) -> None:
        """Wait until the others are done, too, and tell what they do."""
        while working := [one for one in self._others if not one.ended]:
            wait([one.reads for one in working], TELL_SECONDS)
            self._listen()
            for one in working:
                one.ended = one.ended or one.hangs()
            lead = next((one.told for one in working if one.told is not None), self._told[0])
            if lead is not None:
                self._tell(lead)

    def _listen(self) -> None:
        for number, one in enumerate(self._others, 1):
            if not one.ended:
                one.listen()
                self._told[number] = one.told

    def _tell(self, lead: Told) -> None:
        """Tell how far all are that do the same as `lead`, which one of them has said."""
        # Who has said nothing yet has all of it before him.
        told = [one or lead._replace(done=0) for one in self._told]
        same = [one for one in told if one.doing == lead.doing]
        self._meter(lead.doing, self._combine(one.done for one in same), self._combine(one.of for one in same))


def _forked(work: Callable[[], None]) -> int:
    """The number of a process that does some work and ends.

    It is forked without `multiprocessing`, whose processes close their stdin first: where a thread is reading that, as
    the helper's does, they wait for it forever.
    """
    asker = os.getpid()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, ())
    try:
        # Between being forked and having handlers of its own it would do what those here were made for.
        signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        with warnings.catch_warnings():
            # From Python 3.12 on a fork beside threads is warned of. Those here hold nothing that a part needs.
            warnings.simplefilter("ignore", DeprecationWarning)
            pid = os.fork()
        if pid:
            return pid
        try:
            ctypes.CDLL(None).prctl(_END_WITH_PARENT, signal.SIGKILL)
            if os.getppid() == asker:  # else it has ended already
                signal.signal(signal.SIGINT, signal.SIG_IGN)  # keys are for who asked, who ends this process
                for number in (signal.SIGTERM, signal.SIGHUP):
                    signal.signal(number, signal.SIG_DFL)
                signal.pthread_sigmask(signal.SIG_SETMASK, before)
                work()
        finally:
            os._exit(0)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _run(part: Part[Any], reads: Connection, writes: Connection) -> None:
    """What happens in the other process. It says nothing where it fails: the part is then done by who asked."""
    reads.close()  # else nobody but this process would be needed to keep the pipe open, and writing would never fail
    gc.freeze()  # what came along is not looked through, which would copy it, nor freed, which is for its owner to do
    os.environ["TOKENIZERS_PARALLELISM"] = "false"  # its threads are not here, and waiting for them would never end
    writes.send(Found(part(lambda doing, done, of: writes.send(Told(doing, done, of)))))
