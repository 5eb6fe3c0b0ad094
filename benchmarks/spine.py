"""Measures what stands between a person and the first step, and whether training is as fast as without Tunesmith.

    .venv/bin/python benchmarks/spine.py [--runs 5]

Prints `tunesmith --help` and `--version` in seconds, and for the demo's plan, beside benchmarks/bare_trl.py on the
same rows: seconds from the command to the end of the first training step, and steps a second between the first step
and the last (evaluations and checkpoints left out on both sides). Runs are interleaved, figures are medians.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

from tunesmith.core.events import EventReader, StageFinished, Step
from tunesmith.core.models import find_model
from tunesmith.core.plan_yaml import read_plan, write_plan
from tunesmith.core.rows import read_rows
from tunesmith.core.run import list_runs

TUNESMITH = str(Path(sys.executable).with_name("tunesmith"))
BARE = str(Path(__file__).with_name("bare_trl.py"))


def timed(words: list[str]) -> float:
    began = time.perf_counter()
    subprocess.run(words, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began


def ours(plan: Path) -> tuple[float, float]:
    """(seconds to the end of the first step, steps a second after it) of `tunesmith run`."""
    began = time.time()
    subprocess.run([TUNESMITH, "run", str(plan), "--detach"], check=True, stdout=subprocess.DEVNULL)
    run = list_runs()[0]
    reader, events = EventReader(run.events_path), []
    while not any(isinstance(event, StageFinished) and event.stage == "finetune" for event in events):
        time.sleep(0.2)
        events += reader.read()
        if not run.state().alive:
            raise SystemExit(f"the run ended early: see {run.log_path}")
    subprocess.run([TUNESMITH, "stop", run.name, "--now"], check=True, stdout=subprocess.DEVNULL)
    steps = [event for event in events if isinstance(event, Step)]
    # Seconds spent on steps: tokens over tokens a second, which leaves evaluations and checkpoints out.
    tokens = [b.tokens_seen - a.tokens_seen for a, b in pairwise(steps)]
    seconds = sum(count / step.tokens_per_second for count, step in zip(tokens, steps[1:], strict=True))
    return steps[0].at - began, (steps[-1].step - steps[0].step) / seconds


def bare(plan: Path, rows: Path, folder: Path) -> tuple[float, float]:
    """The same of the bare script."""
    began = time.time()
    done = subprocess.run(
        [sys.executable, BARE, str(plan), str(rows), str(folder / "bare")], check=True, capture_output=True, text=True
    )
    found = json.loads(done.stdout.strip().splitlines()[-1])
    return found["first"] - began, found["pace"]


def prepared(folder: Path) -> tuple[Path, Path]:
    """The demo's plan, ended after Fine-tune by the caller, and its training rows as the bare script reads them."""
    plan_path = folder / "plan.yaml"
    subprocess.run(
        [TUNESMITH, "plan", "new", "practice", "--out", str(plan_path)], check=True, stdout=subprocess.DEVNULL
    )
    plan = read_plan(plan_path)
    # Asking the untouched model first is no part of what the bare script does.
    brief = plan.understand
    asks_nothing = brief.model_copy(update={"evidence": brief.evidence.model_copy(update={"shots": []})})
    plan = plan.model_copy(update={"understand": asks_nothing})
    write_plan(plan_path, plan)
    subprocess.run([TUNESMITH, "run", str(plan_path), "--only", "prepare"], check=True, stdout=subprocess.DEVNULL)
    rows = folder / "rows.jsonl"
    with rows.open("w") as file:
        for row in read_rows(list_runs()[0].rows_path("train")):
            answer = [{"role": "assistant", "content": row.answer}]
            file.write(json.dumps({"prompt": [turn.as_dict() for turn in row.prompt], "completion": answer}) + "\n")
    bare_plan = folder / "bare.yaml"
    model = find_model(plan.select.model).path
    write_plan(bare_plan, plan.model_copy(update={"select": plan.select.model_copy(update={"model": model})}))
    return plan_path, rows


def row(name: str, a: list[float], b: list[float] | None, form: Callable[[float], str]) -> str:
    line = f"{name:<44}{form(statistics.median(a)):>10}  ({form(min(a))}-{form(max(a))})"
    if b:
        line += f"{form(statistics.median(b)):>12}  ({form(min(b))}-{form(max(b))})"
        line += f"{statistics.median(x / y for x, y in zip(a, b, strict=True)):>10.3f}"
    return line


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=5)
    runs = parser.parse_args().runs
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        os.environ["TUNESMITH_RUNS"] = str(folder / "runs")
        timed([TUNESMITH, "--help"])
        helps = [timed([TUNESMITH, "--help"]) for _ in range(2 * runs)]
        versions = [timed([TUNESMITH, "--version"]) for _ in range(2 * runs)]
        plan, rows = prepared(folder)
        first: tuple[list[float], list[float]] = ([], [])
        pace: tuple[list[float], list[float]] = ([], [])
        for number in range(runs + 1):  # the first pair warms the disk cache and does not count
            pair = (ours(plan), bare(folder / "bare.yaml", rows, folder))
            for side in (0, 1) if number else ():
                first[side].append(pair[side][0])
                pace[side].append(pair[side][1])
    seconds, steps = (lambda v: f"{v:.2f} s"), (lambda v: f"{v:.2f}/s")
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}; median of {runs} (min-max)")
    print(row("tunesmith --help", helps, None, seconds))
    print(row("tunesmith --version", versions, None, seconds))
    print(f"{'':<44}{'tunesmith':>10}{'':>20}{'bare TRL':>12}{'':>12}{'ratio':>10}")
    print(row("from the command to the first step done", *first, seconds))
    print(row("steps a second after it", *pace, steps))
    behind = statistics.median(a - b for a, b in zip(*first, strict=True))
    print(f"behind the bare script: {behind:+.2f} s (median of pairs)")


if __name__ == "__main__":
    main()
