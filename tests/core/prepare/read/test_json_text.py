"""JSON and JSON lines in the forms they come in, and what is set aside in them."""

from __future__ import annotations

import json
import random
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core.prepare.read.files import read, refusal, told, values
from tunesmith.core.prepare.cells import text_of
from tunesmith.core.prepare.records import Records


@pytest.mark.parametrize(
    ("name", "text", "form"),
    [
        ("a.json", '[{"q": "x"}, {"q": "y", "n": 1}]', "json"),
        ("a.json", '{"version": 2, "data": [{"q": "x"},\n{"q": "y", "n": 1}], "empty": []}', "json"),
        ("a.json", '{"q": "x"}\n{"q": "y", "n": 1}\n', "jsonl"),
        ("a.json", '{\n"q": "x"\n}\n{\n"q": "y",\n"n": 1\n}\n', "jsonl"),
        ("a.json", '[\n{"q": "x"}\n{"q": "y", "n": 1},\n]', "json"),
        ("a.jsonl", '{"q": "x"}\n\n{"q": "y", "n": 1}', "jsonl"),
        ("a.jsonl", '[\n {"q": "x"},\n {"q": "y", "n": 1}\n]', "json"),
        ("a.NDJSON", '\ufeff{"q": "x"}\r\n{"q": "y", "n": 1}\r\n', "jsonl"),
    ],
)
def test_json_is_read_in_the_forms_it_comes_in(tmp_path: Path, name: str, text: str, form: str) -> None:
    found = read(tmp_path, name, text)
    assert values(found) == [{"q": "x"}, {"q": "y", "n": "1"}]
    assert (found.columns, found.format, len(found.rejected)) == (("q", "n"), form, 0)


def test_numbers_and_truth_are_text_as_json_writes_them_and_null_is_missing(tmp_path: Path) -> None:
    line = '{"a": 5, "b": 1.50, "c": true, "d": null, "e": "", "f": 1e400, "g": NaN, "h": 123456789012345678901}\n'
    assert values(read(tmp_path, "a.jsonl", line)) == [
        {"a": "5", "b": "1.5", "c": "true", "e": "", "f": "1e400", "h": "123456789012345678901"}
    ]


def test_lists_and_objects_come_back_as_what_they_are_and_as_json_in_batches(tmp_path: Path) -> None:
    turns = [{"role": "user", "content": 'say "é"'}, {"role": "assistant", "content": None}]
    lines = [{"m": '"plain"'}, {"m": turns}, {"m": 5}, {"m": '{"not": "an object"}'}, {"x": 1}]
    found = read(tmp_path, "a.jsonl", "".join(json.dumps(line) + "\n" for line in lines))
    assert [row.values.get("m") for row in found.rows] == ['"plain"', turns, "5", '{"not": "an object"}', None]
    cells = [cell for batch in found.batches(["m"]) for cell in batch.columns["m"]]
    assert cells == ['"plain"', json.dumps(turns, ensure_ascii=False), "5", '{"not": "an object"}', ""]


def test_a_column_that_turns_out_nested_late_or_appears_late_is_one_column(tmp_path: Path) -> None:
    lines = ['{"a": "\\"x\\""}'] * 20_000 + ['{"a": [1], "b": 2}'] + ['{"a": "y"}'] * 20_000
    found = read(tmp_path, "a.jsonl", "\n".join(lines))
    assert found.columns == ("a", "b") and len(found.rows) == 40_001
    assert [found.rows[at].values for at in (0, 19_999, 20_000, 20_001, -1)] == [
        {"a": '"x"'},
        {"a": '"x"'},
        {"a": [1], "b": "2"},
        {"a": "y"},
        {"a": "y"},
    ]


def test_json_records_know_their_lines(tmp_path: Path) -> None:
    found = read(tmp_path, "a.json", json.dumps([{"a": 1}, {"a": 2}, {"a": [3]}], indent=2))
    assert [row.line for row in found.rows] == [2, 5, 8]


