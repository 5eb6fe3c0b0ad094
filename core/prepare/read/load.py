"""The way in: from what a person names to records, read once and kept until it changes."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import msgspec

from tunesmith.core.errors import DataError, PlanError, SpaceError
from tunesmith.core.meter import Meter, silent
from tunesmith.core.plan.encoding import codec_named
from tunesmith.core.practice import PRACTICE
from tunesmith.core.prepare.cells import shown
from tunesmith.core.prepare.meant import QUERY
from tunesmith.core.prepare.read import cache, saved_dataset
from tunesmith.core.prepare.read.delimited import read_csv
from tunesmith.core.prepare.read.formats import HUB, is_address, kind_of
from tunesmith.core.prepare.read.hub_dataset import fetch
from tunesmith.core.prepare.read.json_text import read_json, read_jsonl
from tunesmith.core.prepare.read.opened import Opened, opened
from tunesmith.core.prepare.read.parquet import read_parquet
from tunesmith.core.prepare.read.plain_text import read_text
from tunesmith.core.prepare.read.sink import Meta, Sink
from tunesmith.core.prepare.read.sources import files_of, refused, resolve_source
from tunesmith.core.prepare.read.store import Store, StoredRecords, StoredRejected, StoredRows
from tunesmith.core.prepare.read.workbook import read_workbook
from tunesmith.core.prepare.records import Format, Records, fault, name_of, no_rows

__all__ = ["read_records", "resolve_source"]

_READERS: dict[Format, Callable[[Opened, Sink], Format]] = {
    "csv": read_csv,
    "json": read_json,
    "jsonl": read_jsonl,
    "parquet": read_parquet,
    "excel": read_workbook,
    "text": read_text,
}


class _File(NamedTuple):
    """One file of what is read."""

    path: Path
    name: str
    """What it is called beside others; empty where it is alone."""
    split: str = ""
    """Which split of a data set it belongs to."""


class _Plan(NamedTuple):
    """What is to be read."""

    source: str
    path: Path
    files: list[_File]
    notes: list[str]
    part: str | None
    encoding: str | None = None
    """How a text file is written, as Python names it; None where that is to be found out."""
    form: Format | None = None
    """What is told as the format; None for that of the first file."""


def read_records(
    source: str,
    base: Path | None = None,
    *,
    query: str | None = None,
    part: str | None = None,
    encoding: str | None = None,
    meter: Meter = silent,
) -> Records:
    """All records of a source. What was read before and has not changed since is not read again.

    Args:
        source: A file, a folder or a pattern; `practice` for the built-in table; `hub:owner/name`; or the address of a
            database, in which `${NAME}` stands for a variable of the environment.
        base: The folder that a relative path starts from; the current one where it is None.
        query: Of a database: the SQL whose rows are read; without it those of its only table.
        part: Which sheet of a workbook, file of an archive, list of a JSON object, or split of a data set is read.
        encoding: How a text file's characters are written, by Python's name; found out where it is None.
        meter: Told how many bytes (or rows) are read; it may raise `Cancelled`.

    Raises:
        DataError: There is no such file, it is of a kind that is not read, or nothing in it can be read; names the
            file and the line. A single wrong row is no error: it is in `rejected`.
        AccessError: The file system or the database refuses, or what was read can be kept nowhere.
        HubError: The data set is not on this machine and can't be fetched.
        SpaceError: It does not fit into memory.
        PlanError: There is no such encoding.
        Cancelled: `meter` raised it.
    """
    codec = _codec(encoding)
    base = Path.cwd() if base is None else base
    try:
        if is_address(source):
            return _from_database(source, base, query, meter)
        return _from_files(_plan(source, base, part)._replace(encoding=codec), meter)
    except MemoryError:
        raise SpaceError(
            "There is not enough memory to read the data.", next_step="Divide the file into smaller ones."
        ) from None


def _codec(encoding: str | None) -> str | None:
    if encoding is None:
        return None
    try:
        return codec_named(encoding)
    except (ValueError, TypeError, AttributeError) as error:  # what the wizard was told may be anything yet
        raise PlanError(
            f"prepare.encoding: {shown(str(error)).rstrip('.?')}.",
            next_step="Name one as Python does, such as cp1252 or koi8_r, or leave it out.",
        ) from None


def _plan(source: str, base: Path, part: str | None) -> _Plan:
    """Which files are read."""
    if source.startswith(HUB):
        fetched = fetch(source, part)
        several = len(fetched) > 1
        divided = len({one.split for one in fetched}) > 1
        files = [_File(one.path, one.path.name if several else "", one.split if divided else "") for one in fetched]
        return _Plan(source, Path(source), files, _joined([one.split for one in files], part), None, form="hub")
    path = resolve_source(source, base)
    told = source if source == PRACTICE else str(path)
    if saved_dataset.is_saved_dataset(path):
        parts = saved_dataset.parts_of(path, part)
        splits = [one.split for one in parts]
        files = [
            _File(one.path, one.path.relative_to(path).as_posix() if len(parts) > 1 else "", one.split) for one in parts
        ]
        return _Plan(told, path, files, _joined(splits, part, path), part, form="dataset")
    found = files_of(path)
    names = found.names or [""]
    return _Plan(told, path, [_File(*one) for one in zip(found.files, names, strict=True)], found.notes, part)


def _joined(splits: list[str], part: str | None, folder: Path | None = None) -> list[str]:
    """A note where several splits are read as one: what its makers kept apart may then be trained on.

    Args:
        splits: Of the files, in their order.
        part: What was named, which can then only be a configuration of a data set on the Hub.
        folder: Of a saved data set, in which each split has a folder of its own that can be named as a source.
    """
    told = list(dict.fromkeys(split for split in splits if split))
    if len(told) < 2:
        return []
    note = f"All splits are read together and mixed ({', '.join(map(shown, told))}); the column split tells them apart."
    if not {"train", "test"} <= set(told):
        return [f"{note} prepare.part names one that is read alone."]
    train = f"{shown(part)}/train" if part else "train"
    test = name_of(folder / "test") if folder else "a file with the rows of test"
    return [f"{note} To keep its own test: prepare.part: {train}, and prepare.split.test_file: {test}."]


def _from_files(plan: _Plan, meter: Meter) -> Records:
    before = [_looked_at(file.path) for file in plan.files]
    fingerprint = _fingerprint(plan, meter)
    kinds = [f"{kind_of(file.path.name)}{file.split}" for file in plan.files]
    how = (plan.form or "", plan.part or "", plan.encoding or "", *dict.fromkeys(kinds), str(len(kinds) > 1))
    key = cache.key_of(fingerprint, *how)
    store, keep = cache.find(key), None
    if store is None:

        def fill(sink: Sink) -> Meta:
            form = _read_all(plan, sink, meter)
            _refuse_nothing(plan, sink, form)
            for file, was in zip(plan.files, before, strict=True):
                if _looked_at(file.path) != was:
                    raise DataError(
                        f"{name_of(file.path)} changed while it was read.",
                        next_step="Read it again when nothing writes to it.",
                        file=file.path,
                    )
            return sink.close(plan.form or form)

        store, keep = cache.make(lambda _: key, fill)
    files = tuple(file.path for file in plan.files)
    notes = (*plan.notes, *store.meta.notes)
    return _records(plan.source, plan.path, (fingerprint, key), store, keep, files, notes)


def _looked_at(path: Path) -> tuple[int, int]:
    try:
        found = path.stat()
    except OSError as error:
        raise refused(path, error) from error
    return found.st_size, found.st_mtime_ns


def _fingerprint(plan: _Plan, meter: Meter) -> str:
    """`sha256:` and the digest of the file's bytes; of several, that of their names and digests."""
    digests = []
    for file in plan.files:
        try:
            digests.append(cache.digest_of(file.path, meter))
        except OSError as error:
            raise refused(file.path, error) from error
    if len(digests) == 1:
        return f"sha256:{digests[0]}"
    told = "".join(f"{file.name}\0{digest}\n" for file, digest in zip(plan.files, digests, strict=True))
    return f"sha256:{hashlib.sha256(told.encode()).hexdigest()}"


