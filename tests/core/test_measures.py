"""One table says what is measured; values, goals and directions follow from it, and rows add up to a score."""

from __future__ import annotations

import math
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunesmith.core.bootstrap import Draws, Interval
from tunesmith.core.measures import MEASURES, gain, interval, leading, measure, overall, per_row
from tunesmith.core.plan.understand import Metric

DRAWS = Draws(0.95, 500, 7)
TEXTUAL = [key for key, one in MEASURES.items() if not one.needs_model]
texts = st.one_of(st.text(max_size=40), st.lists(st.sampled_from(["the", "cat", "Cat,", "sat", "10-4"])).map(" ".join))


def test_every_metric_of_the_plan_is_in_the_table() -> None:
    assert set(MEASURES) == set(get_args(Metric))
    for key, one in MEASURES.items():
        assert one.key == key and one.counts and one.how and len(one.short) <= 7
    assert {key for key, one in MEASURES.items() if one.lower_is_better} == {"perplexity"}


@pytest.mark.parametrize(
    ("key", "value", "told"),
    [
        ("rouge_l", 0.4512, "45.1 %"),
        ("bleu", 0.9999, "99.9 %"),
        ("perplexity", 1.0042, "1.004"),
        ("perplexity", 38.149, "38.15"),
        ("perplexity", 231.04, "231.0"),
        ("perplexity", 2310.4, "2,310"),
        ("perplexity", 3.2e7, "3.2e+07"),
    ],
)
def test_a_share_is_told_in_percent_and_a_perplexity_as_a_number(key: str, value: float, told: str) -> None:
    assert MEASURES[key].told(value) == told


def test_bounds_changes_and_goals_are_told_alike() -> None:
    share, number = MEASURES["rouge_l"], MEASURES["perplexity"]
    assert share.span(Interval(0.5, 0.4, 0.6)) == "40.0–60.0 %" and number.span(Interval(1.2, 1.1, 12)) == "1.100–12.00"
    assert share.change(Interval(0.967, 0.95, 0.983)) == "+96.7 (+95.0 to +98.3)"
    assert number.change(Interval(-10.9, -12.0, 0.5)) == "-10.90 (-12.00 to +0.500)"
    assert share.success(0.4) == "ROUGE-L of at least 40 %" and number.success(1.5) == "perplexity of at most 1.5"
    assert share.goal(0.875) == "87.5 %" and number.goal(1.5) == "at most 1.5"


def test_lower_is_better_for_perplexity_alone() -> None:
    assert MEASURES["perplexity"].reaches(1.4, 1.5) and not MEASURES["perplexity"].reaches(1.6, 1.5)
    for key in TEXTUAL:
        assert MEASURES[key].reaches(0.9, 0.8) and not MEASURES[key].reaches(0.7, 0.8)


def test_f1_stands_beside_exact_match_and_the_others_lead_themselves() -> None:
    assert [leading(key) for key in MEASURES] == [
        "exact_match",
        "exact_match",
        "accuracy",
        "rouge_l",
        "bleu",
        "perplexity",
    ]


def test_a_measure_of_a_later_version_is_told_by_its_key() -> None:
    assert measure("meteor_2").name == "meteor_2" and measure("meteor_2").told(0.25) == "0.250"


@pytest.mark.parametrize("key", TEXTUAL)
@given(answer=texts, expected=texts)
def test_every_measure_of_a_text_is_a_share_and_whole_for_the_same_text(key: str, answer: str, expected: str) -> None:
    assert 0 <= per_row(key, answer, expected) <= 1
    assert per_row(key, answer, answer) == 1


def test_perplexity_is_not_measured_on_a_text() -> None:
    with pytest.raises(ValueError, match="perplexity is not measured on the text of an answer"):
        per_row("perplexity", "a", "a")


def test_shares_add_up_by_their_mean_and_perplexities_over_all_tokens() -> None:
    assert overall("rouge_l", [0.25, 0.75]) == 0.5
    # ln 2 for one token, ln 8 for three: e^((0.693 + 3 · 2.079) / 4) = 2^(10/4)
    assert overall("perplexity", [2.0, 8.0], [1, 3]) == pytest.approx(2**2.5)
    with pytest.raises(ValueError, match="at least one row"):
        overall("bleu", [])
    with pytest.raises(ValueError, match="at least one token"):
        overall("perplexity", [1.0], [0])


def test_the_interval_of_a_perplexity_holds_it_and_counts_tokens_not_rows() -> None:
    rows, tokens = [1.1, 1.2, 4.0, 1.1, 1.3] * 20, [10, 12, 1, 9, 11] * 20
    found = interval("perplexity", rows, DRAWS, tokens=tokens)
    assert found.value == pytest.approx(overall("perplexity", rows, tokens))
    assert 1 < found.low < found.value < found.high < 1.5
    alone = interval("perplexity", [3.0, 1.2], DRAWS, tokens=[0, 5])
    assert (alone.low, alone.value, alone.high) == pytest.approx((1.2, 1.2, 1.2))


def test_people_are_drawn_whole_for_a_perplexity_too() -> None:
    rows = [1.0 + 4 * (person % 2) for person in range(40) for _ in range(4)]
    people = [f"{person}" for person in range(40) for _ in range(4)]
    alone = interval("perplexity", rows, DRAWS, tokens=[1] * 160)
    together = interval("perplexity", rows, DRAWS, people, [1] * 160)
    assert together.high - together.low > 1.6 * (alone.high - alone.low)


def test_the_gain_of_a_perplexity_is_the_difference_of_both_and_paired() -> None:
    before = [10.0 + n % 7 for n in range(60)]
    after = [math.sqrt(one) for one in before]
    tokens = [3 + n % 5 for n in range(60)]
    found = gain("perplexity", before, after, DRAWS, tokens=tokens)
    apart = [interval("perplexity", rows, DRAWS, tokens=tokens) for rows in (before, after)]
    assert found.value == pytest.approx(apart[1].value - apart[0].value)
    assert found.low < found.value < found.high < 0
    assert found.high - found.low < (apart[0].high - apart[0].low) + (apart[1].high - apart[1].low)
    same = gain("perplexity", before, before, DRAWS, tokens=tokens)
    assert (same.low, same.value, same.high) == (0, 0, 0)


def test_the_gain_of_a_share_is_in_shares() -> None:
    assert gain("rouge_l", [0.0, 0.5], [0.5, 1.0], DRAWS).value == 0.5
