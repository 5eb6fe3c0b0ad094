"""CSV and TSV: dialects, encodings, and rows that are set aside while the rest is read."""

from __future__ import annotations

import csv
import io
import random
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core.prepare.read.files import PAIRS, PEOPLE, clear, read, refusal, told, values
from tunesmith.core.errors import PlanError
from tunesmith.core.prepare.read import delimited
from tunesmith.core.prepare.read.clean_table import clean_table
from tunesmith.core.prepare.read.delimited import Dialect, delimiter_of, dialect_of

QUOTE = "a double quote is opened and never closed"
BEHIND = "text follows behind the quotes of a cell"


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_found(tmp_path: Path, delimiter: str) -> None:
    text = "name,dept,note\nAlice,R&D,x\n".replace(",", delimiter)
    assert read(tmp_path, "a.csv", text).columns == ("name", "dept", "note")


def test_a_delimiter_inside_cells_is_not_taken_for_the_delimiter() -> None:
    assert delimiter_of("name;salary\nAlice;85,000\nBob;72,000\n") == ";"
    assert delimiter_of("name,motto\nAlice,a;b;c;d\nBob,e;f\n") == ","
    assert delimiter_of('a,b\n"x;y|z",2\n') == ","
    assert delimiter_of("only\none\n") == ","
    assert delimiter_of("text\nhello world, my friend\nnothing\nat all\n") == ","


def test_where_the_usual_delimiters_are_unsure_another_is_found() -> None:
    rows = "".join(f"{n}^Name {n}^{n * 7}\n" for n in range(20))
    assert delimiter_of("id^name^value\n" + rows) == "^"


def test_quotes_inside_quotes_may_be_written_with_a_backslash(tmp_path: Path) -> None:
    text = 'a,b\n"say \\"hi\\", she said",1\n"x",2\n'
    assert dialect_of(text) == Dialect(",", "\\")
    assert values(read(tmp_path, "a.csv", text))[0] == {"a": 'say "hi", she said', "b": "1"}
    assert dialect_of('a,b\n"C:\\\\x",1\n') == Dialect(",")


def test_a_table_of_one_column_is_read(tmp_path: Path) -> None:
    assert values(read(tmp_path, "a.csv", "text\nhello\nworld\n")) == [{"text": "hello"}, {"text": "world"}]
    found = read(tmp_path, "a.csv", 'text\nhello\n""\n\nworld\n')
    assert [(row.line, row.values["text"]) for row in found.rows] == [(2, "hello"), (3, ""), (5, "world")]


@pytest.mark.parametrize(
    ("content", "note"),
    [
        (b"\xef\xbb\xbf" + PEOPLE.replace("\n", "\r\n").encode(), None),
        (PEOPLE.replace("\n", "\r").encode(), None),
        (PEOPLE.encode("utf-16"), "UTF-16"),
        (PEOPLE.encode("utf-16-le"), "UTF-16"),
        (PEOPLE.encode("utf-16-be"), "UTF-16"),
        (PEOPLE.encode("utf-32"), "UTF-32"),
    ],
)
def test_marks_and_line_ends_and_wide_encodings_are_no_part_of_the_data(
    tmp_path: Path, content: bytes, note: str | None
) -> None:
    found = read(tmp_path, "a.csv", content)
    assert found.columns == ("name", "salary") and values(found) == PAIRS
    assert [row.line for row in found.rows] == [2, 3]
    assert found.notes == ((f"The file is not written in UTF-8; it is read as {note}.",) if note else ())


