"""How long Prepare takes and how much memory, on 10,000, 100,000 and a million rows of a CSV made here.

    .venv/bin/python benchmarks/prepare.py                     # all three sizes
    .venv/bin/python benchmarks/prepare.py --rows 100000       # one of them

Each size runs in a process of its own with an empty cache. Peak memory is the largest sum, looked at twice a second,
of what that process and those that it starts hold (their proportional set sizes: a page that several share counts
once), in which the pages of the memory-mapped cache count as well. The targets are those for a million rows on two
cores.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import psutil

SIZES = (10_000, 100_000, 1_000_000)
TARGETS = {"all but near duplicates": 90.0, "near duplicates": 240.0, "memory": 2.0}
NEAR = "near"
"""What the measured process says before the second half."""
WORDS = 6_000
DEPARTMENTS = ("Design", "Sales", "Logistics", "Finance", "Research", "Support", "Legal", "Marketing")


def write_csv(path: Path, rows: int) -> None:
    """About 300 bytes a row: questions and answers beside a few columns, with what real files have wrong in them."""
    draw = random.Random(7)
    letters = "abcdefghijklmnopqrstuvwxyz"
    words = ["".join(draw.choices(letters, k=draw.randint(2, 9))) for _ in range(WORDS)]
    earlier: list[str] = []
    with path.open("w", encoding="utf-8", newline="") as file:
        file.write("id,question,answer,department,hired,salary,city,status\n")
        for number in range(rows):
            question = " ".join(draw.choices(words, k=18)).capitalize() + "?"
            answer = " ".join(draw.choices(words, k=16)).capitalize() + "."
            hired = f"20{draw.randint(10, 24)}-{draw.randint(1, 12):02}-{draw.randint(1, 28):02}"
            if draw.random() < 0.002:
                hired = f"{draw.randint(13, 28)}/{draw.randint(1, 12):02}/2020"
            salary = draw.randint(30_000, 150_000) if draw.random() > 0.001 else -draw.randint(1, 9_999)
            rest = f"{draw.choice(DEPARTMENTS)},{hired},{salary},{draw.choice(words)},{draw.choice(('open', 'closed'))}"
            text = f"{question},{answer}"
            kind = draw.random()
            if kind < 0.01 and earlier:  # the same again
                text = draw.choice(earlier)
            elif kind < 0.02 and earlier:  # nearly the same again
                parts = draw.choice(earlier).split(" ")
                parts[draw.randrange(len(parts) // 2)] = draw.choice(words)
                text = " ".join(parts)
            elif number % 50 == 0 and len(earlier) < 20_000:
                earlier.append(text)
            file.write(f"{number},{text},{rest}\n")


def measure(path: Path) -> dict[str, float]:
    """Seconds of each part and GiB at the peak, in this process."""
    from tunesmith.core.facts import Facts
    from tunesmith.core.hardware import probe_hardware
    from tunesmith.core.meter import silent
    from tunesmith.core.models import find_model
    from tunesmith.core.practice import PRACTICE
    from tunesmith.core.prepare.pipeline import prepare_rows
    from tunesmith.core.prepare.profile import profile
    from tunesmith.core.prepare.read.load import read_records
    from tunesmith.core.recommend import resolve
    from tunesmith.core.run import runs_root
    from tunesmith.core.worker.model import load_tokenizer
    from tunesmith.core.worker.proof import count

    found: dict[str, float] = {}
    tokenizer = load_tokenizer(find_model(PRACTICE).path)

    def timed(name: str, began: float) -> float:
        now = time.perf_counter()
        found[name] = now - began
        return now

    at = time.perf_counter()
    read_records(str(path))
    at = timed("read", at)
    data = profile(str(path), near=False)
    at = timed("profile and checks", at)
    facts = Facts(hardware=probe_hardware(runs_root()), data=data, model=find_model(PRACTICE))
    wishes = {"prepare.data": str(path), "prepare.split.near": None}
    plan = resolve(wishes, facts).plan.prepare
    prepared = prepare_rows(plan)
    at = timed("repair, make rows, exact duplicates, split", at)
    count(tokenizer, prepared.all, None, silent)
    at = timed("lengths in tokens", at)
    found["all but near duplicates"] = sum(found.values())
    print(NEAR, flush=True)
    profile(str(path), near=True)
    at = timed("near duplicates found", at)
    split = plan.split.model_copy(update={"near": 0.8})
    prepare_rows(plan.model_copy(update={"split": split}))
    at = timed("the set again, parts compared nearly", at)
    found["near duplicates"] = found["near duplicates found"] + found["the set again, parts compared nearly"]
    found["rows made"] = prepared.total
    return found


class Peak(threading.Thread):
    """The most memory that a process and those that it started have held together, in GiB."""

    def __init__(self, process: int) -> None:
        super().__init__(daemon=True)
        self._process, self.most = psutil.Process(process), 0.0

    def run(self) -> None:
        """Look twice a second until the process has ended."""
        while self._process.is_running() and self._process.status() != psutil.STATUS_ZOMBIE:
            self.most = max(self.most, self._held() / 2**30)
            time.sleep(0.5)

    def _held(self) -> int:
        held = 0
        with contextlib.suppress(psutil.Error):
            for one in (self._process, *self._process.children(recursive=True)):
                with contextlib.suppress(psutil.Error):
                    held += one.memory_full_info().pss
        return held


def main() -> None:
    """Make the files, measure each in a process of its own, print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, action="append", help="how many; several times for several sizes")
    parser.add_argument("--measure", type=Path, help=argparse.SUPPRESS)
    said = parser.parse_args()
    if said.measure:
        print(json.dumps(measure(said.measure)))
        return
    sizes = said.rows or SIZES
    results = {}
    for rows in sizes:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / f"{rows}.csv"
            write_csv(path, rows)
            environment = os.environ | {"TUNESMITH_CACHE": f"{folder}/cache", "TUNESMITH_RUNS": f"{folder}/runs"}
            words = [sys.executable, __file__, "--measure", str(path)]
            with subprocess.Popen(words, stdout=subprocess.PIPE, text=True, env=environment) as process:
                peak, before = Peak(process.pid), 0.0
                peak.start()
                for line in process.stdout or ():
                    if line.strip() == NEAR:
                        before = peak.most
                    else:
                        last = line
            if process.returncode:
                sys.exit(process.returncode)
            memory = {"memory before near duplicates": before, "memory": peak.most}
            results[rows] = {"file, MB": path.stat().st_size / 1e6, **json.loads(last), **memory}
    print_table(results)


def print_table(results: dict[int, dict[str, float]]) -> None:
    """A line for each part, a column for each size, and how it grows."""
    sizes = list(results)
    names = list(next(iter(results.values())))
    print(
        f"{'':<46}" + "".join(f"{size:>12,}" for size in sizes) + ("   growth" if len(sizes) > 1 else "") + "   target"
    )
    for name in names:
        values = [results[size][name] for size in sizes]
        unit = "GiB" if name.startswith("memory") else "" if name in ("rows made", "file, MB") else "s"
        growth = ""
        if len(sizes) > 1 and values[-2]:
            growth = f"{values[-1] / values[-2] / (sizes[-1] / sizes[-2]):>8.2f}x"
        target = f"{TARGETS[name]:>8.0f} {unit}" if name in TARGETS else ""
        print(f"{name + (', ' + unit if unit else ''):<46}" + "".join(f"{v:>12,.1f}" for v in values) + growth + target)


if __name__ == "__main__":
    main()
