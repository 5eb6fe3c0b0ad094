"""Looks at the person's file once: columns, shape, and what is wrong in it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from tunesmith.core.facts import Column, DataProfile, Shape
from tunesmith.core.prepare.columns import profile_columns
from tunesmith.core.prepare.kinds import used_columns
from tunesmith.core.prepare.look import find, seen_of
from tunesmith.core.meter import Meter, silent
from tunesmith.core.prepare.read.load import read_records
from tunesmith.core.prepare.shape import NEEDED, Detected, check_columns, detect, roles_for

__all__ = ["profile", "used_columns"]


def profile(
    source: str,
    base: Path | None = None,
    shape: Shape | None = None,
    columns: Mapping[str, str] | None = None,
    query: str | None = None,
    part: str | None = None,
    meter: Meter = silent,
) -> DataProfile:
    """What the data holds, without lengths in tokens: those need a tokenizer.

    Args:
        source: A path, a folder, a pattern, a database's address, or `practice`.
        base: The folder that a relative path starts from.
        shape: The shape that the person chose; detected where it is None.
        columns: Which column plays which part, as far as the person said.
        query: Of a database: the SQL whose rows are read.
        part: The sheet, file or split that is read.
        meter: Told how far it is; its `Cancelled` is let through.

    Raises:
        DataError: The data can't be read, or has not the columns that its shape needs.
        AccessError: The file system refuses to let it be read.
    """
    records = read_records(source, base, query=query, part=part, meter=meter)
    # What the person said may be anything yet; the plan's schema refuses what is no shape and no mapping.
    named = dict(columns) if isinstance(columns, Mapping) else {}
    check_columns({f"prepare.columns.{role}": name for role, name in named.items()}, records.columns)
    found = profile_columns(records, meter)
    chosen = _shape(found, shape if shape in NEEDED else None, named)
    needed = tuple(chosen.roles[role] for role in NEEDED.get(chosen.shape, ()) if role in chosen.roles)
    seen = seen_of(found, chosen.shape, chosen.roles, needed)
    return DataProfile(
        source=records.source,
        fingerprint=records.fingerprint,
        format=records.format,
        rows=len(records.rows),
        columns=found,
        shape=chosen.shape,
        shape_because=chosen.because,
        shape_confidence=chosen.confidence,
        roles=chosen.roles,
        findings=tuple(find(records, seen, meter)),
        rejected=len(records.rejected),
        files=max(1, len(records.files)),
    )


def _shape(columns: tuple[Column, ...], shape: Shape | None, named: Mapping[str, str]) -> Detected:
    """The shape and its parts: what the person said goes before what is detected."""
    if shape is None and named:
        shape = next((s for s, parts in NEEDED.items() if all(part in named for part in parts)), None)
    if shape is None:
        found = detect(columns)
        return Detected(found.shape, found.because, {**found.roles, **named})
    complete = all(part in named for part in NEEDED[shape])
    return Detected(shape, "your choice", dict(named) if complete else {**roles_for(shape, columns), **named})
