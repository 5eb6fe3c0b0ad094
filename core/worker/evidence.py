"""Scores the untouched model before the training, with and without examples in its prompt, and rules on the training.

It runs on the model that is about to be trained, before any adapter is put on it, so the weights are loaded once.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import torch
from transformers import PreTrainedTokenizerBase

from tunesmith.core.bootstrap import Draws
from tunesmith.core.chat_template import PLAIN_TEMPLATE
from tunesmith.core.errors import ModelError
from tunesmith.core.events import Evidence, Written
from tunesmith.core.evidence import (
    UNSCORED_EXAMPLES,
    Record,
    cut_answer,
    does_not_fit,
    draw_examples,
    examples_told,
    goal_scores,
    reaches,
    read_record,
    rule,
    score_interval,
    summary,
    with_examples,
    write_record,
)
from tunesmith.core.facts import ModelFacts
from tunesmith.core.metrics import exact_match, token_f1
from tunesmith.core.plan import TRAINS
from tunesmith.core.prompt_file import write_prompt
from tunesmith.core.results import Prediction, predictions_path, read_predictions, write_predictions
from tunesmith.core.rows import Row
from tunesmith.core.worker.generate import answer_all
from tunesmith.core.worker.job import Job, Stopped
from tunesmith.core.worker.tokenize import encode_prompt

STAGE = "finetune"
KIND = "evidence-{}"
"""`rows_kind` of the answers in `predictions/`, by the number of examples."""


@dataclass(frozen=True)
class Untouched:
    """The model as it is before the training, with what it is asked and what may be shown to it."""

    job: Job
    model: Any
    tokenizer: PreTrainedTokenizerBase
    base: ModelFacts
    rows: Sequence[Row]
    """The validation slice."""
    examples: Sequence[Row]
    """Drawn from the training rows; the first n of them are shown in a prompt with n examples."""

    @property
    def as_text(self) -> bool:
        """Whether it has no chat template, so that examples are one text with the question."""
        return bool(self.tokenizer.chat_template == PLAIN_TEMPLATE)

    def score(self, shots: int) -> Evidence:
        """Ask all rows with `shots` examples before each; the answers are kept in `predictions/`.

        Raises:
            Stopped: The person asked to stop; nothing of this number of examples was written.
        """
        brief = self.job.plan.understand
        told = Evidence(shots=shots, metric=brief.metric, threshold=brief.threshold)
        began = time.monotonic()
        try:
            skipped = self._why_not(shots)
            answers = [] if skipped else self._answers(shots)
        except ModelError as error:  # a chat template that takes no earlier turns
            skipped, answers = error.cause or error.title, []
        except torch.OutOfMemoryError:
            skipped, answers = "the memory of the GPU is not enough for prompts of that length", []
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        if skipped:
            return msgspec.structs.replace(told, at=time.time(), skipped=skipped)
        scored = self._scored(told, answers)
        return msgspec.structs.replace(scored, at=time.time(), seconds=time.monotonic() - began)

    def fits(self, shots: int) -> bool:
        """Whether a prompt with that many examples can be given to the model at all."""
        try:
            return not self._why_not(shots)
        except ModelError:
            return False

    def _prompts(self, shots: int) -> list[Any]:
        shown = self.examples[:shots]
        return [with_examples(row.prompt, shown, as_text=self.as_text) for row in self.rows]

    def _longest(self, shots: int) -> int:
        return max((len(encode_prompt(self.tokenizer, one)) for one in self._prompts(shots) if one), default=0)

    def _why_not(self, shots: int) -> str:
        if not shots:
            return ""  # asked as it is: the training asks the same
        new, positions = self.job.plan.evaluate.max_new_tokens, self.base.max_positions
        return does_not_fit(shots, len(self.examples), self._longest(shots), new, positions)

    def _answers(self, shots: int) -> list[str]:
        plan = self.job.plan
        # No more tokens at once than without examples: longer prompts must not take memory that was not reckoned with.
        batch = max(1, plan.evaluate.batch_size * self._longest(0) // max(1, self._longest(shots)))
        answers = answer_all(
            self.model,
            self.tokenizer,
            self._prompts(shots),
            tools=[row.tools for row in self.rows],
            max_new_tokens=plan.evaluate.max_new_tokens,
            batch_size=batch,
            report=self.job.progress(STAGE, f"asking the untouched model, {examples_told(shots)}"),
        )
        if shots and self.as_text:
            return [cut_answer(answer, self.examples[:shots]) for answer in answers]
        return answers

    def _scored(self, told: Evidence, answers: Sequence[str]) -> Evidence:
        plan = self.job.plan
        predictions = [
            Prediction(
                id=row.id,
                question=row.asked,
                expected=row.answer,
                answer=answer,
                exact_match=exact_match(answer, row.answer),
                f1=token_f1(answer, row.answer),
                group=row.group,
                context=row.context,
            )
            for row, answer in zip(self.rows, answers, strict=True)
        ]
        write_predictions(predictions_path(self.job.run, "base", KIND.format(told.shots)), predictions)
        scored = msgspec.structs.replace(
            told,
            rows=len(predictions),
            exact_match=sum(p.exact_match for p in predictions) / len(predictions),
            f1=sum(p.f1 for p in predictions) / len(predictions),
        )
        scores = goal_scores(plan.understand.metric, answers, [row.answer for row in self.rows])
        if scores is None:
            return scored
        draws = Draws(plan.evaluate.confidence, plan.evaluate.resamples, plan.prepare.split.seed)
        interval = score_interval(scores, draws, [row.group for row in self.rows])
        return msgspec.structs.replace(
            scored,
            goal=interval.value,
            goal_low=interval.low,
            goal_high=interval.high,
            confidence=draws.confidence,
        )


def weigh(
    job: Job,
    model: Any,
    tokenizer: PreTrainedTokenizerBase,
    base: ModelFacts,
    train: Sequence[Row],
    rows: Sequence[Row],
) -> list[str] | None:
    """Score the untouched model and rule on the training; returns its answers without examples, for the first point.

    A run that stopped here by its own advice and is resumed is trained all the same. One that was interrupted here
    goes on with what is not scored yet.

    Args:
        rows: The validation slice that the score chart follows.

    Returns:
        The answers to `rows` in their order; None where they were not asked plainly.

    Raises:
        Stopped: A prompt reaches the goal, or the plan's approach needs no training, and the plan says to stop then.
    """
    plan = job.plan
    wanted, trains = plan.understand.evidence, plan.understand.approach in TRAINS
    if not wanted.shots and trains:
        return None
    record = _begun(job, rows)
    if record.stopped:
        job.finding(STAGE, "Trained all the same, as asked.")
        return _plain_answers(job, rows)
    most = max(wanted.shots, default=UNSCORED_EXAMPLES)
    examples = draw_examples(train, rows, most, plan.prepare.split.seed)
    untouched = Untouched(job, model, tokenizer, base, rows, examples)
    record = _score(untouched, record)
    _rule(untouched, record)
    return _plain_answers(job, rows)


def _begun(job: Job, rows: Sequence[Row]) -> Record:
    """What a resumed run has scored already; an empty record where there is none, or of another model or rows."""
    plan, former = job.plan, read_record(job.run) if job.resume else None
    pack = plan.select.quantization
    new = Record(
        model=plan.select.model,
        packed=pack.type if pack else "",
        rows=[row.id for row in rows],
        metric=plan.understand.metric,
        threshold=plan.understand.threshold,
    )
    return former if former is not None and former.about(new) else new


def _score(untouched: Untouched, record: Record) -> Record:
    """Score every number of examples that is wanted and not scored yet, each told and written as it is known."""
    job, done = untouched.job, {one.shots for one in record.scored}
    shots = [count for count in job.plan.understand.evidence.shots if count not in done]
    if shots and not untouched.rows:
        job.finding(STAGE, "There are no validation rows, so the untouched model was not scored before the training.")
        return record
    if shots and record.packed:
        job.finding(
            STAGE,
            f"The untouched model is scored here with its weights packed to {record.packed}, as it is trained; "
            "Evaluate scores it with its own weights.",
        )
    for count in shots:
        evidence = untouched.score(count)
        record = record.with_(evidence)
        write_record(job.run, record)
        job.emit(evidence)
    return record


def _rule(untouched: Untouched, record: Record) -> None:
    """Tell what the scores mean for the training. Raises Stopped where they speak against it."""
    job, run = untouched.job, untouched.job.run
    ruling = rule(job.plan, record.scored)
    if ruling is None:
        if told := summary(record.scored):
            job.finding(STAGE, told)
        return
    _write_prompt(untouched, record)
    if not job.plan.understand.evidence.stop:
        job.finding(STAGE, f"{ruling.text} It is trained all the same, as the plan says (understand.evidence.stop).")
        return
    best = record.best
    enough = best is not None and reaches(best)
    prompt = "the prompt to use instead" if enough else "the best prompt, which does not reach the goal,"
    advice = f"{ruling.text} Nothing was trained; {prompt} is in {run.prompt_path.name}."
    write_record(run, msgspec.structs.replace(record, stopped=advice))
    raise Stopped(advice)


def _write_prompt(untouched: Untouched, record: Record) -> None:
    """Write the prompt that did best; where nothing was scored, one with the most examples up to a few that fit."""
    job, run, best = untouched.job, untouched.job.run, record.best
    if best is not None:
        shots = best.shots
    else:
        most = min(UNSCORED_EXAMPLES, len(untouched.examples))
        shots = next((count for count in range(most, 0, -1) if untouched.fits(count)), 0)
    write_prompt(run, job.plan, record, untouched.examples, shots, as_text=untouched.as_text)
    for path, what in ((run.prompt_path, "prompt"), (run.messages_path, "prompt for programs")):
        job.emit(Written(what=what, path=path.name, bytes=path.stat().st_size))


def _plain_answers(job: Job, rows: Sequence[Row]) -> list[str] | None:
    """The answers to `rows` without examples, where all of them were asked."""
    if 0 not in job.plan.understand.evidence.shots or not rows:
        return None
    try:
        answers = {p.id: p.answer for p in read_predictions(predictions_path(job.run, "base", KIND.format(0)))}
    except (FileNotFoundError, msgspec.DecodeError):
        return None
    return [answers[row.id] for row in rows] if all(row.id in answers for row in rows) else None
