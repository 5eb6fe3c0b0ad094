"""Whether a plan's device is there."""

from __future__ import annotations

from tunesmith.core.errors import TunesmithError
from tunesmith.core.facts import Hardware
from tunesmith.core.plan import Select


def check_device(select: Select, hardware: Hardware) -> None:
    """Raise TunesmithError where the plan wants a GPU and none can be used."""
    if select.device == "cuda" and hardware.gpu is None:
        raise TunesmithError(
            "The plan computes on a GPU, and none can be used here.",
            cause=hardware.gpu_problem,
            next_step="Run it where a GPU is, or set select.device to cpu and select.precision to fp32 in the plan.",
        )
