"""Looks at the person's file once: columns, shape, and what is wrong in it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from tunesmith.core.facts import Column, DataProfile, Shape
from tunesmith.core.prepare.columns import profile_columns
from tunesmith.core.prepare.findings import find, repeated
from tunesmith.core.prepare.read import read_records
from tunesmith.core.prepare.shape import NEEDED, Detected, check_columns, detect, roles_for


def profile(
    source: str, base: Path | None = None, shape: Shape | None = None, columns: Mapping[str, str] | None = None
) -> DataProfile:
    """What a file holds, without lengths in tokens: those need a tokenizer.

    Args:
        source: A path, or `practice`.
        base: The folder that a relative path starts from.
        shape: The shape that the person chose; detected where it is None.
        columns: Which column plays which part, as far as the person said.

    Raises:
        DataError: The file can't be read, or has not the columns that its shape needs.
        AccessError: The file system refuses to let it be read.
    """
    records = read_records(source, base)
    # What the person said may be anything yet; the plan's schema refuses what is no shape and no mapping.
    named = dict(columns) if isinstance(columns, Mapping) else {}
    check_columns({f"prepare.columns.{part}": name for part, name in named.items()}, records.columns)
    found = profile_columns(records)
    chosen = _shape(found, shape if shape in NEEDED else None, named)
    used = used_columns(chosen.shape, chosen.roles, found)
    needed = [chosen.roles[part] for part in NEEDED[chosen.shape]]
    # Only a table's columns have a usual form and range; answers may be of any, and Alpaca's input may be absent.
    looked = [name for name in used if name != chosen.roles.get("input")]
    findings = find(records.rows, found if chosen.shape == "table" else (), looked, needed)
    if chosen.shape == "table" and (again := repeated(records.rows, chosen.roles["entity"])):
        findings.append(again)
    return DataProfile(
        source=records.source,
        fingerprint=records.fingerprint,
        format=records.format,
        rows=len(records.rows),
        columns=found,
        shape=chosen.shape,
        shape_because=chosen.because,
        roles=chosen.roles,
        findings=tuple(findings),
    )


def used_columns(shape: Shape, roles: Mapping[str, str], columns: tuple[Column, ...]) -> list[str]:
    """The columns that go into prompts and answers: of a table the entity first, then all but identifiers."""
    if shape != "table":
        return list(roles.values())
    entity = roles["entity"]
    others = [column for column in columns if column.filled and column.name != entity]
    told = [column.name for column in others if column.kind != "identifier"]
    return [entity, *(told or [column.name for column in others])]


def _shape(columns: tuple[Column, ...], shape: Shape | None, named: Mapping[str, str]) -> Detected:
    """The shape and its parts: what the person said goes before what is detected."""
    if shape is None and named:
        shape = next((s for s, parts in NEEDED.items() if all(part in named for part in parts)), None)
    if shape is None:
        found = detect(columns)
        return Detected(found.shape, found.because, {**found.roles, **named})
    complete = all(part in named for part in NEEDED[shape])
    return Detected(shape, "your choice", dict(named) if complete else {**roles_for(shape, columns), **named})
