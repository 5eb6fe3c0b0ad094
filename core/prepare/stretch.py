"""A stretch of the records made into rows, which are written into a file of its own: it needs no other stretch."""

from __future__ import annotations

import hashlib
from array import array
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from tunesmith.core.meter import Meter
from tunesmith.core.plan import Prepare
from tunesmith.core.prepare.cells import cell
from tunesmith.core.prepare.compared import KeyMaker, Keys, text_of
from tunesmith.core.prepare.make import STEP, RowMaker
from tunesmith.core.prepare.prepared import AsideLine
from tunesmith.core.prepare.records import Record
from tunesmith.core.prepare.repair.view import View
from tunesmith.core.prepare.roles import used_columns
from tunesmith.core.prepare.split import group_value, place_of
from tunesmith.core.rows import Row

ROWS_A_STEP = 4096
"""Records between two words to the meter."""

_ENCODER = msgspec.json.Encoder()


@dataclass
class Stretch:
    """The rows of a stretch: they lie in a file, and here is what must be known of each to split them."""

    path: Path
    """The file of the rows, a line each."""
    aside: Path
    """The file of the records that no row could be made of."""
    own: bool
    """Whether they come from the person's own test file."""
    starts: array[int] = field(default_factory=lambda: array("Q"))
    """Where each row begins in its file."""
    places: array[float] = field(default_factory=lambda: array("d"))
    """The place of each row's group, see `split.place_of`."""
    labels: list[str] = field(default_factory=list)
    times: list[str] = field(default_factory=list)
    slices: dict[str, Counter[str]] = field(default_factory=dict)
    answers: array[int] = field(default_factory=lambda: array("Q"))
    """Characters of each answer."""
    keys: Keys | None = None
    used: int = 0
    """Records that gave at least one row."""
    reasons: Counter[str] = field(default_factory=Counter)
    """Why records gave none."""
    unanswered: int = 0
    """Questions left out, because the record lacks their answer."""

    def __len__(self) -> int:
        return len(self.starts)

    def row(self, number: int) -> Row:
        """The `number`-th row, counted from 0."""
        with self.path.open("rb") as file:
            file.seek(self.starts[number])
            return msgspec.json.decode(file.readline(), type=Row)

    def lines(self) -> Iterator[bytes]:
        """The rows as they are written."""
        with self.path.open("rb") as file:
            yield from file


def make_stretch(
    view: View, records: range, prepare: Prepare, folder: Path, name: str, own: bool, meter: Meter
) -> Stretch:
    """Make the rows of some of the records that the repairs have left.

    Args:
        view: What they have left.
        records: Which records, by their positions among all that were read.
        prepare: The plan's section.
        folder: Where the files are made.
        name: What tells the files of this stretch from those of others.
        own: Whether the records are those of the person's own test file; the ids of its rows begin with a t.
        meter: Told how many of the records are done.

    Raises:
        PlanError: A question names a column that does not exist.
    """
    made = Stretch(folder / f"rows-{name}.jsonl", folder / f"aside-{name}.jsonl", own)
    made.slices = {column: Counter() for column in prepare.slices}
    maker, keys = RowMaker(view.columns, prepare), KeyMaker(prepare.split)
    columns = used_columns(prepare.shape, prepare.columns, prepare.fields)
    # What rows are grouped by is in them only where it is trained on; else a code stands for it.
    coded = prepare.split.by is not None and prepare.split.by not in columns
    at, of = 0, view.count(records)
    with made.path.open("wb") as file, made.aside.open("wb") as aside:
        for number, record in enumerate(view.records(records), start=1):
            if number % ROWS_A_STEP == 0:
                meter("making rows", number, of)
            rows = maker.rows_of(record)
            if isinstance(rows, str):
                made.reasons[rows] += 1
                aside.write(aside_line(record, STEP, rows))
                continue
            made.used += 1
            for row in rows:
                group = group_value(row)
                _note(made, row, group, record, prepare, at)
                keys.add(text_of(row))
                if own or (coded and row.group):
                    row = _renamed(row, _code(group) if coded and row.group else row.group, own=own)  # noqa: PLW2901
                line = _ENCODER.encode(row) + b"\n"
                file.write(line)
                at += len(line)
    meter("making rows", of, of)
    made.keys, made.unanswered = keys.keys(), maker.unanswered
    return made


def _note(made: Stretch, row: Row, group: str, record: Record, prepare: Prepare, at: int) -> None:
    """What the row is split and told by."""
    split = prepare.split
    made.starts.append(at)
    made.places.append(place_of(group, split.seed))
    made.answers.append(len(row.answer))
    if split.stratify:
        made.labels.append(cell(record.values, split.stratify))
    if split.time:
        made.times.append(cell(record.values, split.time))
    for name, counts in made.slices.items():
        counts[row.slices[name]] += 1


def _renamed(row: Row, group: str, *, own: bool) -> Row:
    return msgspec.structs.replace(row, id=f"t{row.id}" if own else row.id, group=group)


def _code(value: str) -> str:
    """What stands for a group in the rows: 48 bits, the same for two of a million groups once in 500 files.

    It hides a value from whoever reads the rows, not from whoever has a list of values to try.
    """
    return hashlib.blake2b(value.encode(errors="surrogatepass"), digest_size=6).hexdigest()


def aside_line(record: Record, step: str, why: str) -> bytes:
    """The line of set-aside.jsonl for a record."""
    # Who leaves rows out for what they hold does not want it kept in another file.
    values = {} if step == "drop-personal" else record.values
    return _ENCODER.encode(AsideLine(record.line, step, why, values, record.file)) + b"\n"
