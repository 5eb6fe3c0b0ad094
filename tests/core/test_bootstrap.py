"""Intervals: seeded, around the value, wider for rows that hang together, paired for differences."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunesmith.core.bootstrap import (
    Draws,
    difference_interval,
    exponential_difference_interval,
    group_count,
    mean_interval,
    unseen_error_bound,
)

DRAWS = Draws(confidence=0.95, resamples=2000, seed=7)


def test_the_interval_is_close_to_the_normal_one_for_many_independent_rows() -> None:
    values = [1.0] * 300 + [0.0] * 100
    found = mean_interval(values, DRAWS)
    half = 1.96 * math.sqrt(0.75 * 0.25 / 400)
    assert found.value == 0.75
    assert found.low == pytest.approx(0.75 - half, abs=0.01)
    assert found.high == pytest.approx(0.75 + half, abs=0.01)


def test_the_same_seed_gives_the_same_bounds_and_another_gives_others() -> None:
    values = [float(n % 3 == 0) for n in range(200)]
    assert mean_interval(values, DRAWS) == mean_interval(values, DRAWS)
    assert mean_interval(values, DRAWS) != mean_interval(values, Draws(0.95, 2000, 8))


def test_a_higher_confidence_is_wider() -> None:
    values = [float(n % 4 == 0) for n in range(100)]
    narrow, wide = (mean_interval(values, Draws(level, 2000, 1)) for level in (0.5, 0.99))
    assert wide.low < narrow.low < narrow.high < wide.high


def test_rows_of_one_person_count_as_one_draw() -> None:
    # 50 people with four questions each, all four right or all four wrong: 50 facts, not 200.
    values = [float(person % 2) for person in range(50) for _ in range(4)]
    people = [f"person {person}" for person in range(50) for _ in range(4)]
    alone, together = mean_interval(values, DRAWS), mean_interval(values, DRAWS, people)
    assert together.high - together.low > 1.7 * (alone.high - alone.low)  # twice as wide in theory: sqrt(4)


def test_rows_without_a_group_stand_alone() -> None:
    values = [float(n % 2) for n in range(40)]
    assert mean_interval(values, DRAWS, [""] * 40) == mean_interval(values, DRAWS)
    assert group_count(3, ["a", "", ""]) == 3
    assert group_count(3, ["a", "a", ""]) == 2
    assert group_count(3, []) == 3


def test_a_paired_difference_is_narrower_than_two_scores_apart() -> None:
    before = [float(n % 2) for n in range(100)]
    after = [1.0 if n < 10 else value for n, value in enumerate(before)]
    found = difference_interval(before, after, DRAWS)
    assert found.value == pytest.approx(0.05)
    assert 0 < found.low < 0.05 < found.high < 0.11
    alone = mean_interval(after, DRAWS)
    assert found.high - found.low < alone.high - alone.low


def test_many_groups_are_drawn_in_pieces_that_fit_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    values = [float(n % 3 == 0) for n in range(90)]
    monkeypatch.setattr("tunesmith.core.bootstrap._CELLS", 100)
    found = mean_interval(values, DRAWS)
    assert found.low < 1 / 3 < found.high


def test_no_row_and_other_lengths_are_refused() -> None:
    with pytest.raises(ValueError, match="at least one value"):
        mean_interval([], DRAWS)
    with pytest.raises(ValueError):
        mean_interval([1.0], DRAWS, ["a", "b"])
    with pytest.raises(ValueError):
        difference_interval([1.0], [], DRAWS)


def test_no_error_seen_is_not_no_error() -> None:
    assert unseen_error_bound(100, 0.95) == pytest.approx(0.0295, abs=1e-4)
    assert unseen_error_bound(1, 0.95) == pytest.approx(0.95)


@given(st.lists(st.sampled_from([0.0, 0.5, 2 / 3, 1.0]), min_size=1, max_size=30), st.integers(0, 5))
def test_the_value_lies_within_its_bounds(values: list[float], seed: int) -> None:
    found = mean_interval(values, Draws(0.95, 100, seed), [str(n % 7) for n in range(len(values))])
    assert 0 <= found.low <= found.value <= found.high <= 1 + 1e-12


def test_rows_may_count_more_than_others() -> None:
    assert mean_interval([1.0, 4.0], DRAWS, weights=[3, 1]).value == 1.75
    found = mean_interval([1.0, 4.0, 9.0], DRAWS, ["a", "a", "b"], weights=[3, 1, 0])
    assert (found.low, found.value, found.high) == (1.75, 1.75, 1.75)  # a group that counts for nothing is never drawn
    with pytest.raises(ValueError, match="at least one value"):
        mean_interval([1.0], DRAWS, weights=[0])


def test_a_difference_of_exponentials_draws_the_same_rows_in_both() -> None:
    before = [float(n % 5) for n in range(50)]
    after = [one - 1 for one in before]  # so in every draw the second is the first divided by e
    found = exponential_difference_interval(before, after, DRAWS)
    first = mean_interval(before, DRAWS)
    factor = 1 / math.e - 1
    assert found.value == pytest.approx(math.exp(first.value) * factor)
    assert found.low == pytest.approx(math.exp(first.high) * factor, rel=1e-3)
    assert found.high == pytest.approx(math.exp(first.low) * factor, rel=1e-3)
