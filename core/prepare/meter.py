"""Moved to `core.meter`."""

from tunesmith.core.meter import Cancelled, Meter, silent

__all__ = ["Cancelled", "Meter", "silent"]
