"""From a file to a prepared set: every record is accounted for, the same is not made twice, a change is noticed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from tunesmith.core import parallel
from tunesmith.core.errors import DataError
from tunesmith.core.meter import Cancelled
from tunesmith.core.plan import Prepare
from tunesmith.core.prepare import pipeline
from tunesmith.core.prepare.pipeline import prepare_rows
from tunesmith.core.prepare.prepared import Prepared, RejectedLine
from tunesmith.core.prepare.profile import profile
from tunesmith.core.rows import SPLITS

SPLIT = {"validation": 0.1, "test": 0.2, "seed": 3}


def plan(data: str, **changes: Any) -> Prepare:
    tree = {
        "data": data,
        "shape": "question-answer",
        "columns": {"question": "q", "answer": "a"},
        "split": SPLIT | changes.pop("split", {}),
    }
    return Prepare.model_validate(tree | changes)


def write(folder: Path, rows: list[dict[str, Any]], name: str = "d.jsonl") -> str:
    (folder / name).write_text("\n".join(json.dumps(row) for row in rows))
    return name


def many(count: int = 200) -> list[dict[str, Any]]:
    return [
        {"q": f"What is number {n} of the list?", "a": f"It is {n * 7}.", "team": f"t{n % 3}"} for n in range(count)
    ]


def answers(prepared: Prepared) -> dict[str, list[str]]:
    return {split: [row.answer for row in prepared.rows(split)] for split in SPLITS}


def test_the_same_is_not_made_twice_and_a_change_of_the_file_or_the_recipe_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = write(tmp_path, many())
    first = prepare_rows(plan(name), tmp_path)
    with monkeypatch.context() as patched:
        patched.setattr(pipeline, "_make_anew", None)
        assert prepare_rows(plan(name, licence="CC0"), tmp_path).folder == first.folder, "no reason to make it anew"
    write(tmp_path, many(201))
    second = prepare_rows(plan(name), tmp_path)
    assert second.folder != first.folder and second.total == 201
    third = prepare_rows(plan(name, split={"seed": 4}), tmp_path)
    assert third.folder != second.folder and answers(third) != answers(second)


def test_a_damaged_set_is_made_anew(tmp_path: Path) -> None:
    name = write(tmp_path, many())
    first = prepare_rows(plan(name), tmp_path)
    wanted = answers(first)
    first.path("train").unlink()
    assert answers(prepare_rows(plan(name), tmp_path)) == wanted
    (first.folder / "account.json").write_text("{")
    assert answers(prepare_rows(plan(name), tmp_path)) == wanted


def test_a_changed_file_is_told_of(tmp_path: Path) -> None:
    name = write(tmp_path, many())
    notes = prepare_rows(plan(name, fingerprint="sha256:other"), tmp_path).notes
    assert notes[0].level == "warning" and "has changed since the plan was made" in notes[0].text


def test_what_was_no_row_and_what_is_not_used_is_listed_with_its_line(tmp_path: Path) -> None:
    lines = [json.dumps(row) for row in many(50)]
    lines[10] = '{"q": "cut off'
    lines[20] = json.dumps({"q": "", "a": "nothing was asked"})
    (tmp_path / "d.jsonl").write_text("\n".join(lines))
    prepared = prepare_rows(plan("d.jsonl"), tmp_path)
    told = prepared.account
    assert (told.read, told.rejected, told.used, told.aside) == (49, 1, 48, 1)
    aside = list(prepared.aside())
    assert [(one.line, one.step, one.why) for one in aside] == [(21, "make-rows", "q is empty")]
    rejected = (prepared.folder / "rejected.jsonl").read_bytes().splitlines()

    assert [msgspec.json.decode(line, type=RejectedLine).line for line in rejected] == [11]
    assert "1 row of the file could not be read" in prepared.notes[0].text


def test_steps_tell_the_rows_before_and_after(tmp_path: Path) -> None:
    rows = [*many(60), *many(5), {"q": "Empty?", "a": ""}]
    repairs = [{"kind": "drop-empty", "column": "a"}, {"kind": "drop-duplicates"}]
    told = prepare_rows(plan(write(tmp_path, rows), repairs=repairs), tmp_path).account
    assert [(one.name, one.before, one.after) for one in told.steps][:3] == [
        ("drop-empty", 66, 65),
        ("drop-duplicates", 65, 60),
        ("make-rows", 60, 60),
    ]


def test_the_test_may_be_a_file_of_ones_own_and_nothing_of_it_is_trained_on(tmp_path: Path) -> None:
    own = [*many(3), *({"q": f"Own {n}?", "a": f"Mine {n}."} for n in range(20))]
    write(tmp_path, own, "own.jsonl")
    split = {"test_file": "own.jsonl", "test": 0}
    prepared = prepare_rows(plan(write(tmp_path, many()), split=split), tmp_path)
    found = answers(prepared)
    assert len(found["test"]) == 23
    assert not set(found["test"]) & (set(found["train"]) | set(found["validation"]))
    assert sum(map(len, found.values())) == 200 - 3 + 23
    assert len({row.id for row in prepared.all}) == prepared.total, "ids stay single"


def test_labels_are_balanced_and_the_newest_are_for_the_test(tmp_path: Path) -> None:
    rows = [
        {"q": f"text {n}", "a": "rare" if n % 20 == 0 else "usual", "d": f"20{n // 12:02}-{n % 12 + 1:02}-01"}
        for n in range(300)
    ]
    name = write(tmp_path, rows)
    balanced = answers(prepare_rows(plan(name, split={"stratify": "a"}), tmp_path))
    rare = {split: found.count("rare") for split, found in balanced.items()}
    assert (rare["test"], sum(rare.values())) == (3, 15), "a fifth of the rare label, too"
    timed = prepare_rows(plan(name, split={"time": "d"}), tmp_path)
    numbers = {split: [int(row.id) for row in timed.rows(split)] for split in SPLITS}
    assert max(numbers["train"]) < min(numbers["validation"]) <= max(numbers["validation"]) < min(numbers["test"])


def test_slices_are_counted(tmp_path: Path) -> None:
    told = prepare_rows(plan(write(tmp_path, many(90)), slices=["team"]), tmp_path).account
    assert told.slices == {"team": {"t0": 30, "t1": 30, "t2": 30}}


def test_it_can_be_given_up_and_leaves_nothing_half_made(tmp_path: Path) -> None:
    name = write(tmp_path, many(20_000))

    def stop(doing: str, done: int, of: int) -> None:
        if doing == "making rows":
            raise Cancelled

    with pytest.raises(Cancelled):
        prepare_rows(plan(name), tmp_path, stop)
    root = pipeline._sets_root()
    assert not list(root.glob(".making-*"))
    assert prepare_rows(plan(name), tmp_path).total == 20_000


def test_what_a_killed_process_left_goes_with_the_next_set_and_what_is_being_made_stays(
    tmp_path: Path,
) -> None:
    code = """
