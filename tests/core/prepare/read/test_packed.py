"""Compressed files: what is in them, damage in the middle of them, and traps."""

from __future__ import annotations

import gzip
import io
import random
import zipfile
from pathlib import Path

import pyarrow as pa
import pytest

from tests.core.prepare.read.files import PAIRS, PEOPLE, read, refusal, told, values, xlsx


def zstd(content: bytes) -> bytes:
    return bytes(pa.Codec("zstd").compress(content))


def zipped(members: dict[str, bytes]) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return made.getvalue()


@pytest.mark.parametrize(
    ("name", "content", "form"),
    [
        ("a.csv.gz", gzip.compress(PEOPLE.encode()), "csv"),
        ("a.csv.gz", gzip.compress(PEOPLE.encode()[:12]) + gzip.compress(PEOPLE.encode()[12:]), "csv"),
        ("a.CSV.ZST", zstd(PEOPLE.encode()), "csv"),
        ("a.zip", zipped({"people.csv": PEOPLE.encode(), "__MACOSX/people.csv": b"x", "image.png": b"x"}), "csv"),
        ("a.csv.gz", gzip.compress(PEOPLE.encode("utf-16")), "csv"),
        (
            "a.zip",
            zipped({"people.xlsx": xlsx({"A": [["name", "salary"], ["Alice", 85000], ["Bob", 72000]]})}),
            "excel",
        ),
    ],
    ids=[
        "gz",
        "gz in two pieces",
        "zst",
        "zip",
        "gz of UTF-16",
        "zip of a workbook",
    ],  # not the bytes: they tell the time
)
def test_what_is_in_it_is_read(tmp_path: Path, name: str, content: bytes, form: str) -> None:
    found = read(tmp_path, name, content)
    assert values(found) == PAIRS and found.format == form


def test_of_several_files_in_an_archive_the_part_names_one(tmp_path: Path) -> None:
    content = zipped({"a.csv": PEOPLE.encode(), "deep/b.jsonl": b'{"x": 1}'})
    error = refusal(tmp_path, "a.zip", content)
    assert error.title == f"{tmp_path}/a.zip holds several files: a.csv, deep/b.jsonl."
    assert error.next_step == "Name one of them as prepare.part."
    assert values(read(tmp_path, "a.zip", content, part="deep/b.jsonl")) == [{"x": "1"}]
    other = refusal(tmp_path, "a.zip", content, part="c.csv")
    assert "holds no file c.csv" in other.title
    for one in (error, other):
        assert (one.asks, one.names) == ("prepare.part", ("a.csv", "deep/b.jsonl"))


def test_more_files_than_a_sentence_holds_can_all_be_chosen_from(tmp_path: Path) -> None:
    names = tuple(f"{n}, and more: yes.csv" for n in range(12))
    error = refusal(tmp_path, "a.zip", zipped({name: PEOPLE.encode() for name in names}))
    assert error.title.endswith(" and more.")
    assert error.names == names


def test_archives_of_a_folder_that_all_hold_several_files_ask_for_one(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    for name in ("a.zip", "b.zip"):
        (tmp_path / "data" / name).write_bytes(zipped({"a.csv": PEOPLE.encode(), "b.csv": PEOPLE.encode()}))
    error = refusal(tmp_path, "data")
    assert error.title == f"{tmp_path}/data/a.zip: line 1: holds several files: a.csv, b.csv."
    assert (error.asks, error.names) == ("prepare.part", ("a.csv", "b.csv"))


def test_a_sheet_is_named_by_the_part_also_inside_an_archive(tmp_path: Path) -> None:
    content = zipped({"a.xlsx": xlsx({"One": [["a"], ["x"]], "Two": [["a"], ["y"]]})})
    assert values(read(tmp_path, "a.zip", content, part="Two")) == [{"a": "y"}]


def test_nothing_is_written_where_an_archive_says(tmp_path: Path) -> None:
    content = zipped(
        {"../../escaped.csv": PEOPLE.encode(), "/etc/escaped.csv": PEOPLE.encode(), "a.csv": b"x,y\n1,2\n"}
    )
    (tmp_path / "in").mkdir()
    found = read(tmp_path / "in", "a.zip", content, part="a.csv")
    assert values(found) == [{"x": "1", "y": "2"}]
    assert not list(tmp_path.rglob("escaped.csv")) and not Path("/etc/escaped.csv").exists()


@pytest.mark.parametrize("pack", [gzip.compress, zstd])
def test_damage_in_the_middle_costs_what_comes_after(tmp_path: Path, pack: object) -> None:
    chance = random.Random(1)
    text = "n,x\n" + "".join(f"{n},{chance.random()}\n" for n in range(60_000))
    packed = pack(text.encode())  # type: ignore[operator]
    name = "a.csv.gz" if pack is gzip.compress else "a.csv.zst"
    found = read(tmp_path, name, packed[: len(packed) // 2])
    lines = text.split("\n")
    assert len(found.rows) > 10_000
    assert list(found.rows[-1].values.values()) == lines[len(found.rows)].split(",")
    assert told(found) == [(len(found.rows) + 2, "the compressed file is damaged from here on")]


def test_what_can_not_be_unpacked_at_all_is_refused(tmp_path: Path) -> None:
    for name in ("a.csv.gz", "a.csv.zst", "a.zip"):
        assert "can't be unpacked" in refusal(tmp_path, name, b"nonsense").title
    assert "holds no file that is read here" in refusal(tmp_path, "b.zip", zipped({"a.exe": b"x"})).title
    assert "without an ending" in refusal(tmp_path, "a", b"x").title


@pytest.mark.parametrize(("name", "suffix"), [("a.csv.gz", "gz"), ("a.csv.zst", "zst"), ("a.zip", "zip")])
def test_a_trap_is_not_unpacked_further_than_200_times(tmp_path: Path, name: str, suffix: str) -> None:
    bomb = b"a,b\n" + bytes(120 << 20)
    content = {"gz": gzip.compress, "zst": zstd, "zip": lambda raw: zipped({"a.csv": raw})}[suffix](bomb)
    error = refusal(tmp_path, name, content)
    assert error.title == f"{tmp_path}/{name} unpacks to more than 200 times its size, as no data does."
    assert not [path for path in tmp_path.rglob("*") if path.is_file() and path.stat().st_size > 1 << 20]


def test_an_archive_with_a_password_is_refused(tmp_path: Path) -> None:
    content = bytearray(zipped({"a.csv": PEOPLE.encode()}))
    for at in (6, content.rindex(b"PK\x01\x02") + 8):
        content[at] |= 1
    assert refusal(tmp_path, "a.zip", bytes(content)).title == f"{tmp_path}/a.zip is locked with a password."
