"""Which kind each column is, which shape the rows have, and which column plays which part."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tunesmith.core.errors import DataError
from tunesmith.core.facts import Column, ColumnKind
from tunesmith.core.prepare.columns import profile_column
from tunesmith.core.prepare.kinds import plain_name
from tunesmith.core.prepare.profile import profile
from tunesmith.core.prepare.shape import NEEDED, candidates, check_columns, detect, is_good, nearest, roles_for


def column(name: str, cells: list[str]) -> Column:
    return profile_column(name, cells)


def text_columns(*names: str) -> list[Column]:
    return [Column(name, "text", 100, 60, ("some text", "more text")) for name in names]


@pytest.mark.parametrize(
    ("name", "cells", "kind"),
    [
        ("id", ["7", "9", "12"], "identifier"),
        ("employee_id", ["a7", "b9", "c12"], "identifier"),
        ("employeeId", ["7", "9", "12"], "identifier"),
        ("department_id", ["7", "7", "7", "9"], "number"),
        ("n", [str(n) for n in range(100, 130)], "identifier"),
        ("ref", [f"{n:08x}-0000-4000-8000-000000000000" for n in range(20)], "identifier"),
        ("salary", ["85000", "72,000", "$90,000.50", "", "-3"], "number"),
        ("share", ["12 %", "3.5%", "1e3"], "number"),
        ("hired", ["2020-04-10", "", "2021-01-01"], "date"),
        ("hired", ["10 April 2020", "Apr 1, 2021", "03/11/2019"], "date"),
        ("name", ["Alice", "Bob"], "text"),
        ("version", ["1.2.3", "1.2.4"], "text"),
        ("phone_number", ["555-0101", "555-0102"], "text"),
        ("empty", ["", "", ""], "text"),
    ],
)
def test_kinds_of_columns(name: str, cells: list[str], kind: ColumnKind) -> None:
    assert column(name, cells).kind == kind


def test_a_few_faults_do_not_change_the_kind_of_a_column() -> None:
    assert column("salary", ["85000"] * 19 + ["unknown"]).kind == "number"
    assert column("hired", ["2020-04-10"] * 19 + ["soon"]).kind == "date"


def test_a_column_counts_what_is_filled_and_what_differs_and_shows_examples() -> None:
    found = column("x", ["a", "b" * 200, "", "a", "c", "d"])
    assert (found.filled, found.distinct) == (5, 4)
    assert found.examples == ("a", "b" * 200, "c")


def test_names_are_compared_without_regard_to_how_they_are_written() -> None:
    assert plain_name("Hire Date") == plain_name("hireDate") == plain_name("HIRE-DATE") == "hire_date"


CHAT = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}]


@pytest.mark.parametrize(
    ("row", "shape", "roles"),
    [
        ({"Question": "q", "Answer": "a"}, "question-answer", {"question": "Question", "answer": "Answer"}),
        (
            {"id": 1, "context": "c", "question": "q", "answers": {"text": ["a"]}},
            "question-answer",
            {"question": "question", "answer": "answers", "context": "context"},
        ),
        ({"prompt": "p", "completion": "c"}, "prompt-completion", {"prompt": "prompt", "completion": "completion"}),
        (
            {"instruction": "i", "input": "x", "output": "o"},
            "prompt-completion",
            {"prompt": "instruction", "completion": "output", "input": "input"},
        ),
        ({"input": "i", "output": "o"}, "prompt-completion", {"prompt": "input", "completion": "output"}),
        ({"text": "t", "label": "l"}, "classification", {"text": "text", "label": "label"}),
        ({"review": "r", "sentiment": "good"}, "classification", {"text": "review", "label": "sentiment"}),
        ({"chosen": "c", "rejected": "r"}, "preference", {"chosen": "chosen", "rejected": "rejected"}),
        (
            {"prompt": "p", "chosen": "c", "rejected": "r"},
            "preference",
            {"chosen": "chosen", "rejected": "rejected", "prompt": "prompt"},
        ),
        (
            {"prompt": "p", "completion": "c", "label": True},
            "rated",
            {"prompt": "prompt", "completion": "completion", "rating": "label"},
        ),
        ({"text": "A long text about something."}, "text", {"text": "text"}),
        (
            {"system": "s", "instruction": "i", "input": "x", "output": "o"},
            "prompt-completion",
            {"prompt": "instruction", "completion": "output", "input": "input", "system": "system"},
        ),
        ({"messages": CHAT, "tools": [{"type": "function"}]}, "chat", {"messages": "messages", "tools": "tools"}),
        ({"messages": CHAT, "source": "x"}, "chat", {"messages": "messages"}),
        ({"conversations": [{"from": "human", "value": "Hi"}]}, "chat", {"messages": "conversations"}),
    ],
)
def test_shapes_are_told_by_the_names_of_columns(
    tmp_path: Path, row: dict[str, Any], shape: str, roles: dict[str, str]
) -> None:
    (tmp_path / "a.json").write_text(json.dumps([row, row]))
    found = profile("a.json", tmp_path)
    assert (found.shape, found.roles) == (shape, roles)
    assert all(name in found.shape_because for part, name in roles.items() if part in NEEDED[found.shape])


def test_a_weak_pair_among_other_columns_is_a_table() -> None:
    columns = text_columns("source", "target", "price", "name")
    assert detect(columns[:2]).shape == "prompt-completion"
    assert detect(columns).shape == "table"


def test_a_column_named_messages_that_holds_text_is_no_chat() -> None:
    columns = [Column("name", "text", 10, 10, ("Bob",)), Column("messages", "number", 10, 4, ("12", "3"))]
    assert detect(columns).shape == "table"


def test_the_entity_is_the_column_that_names_things() -> None:
    columns = [
        Column("id", "identifier", 410, 408, ("1001",)),
        Column("email", "text", 410, 408, ("a@b",)),
        Column("name", "text", 410, 407, ("Alice Smith",)),
        Column("department", "text", 409, 16, ("Design",)),
    ]
    found = detect(columns)
    assert (found.shape, found.roles) == ("table", {"entity": "name"})
    assert found.because == (
        "each row is a record about one name: its name says that it names things, and 407 of its 410 values differ"
    )


def test_without_a_name_the_first_short_text_that_differs_is_the_entity() -> None:
    columns = [
        Column("id", "identifier", 50, 50, ("1",)),
        Column("bio", "text", 50, 50, ("x" * 80,)),
        Column("first_name", "text", 50, 40, ("Al",)),
        Column("animal", "text", 50, 49, ("Yak",)),
        Column("legs", "number", 50, 3, ("4",)),
    ]
    assert detect(columns).roles == {"entity": "animal"}
    assert detect([columns[0], columns[4]]).roles == {"entity": "id"}


def test_a_table_in_which_everything_repeats_is_refused() -> None:
    columns = [Column("city", "text", 50, 5, ("Rome",)), Column("legs", "number", 50, 3, ("4",))]
    with pytest.raises(DataError) as caught:
        detect(columns)
    assert caught.value.title == "No column says what each row is about: in all of them values repeat."
    assert caught.value.cause == "There are: city, legs."
    assert "prepare.columns: {entity: COLUMN}" in caught.value.next_step


def test_a_table_with_one_column_is_refused() -> None:
    with pytest.raises(DataError, match="fewer than two columns with something in them"):
        detect([Column("name", "text", 5, 5, ("Rome",)), Column("x", "text", 0, 0)])


def test_a_shape_that_was_chosen_needs_its_columns() -> None:
    with pytest.raises(DataError) as caught:
        roles_for("question-answer", text_columns("name", "salary"))
    assert str(caught.value) == (
        "No columns offer themselves as question and answer, which the shape question-answer needs. There are: name, "
        "salary. Name them, e.g. prepare.columns: {question: COLUMN, answer: COLUMN}."
    )
    assert roles_for("prompt-completion", text_columns("text", "label", "x", "y"))["prompt"] == "text"


def test_what_the_person_chose_goes_before_what_is_detected(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("name,eins,zwei\nA,b,c\nD,e,f\n")
    assert profile("a.csv", tmp_path).roles == {"entity": "name"}
    assert profile("a.csv", tmp_path, columns={"entity": "eins"}).roles == {"entity": "eins"}
    found = profile("a.csv", tmp_path, columns={"question": "eins", "answer": "zwei"})
    assert (found.shape, found.shape_because) == ("question-answer", "your choice")
    assert profile("a.csv", tmp_path, shape="table").roles == {"entity": "name"}


def test_a_choice_that_the_schema_will_refuse_does_not_break_the_look_at_the_file(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("name,age\nA,1\nB,2\n")
    wrong: Any = "tabel"
    assert profile("a.csv", tmp_path, shape=wrong, columns=wrong).shape == "table"


def test_a_column_that_the_file_lacks_is_refused_with_the_nearest(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("Full Name,age\nA,1\nB,2\n")
    with pytest.raises(DataError) as caught:
        profile("a.csv", tmp_path, columns={"entity": "fullname"})
    assert str(caught.value) == (
        "There is no column 'fullname' in the data, though prepare.columns.entity names it. Did you mean 'Full Name'?"
    )
    with pytest.raises(DataError, match=r"There are: Full Name, age\."):
        check_columns({"prepare.split.by": "zzz"}, ["Full Name", "age"])
    assert nearest("hiredate", ["hire_date", "name"]) == "hire_date"


def test_every_shape_that_a_file_could_be_is_offered_the_surest_first() -> None:
    found = candidates(text_columns("name", "question", "answer"))
    assert [one.shape for one in found] == ["question-answer", "table"]
    assert [one.confidence for one in found] == sorted((one.confidence for one in found), reverse=True)
    assert all(0 < one.confidence <= 1 for one in found)


def test_columns_without_telling_names_are_a_text_and_its_label_where_few_values_repeat() -> None:
    long = Column("a", "text", 200, 198, ("My parcel has not arrived yet, and nobody answers the phone.",))
    few = Column("b", "text", 200, 4, ("late",))
    found = detect([Column("n", "identifier", 200, 200, ("1",)), long, few])
    assert (found.shape, found.roles) == ("classification", {"text": "a", "label": "b"})
    assert found.confidence < 0.7, "names say more"
    assert detect([long, Column("b", "text", 200, 190, ("Ann",))]).shape == "table"


def test_a_score_is_a_rating_only_beside_a_prompt_and_its_completion() -> None:
    columns = text_columns("prompt", "response")
    stars = Column("score", "number", 100, 5, ("4", "5", "1"))
    assert detect([*columns, stars]).shape == "prompt-completion"
    assert "rated" in [one.shape for one in candidates([*columns, stars])]
    thumbs = Column("thumbs_up", "text", 100, 2, ("true", "false"))
    assert detect([*columns, thumbs]).shape == "rated"


@pytest.mark.parametrize(
    ("rating", "good_from", "good"),
    [
        ("true", None, True),
        ("False", None, False),
        ("1", None, True),
        ("4", None, None),
        ("4", 4, True),
        ("3.5", 4, False),
        ("1", 4, False),
        ("good", 4, True),
        ("maybe", None, None),
        ("", None, None),
    ],
)
def test_a_rating_is_good_or_bad_by_its_word_or_from_a_number(
    rating: str, good_from: float | None, good: bool | None
) -> None:
    assert is_good(rating, good_from) is good


def test_each_dialect_is_called_by_its_name(tmp_path: Path) -> None:
    for rows, name in (
        ([{"instruction": "i", "input": "", "output": "o"}], "Alpaca"),
        ([{"conversations": [{"from": "human", "value": "Hi"}, {"from": "gpt", "value": "Hello"}]}], "ShareGPT"),
        ([{"messages": CHAT}], "OpenAI"),
        ([{"context": "c", "question": "q", "answers": {"text": ["a"]}}], "SQuAD"),
    ):
        (tmp_path / "a.json").write_text(json.dumps(rows))
        assert name in profile("a.json", tmp_path).shape_because


def test_the_shape_that_uses_most_of_the_named_columns_is_taken(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("x,y,z\n" + "".join(f"text {n},{n % 2},{n % 3}\n" for n in range(20)))
    for named, shape in (
        ({"text": "x", "label": "y"}, "classification"),
        ({"prompt": "x", "completion": "y", "rating": "z"}, "rated"),
        ({"prompt": "x", "completion": "y"}, "prompt-completion"),
        ({"text": "x"}, "text"),
    ):
        found = profile("a.csv", tmp_path, columns=named)
        assert (found.shape, found.roles) == (shape, named)


def test_notes_and_their_summaries_are_pairs_though_values_repeat() -> None:
    found = detect(text_columns("note", "summary"))
    assert (found.shape, found.roles) == ("prompt-completion", {"prompt": "note", "completion": "summary"})


def test_columns_that_the_model_never_sees_are_named(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(
        "id,question,A,B,answer,empty\n"
        + "".join(f"x{n},What is {n} more than {n}?,{2 * n % 7},{n * n % 17},{'AB'[n % 2]},\n" for n in range(30))
    )
    found = profile("a.csv", tmp_path)
    assert (found.shape, found.left_out) == ("question-answer", ("A", "B"))
    assert profile("a.csv", tmp_path, shape="table", columns={"entity": "id"}).left_out == ()
