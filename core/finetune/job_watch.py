"""Watches a training run from inside: writes events, scores the validation slice, stops when asked."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
import torch
from transformers import (
    PreTrainedTokenizerBase,
    TrainerCallback,
    TrainerControl,
    TrainerState,
    TrainingArguments,
)

from tunesmith.core.errors import DataError, ModelError
from tunesmith.core.events import Checkpoint, Progress, Sample, Step, Validation
from tunesmith.core.measures import leading, measure, overall, per_row
from tunesmith.core.metrics import exact_match, token_f1
from tunesmith.core.rows import Row
from tunesmith.core.worker.generate import answer_all
from tunesmith.core.worker.job import Job
from tunesmith.core.worker.perplexity import surprises

if TYPE_CHECKING:
    from trl.trainer.sft_trainer import SFTTrainer

COMPLETE = "complete"
"""A file of this name in a checkpoint says that it was written to its end."""


class Watch(TrainerCallback):
    """One run's watcher. The same few validation rows are answered each time, so that the points can be compared."""

    def __init__(self, job: Job, tokenizer: PreTrainedTokenizerBase, validation: Sequence[Row]) -> None:
        self.job = job
        self.tokenizer = tokenizer
        self.slice = _spread(validation, job.plan.finetune.validation_rows)
        self.answered_before: list[str] | None = None
        """What the untouched model answered to the slice before the training, where it was asked then."""
        self.stopped = False
        self._trainer: SFTTrainer | None = None
        self._memory = psutil.Process().memory_info
        self._began = 0.0
        self._idle = 0.0
        """Seconds since the beginning that went into evaluation and saving, not into training steps."""
        self._first_step = 0
        self._untouched_due = False
        self._step_scored: int | None = None
        """The step that the scores stand for, where it is not the present one: 0 for the untouched model."""
        self._tokens = (0.0, 0.0)
        """Tokens seen and training seconds at the last logged step."""
        self._seen_before = 0.0
        """Tokens seen up to the checkpoint that this training goes on from; TRL's own count begins at 0 again."""
        self._losses: list[float] = []
        self._scores: list[Validation] = []

    def attach(self, trainer: SFTTrainer) -> None:
        """Tell the watcher whose training it watches."""
        self._trainer = trainer

    def summary(self) -> str:
        """The whole training in one sentence."""
        steps = self._trainer.state.global_step if self._trainer else 0
        text = f"{steps} steps in {self._training_seconds():.0f} s"
        if len(self._losses) > 1:
            text += f", loss {self._losses[0]:.2f} → {self._losses[-1]:.3f}"
        if len(self._scores) > 1:
            first, last = self._scores[0], self._scores[-1]
            shown = measure(leading(last.metric))
            before, after = (
                "no number" if value is None else shown.told(value)
                for value in (first.by(shown.key), last.by(shown.key))
            )
            text += f"; {shown.name} on {last.rows} validation rows {before} → {after}"
        return text

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Score the untouched model, the line that every later point is held against.

        With an adapter that waits until the first step is done: switched off, it gives the untouched model at any time.
        """
        self._began = time.monotonic()
        self._first_step = state.global_step
        self._seen_before = _tokens_seen(state)
        self._tokens = (self._seen_before, 0.0)
        self._untouched_due = state.global_step == 0
        if self._untouched_due and (not self._switchable() or state.max_steps < 2):
            self._score_untouched()

    def on_step_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """After the first step: the untouched model, with the adapter switched off."""
        if self._untouched_due and state.global_step == 1:
            self._score_untouched()

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        """Stop and save where somebody asked for it; a checkpoint's step is logged, so that it knows its tokens."""
        if self.job.stop_requested() and state.global_step < state.max_steps:
            self.stopped = True
            control.should_save = True
            control.should_evaluate = False
            control.should_training_stop = True
        control.should_log = control.should_log or control.should_save

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        """One point of the loss curve."""
        if not logs or "loss" not in logs:
            return
        seconds = self._training_seconds()
        seen = self._seen_before + float(logs.get("num_tokens", 0.0))
        state.log_history[-1]["num_tokens"] = seen  # saved with the checkpoint: a resumed training counts on from it
        tokens, elapsed = seen - self._tokens[0], seconds - self._tokens[1]
        self._tokens = (seen, seconds)
        done = state.global_step - self._first_step
        self._losses.append(float(logs["loss"]))
        self.job.emit(
            Step(
                step=state.global_step,
                steps=state.max_steps,
                epoch=float(state.epoch or 0.0),
                loss=float(logs["loss"]),
                learning_rate=float(logs.get("learning_rate", 0.0)),
                gradient_norm=_number(logs.get("grad_norm")),
                tokens_seen=int(seen),
                tokens_per_second=tokens / elapsed if elapsed > 0 else 0.0,
                seconds_left=self._seconds_left(state, done),
                memory_bytes=self._memory_bytes(),
                memory_kind="gpu" if torch.cuda.is_available() and not args.use_cpu else "ram",
            )
        )

    def on_evaluate(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        metrics: dict[str, float] | None = None,
        **kwargs: Any,
    ) -> None:
        """Answer the validation slice with the model as it is now, and write the point of the score curve."""
        if not self.slice or self._trainer is None:
            return
        began = time.monotonic()
        step = state.global_step if self._step_scored is None else self._step_scored
        answers = self.answered_before if step == 0 else None
        answers = answers or answer_all(
            self._trainer.model,
            self.tokenizer,
            [row.prompt for row in self.slice],
            max_new_tokens=self.job.plan.evaluate.max_new_tokens,
            batch_size=self.job.plan.evaluate.batch_size,
            tools=[row.tools for row in self.slice],
            report=self._report,
        )
        expected = [row.answer for row in self.slice]
        score = Validation(
            step=step,
            loss=_number((metrics or {}).get("eval_loss")),
            exact_match=_mean([exact_match(a, e) for a, e in zip(answers, expected, strict=True)]),
            f1=_mean([token_f1(a, e) for a, e in zip(answers, expected, strict=True)]),
            rows=len(self.slice),
            metric=self.job.plan.understand.metric,
            score=self._chosen(self._trainer.model, answers),
        )
        self._scores.append(score)
        self.job.emit(score)
        shown = list(zip(self.slice, answers, strict=True))[: self.job.plan.finetune.samples]
        for row, answer in shown:
            question = row.asked
            self.job.emit(Sample(step=step, question=question, expected=row.answer, answer=answer))
        self._idle += time.monotonic() - began + float((metrics or {}).get("eval_runtime", 0.0))

    def on_save(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        """Mark the checkpoint as whole: one that a kill cut short has no mark and is not resumed from."""
        folder = Path(args.output_dir or "") / f"checkpoint-{state.global_step}"
        (folder / COMPLETE).touch()
        self.job.emit(Checkpoint(step=state.global_step, path=str(folder.relative_to(self.job.run.folder))))

    def _score_untouched(self) -> None:
        self._untouched_due = False
        if self._trainer is None or self._trainer.eval_dataset is None:
            return
        model: Any = self._trainer.model
        began, idle = time.monotonic(), self._idle
        self._step_scored = 0
        with model.disable_adapter() if self._switchable() else contextlib.nullcontext():
            self._trainer.evaluate()  # calls on_evaluate
        self._step_scored = None
        model.train()
        self._idle = idle + time.monotonic() - began

    def _chosen(self, model: Any, answers: Sequence[str]) -> float | None:
        """The slice's score by the plan's metric; None where the model gives no number for it."""
        metric = self.job.plan.understand.metric
        if not measure(metric).needs_model:
            return overall(metric, [per_row(metric, a, row.answer) for row, a in zip(self.slice, answers, strict=True)])
        knobs = self.job.plan.select.hyperparameters
        try:
            found = surprises(
                model,
                self.tokenizer,
                self.slice,
                batch_size=knobs.batch_size,
                max_length=knobs.max_length,
                report=self._report,
            )
        except (DataError, ModelError):
            return None  # a training that diverges shows it in its loss; it need not end for a point of the curve
        return overall(metric, [one.perplexity for one in found], [one.tokens for one in found])

    def _switchable(self) -> bool:
        """Whether the untouched model is what remains with the adapter switched off.

        PiSSA moves a part of the weights into the adapter: only before the first step is it the untouched model.
        """
        return self.job.plan.select.method != "full" and self.job.plan.select.peft != "pissa"

    def _report(self, done: int, total: int) -> None:
        self.job.emit(
            Progress(stage="finetune", doing="answering validation rows", done=done, total=total, unit="rows")
        )

    def _training_seconds(self) -> float:
        return time.monotonic() - self._began - self._idle

    def _seconds_left(self, state: TrainerState, done: int) -> float:
        """Steps left at the mean pace so far, evaluations included. An estimate; 0 before the first step."""
        if done <= 0:
            return 0.0
        return (time.monotonic() - self._began) / done * (state.max_steps - state.global_step)

    def _memory_bytes(self) -> int:
        """Peak memory that torch allocated on the GPU, or the process's resident memory in RAM."""
        if torch.cuda.is_available() and self.job.plan.select.device == "cuda":
            return torch.cuda.max_memory_allocated()
        return int(self._memory().rss)


def _spread(rows: Sequence[Row], count: int) -> list[Row]:
    """`count` rows spread evenly over all of them; the same for the same rows."""
    if count >= len(rows):
        return list(rows)
    return [rows[index * len(rows) // count] for index in range(count)]


def _tokens_seen(state: TrainerState) -> float:
    """Tokens seen up to the last logged step of a training that is resumed; 0 for a new one."""
    return float(next((log["num_tokens"] for log in reversed(state.log_history) if "num_tokens" in log), 0.0))


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0


def _number(value: Any) -> float | None:
    return None if value is None else float(value)
