"""The chart as a person sees it, and the bytes it sends for a new point."""

from __future__ import annotations

import asyncio
import fcntl
import os
import pty
import select
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from textual.app import App, ComposeResult
from textual.geometry import Region
from textual.theme import Theme

from tunesmith.tui.widgets import curve as module
from tunesmith.tui.widgets.curve import Curve, CurvePane, Reference, Series

STYLE = Path(module.__file__).with_name("curve.tcss")
VARIABLES = {f"series-{role}": "#56B4E9" for role in ("train", "validation", "match", "f1", "base")}
THEMES = [
    Theme(name=name, primary="#808080", background=back, variables={**VARIABLES, "series-train": train})
    for name, train, back in (
        ("one", "#112233", "#101010"),
        ("other", "#445566", "#101010"),
        ("third", "#445566", "#202020"),
    )
]

LOSS = (Series("training loss", "train"), Series("validation loss", "validation", marker="●", ascii_mark="o"))
SCORES = (
    Series("exact match", "match", marker="▲", ascii_mark="#"),
    Series("F1", "f1", marker="◆", ascii_mark="+", dashed=True),
)


class Chart(App[None]):
    CSS_PATH = STYLE

    def __init__(self, curve: Curve) -> None:
        super().__init__()
        for theme in THEMES:
            self.register_theme(theme)
        self.theme = "one"
        self.curve = curve

    def compose(self) -> ComposeResult:
        yield self.curve

    def lines(self) -> list[str]:
        """What stands on the screen, as the windows of the chart remember it."""
        panes = [pane for pane in self.query(CurvePane).results(CurvePane) if pane.size]
        rows = [pane.render_lines(Region(0, 0, *pane.size)) for pane in panes]
        width, height = self.curve.size
        return ["".join(strips[y].text for strips in rows)[:width] for y in range(height)]


def see(curve: Curve, feed: Callable[[Curve], None], size: tuple[int, int] = (80, 24)) -> list[str]:
    """The lines of a screen of this size after `feed` has given the chart its points."""

    async def run() -> list[str]:
        app = Chart(curve)
        async with app.run_test(size=size) as pilot:
            feed(curve)
            await pilot.pause()
            return app.lines()

    return asyncio.run(run())


def falling(curve: Curve) -> None:
    curve.extend("training loss", list(range(101)), [2 - step / 50 for step in range(101)])


def plots(lines: list[str]) -> list[str]:
    return [line[7:] for line in lines[1:-1]]


def test_a_falling_line_in_braille() -> None:
    lines = see(Curve(LOSS, 100), falling)
    assert [len(line) for line in lines] == [80] * 24
    assert lines[0].strip() == "⠤⠤ training loss 0.000    ● validation loss –"
    assert lines[1].startswith("   2.0┤⠑")
    assert lines[12].startswith("   1.0")
    assert lines[22].startswith("   0.0┤")
    assert lines[22].endswith("⢄")
    assert lines[23].split() == ["0", "training", "step", "100"]
    starts = [min(at for at, char in enumerate(row) if char != " ") for row in plots(lines)]
    assert starts == sorted(starts)


def test_a_falling_line_in_ascii_is_nothing_but_ascii() -> None:
    lines = see(Curve(LOSS, 100, ascii=True), falling)
    assert all(line.isascii() for line in lines)
    assert lines[0].strip() == "* training loss 0.000    o validation loss -"
    assert lines[1].startswith("   2.0+*")
    assert lines[22].endswith("*")


def test_scores_stand_on_a_fixed_axis_with_the_untouched_model_as_a_dashed_line() -> None:
    def feed(curve: Curve) -> None:
        curve.extend("exact match", [0, 50], [10.0, 99.96])
        curve.extend("F1", [0, 50], [20.0, 80.0])

    lines = see(Curve(SCORES, 100, percent=True, reference=Reference("untouched model", 10.0)), feed)
    assert "▲ exact match 99.9 %" in lines[0]  # never rounded up to 100
    assert "◆ F1 80.0 %" in lines[0]
    assert "╌╌ untouched model 10.0 %" in lines[0]
    assert lines[1].startswith(" 100 %┤")
    assert lines[22].startswith("   0 %┤")
    assert sum(row.count("▲") for row in plots(lines)) == 2
    assert any(row.rstrip()[-9:] in {f"{dash} " * 4 + dash for dash in "⠉⠒⠤⣀"} for row in plots(lines))


