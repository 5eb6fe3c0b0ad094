"""Files for elsewhere: what is written is read back exactly, and is harmless to open."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tunesmith.core.errors import AccessError, DataError
from tunesmith.core.meter import Cancelled
from tunesmith.core.prepare.export import BATCH, read_parquet, write_prepared
from tunesmith.core.rows import Message, Row, ask, read_rows

TEXT = st.text(max_size=12)
PAIRS = st.dictionaries(TEXT, TEXT, max_size=3)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | TEXT,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(TEXT, inner, max_size=2),
    max_leaves=4,
)
FREE = st.lists(st.dictionaries(TEXT, VALUES, min_size=1, max_size=2), max_size=2)
ROWS = st.builds(
    Row,
    TEXT,
    st.lists(st.builds(Message, TEXT, TEXT, FREE.map(tuple), TEXT, TEXT), max_size=3),
    TEXT,
    TEXT,
    TEXT,
    TEXT,
    PAIRS,
    FREE,
    FREE,
    TEXT,
    PAIRS,
)


@settings(max_examples=60)
@given(rows=st.lists(ROWS, max_size=4))
def test_json_lines_and_parquet_give_back_exactly_what_was_written(
    rows: list[Row], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("out")
    (lines,) = write_prepared({"train": rows}, folder, "jsonl")
    (table,) = write_prepared({"train": rows}, folder, "parquet")
    assert list(read_rows(lines.path)) == rows
    assert list(read_parquet(table.path)) == rows
    assert lines.rows == table.rows == len(rows)


def some(count: int, **more: Any) -> list[Row]:
    return [msgspec.structs.replace(Row(str(n), ask("a"), f"b{n}"), **more) for n in range(count)]


def test_each_part_gets_a_file_and_nothing_else_is_left(tmp_path: Path) -> None:
    written = write_prepared({"train": some(3), "test": []}, tmp_path / "new", "parquet")
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == ["test.parquet", "train.parquet"]
    assert [(one.part, one.rows, one.bytes == one.path.stat().st_size) for one in written] == [
        ("train", 3, True),
        ("test", 0, True),
    ]


def test_a_parquet_file_holds_the_prompt_as_turns(tmp_path: Path) -> None:
    (one,) = write_prepared({"train": some(BATCH + 1)}, tmp_path, "parquet")
    table = pq.read_table(one.path)
    assert table.num_rows == BATCH + 1
    assert table["prompt"][0].as_py()[0]["role"] == "user" and table["prompt"][0].as_py()[0]["content"] == "a"


def test_openais_form_is_written_and_checked(tmp_path: Path) -> None:
    (one,) = write_prepared({"train": some(12)}, tmp_path, "openai")
    assert one.faults == ()
    assert json.loads(one.path.read_text().splitlines()[0]) == {
        "messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b0"}]
    }
    (few,) = write_prepared({"test": some(2)}, tmp_path, "openai")
    assert few.faults[0][0] == 0 and "at least 10" in few.faults[0][1]


def test_preferences_have_their_own_form_and_are_not_mixed(tmp_path: Path) -> None:
    (one,) = write_prepared({"train": some(10, rejected="worse")}, tmp_path, "openai")
    assert one.faults == () and "non_preferred_output" in one.path.read_text()
    with pytest.raises(DataError, match="some have none"):
        write_prepared({"mixed": some(5) + some(5, rejected="worse")}, tmp_path, "openai")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["train.jsonl"]


def test_an_export_that_is_ended_leaves_no_half_file(tmp_path: Path) -> None:
    def stop(doing: str, done: int, of: int) -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        write_prepared({"train": some(3)}, tmp_path, "parquet", stop)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_may_not_be_written_to_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: object, **named: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(AccessError, match="can't be written to"):
        write_prepared({"train": some(1)}, tmp_path, "jsonl")
