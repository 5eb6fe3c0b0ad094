"""Ends the wizard when its line has dropped, whatever it is doing at that moment.

Left alone, a program whose terminal is gone can wait for ever for the terminal to take its output, or spin reading
from it. Answers are on disk and runs are processes of their own, so ending is always safe.
"""

from __future__ import annotations

import os
import signal
import sys
import termios
import threading
import time
from collections.abc import Callable
from types import FrameType

ENDS_WITHIN_SECONDS = 1.5
"""For leaving in order where the terminal is gone: nothing of it can be put back."""
TIDIES_WITHIN_SECONDS = 10.0
"""The same where it is still there, as at a SIGTERM: it is left as it was, which takes its time on a busy machine."""
LOOK_EVERY_SECONDS = 5.0


def leave_on_hang_up(leave: Callable[[], None]) -> None:
    """From now on a SIGHUP, a SIGTERM or a terminal that is gone ends this process.

    Args:
        leave: Asks the application to end in order; must be callable from any thread.
    """

    terminal = sys.__stdin__.fileno() if sys.__stdin__ is not None and sys.__stdin__.isatty() else None

    def told(number: int, frame: FrameType | None) -> None:
        # Python runs this even where the event loop is stuck in writing to a terminal that takes nothing any more.
        threading.Thread(target=_end, args=(terminal,), daemon=True, name="end").start()
        leave()

    for number in (signal.SIGHUP, signal.SIGTERM):
        signal.signal(number, told)
    if terminal is not None:
        threading.Thread(target=_watch, args=(terminal,), daemon=True, name="line").start()


def _watch(terminal: int) -> None:
    """Where nobody sends a signal, the terminal itself tells that it is gone."""
    while _is_there(terminal):
        time.sleep(LOOK_EVERY_SECONDS)
    os._exit(0)


def _end(terminal: int | None) -> None:
    """End the process where leaving in order takes too long."""
    deadline = time.monotonic() + TIDIES_WITHIN_SECONDS
    time.sleep(ENDS_WITHIN_SECONDS)
    while terminal is not None and _is_there(terminal) and time.monotonic() < deadline:
        time.sleep(0.1)
    os._exit(0)


def _is_there(terminal: int) -> bool:
    try:
        termios.tcgetattr(terminal)
    except (termios.error, OSError):
        return False
    return True
