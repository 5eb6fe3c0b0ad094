"""What an evaluation found out, as records on disk: `results.json` and the answers row by row in `predictions/`.

Everything that tells somebody a score reads it here: the report, the model card, `--json`, a screen.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import msgspec

from tunesmith.core.bootstrap import Draws, Interval
from tunesmith.core.errors import RunError
from tunesmith.core.events import Score
from tunesmith.core.run import Run, write_json

TEST = "test"
"""`rows_kind` of the held-out rows asked plainly; every other kind is the name of a probe."""


class Prediction(msgspec.Struct, frozen=True, omit_defaults=True):
    """One model's answer to one row. `question` is the last turn of the prompt where the row has no question."""

    id: str
    question: str
    expected: str
    answer: str
    exact_match: float
    f1: float
    group: str = ""
    context: str = ""


class Scored(msgspec.Struct, frozen=True):
    """One model on one set of rows; shares are 0 to 1. `model` is base, tuned or merged."""

    model: str
    rows_kind: str
    rows: int
    groups: int
    """Independent groups of rows (people, say): what the intervals draw."""
    exact_match: Interval
    f1: Interval
    seconds: float = 0.0
    plain_exact_match: float | None = None
    """For a probe: exact match of the same model on the same rows asked plainly."""
    meaning: str = ""
    """For a probe: what was asked and what its score says, in plain words."""

    def event(self, confidence: float) -> Score:
        """The same as a line of the run's events."""
        return Score(
            model=self.model,
            rows_kind=self.rows_kind,
            rows=self.rows,
            exact_match=self.exact_match.value,
            exact_match_low=self.exact_match.low,
            exact_match_high=self.exact_match.high,
            f1=self.f1.value,
            f1_low=self.f1.low,
            f1_high=self.f1.high,
            confidence=confidence,
            seconds=self.seconds,
        )


class Results(msgspec.Struct, frozen=True, omit_defaults=True):
    """The whole evaluation of a run."""

    goal: str
    metric: str
    threshold: float
    reached: bool
    verdict: str
    headline: str
    """`Exact match 2.3 % → 99.0 %, F1 27.1 % → 99.0 % on 300 unseen questions`."""
    scores: list[Scored]
    gain_exact_match: Interval
    """Tuned − base over the same rows (paired), −1 to 1."""
    gain_f1: Interval
    became_right: int
    became_wrong: int
    draws: Draws
    """Of all intervals."""
    max_new_tokens: int
    versions: dict[str, str]
    notes: list[str] = []
    """What a reader must know to read the figures rightly."""

    def score(self, model: str, rows_kind: str = TEST) -> Scored | None:
        """The score of `model` on those rows; None where it was not asked."""
        return next((s for s in self.scores if (s.model, s.rows_kind) == (model, rows_kind)), None)


def results_path(run: Run) -> Path:
    """Where the results of `run` are."""
    return run.results_path


def write_results(run: Run, results: Results) -> None:
    """Write `results`, aside and then renamed."""
    write_json(results_path(run), results)


def read_results(run: Run) -> Results:
    """The results of `run`.

    Raises:
        RunError: It was not evaluated yet, or the file is damaged.
    """
    path = results_path(run)
    try:
        return msgspec.json.decode(path.read_bytes(), type=Results)
    except FileNotFoundError:
        raise RunError(
            f"{run.name} was not evaluated yet.",
            next_step=f"Start with that stage: `tunesmith run {run.plan_path} --from evaluate`.",
        ) from None
    except msgspec.DecodeError as error:
        raise RunError(
            f"{path} is damaged.",
            cause=f"{str(error).rstrip('.')}.",
            next_step=f"Make it again: `tunesmith run {run.plan_path} --from evaluate`.",
        ) from error


def predictions_path(run: Run, model: str, rows_kind: str = TEST) -> Path:
    """Where the answers of `model` to those rows are."""
    return run.predictions / f"{model}-{rows_kind}.jsonl"


def still_wrong_path(run: Run) -> Path:
    """Where the test rows are that the tuned model gets wrong, the worst F1 first."""
    return run.predictions / "still-wrong.jsonl"


def write_predictions(path: Path, predictions: Iterable[Prediction]) -> None:
    """Write one answer a line, aside and then renamed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(path.name + ".part")
    with aside.open("wb") as file:
        for prediction in predictions:
            file.write(msgspec.json.encode(prediction) + b"\n")
    aside.replace(path)


def read_predictions(path: Path) -> list[Prediction]:
    """The answers in a file written by `write_predictions`. Raises FileNotFoundError, msgspec.DecodeError."""
    return [msgspec.json.decode(line, type=Prediction) for line in path.read_bytes().splitlines()]
