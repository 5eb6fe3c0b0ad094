from __future__ import annotations

import os
import resource
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunesmith.core.events import EventReader, EventWriter, Finding, Progress, StageStarted, decode


def _write(path: Path, *texts: str) -> None:
    writer = EventWriter(path)
    for text in texts:
        writer.write(Finding(stage="prepare", text=text))
    writer.close()


def test_a_reader_gets_each_event_once_while_the_file_grows(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    reader = EventReader(path)
    assert reader.read() == []  # not there yet
    _write(path, "one", "two")
    assert [e.text for e in reader.read()] == ["one", "two"]
    _write(path, "three")
    assert [e.text for e in reader.read()] == ["three"]
    assert reader.read() == []


def test_a_half_written_last_line_is_left_for_later(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    _write(path, "whole")
    whole = path.read_bytes()
    path.write_bytes(whole + whole[:20])
    reader = EventReader(path)
    assert [e.text for e in reader.read()] == ["whole"]
    path.write_bytes(whole + whole)
    assert [e.text for e in reader.read()] == ["whole"]


def test_a_writer_after_a_kill_does_not_join_onto_half_a_line(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    _write(path, "before")
    path.write_bytes(path.read_bytes() + b'{"event":"finding","stage":"pre')
    _write(path, "after")
    assert [e.text for e in EventReader(path).read()] == ["before", "after"]


def test_a_kind_that_is_not_known_is_passed_over(tmp_path: Path) -> None:
    assert decode(b'{"event":"from_the_future","at":1}') is None
    assert decode(b'{"event":"stage_started","stage":"prepare","at":1,"new_field":2}') == StageStarted(
        at=1, stage="prepare"
    )


@given(texts=st.lists(st.text(), min_size=1, max_size=20), cut=st.integers(min_value=0))
def test_reading_may_begin_at_any_byte(tmp_path_factory: pytest.TempPathFactory, texts: list[str], cut: int) -> None:
    path = tmp_path_factory.mktemp("events") / "events.jsonl"
    _write(path, *texts)
    every = EventReader(path).read()
    assert [e.text for e in every] == texts
    offset = cut % (path.stat().st_size + 1)
    rest = EventReader(path, offset).read()
    assert rest == every[len(every) - len(rest) :]
    whole_lines_after = path.read_bytes()[offset:].count(b"\n")
    at_line_start = offset == 0 or path.read_bytes()[offset - 1 : offset] == b"\n"
    assert len(rest) == whole_lines_after - (0 if at_line_start else 1)


def test_small_chunks_read_the_same(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    writer = EventWriter(path)
    for done in range(200):
        writer.write(Progress(stage="prepare", doing="rows", done=done, total=200))
    writer.close()
    assert [e.done for e in EventReader(path).stream(chunk=7)] == list(range(200))


def test_a_line_that_the_disk_takes_in_pieces_is_written_to_its_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, whole_write = tmp_path / "events.jsonl", os.write
    monkeypatch.setattr(os, "write", lambda file, data: whole_write(file, bytes(data)[:7]))
    _write(path, "one", "two")
    assert [e.text for e in EventReader(path).read()] == ["one", "two"]


def test_a_line_that_is_refused_half_way_is_told_and_spoils_no_other(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    writer = EventWriter(path)
    writer.write(Finding(stage="prepare", text="before"))
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size + 10, hard))  # room for ten bytes more
    try:
        for _ in range(2):
            with pytest.raises(OSError, match="File too large"):
                writer.write(Finding(stage="prepare", text="lost"))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    writer.write(Finding(stage="prepare", text="after"))
    writer.close()
    assert [e.text for e in EventReader(path).read()] == ["before", "after"]
