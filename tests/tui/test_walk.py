"""The wizard in a real terminal: walked with Enter alone, left, cut off, killed, resized, and come back to."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tunesmith.core.run import list_runs

from .conftest import TUNESMITH
from .terminal import Terminal

ENTER = "\r"
Open = Callable[..., Terminal]


@pytest.fixture
def opened(here: Path) -> Iterator[Open]:
    """Opens terminals, and closes them afterwards."""
    here.mkdir(exist_ok=True)
    terminals: list[Terminal] = []

    def open_one(*words: str, columns: int = 80, rows: int = 24, **environment: str) -> Terminal:
        terminals.append(Terminal([TUNESMITH, *words], columns, rows, here, environment))
        return terminals[-1]

    yield open_one
    for terminal in terminals:
        terminal.close()


def to_review(screen: Terminal) -> None:
    """From the start to the review, with Enter alone."""
    screen.until("Enter opens the practice project")
    screen.press(ENTER)
    screen.until("accept this brief")
    screen.press(ENTER)
    screen.until("accept this data")
    screen.press(ENTER)
    screen.until("accept these settings")
    screen.press(ENTER)
    screen.until("start the training")


@pytest.mark.slow
def test_enter_alone_leads_from_the_first_key_to_the_served_and_tried_model(opened: Open, runs_folder: Path) -> None:
    screen = opened()
    to_review(screen)
    screen.press(ENTER)
    screen.until(lambda text: "step " in text and " of 106" in text, 240)
    screen.until("open Evaluate", 240)
    screen.press(ENTER)
    screen.until("Goal of 95 % reached", 120)
    screen.until("go on to Productionize", 60)
    screen.press(ENTER)
    screen.until("serve the model and try it", 120)
    screen.press(ENTER)
    screen.until("http://127.0.0.1:", 120)
    screen.until("ask the model this question", 60)
    screen.press(ENTER)
    screen.until("the same", 60)
    screen.press("\x11")  # Ctrl+Q
    assert screen.ended()
    run = list_runs(runs_folder)[0]
    assert run.state().status == "finished"
    assert run.merged.exists() and run.commands_path.exists()


def test_leaving_keeps_the_answers_and_the_next_start_goes_on(opened: Open) -> None:
    screen = opened()
    screen.until("Enter opens the practice project")
    screen.press(ENTER)
    screen.until("accept this brief")
    down = ["\x1b[B"] * 11  # to the threshold
    screen.press(*down)
    screen.until("How good is good enough?")
    screen.press("\x7f" * 4, "0.77")
    screen.until("0.77")
    screen.press("\x11")
    assert screen.ended()
    screen.until("Your answers are kept")
    again = opened()
    again.until("Go on with employees")
    again.press(ENTER)
    again.until("accept this brief")
    again.press(*down)
    again.until("0.77")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_leaves_the_terminal_as_it_was(opened: Open, number: int) -> None:
    screen = opened()
    screen.until("Enter opens the practice project")
    screen.kill(number)
    assert screen.ended()
    assert screen.process.exitstatus == 0
    for left in (b"\x1b[?1049l", b"\x1b[?1000l", b"\x1b[?25h"):  # the alternate screen, the mouse, the cursor
        assert left in screen.raw


def test_every_answer_is_there_after_kill_9(opened: Open) -> None:
    screen = opened()
    screen.until("Enter opens the practice project")
    screen.press(ENTER)
    screen.until("accept this brief")
    screen.press(ENTER)
    screen.until("accept this data")
    screen.kill(signal.SIGKILL)
    assert screen.ended()
    again = opened()
    again.until("Go on with employees")
    again.press(ENTER)
    again.until("accept this data")


@pytest.mark.slow
def test_it_can_be_resized_to_nothing_and_back_at_every_step(opened: Open) -> None:
    screen = opened()
    steps = ("accept this brief", "accept this data", "accept these settings", "start the training")
    for press, shown in (("", "Enter opens the practice project"), *((ENTER, step) for step in steps)):
        screen.press(press)
        screen.until(shown)
        for size in ((20, 5), (200, 60), (40, 12), (80, 24)):
            screen.resize(*size)
            screen.read(0.4)
            assert screen.process.isalive(), screen.text
        screen.until(shown)


def test_a_window_that_is_pulled_small_and_back_at_once_is_painted_anew(opened: Open) -> None:
    screen = opened()
    screen.until("Enter opens the practice project")
    for _ in range(5):  # the program sees the size it had, while the terminal has cut what it showed
        screen.resize(20, 5)
        screen.resize(80, 24)
    screen.until("Enter opens the practice project", 10)


@pytest.mark.slow
def test_a_screen_that_waits_sends_nothing(opened: Open) -> None:
    screen = opened(columns=120, rows=40)
    to_review(screen)
    screen.until("simulated")  # a training step was, and what it takes of memory is shown: nothing is left to come
    screen.read(2)
    before = screen.sent
    screen.read(3)
    assert screen.sent == before


def test_a_dropped_line_hurts_nothing(opened: Open, runs_folder: Path) -> None:
    screen = opened()
    screen.until("Enter opens the practice project")
    screen.press(ENTER)
    screen.until("accept this brief")
    screen.hang_up()
    assert screen.ended(15)
    time.sleep(0.2)
    again = opened()
    again.until("Go on with employees")


def test_a_terminal_that_takes_nothing_and_then_drops_leaves_nothing_behind(opened: Open) -> None:
    screen = opened(columns=200, rows=60)
    screen.until("Enter opens the practice project")
    for _ in range(200):  # much is to be drawn, and nobody reads it
        screen.press("\x1b[B", "\x1b[A", "?", "\x1b")
    time.sleep(3)
    screen.hang_up()
    assert screen.ended(15)


@pytest.mark.slow
def test_no_colour_and_ascii_terminals_work(opened: Open) -> None:
    screen = opened("--ascii", NO_COLOR="1", TERM="xterm")
    to_review(screen)
    assert screen.text.isascii(), [sign for sign in screen.text if not sign.isascii()]
