"""Loads tokenizers and models the one way that training, scoring and merging share."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    BitsAndBytesConfig,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)

from tunesmith.core.chat_template import PLAIN_TEMPLATE
from tunesmith.core.errors import ModelError
from tunesmith.core.plan import Quantization, Select


def load_tokenizer(path: Path | str) -> PreTrainedTokenizerBase:
    """The tokenizer in `path`, with a pad token and a chat template.

    Raises:
        ModelError: There is no tokenizer there, or it has no end-of-text token.
    """
    try:
        tokenizer: PreTrainedTokenizerBase = AutoTokenizer.from_pretrained(path)
    except (OSError, ValueError, KeyError) as error:
        raise ModelError(
            f"The tokenizer in {path} can't be loaded.",
            cause=str(error).partition("\n")[0],
            next_step="Take a model whose folder holds its tokenizer.json.",
        ) from error
    if tokenizer.eos_token_id is None:
        raise ModelError(
            f"The tokenizer in {path} has no end-of-text token, so the model could not learn to stop.",
            next_step="Take an instruct model, or set eos_token in its tokenizer_config.json.",
        )
    if tokenizer.pad_token_id is None:
        # Padding is masked out of the loss and the attention, so any token serves; labels keep their own ends.
        tokenizer.pad_token = tokenizer.eos_token
    if not tokenizer.chat_template:
        tokenizer.chat_template = PLAIN_TEMPLATE
    return tokenizer


def weight_dtype(select: Select) -> torch.dtype:
    """The number format that weights are held in: what is trained in fp32, what is frozen in the precision chosen.

    Full fine-tuning keeps fp32 weights and computes in the chosen precision by autocast (mixed precision training,
    Micikevicius et al. 2017, arXiv:1710.03740).
    """
    return torch.float32 if select.method == "full" else compute_dtype(select)


def compute_dtype(select: Select) -> torch.dtype:
    """The number format of matrix products."""
    return {"bf16": torch.bfloat16, "fp16": torch.float16, "fp32": torch.float32}[select.precision]


def load_model(path: Path | str, select: Select, *, quantized: bool) -> PreTrainedModel:
    """The model in `path` on the plan's device; with `quantized`, its linear layers packed as the plan says.

    Raises:
        ModelError: The weights can't be loaded.
    """
    settings: dict[str, Any] = {"dtype": weight_dtype(select)}
    if quantized and select.quantization is not None:
        settings["quantization_config"] = _packing(select, select.quantization)
        settings["device_map"] = {"": 0 if select.device == "cuda" else "cpu"}
    try:
        model: PreTrainedModel = AutoModelForCausalLM.from_pretrained(path, use_safetensors=True, **settings)
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        if isinstance(error, torch.OutOfMemoryError):
            raise
        raise ModelError(
            f"The model in {path} can't be loaded.",
            cause=str(error).partition("\n")[0],
            next_step="Check that its files are complete, or take another model.",
        ) from error
    if quantized:
        _keep_packed_weights_trainable(model)
    elif select.device == "cuda":
        model.to("cuda")  # type: ignore[arg-type]
    return model


def _packing(select: Select, quantization: Quantization) -> BitsAndBytesConfig:
    if quantization.type == "int8":
        return BitsAndBytesConfig(load_in_8bit=True)
    return BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type=quantization.type,
        bnb_4bit_use_double_quant=quantization.double,
        bnb_4bit_compute_dtype=compute_dtype(select),
    )


def _keep_packed_weights_trainable(model: PreTrainedModel) -> None:
    """Stop bitsandbytes from repacking 4-bit weights for inference on CPUs with AVX512-BF16.

    Its first forward pass in eval mode would switch to a kernel without a backward pass for good (0.50.2,
    `bitsandbytes/nn/modules.py`), and training after an evaluation would get wrong gradients.
    """
    module: Any
    for module in model.modules():
        if hasattr(module, "support_avx512bf16_for_cpu"):
            module.support_avx512bf16_for_cpu = False


def count_parameters(model: torch.nn.Module) -> tuple[int, int]:
    """(trained, all) parameters; packed 4-bit weights count as the numbers they stand for."""
    trained = total = 0
    for parameter in model.parameters():
        state = getattr(parameter, "quant_state", None)
        count = state.shape.numel() if state is not None else parameter.numel()
        total += count
        trained += count if parameter.requires_grad else 0
    return trained, total
