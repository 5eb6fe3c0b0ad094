"""The training job: from the plan to an adapter (or a whole model) in the run's folder, on TRL's SFTTrainer.

Read from top to bottom it is the whole way: rows to tokens, weights, adapter, trainer, result on disk.
"""

from __future__ import annotations

import math
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

from datasets import Dataset
from transformers import EarlyStoppingCallback, PreTrainedTokenizerBase, TrainerCallback
from trl.data_utils import pack_dataset
from trl.trainer.sft_config import SFTConfig
from trl.trainer.sft_trainer import SFTTrainer

from tunesmith.core.errors import DataError
from tunesmith.core.events import Decision
from tunesmith.core.evidence import read_record
from tunesmith.core.finetune.job_adapters import (
    PISSA_START,
    helpers,
    keep_pissa_start,
    take_up_pissa_start,
    trainer_class,
)
from tunesmith.core.finetune.job_probe import probed
from tunesmith.core.finetune.job_watch import Watch
from tunesmith.core.models import model_here
from tunesmith.core.plan import SCHEDULERS, Plan
from tunesmith.core.rows import Row, read_rows
from tunesmith.core.run import Run
from tunesmith.core.worker.adapters import check_targets, peft_config, train_in_full_precision
from tunesmith.core.worker.evidence import weigh
from tunesmith.core.worker.job import Job, Stopped
from tunesmith.core.worker.model import count_parameters, load_model, load_tokenizer
from tunesmith.core.worker.template import check_template
from tunesmith.core.worker.tokenize import encode

STAGE = "finetune"


def work(job: Job) -> str:
    """Train as the plan says and save the result; returns it in one sentence.

    Raises:
        DataError: Prepare has not run, or left nothing to train on.
        ModelError: The model's chat template is not the one that the rows were prepared with.
        PlanError: The model has not the layers that the plan's adapter is put on.
        Stopped: The person asked to stop, and a checkpoint was saved; or there is a way without training.
    """
    plan, run = job.plan, job.run
    base = model_here(plan.select.model)
    tokenizer = load_tokenizer(base.path)
    train, validation = _rows(run, "train"), _rows(run, "validation")
    check_template(run, tokenizer, "the model")
    checkpoint = _checkpoint(job)
    model = load_model(base.path, plan.select, quantized=plan.select.method == "qlora")
    check_targets(model, plan.select)
    watch = Watch(job, tokenizer, validation)
    if checkpoint is None:
        watch.answered_before = weigh(job, model, tokenizer, base, train, watch.slice)
    rows = _dataset(tokenizer, train, plan)
    rows = _packed(job, rows, plan) if plan.select.hyperparameters.packing else rows
    kind, adapter = trainer_class(plan.select), peft_config(plan.select, _steps(rows, plan))

    def probing(longest: Dataset, changes: dict[str, Any]) -> SFTTrainer:
        settings = replace(training_arguments(plan, run.checkpoints, evaluates=False), **changes)
        return kind(model, settings, train_dataset=longest, processing_class=tokenizer, peft_config=adapter)

    ready = probed(job, base, rows, probing) if checkpoint is None else None
    trainer = kind(
        model=model if ready is None else ready,
        args=training_arguments(plan, run.checkpoints, evaluates=bool(validation)),
        train_dataset=rows,
        eval_dataset=_dataset(tokenizer, validation, plan) if validation else None,
        processing_class=tokenizer,
        peft_config=adapter if ready is None else None,
        # The watch comes last: it marks a checkpoint as whole.
        callbacks=[*helpers(plan.select, checkpoint), *_stopping(job, validation), watch],
    )
    watch.attach(trainer)
    assert trainer.model is not None
    train_in_full_precision(trainer.model, plan.select)
    start = _pissa_start(trainer.model, plan, run, checkpoint)
    trained, total = count_parameters(trainer.model)
    job.emit(
        Decision(
            stage=STAGE,
            name="Trained parameters",
            value=f"{trained:,} of {total:,}",
            because=f"{100 * trained / total:.1f} % of the weights move; the rest stays as it is",
        )
    )
    trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
    if watch.stopped:
        raise Stopped
    folder = run.merged if plan.select.method == "full" else run.adapter
    save(trainer.model, tokenizer, folder, base.name, start)
    kept = _kept(job, trainer)
    return watch.summary() + (f"; {kept}" if kept else "")


def training_arguments(plan: Plan, output: Path, *, evaluates: bool) -> SFTConfig:
    """TRL's configuration for the plan; whatever the plan does not decide is switched off or left at its default."""
    knobs, watched, precision = plan.select.hyperparameters, plan.finetune, plan.select.precision
    return SFTConfig(
        output_dir=str(output),
        learning_rate=knobs.learning_rate,
        lr_scheduler_type=SCHEDULERS[knobs.schedule],
        warmup_steps=knobs.warmup,  # below 1 it is a share of the steps
        num_train_epochs=knobs.epochs,
        per_device_train_batch_size=knobs.batch_size,
        per_device_eval_batch_size=knobs.batch_size,
        gradient_accumulation_steps=knobs.accumulation,
        weight_decay=knobs.weight_decay,
        max_grad_norm=knobs.max_grad_norm,
        optim=knobs.optimizer,
        activation_checkpointing=knobs.gradient_checkpointing,
        seed=knobs.seed,
        data_seed=knobs.seed,
        bf16=precision == "bf16",
        fp16=precision == "fp16",
        use_cpu=plan.select.device == "cpu",
        max_length=None,  # the rows were tokenised and cut by `encode`, the same that Prepare showed
        dataset_kwargs={"skip_prepare_dataset": True},
        packing=knobs.packing,
        train_sampling_strategy="group_by_length" if knobs.group_by_length else "random",
        logging_steps=watched.log_every,
        logging_first_step=True,
        eval_strategy="steps" if evaluates else "no",
        eval_steps=watched.evaluate_every,
        save_strategy="steps",
        save_steps=watched.save_every,
        save_total_limit=watched.keep_checkpoints,
        load_best_model_at_end=evaluates and knobs.early_stopping is not None,
        metric_for_best_model="eval_loss",
        greater_is_better=False,
        restore_callback_states_from_checkpoint=evaluates and knobs.early_stopping is not None,
        dataloader_pin_memory=plan.select.device == "cuda",
        disable_tqdm=True,
        report_to=[],
    )


