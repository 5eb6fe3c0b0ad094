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
from tunesmith.core.measures import measure
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
    score: float | None = None
    """By the plan's metric where that is another one; for perplexity the row's own."""
    tokens: int = 0
    """For perplexity: of the right answer, that it was taken over."""
    slices: dict[str, str] = {}
    """Values by which the score is also told apart."""

    def by(self, metric: str) -> float | None:
        """How good the answer is by `metric`; None where that was not measured."""
        return {"exact_match": self.exact_match, "accuracy": self.exact_match, "f1": self.f1}.get(metric, self.score)


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
    metric: str = "exact_match"
    """The plan's; runs of before it could be chosen lack it and what follows."""
    score: Interval | None = None
    """By that metric, where it is neither of the above."""
    plain_score: float | None = None
    """For a probe: the same of the same model on the same rows asked plainly."""
    corpus: str = ""
    """The score over all rows at once, as the metric's own tool prints it; empty where there is none."""

    def by(self, metric: str) -> Interval | None:
        """The score by `metric`; None where that was not measured."""
        return {"exact_match": self.exact_match, "accuracy": self.exact_match, "f1": self.f1}.get(metric, self.score)

    def plainly(self, metric: str) -> float | None:
        """For a probe: the score by `metric` on the same rows asked plainly; None where it is not known."""
        return self.plain_exact_match if metric in ("exact_match", "accuracy") else self.plain_score

    def told(self, metric: str) -> str:
        """The value with its interval: `99.0 % (97.3–99.7 %)`; a dash where it was not measured."""
        value, shown = self.by(metric), measure(metric)
        return f"{shown.told(value.value)} ({shown.span(value)})" if value else "–"

    def event(self, confidence: float) -> Score:
        """The same as a line of the run's events."""
        chosen = self.by(self.metric)
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
            metric=self.metric,
            score=chosen.value if chosen else None,
            score_low=chosen.low if chosen else None,
            score_high=chosen.high if chosen else None,
        )


class Slice(msgspec.Struct, frozen=True):
    """The rows with one value in one column, and what both models scored on them by the plan's metric."""

    column: str
    value: str
    rows: int
    base: Interval | None
    tuned: Interval | None


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
    gain_score: Interval | None = None
    """The same by the plan's metric where it is another one; for perplexity below 0 is better."""
    became_better: int = 0
    """Rows, by that metric; `became_right` and `became_wrong` count exact matches."""
    became_worse: int = 0
    slices: list[Slice] = []
    """By the columns of `prepare.slices`."""

    @property
    def gain(self) -> Interval | None:
        """Tuned − base by the plan's metric; None where that was not measured."""
        always = {"exact_match": self.gain_exact_match, "accuracy": self.gain_exact_match, "f1": self.gain_f1}
        return always.get(self.metric, self.gain_score)

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
