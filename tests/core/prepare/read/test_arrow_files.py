"""Parquet and data sets saved to disk: typed columns as text, nested ones as they are, damage at its place."""

from __future__ import annotations

import datetime
import io
import json
from decimal import Decimal
from pathlib import Path

import datasets
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.core.prepare.read.files import read, refusal, told, values
from tunesmith.core.plan import Prepare
from tunesmith.core.prepare.pipeline import prepare_rows
from tunesmith.core.rows import SPLITS


def parquet(table: pa.Table, group: int = 1000) -> bytes:
    made = io.BytesIO()
    pq.write_table(table, made, row_group_size=group)
    return made.getvalue()


def test_typed_columns_are_text_as_people_write_it(tmp_path: Path) -> None:
    table = pa.table(
        {
            "whole": pa.array([5, None], pa.int64()),
            "part": [1.5, float("nan")],
            "flag": [True, False],
            "day": [datetime.datetime(2024, 3, 1), datetime.datetime(2024, 3, 2)],
            "time": [datetime.datetime(2024, 3, 1, 8, 30), None],
            "price": pa.array([Decimal("1.50"), None], pa.decimal128(5, 2)),
            "kind": pa.array(["x", "y"]).dictionary_encode(),
            "bytes": [b"text", b"too"],
            "empty": pa.nulls(2),
        }
    )
    found = read(tmp_path, "a.parquet", parquet(table))
    assert found.format == "parquet" and found.columns == tuple(table.column_names)
    first = {"whole": "5", "part": "1.5", "flag": "true", "day": "2024-03-01", "price": "1.50", "kind": "x"}
    first |= {"bytes": "text"}
    rows = values(found)
    assert {key: rows[0][key] for key in first} == first
    assert str(rows[0]["time"]).startswith("2024-03-01 08:30:00")
    assert rows[1] == {"flag": "false", "day": "2024-03-02", "kind": "y", "bytes": "too"}
    assert [row.line for row in found.rows] == [1, 2]


def test_nested_columns_are_what_they_are(tmp_path: Path) -> None:
    turns = [{"role": "user", "content": "é"}]
    table = pa.table({"turns": [turns, None, []], "tag": [{"a": 1, "b": None}] * 3})
    found = read(tmp_path, "a.parquet", parquet(table))
    assert values(found)[0] == {"turns": turns, "tag": {"a": 1, "b": None}}
    assert [row.values.get("turns") for row in found.rows] == [turns, None, []]


def test_bytes_that_are_no_text_are_left_out_and_said_so(tmp_path: Path) -> None:
    found = read(tmp_path, "a.parquet", parquet(pa.table({"a": ["x"], "image": [b"\xff\xd8"]})))
    assert values(found) == [{"a": "x"}]
    assert found.notes == ("Column image holds bytes that are no text; it is left out.",)


def test_a_broken_row_group_costs_itself(tmp_path: Path) -> None:
    content = bytearray(parquet(pa.table({"a": [f"text {n}" for n in range(300)]}), group=100))
    start = pq.ParquetFile(io.BytesIO(bytes(content))).metadata.row_group(1).column(0).dictionary_page_offset
    content[start : start + 12] = b"\xff" * 12
    found = read(tmp_path, "a.parquet", bytes(content))
    assert [row.line for row in found.rows] == [*range(1, 101), *range(201, 301)]
    assert [line for line, _ in told(found)] == [101]
    assert told(found)[0][1].startswith("rows 101 to 200 can't be read: ")


def test_a_cut_file_and_names_that_stand_twice_are_refused(tmp_path: Path) -> None:
    content = parquet(pa.table({"a": ["x"]}))
    assert "can't be read as Parquet" in refusal(tmp_path, "a.parquet", content[:-9]).title
    twice = pa.Table.from_arrays([pa.array(["x"]), pa.array(["y"])], names=["a", "a"])
    assert "the name a stands over 2 columns" in refusal(tmp_path, "a.parquet", parquet(twice)).title
    assert "holds no rows" in refusal(tmp_path, "a.parquet", parquet(pa.table({"a": pa.array([], pa.string())}))).title


TURNS = [{"role": "user", "content": "hi"}]


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    datasets.disable_progress_bars()
    train = datasets.Dataset.from_dict({"q": ["a", "b"], "m": [TURNS, []]})
    test = datasets.Dataset.from_dict({"q": ["c"], "m": [TURNS]})
    datasets.DatasetDict({"train": train, "test": test}).save_to_disk(str(tmp_path / "both"))
    train.save_to_disk(str(tmp_path / "one"), num_shards=2)
    return tmp_path


