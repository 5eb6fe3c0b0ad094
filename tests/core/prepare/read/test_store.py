"""What was read is kept on disk: looked at lazily, made anew when it is damaged or the file has changed."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.core.prepare.read.files import PEOPLE, read
from tunesmith.core.errors import AccessError
from tunesmith.core.prepare.read import cache, load
from tunesmith.core.prepare.read.load import read_records
from tunesmith.core.prepare.read.sink import Sink, StoreFailed
from tunesmith.core.prepare.records import BATCH, Record, Records


def entries(tmp_path: Path) -> list[Path]:
    return sorted((tmp_path / "cache/rows").iterdir())


@pytest.fixture
def reading(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The files that were really read, in order."""
    seen: list[str] = []
    real = load._read_one

    def told(file: load._File, *rest: object) -> object:
        seen.append(file.path.name)
        return real(file, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(load, "_read_one", told)
    return seen


def large(tmp_path: Path, rows: int = 20_000) -> Records:
    return read(tmp_path, "a.csv", "n,x\n" + "".join(f"{n}, text {n} \n" for n in range(rows)))


def test_rows_are_looked_at_by_place_slice_and_in_order(tmp_path: Path) -> None:
    found = large(tmp_path)
    assert len(found.rows) == 20_000
    assert found.rows[12_345] == Record(12_346, 12_347, {"n": "12345", "x": " text 12345 "})
    assert found.rows[-1].number == 20_000
    assert [row.number for row in found.rows[8_190:8_195]] == [8_191, 8_192, 8_193, 8_194, 8_195]
    assert [row.number for row in found.rows[10:0:-4]] == [11, 7, 3]
    assert found.rows[100:][50].number == 151 and len(found.rows[5:100_000]) == 19_995
    assert [row.number for row in found.rows] == list(range(1, 20_001))
    with pytest.raises(IndexError):
        found.rows[20_000]


def test_batches_hold_stripped_text_of_the_columns_that_were_asked_for(tmp_path: Path) -> None:
    found = large(tmp_path)
    batches = list(found.batches(["x", "none"], size=3_000))
    assert max(map(len, batches)) <= 3_000
    assert [number for batch in batches for number in batch.numbers] == list(range(1, 20_001))
    assert [line for batch in batches for line in batch.lines] == list(range(2, 20_002))
    assert [cell for batch in batches for cell in batch.columns["x"]] == [f"text {n}" for n in range(20_000)]
    assert {cell for batch in batches for cell in batch.columns["none"]} == {""}
    assert set(batches[0].columns) == {"x", "none"}


def test_records_from_a_list_give_the_same_batches_as_stored_ones(tmp_path: Path) -> None:
    text = '{"a": " x ", "b": [1, "é"]}\n{"a": null, "c": true}\n{"b": "\\"q\\""}\n'
    found = read(tmp_path, "a.jsonl", text)
    listed = Records("", Path(), "jsonl", "", found.columns, list(found.rows))
    for ours, theirs in zip(found.batches(), listed.batches(), strict=True):
        assert (list(ours.numbers), list(ours.lines), ours.columns) == (theirs.numbers, theirs.lines, theirs.columns)


def test_white_space_is_what_python_takes_for_it(tmp_path: Path) -> None:
    odd = ["\u00a0x\u00a0", "\u2003x", "\u200bx\u200b", "\x1fx\x1c", "\u3000x", "\ufeffx", "\x85x"]
    found = read(tmp_path, "a.csv", "n,x\n" + "".join(f"1,{cell}\n" for cell in odd))
    assert next(found.batches()).columns["x"] == [cell.strip() for cell in odd]


def test_a_great_many_rejections_stay_on_disk(tmp_path: Path) -> None:
    found = read(tmp_path, "a.csv", "a,b\n1,2\n" + "x\n" * 20_000)
    assert (len(found.rejected), found.total) == (20_000, 20_001)
    assert found.rejected[19_999].line == 20_002 and found.rejected[-1].line == 20_002
    assert [one.line for one in found.rejected[5:8]] == [8, 9, 10]
    assert [one.line for one in found.rejected] == list(range(3, 20_003))


def test_a_file_that_has_not_changed_is_read_once(tmp_path: Path, reading: list[str]) -> None:
    first = read(tmp_path, "a.csv", PEOPLE)
    second = read(tmp_path, "a.csv")
    assert reading == ["a.csv"]
    assert list(first.rows) == list(second.rows) and first.fingerprint == second.fingerprint
    shutil.copy(tmp_path / "a.csv", tmp_path / "b.csv")
    assert read(tmp_path, "b.csv").path == tmp_path / "b.csv" and reading == ["a.csv"]
    assert len(entries(tmp_path)) == 1


def test_an_edited_file_is_noticed_even_with_its_old_time_and_size(tmp_path: Path, reading: list[str]) -> None:
    (tmp_path / "a.csv").write_text(PEOPLE)
    old = time.time_ns() - 10**12
    os.utime(tmp_path / "a.csv", ns=(old, old))
    first = read(tmp_path, "a.csv")
    assert list((tmp_path / "cache/digests").iterdir())
    with (tmp_path / "a.csv").open("r+") as file:
        file.write(PEOPLE.replace("Alice", "Carol"))
    os.utime(tmp_path / "a.csv", ns=(old, old))
    second = read(tmp_path, "a.csv")
    assert second.rows[0].values["name"] == "Carol" and second.fingerprint != first.fingerprint
    assert reading == ["a.csv", "a.csv"]


def test_the_digest_of_a_file_that_has_settled_is_remembered(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(PEOPLE)
    old = time.time_ns() - 10**12
    os.utime(tmp_path / "a.csv", ns=(old, old))
    steps: list[str] = []
    for _ in range(2):
        read_records("a.csv", tmp_path, meter=lambda doing, done, of: steps.append(doing))
    assert steps.count("looking for changes") == 1


def test_a_file_that_changes_while_it_is_read_is_not_kept(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(PEOPLE)

    def meddle(doing: str, done: int, of: int) -> None:
        if doing == "reading":
            (tmp_path / "a.csv").write_text(PEOPLE + "Carol,1\n")

    with pytest.raises(Exception, match=r"a\.csv changed while it was read"):
        read_records("a.csv", tmp_path, meter=meddle)
    assert entries(tmp_path) == []


def test_the_sheet_and_the_ending_are_part_of_what_is_kept(tmp_path: Path) -> None:
    assert read(tmp_path, "a.txt", PEOPLE).columns == ("text",)
    assert read(tmp_path, "a.csv", PEOPLE).columns == ("name", "salary")


@pytest.mark.parametrize("damage", ["cut", "flip", "gone", "meta", "empty meta", "rejected", "file in its place"])
def test_a_damaged_entry_is_made_anew(tmp_path: Path, damage: str, reading: list[str]) -> None:
    first = list(read(tmp_path, "a.csv", PEOPLE + "x\n").rows)
    folder = entries(tmp_path)[0]
    rows = folder / "rows-0.arrow"
    content = bytearray(rows.read_bytes())
    if damage == "cut":
        rows.write_bytes(content[:-40])
    elif damage == "flip":
        content[content.index(b"Alice")] ^= 0xFF
        rows.write_bytes(content)
    elif damage == "gone":
        rows.unlink()
    elif damage == "meta":
        (folder / "meta.json").write_text('{"format": "csv"}')
    elif damage == "empty meta":
        (folder / "meta.json").write_bytes(b"")
    elif damage == "rejected":
        (folder / "rejected.jsonl").write_text("")
    else:
        shutil.rmtree(folder)
        folder.write_text("")
    again = read(tmp_path, "a.csv")
    assert list(again.rows) == first and [one.line for one in again.rejected] == [4]
    assert reading == ["a.csv", "a.csv"]


def test_what_another_process_kept_meanwhile_is_taken(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(PEOPLE)
    script = "import sys; from tunesmith.core.prepare.read.load import read_records; read_records(sys.argv[1])"
    started = [subprocess.Popen([sys.executable, "-c", script, str(tmp_path / "a.csv")]) for _ in range(2)]
    assert [one.wait() for one in started] == [0, 0]
    assert len(entries(tmp_path)) == 1
    assert len(read(tmp_path, "a.csv").rows) == 2


def test_the_cache_is_nobody_elses(tmp_path: Path) -> None:
    read(tmp_path, "a.csv", PEOPLE)
    for folder in (tmp_path / "cache", tmp_path / "cache/rows", *entries(tmp_path)):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_without_a_cache_of_its_own_it_follows_xdg(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TUNESMITH_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", "/var/x")
    assert cache.cache_root() == Path("/var/x/tunesmith")
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    assert cache.cache_root() == Path.home() / ".cache/tunesmith"


def test_where_the_cache_can_not_be_made_it_is_read_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("TUNESMITH_CACHE", str(tmp_path / "file/cache"))
    found = read(tmp_path, "a.csv", PEOPLE)
    assert [row.values["name"] for row in found.rows] == ["Alice", "Bob"]


def test_a_full_disk_moves_it_to_a_temporary_folder_and_then_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    full: list[str] = ["cache"]
    real = Sink.close

    def close(self: Sink, form: object) -> object:
        if any(name in str(self.folder) for name in full):
            raise StoreFailed(OSError(28, "No space left on device"))
        return real(self, form)  # type: ignore[arg-type]

    monkeypatch.setattr(Sink, "close", close)
    assert len(read(tmp_path, "a.csv", PEOPLE).rows) == 2
    assert entries(tmp_path) == []
    full.append("tunesmith-")
    with pytest.raises(AccessError) as caught:
        read(tmp_path, "a.csv")
    assert caught.value.title == f"What was read can't be kept in {tmp_path}/cache: No space left on device."
    assert "TUNESMITH_CACHE" in caught.value.next_step


def test_what_nobody_used_for_a_month_goes_when_something_new_comes(tmp_path: Path) -> None:
    read(tmp_path, "old.csv", PEOPLE)
    read(tmp_path, "used.csv", PEOPLE + "C,1\n")
    folders = entries(tmp_path)
    left = tmp_path / "cache/rows/.aside-x"
    left.mkdir()
    month_ago = time.time() - 31 * 24 * 3600
    for place in (*(folder / "meta.json" for folder in folders), left):
        os.utime(place, (month_ago, month_ago))
    read(tmp_path, "used.csv")
    cache._tidied.clear()
    read(tmp_path, "new.csv", PEOPLE + "D,1\n")
    assert len(entries(tmp_path)) == 2 and not left.exists()


def test_a_long_cell_makes_a_batch_small(tmp_path: Path) -> None:
    cell = "x" * 1_000_000
    found = read(tmp_path, "a.csv", "a,b\n" + f"{cell},1\n" * 40)
    assert max(len(batch) for batch in found.batches()) < 20 < BATCH
    assert len(found.rows) == 40