@pytest.mark.parametrize(
    ("text", "encoding", "name"),
    [
        ("name,city\nBob,Köln\n", "cp1252", "Windows-1252"),
        ("name,city\n" + "Élodie,Besançon – café\nJürgen,Köln\n" * 20, "cp1252", "Windows-1252"),
        ("имя,город\n" + "Иван Петрович,Москва\nМария,Санкт-Петербург\n" * 10, "cp1251", "Windows-1251"),
        ("имя,город\nИван Петрович,Москва\n", "cp1251", "Windows-1251"),
        ("имя,город\nИван Петрович,Москва\n", "koi8-r", "KOI8-R"),
        ("q,a\n" + "Какой город?,Город Москва на реке\n" * 60, "koi8-r", "KOI8-R"),
        ("q,a\n" + "КАКОЙ ГОРОД?,МОСКВА НА РЕКЕ\n" * 3, "koi8-r", "KOI8-R"),
        ("q,a\n" + "Jakie jest miasto?,Łódź żółć gęś ąę świat źdźbło\n" * 60, "iso8859-2", "ISO 8859-2"),
        ("q,a\nJakie jest miasto?,Łódź żółć gęś świat\n", "cp1250", "Windows-1250"),
        (
            "q,a\nMelyik a főváros?,Magyarország fővárosa és legnagyobb városa Győr\n",
            "cp1250",
            "Windows-1250",
        ),
        ("q,a\nQual?,As orações e as lições são difíceis mas também úteis à nação\n", "cp1252", "Windows-1252"),
        ("q,a\nJaký kůň?,Příliš žluťoučký kůň úpěl ďábelské ódy\n", "iso8859-2", "ISO 8859-2"),
        ("q,a\n" + "Hangi şehir?,İstanbul en kalabalık şehridir güneş doğdu\n" * 9, "cp1254", "cp1254"),
        ("q,a\n" + "מהי הבירה?,ירושלים היא עיר הבירה של מדינת ישראל\n" * 9, "cp1255", "cp1255"),
    ],
)
def test_the_encoding_is_found_and_said(tmp_path: Path, text: str, encoding: str, name: str) -> None:
    found = read(tmp_path, "a.csv", text.encode(encoding))
    guess = "which is a guess: prepare.encoding in the plan says otherwise"
    assert found.notes == (f"The file is not written in UTF-8; it is read as {name}, {guess}.",)
    assert [tuple(row.values.values()) for row in found.rows] == [
        tuple(line.split(",")) for line in text.splitlines()[1:]
    ]


def test_a_broken_byte_in_a_file_that_is_utf8_costs_its_row(tmp_path: Path) -> None:
    found = read(tmp_path, "a.csv", "name,city\nZoë,Köln\n".encode() + b"J\xf6rg,Ulm\n" + "Ana,Málaga\n".encode())
    assert [row.line for row in found.rows] == [2, 4] and found.notes == ()
    assert told(found) == [(3, "byte 0xf6 is not UTF-8")]
    assert found.rejected[0].text == "J\\xf6rg,Ulm"


def test_a_broken_byte_in_the_header_costs_a_character(tmp_path: Path) -> None:
    found = read(tmp_path, "a.csv", b"n\xf6,city\n" + "Zoë,Köln\n".encode())
    assert found.columns == ("n\ufffd", "city") and len(found.rows) == 1
    assert "names of columns that are not all UTF-8" in found.notes[0]


def test_blank_lines_are_passed_over_and_lines_are_counted_as_an_editor_counts_them(tmp_path: Path) -> None:
    found = read(tmp_path, "a.csv", '\nname,note\n\nAlice,"two\nlines"\n  \nBob,x\n')
    assert [(row.line, row.values["name"]) for row in found.rows] == [(4, "Alice"), (7, "Bob")]
    assert found.rows[0].values["note"] == "two\nlines"


def test_nuls_escapes_and_markup_are_just_text(tmp_path: Path) -> None:
    odd = "\x1b[2J\x1b]0;pwned\x07 [bold red]x[/] \u202egnp.exe \0 =1+1 🙂 é"
    assert values(read(tmp_path, "a.csv", f"a,b\n{odd},1\n"))[0]["a"] == odd


def test_a_cell_of_ten_megabytes_is_read(tmp_path: Path) -> None:
    long = "word " * 2_000_000
    found = read(tmp_path, "a.csv", f'a,b\n1,2\n"{long}",3\n{long},4\n5,6\n')
    assert [len(str(row.values["a"])) for row in found.rows] == [1, len(long), len(long), 1]
    assert sum(len(batch) for batch in found.batches(["b"])) == 4


# Rows that are none


def test_a_row_with_too_many_or_too_few_cells_is_set_aside_at_its_line(tmp_path: Path) -> None:
    found = read(tmp_path, "a.csv", PEOPLE + "Carol, Jr.,90000\n\nDave\nEve,1\n")
    assert values(found) == [*PAIRS, {"name": "Eve", "salary": "1"}]
    assert told(found) == [
        (4, "3 cells, more than the 2 of the header"),
        (6, "1 cell, fewer than the 2 of the header"),
    ]
    assert [rejected.text for rejected in found.rejected] == ["Carol, Jr.,90000", "Dave"]
    assert found.total == 5


def test_a_file_of_which_no_row_can_be_read_is_an_error_with_the_first_of_them(tmp_path: Path) -> None:
    error = refusal(tmp_path, "a.csv", "a,b\n\n1\n2,3,4\n")
    assert error.title == f"{tmp_path}/a.csv: line 3: 1 cell, fewer than the 2 of the header."
    assert (error.line, error.file) == (3, tmp_path / "a.csv")
    assert error.next_step == "Add the missing cells; one without a value still has its delimiter."


