"""Thousands of damaged files: each ends in a load or in a clear sentence, never in a traceback."""

from __future__ import annotations

import gzip
import io
import json
import random
import sqlite3
import zipfile
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.core.prepare.read.files import clear, ods, xlsx
from tunesmith.core.errors import TunesmithError
from tunesmith.core.prepare.read.load import read_records

EACH = 190
"""Damaged files of each kind: 13 kinds make 2,470."""
SEED = 5

ROWS = [
    {"id": n, "name": f"Näme {n}", "note": ["x", 'say "hi"', "two\nlines", "", "🙂 \u202e"][n % 5]} for n in range(40)
]
CSV = "id,name,note\n" + "".join(
    '{id},{name},"{note}"\n'.format(**{**row, "note": str(row["note"]).replace('"', '""')}) for row in ROWS
)
JSONL = "".join(json.dumps({**row, "turns": [{"role": "user", "n": row["id"]}]}) + "\n" for row in ROWS)


def database() -> bytes:
    made = sqlite3.connect(":memory:")
    made.execute("create table t (id integer, name text, note text)")
    made.executemany("insert into t values (:id, :name, :note)", ROWS * 5)
    made.commit()
    return made.serialize()


def parquet() -> bytes:
    made = io.BytesIO()
    pq.write_table(pa.Table.from_pylist([{**row, "tags": ["a", "b"]} for row in ROWS]), made, row_group_size=10)
    return made.getvalue()


def archive() -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("a.csv", CSV)
    return made.getvalue()


SHEET = [["id", "name", "note"], *([str(row["id"]), str(row["name"]), "x"] for row in ROWS)]
WHOLE: dict[str, Callable[[], bytes]] = {
    "a.csv": CSV.encode,
    "wide.csv": lambda: CSV.encode("utf-16"),
    "a.tsv": lambda: CSV.replace(",", "\t").encode(),
    "a.json": lambda: json.dumps([json.loads(line) for line in JSONL.splitlines()], indent=1).encode(),
    "b.json": lambda: json.dumps({"version": 1, "data": ROWS}).encode(),
    "a.jsonl": JSONL.encode,
    "a.parquet": parquet,
    "a.xlsx": lambda: xlsx({"A": SHEET}),
    "a.ods": lambda: ods(SHEET),
    "a.csv.gz": lambda: gzip.compress(CSV.encode()),
    "a.jsonl.zst": lambda: bytes(pa.Codec("zstd").compress(JSONL.encode())),
    "a.zip": archive,
    "a.db": database,
}

ODD = [
    b"\0", b'"', b"'", b",", b"\n", b"\r", b"{", b"[" * 2_000, b"}", b"]", b"\\", b"\xff\xfe", b"\xed\xa0\x80",
    b"\x1b[2J", "\u202e".encode(), b"1e999", b"9" * 5_000, b"\\ud800", b"NaN", b"null", b'""', b"PK\x03\x04",
    b"\x00\xff" * 9,
]  # fmt: skip


def mangled(content: bytes, chance: random.Random) -> bytes:
    """The content with some damage of one to three kinds."""
    made = bytearray(content)
    for _ in range(chance.randrange(1, 4)):
        at = chance.randrange(len(made) + 1)
        kind = chance.randrange(8)
        if kind == 0:
            del made[at:]
        elif kind == 1 and made:
            for _ in range(chance.randrange(1, 9)):
                made[chance.randrange(len(made))] ^= 1 << chance.randrange(8)
        elif kind == 2:
            made[at:at] = chance.choice(ODD)
        elif kind == 3:
            other = chance.randrange(len(made) + 1)
            first, second = sorted((at, other))
            made = made[second:] + made[first:second] + made[:first]
        elif kind == 4:
            made[at : at + chance.randrange(200)] = chance.randbytes(chance.randrange(200))
        elif kind == 5:
            del made[at : at + chance.randrange(1, 300)]
        elif kind == 6:
            made[at:at] = made[at : at + chance.randrange(1, 300)]
        else:
            made[at : at + len(ODD[0])] = chance.choice(ODD)
    return bytes(made)


def look(folder: Path, name: str) -> str:
    """Read it in every way; tells whether it was read."""
    source = f"sqlite:///{name}" if name.endswith(".db") else name
    try:
        found = read_records(source, folder)
    except TunesmithError as error:
        clear(error)
        return "refused"
    rows = list(found.rows)
    assert rows and len(rows) == len(found.rows) == sum(len(batch) for batch in found.batches())
    assert [row.number for row in rows] == list(range(1, len(rows) + 1))
    assert all(rejected.why and rejected.line >= 1 for rejected in found.rejected)
    assert found.total == len(rows) + len(list(found.rejected))
    for row in rows:
        json.dumps(row.values, ensure_ascii=False).encode()
    return "read"


@pytest.mark.parametrize("name", list(WHOLE))
def test_a_damaged_file_is_read_or_refused_in_words(tmp_path: Path, name: str) -> None:
    chance = random.Random(f"{SEED} {name}")
    whole = WHOLE[name]()
    (tmp_path / name).write_bytes(whole)
    assert look(tmp_path, name) == "read"
    seen = []
    for number in range(EACH):
        (tmp_path / name).write_bytes(mangled(whole, chance))
        try:
            seen.append(look(tmp_path, name))
        except Exception as error:
            raise AssertionError(f"{name}, damage {number} of seed {SEED}: {error!r}") from error
    assert set(seen) <= {"read", "refused"} and len(seen) == EACH


def test_a_file_by_the_name_of_another_kind_is_read_or_refused_in_words(tmp_path: Path) -> None:
    for kind, make in WHOLE.items():
        for ending in (
            ".csv",
            ".json",
            ".jsonl",
            ".txt",
            ".parquet",
            ".xlsx",
            ".xls",
            ".ods",
            ".csv.gz",
            ".zip",
            ".db",
        ):
            name = f"{kind.replace('.', '-')}{ending}"
            (tmp_path / name).write_bytes(make())
            look(tmp_path, name)
