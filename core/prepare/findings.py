"""What is wrong in the data, as far as it can tell itself: what, where, how often, and which repair would mend it."""

from __future__ import annotations

import math
import statistics
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from tunesmith.core.facts import Column, DataFinding
from tunesmith.core.prepare.cells import cell, counted, number_of, shown, text_of
from tunesmith.core.prepare.dates import ISO, date_of
from tunesmith.core.prepare.records import Record

EXAMPLES = 3

CUTOFF = 3.5
"""A value whose modified z-score 0.6745 |x - median| / MAD exceeds this is unlike the others (Iglewicz & Hoaglin 1993,
How to Detect and Handle Outliers, ASQC Quality Press, section 3.3)."""

FEWEST_NUMBERS = 20
"""With fewer values the spread of a column is not known well enough to call one of them unlike the others."""

MOST_UNLIKE = 0.02
"""Above this share, unusual numbers are the nature of the column (a heavy tail), not faults: no repair is proposed."""

MOST_EMPTY = 0.05
"""Above this share, empty cells are the nature of an optional column: no repair is proposed."""


@dataclass(frozen=True)
class Range:
    """The values of a column that are like its others, in the column's own unit."""

    low: float
    high: float

    def holds(self, number: float) -> bool:
        """Whether `number` lies in it, bounds included."""
        return self.low <= number <= self.high


def find(
    rows: Sequence[Record], columns: Sequence[Column], used: Sequence[str], needed: Iterable[str]
) -> list[DataFinding]:
    """All findings, in the order in which their repairs should run.

    Args:
        rows: The records.
        columns: Their columns; those of the kinds date and number are looked at as such.
        used: Names of the columns that go into prompts and answers; others may be empty or odd.
        needed: Those of them without which a row is useless, however many are empty.
    """
    kinds = {column.name: column.kind for column in columns}
    found = [duplicates(rows)]
    found += [dates(rows, name) for name in used if kinds.get(name) == "date"]
    found += [empty(rows, name, needed=name in set(needed)) for name in used]
    found += [numbers(rows, name) for name in used if kinds.get(name) == "number"]
    return [finding for finding in found if finding is not None]


def duplicates(rows: Sequence[Record]) -> DataFinding | None:
    """Rows that repeat an earlier one in every column."""
    seen: set[tuple[tuple[str, str], ...]] = set()
    again = []
    for row in rows:
        key = row_key(row)
        if key in seen:
            again.append(row)
        seen.add(key)
    if not again:
        return None
    text = f"{counted(len(again), 'row')} {'repeats' if len(again) == 1 else 'repeat'} an earlier row in every column."
    return DataFinding("duplicate", "", len(again), text, _lines(again), "drop-duplicates")


def row_key(row: Record) -> tuple[tuple[str, str], ...]:
    """What two rows share that are exact duplicates; the order of JSON keys does not matter, an absent one is empty."""
    return tuple(sorted((name, text) for name, value in row.values.items() if (text := text_of(value))))


def empty(rows: Sequence[Record], column: str, *, needed: bool = False) -> DataFinding | None:
    """Rows without a value in `column`."""
    without = [row for row in rows if not cell(row.values, column)]
    if not without:
        return None
    repair = "drop-empty" if needed or len(without) <= MOST_EMPTY * len(rows) else ""
    text = f"{shown(column)} is empty in {counted(len(without), 'row')}"
    text += "." if repair else f" of {len(rows):,}: an optional column; it is left out where it is empty."
    return DataFinding("empty", column, len(without), text, _lines(without), repair)


def dates(rows: Sequence[Record], column: str) -> DataFinding | None:
    """Dates that are not written in the form that is usual in `column`, and cells that are no date."""
    forms = [(text, dated.form if (dated := date_of(text)) else "") for text in _filled(rows, column)]
    if not forms:
        return None
    usual = Counter(form for _, form in forms if form).most_common(1)[0][0]
    other = [text for text, form in forms if form != usual]
    if not other:
        return None
    text = f"{shown(column)}: {counted(len(other), 'date')} of {len(forms):,} "
    text += f"{'is' if len(other) == 1 else 'are'} not written like the others ({usual}), e.g. {shown(other[0])}."
    # Only ISO dates can be made of others without guessing how the rest of the column was meant.
    return DataFinding("date-form", column, len(other), text, _examples(other), "dates-to-iso" if usual == ISO else "")