def test_a_reference_may_become_known_later_and_go_again() -> None:
    def feed(curve: Curve) -> None:
        curve.set_reference(Reference("untouched model", 40.0))
        curve.set_reference(Reference("untouched model", 41.0))

    assert "untouched model 41.0 %" in see(Curve(SCORES, 100, percent=True), feed)[0]
    gone = Curve(SCORES, 100, percent=True, reference=Reference("untouched model", 40.0))
    assert "untouched" not in see(gone, lambda curve: curve.set_reference(None))[0]


def test_a_value_that_is_no_number_is_told_and_the_chart_goes_on() -> None:
    lines = see(Curve(LOSS, 100), lambda curve: curve.extend("training loss", [1, 2], [1.0, float("nan")]))
    assert "training loss nan" in lines[0]


def test_an_unknown_series_is_refused() -> None:
    with pytest.raises(KeyError):
        Curve(LOSS, 100).extend("trainig loss", [1], [1.0])


def test_points_given_one_by_one_look_as_points_given_at_once() -> None:
    values = [3.2 / (1 + step / 20) + (step * 37 % 11) / 20 for step in range(101)]

    def one_by_one(curve: Curve) -> None:
        for step, value in enumerate(values):
            curve.extend("training loss", [step], [value])
            if step % 25 == 0:
                curve.extend("validation loss", [step], [value + 0.1])

    def at_once(curve: Curve) -> None:
        few = list(range(0, 101, 25))
        curve.replace(
            {
                "training loss": (list(range(101)), values),
                "validation loss": (few, [values[step] + 0.1 for step in few]),
            }
        )

    assert see(Curve(LOSS, 100), one_by_one) == see(Curve(LOSS, 100), at_once)


def test_points_that_came_while_the_chart_was_hidden_are_there_when_it_is_shown() -> None:
    async def run() -> tuple[list[str], list[str]]:
        app = Chart(Curve(LOSS, 100))
        async with app.run_test() as pilot:
            app.curve.extend("training loss", [0], [2.0])
            await pilot.pause()
            app.curve.display = False
            await pilot.pause()
            for step in range(1, 101):
                app.curve.extend("training loss", [step], [2 - step / 50])
                await asyncio.sleep(0)
            app.curve.display = True
            await pilot.pause()
            return app.lines(), see_in_thread(falling)

    shown, fresh = asyncio.run(run())
    assert shown == fresh


def see_in_thread(feed: Callable[[Curve], None]) -> list[str]:
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(see, Curve(LOSS, 100), feed).result()


def test_a_chart_made_small_and_large_again_looks_as_before() -> None:
    async def run() -> tuple[list[str], list[str], list[str]]:
        app = Chart(Curve(LOSS, 100))
        async with app.run_test(size=(80, 24)) as pilot:
            falling(app.curve)
            await pilot.pause()
            before = app.lines()
            await pilot.resize_terminal(20, 5)
            await pilot.pause()
            small = app.lines()
            app.curve.extend("validation loss", [100], [0.5])
            app.curve.replace({"training loss": (list(range(101)), [2 - step / 50 for step in range(101)])})
            await pilot.resize_terminal(80, 24)
            await pilot.pause()
            return before, small, app.lines()

    before, small, after = asyncio.run(run())
    assert before == after
    assert [len(line) for line in small] == [20] * 5
    assert small[0].startswith("⠤⠤ 0.000")
    assert small[4].split() == ["0", "step", "100"]
    assert any(char >= "⠉" for row in plots(small) for char in row if char != " ")


@pytest.mark.parametrize("size", [(1, 1), (6, 2), (8, 3), (20, 4), (20, 5), (300, 90)])
def test_any_size_is_drawn(size: tuple[int, int]) -> None:
    lines = see(Curve(LOSS, 100, reference=Reference("level", 1.0)), falling, size)
    assert [len(line) for line in lines] == [size[0]] * size[1]


def test_clear_takes_up_a_new_run() -> None:
    def feed(curve: Curve) -> None:
        falling(curve)
        curve.clear(steps=2500)

    lines = see(Curve(LOSS, 100), feed)
    assert all(not row.strip() for row in plots(lines))
    assert "2,500" in lines[-1]
    assert "training loss –" in lines[0]


def test_a_change_of_theme_changes_the_colour_of_a_series() -> None:
    async def run() -> list[tuple[str, str]]:
        app, seen = Chart(Curve(LOSS, 100)), []
        async with app.run_test() as pilot:
            falling(app.curve)
            for theme in ("one", "other", "third"):
                app.theme = theme
                await pilot.pause()
                strips = [pane.render_lines(Region(0, 1, pane.size.width, 1))[0] for pane in app.query(CurvePane)]
                style = next(segment.style for strip in strips for segment in strip if "⠑" in segment.text)
                assert style is not None
                assert style.color is not None
                assert style.bgcolor is not None
                seen.append((style.color.name, style.bgcolor.name))
        return seen

    assert asyncio.run(run()) == [
        ("#112233", "#101010"),
        ("#445566", "#101010"),
        ("#445566", "#202020"),
    ]


