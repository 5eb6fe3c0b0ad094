"""The terminals that wizard.py opens programs in: tmux as people use it, and a pseudo-terminal that counts bytes."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import select
import shutil
import struct
import subprocess
import termios
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

import psutil
import pyte

COLUMNS, ROWS = 120, 40
POLL = 0.005
PATIENCE = 240.0
SERVER = f"tunesmith-benchmark-{os.getpid()}"
"""A tmux server of our own: nobody's sessions and settings are touched."""
BYTES = {"Enter": b"\r", "Escape": b"\x1b", "Down": b"\x1b[B", "End": b"\x1b[F"}
"""Keys by their names in tmux; any other text is sent as it is."""


class Terminal(Protocol):
    """A program in a terminal of 120×40."""

    began: float
    pid: int

    def press(self, key: str) -> None: ...

    def until(self, wanted: str | Callable[[str], bool]) -> float:
        """Wait until the screen shows it; returns the time (time.perf_counter) at which it was seen."""

    def rest(self, seconds: float) -> None: ...

    def close(self) -> None: ...


def clean(environment: Mapping[str, str]) -> dict[str, str]:
    """Variables as in a plain local terminal."""
    dropped = ("SSH_", "NO_COLOR", "TMUX", "COLUMNS", "LINES", "TEXTUAL", "ESCDELAY")
    kept = {name: value for name, value in environment.items() if not name.startswith(dropped)}
    return {**kept, "TERM": "xterm-256color", "COLORTERM": "truecolor", "LC_ALL": "C.UTF-8"}


def has_tmux() -> bool:
    return shutil.which("tmux") is not None


def tmux(*words: str) -> str:
    called = ["tmux", "-u", "-L", SERVER, "-f", "/dev/null", *words]
    return subprocess.run(called, capture_output=True, check=True, env=clean(os.environ)).stdout.decode()


class Tmux:
    """A session of our tmux server; the screen is polled with `capture-pane`."""

    def __init__(self, words: Sequence[str], folder: Path) -> None:
        runs = f"TUNESMITH_RUNS={os.environ['TUNESMITH_RUNS']}"  # tmux hands on the variables of its server's start
        size = ("-x", str(COLUMNS), "-y", str(ROWS), "-c", str(folder))
        self.began = time.perf_counter()
        told = tmux("new-session", "-d", "-P", "-F", "#{pane_pid} #{pane_id}", *size, "env", runs, *words)
        pid, self._target = told.split()
        self.pid = int(pid)

    @staticmethod
    def serve() -> None:
        """Start the server, so that no figure holds its start."""
        tmux("new-session", "-d", "-s", "holder", "sleep", "infinity", ";", "set", "-g", "status", "off")
        tmux("set", "-g", "default-terminal", "tmux-256color")

    @staticmethod
    def end() -> None:
        with contextlib.suppress(subprocess.CalledProcessError):
            tmux("kill-server")

    def press(self, key: str) -> None:
        tmux("send-keys", "-t", self._target, *(() if key in BYTES else ("-l",)), key)

    def until(self, wanted: str | Callable[[str], bool]) -> float:
        found, deadline = _test(wanted), time.monotonic() + PATIENCE
        while True:
            text = tmux("capture-pane", "-p", "-t", self._target)
            now = time.perf_counter()
            if found(text):
                return now
            if time.monotonic() > deadline:
                raise SystemExit(_missing(wanted, text))
            time.sleep(POLL)

    def rest(self, seconds: float) -> None:
        time.sleep(seconds)

    def close(self) -> None:
        """Hang up, and wait until the program has ended, so that it disturbs no later figure."""
        family = _family(self.pid)
        tmux("kill-pane", "-t", self._target)
        _gone(family)


class Pty:
    """A pseudo-terminal, read as fast as it goes or at `rate` bytes a second; its screen is kept by pyte."""

    def __init__(self, words: Sequence[str], folder: Path, rate: float | None = None) -> None:
        self._leader, follower = pty.openpty()
        fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
        self.began = time.perf_counter()
        self._process = subprocess.Popen(
            words,
            stdin=follower,
            stdout=follower,
            stderr=follower,
            cwd=folder,
            env=clean(os.environ),
            start_new_session=True,
        )
        os.close(follower)
        self.pid = self._process.pid
        self.sent = 0
        """Bytes that the program has sent."""
        self._screen = pyte.Screen(COLUMNS, ROWS)
        self._stream = pyte.ByteStream(self._screen)
        self._lines = [""] * ROWS
        self._rate, self._allowed, self._at = rate, 0.0, time.perf_counter()

    def press(self, key: str) -> None:
        os.write(self._leader, BYTES.get(key, key.encode()))

    def until(self, wanted: str | Callable[[str], bool]) -> float:
        found, deadline = _test(wanted), time.monotonic() + PATIENCE
        while not found("\n".join(self._lines)):
            self._read(0.05)
            if time.monotonic() > deadline:
                raise SystemExit(_missing(wanted, "\n".join(self._lines)))
        return time.perf_counter()

    def rest(self, seconds: float) -> None:
        deadline = time.perf_counter() + seconds
        while (left := deadline - time.perf_counter()) > 0:
            self._read(left)

    def close(self) -> None:
        family = _family(self.pid)
        self._process.terminate()
        with contextlib.suppress(SystemExit):
            while self._process.poll() is None:
                self._read(0.05)
        self._process.wait()
        os.close(self._leader)
        _gone(family)

    def _read(self, patience: float) -> None:
        """Take up what was sent, or wait at most `patience` seconds for it."""
        most = 1 << 16
        if self._rate is not None:  # a link: a byte takes its time, and none is saved up while nothing is sent
            now = time.perf_counter()
            self._allowed = min(self._allowed + (now - self._at) * self._rate, 2 * POLL * self._rate)
            self._at = now
            most = int(self._allowed)
            if most < POLL * self._rate:
                time.sleep(POLL)
                return
        if not select.select([self._leader], [], [], min(patience, POLL if self._rate else patience))[0]:
            return
        try:
            sent = os.read(self._leader, most)
        except OSError:
            raise SystemExit("it has ended:\n" + "\n".join(self._lines)) from None
        self._allowed -= len(sent)
        self.sent += len(sent)
        self._stream.feed(sent)
        for row in self._screen.dirty:
            cells = self._screen.buffer[row]
            self._lines[row] = "".join(cells[column].data for column in range(COLUMNS))
        self._screen.dirty.clear()


def _test(wanted: str | Callable[[str], bool]) -> Callable[[str], bool]:
    return wanted if callable(wanted) else lambda text: wanted in text


def _missing(wanted: str | Callable[[str], bool], text: str) -> str:
    shown = "\n".join(line.rstrip() for line in text.splitlines() if line.strip())
    return f"{wanted if isinstance(wanted, str) else 'what was waited for'} is not shown, but:\n{shown}"


def _family(pid: int) -> list[psutil.Process]:
    """A process and its helpers; no run is started from a wizard here, so no worker is among them."""
    try:
        process = psutil.Process(pid)
        return [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def _gone(family: Sequence[psutil.Process]) -> None:
    for process in psutil.wait_procs(family, timeout=5)[1]:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
