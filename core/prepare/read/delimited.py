"""CSV and TSV: the dialect is found, quoting is held to, and every row must have the header's number of cells.

Stretches without anything unusual are parsed by Arrow (see `clean_table`), all else line by line by Python's csv
module, which alone tells what is wrong with a row and where. A row that is wrong is set aside. A quote that is opened
and never closed takes the following lines with it; reading then goes on at the next line that is a row by itself.
"""

from __future__ import annotations

import csv
import io
import re
from collections import deque
from collections.abc import Iterator
from itertools import islice
from typing import BinaryIO, NamedTuple

import pyarrow as pa

from tunesmith.core.errors import DataError
from tunesmith.core.prepare.cells import counted, shown
from tunesmith.core.prepare.read.clean_table import clean_table
from tunesmith.core.prepare.read.encoding import as_utf8
from tunesmith.core.prepare.read.opened import Opened
from tunesmith.core.prepare.read.sink import MOST_CHARACTERS, Sink
from tunesmith.core.prepare.read.unnamed import name_by_letter
from tunesmith.core.prepare.records import BATCH, Format, check_names, name_of

DELIMITERS = ",;\t|"
_RARE_DELIMITERS = ":^~\x01\x1f"
_SAMPLE = 1 << 16
_SAMPLE_ROWS = 50
_SURE = 0.8
"""Share of the sample's rows that have the header's number of cells, from which a delimiter needs no second opinion."""
_CHUNK = 4 << 20
_SHORT = 64 << 10
_MOST_ROW = 32_000_000
"""Characters of one row; more come from a quote that is never closed."""
_LONE_RETURN = re.compile(r"(?<=\r)(?!\n)")
_NO_CHARACTER = re.compile("[\udc80-\udcff]")
_SAID = re.compile(rb'"?sep=([\x01-\x09\x20\x21\x23-\x7e])"?\r?\n', re.IGNORECASE)
"""A first line by which Excel is told the delimiter; it is no row."""
_OPEN = "a double quote is opened and never closed"
_CLOSE_QUOTES = 'Close the quotes; a double quote inside a quoted cell is written twice ("").'


class Dialect(NamedTuple):
    """How cells are told apart."""

    delimiter: str
    escape: str | None = None
    """`\\` where quotes inside quotes are written `\\"` instead of `""`."""


class Row(NamedTuple):
    """A row, or what is none: then `why` says why not."""

    line: int
    cells: list[str]
    why: str = ""
    text: str = ""
    next_step: str = ""


def read_csv(opened: Opened, sink: Sink) -> Format:
    """Read the header and the rows under it.

    Raises:
        DataError: It is empty, no text, or its header names no or two columns alike; names the line.
    """
    opened.refuse_binary()
    as_utf8(opened, sink)
    start = opened.file.tell()
    sample = opened.file.read(_SAMPLE)
    said = _SAID.match(sample)
    start += said.end() if said else 0
    opened.file.seek(start)
    text = sample[said.end() if said else 0 :].decode("utf-8", "surrogateescape")
    table = _Table(opened, sink, dialect_of(text, said[1].decode() if said else ""), line=2 if said else 1)
    table.read()
    return "csv"


def dialect_of(sample: str, delimiter: str = "") -> Dialect:
    """The delimiter, unless it is known, and the way of quoting of a text that `sample` is the beginning of."""
    delimiter = delimiter or delimiter_of(sample)
    if '\\"' in sample:
        plain, escaped = (_errors(sample, Dialect(delimiter, escape)) for escape in (None, "\\"))
        if escaped < plain:
            return Dialect(delimiter, "\\")
    return Dialect(delimiter)


def delimiter_of(text: str) -> str:
    """The delimiter that cuts header and rows alike into the same number of cells, and into the most.

    Where that is not sure, clevercsv is asked (van den Burg et al. 2019, doi:10.1007/s10618-019-00646-y). A comma
    where no delimiter is found: a table of one column.
    """
    best, chosen = (0.0, 1), ","
    for delimiter in DELIMITERS:
        found = _fit(text, delimiter)
        if found[1] > 1 and found > best:
            best, chosen = found, delimiter
    if best[0] >= _SURE:
        return chosen
    second = _second_opinion(text)
    if second and (fit := _fit(text, second))[1] > 1 and fit[0] >= _SURE and fit > best:
        return second
    return chosen


def _fit(text: str, delimiter: str) -> tuple[float, int]:
    """The share of the rows that have as many cells as the first, and how many that are."""
    sample = text[:_SAMPLE]
    try:
        reader = csv.reader(io.StringIO(sample, newline=""), delimiter=delimiter)
        rows = [row for row in islice(reader, _SAMPLE_ROWS + 1) if row]
    except csv.Error:
        return 0.0, 0
    if len(sample) == _SAMPLE and 1 < len(rows) <= _SAMPLE_ROWS:
        rows.pop()  # the sample may end in the middle of it
    if not rows:
        return 0.0, 0
    return sum(len(row) == len(rows[0]) for row in rows) / len(rows), len(rows[0])


