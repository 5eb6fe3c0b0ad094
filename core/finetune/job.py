"""The training job: from the plan to an adapter (or a whole model) in the run's folder, on TRL's SFTTrainer.

Read from top to bottom it is the whole way: rows to tokens, weights, adapter, trainer, result on disk.
"""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

from datasets import Dataset
from peft import LoraConfig
from transformers import PreTrainedTokenizerBase
from trl.trainer.sft_config import SFTConfig
from trl.trainer.sft_trainer import SFTTrainer

from tunesmith.core.errors import DataError, PlanError
from tunesmith.core.events import Decision
from tunesmith.core.finetune.job_probe import probed
from tunesmith.core.finetune.job_watch import Watch
from tunesmith.core.models import find_model
from tunesmith.core.plan import Plan
from tunesmith.core.rows import Row, read_rows
from tunesmith.core.run import Run
from tunesmith.core.worker.job import Job, Stopped
from tunesmith.core.worker.model import count_parameters, load_model, load_tokenizer
from tunesmith.core.worker.tokenize import encode

STAGE = "finetune"


def work(job: Job) -> str:
    """Train as the plan says and save the result; returns it in one sentence.

    Raises:
        DataError: Prepare has not run, or left nothing to train on.
        Stopped: The person asked to stop; a checkpoint was saved.
    """
    plan, run = job.plan, job.run
    base = find_model(plan.select.model)
    tokenizer = load_tokenizer(base.path)
    train, validation = _rows(run, "train"), _rows(run, "validation")
    checkpoint = _checkpoint(job)
    model = load_model(base.path, plan.select, quantized=plan.select.method == "qlora")
    _check_targets(model, plan)
    rows = _dataset(tokenizer, train, plan)

    def probing(longest: Dataset, changes: dict[str, Any]) -> SFTTrainer:
        settings = replace(training_arguments(plan, run.checkpoints, evaluates=False), **changes)
        return SFTTrainer(model, settings, train_dataset=longest, processing_class=tokenizer, peft_config=adapter(plan))

    ready = probed(job, base, rows, probing) if checkpoint is None else None
    watch = Watch(job, tokenizer, validation)
    trainer = SFTTrainer(
        model=model if ready is None else ready,
        args=training_arguments(plan, run.checkpoints, evaluates=bool(validation)),
        train_dataset=rows,
        eval_dataset=_dataset(tokenizer, validation, plan) if validation else None,
        processing_class=tokenizer,
        peft_config=adapter(plan) if ready is None else None,
        callbacks=[watch],
    )
    watch.attach(trainer)
    assert trainer.model is not None
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
    save(trainer.model, tokenizer, run.merged if plan.select.method == "full" else run.adapter, base.name)
    return watch.summary()


def adapter(plan: Plan) -> LoraConfig | None:
    """PEFT's configuration for the plan's adapter; None for full fine-tuning."""
    lora = plan.select.lora
    if lora is None:
        return None
    return LoraConfig(
        r=lora.rank,
        lora_alpha=lora.alpha,
        lora_dropout=lora.dropout,
        target_modules=lora.target_modules,
        task_type="CAUSAL_LM",
    )


def training_arguments(plan: Plan, output: Path, *, evaluates: bool) -> SFTConfig:
    """TRL's configuration for the plan; whatever the plan does not decide is switched off or left at its default."""
    knobs, watched, precision = plan.select.hyperparameters, plan.finetune, plan.select.precision
    return SFTConfig(
        output_dir=str(output),
        learning_rate=knobs.learning_rate,
        lr_scheduler_type=knobs.schedule,
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
        logging_steps=watched.log_every,
        logging_first_step=True,
        eval_strategy="steps" if evaluates else "no",
        eval_steps=watched.evaluate_every,
        save_strategy="steps",
        save_steps=watched.save_every,
        save_total_limit=watched.keep_checkpoints,
        dataloader_pin_memory=plan.select.device == "cuda",
        disable_tqdm=True,
        report_to=[],
    )


def save(model: Any, tokenizer: PreTrainedTokenizerBase, folder: Path, base_name: str) -> None:
    """Save weights and tokenizer aside and rename, so that a folder of that name is always whole."""
    aside = folder.with_name(folder.name + ".part")
    shutil.rmtree(aside, ignore_errors=True)
    for config in getattr(model, "peft_config", {}).values():
        config.base_model_name_or_path = base_name  # never the path on this machine: adapters are passed on
    model.save_pretrained(aside)
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


def _check_targets(model: Any, plan: Plan) -> None:
    """Refuse target modules that the model has not, naming those it has. Raises PlanError."""
    if plan.select.lora is None or isinstance(plan.select.lora.target_modules, str):
        return
    there = {name.rpartition(".")[2] for name, module in model.named_modules() if hasattr(module, "in_features")}
    missing = [name for name in plan.select.lora.target_modules if name.rpartition(".")[2] not in there]
    if missing:
        raise PlanError(
            f"This model has no layer {missing[0]} to put an adapter on.",
            next_step=f"Set select.lora.target_modules to all-linear, or to some of: {', '.join(sorted(there))}.",
        )


def _checkpoint(job: Job) -> Path | None:
    """The checkpoint to go on from, where the person asked to resume."""
    if not job.resume:
        return None
    checkpoint = job.run.last_checkpoint()
    if checkpoint is None:
        job.finding(STAGE, "No checkpoint was saved before the run ended, so training starts from the beginning.")
    return checkpoint