def _read_all(plan: _Plan, sink: Sink, meter: Meter) -> Format:
    """Read file by file; of several, one that can't be read at all is set aside as a whole."""
    first: Format | None = None
    refusal: DataError | None = None
    rows_before: dict[str, int] = {}
    for file in plan.files:
        sink.begin(file.path, file.name)
        try:
            if plan.form == "dataset":
                start = rows_before.get(file.split, 1)
                part = saved_dataset.Part(file.path, file.split)
                rows_before[file.split] = start + saved_dataset.read_arrow(part, start, sink, meter)
                form: Format = "dataset"
            else:
                form = _read_one(file, plan, sink, meter)
        except DataError as error:
            if len(plan.files) == 1:
                raise
            line, why = error.line or 1, _clause(error, file.path)
            sink.reject(line, why, "", error.next_step)
            refusal = refusal or fault(file.path, line, why, error.next_step, **error.carried)
        else:
            first = first or form
    if refusal is not None and first is None and not sink.rows:
        raise refusal
    return first or "csv"


def _read_one(file: _File, plan: _Plan, sink: Sink, meter: Meter) -> Format:
    sink.extra = {"split": file.split} if file.split else {}
    try:
        with opened(file.path, meter, plan.part) as found:
            found.encoding = plan.encoding
            form = _READERS[found.format](found, sink)
            if found.broken:
                found.file.seek(0)
                line = 1 + sum(chunk.count(b"\n") for chunk in iter(lambda: found.file.read(1 << 20), b""))
                sink.reject(line, found.broken, "", "Download or compress it anew.")
            return form
    except OSError as error:
        raise refused(file.path, error) from error


