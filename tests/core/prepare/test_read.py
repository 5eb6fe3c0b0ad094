"""What is read from CSV, JSON and JSON lines, and what is said where it can't be."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunesmith.core.errors import AccessError, DataError, TunesmithError
from tunesmith.core.practice import EMPLOYEES_CSV
from tunesmith.core.prepare.read import read_records
from tunesmith.core.prepare.read_csv import delimiter_of, parse_csv
from tunesmith.core.prepare.read_json import parse_json, parse_jsonl
from tunesmith.core.prepare.records import Records

PEOPLE = "name,salary\nAlice,85000\nBob,72000\n"


def read(folder: Path, name: str, content: str | bytes) -> Records:
    (folder / name).write_bytes(content.encode() if isinstance(content, str) else content)
    return read_records(name, folder)


def refusal(folder: Path, name: str, content: str | bytes) -> DataError:
    with pytest.raises(DataError) as caught:
        read(folder, name, content)
    assert caught.value.title.endswith(".") and "\n" not in str(caught.value)
    assert caught.value.next_step
    return caught.value


def values(records: Records) -> list[dict[str, object]]:
    return [row.values for row in records.rows]


# What is read


def test_csv_gives_records_with_their_lines_and_the_fingerprint_of_the_bytes(tmp_path: Path) -> None:
    found = read(tmp_path, "people.csv", PEOPLE)
    assert (found.format, found.columns) == ("csv", ("name", "salary"))
    assert values(found) == [{"name": "Alice", "salary": "85000"}, {"name": "Bob", "salary": "72000"}]
    assert [(row.number, row.line) for row in found.rows] == [(1, 2), (2, 3)]
    assert found.fingerprint == f"sha256:{hashlib.sha256(PEOPLE.encode()).hexdigest()}"
    assert found.source == str(tmp_path / "people.csv")


def test_practice_names_the_table_that_comes_with_tunesmith() -> None:
    found = read_records("practice")
    assert (found.source, found.path) == ("practice", EMPLOYEES_CSV)
    assert found.columns == ("id", "name", "department", "hire_date", "salary")


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_found(tmp_path: Path, delimiter: str) -> None:
    text = "name,dept,note\nAlice,R&D,x\n".replace(",", delimiter)
    assert read(tmp_path, "a.csv", text).columns == ("name", "dept", "note")


def test_a_delimiter_inside_cells_is_not_taken_for_the_delimiter() -> None:
    assert delimiter_of("name;salary\nAlice;85,000\nBob;72,000\n") == ";"
    assert delimiter_of("name,motto\nAlice,a;b;c;d\nBob,e;f\n") == ","
    assert delimiter_of('a,b\n"x;y|z",2\n') == ","
    assert delimiter_of("only\none\n") == ","


def test_a_table_of_one_column_is_read(tmp_path: Path) -> None:
    assert values(read(tmp_path, "a.csv", "text\nhello\nworld\n")) == [{"text": "hello"}, {"text": "world"}]


def test_a_byte_order_mark_and_windows_line_ends_are_no_part_of_the_data(tmp_path: Path) -> None:
    found = read(tmp_path, "a.csv", b"\xef\xbb\xbf" + PEOPLE.replace("\n", "\r\n").encode())
    assert found.columns == ("name", "salary")
    assert values(found)[0] == {"name": "Alice", "salary": "85000"}


def test_blank_lines_are_passed_over_and_lines_are_counted_as_an_editor_counts_them(tmp_path: Path) -> None:
    found = read(tmp_path, "a.csv", '\nname,note\n\nAlice,"two\nlines"\n  \nBob,x\n')
    assert [(row.line, row.values["name"]) for row in found.rows] == [(4, "Alice"), (7, "Bob")]
    assert found.rows[0].values["note"] == "two\nlines"


def test_cells_longer_than_pythons_own_limit_are_read(tmp_path: Path) -> None:
    long = "x" * 200_000
    assert values(read(tmp_path, "a.csv", f"a,b\n{long},2\n"))[0]["a"] == long


@pytest.mark.parametrize(
    ("name", "text", "form"),
    [
        ("a.json", '[{"q": "x"}, {"q": "y", "n": 1}]', "json"),
        ("a.json", '{"version": 2, "data": [{"q": "x"},\n{"q": "y", "n": 1}], "empty": []}', "json"),
        ("a.json", '{"q": "x"}\n{"q": "y", "n": 1}\n', "jsonl"),
        ("a.jsonl", '{"q": "x"}\n\n{"q": "y", "n": 1}', "jsonl"),
        ("a.NDJSON", '\ufeff{"q": "x"}\r\n{"q": "y", "n": 1}\r\n', "jsonl"),
    ],
)
def test_json_is_read_in_the_forms_it_comes_in(tmp_path: Path, name: str, text: str, form: str) -> None:
    found = read(tmp_path, name, text)
    assert values(found) == [{"q": "x"}, {"q": "y", "n": 1}]
    assert (found.columns, found.format) == (("q", "n"), form)


def test_json_records_know_their_lines(tmp_path: Path) -> None:
    found = read(tmp_path, "a.json", json.dumps([{"a": 1}, {"a": 2}, {"a": [3]}], indent=2))
    assert [row.line for row in found.rows] == [2, 5, 8]


def test_what_python_writes_for_missing_numbers_is_a_missing_value(tmp_path: Path) -> None:
    assert values(read(tmp_path, "a.jsonl", '{"a": NaN, "b": 1}\n')) == [{"a": None, "b": 1}]


def test_text_that_would_steer_a_terminal_or_a_renderer_is_just_text(tmp_path: Path) -> None:
    odd = "\x1b[2J\x1b]0;pwned\x07 [bold red]x[/] \u202egnp.exe \u0000"[:-1] + "🙂 é"
    assert values(read(tmp_path, "a.jsonl", json.dumps({"a": odd}) + "\n"))[0]["a"] == odd
    assert values(read(tmp_path, "a.csv", f"a,b\n{odd},1\n"))[0]["a"] == odd


cells = st.text(st.characters(codec="utf-8", exclude_characters="\0\ufeff"), max_size=12)


@given(st.lists(st.tuples(cells, cells), min_size=1, max_size=8))
def test_whatever_pythons_csv_writes_is_read_back(rows: list[tuple[str, str]]) -> None:
    text = io.StringIO(newline="")
    writer = csv.writer(text, quoting=csv.QUOTE_ALL)
    writer.writerow(("a", "b"))
    writer.writerows(rows)
    _, found = parse_csv(Path("x.csv"), text.getvalue())
    assert [(row.values["a"], row.values["b"]) for row in found] == rows


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters(codec="utf-8"), max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text("abc", min_size=1, max_size=3), inner, max_size=3)
    ),
    max_leaves=6,
)


@given(
    st.lists(st.dictionaries(st.sampled_from("abcd"), json_values, min_size=1), min_size=1, max_size=6),
    st.sampled_from([None, 0, 2]),
    st.booleans(),
)
def test_json_written_in_any_way_is_read_back(rows: list[dict[str, object]], indent: int | None, ascii_: bool) -> None:
    whole = json.dumps(rows, indent=indent, ensure_ascii=ascii_)
    _, found, _ = parse_json(Path("x.json"), whole)
    assert [row.values for row in found] == rows
    text = whole.split("\n")
    if indent == 2:
        assert all(text[row.line - 1].strip().startswith("{") for row in found)
    _, found, _ = parse_json(Path("x.json"), json.dumps({"n": 1, "data": rows}, indent=indent, ensure_ascii=ascii_))
    assert [row.values for row in found] == rows
    _, lines = parse_jsonl(Path("x.jsonl"), "\n".join(json.dumps(row, ensure_ascii=ascii_) for row in rows))
    assert [row.values for row in lines] == rows


@given(st.binary(max_size=60), st.sampled_from([".csv", ".json", ".jsonl"]))
def test_any_bytes_are_read_or_refused_in_words(content: bytes, suffix: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        try:
            assert read(Path(folder), f"x{suffix}", content).rows
        except TunesmithError as error:
            assert error.next_step and error.title.endswith(".")


# What is refused, and in which words


def test_a_missing_file_is_named_with_the_nearest_one_there(tmp_path: Path) -> None:
    (tmp_path / "Employees.csv").write_text(PEOPLE)
    with pytest.raises(DataError) as caught:
        read_records("employes.csv", tmp_path)
    assert str(caught.value) == f"There is no file {tmp_path}/employes.csv. Did you mean Employees.csv?"


def test_a_missing_file_unlike_any_other_lists_what_the_folder_holds(tmp_path: Path) -> None:
    for name in ("b.json", "a.csv", "notes.txt"):
        (tmp_path / name).write_text("x")
    with pytest.raises(DataError) as caught:
        read_records(str(tmp_path / "zzzzzzzz.csv"))
    assert caught.value.next_step == "That folder holds a.csv, b.json."


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        read_records("no/such.csv", tmp_path)
    assert str(caught.value) == f"There is no folder {tmp_path}/no. Check the path."


def test_a_file_used_as_a_folder_is_a_missing_folder(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(PEOPLE)
    with pytest.raises(DataError) as caught:
        read_records("a.csv/b.csv", tmp_path)
    assert caught.value.title == f"There is no folder {tmp_path}/a.csv."


def test_a_folder_is_told_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(PEOPLE)
    with pytest.raises(DataError) as caught:
        read_records(str(tmp_path))
    assert str(caught.value) == f"{tmp_path} is a folder, not a file. Name a file. In it: a.csv."


@pytest.mark.parametrize("content", ["", " \n\n", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("name", ["a.csv", "a.json", "a.jsonl"])
def test_an_empty_file_says_so(tmp_path: Path, name: str, content: str | bytes) -> None:
    assert refusal(tmp_path, name, content).title == f"{tmp_path}/{name} is empty."


def test_a_kind_of_file_that_is_not_read_is_named_with_those_that_are(tmp_path: Path) -> None:
    error = refusal(tmp_path, "a.xlsx", b"PK\x03\x04")
    assert error.title == f"{tmp_path}/a.xlsx is a file of the kind .xlsx, which is not read here."
    assert "CSV (.csv, .tsv), JSON (.json) and JSON lines (.jsonl) files are read" in error.next_step
    assert "without an ending such as .csv" in refusal(tmp_path, "data", "x").title


def test_a_binary_file_is_refused_by_its_first_nul(tmp_path: Path) -> None:
    error = refusal(tmp_path, "a.csv", b"ab,c\nd\0e,f\n")
    assert error.title == f"{tmp_path}/a.csv is not a text file: byte 7 is a NUL."
    assert error.line == 2


def test_utf16_is_named_with_the_command_that_converts_it(tmp_path: Path) -> None:
    error = refusal(tmp_path, "a.csv", PEOPLE.encode("utf-16"))
    assert error.title == f"{tmp_path}/a.csv is written in UTF-16, not in UTF-8."
    assert "iconv -f UTF-16 -t UTF-8" in error.next_step


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_another_encoding_is_refused_at_its_line_and_byte(tmp_path: Path, mark: bytes) -> None:
    content = mark + "name,city\nBob,Köln\n".encode("cp1252")
    error = refusal(tmp_path, "a.csv", content)
    assert error.title == f"{tmp_path}/a.csv: line 2: byte {content.index(0xF6) + 1} (0xf6) is not UTF-8."
    assert "iconv -f WINDOWS-1252 -t UTF-8" in error.next_step


def test_a_header_alone_is_no_data(tmp_path: Path) -> None:
    assert (
        refusal(tmp_path, "a.csv", "name,salary\n\n").title == f"{tmp_path}/a.csv holds a header and no rows under it."
    )


def test_a_column_without_a_name_is_refused_by_its_number(tmp_path: Path) -> None:
    error = refusal(tmp_path, "a.csv", ",name\n0,Alice\n")
    assert error.title == f"{tmp_path}/a.csv: line 1: column 1 of 2 columns has no name."
    assert "index=False" in error.next_step
    assert "column 2 of 2 columns has no name" in refusal(tmp_path, "a.jsonl", '{"a": 1, "": 2}').title


def test_two_columns_of_one_name_are_refused(tmp_path: Path) -> None:
    error = refusal(tmp_path, "a.csv", "name,age, name\nA,1,B\n")
    assert error.title == f"{tmp_path}/a.csv: line 1: the name name stands twice, over columns 1 and 3."


def test_a_row_with_too_many_or_too_few_cells_is_refused_at_its_line(tmp_path: Path) -> None:
    many = refusal(tmp_path, "a.csv", PEOPLE + "Carol, Jr.,90000\n")
    assert many.title == f"{tmp_path}/a.csv: line 4: 3 cells, more than the 2 of the header."
    assert many.next_step == "Put text that holds the delimiter into double quotes."
    few = refusal(tmp_path, "a.csv", PEOPLE + "\nCarol\n")
    assert few.title == f"{tmp_path}/a.csv: line 5: 1 cell, fewer than the 2 of the header."
    assert (few.line, few.file) == (5, tmp_path / "a.csv")


def test_quotes_that_never_close_are_refused_where_they_open(tmp_path: Path) -> None:
    error = refusal(tmp_path, "a.csv", PEOPLE + 'Carol,"90000\nDave,1\nEve,2\n')
    assert error.title == f"{tmp_path}/a.csv: line 4: a double quote is opened and never closed."


def test_a_row_that_is_not_json_is_refused_at_its_line_with_what_is_wrong(tmp_path: Path) -> None:
    error = refusal(tmp_path, "a.jsonl", '{"a": 1}\n{"a": 2,}\n')
    assert error.title.startswith(f"{tmp_path}/a.jsonl: line 2: not JSON: ")
    assert error.title.endswith("at character 8.") or error.title.endswith("at character 9.")
    assert error.line == 2
    assert "double quotes" in refusal(tmp_path, "a.jsonl", "{'a': 1}\n").next_step
    assert "line 3: not JSON" in refusal(tmp_path, "a.jsonl", '{"a": 1}\n\nhello\n').title


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('[\n{"a": 1},\n{"a": }\n]', 3),
        ('[\n{"a": 1}\n{"a": 2}]', 3),
        ('[{"a": 1},\n', 2),
        ('{"data": [{"a": 1}', 1),
        ("{\n'data': []}", 2),
        ('{"a": 1\n', 2),
    ],
)
def test_json_that_breaks_off_or_is_misspelt_is_refused_at_its_line(tmp_path: Path, text: str, line: int) -> None:
    error = refusal(tmp_path, "a.json", text)
    assert f": line {line}: not JSON: " in error.title
    assert error.line == line


def test_what_is_no_object_is_refused_as_a_row(tmp_path: Path) -> None:
    assert "line 2: a number stands where an object should." in refusal(tmp_path, "a.jsonl", '{"a": 1}\n7\n').title
    assert "line 1: a list stands where an object should." in refusal(tmp_path, "a.jsonl", '[{"a": 1}]\n').title
    assert "line 1: a text stands where an object should." in refusal(tmp_path, "a.json", '["a"]').title


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('"hello"', "it is no list of objects"),
        ('{"a": 1}', "the object in it holds no list of objects"),
        ('{"a": ["x"], "b": {}}', "the object in it holds no list of objects"),
        ('{"train": [{"a": 1}], "test": [{"a": 2}]}', "it holds several lists: train, test"),
    ],
)
def test_json_that_holds_no_list_of_objects_says_what_is_missing(tmp_path: Path, text: str, why: str) -> None:
    error = refusal(tmp_path, "a.json", text)
    assert error.title == f"{tmp_path}/a.json can't be read as rows: {why}."
    assert '[{"question": "…", "answer": "…"}, …]' in error.next_step


@pytest.mark.parametrize(("name", "text"), [("a.json", "[]"), ("a.jsonl", "{}\n"), ("a.json", "[{}]")])
def test_json_without_rows_says_so(tmp_path: Path, name: str, text: str) -> None:
    assert refusal(tmp_path, name, text).title == f"{tmp_path}/{name} holds no rows."


def test_more_than_one_value_is_refused(tmp_path: Path) -> None:
    assert "line 1: not JSON lines: more follows" in refusal(tmp_path, "a.jsonl", '{"a": 1} {"a": 2}\n').title
    assert "line 2: more follows after the end of the list" in refusal(tmp_path, "a.json", '[{"a": 1}]\n[]').title


def test_half_a_character_is_refused(tmp_path: Path) -> None:
    error = refusal(tmp_path, "a.jsonl", '{"a": "ok \\ud83d\\ude42"}\n{"a": "\\ud83d"}\n')
    assert error.line == 2 and "half of a surrogate pair" in error.title


def test_json_that_would_exhaust_the_parser_is_refused(tmp_path: Path) -> None:
    assert "nested too deeply" in refusal(tmp_path, "a.jsonl", '{"a": ' + "[" * 200_000 + "\n").title
    assert "a number too long" in refusal(tmp_path, "a.jsonl", '{"a": ' + "9" * 5000 + "}\n").title


def test_a_device_or_a_pipe_is_no_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.csv")
    with pytest.raises(DataError) as caught:
        read_records("a.csv", tmp_path)
    assert caught.value.title == f"{tmp_path}/a.csv is not an ordinary file."


def test_names_that_no_file_can_have_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="too long for a file name"):
        read_records("x" * 300 + ".csv", tmp_path)
    with pytest.raises(DataError, match="can't be used as a file name"):
        read_records("caf\udce9.csv", tmp_path)
    with pytest.raises(DataError, match="can't be used as a file name"):
        read_records("~nobody-by-this-name/a.csv", tmp_path)


def test_a_name_with_terminal_commands_is_shown_spelled_out(tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        read_records("\x1b[2Ja\u202e.csv", tmp_path)
    assert r"\x1b[2Ja\u202e.csv" in caught.value.title
    assert "\x1b" not in str(caught.value)


def test_links_in_a_circle_are_refused_by_the_file_system(tmp_path: Path) -> None:
    (tmp_path / "a.csv").symlink_to(tmp_path / "a.csv")
    with pytest.raises(AccessError, match=r"a\.csv can't be read: Too many levels of symbolic links\."):
        read_records("a.csv", tmp_path)


def test_without_permission_it_says_so() -> None:
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        Path(folder).chmod(0o755)
        file = Path(folder, "a.csv")
        file.write_text(PEOPLE)
        file.chmod(0)
        told = _refused_as_nobody(str(file))
    assert told.startswith(f"AccessError: {file} can't be read: Permission denied. Mend its permissions")


def _refused_as_nobody(source: str) -> str:
    """What a child that is another user is told: the tests may run as root, whom no permission stops."""
    incoming, outgoing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            if os.geteuid() == 0:
                os.setuid(65534)
            read_records(source)
            os.write(outgoing, b"it was read")
        except TunesmithError as error:
            os.write(outgoing, f"{type(error).__name__}: {error}".encode())
        finally:
            os._exit(0)
    os.close(outgoing)
    os.waitpid(child, 0)
    with os.fdopen(incoming) as told:
        return told.read()
