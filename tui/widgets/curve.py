"""A line chart that repaints only what is new: loss and scores over the training steps of a live run.

The step axis runs from 0 to the known total, so a run grows to the right and nothing ever scrolls; the value axis
rescales seldom and in coarse steps. A new point therefore changes a few cells, and only those are sent.

Textual 8.2.8 sends a changed cell together with everything from the left edge of its widget to it. So the chart is
drawn by `Curve` but shown through `CurvePane`s, narrow windows side by side that bound what a changed cell drags along.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import groupby
from math import log10, nan
from operator import itemgetter
from typing import ClassVar, Self

from rich.segment import Segment
from rich.style import Style
from textual.app import ComposeResult
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from tunesmith.core import figures
from tunesmith.tui.widgets.curve_points import NOBODY, Plot, Points, Reference, Role, Series, labels, nice_bounds, ticks

__all__ = ["Curve", "Reference", "Role", "Series"]

LABELS = 6
"""Cells for a label of the value axis; the axis itself takes one more."""

LEFT_EDGE = LABELS + 1

NARROW = 48
"""Cells across below which a chart names no levels at its right edge: the plot needs them."""

PANES = 6
"""Windows across the plot. More send fewer bytes for a changed cell but more for the first frame."""

VALUE = 7
"""Cells for a value in the legend, so that the rest of the legend stays where it is."""


class Curve(Widget):
    """A chart of several series over training steps, with a legend on top that tells the newest values as text.

    Colours come by the component classes below, to be set in an app's style sheet (`curve.tcss` does it from the
    variables of a theme).
    """

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "curve--train",
        "curve--validation",
        "curve--match",
        "curve--f1",
        "curve--base",
        "curve--axis",
        "curve--legend",
    }

    DEFAULT_CSS = """
    Curve { layout: horizontal; width: 1fr; height: 1fr; overflow: hidden; }
    """

    ALLOW_SELECT = False

    def __init__(
        self,
        series: Sequence[Series],
        steps: int,
        *,
        percent: bool = False,
        logarithmic: bool = False,
        reference: Reference | None = None,
        ascii: bool = False,
        name: str | None = None,
        id: str | None = None,
        classes: str | None = None,
    ) -> None:
        """Make an empty chart over the steps 0 to `steps`.

        With `percent`, values are percentages (0 to 100) on a fixed axis; else the axis holds 0 and every value. With
        `logarithmic`, a factor is as high wherever it stands, and the axis holds 1 and every value; all are above 0.
        `ascii` draws with `*`, `o`, `.` and the like, for terminals without Braille.
        """
        super().__init__(name=name, id=id, classes=classes)
        self._series = tuple(series)
        self._order = {one.name: index for index, one in enumerate(self._series)}
        self._total = steps
        self._percent = percent
        self._logarithmic = logarithmic
        self._reference = self._level(reference)
        self._marked: tuple[Reference, ...] = ()
        self._ascii = ascii
        self._points = [Points() for _ in self._series]
        self._drawn: Plot | None = None
        self._told: list[tuple[str, str]] = []

    def compose(self) -> ComposeResult:
        """The windows that the chart is seen through; the first holds the value axis."""
        axis = CurvePane(self)
        axis.styles.width = LEFT_EDGE
        yield axis
        for _ in range(PANES):
            yield CurvePane(self)

    def extend(self, series: str, steps: Sequence[int], values: Sequence[float]) -> None:
        """Add points to the series of this name, and repaint what they change.

        Raises KeyError for a name that the chart does not have, ValueError where steps and values differ in number.
        A value that is not finite is told in the legend and not drawn. Where a run goes back to an earlier checkpoint,
        `replace` its history: points at steps that are there already are averaged with them.
        """
        index = self._order[series]
        added = self._points[index].add(steps, self._levels(values))
        plot = self._drawn
        if plot is not None:
            if plot.bounds != self._bounds() or plot.size != self._plot_size():
                self._redraw()
                return
            self._repaint((LEFT_EDGE + column, 1 + row) for column, row in plot.extend(index, *added))
        self._repaint_legend()

    def replace(self, history: Mapping[str, tuple[Sequence[int], Sequence[float]]], steps: int | None = None) -> None:
        """Show this history, steps and values of each named series, instead of what is shown; for attaching to a run.

        `steps` is the run's total where it is another than before. Raises as `extend` does.
        """
        points = [Points() for _ in self._series]
        for name, (its_steps, its_values) in history.items():
            points[self._order[name]].add(its_steps, self._levels(its_values))
        self._points = points
        self._total = self._total if steps is None else steps
        self._redraw()

    def become(self, series: Sequence[Series], *, percent: bool = False, logarithmic: bool = False) -> None:
        """Be an empty chart of other series, with values of another kind."""
        self._series = tuple(series)
        self._order = {one.name: index for index, one in enumerate(self._series)}
        self._percent, self._logarithmic, self._reference = percent, logarithmic, None
        self.clear()

    def clear(self, steps: int | None = None) -> None:
        """Remove every point, and take up the total of a new run where one is given."""
        self.replace({}, steps)

    def set_reference(self, reference: Reference | None) -> None:
        """Draw this level, or none: for a score that becomes known only after the chart is shown."""
        reference = self._level(reference)
        if reference != self._reference:
            self._reference = reference
            self._redraw()

    def set_levels(self, levels: Sequence[Reference]) -> None:
        """Draw these levels as well; each is named at the right end of its line instead of in the legend."""
        marked = tuple(filter(None, map(self._level, levels)))
        if marked != self._marked:
            self._marked = marked
            self._redraw()

    def on_resize(self) -> None:
        """Draw for the new size: points are folded anew, which takes milliseconds even for long runs."""
        if self._drawn is None or self._drawn.size != self._plot_size():
            self._redraw()

    def refresh(self, *regions: Region, repaint: bool = True, layout: bool = False, recompose: bool = False) -> Self:
        """As every widget's; the whole chart's also reaches its windows. Textual calls it when colours change."""
        if repaint and not regions:
            for pane in self.query_children(CurvePane):
                pane.refresh()
        return super().refresh(*regions, repaint=repaint, layout=layout, recompose=recompose)

    # What is drawn

    def _levels(self, values: Sequence[float]) -> Sequence[float]:
        """The values as they stand on the axis."""
        if not self._logarithmic:
            return values
        return [log10(value) if value > 0 else nan for value in values]

    def _level(self, reference: Reference | None) -> Reference | None:
        return None if reference is None else replace(reference, value=self._levels([reference.value])[0])

    def _bounds(self) -> tuple[float, float]:
        if self._percent:
            return 0.0, 100.0
        levels = [one.value for one in (self._reference, *self._marked) if one is not None]
        levels += [level for points in self._points if points.values for level in (points.low, points.high)]
        return nice_bounds(min(levels, default=0.0), max(levels, default=0.0))

    def _plot_size(self) -> tuple[int, int]:
        """Cells across and down that are left for the plot; the step axis goes first where there is no room."""
        width, height = self.size
        return max(0, width - LEFT_EDGE - self._margin()), max(0, height - (2 if height >= 4 else 1))

    def _margin(self) -> int:
        """Cells at the right of the plot for the names of levels."""
        if self.size.width < NARROW:
            return 0
        return max((1 + len(one.name) for one in self._marked), default=0)

    def _plot(self) -> Plot:
        size = self._plot_size()
        if self._drawn is None or self._drawn.size != size:
            self._drawn = Plot(
                self._series,
                self._points,
                self._reference,
                size=size,
                steps=self._total,
                bounds=self._bounds(),
                ascii_only=self._ascii,
                levels=self._marked,
            )
        return self._drawn

    def _redraw(self) -> None:
        self._drawn = None
        self._told = self._legend()
        self.refresh()

    def _repaint(self, cells: Iterable[tuple[int, int]]) -> None:
        """Have these cells (column and row of the widget) sent, and of each row in a pane no more than the part."""
        panes = list(self.query_children(CurvePane))
        regions = [pane.virtual_region for pane in panes]
        parts: dict[tuple[int, int], list[int]] = defaultdict(list)
        for column, row in cells:
            for index, region in enumerate(regions):
                if region.x <= column < region.right:
                    parts[index, row].append(column - region.x)
        for (index, row), columns in parts.items():
            start = min(columns)
            panes[index].refresh(Region(start, row, max(columns) + 1 - start, 1))
        for pane, region in zip(panes, regions, strict=True):
            if not region:  # hidden with what it belongs to: nothing is sent, but what it remembers is out of date
                pane.refresh()

    def _repaint_legend(self) -> None:
        """Have what changed in the legend sent: as a rule one value, since the parts keep their widths."""
        before, now = self._told, self._legend()
        self._told = now
        if [len(text) for text, _ in before] != [len(text) for text, _ in now]:
            self._repaint((column, 0) for column in range(self.size.width))
            return
        start = 0
        for old, new in zip(before, now, strict=True):
            if old != new:
                self._repaint((start + at, 0) for at in range(len(new[0])) if old[0][at] != new[0][at])
            start += len(new[0])

    # What stands in a row

    def row(self, y: int, start: int, end: int) -> Strip:
        """The cells from column `start` up to `end` of row `y`, both counted within the chart."""
        plot = self._plot()
        width, height = plot.size
        if y == 0:
            parts = self._legend()
        elif y <= height:
            edge = LEFT_EDGE + width
            plotted = self._cells(y - 1, start - LEFT_EDGE, end - LEFT_EDGE)
            return Strip(
                [*self._axis_label(y - 1, start, end), *plotted, *self._level_name(y - 1, start - edge, end - edge)]
            )
        else:
            parts = [(self._step_axis(width), "axis")]
        strip = Strip([Segment(text, self._style(role)) for text, role in parts if text])
        return strip.crop(start, end)

    def _cells(self, row: int, start: int, end: int) -> Iterable[Segment]:
        """The plot's cells of a row from column `start` up to `end`, a segment for each run of one series."""
        cells = [column[row] for column in self._plot().cells[max(0, start) : max(0, end)]]
        owner = next((owner for _, owner in cells if owner != NOBODY), NOBODY)
        owners = [owner := (its if its != NOBODY else owner) for _, its in cells]  # blanks need no colour of their own
        for owner, run in groupby(zip(cells, owners, strict=True), key=itemgetter(1)):
            yield Segment("".join(text for (text, _), _ in run), self._style(self._role(owner)))

    def _axis_label(self, row: int, start: int, end: int) -> list[Segment]:
        if start >= LEFT_EDGE:
            return []
        plot = self._plot()
        values = ticks(*plot.bounds)
        if self._logarithmic:
            texts = [f"{10**value:.3g}" for value in values]
        else:
            texts = [f"{value:.0f} %" for value in values] if self._percent else labels(values)
        text = next((text for value, text in zip(values, texts, strict=True) if plot.row(value) == row), "")
        edge = ("+" if text else "|") if self._ascii else ("┤" if text else "│")
        return [Segment((text.rjust(LABELS)[:LABELS] + edge)[start:end], self._style("axis"))]

    def _level_name(self, row: int, start: int, end: int) -> Iterable[Segment]:
        """The cells right of the plot: the name of the level that ends in this row."""
        margin = self._margin()
        if end <= 0 or not margin:
            return []
        names = self._level_names()
        text = (" " + names.get(row, "")).ljust(margin)[max(0, start) : end]
        return [Segment(text, self._style("axis"))] if text else []

    def _level_names(self) -> dict[int, str]:
        """By row, the highest first; a name whose row is taken stands in the next free one below, else above."""
        plot, names = self._plot(), dict[int, str]()
        for one in sorted(self._marked, key=lambda level: -level.value):
            row = plot.row(one.value)
            below = [free for free in range(row, plot.size[1]) if free not in names]
            above = [free for free in range(row - 1, -1, -1) if free not in names]
            for free in (below or above)[:1]:
                names[free] = one.name
        return names

    def _step_axis(self, width: int) -> str:
        """`0`, the word and the total under the ends of a plot this wide; the word only where it has room."""
        total = f"{self._total:,}"
        room = max(0, width - 1 - len(total))
        word = "training step" if room > 30 else "step" if room > 8 else ""
        return " " * LEFT_EDGE + ("0" + word.center(room) + total)[:width].rjust(width)

    def _legend(self) -> list[tuple[str, str]]:
        """The first row as (text, role) parts; names go first where there is no room for them."""
        entries = [
            (self._mark(one), one.name, self._value(points.newest), one.role)
            for one, points in zip(self._series, self._points, strict=True)
        ]
        if self._reference is not None:
            dashes = "- -" if self._ascii else "╌╌"
            entries.append((dashes, self._reference.name, self._value(self._reference.value), self._reference.role))
        full = LEFT_EDGE + sum(len(mark) + len(name) + 4 + VALUE for mark, name, *_ in entries) <= self.size.width
        parts = [(" " * (LEFT_EDGE if full else 0), "axis")]
        for mark, name, value, role in entries:
            parts += [(mark, role), (f" {name} " if full else " ", "axis"), (value.ljust(VALUE), "legend")]
            parts.append(("  " if full else " ", "axis"))
        return parts

    def _mark(self, one: Series) -> str:
        if self._ascii:
            return one.ascii_mark
        return one.marker or "⠤⠤"

    def _value(self, value: float | None) -> str:
        """A value as the legend tells it, in at most `VALUE` cells."""
        if value is None:
            return "-" if self._ascii else "–"
        if self._percent and 0 <= value <= 100:
            return figures.percent(value / 100)
        value = 10**value if self._logarithmic else value
        size = abs(value)
        if size >= 10_000 or 0 < size < 0.01:
            return f"{value:.1e}"
        return f"{value:.3f}" if size < 100 else f"{value:.1f}"

    def _role(self, owner: int) -> str:
        if 0 <= owner < len(self._series):
            return self._series[owner].role
        levels = [one for one in (self._reference, *self._marked) if one is not None]
        return levels[owner - len(self._series)].role if owner != NOBODY and levels else "axis"

    def _style(self, role: str) -> Style:
        return self.get_component_rich_style(f"curve--{role}")


class CurvePane(Widget):
    """A window on a part of the chart, so that a changed cell is sent with few of its neighbours."""

    DEFAULT_CSS = """
    CurvePane { width: 1fr; height: 1fr; }
    """

    ALLOW_SELECT = False

    def __init__(self, curve: Curve) -> None:
        super().__init__()
        self._curve = curve

    def render_line(self, y: int) -> Strip:
        """The chart's row `y` as far as it lies behind this window."""
        start = self.virtual_region.x
        return self._curve.row(y, start, start + self.size.width)