import sys
from pathlib import Path
from tunesmith.core.prepare.pipeline import MAKING, _claimed

folder = Path(sys.argv[1], f"{MAKING}{sys.argv[2]}")
folder.mkdir()
with _claimed(folder):
    print("at work", flush=True)
    sys.stdin.read()
"""
    root = pipeline._sets_root()
    processes = []
    for name in ("killed", "alive"):
        words = [sys.executable, "-c", code, str(root), name]
        process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert process.stdout is not None and process.stdout.readline() == b"at work\n"
        processes.append(process)
    processes[0].kill()
    processes[0].wait()
    for path in root.glob(".making-*"):
        os.utime(path, (time.time() - 120,) * 2)
    prepare_rows(plan(write(tmp_path, many(219))), tmp_path)
    assert [path.name for path in root.glob(".making-*")] == [".making-alive"]
    processes[1].communicate()
    os.utime(root / ".making-alive", (time.time() - 120,) * 2)
    prepare_rows(plan(write(tmp_path, many(217))), tmp_path)
    assert not list(root.glob(".making-*"))


def test_a_part_that_would_be_empty_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="too few rows"):
        prepare_rows(plan(write(tmp_path, many(2))), tmp_path)


def test_another_part_or_another_format_of_the_same_bytes_is_another_set(tmp_path: Path) -> None:
    parts = {"old": many(60), "new": many(200)}
    (tmp_path / "parts.json").write_text(json.dumps(parts))
    assert prepare_rows(plan("parts.json", part="old"), tmp_path).total == 60
    assert prepare_rows(plan("parts.json", part="new"), tmp_path).total == 200
    assert profile("parts.json", tmp_path, part="old").rows == 60
    assert profile("parts.json", tmp_path, part="new").rows == 200
    text = "text\n" + "".join(f"A line about number {n}.\n" for n in range(400))
    for name in ("n.csv", "n.txt"):
        (tmp_path / name).write_text(text)
    wanted = {"shape": "text", "columns": {"text": "text"}}
    assert prepare_rows(plan("n.csv", **wanted), tmp_path).total == 400
    with pytest.raises(DataError, match="too few rows"):
        prepare_rows(plan("n.txt", **wanted), tmp_path)  # one text, as it is cut at empty lines


def test_other_instructions_move_no_row(tmp_path: Path) -> None:
    name = write(tmp_path, many())
    assert answers(prepare_rows(plan(name, system="Be brief."), tmp_path)) == answers(
        prepare_rows(plan(name), tmp_path)
    )


def test_what_of_the_own_test_file_is_no_row_is_told_and_listed(tmp_path: Path) -> None:
    lines = [json.dumps({"q": f"Own {n}?", "a": f"Mine {n}."}) for n in range(5)]
    (tmp_path / "own.jsonl").write_text("\n".join([*lines, '{"q": "Empty?", "a": ""}', '{"q": "brok']))
    prepared = prepare_rows(plan(write(tmp_path, many()), split={"test_file": "own.jsonl", "test": 0}), tmp_path)
    own = prepared.account.own_test
    assert own is not None and (own.read, own.rejected, own.aside, own.rows) == (6, 1, 1, 5)
    assert prepared.account.read == prepared.account.used == 200
    assert any("1 record of it set aside; 1 row of it could not be read" in note.text for note in prepared.notes)
    assert len((prepared.folder / "rejected.jsonl").read_bytes().splitlines()) == 1


def test_rows_without_a_date_are_counted(tmp_path: Path) -> None:
    rows = [{"q": f"text {n}", "a": "x", "d": f"2020-{n % 12 + 1:02}-01" if n % 3 else ""} for n in range(90)]
    prepared = prepare_rows(plan(write(tmp_path, rows), split={"time": "d"}), tmp_path)
    assert any(note.text.startswith("30 rows without a date that can be read in d") for note in prepared.notes)
    assert all(int(row.id) % 3 != 1 for row in prepared.rows("test")), "none of them is tested with"


def test_rows_can_not_be_split_by_what_was_masked(tmp_path: Path) -> None:
    rows = [{"q": f"Who is {n}?", "a": f"It is {n}.", "mail": f"p{n}@x.org"} for n in range(60)]
    repairs = [{"kind": "mask-personal", "column": "mail", "names": ["email"]}]
    with pytest.raises(DataError, match="Masking has made all values of mail the same"):
        prepare_rows(plan(write(tmp_path, rows), repairs=repairs, split={"by": "mail"}), tmp_path)


def test_rows_in_two_parts_are_shown_beside_each_other(tmp_path: Path) -> None:
    own = write(
        tmp_path, [{"q": f"What is number {n} of the list?", "a": f"ada{n}@example.org"} for n in range(9)], "t.jsonl"
    )
    prepared = prepare_rows(plan(write(tmp_path, many()), split={"test_file": own, "test": 0}), tmp_path)
    step = prepared.account.steps[-1]
    assert step.name == "overlap" and (step.before, step.after) == (209, 200)
    assert len(step.examples) == 3
    where, text, other = step.examples[0]
    number = int(where.removeprefix("row ").partition(" ")[0])
    assert where == f"row {number} and row {number} of your test file"
    assert text == f"What is number {number - 1} of the list? / It is {7 * (number - 1)}."
    assert other == f"What is number {number - 1} of the list? / [EMAIL]"


CELL = (
    st.text(max_size=12) | st.none() | st.integers(-5, 5) | st.sampled_from(["same", "same ", "2020-01-02", "x@y.org"])
)
REPAIRS = st.lists(
    st.sampled_from(
        [
            {"kind": "drop-duplicates"},
            {"kind": "drop-empty", "column": "a"},
            {"kind": "tidy-text"},
            {"kind": "drop-short", "column": "a", "low": 2},
            {"kind": "drop-contradictions", "keep": "most"},
            {"kind": "mask-personal", "names": ["email"]},
            {"kind": "drop-values", "column": "q", "names": ["same"]},
        ]
    ),
    max_size=4,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.fixed_dictionaries({"q": CELL, "a": CELL}), min_size=30, max_size=60), REPAIRS)
def test_no_row_is_lost_or_invented(tmp_path: Path, rows: list[dict[str, Any]], repairs: list[dict[str, Any]]) -> None:
    try:
        prepared = prepare_rows(plan(write(tmp_path, rows), repairs=repairs), tmp_path)
    except DataError as error:
        assert error.title.startswith(("No row can be made", "There are too few rows", "After rows that stand"))
        return
    told = prepared.account
    assert told.read + told.rejected == len(rows)
    assert told.read == told.used + told.aside
    lines = list(prepared.aside())
    assert sum(one.step != "overlap" for one in lines) == told.aside
    overlapping = sum(one.step == "overlap" for one in lines)
    assert prepared.total + overlapping == told.used, "each record gives one row"
    assert len({row.id for row in prepared.all}) == prepared.total


def test_an_encoding_that_the_plan_names_is_read_with_and_is_another_set(tmp_path: Path) -> None:
    lines = "".join(f"Nerede {n}?,Şehir {n}\n" for n in range(60))
    (tmp_path / "a.csv").write_bytes(("q,a\n" + lines).encode("cp1254"))
    guessed = prepare_rows(plan("a.csv"), tmp_path)
    said = prepare_rows(plan("a.csv", encoding="iso8859_9"), tmp_path)
    other = prepare_rows(plan("a.csv", encoding="cp1251"), tmp_path)
    assert len({guessed.folder, said.folder, other.folder}) == 3
    assert "Şehir 7" in [row.answer for row in said.all]
    assert "Юehir 7" in [row.answer for row in other.all]
    found = profile("a.csv", tmp_path, encoding="cp1251")
    assert any("Ю" in example for column in found.columns for example in column.examples)


def test_an_encoding_that_there_is_none_of_is_refused_by_the_plan() -> None:
    with pytest.raises(ValidationError, match="'cp12522' is no encoding that Python knows; did you mean cp125"):
        plan("a.csv", encoding="cp12522")


def test_the_recommended_repairs_keep_questions_that_share_a_context_and_leave_out_as_many_as_was_found(
    tmp_path: Path,
) -> None:
    def words(*seed: int, count: int) -> str:
        return " ".join(f"w{hash((*seed, n)) % 5000}" for n in range(count))

    rows = [
        {"context": words(n, count=120), "question": words(n, k, count=10) + "?", "answer": words(n, k, 1, count=3)}
        for n in range(40)
        for k in range(5)
    ]
    rows += [row | {"question": row["question"].upper() + "!"} for row in rows[:7]]
    name = write(tmp_path, rows)
    seen = profile(name, tmp_path)
    (near,) = (found for found in seen.findings if found.kind == "near-duplicate")
    assert (near.count, near.recommended) == (7, True)
    roles = {"question": "question", "answer": "answer", "context": "context"}
    assert seen.roles == roles
    prepared = prepare_rows(plan(name, columns=roles, repairs=[near.repair]), tmp_path)
    assert (prepared.account.steps[0].before, prepared.account.steps[0].after) == (207, 200)


def messy(count: int) -> list[dict[str, Any]]:
    """Rows with what the checks look for, and with repeats, near repeats and rows of which nothing can be made."""
    rows = many(count)
    for n, row in enumerate(rows):
        row |= {
            "day": f"20{10 + n % 9}-0{1 + n % 8}-1{n % 9}",
            "note": f"Write to u{n % 9}@example.org, <b>please</b>  now",
        }
    for n in range(0, count, 17):
        rows[n] = dict(rows[n // 2])
    for n in range(5, count, 19):
        rows[n]["a"] = ""
    for n in range(3, count, 23):
        rows[n] |= {"q": rows[n - 1]["q"] + " Please", "a": rows[n - 1]["a"]}
    return rows


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"split": {"near": 0.8, "overlap": "move", "compare": ["bench.jsonl"]}, "slices": ["team"]},
        {"split": {"by": "day"}, "slices": ["team"]},
        {"split": {"stratify": "team", "test_file": "own.jsonl", "test": 0}},
        {"split": {"time": "day"}, "system": "Be brief."},
        {
            "repairs": [
                {"kind": "strip-html", "column": "q"},
                {"kind": "drop-empty", "column": "a"},
                {"kind": "drop-duplicates"},
                {"kind": "mask-personal", "column": "note", "names": ["email"]},
            ]
        },
    ],
)
def test_several_processes_make_the_same_set(
    tmp_path: Path, changes: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    name = write(tmp_path, messy(400))
    write(tmp_path, many(40), "own.jsonl")
    write(tmp_path, many(60)[50:], "bench.jsonl")
    made = {}
    for processes in (1, 3):
        monkeypatch.setenv("TUNESMITH_CACHE", str(tmp_path / f"cache-{processes}"))
        monkeypatch.setattr(parallel, "FEWEST", 100)
        monkeypatch.setattr(parallel, "cores", lambda count=processes: count)
        prepared = prepare_rows(plan(name, **changes), tmp_path)
        files = {path.name: path.read_bytes() for path in prepared.folder.iterdir() if path.suffix == ".jsonl"}
        made[processes] = prepared.account, prepared.notes, files
    assert made[1] == made[3]
    assert set(made[3][2]) == {"train.jsonl", "validation.jsonl", "test.jsonl", "set-aside.jsonl", "rejected.jsonl"}


@pytest.mark.parametrize("shape", ["question-answer", "table", "chat"])
def test_several_processes_find_the_same_in_the_data(
    tmp_path: Path, shape: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = messy(400)
    if shape == "chat":
        rows = [
            {"messages": [{"role": "user", "content": r["q"]}, {"role": "assistant", "content": r["a"] + r["note"]}]}
            for r in rows
        ]
    name = write(tmp_path, rows)
    found = {}
    for processes in (1, 3):
        monkeypatch.setenv("TUNESMITH_CACHE", str(tmp_path / f"cache-{processes}"))
        monkeypatch.setattr(parallel, "FEWEST", 100)
        monkeypatch.setattr(parallel, "cores", lambda count=processes: count)
        table = {"shape": "table", "columns": {"entity": "q"}} if shape == "table" else {}
        found[processes] = profile(name, tmp_path, **table)
    assert found[1] == found[3]
    assert len(found[3].findings) > 2
