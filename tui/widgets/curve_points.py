"""The arithmetic of a curve: points into columns, bounds of the y axis, the dots of a line, the cells of a plot.

Everything here is plain numbers and characters and knows no widget. Three words: a *point* is (training step, value);
a *column* is one dot wide and holds the mean of the points that fall into it; a *dot* counts down from 0 at the top.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import ceil, floor, isfinite, log10
from operator import le
from typing import Literal

Role = Literal["train", "validation", "match", "f1", "base"]
"""What a series is in the themes: each role has a colour of its own."""

Cell = tuple[str, int]
"""A character and the index of the series it belongs to."""

Dash = Literal["dashed", "dotted", "solid"]

NOBODY = -1
EMPTY: Cell = (" ", NOBODY)

BRAILLE = 0x2800
LEFT, RIGHT = (0x01, 0x02, 0x04, 0x40), (0x08, 0x10, 0x20, 0x80)
"""The bits of a Braille cell's two columns of dots, from top to bottom (Unicode, block U+2800)."""

ASCII_DASHES: dict[Dash, str] = {"dashed": "- ", "dotted": "~ ", "solid": "="}
"""What a level is drawn with, cell after cell, on terminals without Braille."""

NICE = (1.0, 2.0, 5.0, 10.0)
"""The widths between two labels of an axis, up to a power of ten."""

LARGEST, SMALLEST = 1e100, 1e-100
"""Values beyond the first are not drawn; an axis is not made for a range below the second."""

INTERVALS = 4
"""At most this many widths on an axis from 0, so that there are never more than five labels."""


def nice_step(top: float) -> float:
    """The smallest 1-2-5 width of which four reach `top` (positive)."""
    power = 10.0 ** floor(log10(top / INTERVALS))
    return next(step for step in (power * nice for nice in NICE) if INTERVALS * step >= top * (1 - 1e-12))


def nice_top(top: float) -> float:
    """The end of an axis from 0 that holds `top`: 1, 1.5, 2, 3, 4, 6 or 8 times a power of ten.

    It depends on the largest value alone and grows in coarse steps, so a chart that is fed point by point has the same
    axis as one that is given its whole history, and rescales seldom. `top` of 0 gives 1.
    """
    if top < SMALLEST:
        return 1.0
    step = nice_step(top)
    return step * ceil(top / step - 1e-9)


def nice_bounds(low: float, high: float) -> tuple[float, float]:
    """Bounds of an axis that holds every value from `low` to `high`, always with 0 on it."""
    bottom = -nice_top(-low) if low <= -SMALLEST else 0.0
    return bottom, nice_top(high) if high >= SMALLEST or bottom == 0 else 0.0


def ticks(low: float, high: float) -> list[float]:
    """The values to label on an axis with these bounds, three to five of them, from low to high."""
    if low < 0 < high:
        return [low, 0.0, high]
    step = nice_step(high - low)
    if step * round((high - low) / step) < (high - low) * (1 - 1e-9):  # not made by nice_bounds: quarter it
        step = (high - low) / INTERVALS
    return [*(low + step * index for index in range(round((high - low) / step))), high]


def labels(values: Sequence[float]) -> list[str]:
    """The values of `ticks` as text, all with the decimals that the longest of them needs (`0.0`, `0.5`, `1.0`)."""
    texts = [f"{value:.3g}" for value in values]
    if any("e" in text for text in texts):
        return [text.replace("e-0", "e-").replace("e+0", "e").replace("e+", "e") for text in texts]
    decimals = max(len(text.partition(".")[2]) for text in texts)
    return [f"{value:.{decimals}f}" for value in values]


class Points:
    """Every point of one series in order of its step, as two packed arrays (16 bytes a point).

    They are kept so that a chart of another width can be made from them. `newest` is the value that came last, even
    one that cannot be drawn (a loss of NaN must be read somewhere); `low` and `high` bound the ones that can.
    """

    def __init__(self) -> None:
        self.steps = array("q")
        self.values = array("d")
        self.newest: float | None = None
        self.low = 0.0
        self.high = 0.0

    def add(self, steps: Sequence[int], values: Sequence[float]) -> tuple[array[int], array[float]]:
        """Take in points and return those that can be drawn, in order of their step.

        Points may come in any order, but only those that come in order are cheap. Raises ValueError where the two
        sequences differ in length.
        """
        if len(steps) != len(values):
            raise ValueError(f"{len(steps)} steps but {len(values)} values")
        if not len(values):
            return array("q"), array("d")
        self.newest = float(values[-1])
        if not all(map(isfinite, values)) or max(values) > LARGEST or min(values) < -LARGEST:
            drawn = [(step, value) for step, value in zip(steps, values, strict=True) if abs(value) <= LARGEST]
            steps, values = [step for step, _ in drawn], [value for _, value in drawn]
        if not all(map(le, steps, steps[1:])):
            order = sorted(range(len(steps)), key=steps.__getitem__)
            steps, values = [steps[index] for index in order], [values[index] for index in order]
        added = array("q", steps), array("d", values)
        if added[0]:
            self._keep(*added)
        return added

    def _keep(self, steps: array[int], values: array[float]) -> None:
        least, most = min(values), max(values)
        self.low, self.high = (min(self.low, least), max(self.high, most)) if self.values else (least, most)
        if not self.steps or steps[0] >= self.steps[-1]:
            self.steps.extend(steps)
            self.values.extend(values)
            return
        for step, value in zip(steps, values, strict=True):
            place = bisect_right(self.steps, step)
            self.steps.insert(place, step)
            self.values.insert(place, value)


