"""What some kinds of adapters need while they are trained, which neither PEFT's configuration nor TRL's trainer does.

AdaLoRA takes ranks away as it goes and is held to a penalty; PiSSA changes the frozen weights; P-tuning's network is no
part of what PEFT saves. Each of them must come back from a checkpoint as it was.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from peft.tuners.lora.layer import LoraLayer
from peft.utils import load_peft_weights
from safetensors.torch import load_file, save_file
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments
from trl.trainer.sft_trainer import SFTTrainer

from tunesmith.core.plan import Select

ADAPTER = "default"
"""PEFT's name for the only adapter."""
PISSA_START = "pissa-start"
"""Folder beside the checkpoints with PiSSA's adapter as it was before the first step."""


class AdaLoraTrainer(SFTTrainer):
    """Adds AdaLoRA's penalty, which keeps its two matrices near orthogonal (arXiv:2303.10512, equation 4).

    PEFT 0.21 adds it to the model's own loss, and TRL 1.16 reckons the loss from log-probabilities instead.
    """

    def compute_loss(self, model: Any, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        """The loss of the answers and, in training, the penalty; as `SFTTrainer.compute_loss` returns it."""
        loss = super().compute_loss(model, inputs, *args, **kwargs)  # type: ignore[no-untyped-call]
        if not model.training:
            return loss
        adapted = self.accelerator.unwrap_model(model)
        # The loss is divided by all tokens of a step, so that micro-batches add up; the penalty has to be as well.
        share = adapted.peft_config[ADAPTER].orth_reg_weight / self.current_gradient_accumulation_steps
        return loss + share * orthogonality(adapted)


def orthogonality(model: torch.nn.Module) -> torch.Tensor:
    """The mean of ‖AAᵀ − I‖ and ‖BᵀB − I‖ (Frobenius) over AdaLoRA's matrices, as in `peft/tuners/adalora/model.py`."""
    distances = []
    for name, matrix in model.named_parameters():
        if f"lora_A.{ADAPTER}" in name or f"lora_B.{ADAPTER}" in name:
            square = matrix @ matrix.T if "lora_A" in name else matrix.T @ matrix
            distances.append(torch.norm(square - torch.eye(*square.shape, device=square.device), p="fro"))
    return torch.stack(distances).mean()


class RankAllocation(TrainerCallback):
    """Shares out AdaLoRA's ranks after each step; its state goes into every checkpoint.

    While it trains, ranks that were taken away stay as zeros, so that every checkpoint has the same shapes and can be
    gone on from. At the end they are left out.
    """

    FILE = "adalora.safetensors"
    AVERAGES = ("exp_avg_ipt", "exp_avg_unc")

    def __init__(self, checkpoint: Path | None) -> None:
        self._checkpoint = checkpoint
        self._pattern: dict[str, list[bool]] | None = None

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Take up what the checkpoint knew of the importance of each rank."""
        if self._checkpoint is None:
            return
        allocator = kwargs["model"].base_model.rankallocator
        for key, value in load_file(self._checkpoint / self.FILE).items():
            average, _, name = key.partition(":")
            getattr(allocator, average)[name] = value.to(kwargs["model"].device)
            allocator.ipt[name] = torch.zeros_like(getattr(allocator, average)[name])
        self._pattern = json.loads((self._checkpoint / self.FILE).with_suffix(".json").read_text("utf-8"))

    def on_optimizer_step(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """After the step and before its gradients are forgotten, as PEFT asks for."""
        model, config = kwargs["model"], kwargs["model"].peft_config[ADAPTER]
        config.rank_pattern = self._pattern
        model.base_model.update_and_allocate(state.global_step + 1)
        self._pattern, config.rank_pattern = config.rank_pattern, None

    def on_save(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        """Write the averages and the pattern beside the adapter."""
        allocator = kwargs["model"].base_model.rankallocator
        file = Path(args.output_dir or "") / f"checkpoint-{state.global_step}" / self.FILE
        known = {
            f"{average}:{name}": value.contiguous()
            for average in self.AVERAGES
            for name, value in getattr(allocator, average).items()
        }
        save_file(known, file)
        file.with_suffix(".json").write_text(json.dumps(self._pattern), "utf-8")

    def on_train_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Let PEFT leave out the ranks that are zero when it saves the adapter."""
        model = kwargs["model"]
        model.peft_config[ADAPTER].rank_pattern = {
            name: (values != 0).view(-1).tolist()
            for name, values in model.base_model.model.named_parameters()
            if f"lora_E.{ADAPTER}" in name
        }


class PromptNetwork(TrainerCallback):
    """Keeps P-tuning's network in every checkpoint: PEFT saves only the virtual tokens that it makes."""

    FILE = "prompt_network.safetensors"

    def __init__(self, checkpoint: Path | None) -> None:
        self._checkpoint = checkpoint

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Go on with the network of the checkpoint."""
        if self._checkpoint is not None:
            self._load(kwargs["model"], self._checkpoint)

    def on_save(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        """Write the network beside what PEFT wrote."""
        folder = Path(args.output_dir or "") / f"checkpoint-{state.global_step}"
        save_file(kwargs["model"].prompt_encoder[ADAPTER].state_dict(), folder / self.FILE)

    def on_train_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Where the best checkpoint was taken up, its network as well."""
        if args.load_best_model_at_end and state.best_model_checkpoint:
            self._load(kwargs["model"], Path(state.best_model_checkpoint))

    def _load(self, model: Any, checkpoint: Path) -> None:
        model.prompt_encoder[ADAPTER].load_state_dict(load_file(checkpoint / self.FILE))


def trainer_class(select: Select) -> type[SFTTrainer]:
    """The trainer for the plan's adapter."""
    return AdaLoraTrainer if select.method != "full" and select.peft == "adalora" else SFTTrainer


def helpers(select: Select, checkpoint: Path | None) -> list[TrainerCallback]:
    """What must watch over the training of the plan's adapter; `checkpoint` is what it goes on from."""
    if select.method == "full":
        return []
    if select.peft == "adalora":
        return [RankAllocation(checkpoint)]
    return [PromptNetwork(checkpoint)] if select.peft == "p-tuning" else []


def keep_pissa_start(model: Any, folder: Path) -> None:
    """Write PiSSA's adapter as it is before the first step to `folder`: what was taken out of the frozen weights."""
    model.peft_config[ADAPTER].init_lora_weights = True  # it is begun; loading must not begin it again
    model.save_pretrained(str(folder))


def take_up_pissa_start(model: Any, folder: Path) -> None:
    """Give the frozen weights the rest that they had in the first training, whatever was taken out of them just now.

    The decomposition is randomised: another card or library may find other directions.
    """
    first = load_peft_weights(str(folder), device="cpu")
    with torch.no_grad():
        layers: list[tuple[str, Any]] = [(n, m) for n, m in model.named_modules() if isinstance(m, LoraLayer)]
        for name, layer in layers:
            weight = layer.get_base_layer().weight
            now = layer.lora_B[ADAPTER].weight @ layer.lora_A[ADAPTER].weight
            was = first[f"{name}.lora_B.weight"].to(now) @ first[f"{name}.lora_A.weight"].to(now)
            weight.data = (weight.data.to(now) + layer.scaling[ADAPTER] * (now - was)).to(weight.dtype)
    model.peft_config[ADAPTER].init_lora_weights = True
