"""Numbers unlike the others of their column, and cells that are no number."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tunesmith.core.facts import DataFinding
from tunesmith.core.prepare.cells import counted, number_of, plain, shown
from tunesmith.core.prepare.look.check import EXAMPLES, FEW, Bars, Places, finding
from tunesmith.core.prepare.look.figures import PLAIN
from tunesmith.core.prepare.look.missing import is_missing
from tunesmith.core.prepare.look.page import Page
from tunesmith.core.prepare.look.seen import Seen

CUTOFF = 3.5
"""A value whose modified z-score 0.6745 |x - median| / MAD exceeds this is unlike the others (Iglewicz & Hoaglin 1993,
How to Detect and Handle Outliers, ASQC Quality Press, section 3.3)."""

FAR = 2
"""A slip such as a zero too many lies far off: at this many times the distance of the cutoff, or beyond. What lies just
outside may well be the coldest day or the largest firm."""

FEWEST_NUMBERS = 20
"""With fewer values the spread of a column is not known well enough to call one of them unlike the others."""

MOST_UNLIKE = 0.02
"""Above this share, unusual numbers are the nature of a column (a heavy tail): no repair is recommended."""

MOST_NEGATIVE = 0.1
"""Above this share, the sign is a way of booking (costs as negative amounts) rather than a slip."""

_NEVER_NEGATIVE = re.compile(
    r"salar|wage|\bpay\b|\bage\b|price|weight|height|length|width|distance|duration|population|headcount|quantity"
    r"|gehalt|lohn|\balter\b|preis|gewicht|größe|länge|breite|dauer|einwohner|menge"
    r"|salaire|\bâge\b|prix|poids|taille|salario|sueldo|edad|precio|peso",
    re.IGNORECASE,
)
"""Headers of what is never below zero."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Range:
    """The values of a column that are like its others, in the column's own unit."""

    low: float
    high: float | None
    """None where only the sign of a number is unlike the others'."""

    @property
    def rounded(self) -> Range:
        """The same with two significant figures, outwards."""
        high = None if self.high is None else _rounded(self.high, math.ceil)
        return Range(_rounded(self.low, math.floor), high)

    def outside(self, values: Floats) -> int:
        """How many of the values lie outside."""
        return int(((values < self.low) | (values > (math.inf if self.high is None else self.high))).sum())

    @property
    def words(self) -> str:
        """The range in a sentence."""
        return f"{plain(self.low)} and more" if self.high is None else f"{plain(self.low)} to {plain(self.high)}"


class Outliers:
    """Of a table: numbers far from the others of their column, and cells that are no number."""

    def __init__(self, seen: Seen, places: Places) -> None:
        self._places = places
        names = seen.used if seen.shape == "table" else ()
        self._values: dict[str, list[Floats]] = {name: [] for name in names if seen.kind(name) == "number"}
        self._odd: dict[str, list[int]] = {name: [] for name in self._values}
        """Positions of cells that are no number."""

    def see(self, page: Page) -> None:
        """The next records."""
        for name, values in self._values.items():
            cells = page.columns[name]
            if "" not in cells and PLAIN.fullmatch(page.joined(name) + "\n"):
                values.append(np.fromiter(map(float, cells), np.float64, len(cells)))
                continue
            read = [number_of(text) if text else None for text in cells]
            values.append(np.array([math.nan if number is None else number for number in read], np.float64))
            self._odd[name] += [
                page.start + row
                for row, number in enumerate(read)
                if number is None and cells[row] and not is_missing(cells[row])
            ]

    def findings(self) -> list[DataFinding]:
        """At most one for each column."""
        return [found for name in self._values if (found := self._finding(name))]

    def _finding(self, name: str) -> DataFinding | None:
        values = np.concatenate(self._values[name]) if self._values[name] else np.empty(0)
        known = ~np.isnan(values)
        span, impossible = usual_range(values[known]), _impossible(name, values[known])
        if impossible:
            span = Range(0.0, None) if span is None else Range(max(span.low, 0.0), span.high)
        odd = self._odd[name]
        outside = np.empty(0, np.int64)
        if span is not None:
            with np.errstate(invalid="ignore"):
                outside = np.flatnonzero(
                    (values < span.low) | (values > (math.inf if span.high is None else span.high))
                )
        count, filled = len(outside) + len(odd), int(known.sum()) + len(odd)
        if not count:
            return None
        positions = [*outside[:50].tolist(), *odd[:50]]
        examples = list(_different(positions, lambda position: self._places.text(position, name)).items())
        # Cells that are no number are faults of another kind, such as a header that stands there again: they are
        # judged apart, so that a slip among the numbers is still told from a heavy tail.
        unlike = len(outside) - impossible if len(outside) else len(odd)
        slips = _all_far(values[outside], usual_range(values[known], FAR * CUTOFF), bool(impossible))
        mend = (
            span is not None
            and slips
            and unlike <= max(1, MOST_UNLIKE * filled)
            and len(odd) <= max(EXAMPLES, FEW * filled)
        )
        where = f"lie outside {span.words}" if span else "are no numbers"
        if span and odd:
            where += " or are no numbers"
        if count == 1:
            where = where.replace("lie ", "lies ").replace("are no numbers", "is no number")
        text = f"{shown(name)}: {counted(count, 'value')} of {filled:,} {where}, unlike the others: "
        text += ", ".join(self._places.told(value, name) for value, _ in examples)
        text += "." if mend else "; they may well be right."
        repair = {"kind": "drop-out-of-range", "column": name}
        bounds = {"low": span.low, **({} if span.high is None else {"high": span.high})} if span else {}
        return finding(
            "out-of-range",
            name,
            count,
            self._places.rows,
            text,
            "A slip such as a zero too many is learned as a fact, and pulls what the model writes towards it.",
            examples=[self._places.example(position, value, name) for value, position in examples],
            severity="warning" if mend else "note",
            repairs=({**repair, **bounds},) if span else (),
            recommended=mend,
            picture=_bars(values[known], span),
        )


