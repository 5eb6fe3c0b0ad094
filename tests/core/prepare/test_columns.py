"""What each column holds, told while its cells come by."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunesmith.core.facts import Column
from tunesmith.core.meter import Cancelled
from tunesmith.core.prepare.columns import Distinct, Profiled, masked, profile_column, profile_columns
from tunesmith.core.prepare.records import BATCH, Record, Records


def records(rows: Sequence[dict[str, str]]) -> Records:
    made = [Record(n, n + 1, row) for n, row in enumerate(rows, start=1)]
    return Records("a.csv", Path("a.csv"), "csv", "", tuple(rows[0]), made)


def test_kinds_counts_and_examples() -> None:
    rows = [
        {"id": str(n), "name": f"P{n}", "d": "2020-01-01", "pay": f"${n % 7}", "e": "", "t": "x" * 100}
        for n in range(30)
    ]
    assert profile_columns(records(rows)) == (
        Column("id", "identifier", 30, 30, ("0", "1", "2")),
        Column("name", "text", 30, 30, ("P0", "P1", "P2")),
        Column("d", "date", 30, 1, ("2020-01-01",), (("2020-01-01", 30),)),
        Column("pay", "number", 30, 7, ("$0", "$1", "$2"), tuple((f"${n}", 5 if n < 2 else 4) for n in range(7))),
        Column("e", "text", 0, 0, ()),
        Column("t", "text", 30, 1, ("x" * 100,)),
    )


def test_examples_and_values_are_masked_before_they_are_cut() -> None:
    mails = ["write to " + "x" * 60 + " maria.lopez@example.com", "jo@example.org", "jo@example.org"]
    told = masked(profile_column("contact", mails * 2), people=False, exact=False)
    assert told.examples == ("write to " + "x" * 60 + " [EMAIL]", "[EMAIL]")
    labels = profile_column("label", ["jo@example.org", "sales"] * 4)
    assert masked(labels, people=False, exact=True).values == labels.values, "prompts name labels as they are"
    assert masked(labels, people=False, exact=False).values == (("[EMAIL]", 4), ("sales", 4))
    people = masked(profile_column("name", ["Ada", "Alan"] * 2), people=True, exact=False)
    assert (people.examples, people.values) == (("[NAME]",), (("[NAME]", 4),))


def test_many_rows_are_profiled_like_few() -> None:
    count = 50_000
    rows = [
        {"n": str(n), "pay": str(700 * n % 9001), "mixed": "soon" if n % 5 == 0 else "2020-01-01"} for n in range(count)
    ]
    kinds = {column.name: (column.kind, column.distinct) for column in profile_columns(records(rows))}
    assert kinds == {"n": ("identifier", count), "pay": ("number", 9001), "mixed": ("text", 2)}


def test_amounts_that_rise_evenly_are_no_identifiers() -> None:
    assert profile_column("pay", [str(40_000 + 700 * n) for n in range(150)]).kind == "number"
    assert profile_column("a", [str(n) for n in range(5, 155)]).kind == "identifier"


@given(st.lists(st.text(max_size=3)), st.integers(1, 7))
def test_cells_in_pieces_give_the_same_column(cells: list[str], size: int) -> None:
    whole = profile_column("c", cells)
    pieces = Profiled("c")
    for start in range(0, len(cells), size):
        pieces.see(cells[start : start + size])
    assert pieces.column() == whole
    assert (whole.filled, whole.distinct) == (sum(map(bool, cells)), len({cell for cell in cells if cell}))


def hashes(count: int) -> Iterator[np.ndarray[tuple[int], np.dtype[np.int64]]]:
    random = np.random.default_rng(1)
    values = random.integers(-(2**63), 2**63 - 1, count)
    yield from np.array_split(np.concatenate([values, values[: count // 2]]), 9)


def test_different_ones_are_counted_exactly_up_to_a_bound_and_nearly_beyond() -> None:
    exact, bounded = Distinct(), Distinct(most=1 << 14)
    for part in hashes(200_000):
        exact.add(part)
        bounded.add(part)
    assert exact.count() == 200_000
    assert bounded.count() == pytest.approx(200_000, rel=0.03)


def test_the_meter_is_told_and_may_end_it() -> None:
    rows = records([{"a": "x"}] * (BATCH + 1))
    told: list[tuple[int, int]] = []
    profile_columns(rows, lambda doing, done, of: told.append((done, of)))
    assert told == [(BATCH, BATCH + 1), (BATCH + 1, BATCH + 1)]

    def no(doing: str, done: int, of: int) -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        profile_columns(rows, no)
