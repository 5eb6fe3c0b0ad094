"""What a source may name, what is said where it can't be read, and what all readers have in common."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core.prepare.read.files import PAIRS, PEOPLE, clear, read, refusal, told, values
from tunesmith.core.errors import AccessError, DataError, TunesmithError
from tunesmith.core.meter import Cancelled
from tunesmith.core.paths import is_file
from tunesmith.core.practice import EMPLOYEES_CSV
from tunesmith.core.prepare.read.formats import FORMATS, kind_of
from tunesmith.core.prepare.read.load import read_records


def test_a_file_gives_records_with_their_lines_and_the_fingerprint_of_the_bytes(tmp_path: Path) -> None:
    found = read(tmp_path, "people.csv", PEOPLE)
    assert (found.format, found.columns, found.notes) == ("csv", ("name", "salary"), ())
    assert values(found) == PAIRS
    assert [(row.number, row.line, row.file, row.place) for row in found.rows] == [
        (1, 2, "", "line 2"),
        (2, 3, "", "line 3"),
    ]
    assert found.fingerprint == f"sha256:{hashlib.sha256(PEOPLE.encode()).hexdigest()}"
    assert (found.source, found.files) == (str(tmp_path / "people.csv"), (tmp_path / "people.csv",))
    assert found.total == 2


def test_practice_names_the_table_that_comes_with_tunesmith() -> None:
    found = read_records("practice")
    assert (found.source, found.path) == ("practice", EMPLOYEES_CSV)
    assert found.columns == ("id", "name", "department", "hire_date", "salary")


def test_the_ending_tells_the_kind_also_under_a_compression() -> None:
    assert kind_of("a.CSV.gz") == ("csv", "gzip")
    assert kind_of("a.b.jsonl.zst") == ("jsonl", "zstd")
    assert kind_of("a.csv.zip") == (None, "zip") and kind_of("a.zip").readable
    assert not kind_of("a.gz").readable and not kind_of("a").readable and not kind_of("a.csv.exe").readable
    assert {".tsv", ".parquet", ".xlsx", ".md", ".gz"} < set(FORMATS)
    assert is_file("data/*.csv") and not is_file("hub:a/b") and not is_file("sqlite:///x.db")


# Folders and patterns


def test_a_folder_is_read_as_one_table_with_the_columns_of_all_files(tmp_path: Path) -> None:
    (tmp_path / "data/sub").mkdir(parents=True)
    (tmp_path / "data/b.csv").write_text("name,city\nCarol,Köln\n")
    (tmp_path / "data/a.csv").write_text(PEOPLE)
    (tmp_path / "data/sub/c.jsonl").write_text('\n{"name": "Dave"}\n')
    (tmp_path / "data/.hidden.csv").write_text("x\n1\n")
    (tmp_path / "data/picture.png").write_bytes(b"\x89PNG")
    found = read(tmp_path, "data")
    assert found.columns == ("name", "salary", "city")
    assert [(row.file, row.line) for row in found.rows] == [
        ("a.csv", 2),
        ("a.csv", 3),
        ("b.csv", 2),
        ("sub/c.jsonl", 2),
    ]
    assert found.rows[3].place == "sub/c.jsonl, line 2"
    assert values(found)[2:] == [{"name": "Carol", "city": "Köln"}, {"name": "Dave"}]
    assert [path.name for path in found.files] == ["a.csv", "b.csv", "c.jsonl"]
    assert found.notes == ("1 file of other kinds is left out.",)


def test_a_pattern_reads_what_it_matches(tmp_path: Path) -> None:
    for name in ("a1.csv", "a2.csv", "b1.csv"):
        (tmp_path / name).write_text(f"name\n{name}\n")
    assert [row.values["name"] for row in read(tmp_path, "a*.csv").rows] == ["a1.csv", "a2.csv"]
    assert refusal(tmp_path, "c*.csv").title == f"No file matches {tmp_path}/c*.csv."
    assert "matches no file that is read here" in refusal(tmp_path, "../*").title


def test_a_name_with_brackets_is_a_file_before_it_is_a_pattern(tmp_path: Path) -> None:
    (tmp_path / "1.csv").write_text("name\nwrong\n")
    assert values(read(tmp_path, "[1].csv", "name\nright\n")) == [{"name": "right"}]


def test_one_bad_file_of_several_is_set_aside_as_a_whole(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data/a.csv").write_text(PEOPLE)
    (tmp_path / "data/b.csv").write_text("a,a\n1,2\n")
    (tmp_path / "data/c.csv").write_text("")
    found = read(tmp_path, "data")
    assert values(found) == PAIRS and len(found.rejected) == 2
    assert [(one.file, one.line, one.why) for one in found.rejected] == [
        ("b.csv", 1, "the name a stands twice, over columns 1 and 2"),
        ("c.csv", 1, "is empty"),
    ]


def test_several_files_of_which_none_can_be_read_are_an_error_that_names_the_first(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    for name in ("a.csv", "b.csv"):
        (tmp_path / "data" / name).write_text("a,a\n1,2\n")
    assert refusal(tmp_path, "data").title.startswith(f"{tmp_path}/data/a.csv: line 1: the name a stands twice")


def test_text_beside_tables_is_left_out_and_said_so(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data/a.csv").write_text(PEOPLE)
    (tmp_path / "data/README.md").write_text("# About")
    found = read(tmp_path, "data")
    assert values(found) == PAIRS
    assert found.notes == ("Text is left out, because there are tables: README.md.",)
    assert found.rows[0].file == ""


def test_a_nested_column_of_one_file_is_text_in_another(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data/a.csv").write_text('tags\n[1]\n"say ""hi"""\n')
    (tmp_path / "data/b.jsonl").write_text('{"tags": [1]}\n')
    found = read(tmp_path, "data")
    assert values(found) == [{"tags": "[1]"}, {"tags": 'say "hi"'}, {"tags": [1]}]
    assert [cell for batch in found.batches() for cell in batch.columns["tags"]] == ["[1]", 'say "hi"', "[1]"]


