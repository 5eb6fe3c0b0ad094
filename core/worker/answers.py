"""Asks a model rows of questions and scores what it answers, the one way that every score of a run is made."""

from __future__ import annotations

import gc
import time
from collections.abc import Sequence
from dataclasses import dataclass
from tempfile import TemporaryDirectory
from typing import Any

import msgspec
import torch
from transformers import PreTrainedTokenizerBase

from tunesmith.core import measures
from tunesmith.core.bootstrap import Draws, Interval, group_count, mean_interval
from tunesmith.core.errors import DataError
from tunesmith.core.facts import ModelFacts
from tunesmith.core.metrics import corpus_bleu, exact_match, token_f1
from tunesmith.core.plan import Plan
from tunesmith.core.results import TEST, Prediction, Scored, predictions_path, write_predictions
from tunesmith.core.rows import Row, read_rows
from tunesmith.core.run import Run
from tunesmith.core.worker.generate import answer_all
from tunesmith.core.worker.job import Job
from tunesmith.core.worker.metrics import ExactMatchAndF1
from tunesmith.core.worker.perplexity import Surprise, surprises


def base_model(plan: Plan) -> ModelFacts:
    """The untouched model of the plan.

    Raises:
        ModelError: The plan's model is not there.
    """
    from tunesmith.core.models import model_here

    return model_here(plan.select.model)


def held_out_rows(run: Run) -> list[Row]:
    """The held-out rows of `run`.

    Raises:
        DataError: Prepare has not run, or held nothing back.
    """
    try:
        rows = list(read_rows(run.rows_path("test")))
    except FileNotFoundError:
        raise DataError(
            "The data of this run was not prepared yet.",
            next_step=f"Start with that stage: `tunesmith run {run.plan_path} --from prepare`.",
        ) from None
    if not rows:
        raise DataError(
            "No row was kept for the final score.",
            next_step="Give more rows, or a larger test share (prepare.split.test).",
        )
    return rows


@dataclass(frozen=True)
class Asker:
    """Asks models the rows of one run, as one of its stages."""

    job: Job
    stage: str
    tokenizer: PreTrainedTokenizerBase

    def ask(self, model: Any, rows: Sequence[Row], name: str, rows_kind: str = TEST) -> tuple[Scored, list[Prediction]]:
        """Ask `model` all rows, write the answers to the run's folder, emit the score.

        Args:
            model: The model to ask.
            rows: At least one.
            name: base, tuned or merged.
            rows_kind: `test` or a probe.

        Raises:
            Stopped: The person asked to stop; nothing of this set was written.
        """
        which = {"base": "untouched", "tuned": "tuned", "merged": "merged"}.get(name, name)
        doing = f"asking the {which} model" + ("" if rows_kind == TEST else f", {rows_kind}")
        began = time.monotonic()
        plan = self.job.plan
        answers = answer_all(
            model,
            self.tokenizer,
            [row.prompt for row in rows],
            max_new_tokens=plan.evaluate.max_new_tokens,
            batch_size=plan.evaluate.batch_size,
            tools=[row.tools for row in rows],
            report=self.job.progress(self.stage, doing),
        )
        metric = plan.understand.metric
        surprised = self._surprised(model, rows, doing) if measures.measure(metric).needs_model else [None] * len(rows)
        told = zip(rows, answers, surprised, strict=True)
        predictions = [predicted(row, answer, metric, surprise) for row, answer, surprise in told]
        measured = score(predictions, draws_of(plan), name=name, rows_kind=rows_kind, metric=metric)
        scored = msgspec.structs.replace(measured, seconds=time.monotonic() - began)
        write_predictions(predictions_path(self.job.run, name, rows_kind), predictions)
        self.job.emit(scored.event(plan.evaluate.confidence))
        return scored, predictions

    def _surprised(self, model: Any, rows: Sequence[Row], doing: str) -> Sequence[Surprise | None]:
        """How surprised the model is by the answers that are wanted, for a plan that measures by perplexity."""
        knobs = self.job.plan.select.hyperparameters
        return surprises(
            model,
            self.tokenizer,
            rows,
            batch_size=knobs.batch_size,
            max_length=knobs.max_length,
            report=self.job.progress(self.stage, f"{doing}: how likely the right answers are"),
        )


def draws_of(plan: Plan) -> Draws:
    """How the plan has intervals drawn."""
    return Draws(plan.evaluate.confidence, plan.evaluate.resamples, plan.prepare.split.seed)


def predicted(row: Row, answer: str, metric: str = "exact_match", surprise: Surprise | None = None) -> Prediction:
    """The answer to `row` with its measures.

    Args:
        row: What was asked.
        answer: What the model answered.
        metric: The plan's.
        surprise: For perplexity, the model's at the answer that is wanted.
    """
    chosen, tokens = None, 0
    if surprise is not None and surprise.tokens:
        chosen, tokens = surprise.perplexity, surprise.tokens
    elif metric in ("rouge_l", "bleu"):
        chosen = measures.per_row(metric, answer, row.answer)
    return Prediction(
        id=row.id,
        question=row.asked,
        expected=row.answer,
        answer=answer,
        exact_match=exact_match(answer, row.answer),
        f1=token_f1(answer, row.answer),
        group=row.group,
        context=row.context,
        score=chosen,
        tokens=tokens,
        slices=row.slices,
    )


def score(
    predictions: Sequence[Prediction],
    draws: Draws,
    *,
    name: str,
    rows_kind: str = TEST,
    metric: str = "exact_match",
) -> Scored:
    """Exact match and F1 over `predictions`, computed by the evaluate library's metric, with bootstrap intervals; and
    the same by the plan's `metric` where it is another one.
    """
    # In memory and in a scratch folder: the library would else keep answers in its cache in the person's home.
    with TemporaryDirectory(prefix="tunesmith-") as scratch:
        measured = ExactMatchAndF1(keep_in_memory=True, cache_dir=scratch).compute(
            predictions=[p.answer for p in predictions], references=[p.expected for p in predictions]
        )
    groups = [p.group for p in predictions]

    def interval(values: list[float], mean: float) -> Interval:
        drawn = mean_interval(values, draws, groups)
        return Interval(mean, drawn.low, drawn.high)

    return Scored(
        model=name,
        rows_kind=rows_kind,
        rows=len(predictions),
        groups=group_count(len(predictions), groups),
        exact_match=interval([p.exact_match for p in predictions], measured["exact_match"]),
        f1=interval([p.f1 for p in predictions], measured["f1"]),
        metric=metric,
        score=chosen_interval(predictions, draws, metric),
        corpus=corpus_bleu([p.answer for p in predictions], [p.expected for p in predictions])
        if metric == "bleu"
        else "",
    )


def chosen_interval(predictions: Sequence[Prediction], draws: Draws, metric: str) -> Interval | None:
    """The score by a metric that is neither exact match nor F1 under another name; None for those."""
    told = [p for p in predictions if p.score is not None]
    if not told:
        return None
    scores = [p.score for p in told if p.score is not None]
    return measures.interval(metric, scores, draws, [p.group for p in told], [p.tokens for p in told])


def free_memory() -> None:
    """Give back what a model held that nobody refers to any more, on the GPU as well."""
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