def test_a_saved_data_set_is_read(saved: Path) -> None:
    found = read(saved, "one")
    assert (found.format, found.columns) == ("dataset", ("q", "m"))
    assert values(found) == [{"q": "a", "m": TURNS}, {"q": "b", "m": []}]
    assert [row.line for row in found.rows] == [1, 2] and len(found.files) == 2


def test_splits_are_read_together_unless_one_is_named(saved: Path) -> None:
    found = read(saved, "both")
    assert [(row.values["q"], row.values["split"]) for row in found.rows] == [
        ("a", "train"),
        ("b", "train"),
        ("c", "test"),
    ]
    assert found.notes == (
        "All splits are read together and mixed (train, test); the column split tells them apart. To keep its own "
        f"test: prepare.part: train, and prepare.split.test_file: {saved}/both/test.",
    )
    assert [row.values["q"] for row in read(saved, "both", part="test").rows] == ["c"]
    error = refusal(saved, "both", part="dev")
    assert error.title == f"{saved}/both has no split dev: it has train, test."
    assert (error.asks, error.names) == ("prepare.part", ("train", "test"))
    index = saved / "both" / "dataset_dict.json"
    index.write_text(json.dumps({"splits": ["train", "no \ud800 text"]}))
    assert refusal(saved, "both", part="dev").names == ("train",), "what is no text can't be stated"


def test_a_damaged_data_set_says_so_and_reads_no_file_outside_its_folder(saved: Path) -> None:
    (saved / "one/state.json").write_text('{"_data_files": [{"filename": "../both/train/data-00000-of-00001.arrow"}]}')
    refusal_of_outside = refusal_or_access(saved, "one")
    assert "can't be read" in refusal_of_outside
    (saved / "one/state.json").write_text("{")
    assert "looks like a saved data set and can't be read" in refusal(saved, "one").title


def refusal_or_access(folder: Path, name: str) -> str:
    from tunesmith.core.errors import TunesmithError

    with pytest.raises(TunesmithError) as caught:
        read(folder, name)
    return caught.value.title


def test_the_test_of_a_saved_data_set_is_kept_as_the_note_says(tmp_path: Path) -> None:
    datasets.disable_progress_bars()
    rows = {
        "train": [{"q": f"What is {n}?", "a": f"It is {n}."} for n in range(60)],
        "test": [{"q": f"Which is {n}?", "a": f"That is {n}."} for n in range(12)],
    }
    made = datasets.DatasetDict({name: datasets.Dataset.from_list(held) for name, held in rows.items()})
    made.save_to_disk(str(tmp_path / "both"))
    note = read(tmp_path, "both").notes[0]
    part, _, test = note.removesuffix(".").partition("prepare.part: ")[2].partition(", and prepare.split.test_file: ")
    plan = {
        "data": "both",
        "part": part,
        "shape": "question-answer",
        "columns": {"question": "q", "answer": "a"},
        "split": {"validation": 0.1, "test": 0, "test_file": test, "seed": 3},
    }
    prepared = prepare_rows(Prepare.model_validate(plan), tmp_path)
    answers = {name: {row.answer for row in prepared.rows(name)} for name in SPLITS}
    assert answers["test"] == {row["a"] for row in rows["test"]}
    assert answers["train"] | answers["validation"] == {row["a"] for row in rows["train"]}


def test_splits_without_a_train_and_a_test_are_named_one_by_one(tmp_path: Path) -> None:
    datasets.disable_progress_bars()
    one = datasets.Dataset.from_dict({"q": ["a"]})
    datasets.DatasetDict({"old": one, "new": one}).save_to_disk(str(tmp_path / "both"))
    assert "(old, new)" in read(tmp_path, "both").notes[0]
    assert read(tmp_path, "both").notes[0].endswith("prepare.part names one that is read alone.")


def test_bytes_that_pass_for_text_and_are_none_are_left_out(tmp_path: Path) -> None:
    content = {"q": ["a", "b"], "raw": pa.array([b"\x00\x01", b"x"]), "note": pa.array([b"fine\n", b"\tx"])}
    pq.write_table(pa.table(content), tmp_path / "a.parquet")
    found = read(tmp_path, "a.parquet")
    assert found.columns == ("q", "note")
    assert found.notes == ("Column raw holds bytes that are no text; it is left out.",)
