"""The prepared rows as files for elsewhere: JSON lines, Parquet, OpenAI's chat format."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from tunesmith.core.errors import AccessError, DataError
from tunesmith.core.meter import Meter, silent
from tunesmith.core.prepare.openai_chat import check_file, line_of, preference_of
from tunesmith.core.prepare.records import name_of
from tunesmith.core.rows import Message, Row

if TYPE_CHECKING:
    import pyarrow as pa

Form = Literal["jsonl", "parquet", "openai"]
BATCH = 8192
"""Rows that are written at a time, which is also a row group of a Parquet file."""


class Exported(msgspec.Struct, frozen=True):
    """One file that was written."""

    path: Path
    part: str
    rows: int
    bytes: int
    faults: tuple[tuple[int, str], ...] = ()
    """OpenAI's format: what OpenAI would refuse, as (line, what); line 0 is the file as a whole."""


def write_prepared(
    parts: Mapping[str, Iterable[Row]], folder: Path, form: Form, meter: Meter = silent
) -> list[Exported]:
    """Write the rows of each part into `folder`, one file a part, aside and then renamed; parts without rows as well.

    jsonl and parquet hold all of a row (`read_parquet` and `rows.read_rows` give it back exactly); openai holds what a
    model is trained on, as preferences where rows have a worse answer, and each file is checked.

    Args:
        meter: Called once a batch; may raise to stop, and nothing half written is then left under a file's name.

    Raises:
        AccessError: The folder can't be written to.
        DataError: OpenAI's format is asked for, and only some of a part's rows have a worse answer.
    """
    written = []
    for part, rows in parts.items():
        path = folder / f"{part}.{'parquet' if form == 'parquet' else 'jsonl'}"
        aside = path.with_name(path.name + ".part")
        try:
            folder.mkdir(parents=True, exist_ok=True)
            if form == "parquet":
                count = _write_parquet(aside, rows, meter)
            else:
                count = _write_lines(aside, map(_openai if form == "openai" else _whole, rows), meter)
            faults = tuple(check_file(aside, meter)) if form == "openai" else ()
            if _mixed(faults):
                raise DataError(
                    f"Some of the {part} rows have a worse answer and some have none.",
                    next_step="Export them apart, or as JSON lines.",
                )
            aside.replace(path)
        except PermissionError as error:
            raise AccessError(
                f"{name_of(folder)} can't be written to: {error.strerror}.",
                next_step="Mend its permissions, or name another folder.",
            ) from error
        finally:
            aside.unlink(missing_ok=True)
        written.append(Exported(path, part, count, path.stat().st_size, faults))
    return written


def read_parquet(path: Path) -> Iterator[Row]:
    """The rows of a Parquet file that `write_prepared` wrote."""
    import pyarrow.parquet as pq

    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(BATCH):
            yield from map(_row, batch.to_pylist())


def _mixed(faults: Sequence[tuple[int, str]]) -> bool:
    return any(line == 0 and what.startswith("some lines are preferences") for line, what in faults)


def _whole(row: Row) -> Any:
    return row


def _openai(row: Row) -> Any:
    return preference_of(row) if row.rejected else line_of(row)


def _write_lines(path: Path, lines: Iterable[Any], meter: Meter) -> int:
    encoder, count = msgspec.json.Encoder(), 0
    stream = iter(lines)
    with path.open("wb") as file:
        while batch := list(islice(stream, BATCH)):
            file.writelines(encoder.encode(line) + b"\n" for line in batch)
            count += len(batch)
            meter("writing", count, 0)
    return count


def _write_parquet(path: Path, rows: Iterable[Row], meter: Meter) -> int:
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema, count = _schema(), 0
    stream = iter(rows)
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        while batch := list(islice(stream, BATCH)):
            writer.write_table(pa.Table.from_pylist([_record(row) for row in batch], schema))
            count += len(batch)
            meter("writing", count, 0)
    return count


def _schema() -> pa.Schema:
    import pyarrow as pa

    text, pairs = pa.string(), pa.map_(pa.string(), pa.string())
    turn = pa.struct([(name, text) for name in ("role", "content", "tool_calls", "tool_call_id", "name")])
    columns = dict.fromkeys(Row.__struct_fields__, text)
    columns |= {"prompt": pa.list_(turn), "record": pairs, "slices": pairs}
    return pa.schema(list(columns.items()))


def _record(row: Row) -> dict[str, Any]:
    """A row as Parquet holds it: the prompt's turns nested, tools and calls, whose form is free, as JSON."""
    record = {name: getattr(row, name) for name in Row.__struct_fields__}
    record["prompt"] = [
        {"role": turn.role, "content": turn.content, "tool_call_id": turn.tool_call_id, "name": turn.name}
        | {"tool_calls": _json(list(turn.tool_calls))}
        for turn in row.prompt
    ]
    record |= {"record": list(row.record.items()), "slices": list(row.slices.items())}
    return record | {"calls": _json(row.calls), "tools": _json(row.tools)}


def _row(record: dict[str, Any]) -> Row:
    turns = [Message(**(turn | {"tool_calls": tuple(_value(turn["tool_calls"]))})) for turn in record["prompt"]]
    record |= {"prompt": turns, "record": dict(record["record"]), "slices": dict(record["slices"])}
    return Row(**(record | {"calls": _value(record["calls"]), "tools": _value(record["tools"])}))


def _json(value: list[dict[str, Any]]) -> str:
    return msgspec.json.encode(value).decode() if value else ""


def _value(text: str) -> Any:
    return msgspec.json.decode(text) if text else []