def test_a_folder_without_anything_readable_says_so(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data/a.exe").write_text("x")
    assert refusal(tmp_path, "data").title == f"{tmp_path}/data holds no file that is read here."


def test_the_fingerprint_of_several_files_changes_with_each_and_with_their_names(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    seen = set()
    for name, text in (("a.csv", PEOPLE), ("b.csv", PEOPLE), ("b.csv", PEOPLE + "C,1\n")):
        (tmp_path / "data" / name).write_text(text)
        seen.add(read(tmp_path, "data").fingerprint)
    (tmp_path / "data/b.csv").rename(tmp_path / "data/c.csv")
    seen.add(read(tmp_path, "data").fingerprint)
    assert len(seen) == 4


# What is refused, and in which words


def test_a_missing_file_is_named_with_the_nearest_one_there(tmp_path: Path) -> None:
    (tmp_path / "Employees.csv").write_text(PEOPLE)
    with pytest.raises(DataError) as caught:
        read_records("employes.csv", tmp_path)
    assert str(caught.value) == f"There is no file {tmp_path}/employes.csv. Did you mean Employees.csv?"


def test_a_missing_file_unlike_any_other_lists_what_the_folder_holds(tmp_path: Path) -> None:
    for name in ("b.json", "a.csv", "notes.doc"):
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


@pytest.mark.parametrize("content", ["", " \n\n", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("name", ["a.csv", "a.json", "a.jsonl", "a.txt"])
def test_an_empty_file_says_so(tmp_path: Path, name: str, content: str | bytes) -> None:
    assert refusal(tmp_path, name, content).title == f"{tmp_path}/{name} is empty."


def test_a_kind_of_file_that_is_not_read_is_named_with_those_that_are(tmp_path: Path) -> None:
    error = refusal(tmp_path, "a.docx", b"PK\x03\x04")
    assert error.title == f"{tmp_path}/a.docx is a file of the kind .docx, which is not read here."
    assert "CSV (.csv, .tsv), JSON (.json), JSON lines (.jsonl, .ndjson), Parquet (.parquet)" in error.next_step
    assert "without an ending such as .csv" in refusal(tmp_path, "data", "x").title
    assert "sqlite:///" in refusal(tmp_path, "shop.db", "x").next_step


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"\x89PNG\r\n\x1a\n\0\0", "it begins as a picture does"),
        (b"PAR1\x15\x04", "it begins as a Parquet file (.parquet) does"),
        (b"PK\x03\x04abc", "it begins as a zip archive or a workbook (.zip, .xlsx, .ods) does"),
        (bytes(range(1, 9)) * 9, "72 of its first 72 bytes are no characters"),
    ],
)
@pytest.mark.parametrize("name", ["a.csv", "a.json", "a.jsonl", "a.md"])
def test_a_file_that_is_no_text_says_what_it_is(tmp_path: Path, name: str, content: bytes, what: str) -> None:
    if "72" in what:
        content, what = bytes([1, 2, 3, 4, 5, 6, 7, 8]) * 9, "of its first 72 bytes are no characters"
    assert what in refusal(tmp_path, name, content).title


def test_a_device_or_a_pipe_is_no_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.csv")
    with pytest.raises(DataError) as caught:
        read_records("a.csv", tmp_path)
    assert caught.value.title == f"{tmp_path}/a.csv is not an ordinary file."


def test_names_that_no_file_can_have_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="too long for a file name"):
        read_records("x" * 300 + ".csv", tmp_path)
    for name in ("caf\udce9.csv", "~nobody-by-this-name/a.csv", "a\0.csv"):
        with pytest.raises(DataError, match="can't be used as a file name"):
            read_records(name, tmp_path)