@pytest.mark.parametrize(
    ("text", "rows", "rejected"),
    [
        ('Carol,"90000\nDave,1\nEve,2\n', ["Dave", "Eve"], [(4, QUOTE)]),
        ('Carol,"90000\nDave,1\nEve,"2"\nFay,3\n', ["Dave", "Eve", "Fay"], [(4, QUOTE)]),
        ('Carol,"90000\nDave,1\nEve,"2\nFay,3\n', ["Dave", "Fay"], [(4, QUOTE), (6, QUOTE)]),
        ('"Carol"x,1\nDave,2\n', ["Dave"], [(4, BEHIND)]),
        ('"two\nlines" x,3\nDave,2\n', ["Dave"], [(4, BEHIND)]),
        ('"two\nlines",3,4\nDave,2\n', ["Dave"], [(4, "3 cells, more than the 2 of the header")]),
        ('Dave,5" pipe\n', ["Dave"], []),
    ],
)
def test_a_stray_quote_costs_its_own_row_and_no_other(
    tmp_path: Path, text: str, rows: list[str], rejected: list[tuple[int, str]]
) -> None:
    found = read(tmp_path, "a.csv", PEOPLE + text)
    assert [row.values["name"] for row in found.rows] == ["Alice", "Bob", *rows]
    assert told(found) == rejected


def test_a_stray_quote_in_a_large_file_swallows_nothing(tmp_path: Path) -> None:
    lines = [f"name {n},{n}\n" for n in range(400_000)]
    lines[1_000] = 'name "x,"1000\n'
    lines[399_000] = '"name,1\n'
    found = read(tmp_path, "a.csv", "name,n\n" + "".join(lines))
    assert len(found.rows) == 399_998
    assert told(found) == [(1_002, QUOTE), (399_002, QUOTE)]


def test_a_header_alone_is_no_data(tmp_path: Path) -> None:
    title = refusal(tmp_path, "a.csv", "name,salary\n\n").title
    assert title == f"{tmp_path}/a.csv holds a header and no rows under it."


def test_columns_without_a_name_are_called_by_their_letter(tmp_path: Path) -> None:
    found = read(tmp_path, "a.csv", ",name,C,\n0,Alice,x,1\n1,Bo,y,2\n")
    assert found.columns == ("A", "name", "C", "D") and found.rows[1].values["A"] == "1"
    assert found.notes == (
        "Column A has no name in its header; it is called A.",
        "Column D has no name in its header; it is called D.",
    )
    assert read(tmp_path, "b.csv", ",A\n0,Alice\n").columns == ("A_", "A")


def test_two_columns_of_one_name_are_refused(tmp_path: Path) -> None:
    error = refusal(tmp_path, "a.csv", "name,age, name\nA,1,B\n")
    assert error.title == f"{tmp_path}/a.csv: line 1: the name name stands twice, over columns 1 and 3."


# Nothing is lost and nothing invented

# Marks that text doesn't have are left out: a file with many of them is refused as none.
CONTROLS = "".join(chr(code) for code in range(32) if chr(code) not in "\t\n\r\f\x1b\0")
cells = st.text(st.characters(codec="utf-8", exclude_characters="\ufeff" + CONTROLS), max_size=12)


def parsed(text: str, name: str = "x.csv") -> tuple[list[tuple[str, ...]], list[tuple[int, str]]]:
    with tempfile.TemporaryDirectory() as folder:
        found = read(Path(folder), name, text)
        return [tuple(row.values.values()) for row in found.rows], told(found)


@given(st.lists(st.tuples(cells, cells), min_size=1, max_size=8))
def test_whatever_pythons_csv_writes_is_read_back(rows: list[tuple[str, str]]) -> None:
    text = io.StringIO(newline="")
    writer = csv.writer(text, quoting=csv.QUOTE_ALL)
    writer.writerow(("a", "b"))
    writer.writerows(rows)
    assert parsed(text.getvalue()) == (rows, [])


words = st.text("abc é,;'", max_size=6).map(str.strip)


@given(st.lists(st.tuples(st.sampled_from(["good", "short", "long", "stray"]), words, words), min_size=1, max_size=12))
def test_every_row_is_read_or_set_aside_at_its_line(rows: list[tuple[str, str, str]]) -> None:
    text, good, bad = io.StringIO(), [("first", "1")], []
    text.write("a,b\nfirst,1\n")
    for line, (kind, one, two) in enumerate(rows, start=3):
        if kind == "good":
            text.write(f'"{one}","{two}"\n')
            good.append((one, two))
            continue
        text.write({"short": '"x"\n', "long": f'"{one}","{two}",""\n', "stray": '"y"z,1\n'}[kind])
        bad.append(line)
    found, rejected = parsed(text.getvalue())
    assert found == good
    assert [line for line, _ in rejected] == bad


