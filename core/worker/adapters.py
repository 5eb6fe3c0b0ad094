"""The adapters that a plan can name, as PEFT 0.21 configures them, and what each needs beside its configuration."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import torch
from peft import (
    AdaLoraConfig,
    IA3Config,
    LNTuningConfig,
    LoraConfig,
    PeftConfig,
    PrefixTuningConfig,
    PromptEncoderConfig,
    PromptTuningConfig,
    VeraConfig,
)
from peft.tuners.ln_tuning.layer import LNTuningLayer

from tunesmith.core.adapters import IA3_FEEDFORWARD, IA3_TARGETS, NORMS, P_TUNING_WIDTH, adalora_first_rank
from tunesmith.core.errors import PlanError
from tunesmith.core.plan import RANKED, VIRTUAL, Lora, Select

TASK = "CAUSAL_LM"
PISSA = "pissa_niter_16"
"""PiSSA by randomised singular value decomposition: seconds instead of the hours that the exact one takes for large
models, at nearly its quality (Meng et al. 2024, arXiv:2404.02948)."""


def peft_config(select: Select, steps: int) -> PeftConfig | None:
    """PEFT's configuration for the plan's adapter; None for full fine-tuning.

    Args:
        select: The plan's section.
        steps: Optimizer steps of the whole training; AdaLoRA shares out its ranks over them.
    """
    if select.method == "full":
        return None
    if select.peft in RANKED and select.lora is not None:
        return _ranked(select, select.lora, steps)
    if select.peft in VIRTUAL and select.virtual_tokens is not None:
        return _virtual(select, select.virtual_tokens)
    if select.peft == "ia3":
        return IA3Config(task_type=TASK, target_modules=list(IA3_TARGETS), feedforward_modules=list(IA3_FEEDFORWARD))
    return LNTuningConfig(task_type=TASK, target_modules=list(NORMS))


def _ranked(select: Select, lora: Lora, steps: int) -> PeftConfig:
    settings: dict[str, Any] = {"task_type": TASK, "target_modules": lora.target_modules}
    if select.peft == "vera":
        return VeraConfig(r=lora.rank, vera_dropout=lora.dropout, **settings)
    settings |= {"lora_alpha": lora.alpha, "lora_dropout": lora.dropout}
    if select.peft == "pissa":
        settings["init_lora_weights"] = PISSA
    if select.peft == "adalora":
        total, first, last = adalora_phases(steps)
        return AdaLoraConfig(
            target_r=lora.rank,
            init_r=adalora_first_rank(lora.rank),
            total_step=total,
            tinit=first,
            tfinal=last,
            deltaT=max(1, steps // 50),
            **settings,
        )
    return LoraConfig(
        r=lora.rank,
        use_dora=select.peft == "dora",
        use_rslora=select.peft == "rslora",
        **settings,
    )


def adalora_phases(steps: int) -> tuple[int, int, int]:
    """(all steps, steps at the first rank, steps at the final ranks).

    A tenth of the steps before ranks are taken away and half of them after, about as in Zhang et al. 2023
    (arXiv:2303.10512, appendix: 8,000 and 50,000 of some 86,000 steps for MNLI). PEFT needs two steps in between.
    """
    total = max(3, steps)
    return total, total // 10, total // 2


def _virtual(select: Select, tokens: int) -> PeftConfig:
    if select.peft == "prefix":
        return PrefixTuningConfig(task_type=TASK, num_virtual_tokens=tokens, init_weights="zero")
    if select.peft == "prompt":
        # Begun as words of the vocabulary, which Lester et al. 2021 (arXiv:2104.08691, figure 3b) found better than
        # random numbers.
        return PromptTuningConfig(task_type=TASK, num_virtual_tokens=tokens, prompt_tuning_init="SAMPLE_VOCAB")
    return PromptEncoderConfig(task_type=TASK, num_virtual_tokens=tokens, encoder_hidden_size=P_TUNING_WIDTH)


def check_targets(model: torch.nn.Module, select: Select) -> None:
    """See that the model has the layers that the adapter is put on.

    Raises:
        PlanError: It has not; names those that it has.
    """
    wanted, of = _wanted(select)
    if not wanted:
        return
    linear = {name.rpartition(".")[2] for name, module in model.named_modules() if hasattr(module, "in_features")}
    missing = [name for name in wanted if name.rpartition(".")[2] not in linear]
    if missing:
        ways = "lora" if of == "select.peft" else f"all-linear, or to some of: {', '.join(sorted(linear))}"
        raise PlanError(f"This model has no layer {missing[0]} to put an adapter on.", next_step=f"Set {of} to {ways}.")


def _wanted(select: Select) -> tuple[Collection[str], str]:
    """(names of linear layers that are needed, the path of the plan that asks for them)."""
    if select.method != "full" and select.peft == "ia3":
        return IA3_TARGETS, "select.peft"
    if select.lora is not None and not isinstance(select.lora.target_modules, str):
        return select.lora.target_modules, "select.lora.target_modules"
    return (), ""


def train_in_full_precision(model: torch.nn.Module, select: Select) -> None:
    """Hold in fp32 what would hardly move in 16 bits: adapters whose numbers begin at or near one.

    A number near one has steps of 0.4 to 0.8 % in bf16, and an update of a usual learning rate rounds to nothing. PEFT
    0.21 leaves the norms of LN tuning in the model's format, and TRL 1.16 turns every adapter over packed weights to
    bf16 but DoRA's lengths. LoRA's matrices stay as they are: they begin near nothing.
    """
    if select.method == "full" or select.peft in ("lora", "dora", "rslora", "pissa"):
        return
    for parameter in model.parameters():
        if parameter.requires_grad:
            parameter.data = parameter.data.float()
    for module in model.modules():
        if isinstance(module, LNTuningLayer):
            # An fp32 norm gives fp32 numbers, which the next layer's 16-bit weights do not take.
            module.register_forward_hook(lambda _, inputs, output: output.to(inputs[0].dtype))