def test_squad_is_a_row_for_each_question(tmp_path: Path) -> None:
    answers = [{"text": "Paris", "answer_start": 3}]
    asked = [
        {"id": "1", "question": "Where?", "answers": answers, "is_impossible": False},
        {"id": "2", "question": "Why?", "answers": [], "is_impossible": True},
    ]
    tree = {"version": "v2.0", "data": [{"title": "T", "paragraphs": [{"context": "In Paris.", "qas": asked}]}]}
    found = read(tmp_path, "dev.json", json.dumps(tree))
    assert found.columns == ("id", "title", "context", "question", "answers", "is_impossible")
    assert values(found)[0] == {
        "id": "1",
        "title": "T",
        "context": "In Paris.",
        "question": "Where?",
        "answers": answers,
        "is_impossible": "false",
    }
    assert len(found.rows) == 2


def test_an_object_with_paragraphs_of_another_kind_stays_as_it_is(tmp_path: Path) -> None:
    assert values(read(tmp_path, "a.jsonl", '{"paragraphs": ["x"]}\n')) == [{"paragraphs": ["x"]}]


def test_of_several_lists_the_part_names_one(tmp_path: Path) -> None:
    text = '{"train": [{"a": 1}], "n": {"b": [2]}, "test": [{"a": 2}]}'
    error = refusal(tmp_path, "a.json", text)
    assert error.title == f"{tmp_path}/a.json can't be read as rows: it holds several lists: train, test."
    assert error.next_step == "Name one of them as prepare.part."
    assert (error.asks, error.names) == ("prepare.part", ("train", "test"))
    assert values(read(tmp_path, "a.json", text, part="test")) == [{"a": "2"}]


# What is set aside


def test_a_line_that_is_no_json_is_set_aside_with_what_is_wrong(tmp_path: Path) -> None:
    text = '{"a": 1}\n{"a": 2,}\n\nhello\n7\n[{"a": 1}]\n{"a": 1} {"a": 2}\n{"b": 3}\n'
    found = read(tmp_path, "a.jsonl", text)
    assert values(found) == [{"a": "1"}, {"b": "3"}] and found.total == 7
    assert told(found) == [
        (2, "not JSON: expecting property name enclosed in double quotes at character 9"),
        (4, "not JSON: expecting value at character 1"),
        (5, "a number stands where an object should"),
        (6, "a list stands where an object should"),
        (7, "not JSON lines: more follows at character 9"),
    ]
    assert [one.text for one in found.rejected] == ['{"a": 2,}', "hello", "7", '[{"a": 1}]', '{"a": 1} {"a": 2}']


def test_a_file_of_which_no_line_is_json_is_an_error_with_the_first(tmp_path: Path) -> None:
    error = refusal(tmp_path, "a.jsonl", "\n{'a': 1}\nx\n")
    assert error.title.startswith(f"{tmp_path}/a.jsonl: line 2: not JSON: ") and error.line == 2
    assert "double quotes" in error.next_step


@pytest.mark.parametrize(
    ("text", "rows", "rejected"),
    [
        ('[\n{"a": 1},\n{"a": },\n{"a": 3}\n]', ["1", "3"], [3]),
        ('[{"a": 1}, {"a": }, {"a": 3}]', ["1", "3"], [1]),
        ('[\n {"a": 1},\n {"a": {"x": },\n {"a": 3}\n]', ["1", "3"], [3]),
        ('[\n {"a": 1},\n {"a": "x},\n {"a": 3}\n]', ["1", "3"], [3]),
        ('[{"a": 1},\n', ["1"], [2]),
        ('[{"a": 1}', ["1"], [1]),
        ('{"data": [{"a": 1}', ["1"], [1]),
        ('{"data": [{"a": 1}], "x": }', ["1"], [1]),
        ('[{"a": 1}, 7, "x", null]', ["1"], [1, 1, 1]),
        ('[{"a": 1}]\n[]', ["1"], [2]),
        ('[{"a": 1} xx, {"a": 2}]', ["1", "2"], [1]),
        ('{"a": 1}\n{"a": 2,}\n{"a": 3}\n', ["1", "3"], [2]),
        ('{"a": 1,}\n{"a": 2}\n', ["2"], [1]),
    ],
)
def test_what_is_broken_in_json_costs_as_little_as_can_be(
    tmp_path: Path, text: str, rows: list[str], rejected: list[int]
) -> None:
    found = read(tmp_path, "a.json", text)
    assert [row.values["a"] for row in found.rows] == rows
    assert [line for line, _ in told(found)] == rejected


