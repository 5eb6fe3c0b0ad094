"""What the run's folder holds of an evaluation that is done."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import msgspec

from tunesmith.core.errors import TunesmithError
from tunesmith.core.measures import measure
from tunesmith.core.results import Results, predictions_path, read_predictions, read_results
from tunesmith.core.run import Run
from tunesmith.tui.widgets.answer_rows import Answered


@dataclass(frozen=True)
class Found:
    """What the run's folder holds of a finished evaluation."""

    results: Results | None = None
    rows: tuple[Answered, ...] = ()
    complaint: str = ""
    """What can't be read, and what to do."""


def found_in(run: Run) -> Found:
    """The results of a run and its test rows, the worst first: exact match, then F1; or by a graded metric first."""
    try:
        results = read_results(run)
    except TunesmithError as error:
        return Found(complaint=str(error))
    try:
        tuned = read_predictions(predictions_path(run, "tuned"))
    except (OSError, msgspec.DecodeError):
        return Found(results, complaint=f"The answers row by row can't be read: {predictions_path(run, 'tuned')}")
    try:
        untouched = {one.id: one.answer for one in read_predictions(predictions_path(run, "base"))}
    except (OSError, msgspec.DecodeError):
        untouched = {}
    rows = sorted((Answered(one, untouched.get(one.id), results.metric) for one in tuned), key=_goodness)
    return Found(results, tuple(rows))


def _goodness(row: Answered) -> tuple[float, float, float]:
    score, metric = row.tuned.by(row.metric), measure(row.metric)
    by_metric = metric.goodness(score) if metric.graded and score is not None else 0.0
    return by_metric, row.tuned.exact_match, row.tuned.f1


def changed_at(path: Path) -> int:
    """When a file was changed last, in nanoseconds; 0 where it is not there."""
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0
