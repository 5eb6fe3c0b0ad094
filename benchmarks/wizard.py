"""Measures the wizard as a person feels it: first frame, steps, traffic, key echo, stalls, and a long run attached to.

    .venv/bin/python benchmarks/wizard.py [--runs 5] [--only NAME]

NAME is one of frame, steps, stall, attach, idle, busy, echo; may be repeated. At 120×40. Prints a line for each figure:
its target, and the median (min-max) of what was measured. The programs run in tmux, on a server of the script's own;
without tmux in a pseudo-terminal, and then it says so. Bytes are counted in a pseudo-terminal in any case. Two runs of
the practice model are trained for it: a whole one of one pass, and one that `busy` and `echo` watch and that is ended
afterwards. Everything lies in a temporary folder. It ends with 0 whatever the figures are.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import socket
import statistics
import string
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from functools import cached_property
from pathlib import Path

import psutil
from history import write as write_history
from wizard_terminals import Pty, Terminal, Tmux, has_tmux

from tunesmith.core.events import EventReader, Step
from tunesmith.core.run import JobRecord, Run, find_run, write_json

TUNESMITH = str(Path(sys.executable).with_name("tunesmith"))
INSIDE = str(Path(__file__).with_name("wizard_loop.py"))
BARE = """
from textual.app import App
from textual.widgets import Static
class Bare(App):
    def compose(self):
        yield Static("bare app")
