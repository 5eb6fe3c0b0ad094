"""Rows that are there more than once."""

from __future__ import annotations

from tests.core.prepare.look.tables import look, only, pairs, people, records_of, seen_in
from tunesmith.core.facts import DataFinding
from tunesmith.core.plan.prepare import Repair
from tunesmith.core.prepare.look import find
from tunesmith.core.prepare.look.driver import repeats_gone
from tunesmith.core.prepare.repair.apply import apply


def test_exact_duplicates_are_counted_beside_the_first() -> None:
    rows = people(100)
    found = only(look([*rows, rows[3], rows[3], rows[50]], kind="duplicate"))
    assert (found.count, found.repairs, found.recommended) == (3, ({"kind": "drop-duplicates"},), True)
    assert found.text == "3 rows repeat an earlier row in every column."
    assert found.examples == ("line 102 repeats line 5", "line 103 repeats line 5", "line 104 repeats line 52")
    assert found.share == 3 / 103 and found.severity == "warning"
    assert found.picture == (("once", 98), ("twice", 1), ("3 to 5 times", 1))


def test_rows_that_differ_in_case_or_in_one_cell_are_no_duplicates() -> None:
    rows = [{"name": "x", "b": "1"}, {"name": "X", "b": "1"}, {"name": "x", "b": "2"}, {"name": "1", "b": "x"}]
    assert look(rows, kind="duplicate") == []


def test_rows_of_json_are_duplicates_whatever_the_order_of_their_keys() -> None:
    rows = [{"name": 1, "b": None}, {"b": "", "name": 1}, {"name": 1}, {"name": 2, "b": 1}]
    assert only(look(rows, kind="duplicate")).count == 2


def test_many_duplicates_are_serious() -> None:
    assert only(look(people(50) * 2, kind="duplicate")).severity == "serious"


def test_the_same_question_and_answer_under_another_number_are_found() -> None:
    rows = pairs(100, id=lambda n: f"r{n}")
    again = [rows[5] | {"id": "r900"}, rows[6] | {"id": "r901"}]
    found = only(look([*rows, *again], "question-answer", "same-pair"))
    assert found.count == 2 and found.column == "question"
    assert found.repair == {"kind": "drop-duplicates", "column": "question"}
    assert found.examples[0] == "line 102 repeats line 7"


def test_where_dropping_by_the_prompt_would_take_other_answers_equal_rows_are_dropped_by_both() -> None:
    rows = pairs(100, id=lambda n: f"r{n}")
    again = [rows[5] | {"id": "r900"}, rows[6] | {"id": "r901", "answer": "Something else was said about it."}]
    found = only(look([*rows, *again], "question-answer", "same-pair"))
    assert found.count == 1 and found.repair == {"kind": "drop-near-duplicates", "threshold": 1.0}
    done = apply(
        records_of([*rows, *again]),
        [Repair.model_validate(found.repair)],
        used=("question", "answer"),
    )
    assert done.set_aside == 1


def test_the_options_of_a_multiple_choice_beside_its_question_make_its_rows_no_repeats() -> None:
    rows = [
        {"question": f"What is the capital of land {n % 9}?", "A": f"city {n}", "answer": "ABCD"[n % 4]}
        for n in range(180)
    ]
    found = look(rows, "question-answer")
    same, apart = (only([one for one in found if one.kind == kind]) for kind in ("same-pair", "contradiction"))
    assert same.count == 144 and same.repairs and not same.recommended and not apart.recommended
    assert apart.text.endswith("What tells these rows apart may be in a column that no prompt shows.")


def test_where_near_copies_are_found_it_is_said_there_that_equal_rows_go_as_well() -> None:
    rows = [DataFinding(kind, "q", count, "Told.") for kind, count in (("same-pair", 184), ("near-duplicate", 5))]
    same, near = repeats_gone(rows)
    assert (
        same.repairs == () and near.text == "Told. What drops them drops the 184 that ask and answer the same as well."
    )
    assert repeats_gone(rows[1:]) == rows[1:]


def test_one_question_for_several_contexts_is_no_repeat() -> None:
    contexts = [{"question": "Who?", "context": f"It was person {n}.", "answer": f"person {n}"} for n in range(50)]
    assert look(contexts, "question-answer", "same-pair") == []


def test_a_name_in_several_rows_that_differ_is_told() -> None:
    rows = [{"name": "Al", "x": 1}, {"name": "Al", "x": 2}, {"name": "Bo", "x": 1}, {"name": "Bo", "x": 1}]
    found = only(look(rows, kind="repeated"))
    assert (found.count, found.repairs, found.examples) == (1, (), ("line 2: Al",))
    assert found.share == 0.5, "two of four rows"
    assert found.text.startswith("name: 1 value stands in several rows that differ, e.g. Al;")
    assert look([rows[0], rows[0], rows[2]], kind="repeated") == []


def test_duplicates_far_apart_are_found_batch_after_batch() -> None:
    rows = people(20_000)
    records = records_of([*rows, rows[17]])
    found = [one for one in find(records, seen_in(records, "table", {"entity": "name"})) if one.kind == "duplicate"]
    assert only(found).examples == ("line 20,002 repeats line 19",)
