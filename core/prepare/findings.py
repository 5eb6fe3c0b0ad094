"""What the present repairs still take from here; it goes with them (see `look`)."""

from __future__ import annotations

from tunesmith.core.prepare.cells import plain, text_of
from tunesmith.core.prepare.records import Record

__all__ = ["plain", "row_key"]


def row_key(row: Record) -> tuple[tuple[str, str], ...]:
    """What two rows share that are exact duplicates; the order of JSON keys does not matter, an absent one is empty."""
    return tuple(sorted((name, text) for name, value in row.values.items() if (text := text_of(value))))
