"""Rows on disk: read whole, in stretches, or only those that are drawn."""

from __future__ import annotations

from pathlib import Path

import pytest

from tunesmith.core.rows import Row, RowFiles, ask, write_rows


@pytest.fixture
def files(tmp_path: Path) -> RowFiles:
    """Rows 0 to 9 in three files, of which one is empty."""
    counts = (("train", 6), ("validation", 0), ("test", 4))
    first = 0
    for name, count in counts:
        write_rows(tmp_path / name, [Row(str(n), ask("é" * n), "b") for n in range(first, first + count)])
        first += count
    return RowFiles([(tmp_path / name, count) for name, count in counts])


def ids(rows: object) -> list[int]:
    """Which rows they are."""
    return [int(row.id) for row in rows]  # type: ignore[attr-defined]


def test_rows_of_several_files_come_one_after_another_as_often_as_wanted(files: RowFiles) -> None:
    assert len(files) == 10
    assert ids(files) == ids(files) == list(range(10))


@pytest.mark.parametrize("places", [range(10), range(3), range(4, 8), range(6, 10), range(5, 5), range(9, 10)])
def test_a_stretch_holds_those_rows_and_no_others(files: RowFiles, places: range) -> None:
    some = files.stretch(places)
    assert ids(some) == list(places) and len(some) == len(places)


def test_a_stretch_of_a_stretch_is_counted_from_where_it_begins(files: RowFiles) -> None:
    assert ids(files.stretch(range(2, 9)).stretch(range(1, 5))) == [3, 4, 5, 6]


def test_drawn_rows_are_those_at_their_places(files: RowFiles) -> None:
    assert ids(files.drawn([0, 1, 5, 6, 9])) == [0, 1, 5, 6, 9]
    assert ids(files.stretch(range(4, 8)).drawn([1, 3])) == [5, 7]
    assert ids(files.drawn([])) == []


def test_sizes_grow_with_the_texts(files: RowFiles) -> None:
    sizes = list(files.sizes())
    assert len(sizes) == 10 and sizes == sorted(sizes) and sizes[9] - sizes[8] == len("é".encode())
