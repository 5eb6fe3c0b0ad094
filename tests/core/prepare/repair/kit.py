"""Small records, and recipes run over them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tunesmith.core.plan import Repair
from tunesmith.core.prepare.records import Record, Records
from tunesmith.core.prepare.repair.apply import Repaired, apply


def records(rows: Sequence[dict[str, Any]]) -> Records:
    """Records as a file with a header would give them: the first stands in line 2."""
    columns = tuple(dict.fromkeys(name for row in rows for name in row))
    return Records(
        "x.csv", Path("x.csv"), "csv", "", columns, [Record(n, n + 1, row) for n, row in enumerate(rows, start=1)]
    )


def column(name: str, *cells: Any) -> Records:
    """Records of one column."""
    return records([{name: cell} for cell in cells])


def mend(read: Records, *recipe: Repair, prompts: Sequence[str] = (), answers: Sequence[str] = ()) -> Repaired:
    """The recipe run with all columns in use."""
    return apply(read, recipe, used=read.columns, prompts=prompts, answers=answers)


def cells(done: Repaired, name: str) -> list[Any]:
    """The column as it is after the recipe."""
    return [row.values.get(name) for row in done.view.records()]


def whys(done: Repaired) -> list[str]:
    """Why records were set aside."""
    return [one.why for one in done.aside()]
