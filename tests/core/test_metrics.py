"""Measures of a text: hand-worked cases, values of the packages that others use, and what must hold for any text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunesmith.core.metrics import (
    common_subsequence,
    corpus_bleu,
    exact_match,
    exact_matches,
    normalize,
    rouge_l,
    rouge_words,
    sentence_bleu,
    token_f1,
    token_f1s,
)


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


@pytest.mark.parametrize(
    ("answer", "wanted", "score"),
    [
        # Lin 2004, section 3.1: 3/4 and 2/4
        ("police kill the gunman", "police killed the gunman", 3 / 4),
        ("the gunman kill police", "police killed the gunman", 2 / 4),
        # The others as rouge_score 0.1.2 gives them: RougeScorer(["rougeL"]).score(wanted, answer)["rougeL"].fmeasure
        ("the police killed the gunman", "police killed the gunman", 0.888888888888889),
        ("testing one two", "testing", 0.5),
        ("", "testing", 0.0),
        ("testing", "", 0.0),
        (
            "The quick brown fox jumps over the lazy dog.",
            "A quick brown dog jumps on the lazy fox!",
            0.5555555555555556,
        ),
        ("don't under_score 3.14", "dont under score 314", 0.4),
        ("a b c d e f", "f e d c b a", 0.16666666666666666),
    ],
)
def test_rouge_l_is_that_of_its_paper_and_of_the_package_in_use(answer: str, wanted: str, score: float) -> None:
    assert rouge_l(answer, wanted) == pytest.approx(score)


def test_letters_of_every_script_count_for_rouge() -> None:
    assert rouge_words("It’s NAÏVE, हिन्दी: 3.5") == ["it", "s", "naïve", "हिन्दी", "3", "5"]
    assert rouge_words("猫が好き cat") == ["猫", "が", "好", "き", "cat"]
    assert rouge_l("η γάτα κάθεται", "η γάτα τρέχει") == pytest.approx(2 / 3)
    assert rouge_l("...", "!") == 1.0


def slow_common_subsequence(one: list[str], other: list[str]) -> int:
    """The table of the textbook (Cormen et al., section 15.4)."""
    before = [0] * (len(other) + 1)
    for left in one:
        row = [0]
        for place, right in enumerate(other, 1):
            row.append(before[place - 1] + 1 if left == right else max(row[-1], before[place]))
        before = row
    return before[-1]


letters = st.lists(st.sampled_from("abcd"), max_size=90)


@given(letters, letters)
def test_the_longest_common_subsequence_is_that_of_the_textbook(one: list[str], other: list[str]) -> None:
    assert common_subsequence(one, other) == slow_common_subsequence(one, other)


@given(texts, texts)
def test_rouge_l_is_symmetric(one: str, other: str) -> None:
    assert rouge_l(one, other) == rouge_l(other, one)


@pytest.mark.parametrize(
    ("answer", "wanted", "score"),
    [
        # sacrebleu 2.6.0, BLEU(effective_order=True).sentence_score
        ("It was not surprising.", "It wasn't surprising.", 0.23643540225079384),
        ("The man had just bitten him.", "The man had bitten the dog.", 0.2777619034011791),
        # both words right: precision 1 for one and two, so only the brevity penalty e^(1 − 6/2) is left
        ("the cat", "the cat sat on the mat", 0.1353352832366127),
        ("Engineering", "Engineering", 1.0),
        ("a", "b", 0.0),
        ("x", "", 0.0),
        ("", "x", 0.0),
        ("", " ", 1.0),
    ],
)
def test_bleu_of_a_row_is_sacrebleus_with_effective_order(answer: str, wanted: str, score: float) -> None:
    assert sentence_bleu(answer, wanted) == pytest.approx(score)


def test_bleu_of_all_rows_is_printed_as_papers_report_it_with_its_signature() -> None:
    answers = ["The dog bit the man.", "It was not surprising.", "The man had just bitten him."]
    wanted = ["The dog bit the man.", "It wasn't surprising.", "The man had bitten the dog."]
    told = corpus_bleu(answers, wanted)
    assert told.startswith("BLEU|nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp|version:")
    assert told.endswith("= 48.99 77.8/53.3/41.7/33.3 (BP = 1.000 ratio = 1.059 hyp_len = 18 ref_len = 17)")
    with pytest.raises(ValueError):
        corpus_bleu(["a"], [])
