"""A real terminal for tests: the program in a pseudo-terminal, its screen as a person would see it."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pexpect
import pyte

TERMINAL = {"TERM": "xterm-256color", "COLORTERM": "truecolor", "LC_ALL": "C.UTF-8"}


class Terminal:
    """Runs a command in a terminal of its own; `text` is what stands on the screen."""

    def __init__(
        self,
        words: Sequence[str],
        columns: int = 80,
        rows: int = 24,
        folder: Path | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self.screen)
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(("SSH_", "NO_COLOR"))}
        self.process = pexpect.spawn(
            words[0],
            list(words[1:]),
            dimensions=(rows, columns),
            timeout=5,
            cwd=str(folder) if folder else None,
            env={**inherited, **TERMINAL, **(environment or {})},  # type: ignore[arg-type]
        )
        self.raw = b""
        """What was sent last."""
        self.sent = 0
        """Bytes that the program has sent."""

    @property
    def text(self) -> str:
        """The screen, a line a row."""
        return "\n".join(line.rstrip() for line in self.screen.display)

    def press(self, *keys: str) -> None:
        """Send keys as bytes: `\\r` is Enter."""
        for key in keys:
            self.process.send(key)

    def read(self, seconds: float) -> None:
        """Take up what the program sends for `seconds`."""
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            try:
                sent = self.process.read_nonblocking(65536, timeout=min(left, 0.05))
            except pexpect.TIMEOUT:
                continue
            except pexpect.EOF:
                return
            self.sent += len(sent)
            self.raw = (self.raw + sent)[-20_000:]
            self._stream.feed(sent)

    def until(self, wanted: str | Callable[[str], bool], seconds: float = 30) -> None:
        """Read until the screen shows `wanted`; fails with the screen where it does not."""
        found = wanted if callable(wanted) else lambda text: wanted in text
        deadline = time.monotonic() + seconds
        while not found(self.text):
            alive = self.process.isalive()
            self.read(0.1)
            if not found(self.text):
                assert alive, f"it ended before {wanted}:\n{self.text}"
                assert time.monotonic() < deadline, f"{wanted} is not shown:\n{self.text}"

    def resize(self, columns: int, rows: int) -> None:
        """Another size, as by pulling at the window."""
        self.screen.resize(rows, columns)
        self.process.setwinsize(rows, columns)

    def ended(self, seconds: float = 10) -> bool:
        """Whether the program has ended by itself within `seconds`."""
        deadline = time.monotonic() + seconds
        while self.process.isalive() and time.monotonic() < deadline:
            if self.process.child_fd >= 0:
                self.read(0.1)
            else:
                time.sleep(0.1)
        if self.process.child_fd >= 0:
            self.read(0.2)  # its last words may still be on the line
        return not self.process.isalive()

    def kill(self, number: int = signal.SIGKILL) -> None:
        """Send the program a signal."""
        os.kill(self.process.pid, number)

    def hang_up(self) -> None:
        """Close the terminal as a dropped line does."""
        self.process.ptyproc.fileobj.close()  # not by its number: that would be closed a second time later
        self.process.ptyproc.closed = self.process.closed = True
        self.process.child_fd = -1

    def close(self) -> None:
        """End it, whatever it does."""
        if self.process.child_fd >= 0:
            self.process.close(force=True)
        elif self.process.isalive():
            self.kill()