def test_a_broken_item_in_the_middle_of_a_large_list_costs_itself(tmp_path: Path) -> None:
    items = [json.dumps({"id": n, "text": "word " * 20}, indent=1) for n in range(30_000)]
    items[12_345] = items[12_345].replace('"text":', '"text"')
    found = read(tmp_path, "a.json", "[\n" + ",\n".join(items) + "\n]")
    assert len(found.rows) == 29_999
    assert told(found) == [(2 + 12_345 * 4 + 2, "not JSON: expecting ':' delimiter at character 9")]
    assert found.rows[12_345].values["id"] == "12346" and found.rows[-1].line == 2 + 29_999 * 4


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('"hello"', "it is no list of objects"),
        ('{"a": 1}', "the object in it holds no list of objects"),
        ('{"a": ["x"], "b": {}}', "the object in it holds no list of objects"),
    ],
)
def test_json_that_holds_no_list_of_objects_says_what_is_missing(tmp_path: Path, text: str, why: str) -> None:
    error = refusal(tmp_path, "a.json", text)
    assert error.title == f"{tmp_path}/a.json can't be read as rows: {why}."
    assert '[{"question": "…", "answer": "…"}, …]' in error.next_step


@pytest.mark.parametrize("text", ["hello", "{'data': []}", '{"a": 1', '{"a" 1}'])
def test_what_is_no_json_is_refused_at_its_line(tmp_path: Path, text: str) -> None:
    error = refusal(tmp_path, "a.json", "\n" + text)
    assert ": line 2: not JSON: " in error.title and error.line == 2


@pytest.mark.parametrize(("name", "text"), [("a.json", "[]"), ("a.jsonl", "{}\n"), ("a.json", "[{}]")])
def test_json_without_rows_says_so(tmp_path: Path, name: str, text: str) -> None:
    assert refusal(tmp_path, name, text).title == f"{tmp_path}/{name} holds no rows."


def test_a_column_without_a_name_is_refused(tmp_path: Path) -> None:
    assert "column 2 of 2 columns has no name" in refusal(tmp_path, "a.jsonl", '{"a": 1, "": 2}').title


def test_half_a_character_is_set_aside(tmp_path: Path) -> None:
    found = read(tmp_path, "a.jsonl", '{"a": "ok \\ud83d\\ude42"}\n{"a": "\\ud83d"}\n{"\\ud83d": 1}\n')
    assert values(found) == [{"a": "ok 🙂"}]
    assert [line for line, why in told(found) if "half of a surrogate pair" in why] == [2, 3]


def test_json_that_would_exhaust_the_parser_is_set_aside(tmp_path: Path) -> None:
    deep = "[" * 200_000
    fine = '{"a": ' + "[" * 50 + "]" * 50 + "}"
    too = '{"a": ' + "[" * 300 + "]" * 300 + "}"
    found = read(tmp_path, "a.jsonl", f'{fine}\n{{"a": {deep}\n{too}\n{{"a": {"9" * 5000}}}\n{{"b": 1}}\n')
    assert [row.line for row in found.rows] == [1, 5]
    assert [why for _, why in told(found)] == ["not readable: nested too deeply, or a number too long"] * 3
    assert "nested too deeply" in refusal(tmp_path, "b.json", "[" + deep).title


def test_names_that_differ_from_row_to_row_are_no_columns(tmp_path: Path) -> None:
    text = "".join(json.dumps({f"key {n}": 1}) + "\n" for n in range(5_000))
    assert "more than the 4,096 that can be read" in refusal(tmp_path, "a.jsonl", text).title


def test_text_that_would_steer_a_terminal_or_a_renderer_is_just_text(tmp_path: Path) -> None:
    odd = "\x1b[2J\x1b]0;pwned\x07 [bold red]x[/] \u202egnp.exe \0 é"
    assert values(read(tmp_path, "a.jsonl", json.dumps({"a": odd}) + "\n"))[0]["a"] == odd


# Nothing is lost and nothing invented

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters(codec="utf-8"), max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text("abc", min_size=1, max_size=3), inner, max_size=3)
    ),
    max_leaves=6,
)


