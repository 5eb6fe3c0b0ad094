"""How alike texts are: the estimate against the exact index, pairs found and not found, and what is kept."""

from __future__ import annotations

import random
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunesmith.core.meter import Cancelled
from tunesmith.core.prepare import likeness as alike
from tunesmith.core.prepare.likeness import (
    COMPARING,
    PERMUTATIONS,
    earlier,
    jaccard,
    joined,
    likeness,
    pairs,
    rows_of_band,
    signatures,
    tokens_of,
)

WORDS = [f"word{n}" for n in range(3000)]


def texts_with_copies(count: int, length: int, seed: int) -> list[str]:
    """Texts of `length` words, each third one a copy of an earlier one with some words changed."""
    rng = random.Random(seed)
    made: list[list[str]] = []
    for number in range(count):
        if number % 3 == 2:
            words = list(made[rng.randrange(len(made))])
            for _ in range(rng.randrange(length // 3 + 1)):
                words[rng.randrange(length)] = rng.choice(WORDS)
        else:
            words = [rng.choice(WORDS) for _ in range(length)]
        made.append(words)
    return [" ".join(words) for words in made]


# Tokens


def test_words_and_neighbours_are_compared_without_regard_to_case_and_signs() -> None:
    assert tokens_of("Der Große HUND.") == ["der", "grosse", "hund", "der grosse", "grosse hund"]
    assert jaccard("How are you?", "how ARE you") == 1.0


def test_the_order_of_words_counts_a_little() -> None:
    assert 0.3 < jaccard("the dog bites the man", "the man bites the dog") < 1.0


@pytest.mark.parametrize(("words", "likeness"), [(5, 0.5), (10, 0.727), (20, 0.857)])
def test_one_changed_word_weighs_less_the_longer_the_text(words: int, likeness: float) -> None:
    text = WORDS[:words]
    assert jaccard(" ".join(text), " ".join([*text[:2], "other", *text[3:]])) == pytest.approx(likeness, abs=0.001)


def test_scripts_without_spaces_are_compared_by_character() -> None:
    assert tokens_of("猫が好き") == ["猫", "が", "好", "き", "猫 が", "が 好", "好 き"]
    assert jaccard("私は猫がとても好きです", "私は犬がとても好きです") > 0.6


def test_texts_without_words() -> None:
    assert tokens_of(" !? ") == ["!?"]
    assert tokens_of(" \n") == []
    assert jaccard("", "") == 0.0


# Signatures


def test_signatures_estimate_the_likeness() -> None:
    texts = texts_with_copies(600, 20, seed=1)
    near = np.array([(one, other) for one, other in combinations(range(600), 2) if other % 3 == 2][:60_000])
    exact = np.array([jaccard(texts[one], texts[other]) for one, other in near[:5000]])
    found = likeness(signatures(texts), near[:5000])
    assert np.abs(found - exact).mean() < 0.02
    close = exact > 0.5
    assert np.abs(found[close] - exact[close]).mean() < 0.09


def test_signatures_do_not_depend_on_the_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = texts_with_copies(50, 8, seed=2)
    whole = signatures(texts)
    monkeypatch.setattr(alike, "CHUNK", 7)
    assert (signatures(iter(texts)) == whole).all()
    parts = [whole[:20], whole[20:]]
    assert (joined(parts) == whole).all() and parts == []


def test_no_texts_have_no_pairs() -> None:
    none = signatures([])
    assert none.shape == (0, PERMUTATIONS)
    assert pairs(none, 0.8).shape == (0, 2)
    assert len(earlier(none, pairs(none, 0.8))) == 0


# Pairs


@pytest.mark.parametrize("threshold", [0.6, 0.8, 0.9])
@pytest.mark.parametrize("length", [8, 20, 60])
def test_alike_pairs_are_found_and_unlike_ones_are_not(threshold: float, length: int) -> None:
    read = signatures(texts := texts_with_copies(350, length, seed=length))
    first = {row.tobytes(): number for number, row in reversed(list(enumerate(read)))}
    stands_for = [first[row.tobytes()] for row in read]
    found = {(int(one), int(other)) for one, other in pairs(read, threshold)}
    tokens = [set(tokens_of(text)) for text in texts]
    exact = {
        (one, other): len(tokens[one] & tokens[other]) / len(tokens[one] | tokens[other])
        for one, other in combinations(range(len(texts)), 2)
    }
    clear = [
        tuple(sorted((stands_for[one], stands_for[other])))
        for (one, other), share in exact.items()
        if share >= threshold + 0.1 and stands_for[one] != stands_for[other]
    ]
    assert sum(pair in found for pair in clear) >= 0.97 * len(clear)
    wrong = [pair for pair in found if exact[pair] < threshold - 0.15]
    assert len(wrong) <= 0.02 * len(found)


def test_equal_texts_are_each_paired_with_the_first() -> None:
    found = pairs(signatures(["a b c", "x y z", "A b c!", "a b c", "x y z"]), 0.9)
    assert found.tolist() == [[0, 2], [0, 3], [1, 4]]


def test_texts_without_words_are_like_nothing() -> None:
    assert len(pairs(signatures(["", " ", "", "a"]), 0.5)) == 0


def test_a_crowd_of_alike_texts_costs_no_square_and_leaves_one() -> None:
    rng = random.Random(4)
    base = [rng.choice(WORDS) for _ in range(60)]
    crowd = [" ".join([*base[:-1], f"number{n}"]) for n in range(20_000)]
    found = pairs(signatures(crowd), 0.7)
    assert len(found) < 40 * len(crowd)
    assert (earlier(signatures(crowd), found) < 0).sum() <= 3


def test_a_long_comparison_can_be_cancelled_between_bands() -> None:
    told: list[tuple[str, int, int]] = []

    def meter(doing: str, done: int, of: int) -> None:
        told.append((doing, done, of))
        if done == 2:
            raise Cancelled

    with pytest.raises(Cancelled):
        pairs(signatures(texts_with_copies(50, 8, seed=1)), 0.8, meter)
    assert [(doing, done) for doing, done, _ in told] == [(COMPARING, 0), (COMPARING, 1), (COMPARING, 2)]
    assert told[0][2] == PERMUTATIONS // rows_of_band(0.8)


# What is kept


@given(st.lists(st.lists(st.sampled_from("abcd"), max_size=6).map(" ".join), max_size=25), st.sampled_from([0.4, 0.7]))
def test_what_is_left_out_is_like_something_kept(texts: list[str], threshold: float) -> None:
    read = signatures(texts)
    found = pairs(read, threshold)
    like = earlier(read, found)
    for row, kept in enumerate(like.tolist()):
        if kept >= 0:
            assert kept < row and like[kept] == -1
            assert likeness(read, np.array([[kept, row]]))[0] >= threshold
    assert not any(like[one] == like[other] == -1 for one, other in found.tolist())
