"""One training step and one evaluation on a fake model, in the order in which the trainer does them.

The stretches of a step that `Count` keeps apart: `before`, `forward` (the embedding), `forward I` for each layer, `loss
forward` and `loss backward` (what comes after the last layer), `backward I`, `backward rest` (the embedding again),
`optimizer`, `evaluation`.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from typing import Any
from unittest.mock import patch

import torch
import transformers.integrations.moe
import transformers.masking_utils
from torch import nn
from torch.nn.utils import clip_grad_norm_
from transformers.modeling_layers import GradientCheckpointingLayer

from tunesmith.core.load import Load
from tunesmith.core.select.load import CodePath
from tunesmith.core.worker.simulation import cuda
from tunesmith.core.worker.simulation.count import Count
from tunesmith.core.worker.simulation.model import FORMATS, packed_tensors

EIGHT_BIT_LEAST = 4096
"""Parameters from which bitsandbytes packs a tensor's states (0.50, `optim/optimizer.py`, min_8bit_size)."""
PAGED_LEAST = 1e5
"""Parameters from which a paged optimizer keeps a tensor's states outside the allocator (get_state_buffer)."""


class Step:
    """A fake model on its way through a step; to be used in a FakeTensorMode with `count` as a mode inside it."""

    def __init__(self, model: Any, load: Load, path: CodePath, count: Count) -> None:
        self.model, self.load, self.path, self.count = model, load, path, count
        self.trained = [p for p in model.parameters() if p.requires_grad]
        self.layers = decoder_layers(model)
        self._optimizer: torch.optim.Optimizer | None = None
        self._states: list[torch.Tensor] = []
        self._forwards = True

    def prepare(self) -> None:
        """Count what is there before the first row comes: weights, adapter, the optimizer's states."""
        count = self.count
        count.enter("before", "optimizer")
        whose = "weights" if self.load.method == "full" else "adapter"
        for parameter in self.model.parameters():
            count.hold(parameter, whose if parameter.requires_grad else "weights")
        for tensor in (*self.model.buffers(), *packed_tensors(self.model)):
            count.hold(tensor, "weights")
        if self.load.checkpointing:
            self._checkpoint()
        self._watch()
        self._make_states()

    def train(self) -> None:
        """A step: forward, loss, backward, clipping, optimizer."""
        count = self.count
        count.enter("forward", "activations")
        with self._surroundings():
            with self._ways():
                loss, held = self._loss()
            count.enter("loss backward", "loss")
            self._forwards, count.accumulates = False, True
            loss.backward()  # type: ignore[no-untyped-call] # without the ways: torch suspends them inside
            count.accumulates = False
            del loss, held
        count.enter("optimizer", "temporary")
        if self.path.clips:
            clip_grad_norm_(self.trained, 1.0)
        if self._optimizer is not None:
            self._optimizer.step()
        for parameter in self.trained:
            parameter.grad = None

    def answer(self) -> int:
        """Answers written during evaluation: the prompts at once, then token after token; returns the bytes of the
        cache of keys and values at the end.

        The longest row of training stands for the prompts. What a token more takes is worked out from the cache of the
        prompts: it grows by the token, and the part of one layer is there twice while it is put together anew.
        """
        load, count = self.load, self.count
        if not load.answer_rows:
            return 0
        self.model.eval()
        ids = torch.zeros(load.answer_rows, load.length, dtype=torch.long)
        with torch.no_grad(), self._surroundings(), self._ways(), self._precision(answering=True):
            count.enter("evaluation", "answers")
            before = count.total
            outputs = self.model(
                input_ids=ids, attention_mask=torch.ones_like(ids), use_cache=True, **self._last_only()
            )
            cache = outputs.past_key_values
            del outputs
            held = count.total - before if cache is not None else 0
        self.model.train()
        return round(held * (load.length + load.answer_tokens) / load.length)

    def _last_only(self) -> dict[str, Any]:
        """`generate` asks for the last token's logits only, where the model can."""
        base = self.model.get_base_model() if hasattr(self.model, "get_base_model") else self.model
        accepted = inspect.signature(type(base).forward).parameters
        return {"logits_to_keep": 1} if "logits_to_keep" in accepted else {}

    def _surroundings(self) -> AbstractContextManager[Any]:
        """What must be replaced while fake tensors go through the model."""
        stack = ExitStack()
        if not self.load.packing:
            stack.enter_context(
                patch.object(transformers.masking_utils, "_ignore_causal_mask_sdpa", self._needs_no_mask)
            )
        # The fake of torch's grouped product knows bf16 alone; transformers' own does the same for all.
        is_bf16 = lambda left, weight, offsets: weight.dtype == torch.bfloat16  # noqa: E731
        stack.enter_context(patch.object(transformers.integrations.moe, "_can_use_grouped_mm", is_bf16))
        if self.load.device == "cuda":
            stack.enter_context(cuda.triton_kernels())
            stack.enter_context(cuda.int8_kernels())
        return stack

    def _needs_no_mask(
        self, mask: Any, queries: int, keys: int, query_offset: int, key_offset: int, window: int | None = None
    ) -> bool:
        """As `transformers/masking_utils.py`, _ignore_causal_mask_sdpa; whether rows are padded is known from the load,
        because it can't be read off a fake mask."""
        padded = is_padded(self.load, self.path) if self.model.training else self.load.answer_rows > 1
        windowed = window is not None and keys >= window
        return not windowed and not padded and queries in (1, keys)

    def _ways(self) -> AbstractContextManager[Any]:
        return cuda.CudaPaths() if self.load.device == "cuda" else nullcontext()

    def _autocasts(self) -> bool:
        return self.load.precision != "fp32" and self.path.autocast and not self.path.half_masters

    def _precision(self, answering: bool = False) -> AbstractContextManager[Any]:
        """Autocast as accelerate puts it round the model's forward; answers bypass it where an adapter is round it."""
        if not self._autocasts() or (answering and self.load.method != "full"):
            return nullcontext()
        dtype = FORMATS[self.load.precision]
        return cuda.autocast(dtype) if self.load.device == "cuda" else torch.autocast("cpu", dtype)

    def _batch(self) -> dict[str, torch.Tensor]:
        """The longest batch, as TRL's collator makes it."""
        rows, length = self.load.batch_size, self.load.length
        if self.load.packing:
            rows, length = 1, rows * length
        ids = torch.zeros(rows, length, dtype=torch.long)
        if self.load.packing:
            return {"input_ids": ids, "labels": ids.clone(), "position_ids": ids.clone()}
        return {"input_ids": ids, "labels": ids.clone(), "attention_mask": torch.ones_like(ids)}

    def _loss(self) -> tuple[torch.Tensor, Any]:
        """The loss, and what the caller still holds during the backward pass."""
        batch = self._batch()
        if self.load.method == "full":
            self.count.copied_as(self.model.parameters())
        if self.path.loss == "fused":
            with self._precision():
                outputs = self.model(**batch, use_cache=False, fused_lm_head=True)
            scored = -outputs.log_probs
            return scored.sum() / batch["labels"].numel(), batch
        if self.path.loss == "plain":
            with self._precision():
                outputs = self.model(**batch, use_cache=False)
            return outputs.loss, (batch, self._kept(outputs.logits))
        labels = batch.pop("labels")
        with self._precision():
            logits = self.model(**batch, use_cache=False).logits.float()
            shifted = logits[..., :-1, :].contiguous().view(-1, logits.shape[-1])
            loss = nn.functional.cross_entropy(shifted, labels[..., 1:].reshape(-1))
            del shifted
        return loss, (batch, self._kept(logits))

    def _kept(self, logits: torch.Tensor) -> torch.Tensor | None:
        """What becomes of the logits: accelerate turns outputs under autocast to fp32, the caller may keep them."""
        if self._autocasts():
            logits = logits.float()
        return logits if self.path.keeps_outputs else None

    def _checkpoint(self) -> None:
        """As the trainer switches it on, without keeping the state of random numbers, which a fake has not."""
        settings: dict[str, Any] = {"use_reentrant": False, "preserve_rng_state": False}
        if self.load.device == "cuda":
            settings["context_fn"] = lambda: (nullcontext(), self._again())
        base = self.model.get_base_model() if hasattr(self.model, "get_base_model") else self.model
        base.activation_checkpointing_enable(activation_checkpointing_kwargs=settings)

    @contextmanager
    def _again(self) -> Iterator[None]:
        """Round a layer that is recomputed: torch suspends function modes in `backward`, and knows no CUDA here."""
        told = cuda.said_to_autocast(FORMATS[self.load.precision]) if self._autocasts() else nullcontext()
        with self._ways(), told:
            yield

    def _watch(self) -> None:
        """Tell the count which layer is at work, and which tensor is a gradient."""
        count = self.count
        for parameter in self.trained:
            parameter.register_post_accumulate_grad_hook(lambda p: count.hold(p.grad, "gradients"))
        for place, layer in enumerate(self.layers):
            layer.register_forward_pre_hook(self._begins(place), with_kwargs=True)
            layer.register_forward_hook(self._ends(place))

    def _begins(self, place: int) -> Callable[..., None]:
        def begin(_: Any, args: Any, kwargs: Any) -> None:
            if not self._forwards or not torch.is_grad_enabled():
                return
            self.count.enter(f"forward {place}", "activations")
            hidden = args[0] if args else kwargs["hidden_states"]
            if place == 0 and hidden.requires_grad:
                hidden.register_hook(lambda _: self.count.enter("backward rest", "backward"))

        return begin

    def _ends(self, place: int) -> Callable[..., None]:
        def end(_: Any, __: Any, output: Any) -> None:
            if not self._forwards or not torch.is_grad_enabled():
                return
            hidden = output[0] if isinstance(output, tuple) else output
            if hidden.requires_grad:
                hidden.register_hook(lambda _: self.count.enter(f"backward {place}", "backward"))
            if place == len(self.layers) - 1:
                self.count.enter("loss forward", "loss")

        return end

    def _make_states(self) -> None:
        """What the optimizer holds after its first step."""
        if self.load.optimizer.endswith("8bit"):
            embedded = {id(p) for m in self.model.modules() if isinstance(m, nn.Embedding) for p in m.parameters()}
            for parameter in self._moved():
                self._states += self._packed_states(parameter, id(parameter) in embedded)
            return
        fused = self.load.optimizer == "adamw_torch_fused"
        ways: dict[str, Any] = {"fused": True} if fused else {"foreach": self.load.device == "cuda"}
        self._optimizer = torch.optim.AdamW(self.trained, lr=1e-4, **ways)
        for parameter in self._moved():
            state = self._optimizer.state[parameter]
            # As `torch/optim/adam.py`, _init_group: a fused step counts on the device.
            state["step"] = torch.empty(()) if fused else torch.tensor(1.0)
            state["exp_avg"], state["exp_avg_sq"] = torch.empty_like(parameter), torch.empty_like(parameter)

    def _moved(self) -> list[torch.Tensor]:
        """Trained parameters that get a gradient; those of a part that text does not reach get none, nor states."""
        base = self.model.get_base_model() if hasattr(self.model, "get_base_model") else self.model
        inside = {id(p) for p in text_part(self.model).parameters()} | {
            id(p) for p in base.get_output_embeddings().parameters()
        }
        aside = {id(p) for p in base.parameters()} - inside
        return [p for p in self.trained if id(p) not in aside]

    def _packed_states(self, parameter: torch.Tensor, embedded: bool) -> list[torch.Tensor]:
        """AdamW's two states of bitsandbytes (0.50, `optim/optimizer.py`, Optimizer2State.init_state).

        Embeddings stay in 32 bits (`transformers/trainer.py`, create_optimizer).
        """
        size = parameter.numel()
        wide = size < EIGHT_BIT_LEAST or embedded
        dtype = torch.float32 if wide else torch.uint8
        paged = self.load.optimizer.startswith("paged") and size >= PAGED_LEAST
        states = [] if paged else [torch.empty(size, dtype=dtype) for _ in range(2)]
        scales = [] if wide else [torch.empty(-(-size // 256)) for _ in range(2)]
        return states + scales


def unread_layer(model: Any, full: bool, rounding: int) -> dict[str, int]:
    """Bytes by kind of the one layer that is left of a part which text does not go through."""
    inside = {id(module) for module in text_part(model).modules()}
    found: dict[str, int] = {}
    for module in model.modules():
        if id(module) in inside or not isinstance(module, nn.ModuleList) or len(module) != 1:
            continue
        if not isinstance(module[0], GradientCheckpointingLayer):
            continue
        held = {id(tensor): tensor for tensor in (*module.parameters(), *packed_tensors(module))}
        for tensor in held.values():
            kind = "adapter" if tensor.requires_grad and not full else "weights"
            size = -(-tensor.numel() * tensor.element_size() // rounding) * rounding
            found[kind] = found.get(kind, 0) + size
    return found


def is_padded(load: Load, path: CodePath) -> bool:
    """Whether rows of a batch are of unequal length, so that attention is given a mask."""
    return path.padded if path.padded is not None else load.batch_size > 1


def decoder_layers(model: Any) -> list[nn.Module]:
    """The layers that a row of text goes through one after another: those that checkpointing works on."""
    lists = [
        list(module)
        for module in text_part(model).modules()
        if isinstance(module, nn.ModuleList) and len(module) and isinstance(module[0], GradientCheckpointingLayer)
    ]
    return max(lists, key=len)


def text_part(model: Any) -> Any:
    """The part of a model that reads text; a model that sees or hears as well has others."""
    base = model.get_base_model() if hasattr(model, "get_base_model") else model
    return base.get_decoder() or base