def test_a_border_and_padding_move_the_chart_and_nothing_is_lost() -> None:
    async def run() -> list[str]:
        app = Chart(Curve(LOSS, 100))
        async with app.run_test(size=(84, 28)) as pilot:
            app.curve.styles.border = ("solid", "white")
            app.curve.styles.padding = 1
            await pilot.pause()
            falling(app.curve)
            await pilot.pause()
            return app.lines()

    assert asyncio.run(run()) == see(Curve(LOSS, 100), falling)


LIVE = """
import random
from textual.app import App
from tunesmith.tui.widgets.curve import Curve, Series

class Live(App):
    def compose(self):
        self.curve = Curve([Series("training loss", "train"), Series("validation loss", "validation", marker="●")], 400)
        yield self.curve

    def on_mount(self):
        random.seed(1)
        self.step = 200
        self.curve.replace({"training loss": (list(range(200)), [self.loss(step) for step in range(200)])})
        self.set_interval(0.5, self.more)

    def loss(self, step):
        return 0.4 + 2 / (1 + step / 40) + random.gauss(0, 0.1)

    def more(self):
        self.curve.extend("training loss", [self.step], [self.loss(self.step)])
        self.step += 1

Live().run()
"""


def sent(script: Path, seconds: float, until: float) -> bytes:
    """What a program sends to a terminal of 120x40 in `seconds` after its first `until` seconds."""
    leader, follower = pty.openpty()
    fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
    settings = {**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor"}
    command = [sys.executable, str(script)]
    with subprocess.Popen(command, stdin=follower, stdout=follower, stderr=follower, env=settings) as app:
        os.close(follower)
        received, began = b"", time.monotonic()
        try:
            drawn_at = None
            while drawn_at is None or time.monotonic() < drawn_at + until + seconds:
                assert time.monotonic() < began + 60, received[-2000:]
                ready, _, _ = select.select([leader], [], [], 0.05)
                data = os.read(leader, 1 << 16) if ready else b""
                if drawn_at is None or time.monotonic() > drawn_at + until:
                    received += data
                if drawn_at is None and "┤".encode() in received:
                    drawn_at, received = time.monotonic(), b""
        finally:
            app.kill()
            os.close(leader)
    return received


@pytest.mark.slow
def test_a_new_point_sends_few_bytes(tmp_path: Path) -> None:
    script = tmp_path / "live.py"
    script.write_text(LIVE)
    data = sent(script, seconds=4, until=1.2)
    assert 100 < len(data) < 4 * 1500
    assert "┤".encode() not in data  # neither the axis
    assert b"validation" not in data  # nor the rest of the legend


@pytest.mark.parametrize("ascii_only", [False, True])
def test_levels_are_named_at_the_right_end_of_their_lines(ascii_only: bool) -> None:
    def feed(curve: Curve) -> None:
        curve.set_levels([Reference("3-shot", 40.0, dash="dotted"), Reference("goal", 95.0, dash="solid")])
        curve.extend("exact match", [0, 100], [0.0, 100.0])

    lines = see(Curve(SCORES, 100, percent=True, ascii=ascii_only), feed)
    assert [len(line) for line in lines] == [80] * 24
    named = {
        name: next(y for y, line in enumerate(lines) if line.endswith(name.ljust(6))) for name in ("goal", "3-shot")
    }
    assert named["goal"] < named["3-shot"]
    assert "goal" not in lines[0] and "3-shot" not in lines[0]
    assert lines[1].rstrip().endswith("#" if ascii_only else "▲"), "the curve ends where the names begin"
    assert not ascii_only or all(line.isascii() for line in lines)


def test_two_levels_in_one_row_are_both_named_and_a_narrow_chart_names_none() -> None:
    def feed(curve: Curve) -> None:
        curve.set_levels([Reference("3-shot", 95.1), Reference("goal", 95.0)])

    lines = see(Curve(SCORES, 100, percent=True), feed)
    assert sum("goal" in line for line in lines) == sum("3-shot" in line for line in lines) == 1
    narrow = see(Curve(SCORES, 100, percent=True), feed, (40, 12))
    assert not any("goal" in line for line in narrow)
