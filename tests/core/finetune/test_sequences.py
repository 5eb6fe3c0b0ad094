"""Packed rows are trained as they would be one by one; length grouping and early stopping do what they say."""

from __future__ import annotations

import contextlib
import io
import warnings
from pathlib import Path
from typing import Any

import pytest

from tests.core.small_run import make_rows, make_run
from tunesmith.core.events import Checkpoint, EventReader, EventWriter, Finding, Step, Validation
from tunesmith.core.models import find_model
from tunesmith.core.plan_yaml import read_plan
from tunesmith.core.rows import write_rows
from tunesmith.core.worker.job import Job

pytestmark = pytest.mark.slow


def job_of(root: Path, tree: dict[str, Any], *, steps: int = 6, save_every: int = 4, **knobs: Any) -> Job:
    run = make_run(root, tree, steps=steps, save_every=save_every)
    plan = read_plan(run.plan_path)
    select = plan.select.model_copy(update={"hyperparameters": plan.select.hyperparameters.model_copy(update=knobs)})
    plan = plan.model_copy(
        update={"select": select, "finetune": plan.finetune.model_copy(update={"evaluate_every": save_every})}
    )
    return Job(run, plan, EventWriter(run.events_path))


def work(job: Job) -> str:
    from tunesmith.core.finetune.job import work

    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        return work(job)


def findings(job: Job) -> list[str]:
    return [event.text for event in EventReader(job.run.events_path).read() if isinstance(event, Finding)]


def test_packed_rows_keep_their_labels_and_do_not_see_each_other() -> None:
    import torch
    from datasets import Dataset
    from transformers import AutoModelForCausalLM
    from trl.data_utils import pack_dataset
    from trl.trainer.sft_trainer import DataCollatorForLanguageModeling

    from tunesmith.core.worker.model import load_tokenizer
    from tunesmith.core.worker.tokenize import encode

    path = find_model("practice").path
    tokenizer = load_tokenizer(path)
    model = AutoModelForCausalLM.from_pretrained(path, dtype=torch.float32).eval()
    rows = [encode(tokenizer, row) for row in make_rows(8, seed=3)]
    data = Dataset.from_dict({"input_ids": [r.input_ids for r in rows], "labels": [r.labels for r in rows]})
    packed = pack_dataset(data, 200, "bfd")
    assert len(packed) < len(rows)
    batch = DataCollatorForLanguageModeling(tokenizer.pad_token_id, padding_free=True)([packed[0], packed[1]])
    with torch.no_grad():
        together = model(**{name: batch[name] for name in ("input_ids", "position_ids")}, use_cache=False).logits[0]
    start = 0
    for length in [*packed[0]["seq_lengths"], *packed[1]["seq_lengths"]]:
        ids = batch["input_ids"][0, start : start + length]
        alone = next(row for row in rows if row.input_ids == ids.tolist())
        assert batch["labels"][0, start : start + length].tolist() == alone.labels
        with torch.no_grad():
            torch.testing.assert_close(
                together[start : start + length], model(input_ids=ids[None]).logits[0], rtol=1e-3, atol=1e-3
            )
        start += length


def test_a_packed_training_learns_and_says_how_many_rows_went_into_how_many_sequences(
    runs_folder: Path, plan_tree: dict[str, Any]
) -> None:
    job = job_of(runs_folder, plan_tree, packing=True, max_length=200, batch_size=2, epochs=4.0, accumulation=1)
    work(job)
    told = next(text for text in findings(job) if "packed" in text)
    assert told.startswith("24 rows were packed into ")
    sequences = int(told.partition("into ")[2].partition(" ")[0])
    assert sequences < 24
    steps = [event for event in EventReader(job.run.events_path).read() if isinstance(event, Step)]
    assert steps[-1].steps == 4 * -(-sequences // 2)
    assert steps[-1].loss < steps[0].loss


def test_length_grouping_puts_rows_of_like_length_into_a_batch(runs_folder: Path, plan_tree: dict[str, Any]) -> None:
    from tunesmith.core.finetune.job import training_arguments

    job = job_of(runs_folder, plan_tree, group_by_length=True)
    arguments = training_arguments(job.plan, job.run.checkpoints, evaluates=True)
    assert arguments.train_sampling_strategy == "group_by_length"
    work(job)
    assert job.run.adapter.is_dir()


def test_a_constant_rate_rises_over_its_warm_up_as_well(runs_folder: Path, plan_tree: dict[str, Any]) -> None:
    import torch
    from transformers import get_scheduler

    from tunesmith.core.finetune.job import training_arguments

    job = job_of(runs_folder, plan_tree, schedule="constant", warmup=0.5)
    arguments = training_arguments(job.plan, job.run.checkpoints, evaluates=False)
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    course = get_scheduler(arguments.lr_scheduler_type, optimizer, arguments.get_warmup_steps(4), 4)
    rates = []
    for _ in range(4):
        rates += course.get_last_lr()
        optimizer.step()
        course.step()
    assert rates == [0.0, 0.5, 1.0, 1.0]


def test_training_ends_early_and_keeps_the_best_weights(runs_folder: Path, plan_tree: dict[str, Any]) -> None:
    # A rate at which the loss soon gets worse again.
    job = job_of(
        runs_folder,
        plan_tree,
        steps=40,
        save_every=2,
        early_stopping=2,
        learning_rate=0.3,
        schedule="constant",
        warmup=0.0,
    )
    summary = work(job)
    events = EventReader(job.run.events_path).read()
    losses = {e.step: e.loss for e in events if isinstance(e, Validation) and e.step > 0}
    best = min(losses, key=lambda step: losses[step] or 0.0)
    last = max(losses)
    assert last < 40
    assert last == best + 4, "two evaluations without a better loss"
    assert f"stopped early at step {last} of 40, no better loss in 2 evaluations" in summary
    assert f"the weights of step {best} were kept" in summary
    saved = (job.run.adapter / "adapter_model.safetensors").read_bytes()
    assert saved == (job.run.checkpoints / f"checkpoint-{best}" / "adapter_model.safetensors").read_bytes()
    assert any(isinstance(event, Checkpoint) and event.step == best for event in events)


def test_early_stopping_without_validation_rows_says_so_and_trains_to_the_end(
    runs_folder: Path, plan_tree: dict[str, Any]
) -> None:
    job = job_of(runs_folder, plan_tree, early_stopping=1)
    write_rows(job.run.rows_path("validation"), [])
    work(job)
    assert any("early stopping has nothing to look at" in text for text in findings(job))
