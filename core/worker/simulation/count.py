"""Adds up the storages that are alive while operations run on fake tensors: what the GPU's allocator would hold."""

from __future__ import annotations

import weakref
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_iter

from tunesmith.core.worker.simulation.replies import CPU, MISSING, Replies

ROUNDING = {"cuda": 512, "cpu": 64}
"""Bytes to whose multiples storages are rounded up: by CUDA's caching allocator (`c10/cuda/CUDACachingAllocator.cpp`,
kMinBlockSize), by torch's on a CPU (`c10/core/alignment.h`, gAlignment)."""

DEVICE: Any = torch.ops.prim.device.default
Workspace = Callable[..., int]
"""Bytes that an operation takes from the allocator while it runs and gives back at its end, from its arguments."""


@dataclass
class Peak:
    """The most that was alive in one stretch of the step, and how it was made up."""

    total: int = 0
    kinds: dict[str, int] = field(default_factory=dict)


@dataclass
class _Held:
    size: int
    kind: str
    reference: Any


class Count(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """A dispatch mode that follows every storage from the operation that makes it to its end.

    Args:
        rounding: Bytes to whose multiples each storage is rounded up.
        workspaces: What operations take beside their results.
        replies: What operations were seen to make, of the same FakeTensorMode.
    """

    def __init__(
        self, rounding: int, workspaces: dict[Any, Workspace] | None = None, replies: Replies | None = None
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.kind = "activations"
        """Of storages that are made from now on."""
        self.stretch = ""
        """Under which the peak is noted from now on; see `enter`."""
        self.peaks: dict[str, Peak] = {}
        """By stretch, in the order in which they were entered."""
        self.kinds: Counter[str] = Counter()
        """Bytes alive now, by kind."""
        self.total = 0
        self.accumulates = False
        """Whether a backward pass is on, in which the engine adds gradients up in place."""
        self._rounding = rounding
        self._workspaces = workspaces or {}
        self._replies = replies or Replies()
        self._held: dict[int, _Held] = {}
        self._copies: set[int] = set()

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        """Whether torch wraps each call to keep its compiler out, which costs more than the call and is not needed."""
        return False

    def enter(self, stretch: str, kind: str) -> None:
        """A new stretch of the step begins; what it makes is of `kind`."""
        self.stretch, self.kind = stretch, kind
        self.peaks.setdefault(stretch, Peak())
        self._note(0)

    def hold(self, tensor: torch.Tensor, kind: str) -> None:
        """Count a tensor that was made before, or count it as another kind from now on."""
        storage = tensor.untyped_storage()
        held = self._held.get(storage._cdata)
        if held is None:
            self._add(storage, kind)
            return
        self.kinds[held.kind] -= held.size
        self.kinds[kind] += held.size
        held.kind = kind

    def copied_as(self, tensors: Iterator[torch.Tensor]) -> None:
        """Count casts of these tensors as `working copies`: autocast's, of weights."""
        self._copies = {tensor.untyped_storage()._cdata for tensor in tensors}

    @contextmanager
    def within(self, stretch: str, kind: str) -> Iterator[None]:
        """A stretch inside another one."""
        before = self.stretch, self.kind
        self.enter(stretch, kind)
        try:
            yield
        finally:
            self.enter(*before)

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Run the operation, and note the storages that it made."""
        if func is DEVICE:  # asked more often than anything is computed
            return CPU
        kwargs = kwargs or {}
        if self.accumulates and func is torch.ops.aten.add.Tensor and _adds_in_place(*args):
            return args[0]
        result = self._result(func, args, kwargs)
        made = (result,) if isinstance(result, torch.Tensor) else tree_iter(result)
        for tensor in made:
            if isinstance(tensor, torch.Tensor):
                storage = tensor.untyped_storage()
                if storage._cdata not in self._held:
                    self._add(storage, self._kind_of(func, args))
        workspace = self._workspaces.get(func)
        if workspace is not None:
            self._note(workspace(*args, **kwargs))
        return result

    def _result(self, func: Any, args: Any, kwargs: Any) -> Any:
        """What the operation makes: as it was seen before, else by torch."""
        key = self._replies.key(func, args, kwargs)
        result = MISSING if key is None else self._replies.find(key, args)
        if result is MISSING:
            result = func(*args, **kwargs)
            if key is not None:
                self._replies.keep(key, args, result, self._held)
        return result

    def _kind_of(self, func: Any, args: Any) -> str:
        cast = self._copies and func is torch.ops.aten._to_copy.default
        if cast and args[0].untyped_storage()._cdata in self._copies:
            return "working copies"
        return self.kind

    def _add(self, storage: torch.UntypedStorage, kind: str) -> None:
        size = -(-storage.nbytes() // self._rounding) * self._rounding
        key = storage._cdata
        self._held[key] = _Held(size, kind, weakref.ref(storage, lambda _: self._gone(key)))
        self.kinds[kind] += size
        self.total += size
        self._note(0)

    def _gone(self, key: int) -> None:
        held = self._held.pop(key)
        self.kinds[held.kind] -= held.size
        self.total -= held.size

    def _note(self, workspace: int) -> None:
        peak = self.peaks.get(self.stretch)
        if peak is not None and self.total + workspace > peak.total:
            peak.total, peak.kinds = self.total + workspace, dict(self.kinds)
            if workspace:
                peak.kinds["temporary"] = peak.kinds.get("temporary", 0) + workspace


def _adds_in_place(held: torch.Tensor, more: Any) -> bool:
    """Whether autograd's engine would add `more` to `held` in place. It never does so with fake tensors.

    After `torch/csrc/autograd/input_buffer.cpp`, can_accumulate_inplace: gradients are not recorded, the engine has the
    only reference (and this mode the other one that is counted), and there is one place for each number.
    """
    if torch.is_grad_enabled() or not isinstance(more, torch.Tensor) or more.shape != held.shape:
        return False
    storage = held.untyped_storage()
    alone = torch._C._storage_Use_Count(storage._cdata) <= 2
    return alone and held.dtype == more.dtype and held.numel() * held.element_size() == storage.nbytes()
