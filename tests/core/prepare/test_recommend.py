"""What is recommended for a file, and that the recommendations make a plan that gives rows."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from pydantic import ValidationError

from tunesmith.core.draft import Draft
from tunesmith.core.errors import DataError, PlanError
from tunesmith.core.facts import Cpu, DataProfile, Facts, Hardware, ModelFacts
from tunesmith.core.plan import Prepare, Split
from tunesmith.core.practice import EMPLOYEES_CSV
from tunesmith.core.practice.employees import FLAWS, PEOPLE
from tunesmith.core.prepare.pipeline import prepare_rows
from tunesmith.core.prepare.prepared import Note, Prepared
from tunesmith.core.prepare.profile import profile
from tunesmith.core.prepare.read.load import read_records
from tunesmith.core.prepare.recommend import generic_questions, project_name, recommend_prepare
from tunesmith.core.rows import SPLITS, Row

NO_MODEL = ModelFacts("practice", "", "", "", 0, 0, "", 0, 0, 0, 0, 0, 0, 0, 0, True, True)


def recommended(data: DataProfile, **wishes: Any) -> Draft:
    draft = Draft({path.replace("__", "."): value for path, value in wishes.items()})
    recommend_prepare(draft, Facts(Hardware(Cpu("x", 2), 0, 0, 0), data, NO_MODEL))
    return draft


def rows_of(prepared: Prepared) -> dict[str, list[Row]]:
    return {name: list(prepared.rows(name)) for name in SPLITS}


def plan_of(draft: Draft) -> Prepare:
    return Prepare.model_validate(draft.tree()["prepare"])


@pytest.fixture(scope="module")
def practice() -> tuple[Draft, Prepared]:
    draft = recommended(profile("practice"))
    return draft, prepare_rows(plan_of(draft))


# The practice table


def test_every_value_of_the_section_is_recommended_with_a_reason(practice: tuple[Draft, Prepared]) -> None:
    draft, _ = practice
    paths = {f"prepare.{name}" for name in Prepare.model_fields if name != "split"}
    paths |= {f"prepare.split.{name}" for name in Split.model_fields} | {"name"}
    assert set(draft.values) == paths
    assert all(draft.reasons[path].because for path in paths)
    assert json.loads(json.dumps(draft.values)) == draft.values, "plain values, as YAML holds them"


def test_the_practice_table_is_asked_three_questions_in_every_layout(practice: tuple[Draft, Prepared]) -> None:
    values = practice[0].values
    assert (values["name"], values["prepare.data"], values["prepare.shape"]) == ("employees", "practice", "table")
    assert values["prepare.columns"] == {"entity": "name"}
    assert values["prepare.fields"] == ["name", "department", "hire_date", "salary"]
    assert values["prepare.questions"] == [
        {"ask": "When was {name} hired?", "answer": "{hire_date}"},
        {"ask": "Which department does {name} work in?", "answer": "{department}"},
        {"ask": "What is the salary of {name}?", "answer": "{salary}"},
    ]
    assert values["prepare.layouts"] == ["lines", "list", "json", "prose"]
    assert values["prepare.shuffle_fields"] is True


def test_all_planted_flaws_are_found_and_every_sound_person_is_kept(practice: tuple[Draft, Prepared]) -> None:
    draft, prepared = practice
    counts = {"exact duplicate row": 0, "missing cell": 0, "date in another format": 0, "salary out of range": 0}
    steps = dict(zip(("drop-duplicates", "drop-empty", "dates-to-iso", "drop-out-of-range"), counts, strict=True))
    for one in prepared.aside():
        counts[steps[one.step]] += 1
    assert counts == FLAWS
    assert (prepared.account.read, prepared.account.used) == (PEOPLE + sum(FLAWS.values()), PEOPLE)
    assert "salary: 3 values" in draft.reasons["prepare.repairs"].because


def test_the_practice_table_gives_exactly_300_test_questions(practice: tuple[Draft, Prepared]) -> None:
    assert practice[1].account.parts == {"train": 840, "validation": 60, "test": 300}
    groups = [{row.group for row in rows} for rows in rows_of(practice[1]).values()]
    assert len(groups[0] | groups[1] | groups[2]) == sum(map(len, groups)) == PEOPLE


def test_what_was_done_is_told(practice: tuple[Draft, Prepared]) -> None:
    notes = practice[1].notes
    assert notes[-1] == Note("2 rows set aside: repeats of an earlier row.", "note", 2)
    assert [note.count for note in notes] == [2, 1, 1, 1, 3, 2]
    assert "salary outside" in notes[-2].text


def test_the_practice_rows_stay_the_same_when_people_are_added(
    practice: tuple[Draft, Prepared], tmp_path: Path
) -> None:
    draft, before = practice
    more = EMPLOYEES_CSV.read_text() + "".join(
        f"{9000 + n},New Person{n},Legal,2021-02-0{n % 9 + 1},{50_000 + n}\n" for n in range(50)
    )
    (tmp_path / "more.csv").write_text(more)
    plan = plan_of(draft).model_copy(update={"data": "more.csv"})
    after = prepare_rows(plan, tmp_path)
    for name, rows in rows_of(before).items():
        new = [row for row in rows_of(after)[name] if not row.group.startswith("New Person")]
        assert new == rows
    assert after.total == before.total + 150
    assert after.notes[0] == Note(
        "more.csv has changed since the plan was made; the rows are made from what it holds now.", "warning"
    )


# Other files


def write(folder: Path, name: str, rows: list[dict[str, Any]]) -> DataProfile:
    (folder / name).write_text(json.dumps(rows))
    return profile(name, folder)


def test_any_table_is_asked_about_each_column(tmp_path: Path) -> None:
    rows = [
        {"sku": f"S{n}", "Product": f"Thing {n}", "unitPrice": 7 * n, "Launch Date": f"2020-01-{n % 28 + 1:02d}"}
        for n in range(60)
    ]
    draft = recommended(write(tmp_path, "my products!.json", rows))
    assert draft.values["name"] == "my-products"
    assert draft.values["prepare.fields"] == ["Product", "unitPrice", "Launch Date"]
    assert draft.values["prepare.questions"] == [
        {"ask": "What is the unit price of {Product}?", "answer": "{unitPrice}"},
        {"ask": "What is the launch date of {Product}?", "answer": "{Launch Date}"},
    ]
    prepared = prepare_rows(plan_of(draft))
    assert prepared.total == 120 and prepared.account.used == 60


def test_columns_with_braces_are_not_asked_about_by_template() -> None:
    german = generic_questions("Name", ["Personal-Nr", "Gehalt", "Vertragsart"])
    assert [one["ask"].split(" of ")[0] for one in german] == [
        "What is the Personal-Nr",
        "What is the Gehalt",
        "What is the Vertragsart",
    ]
    assert generic_questions("name", ["a{b}", "c"]) == [{"ask": "What is the c of {name}?", "answer": "{c}"}]


def test_a_file_with_an_optional_column_keeps_its_rows(tmp_path: Path) -> None:
    rows = [{"name": f"P{n}", "city": "Rome", "pet": "cat" if n % 2 else ""} for n in range(80)]
    draft = recommended(write(tmp_path, "a.json", rows))
    assert draft.values["prepare.repairs"] == []
    assert draft.reasons["prepare.repairs"].because == "nothing was found that has to be mended"
    prepared = prepare_rows(plan_of(draft))
    assert (prepared.account.used, prepared.total) == (80, 120)
    assert Note("40 questions left out, because the record lacks a value.", "note", 40) in prepared.notes


def test_questions_over_shared_contexts_are_split_by_context(tmp_path: Path) -> None:
    rows = [{"context": f"Text {n // 3}.", "question": f"Q{n}?", "answer": f"{n}"} for n in range(300)]
    draft = recommended(write(tmp_path, "a.json", rows))
    assert draft.values["prepare.split.by"] == "context"
    assert draft.values["prepare.questions"] == [] and draft.values["prepare.shuffle_fields"] is False
    prepared = prepare_rows(plan_of(draft))
    contexts = [{row.context for row in part} for part in rows_of(prepared).values()]
    assert len(set().union(*contexts)) == sum(map(len, contexts)) == 100


def test_questions_about_one_schema_are_not_kept_in_one_part(tmp_path: Path) -> None:
    rows = [{"context": "CREATE TABLE t (a INT);", "question": f"How many {n}?", "answer": f"{n}"} for n in range(100)]
    draft = recommended(write(tmp_path, "a.json", rows))
    assert draft.values["prepare.split.by"] is None
    assert prepare_rows(plan_of(draft)).total == 100


@pytest.mark.parametrize(
    ("row", "shape"),
    [
        (lambda n: {"prompt": f"P{n}", "completion": "c"}, "prompt-completion"),
        (lambda n: {"messages": [{"role": "user", "content": f"{n}"}, {"role": "assistant", "content": "x"}]}, "chat"),
    ],
)
def test_pairs_and_chats_give_a_row_each(tmp_path: Path, row: Callable[[int], dict[str, Any]], shape: str) -> None:
    draft = recommended(write(tmp_path, "a.json", [row(n) for n in range(100)]))
    assert (draft.values["prepare.shape"], draft.values["prepare.split.by"]) == (shape, None)
    assert prepare_rows(plan_of(draft)).total == 100


@pytest.mark.parametrize(
    ("rows", "test", "validation"),
    [
        (12, 0.25, 0.15),
        (40, 0.25, 0.15),
        (400, 0.25, 0.05),
        (4000, 0.25, 0.05),
        (10_000, 0.1, 0.02),
        (10**6, 0.01, 0.01),
    ],
)
def test_shares_give_enough_to_measure_by_and_leave_the_rest_for_training(
    rows: int, test: float, validation: float
) -> None:
    data = profile("practice")
    columns = tuple(msgspec.structs.replace(column, distinct=rows) for column in data.columns)
    data = msgspec.structs.replace(data, rows=rows, columns=columns, findings=(), shape="chat", roles={"messages": "x"})
    values = recommended(data).values
    assert (values["prepare.split.test"], values["prepare.split.validation"]) == (test, validation)


def test_the_reason_for_the_test_share_says_how_exact_the_score_will_be(practice: tuple[Draft, Prepared]) -> None:
    because = practice[0].reasons["prepare.split.test"].because
    assert because.startswith("about 300 rows: a score near 90 % is then known to within 3 points or so")
    assert math.isclose(100 * 1.96 * math.sqrt(0.09 / 300), 3.39, abs_tol=0.01)


def test_names_of_projects_are_such_as_the_plan_takes() -> None:
    assert project_name("practice") == "employees"
    assert project_name("/a/b/Über café (final).v2.csv") == "ber-caf-final-.v2"
    assert project_name("/a/漢字.csv") == "project"
    assert len(project_name("x" * 200 + ".csv")) == 64


def test_wishes_stand_in_the_plan_and_what_follows_from_them_follows(tmp_path: Path) -> None:
    data = profile("practice")
    draft = recommended(data, prepare__columns__entity="department", prepare__split__seed=3, name="hr")
    assert draft.tree()["prepare"]["columns"] == {"entity": "department"}
    assert draft.values["prepare.split.by"] == "department"
    assert draft.values["prepare.split.seed"] == 3 and draft.values["name"] == "hr"
    assert data.roles == {"entity": "name"}, "facts stay as they were"


def test_a_shape_that_was_wished_for_after_the_look_at_the_file(tmp_path: Path) -> None:
    data = write(tmp_path, "a.json", [{"question": f"Q{n}", "answer": "a", "topic": "t"} for n in range(30)])
    draft = recommended(data, prepare__shape="table")
    assert draft.values["prepare.columns"] == {"entity": "question"}
    with pytest.raises(DataError, match="No columns offer themselves as prompt and completion"):
        recommended(data, prepare__shape="prompt-completion")


@pytest.mark.parametrize(
    "wishes",
    [
        {"prepare__shape": "tabel"},
        {"prepare__columns": 7},
        {"prepare__columns": {}},
        {"prepare__fields": 7},
        {"prepare__questions": "x"},
    ],
)
def test_a_wish_of_a_wrong_kind_is_left_to_the_schema(wishes: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        plan_of(recommended(profile("practice"), **wishes))


def test_the_labels_that_the_model_is_told_are_those_that_the_repairs_leave(tmp_path: Path) -> None:
    labels = ["late", "Late", "lost", "other"]
    rows = [{"text": f"My parcel number {n} is not here.", "label": labels[n % 4]} for n in range(160)]
    data = write(tmp_path, "a.json", rows)
    draft = recommended(data)
    assert draft.values["prepare.system"] in (
        "Answer with one of these labels and nothing else: late, lost, other.",
        "Answer with one of these labels and nothing else: Late, lost, other.",
    )
    assert draft.values["prepare.split.stratify"] == "label"
    timed = recommended(data, prepare__split__time="label")
    assert timed.values["prepare.split.stratify"] is None, "both can't be, and the person said which"


# From a plan to rows


def test_a_relative_path_starts_at_the_plans_folder(practice: tuple[Draft, Prepared], tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_bytes(EMPLOYEES_CSV.read_bytes())
    prepared = prepare_rows(plan_of(practice[0]).model_copy(update={"data": "x.csv"}), tmp_path)
    assert prepared.account.source == str(tmp_path / "x.csv")
    assert rows_of(prepared) == rows_of(practice[1])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"columns": {"entity": "nam"}},
            "There is no column 'nam' in the data, though prepare.columns.entity names it. Did you mean 'name'?",
        ),
        (
            {"fields": ["name", "hired"]},
            "There is no column 'hired' in the data, though prepare.fields.1 names it. Did you mean 'hire_date'?",
        ),
        (
            {"repairs": [{"kind": "drop-empty", "column": "wage"}]},
            "There is no column 'wage' in the data, though prepare.repairs.0.column names it. "
            "There are: id, name, department, hire_date, salary.",
        ),
        (
            {"split": {"by": "Names", "validation": 0.1, "test": 0.1, "seed": 1}},
            "There is no column 'Names' in the data, though prepare.split.by names it. Did you mean 'name'?",
        ),
    ],
)
def test_a_plan_that_names_a_missing_column_is_refused(
    practice: tuple[Draft, Prepared], change: dict[str, Any], message: str
) -> None:
    tree = practice[0].tree()["prepare"] | change
    with pytest.raises(DataError) as caught:
        prepare_rows(Prepare.model_validate(tree))
    assert str(caught.value) == message


def test_a_question_about_a_missing_column_is_refused(practice: tuple[Draft, Prepared]) -> None:
    tree = practice[0].tree()["prepare"] | {"questions": [{"ask": "Who is {nmae}?", "answer": "{salary}"}]}
    with pytest.raises(PlanError, match=r"there is no column \{nmae\} in the data: .* Did you mean \{name\}\?"):
        prepare_rows(Prepare.model_validate(tree))


def test_repairs_that_leave_nothing_are_refused(practice: tuple[Draft, Prepared]) -> None:
    repairs = [
        {"kind": "drop-empty", "column": "salary"},
        {"kind": "drop-out-of-range", "column": "salary", "low": 1e9},
    ]
    tree = practice[0].tree()["prepare"] | {"repairs": repairs}
    with pytest.raises(DataError) as caught:
        prepare_rows(Prepare.model_validate(tree))
    assert caught.value.title == f"No row can be made of {EMPLOYEES_CSV}."
    assert caught.value.cause == "The repair of salary set 409 of 409 records aside."


def test_an_answer_outside_the_context_is_warned_of(practice: tuple[Draft, Prepared]) -> None:
    tree = practice[0].tree()["prepare"] | {"fields": ["name", "department", "hire_date"]}
    notes = prepare_rows(Prepare.model_validate(tree)).notes
    assert notes[-1].level == "warning"
    assert notes[-1].text == (
        "The answer to 'What is the salary of {name}?' is in no column of prepare.fields: the context can't tell it."
    )


def test_read_is_used_and_set_aside(practice: tuple[Draft, Prepared]) -> None:
    prepared = practice[1]
    told = prepared.account
    assert told.read == told.used + told.aside == len(read_records("practice").rows)
    assert sum(1 for _ in prepared.aside()) == told.aside
    assert sum(1 for _ in prepared.all) == prepared.total


def test_columns_whose_names_have_braces_are_refused_with_what_helps(tmp_path: Path) -> None:
    lines = ["name,{pay},team}", *(f"Person {chr(65 + n)},{n * 7},x{n}" for n in range(20))]
    (tmp_path / "a.csv").write_text("\n".join(lines) + "\n")
    with pytest.raises(DataError, match="the names of its columns have braces in them") as told:
        recommended(profile("a.csv", tmp_path))
    assert told.value.next_step == "Rename the columns in the file so that no { or } is in their names."
    assert "{pay}, team}" in told.value.cause


def test_ratings_on_a_scale_beside_a_prompt_and_its_answer_are_told(tmp_path: Path) -> None:
    rows = [{"prompt": f"Say {n}.", "completion": f"It is {n}.", "score": n % 5 + 1} for n in range(40)]
    (tmp_path / "a.json").write_text(json.dumps(rows))
    data = profile("a.json", tmp_path)
    assert data.shape == "prompt-completion"
    assert data.shape_because.endswith("it could also be rated answers (column score)")


def test_columns_with_few_values_are_offered_to_balance_by(tmp_path: Path) -> None:
    rows = [{"question": f"What is {n}?", "answer": f"It is {n}.", "topic": ("a", "b")[n % 2]} for n in range(60)]
    (tmp_path / "a.json").write_text(json.dumps(rows))
    draft = recommended(profile("a.json", tmp_path))
    assert draft.values["prepare.split.stratify"] is None
    assert [one.value for one in draft.reasons["prepare.split.stratify"].instead_of] == ["topic"]
