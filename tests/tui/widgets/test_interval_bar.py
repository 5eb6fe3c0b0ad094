"""A bar is drawn to scale, with its interval on it, in both sets of signs and at every width."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual.app import App, ComposeResult

from tunesmith.core.bootstrap import Interval
from tunesmith.tui.glyphs import ASCII, UNICODE
from tunesmith.tui.widgets.interval_bar import IntervalBar, bar_cells

SHARES = st.floats(0, 1)


def drawn(interval: Interval | None, width: int, ascii_only: bool = False) -> str:
    return "".join(text for text, _ in bar_cells(interval, width, ASCII if ascii_only else UNICODE))


@pytest.mark.parametrize(
    ("interval", "shown", "in_ascii"),
    [
        (Interval(0.5, 0.3, 0.8), "███├─●──┤░", "###|-o--|."),
        (Interval(0.0, 0.0, 0.0), "●░░░░░░░░░", "o........."),
        (Interval(1.0, 1.0, 1.0), "█████████●", "#########o"),
        (Interval(1.0, 0.85, 1.0), "████████├●", "########|o"),
        (Interval(0.05, 0.0, 0.15), "●┤░░░░░░░░", "o|........"),
        (Interval(0.98, 0.97, 0.99), "█████████●", "#########o"),
        (None, "░░░░░░░░░░", ".........."),
    ],
)
def test_value_and_bounds_stand_where_they_belong(interval: Interval | None, shown: str, in_ascii: str) -> None:
    assert drawn(interval, 10) == shown
    assert drawn(interval, 10, ascii_only=True) == in_ascii


@given(SHARES, SHARES, SHARES, st.integers(0, 200))
def test_every_bar_fills_its_width_and_shows_its_value(one: float, two: float, three: float, width: int) -> None:
    low, value, high = sorted((one, two, three))
    cells = bar_cells(Interval(value, low, high), width, UNICODE)
    text = "".join(part for part, _ in cells)
    assert len(text) == width
    assert text.count("●") == (1 if width else 0)
    assert "█" not in text.partition("●")[2] and "░" not in text.partition("●")[0]


@pytest.mark.parametrize("share", [float("nan"), -3.0, 7.0])
def test_shares_that_are_none_stay_within_the_bar(share: float) -> None:
    assert len(drawn(Interval(share, share, share), 10)) == 10


class Host(App[None]):
    def compose(self) -> ComposeResult:
        yield IntervalBar("tuned model", UNICODE, id="bar")
        yield IntervalBar("300 rows", UNICODE, scale=True, id="head")


def rendered(width: int) -> list[str]:
    async def go() -> list[str]:
        app = Host()
        async with app.run_test(size=(width, 5)) as pilot:
            bar, head = app.query_one("#bar", IntervalBar), app.query_one("#head", IntervalBar)
            bar.show(Interval(0.5, 0.4, 0.6), "  50.0 %", "  50.0 %  40.0–60.0 %")
            head.show(None, "  score ")
            await pilot.pause()
            return [one.render().plain for one in (head, bar)]

    return asyncio.run(go())


def test_label_bar_and_figures_line_up_with_the_scale() -> None:
    head, bar = rendered(60)
    assert len(head) == len(bar) == 60
    assert bar.startswith("tuned model       ██") and bar.endswith("  50.0 %")
    assert head.index("0 %") == 18 and head.index("100 %") + 5 == 60 - 8


def test_there_is_more_to_read_where_it_is_wide() -> None:
    assert rendered(120)[1].endswith("  50.0 %  40.0–60.0 %")


@pytest.mark.parametrize("width", [1, 2, 5, 10, 20, 25, 30])
def test_where_it_is_narrow_the_figures_stay_longest(width: int) -> None:
    head, bar = rendered(width)
    assert len(head) <= width and len(bar) <= width
    assert "50.0" in bar or width < 14


def test_nothing_is_repainted_for_the_same_figures() -> None:
    async def go() -> None:
        app = Host()
        async with app.run_test():
            bar = app.query_one("#bar", IntervalBar)
            bar.show(Interval(0.5, 0.4, 0.6), "50 %")
            painted: list[int] = []
            bar.refresh = lambda *_, **__: painted.append(1) or bar  # type: ignore[method-assign, assignment, func-returns-value]
            bar.show(Interval(0.5, 0.4, 0.6), "50 %")
            assert not painted
            bar.show(Interval(0.6, 0.4, 0.7), "60 %")
            assert painted

    asyncio.run(go())
