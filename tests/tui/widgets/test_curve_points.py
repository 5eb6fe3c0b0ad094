"""Points fold into columns the same way however they come, and axes grow in coarse steps."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunesmith.tui.widgets.curve_points import (
    Columns,
    Plot,
    Points,
    Reference,
    Scale,
    Series,
    Trace,
    labels,
    nice_bounds,
    nice_top,
    ticks,
)

LOSS = (Series("training", "train"), Series("validation", "validation", marker="●", ascii_mark="o"))
EXACT = st.integers(0, 2**16).map(lambda number: number / 1024)
"""Values whose sums are exact, so that the order of adding them does not show."""
HISTORY = st.lists(st.tuples(st.integers(0, 60), EXACT), max_size=80)


def plot(
    *points: Points, size: tuple[int, int] = (20, 5), steps: int = 50, ascii_only: bool = False, high: float = 64
) -> Plot:
    one_each = list(points) + [Points() for _ in LOSS[len(points) :]]
    return Plot(LOSS, one_each, None, size=size, steps=steps, bounds=(0.0, high), ascii_only=ascii_only)


def of(history: list[tuple[int, float]]) -> Points:
    points = Points()
    points.add([step for step, _ in history], [value for _, value in history])
    return points


def text(drawn: Plot) -> list[str]:
    return ["".join(column[row][0] for column in drawn.cells) for row in range(drawn.size[1])]


def test_a_column_holds_the_mean_of_its_points() -> None:
    columns = Columns(5, 8)  # a column each two steps; those at the ends are half as wide
    assert [columns.column(step) for step in range(9)] == [0, 1, 1, 2, 2, 3, 3, 4, 4]
    assert columns.fold([0, 1, 2, 8], [1.0, 2.0, 4.0, 7.0]) == (0, 4)
    assert [columns.mean(column) for column in range(5)] == [1.0, 3.0, None, None, 7.0]


@given(st.integers(2, 300), st.integers(1, 10_000), st.data())
def test_the_first_step_of_a_column_is_where_the_column_begins(count: int, total: int, data: st.DataObject) -> None:
    columns = Columns(count, total)
    step = columns.first_step(data.draw(st.integers(1, count - 1)))
    assert columns.column(step) > columns.column(step - 1)


def test_the_ends_of_the_run_are_the_ends_of_the_plot() -> None:
    for total in (1, 3, 100, 200_000):
        columns = Columns(224, total)
        assert (columns.column(0), columns.column(total)) == (0, 223)
        assert (columns.column(-5), columns.column(total + 9)) == (0, 223)


@given(HISTORY, st.lists(st.integers(1, 9), min_size=1), st.booleans())
def test_points_draw_the_same_in_any_portions(
    history: list[tuple[int, float]], portions: list[int], ascii_only: bool
) -> None:
    points, drawn = Points(), plot(ascii_only=ascii_only)
    rest, turn = history, 0
    while rest:
        many = portions[turn % len(portions)]
        portion, rest, turn = rest[:many], rest[many:], turn + 1
        before = [list(column) for column in drawn.cells]
        changed = drawn.extend(0, *points.add([step for step, _ in portion], [value for _, value in portion]))
        differing = {(c, r) for c in range(20) for r in range(5) if before[c][r] != drawn.cells[c][r]}
        assert set(changed) == differing
    whole = of(history)
    assert drawn.cells == plot(whole, ascii_only=ascii_only).cells
    assert (list(points.steps), points.newest, points.low, points.high) == (
        list(whole.steps),
        whole.newest,
        whole.low,
        whole.high,
    )


@pytest.mark.parametrize(
    ("top", "axis"),
    [(0.03, 0.03), (0.8, 0.8), (1.0, 1.0), (1.05, 1.5), (2.3, 3.0), (4.1, 6.0), (8.5, 10.0), (12, 15), (0, 1.0)],
)
def test_an_axis_ends_at_a_round_number(top: float, axis: float) -> None:
    assert nice_top(top) == pytest.approx(axis)


@given(st.lists(st.floats(1e-6, 1e6), min_size=1))
def test_an_axis_grows_only_for_a_value_outside_it_and_never_shrinks(values: list[float]) -> None:
    points, before = Points(), 0.0
    for step, value in enumerate(values):
        points.add([step], [value])
        now = nice_bounds(points.low, points.high)[1]
        assert now * (1 + 1e-9) >= max(values[: step + 1])
        if before and value <= before:
            assert now == pytest.approx(before)
        assert now >= before
        before = now


@given(st.floats(-1e150, 1e150), st.floats(-1e150, 1e150))
def test_an_axis_has_three_to_five_labels_from_end_to_end(one: float, other: float) -> None:
    low, high = nice_bounds(min(one, other), max(one, other))
    labels = ticks(low, high)
    assert 3 <= len(labels) <= 5
    assert labels[0] == pytest.approx(low)
    assert labels[-1] == pytest.approx(high)
    assert low <= 0 <= high
    assert low < high


@pytest.mark.parametrize(
    ("low", "high", "texts"),
    [
        (0.0, 0.8, ["0.0", "0.2", "0.4", "0.6", "0.8"]),
        (-1.5, 0.8, ["-1.5", "0.0", "0.8"]),
        (0.0, 100.0, ["0", "50", "100"]),
        (0.0, 1.5e-5, ["0", "5e-6", "1e-5", "1.5e-5"]),
        (0.0, 30_000.0, ["0", "1e4", "2e4", "3e4"]),
    ],
)
def test_labels_tell_neighbours_apart_in_few_characters(low: float, high: float, texts: list[str]) -> None:
    assert labels(ticks(low, high)) == texts


def test_a_value_that_cannot_be_drawn_is_kept_as_the_newest_only() -> None:
    points = Points()
    steps, values = points.add([1, 2, 3], [2.0, math.inf, math.nan])
    assert (list(steps), list(values)) == ([1], [2.0])
    assert points.newest is not None
    assert math.isnan(points.newest)
    assert (points.low, points.high) == (2.0, 2.0)


def test_steps_and_values_must_match() -> None:
    with pytest.raises(ValueError, match="2 steps but 1 values"):
        Points().add([1, 2], [0.5])


def test_a_line_has_no_gaps_and_a_dashed_one_has() -> None:
    columns = Columns(9, 8)
    columns.fold([0, 8], [0.0, 40.0])
    spans = Trace(columns, Scale(0, 40, 41)).spans
    assert [span for span in spans if span is None] == []
    covered = [dot for span in spans if span for dot in range(span[0], span[1] + 1)]
    assert sorted(covered) == list(range(41))
    assert None in Trace(columns, Scale(0, 40, 41), dash=2).spans


def test_a_falling_line_in_braille_and_in_ascii() -> None:
    falling = of([(step, 50 - step) for step in range(51)])
    assert text(plot(falling, size=(10, 3), high=50)) == ["⠑⠢⢄       ", "   ⠉⠒⠤⣀   ", "       ⠑⠢⢄"]
    assert text(plot(falling, size=(5, 3), high=50, ascii_only=True)) == ["**   ", "  *  ", "   **"]


def test_markers_stand_over_lines_and_a_dense_line_over_what_joins_markers() -> None:
    dense, few = of([(step, 32.0) for step in range(51)]), of([(0, 32.0), (50, 32.0)])
    assert text(plot(dense, few, size=(6, 1), ascii_only=True)) == ["o****o"]
    assert text(plot(Points(), few, size=(6, 1), ascii_only=True)) == ["o....o"]
    assert text(plot(Points(), few, size=(6, 1)))[0][0] == "●"


def test_a_reference_is_dashed_and_beneath() -> None:
    level = Plot(
        LOSS,
        [of([(0, 1.0)]), Points()],
        Reference("untouched", 1.0),
        size=(6, 1),
        steps=5,
        bounds=(0.0, 2.0),
        ascii_only=True,
    )
    assert text(level) == ["* - - "]


@pytest.mark.parametrize("size", [(0, 0), (0, 3), (3, 0), (1, 1)])
@pytest.mark.parametrize("ascii_only", [True, False])
def test_a_plot_without_room_takes_points_without_complaint(size: tuple[int, int], ascii_only: bool) -> None:
    drawn = plot(size=size, ascii_only=ascii_only)
    assert len(drawn.extend(1, [0, 25, 50], [1.0, 2.0, 3.0])) <= 1


def test_a_long_history_is_folded_whole() -> None:
    steps = list(range(1, 200_001))
    values = [2.0 / (1 + step / 1e4) for step in steps]
    points = Points()
    points.add(steps, values)
    drawn = plot(points, size=(113, 38), steps=200_000, high=2)
    assert sum(drawn.traces[0].columns.numbers) == 200_000


def test_levels_are_told_apart_by_their_lines_alone() -> None:
    levels = (Reference("3-shot", 1.0, dash="dotted"), Reference("goal", 2.0, dash="solid"))
    for ascii_only, lines in ((True, ["======", "~ ~ ~ ", "- - - "]), (False, ["⠉⠉⠉⠉⠉⠉", "⠐", "⣀"])):
        drawn = Plot(
            LOSS, [Points(), Points()], Reference("untouched", 0.0), levels=levels, size=(6, 3), steps=5,
            bounds=(0.0, 2.0), ascii_only=ascii_only,
        )  # fmt: skip
        rows = text(drawn)
        assert rows[0] == lines[0]
        assert rows == lines if ascii_only else len(set(rows[1])) == 1 and rows[2] == "⣀ ⣀ ⣀ "
