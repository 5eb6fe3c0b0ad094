"""Looks at the data once: columns, shape, and what is wrong in it. What was seen is kept until the data changes."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from tunesmith.core.draft import STATED
from tunesmith.core.facts import Column, DataFinding, DataProfile, Shape
from tunesmith.core.meter import Meter, silent
from tunesmith.core.plan import Prepare
from tunesmith.core.prepare.cells import counted
from tunesmith.core.prepare.columns import masked, profile_columns
from tunesmith.core.prepare.look import Check, find, seen_of
from tunesmith.core.prepare.look.near import NearDuplicates
from tunesmith.core.prepare.look.personal import PersonalData
from tunesmith.core.prepare.look.turns import answered_in
from tunesmith.core.prepare.personal import people_in, told
from tunesmith.core.prepare.read import cache
from tunesmith.core.prepare.read.load import read_records
from tunesmith.core.prepare.records import Records
from tunesmith.core.prepare.roles import compared_columns
from tunesmith.core.prepare.shape import NEEDED, Detected, also_rated, check_columns, detect, roles_for
from tunesmith.core.run import write_json

VERSION = 10
"""Of what is looked for and how it is told; another one looks at everything anew."""


def profile(
    source: str,
    base: Path | None = None,
    shape: Shape | None = None,
    columns: Mapping[str, str] | None = None,
    query: str | None = None,
    part: str | None = None,
    meter: Meter = silent,
    *,
    encoding: str | None = None,
    near: bool = True,
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
        encoding: How a text file's characters are written; found out where it is None.
        near: Whether rows that are nearly the same are looked for as well, which takes longest.

    Raises:
        DataError: The data can't be read, or has not the columns that its shape needs.
        AccessError: The file system refuses to let it be read.
        PlanError: There is no such encoding.
    """
    records = read_records(source, base, query=query, part=part, encoding=encoding, meter=meter)
    # What the person said may be anything yet; the plan's schema refuses what is no shape and no mapping.
    named = dict(columns) if isinstance(columns, Mapping) else {}
    check_columns({f"prepare.columns.{role}": name for role, name in named.items()}, records.columns)
    shape = shape if shape in NEEDED else None
    kept = cache.cache_root() / "profiles" / f"{cache.key_of(*_decided_by(records, shape, named, near=near))}.json"
    data = _kept(kept)
    if data is None:
        data = _made(records, shape, named, meter, near=near)
        _keep(kept, data)
    return msgspec.structs.replace(data, source=records.source)


def planned_profile(plan: Prepare, base: Path | None, meter: Meter = silent) -> DataProfile:
    """The profile of the data as a plan's section has it read and understood. Raises what `profile` does."""
    return profile(
        plan.data,
        base,
        plan.shape,
        plan.columns,
        query=plan.query,
        part=plan.part,
        encoding=plan.encoding,
        meter=meter,
    )


def _made(records: Records, shape: Shape | None, named: Mapping[str, str], meter: Meter, *, near: bool) -> DataProfile:
    found = profile_columns(records, meter)
    chosen = _shape(found, shape, named)
    needed = tuple(chosen.roles[role] for role in NEEDED.get(chosen.shape, ()) if role in chosen.roles)
    seen = seen_of(found, chosen.shape, chosen.roles, needed)

    def place(position: int) -> str:
        return records.rows[position].place

    chats = {chosen.roles["messages"]: answered_in} if chosen.shape == "chat" and "messages" in chosen.roles else {}
    compared, background = compared_columns(chosen.shape, seen.roles, seen.used)
    written = chosen.shape != "table"

    def personal(meter: Meter) -> Check:
        return PersonalData(seen.used, records.columns, place, seen.answers, chats)

    def alike(meter: Meter) -> Check:
        return NearDuplicates(compared, records, background=background, whole=seen.used, written=written, meter=meter)

    return DataProfile(
        source=records.source,
        fingerprint=records.fingerprint,
        format=records.format,
        rows=len(records.rows),
        columns=_told(found, chosen.roles),
        shape=chosen.shape,
        shape_because=chosen.because,
        left_out=_left_out(found, chosen, seen.used),
        shape_confidence=chosen.confidence,
        roles=chosen.roles,
        findings=(*_rejected(records), *find(records, seen, meter, (personal, alike) if near else (personal,))),
        rejected=len(records.rejected),
        files=max(1, len(records.files)),
    )


def _left_out(columns: Sequence[Column], chosen: Detected, used: Sequence[str]) -> tuple[str, ...]:
    """The columns that the model never sees; those of a table are chosen as its fields."""
    if chosen.shape == "table":
        return ()
    seen = {*used, *chosen.roles.values()}
    return tuple(one.name for one in columns if one.name not in seen and one.filled and one.kind != "identifier")


def _told(columns: Sequence[Column], roles: Mapping[str, str]) -> tuple[Column, ...]:
    """The columns with personal data masked; of labels and ratings the values stay, since prompts name them."""
    people = people_in(column.name for column in columns)
    exact = {roles[part] for part in ("label", "rating") if part in roles}
    return tuple(masked(one, people=one.name in people, exact=one.name in exact) for one in columns)


def _rejected(records: Records) -> list[DataFinding]:
    """What stood in the files and was no row."""
    count = len(records.rejected)
    if not count:
        return []
    examples = [f"{one.file + ', ' if one.file else ''}line {one.line:,}: {one.why}" for one in records.rejected[:3]]
    text = f"{counted(count, 'row')} could not be read and {'is' if count == 1 else 'are'} set aside."
    return [
        DataFinding(
            kind="rejected",
            column="",
            count=count,
            text=text,
            examples=tuple(told(one, 160) for one in examples),
            share=count / records.total,
            severity="serious" if count > 0.05 * records.total else "warning",
            effect="The model never sees them; all are listed in rejected.jsonl, beside the rows that are used.",
        )
    ]


def _decided_by(records: Records, shape: Shape | None, named: Mapping[str, str], *, near: bool) -> tuple[str, ...]:
    roles = msgspec.json.encode(dict(named), order="sorted").decode()
    return str(VERSION), records.key or records.fingerprint, str(shape), roles, str(near), *records.columns


def _kept(path: Path) -> DataProfile | None:
    try:
        return msgspec.json.decode(path.read_bytes(), type=DataProfile)
    except (OSError, msgspec.MsgspecError):
        return None


def _keep(path: Path, data: DataProfile) -> None:
    """For the next time; where that is not possible, it is looked at again."""
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_json(path, data)


def _shape(columns: tuple[Column, ...], shape: Shape | None, named: Mapping[str, str]) -> Detected:
    """The shape and its parts: what the person said goes before what is detected."""
    if shape is None and named:
        fitting = [one for one, parts in NEEDED.items() if all(part in named for part in parts)]
        # A text with its label is more than a text: the shape that uses most of what was named is the one meant.
        fitting.sort(key=lambda one: -len(NEEDED[one]))
        shape = fitting[0] if fitting else None
    if shape is None:
        found = detect(columns)
        because = found.because + also_rated(columns, found.shape)
        return Detected(found.shape, because, {**found.roles, **named}, found.confidence)
    complete = all(part in named for part in NEEDED[shape])
    return Detected(shape, STATED, dict(named) if complete else {**roles_for(shape, columns), **named})
