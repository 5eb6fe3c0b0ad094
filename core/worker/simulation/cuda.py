"""Makes fake CPU tensors go the way that CUDA tensors go, where the two differ in what they hold.

Fake CUDA tensors can't be differentiated by a torch built without CUDA, so the simulation computes with fake CPU
tensors everywhere, and what only CUDA does is done here: its attention kernels, its fused dropout, the operations that
autocast runs in fp32, TRL's Triton kernels, and the memory that kernels take while they run.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import torch
import trl.kernels.chunked_logprob
import trl.trainer.utils
from torch.overrides import TorchFunctionMode

aten: Any = torch.ops.aten

FLASH_HEAD = 256
"""Widest head of FlashAttention (`aten/src/ATen/native/transformers/cuda/sdp_utils.cpp`)."""
HALVES = (torch.bfloat16, torch.float16)
FP32_UNDER_AUTOCAST = {
    "pow",
    "__pow__",
    "__rpow__",
    "rsqrt",
    "reciprocal",
    "exp",
    "expm1",
    "log",
    "log10",
    "log1p",
    "log2",
    "softmax",
    "log_softmax",
    "softmin",
    "softplus",
    "cross_entropy",
    "nll_loss",
    "layer_norm",
    "group_norm",
    "norm",
    "cumsum",
    "cumprod",
    "prod",
    "sum",
    "cosh",
    "sinh",
    "tan",
    "acos",
    "asin",
    "erfinv",
}
"""Operations of decoders that CUDA's autocast runs in fp32 (torch 2.13 documentation, "CUDA Ops that can autocast to
float32"); the CPU's list lacks them."""


class CudaPaths(TorchFunctionMode):
    """Sends what differs on CUDA another way."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Run `func` as CUDA would."""
        kwargs = kwargs or {}
        if func is torch.nn.functional.scaled_dot_product_attention:
            return attention(*args, **kwargs)
        if func is torch.nn.functional.dropout:
            return _dropout(*args, **kwargs)
        if func is torch.Tensor.__getitem__ and isinstance(args[1], torch.Tensor) and args[1].dtype == torch.bool:
            return _rows_where(*args)
        if torch.is_autocast_enabled("cpu") and getattr(func, "__name__", "") in FP32_UNDER_AUTOCAST:
            args = tuple(_in_fp32(value) for value in args)
        return func(*args, **kwargs)


def _in_fp32(value: Any) -> Any:
    return value.float() if isinstance(value, torch.Tensor) and value.dtype in HALVES else value


