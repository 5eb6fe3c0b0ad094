"""A few steps through the real trainer are measured; nothing of the model moves by them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest
import torch
from datasets import Dataset
from peft import LoraConfig
from transformers import AutoModelForCausalLM
from trl.trainer.sft_config import SFTConfig
from trl.trainer.sft_trainer import SFTTrainer

from tunesmith.core.finetune.job_probe import longest_rows
from tunesmith.core.practice import MODEL_DIR
from tunesmith.core.worker.model import load_tokenizer
from tunesmith.core.worker.probe import measure

ROWS = Dataset.from_dict({"input_ids": [[5] * n for n in (40, 96, 60)], "labels": [[5] * n for n in (40, 96, 60)]})


@pytest.fixture
def settings(tmp_path: Path) -> SFTConfig:
    return SFTConfig(
        output_dir=str(tmp_path),
        per_device_train_batch_size=8,
        learning_rate=2e-3,
        use_cpu=True,
        bf16=False,
        activation_checkpointing=False,
        max_length=None,
        dataset_kwargs={"skip_prepare_dataset": True},
        report_to=[],
        disable_tqdm=True,
        dataloader_pin_memory=False,
    )


def test_the_longest_row_is_taken_in_batches_that_are_not_all_alike() -> None:
    taken = longest_rows(ROWS, batch=8)
    assert sorted({len(row) for row in taken["input_ids"]}) == [95, 96]
    assert len(taken) == 24
    assert [len(row) for row in taken["labels"]] == [len(row) for row in taken["input_ids"]]


def test_steps_are_measured_and_no_weight_moves(settings: SFTConfig) -> None:
    before = psutil.Process().memory_info().rss
    model = AutoModelForCausalLM.from_pretrained(MODEL_DIR, dtype=torch.float32)
    tokenizer = load_tokenizer(MODEL_DIR)
    adapter = LoraConfig(r=8, target_modules="all-linear", task_type="CAUSAL_LM")
    made: list[dict[str, torch.Tensor]] = []

    def make(changes: dict[str, Any]) -> SFTTrainer:
        trainer = SFTTrainer(
            model=model,
            args=replace(settings, **changes),
            train_dataset=longest_rows(ROWS, 8),
            processing_class=tokenizer,
            peft_config=adapter,
        )
        assert trainer.model is not None
        made.append({name: value.clone() for name, value in trainer.model.state_dict().items()})
        return trainer

    measured, ready = measure(make, "cpu", before)
    assert measured.allocated == measured.reserved > 20 << 20
    assert 0 < measured.seconds < 60
    after = ready.state_dict()
    assert all(torch.equal(value, after[name]) for name, value in made[0].items())
    assert all(parameter.grad is None for parameter in ready.parameters())
    trainer = SFTTrainer(
        model=ready, args=replace(settings, max_steps=2), train_dataset=ROWS, processing_class=tokenizer
    )
    trainer.train()
    moved = ready.state_dict()
    assert any(not torch.equal(value, moved[name]) for name, value in made[0].items() if "lora_B" in name)
