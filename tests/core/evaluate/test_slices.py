"""The score apart for each value of a column."""

from __future__ import annotations

from tunesmith.core.bootstrap import Draws
from tunesmith.core.evaluate.slices import MOST_VALUES, OTHERS, slices, worse_than_the_rest
from tunesmith.core.measures import interval
from tunesmith.core.results import Prediction

DRAWS = Draws(0.95, 400, 7)


def answers(values: list[str], right: list[float]) -> list[Prediction]:
    return [
        Prediction(str(n), "q", "a", "a", score, score, slices={"team": value})
        for n, (value, score) in enumerate(zip(values, right, strict=True))
    ]


def test_each_value_is_scored_over_its_own_rows() -> None:
    values = ["a"] * 40 + ["b"] * 10
    base = answers(values, [0.0] * 50)
    tuned = answers(values, [1.0] * 40 + [0.0] * 8 + [1.0] * 2)
    found = slices(base, tuned, "exact_match", DRAWS)
    assert [(one.column, one.value, one.rows) for one in found] == [("team", "a", 40), ("team", "b", 10)]
    assert found[0].tuned is not None and found[0].tuned.value == 1.0
    assert found[1].tuned is not None and found[1].tuned.value == 0.2
    assert all(one.base is not None and one.base.value == 0 for one in found)
    overall = interval("exact_match", [row.exact_match for row in tuned], DRAWS)
    assert [one.value for one in worse_than_the_rest(found, overall, lower_is_better=False)] == ["b"]


def test_rare_values_are_counted_together_and_every_row_once() -> None:
    values = [f"v{n % 30:02}" for n in range(300)] + ["common"] * 50
    rows = answers(values, [1.0] * 350)
    found = slices(rows, rows, "exact_match", DRAWS)
    assert len(found) == MOST_VALUES + 1
    assert (found[0].value, found[-1].value) == ("common", OTHERS)
    assert sum(one.rows for one in found) == 350


def test_without_a_slice_there_is_nothing_to_tell() -> None:
    rows = [Prediction("1", "q", "a", "a", 1.0, 1.0)]
    assert slices(rows, rows, "exact_match", DRAWS) == []
    assert worse_than_the_rest([], None, lower_is_better=False) == []