def _dropout(input: torch.Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> torch.Tensor:
    """CUDA's dropout is one kernel that keeps a mask of one byte a number (`aten/src/ATen/native/Dropout.cpp`)."""
    if not training or p == 0:
        return input
    made: torch.Tensor = aten.native_dropout(input, p, True)[0]
    return made


def _rows_where(values: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """`values[mask]` where the mask is true everywhere: the most that it can be."""
    found = torch.empty((mask.numel(), mask.dim()), dtype=torch.long, device=values.device)
    picked: torch.Tensor = aten.index(values, [found[:, place] for place in range(mask.dim())])
    return picked


def attention(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attn_mask: torch.Tensor | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> torch.Tensor:
    """`scaled_dot_product_attention` by the kernel that CUDA would take.

    FlashAttention for 16 bits without a mask; the memory-efficient kernel with a mask or in fp32; where neither can
    (fp32 with fewer heads of keys than of queries) the plain product, which holds all scores. As in torch 2.13,
    `aten/src/ATen/native/transformers/cuda/sdp_utils.cpp`.
    """
    made: torch.Tensor
    if torch.is_autocast_enabled("cpu"):
        into = torch.get_autocast_dtype("cpu")
        query, key, value = query.to(into), key.to(into), value.to(into)
    width = max(query.shape[-1], value.shape[-1])
    if attn_mask is None and query.dtype in HALVES and query.shape[-1] == value.shape[-1] and width <= FLASH_HEAD:
        made = aten._scaled_dot_product_flash_attention(query, key, value, dropout_p, is_causal, False, scale=scale)[0]
        return made
    if not enable_gqa and query.shape[1] == key.shape[1]:
        bias = _as_bias(attn_mask, query, key)
        needed = query.requires_grad or key.requires_grad or value.requires_grad
        made = aten._scaled_dot_product_efficient_attention(
            query, key, value, bias, needed, dropout_p, is_causal, scale=scale
        )[0]
        return made
    made = aten._scaled_dot_product_attention_math(
        query, key, value, attn_mask, dropout_p, is_causal, None, scale=scale, enable_gqa=enable_gqa
    )[0]
    return made


def _as_bias(mask: torch.Tensor | None, query: torch.Tensor, key: torch.Tensor) -> torch.Tensor | None:
    """A mask of yes and no as numbers that are added, rows padded to 16: made anew for each layer, and kept for its
    backward pass (`aten/src/ATen/native/transformers/attention.cpp`, convert_boolean_attn_mask and preprocess_mask).
    """
    if mask is None:
        return None
    if mask.dtype == torch.bool:
        mask = torch.zeros(mask.shape, dtype=query.dtype).masked_fill_(mask.logical_not(), -math.inf)
    missing = -mask.shape[-1] % 16
    if missing:
        mask = torch.nn.functional.pad(mask, (0, missing))[..., : mask.shape[-1]]
    return mask.expand(query.shape[0], query.shape[1], query.shape[2], key.shape[2])


def _bytes(tensor: torch.Tensor) -> int:
    return tensor.numel() * tensor.element_size()


def _flash_backward(grad: Any, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, *_: Any, **__: Any) -> int:
    """An fp32 sum of the queries' gradient and the softmax's; keys' and values' for all heads where they are shared
    (`aten/src/ATen/native/transformers/cuda/flash_attn/flash_api.cpp`, mha_bwd)."""
    rows, heads, length, width = query.shape
    rounded = -(-length // 128) * 128
    across = 32 if width <= 128 else 64
    accumulated = rows * heads * rounded * (-(-width // across) * across + 1) * 4
    shared = key.shape[1] != heads
    return accumulated + (2 * rows * heads * key.shape[2] * width * key.element_size() if shared else 0)


def _efficient_backward(grad: Any, query: torch.Tensor, *_: Any, **__: Any) -> int:
    """An fp32 sum of the queries' gradient, or in fp32 the product of gradient and output
    (`aten/src/ATen/native/transformers/cuda/attention_backward.cu`)."""
    return 4 * query.numel()


def _gemm_4bit(left: torch.Tensor, packed: Any, shape: Any, *_: Any, **more: Any) -> int:
    """The weight unpacked for the product, and its scales (bitsandbytes 0.50, `backends/cuda/ops.py`,
    _dequant_linear_fallback). Up to 1,536 tokens some cards have a kernel that needs neither."""
    scales = more.get("absmax_8bit")
    return int(math.prod(shape)) * left.element_size() + (8 * scales.numel() if scales is not None else 0)


def _embedding_backward(grad: torch.Tensor, indices: torch.Tensor, *_: Any) -> int:
    """Above 3,072 tokens: sorted places, and an fp32 sum for each part of a word's tokens
    (`aten/src/ATen/native/cuda/Embedding.cu`)."""
    count = indices.numel()
    return 0 if count <= 3072 else 4 * 8 * count + 4 * grad.shape[-1] * (count + count // 10)


def workspaces() -> dict[Any, Any]:
    """What CUDA kernels take while they run, by operation."""
    import bitsandbytes  # noqa: F401 - defines its operations

    return {
        aten._scaled_dot_product_flash_attention_backward.default: _flash_backward,
        aten._scaled_dot_product_efficient_attention_backward.default: _efficient_backward,
        aten.embedding_dense_backward.default: _embedding_backward,
        torch.ops.bitsandbytes.gemm_4bit.default: _gemm_4bit,
    }


@contextmanager
def triton_kernels() -> Iterator[None]:
    """TRL's loss as it is with Triton: kernels work in place on the block of logits, only trained tokens are scored."""
    chunked = trl.kernels.chunked_logprob
    with (
        patch.object(chunked, "_forward_tile", lambda *_, **__: None),
        patch.object(chunked, "_backward_tile", lambda *_, **__: None),
        patch.object(chunked, "_addmm_fp32", lambda *_: None),
        patch.object(trl.trainer.utils, "_use_triton", lambda _: True),
    ):
        yield


@contextmanager
def autocast(dtype: torch.dtype) -> Iterator[None]:
    """Autocast of CUDA: the CPU's does the products, and those who ask are told that CUDA's is on."""
    with torch.autocast("cpu", dtype), said_to_autocast(dtype):
        yield


@contextmanager
def said_to_autocast(dtype: torch.dtype) -> Iterator[None]:
    """Let `torch.is_autocast_enabled()`, which PEFT asks, answer as it would on CUDA."""
    was, before = torch.is_autocast_enabled("cuda"), torch.get_autocast_dtype("cuda")
    torch.set_autocast_enabled("cuda", True)
    torch.set_autocast_dtype("cuda", dtype)
    try:
        yield
    finally:
        torch.set_autocast_enabled("cuda", was)
        torch.set_autocast_dtype("cuda", before)


class Int8Product(torch.autograd.Function):
    """bitsandbytes' product with 8-bit weights on a GPU (0.50, `autograd/_functions.py`, MatMul8bitLt).

    It keeps its input outside autograd's own list, where checkpointing can't drop it.
    """

    @staticmethod
    def forward(ctx: Any, left: torch.Tensor, packed: torch.Tensor, scales: torch.Tensor) -> torch.Tensor:
        """(…, inputs) × (outputs, inputs) in 8 bits → (…, outputs)."""
        shape = (*left.shape[:-1], packed.shape[0])
        flat = left.reshape(-1, left.shape[-1])
        rounded = flat.to(torch.float16).to(torch.int8)
        whole = torch.empty(flat.shape[0], packed.shape[0], dtype=torch.int32)
        result = torch.empty_like(whole, dtype=left.dtype)
        del rounded, whole
        ctx.tensors, ctx.packed, ctx.scales = flat, packed, scales
        return result.reshape(shape)

    @staticmethod
    def backward(ctx: Any, *grads: torch.Tensor) -> Any:
        """The gradient of the input alone: weights stay."""
        flat = grads[0].reshape(-1, grads[0].shape[-1]).contiguous()
        unpacked = ctx.packed.to(ctx.tensors.dtype).mul_(ctx.scales.unsqueeze(1).mul(1 / 127))
        left = torch.matmul(flat.to(ctx.tensors.dtype), unpacked)
        return left.view(*grads[0].shape[:-1], left.shape[-1]), None, None


@contextmanager
def int8_kernels() -> Iterator[None]:
    """bitsandbytes' product with 8-bit weights as it is on a GPU."""
    import bitsandbytes

    def product(left: torch.Tensor, right: Any, bias: torch.Tensor | None = None, state: Any = None) -> torch.Tensor:
        made: torch.Tensor = Int8Product.apply(left, state.CB, state.SCB)  # type: ignore[no-untyped-call]
        return made if bias is None else made + bias

    with patch.object(bitsandbytes, "matmul", product):
        yield
