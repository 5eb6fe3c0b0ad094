"""Texts far longer than the others."""

from __future__ import annotations

from tests.core.prepare.look.tables import look, only, pairs


def test_a_text_far_longer_than_the_others_is_told_as_a_choice() -> None:
    rows = pairs(200)
    rows[7]["answer"] = "word " * 4000
    found = only(look(rows, "question-answer", "long"))
    assert (found.column, found.count, found.repair) == ("answer", 1, None)
    assert found.repairs == ({"kind": "drop-long", "column": "answer", "high": 2000.0},)
    assert found.text.startswith(
        "answer: 1 text is longer than 2,000 characters, up to 19,999; half of all have at most "
    )
    assert found.examples == ("line 9: 19,999 characters",)
    assert sum(count for _, count in found.picture) == 200 and found.picture[-1][1] == 1


def test_texts_of_all_lengths_raise_nothing() -> None:
    rows = pairs(200, answer=lambda n: "word " * (1 + n * 40))
    assert look(rows, "question-answer", "long") == []
    assert look(pairs(200, answer=lambda n: "x" * 50 if n else "x" * 1500), "question-answer", "long") == []


def test_one_long_text_of_few_is_told() -> None:
    rows = pairs(30)
    rows[7]["answer"] = "word " * 20_000
    found = only(look(rows, "question-answer", "long"))
    assert (found.count, found.examples) == (1, ("line 9: 99,999 characters",))
