"""Exact match and F1 are SQuAD's, by hand-worked cases and by what must hold for any text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunesmith.core.metrics import exact_match, exact_matches, normalize, token_f1, token_f1s


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("  The   Cat, sat. ", "cat sat"),
        ("A an THE", ""),
        ("2020-04-10", "20200410"),
        ("$85,000", "85000"),
        ("theatre an-d a.n", "theatre and"),
        ("Zoë’s €5", "zoë’s €5"),
        ("tab\tand\nline\u00a0break", "tab and line break"),
    ],
)
def test_normalisation_is_the_one_written_down(text: str, normal: str) -> None:
    assert normalize(text) == normal


@pytest.mark.parametrize(
    ("answer", "wanted", "match", "f1"),
    [
        ("Engineering", "engineering.", 1.0, 1.0),
        ("the Human Resources", "Human Resources", 1.0, 1.0),
        # precision 1/5, recall 1/1
        ("She works in the Engineering team", "Engineering", 0.0, 2 * (1 / 5) * 1 / (1 / 5 + 1)),
        # one of two words on both sides
        ("Human Relations", "Human Resources", 0.0, 0.5),
        # "b" is shared once although it stands twice: precision 1/2, recall 1/1
        ("b b", "b", 0.0, 2 / 3),
        ("2020-04-11", "2020-04-10", 0.0, 0.0),
        ("", "", 1.0, 1.0),
        ("the", "", 1.0, 1.0),
        ("", "Sales", 0.0, 0.0),
    ],
)
def test_hand_worked_cases(answer: str, wanted: str, match: float, f1: float) -> None:
    assert exact_match(answer, wanted) == match
    assert token_f1(answer, wanted) == pytest.approx(f1)


words = st.sampled_from(["a", "the", "cat", "Cat,", "dog", "10-4"])
texts = st.one_of(st.text(), st.lists(words, max_size=6).map(" ".join))


@given(texts, texts)
def test_f1_is_a_share_and_never_below_exact_match_and_both_are_symmetric(one: str, other: str) -> None:
    match, f1 = exact_match(one, other), token_f1(one, other)
    assert 0 <= match <= f1 <= 1
    assert match == exact_match(other, one)
    assert f1 == token_f1(other, one)


@given(texts)
def test_every_text_equals_itself(text: str) -> None:
    assert exact_match(text, text) == token_f1(text, text) == 1.0


def test_vectors_are_the_single_measures_and_refuse_other_lengths() -> None:
    assert exact_matches(["a b", "c"], ["b", "d"]) == [1.0, 0.0]
    assert token_f1s(["x y", "c"], ["x", "c"]) == pytest.approx([2 / 3, 1.0])
    with pytest.raises(ValueError):
        exact_matches(["a"], [])
