"""How many rows may be answered at once beside a training, so that they are not what runs out of memory."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from tunesmith.core.facts import Facts, Hardware, ModelFacts
from tunesmith.core.load import Load
from tunesmith.core.select.memory import MemoryForecast, forecast_load


def rows_beside(facts: Facts, training: Load, rows: int, tokens: int) -> int:
    """`rows` that are answered at once, halved until they clearly fit or take no more than a step of training does.

    As they are where there is no card to lay them beside.

    Args:
        training: What decides the memory of the training.
        tokens: Of the longest answer.
    """
    if training.device == "cuda" and facts.hardware.gpu is None:
        return rows
    load = replace(training, answer_tokens=tokens)
    return _halved(rows, lambda fewer: _harmless(_of(facts.model, load, fewer, facts.hardware)))


def rows_below(model: ModelFacts, load: Load, hardware: Hardware) -> int:
    """The answered rows of `load`, halved until they take no more than a step does, fit or not; 0 where one is more."""
    rows = _halved(load.answer_rows, lambda rows: _below(_of(model, load, rows, hardware)))
    return rows if _below(_of(model, load, rows, hardware)) else 0


def _of(model: ModelFacts, load: Load, rows: int, hardware: Hardware) -> MemoryForecast:
    return forecast_load(model, replace(load, answer_rows=rows), hardware)


def _halved(rows: int, fine: Callable[[int], bool]) -> int:
    while rows > 1 and not fine(rows):
        rows //= 2
    return rows


def _below(told: MemoryForecast) -> bool:
    return told.evaluation is None or told.evaluation.bytes <= told.step


def _harmless(told: MemoryForecast) -> bool:
    return _below(told) or (told.fits and not told.tight)