def test_a_name_with_terminal_commands_is_shown_spelled_out(tmp_path: Path) -> None:
    name = "\x1b[2Ja\u202e[bold].csv"
    with pytest.raises(DataError) as caught:
        read_records(name, tmp_path)
    assert r"\x1b[2Ja\u202e[bold].csv" in caught.value.title
    clear(caught.value)
    clear(refusal(tmp_path, name, 'a,b\n"x\n'))
    (tmp_path / "b.csv").write_text(PEOPLE)
    clear(refusal(tmp_path, "c\x1b.csv"))


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
        said = _refused_as_nobody(str(file))
    assert said.startswith(f"AccessError: {file} can't be read: Permission denied. Mend its permissions")


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
    with os.fdopen(incoming) as answer:
        return answer.read()


def test_whoever_waits_may_end_it_and_nothing_is_left_behind(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(PEOPLE)

    def cancel(doing: str, done: int, of: int) -> None:
        if doing == "reading":
            raise Cancelled

    with pytest.raises(Cancelled):
        read_records("a.csv", tmp_path, meter=cancel)
    assert list((tmp_path / "cache/rows").iterdir()) == []


def test_the_meter_is_told_how_many_bytes_are_read(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(PEOPLE)
    seen: list[tuple[str, int, int]] = []
    read_records("a.csv", tmp_path, meter=lambda *step: seen.append(step))
    assert seen[0] == ("looking for changes", len(PEOPLE), len(PEOPLE))
    assert seen[-1] == ("reading", len(PEOPLE), len(PEOPLE))


def test_what_was_set_aside_is_cut_and_harmless(tmp_path: Path) -> None:
    long = "x" * 5_000
    found = read(tmp_path, "a.csv", f"a,b\n1,2\n{long}\n\x1b[2J\u202e\n".encode() + b"\xff,2\n")
    assert told(found)[0] == (3, "1 cell, fewer than the 2 of the header")
    assert len(found.rejected[0].text) == 2_000 and found.rejected[0].text.endswith("x…")
    assert found.rejected[1].text == "\x1b[2J\u202e"  # as it is: whoever shows it makes it harmless


@given(st.binary(max_size=60), st.sampled_from([".csv", ".json", ".jsonl", ".txt", ".csv.gz", ".zip", ".parquet"]))
def test_any_bytes_are_read_or_refused_in_words(content: bytes, suffix: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        try:
            assert read(Path(folder), f"x{suffix}", content).rows
        except TunesmithError as error:
            clear(error)


def test_what_the_interface_needs_of_it_costs_nothing_to_import() -> None:
    script = "import sys, tunesmith.core.prepare.read.formats; print(sorted({'pyarrow', 'numpy'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout == "[]\n"