def _clause(error: DataError, path: Path) -> str:
    """What an error says, without the name of the file."""
    told = error.title.removeprefix(name_of(path)).lstrip(": ")
    if error.line is not None:
        told = told.removeprefix(f"line {error.line:,}: ")
    return told.rstrip(".")


def _refuse_nothing(plan: _Plan, sink: Sink, form: Format) -> None:
    """Raise DataError where there is no row."""
    if sink.rows and sink.columns:
        return
    if sink.first is not None:
        path, rejected, next_step = sink.first
        raise fault(path, rejected.line, rejected.why, next_step)
    raise no_rows(plan.path, "holds a header and no rows under it" if form in ("csv", "excel") else "holds no rows")


def _from_database(source: str, base: Path, query: str | None, meter: Meter) -> Records:
    from tunesmith.core.prepare.read.database import database_of, read_database  # sqlalchemy takes its time

    database = database_of(source, base)
    path = database.path

    def fill(sink: Sink) -> Meta:
        sink.begin(path)
        read_database(database, query, sink, meter)
        if not sink.rows:
            raise DataError("The query gives no rows.", next_step="Mend prepare.query.", file=path, asks=QUERY)
        return sink.close("sql")

    made: list[str] = []

    def key(folder: Path) -> str:
        made.append(_of_rows(Store(folder)))
        return cache.key_of(made[0], "sql")

    store, keep = cache.make(key, fill)
    return _records(source, path, (made[0], cache.key_of(made[0], "sql")), store, keep, (), tuple(store.meta.notes))


def _of_rows(store: Store) -> str:
    """`sha256:` and the digest of the columns' names and the rows as JSON lines."""
    digest = hashlib.sha256(msgspec.json.encode(store.meta.columns))
    encoder = msgspec.json.Encoder()
    for _, batch, _ in store.pieces(0, len(store)):
        columns = [batch.column(at).to_pylist() for at in range(2, batch.num_columns)]
        digest.update(encoder.encode_lines(zip(*columns, strict=True)))
    return f"sha256:{digest.hexdigest()}"


def _records(
    source: str,
    path: Path,
    known_by: tuple[str, str],
    store: Store,
    keep: object,
    files: tuple[Path, ...],
    notes: tuple[str, ...],
) -> Records:
    meta = store.meta
    rejected = StoredRejected(store.folder / "rejected.jsonl", meta.rejected) if meta.rejected else ()
    return StoredRecords(
        source,
        path,
        meta.format,
        known_by[0],
        tuple(meta.columns),
        StoredRows(store),
        rejected,
        files,
        known_by[1],
        notes,
        store=store,
        keep=keep,
    )
