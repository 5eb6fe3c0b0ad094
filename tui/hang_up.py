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
"""For leaving in order: the terminal of a SIGTERM is still there, and is left as it was."""
LOOK_EVERY_SECONDS = 5.0


def leave_on_hang_up(leave: Callable[[], None]) -> None:
    """From now on a SIGHUP, a SIGTERM or a terminal that is gone ends this process.

    Args:
        leave: Asks the application to end in order; must be callable from any thread.
    """

    def told(number: int, frame: FrameType | None) -> None:
        # Python runs this even where the event loop is stuck in writing to a terminal that takes nothing any more.
        _end_soon()
        leave()

    for number in (signal.SIGHUP, signal.SIGTERM):
        signal.signal(number, told)
    if sys.__stdin__ is not None and sys.__stdin__.isatty():
        threading.Thread(target=_watch, args=(sys.__stdin__.fileno(),), daemon=True, name="line").start()


def _watch(terminal: int) -> None:
    """Where nobody sends a signal, the terminal itself tells that it is gone."""
    while True:
        time.sleep(LOOK_EVERY_SECONDS)
        try:
            termios.tcgetattr(terminal)
        except (termios.error, OSError):
            os._exit(0)


def _end_soon() -> None:
    watchdog = threading.Timer(ENDS_WITHIN_SECONDS, os._exit, (0,))
    watchdog.daemon = True
    watchdog.start()
