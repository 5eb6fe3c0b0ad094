"""Keeps what steps took in memory and time on this machine: `machine/probes.json` beside the runs.

The latest of each model, load and device is kept, and later forecasts are corrected by it. What a run's Select forecast
is in its folder (`forecast.json`), so that Fine-tune can lay a measurement beside it.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from tunesmith.core.facts import ModelFacts, StepProbe
from tunesmith.core.load import Load
from tunesmith.core.run import Run, runs_root, write_json

MOST = 200
"""Probes that are kept; the oldest go first."""


class Foretold(msgspec.Struct, frozen=True):
    """The forecast of a training step's memory, as far as a measurement can be laid beside it; bytes."""

    load: Load
    allocated: int
    how: str
    """simulated, corrected, arithmetic or measured."""


def write_foretold(run: Run, foretold: Foretold) -> None:
    """Leave the forecast in the run's folder."""
    write_json(run.folder / "forecast.json", foretold)


def read_foretold(run: Run) -> Foretold | None:
    """The forecast in the run's folder; None where Select left none."""
    try:
        return msgspec.json.decode((run.folder / "forecast.json").read_bytes(), type=Foretold)
    except (OSError, msgspec.MsgspecError):
        return None


def read_probes() -> tuple[StepProbe, ...]:
    """All probes of this machine, the oldest first; none where there is no file or it can't be read."""
    try:
        kept = msgspec.json.decode(_path().read_bytes(), type=list[StepProbe])
    except (OSError, msgspec.MsgspecError):
        return ()
    return tuple(kept)


def keep_probe(probe: StepProbe) -> None:
    """Add `probe`, in the place of an earlier one of the same model, load and device.

    Raises:
        OSError: The file can't be written.
    """
    others = [one for one in read_probes() if _of(one) != _of(probe)]
    path = _path()
    path.parent.mkdir(parents=True, exist_ok=True)
    write_json(path, [*others, probe][-MOST:])


def with_probes(model: ModelFacts) -> ModelFacts:
    """`model` with what was measured of it on this machine."""
    found = tuple(probe for probe in read_probes() if probe.model == model.path)
    return msgspec.structs.replace(model, probes=found) if found else model


def _path() -> Path:
    return runs_root() / "machine" / "probes.json"


def _of(probe: StepProbe) -> tuple[object, ...]:
    return (probe.device, probe.model, probe.load.training)
