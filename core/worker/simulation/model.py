"""Builds a model of fake tensors as the worker builds the real one: number formats, packed weights, adapter."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

import torch
from bitsandbytes.functional import QuantState
from bitsandbytes.nn.modules import Linear4bit, Linear8bitLt
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
    get_peft_model,
)
from torch import nn
from torch._subclasses.fake_tensor import FakeTensor
from transformers import AutoModelForCausalLM, BitsAndBytesConfig, PretrainedConfig, PreTrainedModel
from transformers.integrations.bitsandbytes import replace_with_bnb_linear
from transformers.quantizers.base import get_keys_to_not_convert
from trl.trainer.utils import add_fused_lm_head

from tunesmith.core.load import Load
from tunesmith.core.select.load import CodePath

FORMATS = {"bf16": torch.bfloat16, "fp16": torch.float16, "fp32": torch.float32}
TASK = "CAUSAL_LM"


def build(config: PretrainedConfig, load: Load, path: CodePath, adapter: PeftConfig | None) -> Any:
    """A model with the layers of `config` on the meta device, ready to train but for `made_fake`.

    Args:
        config: Decides the shapes.
        load: Decides number formats and what is packed.
        path: Whose code trains.
        adapter: PEFT's configuration; None for full fine-tuning.
    """
    compute = FORMATS[load.precision]
    held = torch.float32 if load.method == "full" and not path.half_masters else compute
    with torch.device("meta"):
        model: Any = AutoModelForCausalLM.from_config(config, dtype=held)
        if load.method == "qlora":
            _pack(model, load, compute)
            if path.fp32_preparation:
                _prepare(model)
        if path.loss == "fused":
            add_fused_lm_head(model, outputs=("log_probs", "entropy", "is_top1"))
        if adapter is not None:
            model = get_peft_model(model, adapter, low_cpu_mem_usage=True)
    if load.method != "full" and load.checkpointing:
        model.enable_input_require_grads()
    if load.method == "qlora" and path.half_adapters:
        # As TRL does (`trl/trainer/sft_trainer.py`): all but DoRA's lengths.
        for name, parameter in model.named_parameters():
            if parameter.requires_grad and "lora_magnitude_vector" not in name:
                parameter.data = parameter.data.to(torch.bfloat16)
    model.train()
    return model


def made_fake(model: nn.Module, load: Load) -> None:
    """Turn every tensor of `model` into one of the FakeTensorMode that is on: shapes stay, tied ones stay tied."""
    made: dict[int, Any] = {}
    table = torch.empty(256)  # one for all, to unpack scales with
    for module in model.modules():
        if isinstance(module, Linear4bit):
            _pack_4bit(module, FORMATS[load.precision], table)
        elif isinstance(module, Linear8bitLt):
            _pack_8bit(module)
        for name, parameter in module._parameters.items():
            if parameter is not None and not isinstance(parameter, FakeTensor):
                fake = made.get(id(parameter))
                if fake is None:
                    empty = torch.empty(parameter.shape, dtype=parameter.dtype)
                    fake = made[id(parameter)] = nn.Parameter(empty, requires_grad=parameter.requires_grad)
                module._parameters[name] = fake
        for name, buffer in module._buffers.items():
            if buffer is not None:
                module._buffers[name] = torch.empty(buffer.shape, dtype=buffer.dtype)
    for adapter, tokens in getattr(model, "prompt_tokens", {}).items():
        model.prompt_tokens[adapter] = torch.empty(tokens.shape, dtype=tokens.dtype)  # type: ignore[operator]


def adapter_of(load: Load) -> PeftConfig | None:
    """PEFT's configuration for `load`, as far as memory depends on it; None for full fine-tuning."""
    if load.method == "full":
        return None
    targets = load.target_modules if isinstance(load.target_modules, str) else list(load.target_modules)
    ranked: dict[str, Any] = {"task_type": TASK, "target_modules": targets}
    virtual: dict[str, Any] = {"task_type": TASK, "num_virtual_tokens": load.virtual_tokens}
    if load.peft == "vera":
        return VeraConfig(r=load.rank, vera_dropout=load.dropout, **ranked)
    if load.peft == "adalora":
        return AdaLoraConfig(
            init_r=-(-3 * load.rank // 2), target_r=load.rank, total_step=10, lora_dropout=load.dropout, **ranked
        )
    if load.peft == "ia3":
        return IA3Config(
            task_type=TASK, target_modules=["k_proj", "v_proj", "down_proj"], feedforward_modules=["down_proj"]
        )
    if load.peft == "ln-tuning":
        return LNTuningConfig(task_type=TASK)
    if load.peft == "prefix":
        return PrefixTuningConfig(**virtual)
    if load.peft == "prompt":
        return PromptTuningConfig(**virtual)
    if load.peft == "p-tuning":
        return PromptEncoderConfig(encoder_hidden_size=128, **virtual)
    return LoraConfig(
        r=load.rank,
        lora_dropout=load.dropout,
        use_dora=load.peft == "dora",
        use_rslora=load.peft == "rslora",
        **ranked,
    )


def _pack(model: PreTrainedModel, load: Load, compute: torch.dtype) -> None:
    """Put bitsandbytes' linear layers in the place of torch's, as transformers does when it loads packed weights."""
    if load.quantization == "int8":
        settings = BitsAndBytesConfig(load_in_8bit=True)
    else:
        settings = BitsAndBytesConfig(
            load_in_4bit=True,
            bnb_4bit_quant_type=load.quantization,
            bnb_4bit_use_double_quant=load.double_quantization,
            bnb_4bit_compute_dtype=compute,
        )
    skipped = get_keys_to_not_convert(model) + list(model._keep_in_fp32_modules or ())
    replace_with_bnb_linear(model, modules_to_not_convert=skipped, quantization_config=settings)
    for module in model.modules():
        if isinstance(module, Linear4bit | Linear8bitLt) and module.bias is not None:
            module.bias.data = module.bias.data.to(compute)
    setattr(model, f"is_loaded_in_{8 if load.quantization == 'int8' else 4}bit", True)


def _frozen(tensor: torch.Tensor) -> nn.Parameter:
    return nn.Parameter(tensor, requires_grad=False)


def _pack_4bit(module: Any, compute: torch.dtype, table: torch.Tensor) -> None:
    """Two numbers a byte, and scales: fp32 a block of 64, or a byte a block and an fp32 a 256 blocks.

    As bitsandbytes 0.50 (`functional.py`, quantize_4bit). Its class of parameters can't hold a fake tensor, so a plain
    one stands in.
    """
    was, new_state = module.weight, cast(Any, QuantState)
    count = module.in_features * module.out_features
    blocks = -(-count // was.blocksize)
    nested = None
    if was.compress_statistics:
        scales = torch.empty(-(-blocks // 256))
        nested = new_state(scales, code=table, blocksize=256, dtype=torch.float32)
    state = new_state(
        torch.empty(blocks, dtype=torch.uint8 if nested else torch.float32),
        shape=torch.Size((module.out_features, module.in_features)),
        dtype=compute,
        blocksize=was.blocksize,
        code=torch.empty(16),
        quant_type=was.quant_type,
        offset=torch.empty(()) if nested else None,
        state2=nested,
    )
    parameter: Any = _frozen(torch.empty((count + 1) // 2, 1, dtype=torch.uint8))
    parameter.quant_state, parameter.compress_statistics = state, was.compress_statistics
    parameter.quant_type, parameter.blocksize, parameter.bnb_quantized = was.quant_type, was.blocksize, True
    module.weight, module.quant_state = parameter, state
    module.support_avx512bf16_for_cpu = False


def _pack_8bit(module: Any) -> None:
    """A byte a number and an fp32 scale a row (bitsandbytes 0.50, `nn/modules.py`, Int8Params)."""
    parameter: Any = _frozen(torch.empty(module.out_features, module.in_features, dtype=torch.int8))
    parameter.CB, parameter.SCB, parameter.has_fp16_weights = parameter.data, torch.empty(module.out_features), False
    module.weight = parameter
    module.state.CB, module.state.SCB = parameter.data, parameter.SCB


def packed_tensors(model: nn.Module) -> Iterator[torch.Tensor]:
    """What packed weights have beside the packed numbers: scales and the tables to unpack them."""
    for module in model.modules():
        state: Any = getattr(module, "quant_state", None)
        while state is not None:
            yield from (t for t in (state.absmax, state.code, state.offset) if isinstance(t, torch.Tensor))
            state = state.state2
        scales = getattr(getattr(module, "weight", None), "SCB", None)
        if isinstance(scales, torch.Tensor):
            yield scales


def _prepare(model: nn.Module) -> None:
    """PEFT's prepare_model_for_kbit_training: whatever is not packed in fp32."""
    for parameter in model.parameters():
        if parameter.dtype in (torch.float16, torch.bfloat16):
            parameter.data = parameter.data.float()
