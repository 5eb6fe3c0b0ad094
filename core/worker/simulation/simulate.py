"""The memory of a training step, simulated: which tensors the worker's own code makes, and when it lets go of them.

The model is built from its config without weights. Its layers repeat, so a step with a few of them is run on fake
tensors, then again with one more of each kind; what one more adds is added for each of the others. Each stretch of the
step (`step.py`) is worked out on its own, because different ones are the highest at different depths.
"""

from __future__ import annotations

import copy
import time
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from peft import PeftConfig
from torch._subclasses.fake_tensor import FakeTensorMode

from tunesmith.core.errors import ModelError
from tunesmith.core.facts import MemoryPhase, Simulation
from tunesmith.core.load import Load
from tunesmith.core.select.load import CodePath
from tunesmith.core.worker.simulation import cuda
from tunesmith.core.worker.simulation.config import Layers, read_config
from tunesmith.core.worker.simulation.count import ROUNDING, Count
from tunesmith.core.worker.simulation.model import adapter_of, build, made_fake
from tunesmith.core.worker.simulation.replies import Replies
from tunesmith.core.worker.simulation.step import Step, is_padded, unread_layer

__all__ = ["read_config", "simulate"]
Kinds = dict[str, int]
PHASES: dict[str, Literal["before the step", "forward", "loss", "backward", "optimizer", "evaluation"]] = {
    "before": "before the step",
    "forward": "forward",
    "loss": "loss",
    "backward": "backward",
    "optimizer": "optimizer",
    "evaluation": "evaluation",
}
"""The first word of a stretch, and the phase that it belongs to."""
CACHE = "cache"
"""The keys and values of finished answers, kept beside the stretches until they are put together."""


@dataclass(frozen=True)
class _Asked:
    """What is simulated, and what its runs have in common."""

    layers: Layers
    load: Load
    path: CodePath
    adapter: PeftConfig | None
    mode: FakeTensorMode = field(default_factory=FakeTensorMode)
    replies: Replies = field(default_factory=Replies)
    """For the tensors of `mode`."""


def simulate(
    config: Mapping[str, Any],
    load: Load,
    path: CodePath | None = None,
    adapter: PeftConfig | None = None,
    *,
    every_layer: bool = False,
) -> Simulation:
    """Simulate one step of training a model of this config as `load` says.

    Args:
        config: The values of its config.json; `model_type` among them.
        load: Method, precision, batch, length and so on.
        path: Whose code trains; our worker's where it is not given.
        adapter: PEFT's configuration; made from `load` where it is not given.
        every_layer: Run all layers instead of a few; slower, for comparison.

    Raises:
        ModelError: transformers can't build such a model, PEFT can't put such an adapter on it, or its code looks at
            what tensors hold.
    """
    began = time.monotonic()
    path = path or CodePath()
    layers = Layers(config, masked_alike=load.packing or is_padded(load, path))
    adapter = None if load.method == "full" else adapter or adapter_of(load)
    asked = _Asked(layers, load, path, adapter)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            stretches = _run(asked, range(layers.count)) if every_layer else _all_depths(asked)
    except Exception as error:  # the code of any model may raise anything
        raise ModelError(
            "A training step of this model can't be simulated.",
            cause=f"{type(error).__name__}: {str(error).partition(chr(10))[0]}",
            next_step="Its memory is forecast by arithmetic instead.",
        ) from error
    return Simulation(load, _phases(stretches, layers.count), time.monotonic() - began)


def _all_depths(asked: _Asked) -> dict[str, Kinds]:
    """The stretches of the whole model, from those of a few layers and of one more of each kind."""
    layers = asked.layers
    few = layers.few()
    base = _run(asked, few)
    whole = {stretch: dict(kinds) for stretch, kinds in base.items()}
    for places, count in layers.more(few).values():
        deeper = _run(asked, places)
        for stretch, kinds in base.items():
            then = deeper[_moved(stretch, few, places)]
            for kind in {*kinds, *then}:
                one_more = then.get(kind, 0) - kinds.get(kind, 0)
                whole[stretch][kind] = whole[stretch].get(kind, 0) + count * one_more
    return whole


def _moved(stretch: str, few: Sequence[int], places: Sequence[int]) -> str:
    """What the stretch of a layer in the model with the layers `few` is called in the one with the layers `places`."""
    name, _, place = stretch.partition(" ")
    return f"{name} {places.index(few[int(place)])}" if place.isdigit() else stretch


def _run(asked: _Asked, places: Sequence[int]) -> dict[str, Kinds]:
    """The highest moment of each stretch of a step of the model with the layers at `places`."""
    layers, load, path = asked.layers, asked.load, asked.path
    # PEFT writes the depth into the configuration it is given.
    model = build(layers.of(places), load, path, copy.deepcopy(asked.adapter))
    on_cuda = load.device == "cuda"
    count = Count(ROUNDING[load.device], cuda.workspaces() if on_cuda else None, asked.replies)
    with asked.mode:
        made_fake(model, load)
        step = Step(model, load, path, count)
        unread = unread_layer(model, load.method == "full", ROUNDING[load.device]) if layers.unread else {}
        with count:
            step.prepare()
            step.train()
            cache = step.answer()
    stretches = {stretch: dict(peak.kinds) for stretch, peak in count.peaks.items()}
    for kinds in stretches.values():
        for kind, size in unread.items():
            kinds[kind] = kinds.get(kind, 0) + layers.unread * size
    if load.answer_rows:
        stretches[CACHE] = {**stretches["before"], "answers": cache}
    return stretches


def _phases(stretches: dict[str, Kinds], layers: int) -> tuple[MemoryPhase, ...]:
    """The highest stretch of each phase."""
    found: dict[str, MemoryPhase] = {}
    finished = stretches.pop(CACHE, None)
    if finished is not None:
        # While the keys of one layer are put together with the new ones, they are there twice.
        finished["answers"] += finished["answers"] // (2 * layers)
        stretches["evaluation finished"] = finished
    for stretch, kinds in stretches.items():
        name = PHASES[stretch.partition(" ")[0]]
        phase = MemoryPhase(name, {kind: size for kind, size in sorted(kinds.items()) if size > 0})
        if name not in found or phase.total > found[name].total:
            found[name] = phase
    return tuple(found[name] for name in PHASES.values() if name in found)