def _second_opinion(text: str) -> str:
    from clevercsv import Detector

    sample = "".join(text[: _SAMPLE // 8].splitlines(keepends=True)[:_SAMPLE_ROWS])
    try:
        found = Detector().detect(sample, delimiters=[*DELIMITERS, *_RARE_DELIMITERS])
    except Exception:  # noqa: BLE001  whatever it meets in a strange file: it was only asked for an opinion
        return ""
    delimiter = found.delimiter if found is not None else None
    return delimiter if delimiter and delimiter in DELIMITERS + _RARE_DELIMITERS else ""


def _errors(sample: str, dialect: Dialect) -> int:
    """How many rows of a sample are wrong."""
    whole = sample[: sample.rfind("\n") + 1] or sample
    rows = list(islice(_rows(_Lines(io.BytesIO(whole.encode("utf-8", "surrogateescape"))), dialect), _SAMPLE_ROWS))
    width = len(rows[0].cells) if rows else 0
    return sum(bool(row.why) or len(row.cells) != width for row in rows)


class _Lines:
    """The lines of a file, as text with their ends; lines can be put back."""

    def __init__(self, file: BinaryIO | _Joined, line: int = 1) -> None:
        self.file = file
        self.next = line
        """The number of the line that comes next."""
        self.taken: list[str] = []
        """Since the row began."""
        self.back: deque[str] = deque()
        self._size = 0

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        if self.back:
            line = self.back.popleft()
        else:
            line = self.file.readline().decode("utf-8", "surrogateescape")
            if not line:
                raise StopIteration
            if "\r" in line:
                line, *more = [part for part in _LONE_RETURN.split(line) if part]
                self.back.extend(more)
        if self.taken:
            self._size += len(line)
            if self._size > _MOST_ROW:
                self.back.appendleft(line)
                raise csv.Error("unexpected end of data")
        self.taken.append(line)
        self.next += 1
        return line

    def begin(self) -> None:
        """A row begins."""
        self.taken.clear()
        self._size = 0

    def back_bytes(self) -> bytes:
        """The lines that were put back, as they stood in the file."""
        return "".join(self.back).encode("utf-8", "surrogateescape")

    def again(self, keep: int) -> None:
        """Put all lines of this row back but the first `keep`."""
        self.back.extendleft(reversed(self.taken[keep:]))
        self.next -= len(self.taken) - keep
        del self.taken[keep:]


def _rows(lines: _Lines, dialect: Dialect, width: int = 0) -> Iterator[Row]:
    """The rows that are not blank; with `width`, those with another number of cells are none."""
    csv.field_size_limit(1 << 30)  # Python's csv refuses cells over 131,072 characters unless told
    reader = _reader(lines, dialect)
    while True:
        lines.begin()
        line = lines.next
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            why = _wrong(error)
            alone = why == _OPEN or _is_row(lines, dialect, width)
            if alone:
                lines.again(1)
            yield Row(line, [], _OPEN if alone else why, "".join(lines.taken), _CLOSE_QUOTES)
            reader = _reader(lines, dialect)
            continue
        if not cells or (len(cells) == 1 and not cells[0].strip() and '"' not in lines.taken[0]):
            continue
        if not width or len(cells) == width:
            yield Row(line, cells)
        elif len(lines.taken) > 1 and _is_row(lines, dialect, width):
            lines.again(1)
            yield Row(line, [], _OPEN, lines.taken[0], _CLOSE_QUOTES)
        else:
            than, step = "fewer", "Add the missing cells; one without a value still has its delimiter."
            if len(cells) > width:
                than, step = "more", "Put text that holds the delimiter into double quotes."
            why = f"{counted(len(cells), 'cell')}, {than} than the {width} of the header"
            yield Row(line, [], why, "".join(lines.taken), step)


def _wrong(error: csv.Error) -> str:
    """What Python's csv means, as a clause."""
    told = str(error)
    if "unexpected end" in told:
        return _OPEN
    return "text follows behind the quotes of a cell" if "expected after" in told else shown(told)


def _reader(lines: Iterator[str], dialect: Dialect) -> Iterator[list[str]]:
    return csv.reader(lines, delimiter=dialect.delimiter, escapechar=dialect.escape, strict=True)


def _is_row(lines: _Lines, dialect: Dialect, width: int) -> bool:
    """Whether the second of the lines that were taken for one row is a row by itself."""
    if len(lines.taken) < 2 or lines.taken[1].count('"') % 2:
        return False
    try:
        return len(next(_reader(iter(lines.taken[1:2]), dialect))) == width > 1
    except (csv.Error, StopIteration):
        return False


class _Table:
    """Reads one file: stretch by stretch, the fast way as far as it goes."""

    def __init__(self, opened: Opened, sink: Sink, dialect: Dialect, line: int = 1) -> None:
        self.opened = opened
        self.sink = sink
        self.dialect = dialect
        self.names: list[str] = []
        self.line = line
        """The number of the line at `at`."""
        self.held = b""
        """What was read of the file; before `at` it is used up."""
        self.at = 0
        self.want = _CHUNK
        """Bytes of a stretch: few where the fast way does not go, to come back to it soon."""
        self.rows: list[Row] = []
        self.size = 0

    def read(self) -> None:
        """Read header and rows."""
        lines = _Lines(self.opened.file, self.line)
        rows = _rows(lines, self.dialect)
        header = next(rows, None)
        path = self.opened.path
        if header is None:
            raise DataError(f"{name_of(path)} is empty.", next_step="Name a file with rows in it.", file=path)
        if header.why:
            raise DataError(
                f"{name_of(path)}: line {header.line:,}: {header.why}.",
                next_step=header.next_step,
                file=path,
                line=header.line,
            )
        self.names = [_NO_CHARACTER.sub("\ufffd", name.strip()) for name in header.cells]
        if any("\ufffd" in name for name in self.names):
            self.sink.note(
                f"{self.sink.subject} has names of columns that are not all UTF-8; � stands for what is not."
            )
        for note in name_by_letter(self.names, range(len(self.names))):
            self.sink.note(note)
        check_names(path, self.names, header.line)
        self.line = lines.next
        self.held = lines.back_bytes()
        while self._refill():
            self._stretch()
            self.opened.told(self.opened.file.tell() - len(self.held) + self.at)
        self._put()

    def _refill(self) -> bool:
        """Read on where less than a stretch is held; False at the end of the file."""
        if len(self.held) - self.at < self.want:
            self.held = self.held[self.at :] + self.opened.file.read(_CHUNK)
            self.at = 0
        return len(self.held) > self.at

    def _stretch(self) -> None:
        """Take some rows: the fast way, and where that does not go, a short stretch of them one by one."""
        chunk = self.held[self.at : self.at + self.want]
        last = self.at + len(chunk) == len(self.held) and len(chunk) < self.want
        found = None
        if self.dialect.escape is None:
            found = clean_table(chunk, self.dialect.delimiter, self.names, self.line, last)
        if found is None:
            self.want = _SHORT
            self._one_by_one(chunk[: self.want].count(b"\n"))
            return
        self._put()
        if found.cells:
            self.sink.arrow(found.numbers, found.cells)
        self.line += found.lines
        self.at += found.size
        self.want = min(_CHUNK, self.want * 2)

    def _one_by_one(self, count: int) -> None:
        """Take rows one by one, for `count` lines at least, or one row."""
        source = _Joined(self.held, self.at, self.opened.file)
        lines = _Lines(source, self.line)
        for row in _rows(lines, self.dialect, len(self.names)):
            if row.why:
                self.sink.reject(row.line, row.why, row.text, row.next_step)
            else:
                self.rows.append(row)
                self.size += sum(map(len, lines.taken))
                if len(self.rows) >= BATCH or self.size >= MOST_CHARACTERS:
                    self._put()
            if lines.next - self.line >= count:
                break
        self.line = lines.next
        self.held += b"".join(source.beyond)
        self.at = source.at - len(lines.back_bytes())

    def _put(self) -> None:
        """Hand over the rows that were taken one by one."""
        rows, self.rows, self.size = self.rows, [], 0
        self._put_rows(rows)

    def _put_rows(self, rows: list[Row]) -> None:
        if not rows:
            return
        try:
            columns = zip(*(row.cells for row in rows), strict=True)
            cells = {
                name: pa.array(column, pa.large_string()) for name, column in zip(self.names, columns, strict=True)
            }
        except UnicodeEncodeError:
            if len(rows) > 1:  # the wrong one is found by halves
                self._put_rows(rows[: len(rows) // 2])
                self._put_rows(rows[len(rows) // 2 :])
                return
            told = self.dialect.delimiter.join(rows[0].cells)
            byte = next(ord(c) - 0xDC00 for c in told if "\udc80" <= c <= "\udcff")
            self.sink.reject(rows[0].line, f"byte 0x{byte:02x} is not UTF-8", told, "Save the file as UTF-8.")
            return
        self.sink.arrow(pa.array([row.line for row in rows], pa.int64()), cells)


class _Joined:
    """What is held of a file from a place on, and the file behind it, as lines."""

    def __init__(self, held: bytes, at: int, file: BinaryIO) -> None:
        self.at = at
        """The place behind the last line."""
        self.beyond: list[bytes] = []
        """What was read of the file."""
        self._held = io.BytesIO(held)
        self._held.seek(at)
        self._file = file

    def readline(self) -> bytes:
        """The next line with its end; nothing at the end of the file."""
        line = self._held.readline()
        if not line.endswith(b"\n"):
            more = self._file.readline()
            self.beyond.append(more)
            line += more
        self.at += len(line)
        return line
