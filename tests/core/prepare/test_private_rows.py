"""Personal data goes no other way into a prepared set: not with what was set aside, and not with a row's group."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.core.prepare.test_pipeline import plan, write
from tunesmith.core.meter import silent
from tunesmith.core.prepare.pipeline import prepare_rows
from tunesmith.core.prepare.written import write_set
from tunesmith.core.rows import SPLITS, Row

MAIL = "maria.lopez@example.com"


def rows_of(count: int = 200) -> list[dict[str, Any]]:
    return [
        {
            "q": f"What is number {n} of the list?",
            "a": f"It is {n * 7}.",
            "customer": f"user{n // 2}@example.com",
            "desk": MAIL if n % 2 else "sales",
        }
        for n in range(count)
    ]


def all_rows(folder: Path, rows: list[dict[str, Any]], **changes: Any) -> list[tuple[str, Row]]:
    prepared = prepare_rows(plan(write(folder, rows), **changes), folder)
    return [(split, row) for split in SPLITS for row in prepared.rows(split)]


def test_rows_left_out_for_personal_data_are_not_kept_with_it(tmp_path: Path) -> None:
    rows = [*rows_of(), {"q": "Who is it?", "a": f"It is {MAIL}."}, {"q": "Empty?", "a": ""}]
    repairs = [{"kind": "drop-personal", "column": "a"}, {"kind": "drop-empty", "column": "a"}]
    prepared = prepare_rows(plan(write(tmp_path, rows), repairs=repairs), tmp_path)
    personal, empty = prepared.aside()
    assert (personal.line, personal.step, personal.values) == (201, "drop-personal", {})
    assert personal.why == "a holds e-mail addresses" and empty.values["q"] == "Empty?"
    assert MAIL not in (prepared.folder / "set-aside.jsonl").read_text()


def test_a_group_that_is_not_in_the_prompt_stands_in_the_rows_as_a_code(tmp_path: Path) -> None:
    told = all_rows(tmp_path, rows_of(), split={"by": "customer"})
    groups = [row.group for _, row in told]
    assert len(set(groups)) == 100 and all(len(group) == 12 for group in groups)
    of: dict[str, set[str]] = {}
    for split, row in told:
        of.setdefault(row.group, set()).add(split)
        assert "example.com" not in json.dumps(row.group)
    assert all(len(splits) == 1 for splits in of.values()), "they still stay together"
    spaced = [row | {"customer": f" {row['customer'].upper()}"} for row in rows_of()]
    again = all_rows(tmp_path, spaced, split={"by": "customer"})
    assert [row.group for _, row in again] == groups, "and are told apart as the split tells them"


def test_a_group_that_the_prompt_shows_stays_as_it_is(tmp_path: Path) -> None:
    columns = {"question": "q", "answer": "a", "context": "customer"}
    (_, row), *_ = all_rows(tmp_path, rows_of(), columns=columns, split={"by": "customer"})
    assert row.group == row.context


def test_rows_without_a_group_have_no_code(tmp_path: Path) -> None:
    rows = [row | {"customer": ""} for row in rows_of()]
    assert {row.group for _, row in all_rows(tmp_path, rows, split={"by": "customer"})} == {""}


def test_personal_data_in_what_rows_are_grouped_and_told_apart_by_is_told(tmp_path: Path) -> None:
    name = write(tmp_path, rows_of())
    prepared = prepare_rows(plan(name, split={"by": "customer"}, slices=["desk"]), tmp_path)
    told = {note.text: note.level for note in prepared.notes}
    assert told["customer holds e-mail addresses; in the rows a code of 12 characters stands for each value."] == "note"
    slices = (
        "desk holds e-mail addresses, which go with each row and into the scores; a repair of this column masks them."
    )
    assert told[slices] == "warning" and list(told)[-2:] == prepared.account.beside
    repairs = [{"kind": "mask-personal", "column": "desk"}]
    mended = prepare_rows(plan(name, slices=["desk"], repairs=repairs), tmp_path)
    assert not any("holds" in note.text for note in mended.notes)
    assert set(mended.account.slices["desk"]) == {"[EMAIL]", "sales"}


def test_what_is_passed_on_of_unused_rows_is_masked(tmp_path: Path) -> None:
    phone = "+49 30 901820"
    rows: list[Any] = [
        *rows_of(),
        {"q": "Empty?", "a": "", "customer": MAIL, "desk": "x"},
        {"q": f"Whom, {MAIL} or {phone}?", "a": "", "customer": 4111111111111111, "full_name": "Ada Lovelace"},
        {"q": ["Whom?", MAIL], "a": "", "desk": [{"of": MAIL}]},
    ]
    lines = [*(json.dumps(row) for row in rows), f'{{"q": "cut off, {MAIL} or {phone}']
    (tmp_path / "d.jsonl").write_text("\n".join(lines))
    repairs = [{"kind": "drop-empty", "column": "a"}, {"kind": "mask-personal", "names": ["email"]}]
    out = tmp_path / "out"
    write_set(plan("d.jsonl", repairs=repairs), tmp_path, out, "jsonl", silent)
    aside = [json.loads(line)["values"] for line in (out / "set-aside.jsonl").read_text().splitlines()]
    assert aside[0] == {"q": "Empty?", "a": "", "customer": "[EMAIL]", "desk": "x"}
    assert aside[1] == {
        "q": f"Whom, [EMAIL] or {phone}?",  # the plan keeps phone numbers in what is used
        "a": "",
        "customer": "[CARD]",
        "full_name": "[NAME]",
    }
    assert aside[2] == {"q": ["Whom?", "[EMAIL]"], "a": "", "desk": [{"of": "[EMAIL]"}]}
    (rejected,) = (json.loads(line) for line in (out / "rejected.jsonl").read_text().splitlines())
    assert rejected["line"] == 204 and "cut off, [EMAIL] or [PHONE]" in rejected["text"]
    assert not [path.name for path in out.iterdir() if MAIL in path.read_text()]
