"""Before a training on a GPU: a few steps on the longest rows, so that the memory is measured and not only forecast.

A run that would die an hour later for want of memory dies here in a minute, and the forecast of the next one is
corrected by what was measured.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from datasets import Dataset
from trl.trainer.sft_trainer import SFTTrainer

from tunesmith.core.events import Decision
from tunesmith.core.facts import ModelFacts, StepProbe
from tunesmith.core.figures import percent, size
from tunesmith.core.hardware import probe_hardware
from tunesmith.core.probes import Foretold, keep_probe, read_foretold
from tunesmith.core.worker.job import Job
from tunesmith.core.worker.probe import STEPS, Measured, measure

STAGE = "finetune"


def probed(
    job: Job, base: ModelFacts, rows: Dataset, make: Callable[[Dataset, dict[str, Any]], SFTTrainer]
) -> Any | None:
    """Measure steps on the longest of `rows`, tell and keep what they took.

    Args:
        base: The untouched model.
        rows: What is trained on, encoded.
        make: Makes the run's trainer for other rows and with changes to its arguments.

    Returns:
        The model with its adapter, as it was before the steps; None where nothing is measured: on a CPU, and where
        Select left no forecast to lay beside it.
    """
    foretold = read_foretold(job.run)
    gpu = probe_hardware(job.run.folder).gpu
    if job.plan.select.device != "cuda" or foretold is None or gpu is None:
        return None
    length = max(len(row) for row in rows["input_ids"])
    measured, model = measure(lambda changes: make(longest_rows(rows, foretold.load.batch_size), changes), "cuda")
    probe = StepProbe(
        load=replace(foretold.load, length=length),
        device=gpu.name,
        model=base.path,
        allocated=measured.allocated,
        reserved=measured.reserved,
        seconds=measured.seconds,
        at=time.time(),
    )
    with contextlib.suppress(OSError):  # a note for later forecasts; this run goes on without it
        keep_probe(probe)
    job.emit(Decision(stage=STAGE, name="Memory, measured", value=_value(measured), because=_because(probe, foretold)))
    return model


def longest_rows(rows: Dataset, batch: int) -> Dataset:
    """Rows for `STEPS` batches of the longest one; half are a token shorter, as real rows are not all alike."""
    lengths = [len(row) for row in rows["input_ids"]]
    longest = rows[lengths.index(max(lengths))]
    shorter = {name: longest[name][:-1] for name in ("input_ids", "labels")}
    each = [longest if place % 2 == 0 else shorter for place in range(max(2, batch * STEPS))]
    return Dataset.from_dict({name: [row[name] for row in each] for name in ("input_ids", "labels")})


def _value(measured: Measured) -> str:
    return f"{size(measured.allocated)} allocated, {size(measured.reserved)} reserved"


def _because(probe: StepProbe, foretold: Foretold) -> str:
    """How far off the forecast was, and how long a step takes."""
    text = f"the peak of {STEPS} steps on the longest rows ({probe.load.length} tokens), {probe.seconds:.2f} s each"
    if probe.load != foretold.load:
        return f"{text}; {size(foretold.allocated)} was forecast for rows of {foretold.load.length}"
    off = foretold.allocated / probe.allocated - 1
    word = "above" if off >= 0 else "below"
    return f"{text}; the forecast ({foretold.how}) was {size(foretold.allocated)}, {percent(abs(off))} {word} that"
