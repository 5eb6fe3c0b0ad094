"""Workbooks: which sheet, which row is the header, and cells as people see them."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

from tests.core.prepare.read.files import ods, read, refusal, values, xlsx


def test_the_first_row_that_is_not_empty_is_the_header_and_lines_are_the_sheets_rows(tmp_path: Path) -> None:
    content = xlsx({"People": [["name", "salary"], ["Alice", 85000], [], ["Bob", 72000.5]]}, first_row=3)
    found = read(tmp_path, "a.xlsx", content)
    assert (found.format, found.columns, found.notes) == ("excel", ("name", "salary"), ())
    assert values(found) == [{"name": "Alice", "salary": "85000"}, {"name": "Bob", "salary": "72000.5"}]
    assert [row.line for row in found.rows] == [4, 6]


def test_cells_are_text_and_what_would_be_a_formula_is_only_text(tmp_path: Path) -> None:
    content = xlsx({"A": [["a", "b"], ["=cmd|' /C calc'!A0", True], ["\u202e[red]x[/]", None]]})
    assert values(read(tmp_path, "a.xlsx", content)) == [
        {"a": "=cmd|' /C calc'!A0", "b": "true"},
        {"a": "\u202e[red]x[/]", "b": ""},
    ]


def test_of_several_sheets_the_first_that_is_not_empty_is_read_and_said_so(tmp_path: Path) -> None:
    content = xlsx({"Blank": [], "One": [["a"], ["x"]], "Two": [["a"], ["y"]]})
    found = read(tmp_path, "a.xlsx", content)
    assert values(found) == [{"a": "x"}]
    assert found.notes == ("The sheet One is read; Two are left out (prepare.part names another).",)
    assert values(read(tmp_path, "a.xlsx", content, part="Two")) == [{"a": "y"}]
    error = refusal(tmp_path, "a.xlsx", content, part="Three")
    assert error.title == f"{tmp_path}/a.xlsx has no sheet Three: it has Blank, One, Two."
    assert (error.asks, error.names) == ("prepare.part", ("Blank", "One", "Two"))


def test_a_column_without_a_name_is_called_by_its_letter_if_there_is_something_in_it(tmp_path: Path) -> None:
    found = read(tmp_path, "a.xlsx", xlsx({"A": [["a", None, "c", None], ["1", "2", "3"], ["4"]]}))
    assert found.columns == ("a", "B", "c")
    assert values(found) == [{"a": "1", "B": "2", "c": "3"}, {"a": "4", "B": "", "c": ""}]
    assert found.notes == ("Column B has no name in its header; it is called B.",)


def test_a_spreadsheet_of_libreoffice_is_read(tmp_path: Path) -> None:
    assert values(read(tmp_path, "a.ods", ods([["a", "b"], ["x", "é"]]))) == [{"a": "x", "b": "é"}]


def test_what_is_no_workbook_or_empty_or_has_two_names_alike_is_refused(tmp_path: Path) -> None:
    for name in ("a.xlsx", "a.xls", "a.ods"):
        assert "can't be read as a workbook" in refusal(tmp_path, name, b"PK\x03\x04nonsense").title
    assert "holds nothing on its sheets" in refusal(tmp_path, "b.xlsx", xlsx({"A": []})).title
    twice = refusal(tmp_path, "c.xlsx", xlsx({"A": [["a", "a"], ["1", "2"]]}))
    assert twice.title == f"{tmp_path}/c.xlsx: line 1: the name a stands twice, over columns 1 and 2."
    only = refusal(tmp_path, "d.xlsx", xlsx({"A": [["a", "b"]]}))
    assert only.title == f"{tmp_path}/d.xlsx holds a header and no rows under it."


def test_a_workbook_that_would_fill_the_memory_is_refused(tmp_path: Path) -> None:
    content = io.BytesIO(xlsx({"A": [["a"], ["x"]]}))
    with zipfile.ZipFile(content, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/media/x.bin", bytes(300 << 20))
    assert "unpacks to 300 MB, which is too much" in refusal(tmp_path, "a.xlsx", content.getvalue()).title


def test_a_stray_cell_in_the_far_corner_is_refused(tmp_path: Path) -> None:
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(xlsx({"A": [["a"], ["x"]]}))) as old, zipfile.ZipFile(made, "w") as new:
        for member in old.namelist():
            text = old.read(member).decode()
            far = '<row r="1048576"><c r="XFD1048576"><v>1</v></c></row></sheetData>'
            new.writestr(member, text.replace("</sheetData>", far))
    title = refusal(tmp_path, "a.xlsx", made.getvalue()).title
    assert title == f"{tmp_path}/a.xlsx: the cells of a sheet reach to XFD1048576, too far to be held."
