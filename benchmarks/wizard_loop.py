"""What wizard.py measures inside a process: stalls of the event loop in a walk, and a long history taken up.

    python benchmarks/wizard_loop.py walk RUNS       (RUNS holds one finished run, and may be written to)
    python benchmarks/wizard_loop.py history RUN

Prints JSON, as a process of its own each time, since the first visit of a step imports its modules. Without a terminal
nothing is turned into escape sequences: that part of a paint is missing here, and in the figures taken in a terminal.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import json
import os
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import ClassVar

from textual.app import App, ComposeResult
from textual.pilot import Pilot

from tunesmith.core.history import Follower
from tunesmith.core.run import Run
from tunesmith.themes.palettes import THEMES
from tunesmith.tui import app as app_module
from tunesmith.tui.app import TunesmithApp
from tunesmith.tui.glyphs import UNICODE
from tunesmith.tui.screens.shell import Shell
from tunesmith.tui.session import EVENTS_AT_ONCE
from tunesmith.tui.widgets import curve as curve_module
from tunesmith.tui.widgets.training_curves import TrainingCurves

SIZE = (120, 40)
SAMPLE = 0.02
SETTLES = 0.7
"""Seconds after a key in which what it sets off is still counted to its step; more than one look at the run."""


@dataclass
class Stall:
    """How late the loop was, and how much of that this process computed: the rest was others' work."""

    where: str
    late: float
    own: float
    """Seconds of processor time that the loop's thread took meanwhile."""
    collecting: float
    """Seconds that the collection of garbage took meanwhile."""


class Watch:
    """Sleeps 20 ms at a time and notes how much later it wakes."""

    def __init__(self) -> None:
        self.where = "Start"
        self.stalls: list[Stall] = []
        self._began = self._collected = 0.0
        gc.callbacks.append(self._collects)

    def _collects(self, phase: str, told: object) -> None:
        if phase == "start":
            self._began = time.perf_counter()
        else:
            self._collected += time.perf_counter() - self._began

    async def keep(self) -> None:
        while True:
            wall, own, collected = time.perf_counter(), time.thread_time(), self._collected
            await asyncio.sleep(SAMPLE)
            late = time.perf_counter() - wall - SAMPLE
            self.stalls.append(Stall(self.where, late, time.thread_time() - own, self._collected - collected))

    def worst(self, count: int = 3) -> list[Stall]:
        return sorted(self.stalls, key=lambda stall: -stall.late)[:count]


class Walk:
    """Presses keys and waits for what they lead to."""

    def __init__(self, app: TunesmithApp, pilot: Pilot[str], watch: Watch) -> None:
        self.app, self.pilot, self.watch = app, pilot, watch

    async def press(self, key: str, pane: str) -> None:
        """`pane` is a step, or "start"."""
        self.watch.where = f"{self.watch.where.partition(' → ')[2] or self.watch.where} → {pane}"
        await self.pilot.press(key)
        await self.until(lambda: self.pane == pane, f"{pane} did not open")
        await asyncio.sleep(SETTLES)

    async def measured(self) -> None:
        """Wait until the data, the model and the tokens are known."""
        await self.until(self._measured, "the data was not measured")
        await asyncio.sleep(SETTLES)

    async def until(self, found: Callable[[], bool], complaint: str, seconds: float = 120) -> None:
        deadline = time.monotonic() + seconds
        while not found():
            if self.app.failure is not None:
                raise SystemExit(f"the wizard ended at {self.watch.where}: {self.app.failure}")
            if time.monotonic() > deadline:
                raise SystemExit(f"{complaint} ({self.watch.where})")
            await asyncio.sleep(SAMPLE)

    @property
    def pane(self) -> str:
        screen = self.app.screen
        if not isinstance(screen, Shell):
            return "start" if type(screen).__name__ == "Start" else "box"
        step = screen.step
        return (step.id or "").removeprefix("step-") if step is not None and step.display else ""

    def _measured(self) -> bool:
        screen = self.app.screen
        if not isinstance(screen, Shell) or screen.session.project.survey is None:
            return False
        return not any(worker.group == "survey" and worker.is_running for worker in screen.workers)


async def walk() -> list[Stall]:
    """From the start to the review, then a finished run's three steps and all the way back."""
    app, watch = TunesmithApp(UNICODE, dict(os.environ)), Watch()
    async with app.run_test(size=SIZE) as pilot:
        keeper = asyncio.create_task(watch.keep())
        go = Walk(app, pilot, watch)
        await asyncio.sleep(SETTLES)
        await go.press("enter", "understand")
        await go.measured()
        for pane in ("prepare", "select", "review"):
            await go.press("enter", pane)
        for pane in ("select", "prepare", "understand", "start"):
            await go.press("escape", pane)
        await pilot.press("end")  # the finished run is the last line
        await go.press("enter", "productionize")
        await go.measured()
        await go.press("4", "finetune")
        for pane in ("evaluate", "productionize"):
            await go.press("enter", pane)
        for pane in ("evaluate", "finetune", "select", "prepare", "understand", "start"):
            await go.press("escape", pane)
        keeper.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await keeper
        watch.where = ""
        await pilot.press("q")
    return watch.worst()


class Charts(App[None]):
    """The two charts of a training, as large as a terminal of 120×40 lets them be."""

    CSS_PATH: ClassVar = [
        Path(app_module.__file__).parent.parent / "themes" / "app.tcss",
        Path(curve_module.__file__).with_name("curve.tcss"),
    ]
    get_theme_variable_defaults = TunesmithApp.get_theme_variable_defaults

    def __init__(self) -> None:
        super().__init__()
        for theme in THEMES:
            self.register_theme(theme)
        self.theme = THEMES[0].name

    def compose(self) -> ComposeResult:
        yield TrainingCurves(UNICODE)


async def history(run: Run) -> dict[str, float]:
    """Seconds to fold a run's events as the wizard does, to feed them to the charts, and to paint these."""
    app = Charts()
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        charts, painted, follower = app.query_one(TrainingCurves), asyncio.Event(), Follower(run)
        portions, more = [], True
        while more:
            began = time.perf_counter()
            more = follower.read(EVENTS_AT_ONCE)
            portions.append(time.perf_counter() - began)
        began = time.perf_counter()
        charts.show(follower.history.training)
        fed = time.perf_counter()
        charts.call_after_refresh(painted.set)
        await painted.wait()
        shown = time.perf_counter()
    return {"fold": sum(portions), "longest portion": max(portions), "feed": fed - began, "paint": shown - fed}


def main() -> None:
    what, folder = sys.argv[1], Path(sys.argv[2])
    if what == "walk":
        os.environ["TUNESMITH_RUNS"] = str(folder)
        print(json.dumps([asdict(stall) for stall in asyncio.run(walk())]), flush=True)
    else:
        print(json.dumps(asyncio.run(history(Run(folder)))))


if __name__ == "__main__":
    main()
