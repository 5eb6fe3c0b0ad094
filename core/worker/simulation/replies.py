"""Remembers what an operation makes of fake tensors of given shapes: layers repeat, and so do their operations.

torch keeps such a table of its own, which costs several times as much to ask: it is ready for symbolic shapes, sparse
tensors and several devices, none of which comes up here. What is not plainly one of the cases below is left to torch.
"""

from __future__ import annotations

from collections.abc import Container, Hashable, Iterable
from dataclasses import dataclass
from typing import Any

import torch
from torch._subclasses.fake_tensor import FakeTensor

LIBRARIES = ("aten", "bitsandbytes")
"""Whose operations are functions of their arguments' shapes; others are asked each time."""
UNFIT = (torch.Tag.data_dependent_output, torch.Tag.dynamic_output_shape, torch.Tag.inplace_view)
"""Marks of operations whose result depends on content, or that change the shape of an argument."""
CPU = torch.device("cpu")
MISSING: Any = object()
"""There is no reply: torch must be asked."""


@dataclass(frozen=True)
class _Made:
    """A tensor with a storage of its own, or a view into that of the argument at `of`."""

    shape: tuple[int, ...]
    stride: tuple[int, ...]
    dtype: torch.dtype
    offset: int
    of: int | None


@dataclass(frozen=True)
class _Given:
    """The argument at `place` itself, changed in place."""

    place: int


@dataclass(frozen=True)
class _Several:
    """A tuple or a list of results; None where an operation leaves one out."""

    kind: type
    ways: list[_Made | _Given | None]


class Replies:
    """Results by operation and arguments, for the fake tensors of one FakeTensorMode."""

    def __init__(self) -> None:
        self._known: dict[Hashable, Any] = {}
        self._fit: dict[Any, bool] = {}
        self._attributes: dict[str, Any] | None = None

    def key(self, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, ...] | None:
        """What the result depends on; None where it must not be remembered."""
        fit = self._fit.get(func)
        if fit is None:
            fit = self._fit[func] = func.namespace in LIBRARIES and not any(tag in func.tags for tag in UNFIT)
        if not fit:
            return None
        found: list[Any] = [func, torch.get_default_dtype()]
        try:
            _describe(found, args)
            if kwargs:
                found += kwargs
                _describe(found, kwargs.values())
            key = tuple(found)
            hash(key)
        except TypeError:
            return None
        return key

    def find(self, key: tuple[Any, ...], args: tuple[Any, ...]) -> Any:
        """The result made anew, or `MISSING`."""
        known = self._known.get(key, MISSING)
        if known is MISSING or known is None:
            return MISSING
        if isinstance(known, _Several):
            return known.kind(None if one is None else self._made(one, args) for one in known.ways)
        return self._made(known, args)

    def keep(self, key: tuple[Any, ...], args: tuple[Any, ...], result: Any, held: Container[int]) -> None:
        """Remember how `result` came of these arguments, where that can be told; `held` has the storages there are."""
        if key in self._known:
            return
        kind = type(result)
        if kind is tuple or kind is list:
            ways = [None if one is None else _way(one, args, held) for one in result]
            plain = all(way is not None for one, way in zip(result, ways, strict=True) if one is not None)
            self._known[key] = _Several(kind, ways) if plain else None
        else:
            self._known[key] = _way(result, args, held)
        if self._attributes is None and isinstance(result, FakeTensor) and result.constant is None:
            self._attributes = dict(result.__dict__)

    def _made(self, way: _Made | _Given, args: tuple[Any, ...]) -> Any:
        if isinstance(way, _Given):
            return args[way.place]
        if self._attributes is None:
            return MISSING
        with torch._C._DisableTorchDispatch():
            if way.of is None:
                plain = torch.empty_strided(way.shape, way.stride, dtype=way.dtype, device="meta")
            else:
                plain = torch.empty(0, dtype=way.dtype, device="meta")
                plain.set_(args[way.of].untyped_storage(), way.offset, way.shape, way.stride)
            made: Any = torch.Tensor._make_subclass(
                FakeTensor, plain, False, dispatch_device=True, device_for_backend_keys=CPU
            )
        torch._C._set_throw_on_mutable_data_ptr(made)
        made.__dict__.update(self._attributes)
        return made


def _describe(found: list[Any], values: Iterable[Any]) -> None:
    """Append what decides the result: shapes of tensors; other values with their types, as 1 and 1.0 are not the same.

    Raises:
        TypeError: A tensor is none of ours, or has content.
    """
    for value in values:
        kind = type(value)
        if kind is FakeTensor or isinstance(value, FakeTensor):
            if value.constant is not None:
                raise TypeError("it has content")
            found += (value.shape, value.stride(), value.dtype, value.storage_offset())
        elif isinstance(value, torch.Tensor):
            raise TypeError("it is no fake tensor")
        elif kind is list or kind is tuple:
            found += (kind, len(value))
            _describe(found, value)
        else:
            found += (kind, value)


def _way(result: Any, args: tuple[Any, ...], held: Container[int]) -> _Made | _Given | None:
    """How a result came of the arguments; None where that is not plain."""
    for place, value in enumerate(args):
        if value is result:
            return _Given(place)
    plain = isinstance(result, FakeTensor) and result.constant is None and result.device == CPU
    if not plain or result.requires_grad or result.layout != torch.strided or result.is_conj() or result.is_neg():
        return None
    storage = result.untyped_storage()
    made = (tuple(result.shape), result.stride(), result.dtype, result.storage_offset())
    for place, value in enumerate(args):
        if isinstance(value, FakeTensor) and value.untyped_storage()._cdata == storage._cdata:
            return _Made(*made, of=place)
    if storage._cdata in held:
        return None
    with torch._C._DisableTorchDispatch():
        again = torch.empty_strided(made[0], made[1], dtype=made[2], device="meta")
    same = made[3] == 0 and again.untyped_storage().nbytes() == storage.nbytes()
    return _Made(*made, of=None) if same else None
