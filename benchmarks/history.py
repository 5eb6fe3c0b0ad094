"""How long a later login waits for the screen of a long run: its whole file of events, read and folded.

    python benchmarks/history.py [STEPS]

Writes STEPS (200,000) logged steps, with a score every 1,000 and a checkpoint every 2,000, to a temporary folder and
prints, as JSON, the medians of five passes: `follow` as a screen does it (read and fold, in bounded portions), and
`read` alone.
"""

from __future__ import annotations

import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from tunesmith.core.events import (
    AnyEvent,
    Checkpoint,
    EventReader,
    JobStarted,
    Sample,
    StageStarted,
    Step,
    Validation,
)
from tunesmith.core.history import Follower, read_history
from tunesmith.core.run import Run

PASSES = 5


def main(steps: int = 200_000) -> None:
    with tempfile.TemporaryDirectory() as folder:
        run = Run(Path(folder))
        count = write(run, steps)
        follow, read, portion = measured(lambda: read_history(run)), measured(lambda: drain(run)), longest(run)
        result = {
            "events": count,
            "megabytes": round(run.events_path.stat().st_size / 1e6, 1),
            "follow_seconds": round(follow, 3),
            "follow_events_per_second": round(count / follow),
            "read_seconds": round(read, 3),
            "longest_portion_seconds": round(portion, 4),
        }
    print(json.dumps(result, indent=2))


def write(run: Run, steps: int) -> int:
    events: list[AnyEvent] = [JobStarted(pid=1, stages=["finetune"]), StageStarted(stage="finetune")]
    for step in range(1, steps + 1):
        events.append(
            Step(
                step=step,
                steps=steps,
                epoch=3 * step / steps,
                loss=2.3 / step + 0.1,
                learning_rate=2e-4 * (1 - step / steps),
                gradient_norm=0.731 + 1 / step,
                tokens_seen=step * 2_048,
                tokens_per_second=12_345.6,
                seconds_left=(steps - step) * 0.17,
                memory_bytes=10_123_456_789,
                memory_kind="gpu",
            )
        )
        if step % 1_000 == 0:
            share = step / steps
            events.append(Validation(step=step, loss=0.2, exact_match=share, f1=share, rows=40))
            events += [Sample(step=step, question=f"Question {n}?", expected="a", answer="b") for n in range(3)]
        if step % 2_000 == 0:
            events.append(Checkpoint(step=step, path=f"checkpoints/checkpoint-{step}"))
    run.events_path.write_bytes(b"".join(msgspec.json.encode(event) + b"\n" for event in events))
    return len(events)


def drain(run: Run) -> None:
    for _ in EventReader(run.events_path).stream():
        pass


def longest(run: Run) -> float:
    """Seconds of the longest portion: how late a key may be answered meanwhile."""
    follower, took, more = Follower(run), [], True
    while more:
        began = time.perf_counter()
        more = follower.read()
        took.append(time.perf_counter() - began)
    return max(took)


def measured(work: Callable[[], object]) -> float:
    took = []
    for _ in range(PASSES):
        began = time.perf_counter()
        work()
        took.append(time.perf_counter() - began)
    return statistics.median(took)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
