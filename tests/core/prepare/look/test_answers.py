"""Answers beside each other: too short, contradicting, or the same for many prompts."""

from __future__ import annotations

from typing import Any

from tests.core.prepare.look.tables import look, only, pairs, sentence


def test_answers_of_one_mark_are_dropped() -> None:
    rows = pairs(100)
    rows[3]["answer"], rows[8]["answer"] = ".", "!"
    found = only(look(rows, "question-answer", "short"))
    assert (found.count, found.examples) == (2, ("line 5: .", "line 10: !"))
    assert found.repair == {"kind": "drop-short", "column": "answer", "low": 2.0}
    assert found.text == "answer: 2 rows have an answer of one character."


def test_a_letter_or_a_digit_may_be_right() -> None:
    rows = pairs(100)
    rows[3]["answer"] = "7"
    found = only(look(rows, "question-answer", "short"))
    assert found.repair is None and found.repairs and found.text.endswith("; it may be right.")


def test_choices_and_labels_of_one_letter_are_what_is_wanted() -> None:
    assert look(pairs(100, answer=lambda n: "ABCD"[n % 4]), "question-answer", "short") == []
    assert look(pairs(100, answer=lambda n: "甲乙丙丁"[n % 4]), "question-answer", "short") == []


def labelled(*clashes: tuple[int, str]) -> list[dict[str, Any]]:
    rows = [{"text": sentence(n), "label": ("good", "bad")[n % 2]} for n in range(100)]
    return [*rows, *({"text": sentence(n), "label": label} for n, label in clashes)]


def test_a_text_with_two_labels_is_a_contradiction() -> None:
    found = only(look(labelled((4, "bad"), (9, "good"), (11, "bad")), "classification", "contradiction"))
    assert (found.column, found.count, found.recommended) == ("label", 4, True)
    assert [repair["keep"] for repair in found.repairs] == ["most", "none", "first"]
    assert found.examples == ("line 6: good; line 102: bad", "line 11: bad; line 103: good")
    assert found.text == "4 rows give 2 prompts different answers, e.g. good and bad."
    assert found.picture == (("1 answer", 98), ("2 answers", 2))


def test_one_label_in_two_ways_of_writing_is_no_contradiction() -> None:
    assert look(labelled(*[(n, "Good") for n in range(0, 20, 2)]), "classification", "contradiction") == []
    found = only(look(labelled((4, "Good"), (4, "Bad")), "classification", "contradiction"))
    assert found.count == 3 and found.examples[0].startswith("line 6: good; line 103: ")


def test_a_question_with_two_answers_is_the_persons_to_judge() -> None:
    rows = pairs(100)
    found = only(look([*rows, rows[5] | {"answer": "Nothing at all."}], "question-answer", "contradiction"))
    assert found.repair is None and found.repairs and found.text.endswith("; several may be right.")


def test_the_same_question_over_other_contexts_is_none() -> None:
    rows = [
        {"question": "Who came?", "context": f"It was number {n} who came to the old house.", "answer": f"number {n}"}
        for n in range(100)
    ]
    assert look(rows, "question-answer", "contradiction") == []
    asked = [{"prompt": "Put it in capitals.", "input": f"a{n}", "completion": f"A{n}"} for n in range(100)]
    assert look(asked, "prompt-completion", "contradiction") == []


BOILERPLATE = "Thank you for your message, we will come back to you."


def test_one_long_answer_to_many_prompts_is_boilerplate() -> None:
    rows = pairs(200)
    for row in rows[40:60]:
        row["answer"] = BOILERPLATE
    found = only(look(rows, "question-answer", "repeated-answer"))
    assert (found.count, found.repair, found.severity) == (20, None, "warning")
    assert found.repairs == ({"kind": "drop-repeated-answers", "column": "answer", "names": [BOILERPLATE]},)
    assert found.examples == (
        f"line 42: {BOILERPLATE} (20 times)",
        "line 43: the same to What is known about the morning of number 41?",
        "line 44: the same to What is known about the teacher of number 42?",
    )


def test_short_answers_repeats_of_a_row_and_refusals_are_no_boilerplate() -> None:
    rows = pairs(200)
    for row in rows[:30]:
        row["answer"] = "Rome"
    for row in rows[30:60]:
        row["answer"] = "I don't know, the text says nothing about it."
    again = [{"question": "What is said at the end?", "answer": BOILERPLATE}] * 30
    assert look([*rows, *again], "question-answer", "repeated-answer") == []
