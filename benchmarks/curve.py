"""Measures the chart of a live run: how long a whole history takes, and what a busy chart sends to a terminal.

    .venv/bin/python benchmarks/curve.py [--seconds 8]

Prints the time in which 200,000 points become a chart for a terminal of 120x40 (median of 5), and the bytes a second
that a chart sends in such a terminal, true colour, with a training step each 0.25 s and a validation each 4 s; read
from a pseudo-terminal after the first frame has settled.
"""

from __future__ import annotations

import argparse
import fcntl
import os
import pty
import random
import select
import statistics
import struct
import subprocess
import sys
import termios
import time
from pathlib import Path

from textual.app import App, ComposeResult

from tunesmith.tui.widgets import curve as module
from tunesmith.tui.widgets.curve import Curve, Series
from tunesmith.tui.widgets.curve_points import Plot, Points, nice_bounds

SERIES = (Series("training loss", "train"), Series("validation loss", "validation", marker="●"))
COLOURS = {f"series-{role}": "#56B4E9" for role in ("train", "validation", "match", "f1", "base")}
SETTLE = 1.5
"""Seconds after the first byte in which a start-up's frames are sent."""


class Busy(App[None]):
    CSS_PATH = Path(module.__file__).with_name("curve.tcss")

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return COLOURS

    def compose(self) -> ComposeResult:
        self.curve = Curve(SERIES, 400)
        yield self.curve

    def on_mount(self) -> None:
        random.seed(1)
        self.step = 200
        self.curve.replace({SERIES[0].name: (list(range(200)), [loss(step) for step in range(200)])})
        self.set_interval(0.25, self.train)
        self.set_interval(4, self.validate)

    def train(self) -> None:
        self.curve.extend(SERIES[0].name, [self.step], [loss(self.step)])
        self.step += 1

    def validate(self) -> None:
        self.curve.extend(SERIES[1].name, [self.step], [loss(self.step) + 0.1])


def loss(step: int) -> float:
    return 0.4 + 2 / (1 + step / 40) + random.gauss(0, 0.1)


def fold_seconds() -> float:
    """Seconds from two lists of 200,000 numbers to a drawn plot; median of 5."""
    steps = list(range(1, 200_001))
    values = [loss(step // 500) for step in steps]
    took = []
    for _ in range(5):
        began = time.perf_counter()
        points = Points()
        points.add(steps, values)
        bounds = nice_bounds(points.low, points.high)
        Plot(SERIES, [points, Points()], None, size=(113, 38), steps=200_000, bounds=bounds, ascii_only=False)
        took.append(time.perf_counter() - began)
    return statistics.median(took)


def bytes_sent(seconds: float) -> tuple[int, float]:
    """(bytes until the chart has settled, bytes a second after that) of the busy chart."""
    leader, follower = pty.openpty()
    fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
    settings = {**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor"}
    words = [sys.executable, __file__, "--busy"]
    start, steady, first = 0, 0, None
    with subprocess.Popen(words, stdin=follower, stdout=follower, stderr=follower, env=settings) as app:
        os.close(follower)
        while first is None or time.monotonic() < first + SETTLE + seconds:
            if not select.select([leader], [], [], 0.05)[0]:
                continue
            number = len(os.read(leader, 1 << 16))
            first = first or time.monotonic()
            if time.monotonic() < first + SETTLE:
                start += number
            else:
                steady += number
        app.kill()
    os.close(leader)
    return start, steady / seconds


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--seconds", type=float, default=8)
    options.add_argument("--busy", action="store_true", help=argparse.SUPPRESS)
    chosen = options.parse_args()
    if chosen.busy:
        Busy().run()
        return
    start, steady = bytes_sent(chosen.seconds)
    print(f"{'200,000 points to a chart':<44}{1000 * fold_seconds():>10.0f} ms")
    print(f"{'busy chart at 120x40, start-up':<44}{start:>10,} bytes")
    print(f"{'busy chart at 120x40, steady':<44}{steady:>10,.0f} bytes/s")


if __name__ == "__main__":
    main()