@given(st.integers(0, 10_000), st.sampled_from(["\n", "\r\n"]))
def test_the_fast_way_reads_what_the_careful_way_reads(seed: int, end: str) -> None:
    chance = random.Random(seed)
    odd = ["", "x", 'say ""hi""', f"two{end}lines", ", and", "é🙂", " "]
    lines = []
    for _ in range(chance.randrange(1, 12)):
        lines.append(",".join(f'"{chance.choice(odd)}"' if chance.random() < 0.5 else "plain" for _ in range(3)) + end)
        if chance.random() < 0.2:
            lines.append(end)
    text = "".join(lines)
    if len(lines) > 1 and chance.random() < 0.3:  # Arrow's parser takes one row without an end for none
        text = text.removesuffix(end)
    fast = clean_table(text.encode(), ",", ["a", "b", "c"], 1, True)
    careful = list(delimited._rows(delimited._Lines(io.BytesIO(text.encode())), Dialect(","), 3))
    assert fast is not None
    assert fast.numbers.to_pylist() == [row.line for row in careful]
    columns = [fast.cells[name].to_pylist() for name in "abc"] if fast.cells else [[], [], []]
    assert [list(row) for row in zip(*columns, strict=True)] == [row.cells for row in careful]


@pytest.mark.parametrize("text", ['a,"b\nc,d\n', 'a,b"c"\n', '"a"b,c\n', "a\rb,c\n", "a,b,c\n", "a\n", '"a""\n,b\n'])
def test_the_fast_way_leaves_whatever_is_unusual_to_the_careful_one(text: str) -> None:
    assert clean_table(text.encode(), ",", ["x", "y"], 1, True) is None


def test_what_the_person_says_of_the_encoding_is_taken(tmp_path: Path) -> None:
    text = "name,note\nŞule,Größe\n"
    wrong = read(tmp_path, "a.csv", text.encode("cp1254"))
    assert values(wrong) == [{"name": "Þule", "note": "Größe"}]
    right = read(tmp_path, "a.csv", encoding="windows-1254")
    assert values(right) == [{"name": "Şule", "note": "Größe"}] and right.notes == ()
    assert right.fingerprint == wrong.fingerprint and right.key != wrong.key, "kept apart"
    assert values(read(tmp_path, "a.csv")) == values(wrong)
    for name in ("utf-8", "utf-8-sig"):
        for mark in (b"", b"\xef\xbb\xbf"):
            assert values(read(tmp_path, "b.csv", mark + text.encode(), encoding=name)) == values(right)
    wide = read(tmp_path, "c.csv", text.encode("utf-16"), encoding="utf-16")
    assert values(wide) == values(right)


def test_bytes_that_the_named_encoding_has_not_are_told(tmp_path: Path) -> None:
    found = read(tmp_path, "a.csv", "name,n\nZoë,1\n".encode(), encoding="ascii")
    assert values(found) == [{"name": "Zo\ufffd\ufffd", "n": "1"}]
    assert found.notes == ("The file has bytes that are no ascii, which is prepare.encoding; \ufffd stands for them.",)


@pytest.mark.parametrize("name", ["klingon", "base64", "idna", "", "a\0b"])
def test_an_encoding_that_there_is_none_of_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(PlanError, match=r"prepare\.encoding: .* is no encoding that Python knows") as caught:
        read(tmp_path, "a.csv", PEOPLE, encoding=name)
    clear(caught.value)


@pytest.mark.parametrize(("first", "cut"), [("sep=;\r\n", ";"), ('"sep=|"\n', "|"), ("SEP=\t\n", "\t")])
def test_the_line_by_which_excel_is_told_the_delimiter_is_no_header(tmp_path: Path, first: str, cut: str) -> None:
    found = read(tmp_path, "a.csv", first + f"q{cut}a\nx, y{cut}1\n\nz{cut}2\n")
    assert values(found) == [{"q": "x, y", "a": "1"}, {"q": "z", "a": "2"}]
    assert [row.line for row in found.rows] == [3, 5]
    found = read(tmp_path, "b.csv", f"\ufeff{first}q{cut}a\nx\ny{cut}1\n")
    assert told(found)[0][0] == 3 and [row.line for row in found.rows] == [4]