def _impossible(name: str, values: Floats) -> int:
    """How many of a column's numbers are negative, where its header says that none can be."""
    negative = int((values < 0).sum())
    words = name.replace("_", " ")  # an underscore is no end of a word
    return negative if negative <= MOST_NEGATIVE * len(values) and _NEVER_NEGATIVE.search(words) else 0


def _all_far(values: Floats, usual: Range | None, signed: bool) -> bool:
    """Whether none of the values is a usual one; `signed`: below zero none is, however near."""
    judged = values[values >= 0] if signed else values
    return usual is None or usual.outside(judged) == len(judged)


def usual_range(values: Sequence[float] | Floats, cutoff: float = CUTOFF) -> Range | None:
    """The values that are like the others by the modified z-score (see CUTOFF), rounded outwards to two figures.

    Amounts such as salaries spread by factors rather than by differences: where all but a few values are positive,
    the score is taken of their logarithms, and zero and negative ones lie outside.

    Returns:
        None where there are too few values, or where more than half of them are the same and all have one sign.
    """
    values = np.asarray(values, np.float64)
    values = values[np.isfinite(values)]
    if len(values) < FEWEST_NUMBERS:
        return None
    positive = values[values > 0]
    scaled = len(positive) >= (1 - MOST_UNLIKE) * len(values)
    sample: Floats = np.log(positive) if scaled else values
    span = _reach(sample, cutoff)
    if span is None:
        # No spread to measure by; but a negative number among positive ones is told apart by its sign.
        return Range(0.0, None) if scaled and bool((values < 0).any()) else None
    if not scaled:
        return span.rounded
    span = Range(math.exp(max(span.low, -700.0)), math.exp(min(span.high or 0.0, 700.0))).rounded
    if span.outside(values) > MOST_UNLIKE * len(values):
        # Not a spread by factors after all, such as shares between 0 and 100: the other scale where it fits better.
        straight = _reach(values, cutoff)
        if straight is not None and straight.rounded.outside(values) < span.outside(values):
            return straight.rounded
    return span


def _reach(values: Floats, cutoff: float) -> Range | None:
    """The values within the cutoff; None where more than half of them are the same."""
    middle = float(np.median(values))
    spread = float(np.median(np.abs(values - middle)))
    reach = cutoff * spread / 0.6745
    return Range(middle - reach, middle + reach) if spread > 0 and math.isfinite(reach) else None


def _rounded(value: float, whole: Callable[[float], int]) -> float:
    """`value` with two significant figures, rounded by `whole` (floor or ceil)."""
    if value == 0 or not math.isfinite(value):
        return value
    digits = 1 - math.floor(math.log10(abs(value)))
    return float(f"{whole(float(f'{value:.12g}') * 10.0**digits)}e{-digits}")


def _different(positions: Sequence[int], text: Callable[[int], str]) -> dict[str, int]:
    """The first texts that differ, with their positions."""
    found: dict[str, int] = {}
    for position in positions:
        found.setdefault(text(position), position)
        if len(found) == EXAMPLES:
            break
    return found


def _bars(values: Floats, span: Range | None) -> Bars:
    """Ten bars over the usual range, and one on either side of it."""
    if not len(values):
        return ()
    low = float(values.min()) if span is None else span.low
    high = float(values.max()) if span is None or span.high is None else span.high
    if not (math.isfinite(low) and math.isfinite(high)) or high <= low or not math.isfinite(high - low):
        return ((plain(low) if math.isfinite(low) else "all", len(values)),)
    inside = values[(values >= low) & (values <= high)]
    counts, edges = np.histogram(inside, bins=10, range=(low, high))
    bars = [
        (f"{plain(float(f'{edges[n]:.3g}'))} to {plain(float(f'{edges[n + 1]:.3g}'))}", int(counts[n]))
        for n in range(10)
    ]
    below, above = int((values < low).sum()), int((values > high).sum())
    before = [(f"below {plain(low)}", below)] if below else []
    after = [(f"above {plain(high)}", above)] if above else []
    return tuple(before + bars + after)
