"""Answers that say that something is not known, and that there is none of them."""

from __future__ import annotations

import pytest

from tests.core.prepare.look.tables import look, only, pairs
from tunesmith.core.prepare.look.refusals import is_refusal


@pytest.mark.parametrize(
    "text",
    ["I don't know.", "I’m sorry, but I can’t help with that.", "The salary is not stated.", "Das weiß ich nicht.",
     "As an AI language model, I have no opinion.", "No lo sé.", "Je ne sais pas."],
)  # fmt: skip
def test_refusals_in_several_languages(text: str) -> None:
    assert is_refusal(text)


@pytest.mark.parametrize("text", ["Paris", "He noted the state of it.", "She knows.", "", "x" * 500 + "I don't know"])
def test_answers_are_none(text: str) -> None:
    assert not is_refusal(text)


def test_some_refusals_are_told() -> None:
    rows = pairs(100)
    for row in rows[10:15]:
        row["answer"] = "It is not stated in the text."
    found = only(look(rows, "question-answer", "refusal"))
    assert (found.count, found.severity, found.repair) == (5, "note", None)
    assert found.text == "answer: 5 answers (5.0 %) say that something is not known, not stated or refused."
    assert found.repairs[0]["names"] == ["It is not stated in the text."]
    assert found.examples == ("line 12: It is not stated in the text.",)


def test_many_refusals_are_a_warning() -> None:
    rows = pairs(100, answer=lambda n: "I don't know." if n % 2 else f"It is {n}.")
    found = only(look(rows, "question-answer", "refusal"))
    assert found.severity == "warning" and "The model learns to refuse" in found.effect


def test_none_at_all_is_told_of_questions() -> None:
    found = only(look(pairs(100), "question-answer", "no-refusal"))
    assert (found.severity, found.repairs) == ("note", ())
    assert look(pairs(99), "question-answer", "no-refusal") == []
