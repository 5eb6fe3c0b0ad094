"""Measures a few training steps on the longest batch, on the device that will train and with the trainer that will.

The steps go through the trainer with a learning rate of nothing, so no weight moves; what they leave behind is dropped.
"""

from __future__ import annotations

import gc
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import psutil
import torch
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments
from trl.trainer.sft_trainer import SFTTrainer

from tunesmith.core.worker.answers import free_memory

STEPS = 3
"""The first one makes the optimizer's states and loads kernels; the others are timed."""
LOOKS_A_SECOND = 200
"""How often the memory of the process is looked at on a CPU."""


@dataclass(frozen=True)
class Measured:
    """What a few steps took."""

    allocated: int
    """Bytes at the peak: `max_memory_allocated` on a GPU; on a CPU what the process held at most beyond `before`."""
    reserved: int
    """Bytes at the peak: `max_memory_reserved` on a GPU; on a CPU the same as `allocated`."""
    seconds: float
    """The mean of the steps after the first."""


def measure(make: Callable[[dict[str, Any]], SFTTrainer], device: str, before: int = 0) -> tuple[Measured, Any]:
    """Take `STEPS` steps and measure them.

    Args:
        make: Makes the trainer for the longest batch with these changes to its arguments; nothing else holds it.
        device: cuda or cpu.
        before: On a CPU, bytes that the process held before the model was loaded.

    Returns:
        (what was measured, the model as the trainer made it, with its adapter and untouched).
    """
    changes = {
        "learning_rate": 0.0,
        "max_steps": STEPS,
        "eval_strategy": "no",
        "save_strategy": "no",
        "gradient_accumulation_steps": 1,
        "logging_strategy": "no",
    }
    trainer = make(changes)
    clock = _Clock(device)
    trainer.add_callback(clock)
    meter = _Cuda() if device == "cuda" else _Resident(before)
    with meter:
        trainer.train()
    model = trainer.model
    trainer.optimizer = trainer.lr_scheduler = None
    del trainer
    for parameter in model.parameters():  # type: ignore[union-attr]
        parameter.grad = None
    free_memory()
    return Measured(meter.allocated, meter.reserved, clock.seconds), model


class _Clock(TrainerCallback):
    """Times the steps after the first."""

    def __init__(self, device: str) -> None:
        self._cuda = device == "cuda"
        self._times: list[float] = []

    @property
    def seconds(self) -> float:
        """The mean of the steps after the first; 0 where there was only one."""
        spans = [later - earlier for earlier, later in zip(self._times[1:], self._times[2:], strict=False)]
        return sum(spans) / len(spans) if spans else 0.0

    def on_step_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """The clock begins with the first step."""
        if not self._times:
            self._note()

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        """One step is over."""
        self._note()

    def _note(self) -> None:
        if self._cuda:
            torch.cuda.synchronize()
        self._times.append(time.monotonic())


class _Cuda:
    """Peaks of torch's allocator on the GPU that is in use; weights that are there already are in them."""

    def __init__(self) -> None:
        self.allocated = self.reserved = 0

    def __enter__(self) -> _Cuda:
        gc.collect()
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()
        return self

    def __exit__(self, *_: object) -> None:
        torch.cuda.synchronize()
        self.allocated, self.reserved = torch.cuda.max_memory_allocated(), torch.cuda.max_memory_reserved()


class _Resident:
    """The most that the process held in RAM, by looking often."""

    def __init__(self, before: int) -> None:
        self.allocated = self.reserved = 0
        self._before, self._done = before, threading.Event()
        self._watcher = threading.Thread(target=self._watch, daemon=True, name="memory")

    def __enter__(self) -> _Resident:
        self._watcher.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._watcher.join()

    def _watch(self) -> None:
        process = psutil.Process()
        while True:
            self.allocated = self.reserved = max(self.allocated, process.memory_info().rss - self._before)
            if self._done.wait(1 / LOOKS_A_SECOND):
                return
