"""How prompts are put, and whether answers stand in their context."""

from __future__ import annotations

from typing import Any

from tests.core.prepare.look.tables import look, only, pairs


def test_questions_of_which_some_end_with_a_mark() -> None:
    rows = pairs(100, question=lambda n: f"What is {n}?" if n % 4 else f"what is {n}")
    found = only(look(rows, "question-answer", "prompt-form"))
    assert found.text == "question: 75 texts of 100 (75 %) end with a question mark, the others don't."
    assert (found.severity, found.repairs, found.count) == ("note", (), 25)
    assert found.examples == ("line 3: What is 1?", "line 2: what is 0")


def test_prompts_of_which_some_begin_with_a_mark() -> None:
    rows = pairs(100, question=lambda n: f"Q: what is {n}?" if n % 5 == 0 else f"What is {n}?")
    found = only(look(rows, "question-answer", "prompt-form"))
    assert "20 texts of 100 (20 %) begin with a mark such as Q:" in found.text


def test_one_way_of_asking_and_instructions_raise_nothing() -> None:
    assert look(pairs(100, question=lambda n: f"Q: what is {n}?"), "question-answer", "prompt-form") == []
    rows = [{"prompt": "Say it." if n % 2 else "What is it?", "completion": f"It is {n}."} for n in range(100)]
    assert look(rows, "prompt-completion", "prompt-form") == []
    assert look(pairs(100, question=lambda n: f"What is {n}" + "?" * (n != 3)), "question-answer", "prompt-form") == []


def context_rows(copied: int, of: int) -> list[dict[str, Any]]:
    return [
        {
            "question": f"Who is number {n}?",
            "context": f"Number {n} is Ada Byron{n} of London.",
            "answer": f"Ada Byron{n}." if n < copied else "A person from England.",
        }
        for n in range(of)
    ]


def test_answers_that_stand_in_the_context_and_ones_that_do_not() -> None:
    found = only(look(context_rows(60, 80), "question-answer", "copied"))
    assert found.text == "answer: 75 % of the answers stand word by word in context; 20 answers do not."
    assert found.examples == (
        "line 2: Ada Byron0. (in context)",
        "line 62: A person from England. (not in context)",
    )
    assert found.picture == (("in the context", 60), ("not in it", 20)) and found.severity == "note"


def test_without_a_context_nothing_is_said() -> None:
    assert look(pairs(100), "question-answer", "copied") == []