class Columns:
    """Points folded into `count` columns over the steps 0 to `total`: step 0 is the first column, `total` the last.

    A step before 0 or beyond `total` falls into the column at that end.
    """

    def __init__(self, count: int, total: int) -> None:
        self.count = max(1, count)
        self.total = max(1, total)
        self.sums = array("d", bytes(8 * self.count))
        self.numbers = array("q", bytes(8 * self.count))

    def column(self, step: int) -> int:
        """The column that holds this step: the nearest one."""
        step = min(max(step, 0), self.total)
        return (2 * step * (self.count - 1) + self.total) // (2 * self.total)

    def first_step(self, column: int) -> int:
        """The first step that falls into this column (1 or later)."""
        return -(-self.total * (2 * column - 1) // (2 * (self.count - 1)))

    def fold(self, steps: Sequence[int], values: Sequence[float]) -> tuple[int, int] | None:
        """Fold in points that are in order of their step; return the first and last column that changed.

        Takes time in proportion to the number of points, whatever is already there.
        """
        if not len(steps):
            return None
        start, first = 0, self.column(steps[0])
        column = first
        while start < len(steps):
            column = self.column(steps[start])
            last = column == self.count - 1
            end = len(steps) if last else bisect_left(steps, self.first_step(column + 1), start)
            self.sums[column] = sum(values[start:end], self.sums[column])
            self.numbers[column] += end - start
            start = end
        return first, column

    def mean(self, column: int) -> float | None:
        """The mean of the points in a column, or None where there are none."""
        number = self.numbers[column]
        return self.sums[column] / number if number else None


class Scale:
    """Values to dots: `low` is on the lowest of `dots`, `high` on dot 0. Values beyond stay at the edge."""

    def __init__(self, low: float, high: float, dots: int) -> None:
        self.low, self.high, self.dots = low, high, max(1, dots)

    def dot(self, value: float) -> int:
        """The dot nearest to a value, from the top."""
        share = (value - self.low) / (self.high - self.low)
        return round((self.dots - 1) * (1 - min(max(share, 0.0), 1.0)))


class Trace:
    """One series as dots: where its points lie, and what the line that joins them covers in each column."""

    def __init__(self, columns: Columns, scale: Scale, dash: int = 0) -> None:
        """`dash` columns are drawn and as many left out where the line has no point; 0 for an unbroken line."""
        self.columns = columns
        self.scale = scale
        self.dash = dash
        self.points: list[int | None] = [None] * columns.count
        self.spans: list[tuple[int, int] | None] = [None] * columns.count
        self.update(0, columns.count - 1)

    def update(self, first: int, last: int) -> tuple[int, int]:
        """Draw anew what depends on the columns `first` to `last`; return the range in which dots may differ.

        That is from the point before them to the point after them, because lines join neighbours.
        """
        for column in range(first, last + 1):
            mean = self.columns.mean(column)
            self.points[column] = None if mean is None else self.scale.dot(mean)
        left, right = self._point_before(first), self._point_after(last)
        marked = [column for column in range(left, right + 1) if self.points[column] is not None]
        if marked and self._point_before(marked[0]) == marked[0]:  # nothing before it: the line begins here
            dot = self.points[marked[0]]
            self.spans[marked[0]] = None if dot is None else (dot, dot)
        for one, other in pairwise(marked):
            self._join(one, other)
        return left, right

    def _point_before(self, column: int) -> int:
        """The nearest column with a point before this one, or this one where there is none."""
        return next((at for at in range(column - 1, -1, -1) if self.points[at] is not None), column)

    def _point_after(self, column: int) -> int:
        """The nearest column with a point after this one, or this one where there is none."""
        return next((at for at in range(column + 1, self.columns.count) if self.points[at] is not None), column)

    def _join(self, one: int, other: int) -> None:
        """Cover the columns after `one` up to `other` with an unbroken line between their points."""
        start, end = self.points[one], self.points[other]
        if start is None or end is None:
            return
        before = start
        for column in range(one + 1, other + 1):
            dot = start + round((end - start) * (column - one) / (other - one))
            span = (min(before + 1, dot), dot) if dot >= before else (dot, before - 1)
            gap = self.dash and column != other and (column // self.dash) % 2
            self.spans[column] = None if gap else span
            before = dot


@dataclass(frozen=True)
class Series:
    """One line of a chart: what it is called and what tells it from the others, with and without colour.

    `marker` is drawn at each point of a series with few points, and what joins the points is a thin line; without one
    the series is dense and is the line alone (at most one in a chart, or they differ in colour only). `ascii_mark`
    serves terminals without Braille. `dashed` breaks the joining line.
    """

    name: str
    role: Role
    marker: str = ""
    ascii_mark: str = "*"
    dashed: bool = False


@dataclass(frozen=True)
class Reference:
    """A level to compare with, drawn as a horizontal line: the score of the untouched model, say."""

    name: str
    value: float
    role: Role = "base"
    dash: Dash = "dashed"


class Plot:
    """The cells of a plot `width` by `height`: which character stands in each, and to which series it belongs."""

    def __init__(
        self,
        series: Sequence[Series],
        points: Sequence[Points],
        reference: Reference | None,
        *,
        size: tuple[int, int],
        steps: int,
        bounds: tuple[float, float],
        ascii_only: bool,
        levels: Sequence[Reference] = (),
    ) -> None:
        """Fold `points`, one for each of `series`, over the steps 0 to `steps`. `size` is cells across and down.

        `levels` are more levels than `reference`, drawn beneath it.
        """
        self.size = size
        self.bounds = bounds
        self.series = series
        # What only joins markers gives way to a dense line, whose every dot is a measurement; markers cover both.
        self.order = sorted(range(len(series)), key=lambda index: not series[index].marker)
        self.ascii_only = ascii_only
        self.across, self.down = (1, 1) if ascii_only else (2, 4)
        width, height = size
        self.scale = Scale(*bounds, height * self.down)
        drawn = [] if reference is None else [reference]
        self.levels = [(self.scale.dot(one.value), one.dash) for one in (*drawn, *levels)]
        self.traces: list[Trace] = []
        for one, its_points in zip(series, points, strict=True):
            columns = Columns(width * self.across, steps)
            columns.fold(its_points.steps, its_points.values)
            self.traces.append(Trace(columns, self.scale, dash=2 * self.across if one.dashed else 0))
        self.cells = [self._draw(column) for column in range(width)]

    def row(self, value: float) -> int:
        """The row of cells, from the top, in which a value lies."""
        return self.scale.dot(value) // self.down

    def extend(self, index: int, steps: Sequence[int], values: Sequence[float]) -> list[tuple[int, int]]:
        """Fold points in order of their step into series `index`; return the (column, row) of each changed cell."""
        touched = self.traces[index].columns.fold(steps, values)
        if touched is None:
            return []
        first, last = self.traces[index].update(*touched)
        changed = []
        for column in range(first // self.across, min(last // self.across + 1, len(self.cells))):
            before, now = self.cells[column], self._draw(column)
            changed += [(column, row) for row in range(self.size[1]) if before[row] != now[row]]
            self.cells[column] = now
        return changed

    def _draw(self, column: int) -> list[Cell]:
        """One column of cells from top to bottom; each cell is of one series alone, so that its colour is true."""
        cells: list[Cell] = [EMPTY] * self.size[1]
        if not cells:
            return cells
        for index, (dot, dash) in reversed(list(enumerate(self.levels, len(self.series)))):
            sign = self._dash(dot % self.down, dash, column)
            if sign:
                cells[dot // self.down] = (sign, index)
        draw_line = self._draw_ascii if self.ascii_only else self._draw_braille
        for index in self.order:
            draw_line(index, column, cells)
        for index, one in enumerate(self.series):
            mark = one.ascii_mark if self.ascii_only else one.marker
            for point in self.traces[index].points[column * self.across : (column + 1) * self.across]:
                if one.marker and point is not None:
                    cells[point // self.down] = (mark, index)
        return cells

    def _dash(self, bit: int, dash: Dash, column: int) -> str:
        """What a level shows in this column; empty in the gaps of a dashed line."""
        if self.ascii_only:
            return ASCII_DASHES[dash][column % len(ASCII_DASHES[dash])].strip()
        if dash == "dotted":
            return chr(BRAILLE + LEFT[bit])
        return chr(BRAILLE + LEFT[bit] + RIGHT[bit]) if dash == "solid" or column % 2 == 0 else ""

    def _draw_ascii(self, index: int, column: int, cells: list[Cell]) -> None:
        one, span = self.series[index], self.traces[index].spans[column]
        if span is not None:
            for row in range(span[0], span[1] + 1):
                cells[row] = ("." if one.marker else one.ascii_mark, index)

    def _draw_braille(self, index: int, column: int, cells: list[Cell]) -> None:
        dots: dict[int, int] = {}
        left, right = self.traces[index].spans[2 * column : 2 * column + 2]
        for span, bits in ((left, LEFT), (right, RIGHT)):
            for dot in range(span[0], span[1] + 1) if span is not None else ():
                dots[dot // 4] = dots.get(dot // 4, 0) | bits[dot % 4]
        for row, bits_set in dots.items():
            cells[row] = (chr(BRAILLE + bits_set), index)
