"""What is said of a piece of work that is under way."""

from __future__ import annotations

from tunesmith.core.pace import Pace


def test_rate_and_time_left_are_told_once_they_are_known() -> None:
    pace = Pace()
    pace.see("reading", 0, 1_000_000, 10.0)
    assert pace.text() == "Reading: 0 of 1,000,000"
    pace.see("reading", 40_000, 1_000_000, 10.5)
    assert pace.rate is None, "half a second tells no rate"
    pace.see("reading", 250_000, 1_000_000, 15.0)
    assert (pace.rate, pace.left) == (50_000, 15.0)
    assert pace.text() == "Reading: 250,000 of 1,000,000, 50,000 a second, 15 s left"


def test_another_piece_of_work_begins_anew() -> None:
    pace = Pace()
    pace.see("reading", 0, 100, 0.0)
    pace.see("reading", 90, 100, 3.0)
    pace.see("splitting", 0, 0, 3.5)
    assert (pace.text(), pace.rate, pace.left) == ("Splitting", None, None)


def test_where_the_end_is_not_known_no_time_is_promised() -> None:
    pace = Pace()
    pace.see("reading", 0, 0, 0.0)
    pace.see("reading", 5_000, 0, 2.0)
    assert pace.text() == "Reading: 5,000, 2,500 a second"


def test_the_same_begun_once_more_has_a_pace_of_its_own() -> None:
    pace = Pace()
    pace.see("comparing", 0, 21, 0.0)
    pace.see("comparing", 20, 21, 30.0)
    pace.see("comparing", 2, 12, 40.0)
    assert (pace.rate, pace.left) == (None, None)
    pace.see("comparing", 7, 12, 45.0)
    assert (pace.rate, pace.left) == (1.0, 5.0)