def numbers(rows: Sequence[Record], column: str) -> DataFinding | None:
    """Numbers unlike the others in `column`, and cells that are no number."""
    cells = _filled(rows, column)
    read = {text: number_of(text) for text in set(cells)}
    known = [number for text in cells if (number := read[text]) is not None]
    span = usual_range(known)
    other = [t for t in cells if (n := read[t]) is None or (span is not None and not span.holds(n))]
    if not other:
        return None
    repair = "drop-out-of-range" if span is not None and len(other) <= max(1, MOST_UNLIKE * len(cells)) else ""
    where = f"lie outside {plain(span.low)} to {plain(span.high)}" if span else "are no numbers"
    if span is not None and any(read[text] is None for text in other):
        where += " or are no numbers"
    if len(other) == 1:
        where = where.replace("lie ", "lies ").replace("are no numbers", "is no number")
    text = f"{shown(column)}: {counted(len(other), 'value')} of {len(cells):,} {where}, unlike the others: "
    text += ", ".join(shown(value) for value in _examples(other)) + ("." if repair else "; they may well be right.")
    low, high = (span.low, span.high) if span else (None, None)
    return DataFinding("out-of-range", column, len(other), text, _examples(other), repair, low, high)


def usual_range(values: Sequence[float]) -> Range | None:
    """The values that are like the others by the modified z-score (see CUTOFF), rounded outwards to two figures.

    Amounts such as salaries spread by factors rather than by differences: where all but a few values are positive,
    the score is taken of their logarithms, and zero and negative ones lie outside.

    Returns:
        None where there are too few values, or where more than half of them are the same.
    """
    if len(values) < FEWEST_NUMBERS:
        return None
    positive = [math.log(value) for value in values if value > 0]
    scaled = len(positive) >= (1 - MOST_UNLIKE) * len(values)
    sample = positive if scaled else list(values)
    middle = statistics.median(sample)
    spread = statistics.median(abs(value - middle) for value in sample)
    if spread == 0:
        return None
    reach = CUTOFF * spread / 0.6745
    low, high = middle - reach, middle + reach
    if scaled:
        low, high = math.exp(max(low, -700.0)), math.exp(min(high, 700.0))
    return Range(_rounded(low, math.floor), _rounded(high, math.ceil))


def repeated(rows: Sequence[Record], column: str) -> DataFinding | None:
    """Names that several rows carry which are not duplicates: their questions have several answers."""
    different: dict[str, set[tuple[tuple[str, str], ...]]] = {}
    for row in rows:
        if name := cell(row.values, column):
            different.setdefault(name, set()).add(row_key(row))
    several = [name for name, keys in different.items() if len(keys) > 1]
    if not several:
        return None
    text = f"{shown(column)}: {counted(len(several), 'value')} {'stands' if len(several) == 1 else 'stand'} in several "
    text += f"rows that differ, e.g. {shown(several[0])}; such rows stay together when the data is split."
    return DataFinding("repeated", column, len(several), text, _examples(several))


def plain(number: float) -> str:
    """A number as a person writes it: 16000.0 as 16,000."""
    return f"{number:,.0f}" if number == int(number) and abs(number) < 1e15 else f"{number:,.6g}"


def _rounded(value: float, whole: Callable[[float], int]) -> float:
    """`value` with two significant figures, rounded by `whole` (floor or ceil)."""
    if value == 0:
        return 0.0
    digits = 1 - math.floor(math.log10(abs(value)))
    return float(f"{whole(float(f'{value:.12g}') * 10.0**digits)}e{-digits}")


def _filled(rows: Sequence[Record], column: str) -> list[str]:
    return [text for row in rows if (text := cell(row.values, column))]


def _examples(values: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(value[:80] for value in values))[:EXAMPLES]


def _lines(rows: Sequence[Record]) -> tuple[str, ...]:
    return tuple(f"line {row.line:,}" for row in rows[:EXAMPLES])
