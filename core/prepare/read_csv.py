"""CSV text to records: the delimiter is found, quoting is held to, every row must have the header's number of cells."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from tunesmith.core.prepare.cells import counted
from tunesmith.core.prepare.records import Record, check_names, fault, no_rows

DELIMITERS = ",;\t|"
_SAMPLE_CHARACTERS = 1 << 16
_SAMPLE_ROWS = 50
_LONGEST_CELL = 1 << 30
"""Python's csv refuses cells over 131,072 characters unless told; contexts can be longer."""


def parse_csv(path: Path, text: str) -> tuple[tuple[str, ...], list[Record]]:
    """The header's names and the rows under it.

    Raises:
        DataError: No rows, a header that names no or two columns alike, a row with too many or too few cells, or
            quotes that don't close; names the line.
    """
    rows = _cells(path, text, delimiter_of(text))
    line, header = next(rows)
    names = [name.strip() for name in header]
    check_names(path, names, line)
    records: list[Record] = []
    for line, cells in rows:
        if len(cells) != len(names):
            than, step = "fewer", "Add the missing cells; one without a value still has its delimiter."
            if len(cells) > len(names):
                than, step = "more", "Put text that holds the delimiter into double quotes."
            raise fault(path, line, f"{counted(len(cells), 'cell')}, {than} than the {len(names)} of the header", step)
        records.append(Record(len(records) + 1, line, dict(zip(names, cells, strict=True))))
    if not records:
        raise no_rows(path, "holds a header and no rows under it")
    return tuple(names), records


def delimiter_of(text: str) -> str:
    """The delimiter that cuts header and rows alike into the same number of cells, and into the most.

    A comma where none does: a table of one column.
    """
    sample = text[:_SAMPLE_CHARACTERS]
    whole = len(sample) == len(text)
    best, chosen = (0.0, 1), ","
    for delimiter in DELIMITERS:
        try:
            reader = csv.reader(io.StringIO(sample, newline=""), delimiter=delimiter)
            rows = [row for row in islice(reader, _SAMPLE_ROWS + 1) if row]
        except csv.Error:
            continue
        if not whole and 1 < len(rows) <= _SAMPLE_ROWS:
            rows.pop()  # the sample may end in the middle of it
        if not rows or len(rows[0]) < 2:
            continue
        alike = sum(len(row) == len(rows[0]) for row in rows) / len(rows)
        if (alike, len(rows[0])) > best:
            best, chosen = (alike, len(rows[0])), delimiter
    return chosen


def _cells(path: Path, text: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Line number and cells of every row that is not blank."""
    csv.field_size_limit(_LONGEST_CELL)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            told = "a double quote is opened and never closed" if "unexpected end" in str(error) else str(error)
            step = 'Close the quotes; a double quote inside a quoted cell is written twice ("").'
            raise fault(path, line, told, step) from None
        if cells and not (len(cells) == 1 and not cells[0].strip()):
            yield line, cells
