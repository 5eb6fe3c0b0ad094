"""Parts of a long piece of work at the same time, each in a process of its own, because Python computes in one thread.

The processes are forked: they begin with everything that this one holds, without reading or sending it, and give back
what they found. A part is a function of a meter that changes nothing here, so that it can be done here just as well.
"""

from __future__ import annotations

import gc
import multiprocessing
import os
import signal
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any, NamedTuple, TypeVar

from tunesmith.core.meter import Meter, silent

T = TypeVar("T")
Part = Callable[[Meter], T]
"""Does its part, tells the meter how far it is, and gives back something that can be pickled."""

FEWEST = 20_000
"""Rows that are worth a process: starting one takes as long as some hundreds of them, and its memory is its own."""

MOST = 8
"""Processes at a time: each holds batches of its own, and a GPU box with a hundred cores has other users."""

TELL_SECONDS = 0.25
"""Between two looks at how far the others are, once this process has nothing left to do."""


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
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else 1


def at_once(parts: Sequence[Part[T]], meter: Meter = silent) -> list[T]:
    """What each of the parts gives back, in their order: the first is done here, the others beside it.

    A process that fails or is killed gives nothing back, and its part is then done here: so an error is raised where
    it is understood, and a machine short of memory takes longer instead of failing.

    Args:
        parts: At least one.
        meter: Told the sum of what all of them have done; what it raises ends them all and is let through.
    """
    if len(parts) == 1:
        return [parts[0](meter)]
    with _beside(parts[1:]) as others:
        together = _Together(meter, others)
        first = parts[0](together)
        together.finish()
    return [
        first,
        *(one.found.value if one.found else part(meter) for one, part in zip(others, parts[1:], strict=True)),
    ]


class _Other:
    """A process that does a part, and what is known of it."""

    def __init__(self, part: Part[Any]) -> None:
        context = multiprocessing.get_context("fork")
        self.reads, writes = context.Pipe(duplex=False)
        self.process: BaseProcess = context.Process(target=_run, args=(part, self.reads, writes), daemon=True)
        with warnings.catch_warnings():
            # From Python 3.12 on a fork beside threads is warned of. Those here hold nothing that a part needs.
            warnings.simplefilter("ignore", DeprecationWarning)
            self.process.start()
        writes.close()
        self.told: Told | None = None
        self.found: Found | None = None
        self.ended = False

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

    def close(self) -> None:
        """End it, whatever it does."""
        self.process.kill()
        self.process.join()
        self.reads.close()


@contextmanager
def _beside(parts: Sequence[Part[Any]]) -> Iterator[list[_Other]]:
    """A process for each of the parts; none is left when this ends."""
    others: list[_Other] = []
    try:
        for part in parts:
            others.append(_Other(part))
        yield others
    finally:
        for one in others:
            one.close()


class _Together:
    """A meter for the part that is done here, which tells the sum of all."""

    def __init__(self, meter: Meter, others: Sequence[_Other]) -> None:
        self._meter, self._others = meter, others
        self._own = Told("", 0, 0)

    def __call__(self, doing: str, done: int, of: int) -> None:
        self._own = Told(doing, done, of)
        self._tell()

    def finish(self) -> None:
        """Wait until the others are done, too."""
        while working := [one for one in self._others if not one.ended]:
            wait([one.reads for one in working], TELL_SECONDS)
            self._tell()

    def _tell(self) -> None:
        for one in self._others:
            one.listen()
        doing, done, of = self._own
        if not doing:
            return
        for other in self._others:
            if other.told is not None and other.told.doing == doing:
                done, of = done + other.told.done, of + other.told.of
            else:  # not there yet
                of += self._own.of
        self._meter(doing, done, of)


def _run(part: Part[Any], reads: Connection, writes: Connection) -> None:
    """What happens in the other process. It says nothing where it fails: the part is then done by who asked."""
    reads.close()  # else nobody but this process would be needed to keep the pipe open, and writing would never fail
    gc.freeze()  # what came along is not looked through, which would copy it, nor freed, which is for its owner to do
    # Keys are for who asked, and it ends this process; its handlers would do here what they were made for there.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
    os.environ["TOKENIZERS_PARALLELISM"] = "false"  # its threads are not here, and waiting for them would never end
    asked_by = multiprocessing.parent_process()
    parent = asked_by.pid if asked_by is not None else os.getppid()

    def tell(doing: str, done: int, of: int) -> None:
        if os.getppid() != parent:
            os._exit(1)  # nobody waits any more
        writes.send(Told(doing, done, of))

    try:
        writes.send(Found(part(tell)))
    except BaseException:  # noqa: BLE001 - see above
        os._exit(1)
