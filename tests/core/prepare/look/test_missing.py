"""Cells without a value, and cells that say so in words."""

from __future__ import annotations

from typing import Any

import pytest

from tests.core.prepare.look.tables import look, only, pairs, people, records_of
from tunesmith.core.plan import Prepare, Repair
from tunesmith.core.prepare.make import make_rows
from tunesmith.core.prepare.repair.apply import apply


def test_few_empty_cells_are_faults() -> None:
    found = only(look(people(100, city=lambda n: " " if n == 99 else ("Rome", "Oslo")[n % 2]), kind="empty"))
    assert (found.text, found.examples, found.severity) == ("city is empty in 1 row.", ("line 101",), "warning")
    assert found.repair == {"kind": "drop-empty", "column": "city"}
    assert found.picture == (("filled", 99), ("empty", 1))


def test_many_empty_cells_are_an_optional_column() -> None:
    found = only(look(people(100, city=lambda n: None if n % 5 < 2 else ("Rome", "Oslo")[n % 2]), kind="empty"))
    assert found.text == "city is empty in 40 rows of 100: an optional column; it is left out where it is empty."
    assert found.repair is None and found.severity == "note"


def test_the_most_frequent_value_may_be_filled_in_where_it_stands_in_most_rows() -> None:
    found = only(look(people(100, city=lambda n: "" if n < 3 else "Rome" if n % 4 else "Oslo"), kind="empty"))
    assert found.repairs == (
        {"kind": "drop-empty", "column": "city"},
        {"kind": "fill-empty", "column": "city", "value": "Rome"},
    )


def test_a_needed_column_is_never_optional_and_never_filled() -> None:
    found = only(look(pairs(100, answer=lambda n: "" if n % 2 else f"Answer {n}"), "question-answer", "empty"))
    assert found.count == 50 and found.repair == {"kind": "drop-empty", "column": "answer"} and len(found.repairs) == 1
    assert found.severity == "serious"


def test_zero_and_false_are_values_and_the_input_of_an_instruction_may_be_absent() -> None:
    assert look([{"name": f"p{n}", "x": 0, "y": False} for n in range(30)], kind="empty") == []
    rows = [{"prompt": f"Say {n}.", "input": "", "completion": f"It is {n}."} for n in range(30)]
    assert look(rows, "prompt-completion", "empty") == []


@pytest.mark.parametrize("text", ["n/a", "N/A", "null", "NULL", "-", "?", "NaN", "\\N"])
def test_what_says_that_there_is_nothing_is_found(text: str) -> None:
    found = only(look(people(100, city=lambda n: text if n == 4 else ("Rome", "Oslo")[n % 2]), kind="disguised-empty"))
    assert (found.column, found.count, found.examples) == ("city", 1, (f"line 6: {text}",))
    assert found.repair == {"kind": "drop-values", "column": "city", "names": [text]}


def test_many_of_them_are_blanked_rather_than_dropped() -> None:
    rows = people(100, city=lambda n: "n/a" if n % 4 == 0 else ("Rome", "Oslo")[n % 2])
    found = only(look(rows, kind="disguised-empty"))
    assert found.repair == {"kind": "unify-labels", "column": "city", "values": {"n/a": ""}}


def test_none_may_be_an_answer() -> None:
    rows = pairs(100, answer=lambda n: "None" if n == 7 else f"The answer is {n}.")
    found = only(look(rows, "question-answer", "disguised-empty"))
    assert found.repair is None and found.text.endswith("; in this column it may also be a value.")


def test_what_is_missing_is_no_odd_number_and_no_odd_date_besides() -> None:
    rows = people(100)
    rows[3] |= {"salary": "n/a", "hired": "-"}
    assert {finding.kind for finding in look(rows)} == {"disguised-empty"}


def test_a_word_that_contains_them_is_a_value() -> None:
    assert look(people(100, city=lambda n: ("Nana", "Navarra", "A-B", "Why?")[n % 4])) == []


SQUAD = {"question": "question", "answer": "answers", "context": "context"}


def squad(count: int, none: Any, **marked: Any) -> list[dict[str, Any]]:
    """Questions about a text, of which every fourth has no answer."""
    return [
        {"question": f"Who is number {n}?", "context": f"Number {n} is Ada Byron{n} of London."}
        | {"answers": none if n % 4 == 0 else {"text": [f"Ada Byron{n}"], "answer_start": [5]}}
        | dict.fromkeys(marked, n % 4 == 0)
        for n in range(count)
    ]


@pytest.mark.parametrize("none", [[], {"text": [], "answer_start": []}, {"text": [""]}, "", None])
def test_a_question_that_its_text_does_not_answer_gets_an_answer_that_says_so(none: Any) -> None:
    rows = squad(40, none, is_impossible=True)
    found = only(look(rows, "question-answer", "unanswerable", **SQUAD))
    assert found.repair == {"kind": "fill-empty", "column": "answers", "value": "The text does not say."}
    assert (found.count, found.share) == (10, 0.25) and found.repairs[1]["kind"] == "drop-empty"
    assert found.text == "answers: 10 questions have no answer in the text, as is_impossible says."
    tree = {"data": "x.json", "shape": "question-answer", "columns": SQUAD}
    plan = Prepare.model_validate(tree | {"split": {"validation": 0.1, "test": 0.1, "seed": 1}})
    records = records_of(rows)
    for repair, answers in zip(found.repairs, (40, 30), strict=True):
        done = apply(records, [Repair.model_validate(repair)], used=("answers", "question", "context"))
        made = make_rows(done.view.records(), records.columns, plan)
        assert (len(made.rows), made.aside) == (answers, [])
        assert sum(row.answer == "The text does not say." for row in made.rows) == answers - 30


def test_empty_answers_that_nothing_marks_are_a_fault() -> None:
    found = only(look(squad(40, []), "question-answer", "empty", **SQUAD))
    assert found.repair == {"kind": "drop-empty", "column": "answers"} and found.count == 10
