"""`tunesmith prepare` as a command: what it prints, what it writes, what it refuses."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tunesmith.core.rows import read_rows


def prepare(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    code = "import sys; sys.argv[0] = 'tunesmith'\nfrom tunesmith.tui.entry import main\nmain()"
    return subprocess.run(
        [sys.executable, "-c", code, "prepare", *words], cwd=folder, capture_output=True, text=True, check=False
    )


def write(folder: Path, rows: list[dict[str, Any]]) -> str:
    (folder / "qa.jsonl").write_text("\n".join(map(json.dumps, rows)))
    return "qa.jsonl"


def some(count: int = 60) -> list[dict[str, Any]]:
    rows = [{"question": f"What is the code of room {n}?", "answer": f"The code is {n * 7}."} for n in range(count)]
    rows[3]["answer"] = "Write to jane.doe@example.org, she knows it."
    return [*rows, rows[5]]


def test_it_tells_what_was_found_and_what_would_be_done_and_writes_nothing(tmp_path: Path) -> None:
    name = write(tmp_path, some())
    before = (tmp_path / name).read_bytes()
    done = prepare(tmp_path, name)
    assert done.returncode == 0, done.stderr
    assert "61 records, 2 columns" in done.stdout
    assert "each row has a question and its answer" in done.stdout
    assert "e-mail" in done.stdout and "jane.doe" not in done.stdout, "personal data is masked in what is shown"
    assert "61 records read" in done.stdout
    assert sorted(path.name for path in tmp_path.iterdir() if path.is_file()) == [name]
    assert (tmp_path / name).read_bytes() == before


@pytest.mark.parametrize("form", ["jsonl", "parquet", "openai"])
def test_the_prepared_set_is_written_with_its_card(tmp_path: Path, form: str) -> None:
    done = prepare(tmp_path, write(tmp_path, some()), "--out", "out", "--as", form, "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    out = tmp_path / "out"
    assert sorted(told["written"]["files"]) == sorted(path.name for path in out.iterdir())
    card = (out / "data-card.md").read_text()
    assert "qa.jsonl" in card and "jane.doe" not in card
    assert "| whole row |" in card, "with the lengths that were counted"
    parts = told["account"]["parts"]
    if form == "jsonl":
        rows = [row for split in parts for row in read_rows(out / f"{split}.jsonl")]
        assert len(rows) == sum(parts.values())
        assert not any("jane.doe@" in row.answer for row in rows), "masked as recommended"
    if form == "openai":
        line = json.loads((out / "train.jsonl").read_text().splitlines()[0])
        assert [message["role"] for message in line["messages"]] == ["user", "assistant"]


def test_openais_own_limits_are_told_line_by_line(tmp_path: Path) -> None:
    done = prepare(tmp_path, write(tmp_path, some(20)), "--out", "out", "--as", "openai")
    assert done.returncode == 2
    assert "validation.jsonl" in done.stdout or "test.jsonl" in done.stdout


def test_a_folder_that_holds_something_is_not_written_into_unasked(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("x")
    done = prepare(tmp_path, write(tmp_path, some()), "--out", "out")
    assert done.returncode == 2 and "is not empty" in done.stderr
    assert (tmp_path / "out" / "mine.txt").read_text() == "x"


def test_a_file_that_can_not_be_read_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(range(256)))
    done = prepare(tmp_path, "x.csv")
    assert done.returncode == 2 and "Traceback" not in done.stderr
    assert "x.csv" in done.stderr


def test_data_that_the_model_cant_take_are_looked_at_and_written_all_the_same(tmp_path: Path) -> None:
    tool = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object", "properties": {}}}}
    turns = [
        [
            {"role": "user", "content": f"Is it warm in town {n}?"},
            {"role": "assistant", "content": f"It is {n} degrees."},
        ]
        for n in range(60)
    ]
    name = write(tmp_path, [{"messages": chat, "tools": [tool]} for chat in turns])
    done = prepare(tmp_path, name, "--out", "out", "--as", "openai")
    assert done.returncode == 0 or "at least 10" in done.stdout, done.stderr
    assert "The rows are not counted in tokens" in done.stdout and "leaves out the tools" in done.stdout
    assert "weather" in (tmp_path / "out" / "train.jsonl").read_text()


def test_what_the_sequence_length_cuts_is_said(tmp_path: Path) -> None:
    done = prepare(tmp_path, write(tmp_path, some()), "--set", "select.hyperparameters.max_length=16")
    assert "cut at 16 tokens" in done.stdout and "lose their whole answer" in done.stdout


def test_columns_that_the_model_never_sees_are_named(tmp_path: Path) -> None:
    rows = [{**row, "A": f"{n} pears", "B": f"{n} plums"} for n, row in enumerate(some())]
    assert "In no prompt and no answer: A and B." in prepare(tmp_path, write(tmp_path, rows)).stdout