def save(
    model: Any, tokenizer: PreTrainedTokenizerBase, folder: Path, base_name: str, pissa_start: Path | None = None
) -> None:
    """Save weights and tokenizer aside and rename, so that a folder of that name is always whole.

    Args:
        pissa_start: PiSSA's adapter before the first step. What was saved is then a plain LoRA adapter of twice the
            rank for the untouched weights (`peft/peft_model.py`, 0.21: path_initial_model_for_weight_conversion).
    """
    aside = folder.with_name(folder.name + ".part")
    shutil.rmtree(aside, ignore_errors=True)
    for config in getattr(model, "peft_config", {}).values():
        config.base_model_name_or_path = base_name  # never the path on this machine: adapters are passed on
    more = {"path_initial_model_for_weight_conversion": str(pissa_start)} if pissa_start else {}
    model.save_pretrained(aside, **more)
    tokenizer.save_pretrained(aside)
    shutil.rmtree(folder, ignore_errors=True)
    aside.rename(folder)


def _rows(run: Run, split: str) -> list[Row]:
    try:
        rows = list(read_rows(run.rows_path(split)))
    except FileNotFoundError:
        raise DataError(
            "The data of this run was not prepared yet.",
            next_step=f"Start with that stage: `tunesmith run {run.plan_path} --from prepare`.",
        ) from None
    if split == "train" and not rows:
        raise DataError("There is no row to train on.", next_step="Give more rows, or a smaller test share.")
    return rows


def _dataset(tokenizer: PreTrainedTokenizerBase, rows: list[Row], plan: Plan) -> Dataset:
    encoded = [encode(tokenizer, row, plan.select.hyperparameters.max_length) for row in rows]
    return Dataset.from_dict(
        {"input_ids": [row.input_ids for row in encoded], "labels": [row.labels for row in encoded]}
    )


def _packed(job: Job, rows: Dataset, plan: Plan) -> Dataset:
    """Rows put together into sequences of up to the sequence length, none of them cut (best fit decreasing)."""
    packed = pack_dataset(rows, plan.select.hyperparameters.max_length, "bfd")
    text = f"{len(rows):,} rows were packed into {len(packed):,} sequences of at most "
    job.finding(STAGE, f"{text}{plan.select.hyperparameters.max_length:,} tokens.")
    return packed


def _steps(sequences: Dataset, plan: Plan) -> int:
    """Optimizer steps of the whole training, as transformers counts them."""
    knobs = plan.select.hyperparameters
    batches = math.ceil(len(sequences) / knobs.batch_size)
    return math.ceil(math.ceil(batches / knobs.accumulation) * knobs.epochs)


def _stopping(job: Job, validation: list[Row]) -> list[TrainerCallback]:
    patience = job.plan.select.hyperparameters.early_stopping
    if patience is None:
        return []
    if not validation:
        text = "There are no validation rows, so early stopping has nothing to look at; the training goes to its end."
        job.finding(STAGE, text, "warning")
        return []
    return [EarlyStoppingCallback(patience)]


def _kept(job: Job, trainer: SFTTrainer) -> str:
    """Which step's weights were kept and why, where early stopping chose; told as a finding as well."""
    state, patience = trainer.state, job.plan.select.hyperparameters.early_stopping
    if patience is None or state.best_metric is None:
        return ""
    kept = (
        f"the weights of step {state.best_global_step} were kept, the lowest validation loss ({state.best_metric:.3f})"
    )
    if state.global_step < state.max_steps:
        looks = "evaluation" if patience == 1 else f"{patience} evaluations"
        early = f"stopped early at step {state.global_step} of {state.max_steps}, no better loss in {looks}"
        kept = f"{early}; {kept}"
    job.finding(STAGE, f"{kept[0].upper()}{kept[1:]}.")
    return kept


def _pissa_start(model: Any, plan: Plan, run: Run, checkpoint: Path | None) -> Path | None:
    """PiSSA: where its adapter is kept as it was before the first step; None for everything else."""
    if plan.select.method == "full" or plan.select.peft != "pissa":
        return None
    start = run.checkpoints / PISSA_START
    if checkpoint is None:
        keep_pissa_start(model, start)
    else:
        take_up_pissa_start(model, start)
    return start


def _checkpoint(job: Job) -> Path | None:
    """The checkpoint to go on from, where the person asked to resume."""
    if not job.resume:
        return None
    checkpoint, before = job.run.last_checkpoint(), read_record(job.run)
    if checkpoint is None and (before is None or not before.stopped):
        job.finding(STAGE, "No checkpoint was saved before the run ended, so training starts from the beginning.")
    return checkpoint
