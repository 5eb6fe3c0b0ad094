"""Parquet: columns of any type, row group by row group, so that a broken one costs no more than itself."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.parquet as pq

from tunesmith.core.errors import DataError
from tunesmith.core.prepare.cells import shown
from tunesmith.core.prepare.read.arrow_text import put_batch, unnamed
from tunesmith.core.prepare.read.opened import Opened
from tunesmith.core.prepare.read.sink import Sink
from tunesmith.core.prepare.records import Format, name_of

_BATCH = 4096
_BROKEN = (pa.ArrowException, OSError, MemoryError, ValueError, OverflowError, RecursionError, UnicodeDecodeError)
_AGAIN = "Write or download it anew."


def read_parquet(opened: Opened, sink: Sink) -> Format:
    """Read all rows; their lines are their numbers.

    Raises:
        DataError: It is no Parquet file, or two of its columns are named alike.
    """
    try:
        file = pq.ParquetFile(opened.file, page_checksum_verification=True)
        names, groups = unnamed(file.schema_arrow), file.num_row_groups
        sizes = [file.metadata.row_group(group).num_rows for group in range(groups)]
    except _BROKEN as error:
        raise DataError(
            f"{name_of(opened.path)} can't be read as Parquet: {_told(error)}.",
            next_step=_AGAIN,
            file=opened.path,
            line=1,
        ) from None
    if names:
        raise DataError(
            f"{name_of(opened.path)}: {names}.",
            next_step="Give each column a name of its own.",
            file=opened.path,
            line=1,
        )
    row = 1
    for group, size in enumerate(sizes):
        start = row
        try:
            for batch in file.iter_batches(_BATCH, row_groups=[group], use_threads=False):
                put_batch(sink, batch, row)
                row += batch.num_rows
                opened.meter("reading", row - 1, sum(sizes))
        except _BROKEN as error:
            lost = f"rows {row:,} to {start + size - 1:,} can't be read: {_told(error)}"
            sink.reject(row, lost, "", _AGAIN)
        row = start + max(0, size)
    return "parquet"


def _told(error: BaseException) -> str:
    """What a library says, as a clause: its first sentence."""
    text = str(error).split("\n", 1)[0].strip() or type(error).__name__
    return shown(text.rstrip("."), most=160)
