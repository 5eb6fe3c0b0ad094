"""A real step of the practice model with the trainer that trains, and what torch's CPU allocator handed out in it."""

from __future__ import annotations

import gc
from pathlib import Path
from typing import Any

import torch
from datasets import Dataset
from peft import LoraConfig
from torch.profiler import ProfilerActivity, profile
from transformers import AutoModelForCausalLM, TrainerCallback
from trl.trainer.sft_config import SFTConfig
from trl.trainer.sft_trainer import SFTTrainer

from tunesmith.core.load import Load
from tunesmith.core.practice import MODEL_DIR
from tunesmith.core.worker.model import load_tokenizer


class _Recorded(TrainerCallback):
    """Records the third step, when the optimizer has its states."""

    def __init__(self) -> None:
        self.profile = profile(activities=[ProfilerActivity.CPU], profile_memory=True)

    def on_step_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        if state.global_step == 2:
            gc.collect()
            self.profile.__enter__()

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        if state.global_step == 3:
            self.profile.__exit__(None, None, None)


def allocated_in_a_step(load: Load, folder: Path) -> int:
    """Bytes at the peak: weights, adapter and states, and what torch's profiler saw come and go in the step."""
    ids = [[5] * load.length] * (3 * load.batch_size)
    recorded = _Recorded()
    trainer: Any = SFTTrainer(
        model=AutoModelForCausalLM.from_pretrained(MODEL_DIR, dtype=torch.float32),
        args=SFTConfig(
            output_dir=str(folder),
            max_steps=3,
            per_device_train_batch_size=load.batch_size,
            optim=load.optimizer,
            activation_checkpointing=load.checkpointing,
            bf16=False,
            use_cpu=True,
            max_length=None,
            dataset_kwargs={"skip_prepare_dataset": True},
            report_to=[],
            disable_tqdm=True,
            save_strategy="no",
            dataloader_pin_memory=False,
        ),
        train_dataset=Dataset.from_dict({"input_ids": ids, "labels": ids}),
        processing_class=load_tokenizer(MODEL_DIR),
        peft_config=None
        if load.method == "full"
        else LoraConfig(r=load.rank, target_modules="all-linear", task_type="CAUSAL_LM"),
        callbacks=[recorded],
    )
    trainer.train()
    now = peak = 0
    events = recorded.profile.profiler.kineto_results.events()  # type: ignore[union-attr]
    for event in sorted((e for e in events if e.name() == "[memory]"), key=lambda e: e.start_ns()):
        now += event.nbytes()
        peak = max(peak, now)
    held = {t.untyped_storage()._cdata: t.untyped_storage().nbytes() for t in trainer.model.state_dict().values()}
    states = sum(t.numel() * t.element_size() for s in trainer.optimizer.state.values() for t in s.values())
    return sum(held.values()) + states + peak