def expected(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Lists and objects as they are, all else as text, nothing for null."""
    return [
        {
            key: value if isinstance(value, list | dict) else text_of(value)
            for key, value in row.items()
            if value is not None
        }
        for row in rows
    ]


def found_in(text: str, name: str) -> Records:
    with tempfile.TemporaryDirectory() as folder:
        found = read(Path(folder), name, text)
        list(found.rows)
        return found


@given(
    st.lists(st.dictionaries(st.sampled_from("abcd"), json_values, min_size=1), min_size=1, max_size=6),
    st.sampled_from([None, 0, 2]),
    st.booleans(),
)
def test_json_written_in_any_way_is_read_back(rows: list[dict[str, Any]], indent: int | None, ascii_: bool) -> None:
    whole = json.dumps(rows, indent=indent, ensure_ascii=ascii_)
    found = found_in(whole, "x.json")
    assert values(found) == expected(rows)
    if indent == 2:
        lines = whole.split("\n")
        assert all(lines[row.line - 1].strip().startswith("{") for row in found.rows)
    found = found_in(json.dumps({"n": 1, "data": rows}, indent=indent, ensure_ascii=ascii_), "x.json")
    assert values(found) == expected(rows)
    found = found_in("\n".join(json.dumps(row, ensure_ascii=ascii_) for row in rows), "x.jsonl")
    assert values(found) == expected(rows)


@given(st.integers(0, 10_000), st.sampled_from(["a.jsonl", "a.json", "b.json"]))
def test_every_row_is_read_or_set_aside_at_its_line(seed: int, name: str) -> None:
    chance = random.Random(seed)
    broken = ['{"a": }', "{'a': 1}", '{"a": 1,}', "7", "nonsense", '{"a" 1}', '"x"', '{"a": tru}']
    items = [
        '{"a": "first"}',
        *(chance.choice(broken) if chance.random() < 0.3 else json.dumps({"a": f"x{n}"}) for n in range(12)),
    ]
    good = [line for line, item in enumerate(items, start=1) if item.startswith('{"a": "')]
    if name == "a.json":
        text, first = "[\n" + ",\n".join(items) + "\n]", 1
    else:
        text, first = "\n".join(items), 0
    found = found_in(text, name)
    assert [row.line - first for row in found.rows] == good
    assert [line - first for line, _ in told(found)] == [n for n in range(1, 14) if n not in good]


def test_rows_that_share_a_line_are_placed_by_their_number(tmp_path: Path) -> None:
    many = [{"a": n} for n in range(20_000)]
    found = read(tmp_path, "a.json", json.dumps(many))
    assert [found.rows[at].place for at in (0, 1, 2, 19_999)] == ["row 1", "row 2", "row 3", "row 20,000"]
    inside = read(tmp_path, "b.json", json.dumps({"rows": many[:3]}))
    assert [row.place for row in inside.rows] == ["row 1", "row 2", "row 3"]
    broken = read(tmp_path, "d.json", '["x", {"a": 1}, {"a": 2}, "y", {"a": 3}]')
    assert [row.place for row in broken.rows] == ["row 2", "row 3", "row 5"]
    assert told(broken)[1] == (1, "a text stands where an object should (row 4)")
    lines = read(tmp_path, "c.json", json.dumps(many[:3], indent=1))
    assert [row.place for row in lines.rows] == ["line 2", "line 5", "line 8"]
    (tmp_path / "in").mkdir()
    (tmp_path / "in/a.json").write_text(json.dumps(many[:2]))
    (tmp_path / "in/b.jsonl").write_text('{"a": 1}\n{"a": 2}\n')
    both = read(tmp_path, "in")
    assert [row.place for row in both.rows] == [
        "a.json, row 1",
        "a.json, row 2",
        "b.jsonl, line 1",
        "b.jsonl, line 2",
    ]


def test_the_questions_of_one_article_are_placed_by_their_number(tmp_path: Path) -> None:
    asked = [{"id": str(n), "question": "q", "answers": []} for n in range(3)]
    tree = {"data": [{"title": "t", "paragraphs": [{"context": "c", "qas": asked}]}]}
    assert [row.place for row in read(tmp_path, "a.json", json.dumps(tree)).rows] == ["row 1", "row 2", "row 3"]
