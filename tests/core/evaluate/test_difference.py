"""Differences are marked where exact match sees them, and what a probe's score says fits beside its bar."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunesmith.core.bootstrap import Interval
from tunesmith.core.evaluate.difference import Piece, difference
from tunesmith.core.evaluate.reading import probe_reading
from tunesmith.core.results import Scored


def marked(pieces: list[Piece]) -> str:
    return "".join(f"<{piece.text}>" if piece.differs else piece.text for piece in pieces)


@pytest.mark.parametrize(
    ("expected", "answer", "shown"),
    [
        ("2020-04-10", "2020-04-11", ("<2020-04-10>", "<2020-04-11>")),
        ("Human Resources", "The human resources.", ("Human Resources", "The human resources.")),
        (
            "hired on the 5th of May",
            "she was hired on 3rd of May",
            ("hired on the <5th> of May", "<she was> hired on <3rd> of May"),
        ),
        ("red", "", ("<red>", "")),
        ("", "red  wine ", ("", "<red  wine> ")),
    ],
)
def test_what_is_missing_and_what_is_too_much_are_marked(expected: str, answer: str, shown: tuple[str, str]) -> None:
    left, right = difference(expected, answer)
    assert (marked(left), marked(right)) == shown


@given(st.text(max_size=60), st.text(max_size=60))
def test_the_pieces_put_together_are_the_texts(expected: str, answer: str) -> None:
    for text, pieces in zip((expected, answer), difference(expected, answer), strict=True):
        assert "".join(piece.text for piece in pieces) == text


def test_long_texts_take_no_time() -> None:
    left, _ = difference("word " * 50_000, "other " * 50_000)
    assert sum(len(piece.text) for piece in left) == 250_000


def probe(kind: str, share: float, plainly: float | None, high: float | None = None) -> Scored:
    interval = Interval(share, max(0.0, share - 0.03), min(1.0, share + 0.03) if high is None else high)
    return Scored("tuned", kind, 90, 60, interval, interval, plain_exact_match=plainly)


@pytest.mark.parametrize(
    ("scored", "says"),
    [
        (probe("context-withheld", 0.0, 1.0), "it reads, nothing is remembered"),
        (probe("context-withheld", 0.05, 1.0), "a little is guessed or remembered"),
        (probe("context-withheld", 0.5, 1.0), "50.0 % without reading"),
        (probe("as-prose", 0.99, 1.0), "reads running text just as well"),
        (probe("as-prose", 0.5, 1.0), "50.0 points less: prose is harder"),
        (probe("fields-reordered", 0.9, 0.95, 0.97), "5.0 points less, maybe by chance"),
        (probe("values-invented", 0.9, None), ""),
        (probe("of-a-later-version", 0.9, 1.0), ""),
    ],
)
def test_a_probe_is_read_in_a_few_words(scored: Scored, says: str) -> None:
    assert probe_reading(scored) == says and len(says) <= 40


@pytest.mark.parametrize(
    ("metric", "kind", "score", "plainly", "says"),
    [
        ("rouge_l", "context-withheld", 0.05, 0.6, "5.0 % without reading"),
        ("rouge_l", "as-prose", 0.4, 0.6, "20.0 points less: prose is harder"),
        ("bleu", "as-prose", 0.59, 0.6, "reads running text just as well"),
        ("perplexity", "context-withheld", 8.1, 1.204, "1.204 on them asked plainly"),
        ("perplexity", "as-prose", 1.3, None, ""),
    ],
)
def test_a_probe_is_read_by_the_metric_that_was_chosen(
    metric: str, kind: str, score: float, plainly: float | None, says: str
) -> None:
    interval = Interval(score, 0.95 * score, 1.05 * score)
    exact = Interval(0.0, 0.0, 0.0)
    scored = Scored("tuned", kind, 90, 60, exact, exact, metric=metric, score=interval, plain_score=plainly)
    assert probe_reading(scored, metric) == says and len(says) <= 40
