"""Loads the models that are compared: the untouched one, and the tuned one as Fine-tune left it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from peft import PeftModel
from safetensors import SafetensorError

from tunesmith.core.errors import ModelError, RunError
from tunesmith.core.plan import Plan
from tunesmith.core.run import Run
from tunesmith.core.worker.model import load_model


def tuned_folder(plan: Plan, run: Run) -> Path:
    """Where Fine-tune left its result: the adapter, or for full fine-tuning the whole model.

    Raises:
        RunError: It is not there.
    """
    folder, proof = (
        (run.merged, "config.json") if plan.select.method == "full" else (run.adapter, "adapter_config.json")
    )
    if not (folder / proof).is_file():
        raise RunError(
            f"{run.name} holds no tuned model yet.",
            cause=f"There is no {proof} in {folder}.",
            next_step=f"Start with that stage: `tunesmith run {run.plan_path} --from finetune`.",
        )
    return folder


def with_adapter(model: Any, folder: Path) -> PeftModel:
    """`model` with the adapter in `folder` on top; `disable_adapter()` gives the untouched model back.

    Raises:
        ModelError: The adapter can't be loaded, or belongs to another model.
    """
    try:
        adapted: PeftModel = PeftModel.from_pretrained(model, folder)
    except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
        raise ModelError(
            f"The adapter in {folder} can't be loaded.",
            cause=str(error).strip().partition("\n")[0],
            next_step="Train it again with `--from finetune`.",
        ) from error
    return adapted


def load_tuned(plan: Plan, run: Run, base_path: str) -> Any:
    """The tuned model as it was trained: for qlora over 4-bit weights.

    Raises:
        RunError: There is none yet.
        ModelError: It can't be loaded.
    """
    folder, method = tuned_folder(plan, run), plan.select.method
    if method == "full":
        return load_model(folder, plan.select, quantized=False)
    return with_adapter(load_model(base_path, plan.select, quantized=method == "qlora"), folder)
