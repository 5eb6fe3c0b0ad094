"""How good the practice job is with its default answers, in several seeds.

    .venv/bin/python benchmarks/seeds.py [--seeds 0 1 2 3 4] [--method lora]

Runs `tunesmith demo` once a seed (order of the rows, adapter initialisation and dropout; the split stays the same) and
prints exact match of the untouched and the tuned model on the same unseen questions, and of the tuned one in each
probe, in per cent; and the seconds from the first event to the last.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from tunesmith.core.events import EventReader
from tunesmith.core.results import read_results
from tunesmith.core.run import list_runs

TUNESMITH = str(Path(sys.executable).with_name("tunesmith"))
COLUMNS = ("untouched", "tuned", "F1", "context-withheld", "fields-reordered", "values-invented", "as-prose", "seconds")


def one(seed: int, method: str) -> list[float]:
    words = ["demo", f"--set=select.hyperparameters.seed={seed}", f"--set=select.method={method}"]
    subprocess.run([TUNESMITH, *words], check=True, stdout=subprocess.DEVNULL)
    run = list_runs()[0]
    results = read_results(run)
    base, tuned = results.score("base"), results.score("tuned")
    assert base is not None and tuned is not None
    found = {score.rows_kind: score.exact_match.value for score in results.scores}
    events = EventReader(run.events_path).read()
    shares = [base.exact_match.value, tuned.exact_match.value, tuned.f1.value, *(found[name] for name in COLUMNS[3:7])]
    return [*(100 * share for share in shares), events[-1].at - events[0].at]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2, 3, 4])
    parser.add_argument("--method", default="lora")
    given = parser.parse_args()
    print(f"{'seed':>5}" + "".join(f"{name:>{len(name) + 2}}" for name in COLUMNS))
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        os.environ["TUNESMITH_RUNS"] = folder
        for seed in given.seeds:
            rows.append(one(seed, given.method))
            figures = "".join(f"{v:>{len(n) + 2}.1f}" for n, v in zip(COLUMNS, rows[-1], strict=True))
            print(f"{seed:>5}{figures}", flush=True)
    least = [min(column) for column in zip(*rows, strict=True)]
    print(f"{'least':>5}" + "".join(f"{v:>{len(n) + 2}.1f}" for n, v in zip(COLUMNS, least, strict=True)))


if __name__ == "__main__":
    main()
