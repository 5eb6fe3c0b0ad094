"""Columns of any Arrow type as text, for files that bring their own types: Parquet and saved data sets."""

from __future__ import annotations

import json
import math
import re
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from tunesmith.core.prepare.cells import counted, shown
from tunesmith.core.prepare.read.sink import Sink

CONTROL = re.compile(r"[\x00-\x08\x0e-\x1a\x1c-\x1f]")
"""Characters that bytes have which are no text, though they may pass for UTF-8."""
_MIDNIGHT = "00:00:00"


def put_batch(sink: Sink, batch: pa.RecordBatch, first: int) -> None:
    """Hand the rows of `batch` over, the first of which is row `first` of its file."""
    cells: dict[str, pa.Array] = {}
    nested = set()
    for name, column in zip(batch.schema.names, batch.columns, strict=True):
        found = _as_text(column)
        if found is None:
            sink.note(no_text(name))
            continue
        cells[name] = found[0]
        if found[1]:
            nested.add(name)
    sink.arrow(pa.array(range(first, first + batch.num_rows), pa.int64()), cells, frozenset(nested))


def no_text(name: str) -> str:
    """The note for a column that is left out."""
    return f"Column {shown(name)} holds bytes that are no text; it is left out."


def unnamed(schema: pa.Schema) -> str:
    """What is wrong with the names of the columns, as a clause; empty where nothing is."""
    if len(set(schema.names)) < len(schema.names):
        twice = next(name for name in schema.names if schema.names.count(name) > 1)
        return f"the name {shown(twice)} stands over {counted(schema.names.count(twice), 'column')}"
    return f"column {schema.names.index('') + 1} has no name" if "" in schema.names else ""


def _as_text(column: pa.Array) -> tuple[pa.Array, bool] | None:
    """A column as large_string and whether that is JSON; None where it is bytes that are no text."""
    kind = column.type
    if isinstance(column, pa.ExtensionArray):
        return _as_text(column.storage)
    if pa.types.is_dictionary(kind):
        return _as_text(column.dictionary_decode())
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_fixed_size_binary(kind):
        try:
            text = pc.cast(pc.cast(column, pa.large_binary()), pa.large_string())
        except pa.ArrowInvalid:
            return None
        return None if pc.any(pc.match_substring_regex(text, CONTROL.pattern)).as_py() else (text, False)
    if pa.types.is_nested(kind):
        told = [None if cell is None else json.dumps(_plain(cell), ensure_ascii=False) for cell in column.to_pylist()]
        return pa.array(told, pa.large_string()), True
    if pa.types.is_floating(kind):  # what pandas writes for a number that is missing
        column = pc.if_else(pc.is_nan(column), pa.scalar(None, kind), column)
    try:
        text = pc.cast(column, pa.large_string())
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        text = pa.array([None if cell is None else str(cell) for cell in column.to_pylist()], pa.large_string())
    if pa.types.is_timestamp(kind) and pc.all(pc.match_substring_regex(text, rf" {_MIDNIGHT}(\.0+)?$")).as_py():
        text = pc.utf8_slice_codeunits(text, 0, 10)  # dates that had to be stored as times
    return text, False


def _plain(value: Any) -> Any:
    """A nested value in JSON's types."""
    if isinstance(value, dict):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        if value and all(isinstance(pair, tuple) and len(pair) == 2 and isinstance(pair[0], str) for pair in value):
            return {key: _plain(inner) for key, inner in value}  # a map
        return [_plain(inner) for inner in value]
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, float) and math.isnan(value):
        return None
    return value if value is None or isinstance(value, str | int | float | bool) else str(value)