Bare().run()
"""
EVENTS = 200_000
LINK = 32_000
"""Bytes a second of the slow link."""
QUIET = 2.0
"""Seconds after which what was set off by the last key has been painted."""
WINDOW, IDLE_WINDOW = 8.0, 4.0
LIKE_THE_DEMO = ("finetune.log_every=2", "finetune.evaluate_every=22", "finetune.save_every=22")
"""A longer run would tell less often by itself."""
UNDERSTAND, PREPARE, SELECT = "accept this brief", "accept this data", "accept these settings"
REVIEW = "start the training"
FORWARD = (("Prepare", "Enter", PREPARE), ("Select", "Enter", SELECT), ("review", "Enter", REVIEW))
BACK = (("Select", "Escape", SELECT), ("Prepare", "Escape", PREPARE), ("Understand", "Escape", UNDERSTAND))
DIGITS = (("Prepare", "2", PREPARE), ("Select", "3", SELECT), ("review", "4", REVIEW))
ESC = "Textual waits 100 ms for the rest of an escape sequence (ESCDELAY)"

Open = Callable[[Sequence[str]], Terminal]


NOTICES = ("Counting the rows", "Looking at the data", "one moment")
"""What is shown while the data, the model and the tokens are not known yet."""


class Bench:
    """What the figures share: folders, runs, and where programs are opened."""

    def __init__(self, folder: Path, runs: int, leaving: ExitStack) -> None:
        self.folder, self.runs, self._leaving = folder, runs, leaving
        self.tmux = has_tmux()
        if self.tmux:
            Tmux.serve()
            leaving.callback(Tmux.end)

    def open(self, words: Sequence[str]) -> Terminal:
        """In tmux, where there is one."""
        return Tmux(words, self.folder) if self.tmux else Pty(words, self.folder)

    def root(self, name: str) -> Path:
        """A folder of runs, from now on the one that programs see."""
        root = self.folder / name
        root.mkdir(exist_ok=True)
        os.environ["TUNESMITH_RUNS"] = str(root)
        return root

    def fresh(self) -> Path:
        """An empty folder of runs: what a person has at the first start."""
        return self.root(Path(tempfile.mkdtemp(dir=self.folder)).name)

    @cached_property
    def finished(self) -> Run:
        """A run of the practice model through all stages."""
        root = self.root("finished")
        told("training a run to look at")
        words = [TUNESMITH, "demo", "--headless", "--set", "select.hyperparameters.epochs=1"]
        subprocess.run(words, check=True, stdout=subprocess.DEVNULL, cwd=self.folder)
        return find_run(root=root)

    @cached_property
    def busy(self) -> Run:
        """A run that trains until the script ends."""
        root = self.root("busy")
        told("starting a run to watch")
        settings = [part for one in ("select.hyperparameters.epochs=40", *LIKE_THE_DEMO) for part in ("--set", one)]
        words = [TUNESMITH, "demo", "--detach", *settings]
        subprocess.run(words, check=True, stdout=subprocess.DEVNULL, cwd=self.folder)
        run = find_run(root=root)
        end = [TUNESMITH, "stop", str(run.folder), "--now"]
        self._leaving.callback(lambda: subprocess.run(end, check=False, stdout=subprocess.DEVNULL))
        reader, steps = EventReader(run.events_path), 0
        while steps < 3:
            time.sleep(0.5)
            steps += sum(isinstance(event, Step) for event in reader.read())
            if not run.state().alive:
                raise SystemExit(f"the run ended early: see {run.log_path}")
        return run

    @cached_property
    def long(self) -> Run:
        """A run with a history of 200,000 steps that this very process seems to be at."""
        told(f"writing {EVENTS:,} events")
        run = Run(self.root("long") / "long-20260101-000000")
        run.folder.mkdir()
        words = [TUNESMITH, "plan", "new", "practice", "--out", str(run.plan_path)]
        subprocess.run(words, check=True, stdout=subprocess.DEVNULL, cwd=self.folder)
        write_history(run, EVENTS)
        started = psutil.Process().create_time()
        write_json(run.job_path, JobRecord(os.getpid(), started, socket.gethostname(), ["finetune"]))
        return run


# -- figures


def frame(bench: Bench) -> None:
    """Tunesmith's first frame and the smallest app's, one after the other."""
    ours, bare = [], []
    for number in range(bench.runs + 1):  # the first pair warms the disk cache and does not count
        bench.fresh()
        pair = [shown(bench.open, [TUNESMITH], "Practice project")]
        pair.append(shown(bench.open, [sys.executable, "-c", BARE], "bare app"))
        if number:
            ours.append(pair[0])
            bare.append(pair[1])
    row("first frame", "<= 500 ms", ours, ms)
    row("  smallest Textual app", "(300 ms)", bare, ms)
    row("  ratio of pairs", "<= 1.70", [one / other for one, other in zip(ours, bare, strict=True)], "{:.2f}".format)


def steps(bench: Bench) -> None:
    """From a key to the text of the step that it opens."""
    first: dict[str, list[float]] = {name: [] for name, *_ in FORWARD}
    enter, digit, escape, floor = [], [], [], []
    for _ in range(bench.runs):
        bench.fresh()
        screen = bench.open([TUNESMITH])
        screen.until("Practice project")
        screen.press("Enter")
        settle(screen, UNDERSTAND)
        for name, key, text in FORWARD:
            first[name].append(switched(screen, key, text))
        escape += [switched(screen, key, text) for _, key, text in BACK]
        enter += [switched(screen, key, text) for _, key, text in FORWARD]
        escape += [switched(screen, key, text) for _, key, text in BACK]
        digit += [switched(screen, key, text) for _, key, text in DIGITS]
        screen.close()
        screen = bench.open(["cat"])
        floor.append(switched(screen, "x", "x"))
        screen.close()
    row("a step's first visit", "<= 150 ms", [one for its in first.values() for one in its], ms)
    for name, its in first.items():
        row(f"  {name}", "", its, ms)
    row("a step again, with Enter", "<= 60 ms", enter, ms)
    row("  with its number", "<= 60 ms", digit, ms)
    row("  with Esc", "<= 60 ms", escape, ms, ESC)
    row("  a key echoed by cat: what the method itself takes", "", floor, ms)


def busy(bench: Bench) -> None:
    """Bytes a second of Fine-tune while it trains."""
    screen = watching(bench, None)
    rates = []
    for _ in range(bench.runs):
        before = screen.sent
        screen.rest(WINDOW)
        rates.append((screen.sent - before) / WINDOW)
    screen.close()
    row("busy Fine-tune screen", "<= 4,000 B/s", rates, byte_rate, f"windows of {WINDOW:g} s")


def idle(bench: Bench) -> None:
    """Bytes and processor time where nothing happens."""
    run = bench.finished
    bench.fresh()
    review = Pty([TUNESMITH], bench.folder)
    review.until("Practice project")
    review.press("Enter")
    settle(review, UNDERSTAND)
    for _, key, text in FORWARD:
        review.press(key)
        review.until(text)
    waiting("the review", review, bench.runs)
    review.close()
    bench.root("finished")
    after = Pty([TUNESMITH, "attach", run.name], bench.folder)
    settle(after, "6 Productionize")
    for key, name, text in (("4", "Fine-tune", "open Evaluate"), ("5", "Evaluate", "go on to Productionize")):
        after.press(key)
        after.until(text)
        waiting(f"a finished run's {name}", after, bench.runs)
    after.press("6")
    after.until("serve the model")
    waiting("a finished run's Productionize", after, bench.runs)
    after.close()


def echo(bench: Bench) -> None:
    """From a key to its letter on the screen, at a slow link beside a training."""
    screen = watching(bench, LINK)
    screen.press("1")
    screen.until(UNDERSTAND)
    screen.rest(QUIET)
    screen.press("Down")
    took = []
    for _ in range(bench.runs):
        screen.rest(1)
        screen.press("End")
        screen.rest(1)
        screen.press("\x15")  # Ctrl+U: an empty entry
        screen.rest(1)  # letters right behind it would overtake it
        typed = "zqx"
        screen.press(typed)
        screen.until(typed)
        for number, letter in enumerate(string.ascii_lowercase):
            screen.rest(0.25 + 0.037 * (number % 7))  # at any distance from the two looks a second at the run
            typed += letter
            began = time.perf_counter()
            screen.press(letter)
            took.append(screen.until(typed) - began)
    screen.close()
    row(f"key echo at {LINK // 1000} kB/s, {len(took)} keys", "worst 100 ms", took, ms)


def stall(bench: Bench) -> None:
    """How late the event loop was at most in a walk through everything."""
    found = []
    for _ in range(bench.runs):
        folder = bench.fresh()
        shutil.copytree(bench.finished.folder, folder / bench.finished.name)
        found.append(inside("walk", folder))
    row("longest stall of the event loop in a walk", "<= 100 ms", [one[0]["late"] for one in found], ms)
    worst = sorted((stall for one in found for stall in one), key=lambda one: -one["late"])
    for one in worst[:3]:
        of_it = f"its own thread computed {ms(one['own'])}, of the whole {ms(one['collecting'])} collected garbage"
        print(f"    {ms(one['late']):>7}  {one['where']}: {of_it}", flush=True)


def attach(bench: Bench) -> None:
    """Until the last step of a long history stands on the screen."""
    run, wanted = bench.long, f"step {EVENTS:,} of {EVENTS:,}"
    firsts, lasts = [], []
    for number in range(bench.runs + 1):
        bench.fresh()
        first = shown(bench.open, [TUNESMITH], "Practice project")
        bench.root("long")
        last = shown(bench.open, [TUNESMITH, "attach", run.name], wanted)
        if number:
            firsts.append(first)
            lasts.append(last)
    row(f"attach to {EVENTS:,} steps, beyond the first frame", "< 1,000 ms", differences(lasts, firsts), ms)
    row("  from the command on", "", lasts, ms)
    parts = [inside("history", run.folder) for _ in range(bench.runs)]
    whole = [one["fold"] + one["feed"] + one["paint"] for one in parts]
    row("  inside: fold, feed and paint", "< 1,000 ms", whole, ms)
    for name in ("fold", "longest portion", "feed", "paint"):
        row(f"    {name}", "", [one[name] for one in parts], ms)


FIGURES = {one.__name__: one for one in (frame, steps, stall, attach, idle, busy, echo)}


# -- how they are taken


def shown(opened: Open, words: Sequence[str], text: str) -> float:
    """Seconds from the start of the program to its text."""
    time.sleep(0.5)
    screen = opened(words)
    took = screen.until(text) - screen.began
    screen.close()
    return took


def switched(screen: Terminal, key: str, text: str) -> float:
    screen.rest(0.8)
    began = time.perf_counter()
    screen.press(key)
    return screen.until(text) - began


def settle(screen: Terminal, pattern: str) -> None:
    """Wait until a text stands there and everything about the data and the model is known."""
    for _ in range(2):  # the first notice may come after the text
        screen.until(lambda seen: bool(re.search(pattern, seen)) and not any(notice in seen for notice in NOTICES))
        screen.rest(QUIET)


def watching(bench: Bench, rate: float | None) -> Pty:
    """The wizard at the run that trains, when its start has passed."""
    run = bench.busy
    bench.root("busy")
    screen = Pty([TUNESMITH, "attach", run.name], bench.folder, rate)
    settle(screen, r"step [0-9,]+ of [0-9,]+")
    return screen


def waiting(name: str, screen: Pty, runs: int) -> None:
    """Bytes sent and processor time taken in seconds in which nothing happens."""
    screen.rest(QUIET)
    sent, busy_share, process = [], [], psutil.Process(screen.pid)
    for _ in range(runs):
        before, began = screen.sent, process.cpu_times()
        screen.rest(IDLE_WINDOW)
        now = process.cpu_times()
        sent.append((screen.sent - before) / IDLE_WINDOW)
        busy_share.append((now.user + now.system - began.user - began.system) / IDLE_WINDOW)
    row(f"idle, {name}", "0 B/s", sent, byte_rate, f"windows of {IDLE_WINDOW:g} s")
    row("  processor time", "< 1 %", busy_share, "{:.1%}".format)


def inside(what: str, folder: Path) -> list[dict[str, float]]:
    """What wizard_loop.py measures in a process of its own."""
    done = subprocess.run([sys.executable, INSIDE, what, str(folder)], check=False, capture_output=True, text=True)
    if done.returncode:
        said = [line for line in done.stderr.splitlines() if line.startswith("SystemExit")] or [done.stderr[-2000:]]
        raise SystemExit(said[0])
    found: list[dict[str, float]] = json.loads(done.stdout.strip().splitlines()[-1])
    return found


def differences(longer: Sequence[float], shorter: Sequence[float]) -> list[float]:
    return [one - other for one, other in zip(longer, shorter, strict=True)]


def ms(seconds: float) -> str:
    return f"{1000 * seconds:,.0f} ms"


def byte_rate(number: float) -> str:
    return f"{number:,.0f} B/s"


def row(name: str, target: str, values: Sequence[float], form: Callable[[float], str], note: str = "") -> None:
    spread = f"({form(min(values))} - {form(max(values))})"
    line = f"{name:<52}{target:>14}{form(statistics.median(values)):>13}  {spread}"
    print(f"{line}  {note}".rstrip(), flush=True)


def told(text: str) -> None:
    print(f"… {text}", file=sys.stderr, flush=True)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--runs", type=int, default=5)
    options.add_argument("--only", action="append", choices=FIGURES, metavar="NAME", help=", ".join(FIGURES))
    chosen = options.parse_args()
    with ExitStack() as leaving:
        folder = leaving.enter_context(tempfile.TemporaryDirectory())
        os.environ["HF_HUB_OFFLINE"] = "1"
        bench = Bench(Path(folder), chosen.runs, leaving)
        where = "in tmux" if bench.tmux else "tmux is missing: in a pseudo-terminal read by pyte instead"
        print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}; 120×40 {where}; median (min - max)")
        print(f"{'figure':<52}{'target':>14}{'measured':>13}", flush=True)
        for name in chosen.only or FIGURES:
            try:
                FIGURES[name](bench)
            except (SystemExit, subprocess.CalledProcessError) as error:
                print(f"{name} could not be measured: {error}", flush=True)
        print(f"load at the end {os.getloadavg()[0]:.1f}", flush=True)


if __name__ == "__main__":
    main()
