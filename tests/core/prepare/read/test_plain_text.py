"""Text and Markdown as records for continued pretraining."""

from __future__ import annotations

from pathlib import Path

from tests.core.prepare.read.files import read, values


def test_a_file_alone_is_cut_at_blank_lines_into_pieces_of_some_length(tmp_path: Path) -> None:
    paragraphs = [f"Paragraph {n}. " + "Word by word. " * 40 for n in range(10)]
    found = read(tmp_path, "book.txt", "\n\n".join(paragraphs) + "\n")
    assert (found.format, found.columns) == ("text", ("text",))
    assert len(found.rows) == 5
    whole = "\n\n".join(str(row.values["text"]) for row in found.rows)
    assert whole.split() == " ".join(paragraphs).split()
    assert [row.line for row in found.rows] == [1, 5, 9, 13, 17]


def test_short_paragraphs_and_headings_stay_with_what_follows(tmp_path: Path) -> None:
    found = read(tmp_path, "a.md", "# Title\n\nShort.\n\n## Part\n\nMore.\n")
    assert values(found) == [{"text": "# Title\n\nShort.\n\n## Part\n\nMore."}]


def test_code_between_fences_is_not_cut(tmp_path: Path) -> None:
    code = "```python\n" + "x = 1\n\n" * 400 + "```"
    found = read(tmp_path, "a.md", f"{'Intro. ' * 200}\n\n{code}\n\nEnd.\n")
    assert [str(row.values["text"])[:5] for row in found.rows] == ["Intro", "```py", "End."]


def test_of_several_files_each_is_a_record_unless_it_is_long(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs/a.md").write_text("# A\n\n" + "Some text. " * 500)
    (tmp_path / "docs/b.txt").write_text("b")
    (tmp_path / "docs/c.txt").write_text("\n\n".join(["word " * 1_000] * 10))
    found = read(tmp_path, "docs")
    assert [row.file for row in found.rows] == ["a.md", "b.txt", "c.txt", "c.txt", "c.txt"]


def test_a_file_without_blank_lines_is_cut_at_line_ends(tmp_path: Path) -> None:
    found = read(tmp_path, "log.txt", "a line of the log\n" * 20_000)
    assert len(found.rows) == 4
    assert sum(str(row.values["text"]).count("log") for row in found.rows) == 20_000


def test_another_encoding_is_read_and_said(tmp_path: Path) -> None:
    found = read(tmp_path, "a.txt", "Übung macht den Meister – naïve café. ".encode("cp1252") * 20)
    assert str(found.rows[0].values["text"]).startswith("Übung macht den Meister – naïve café.")
    assert found.notes == (
        "The file is not written in UTF-8; it is read as Windows-1252, "
        "which is a guess: prepare.encoding in the plan says otherwise.",
    )
