"""Rows that are nearly the same as an earlier one: a form letter, a crawl of one page on two days, a copied answer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tunesmith.core.facts import DataFinding
from tunesmith.core.meter import Meter, silent
from tunesmith.core.plan.prepare import LIKENESS
from tunesmith.core.prepare.cells import cell, counted, shown
from tunesmith.core.prepare.likeness import Indices
from tunesmith.core.prepare.near import LOWEST, Found, NearRows, floored
from tunesmith.core.prepare.personal import people_in, told
from tunesmith.core.prepare.records import Batch, Records
from tunesmith.core.prepare.repair.duplicates import Hashes, firsts, hashes_of_rows
from tunesmith.core.prepare.repair.nested import said

THRESHOLDS = (LOWEST, 0.7, 0.8, 0.9, 0.95)
"""Those for which it is told how many rows would go."""

EXAMPLES = 3
_SHOWN = 60

_EFFECT = (
    "A model learns by heart what comes again and again, and a near copy in the test makes its score look better than "
    "it is."
)


class NearDuplicates:
    """Rows whose words are nearly those of an earlier row; rows equal word by word are told of by another check."""

    def __init__(
        self,
        columns: Sequence[str],
        records: Records,
        *,
        background: Sequence[str] = (),
        whole: Sequence[str] = (),
        threshold: float = LIKENESS,
        written: bool = True,
        meter: Meter = silent,
    ) -> None:
        """How alike rows are is reckoned by the words of some columns together.

        Args:
            columns: Those whose text is compared, joined.
            records: All records; those that may be alike are read once more at the end.
            background: Those that must be alike, too, and count for nothing else, such as a context (see `NearRows`).
            whole: All columns in use, where there are others: rows that are equal in them are told by another check.
            threshold: The likeness from which rows count as the same, above 0, up to 1.
            written: Whether people wrote the texts, so that leaving out near copies is recommended; records of a
                table look alike by nature.
            meter: Told while rows are compared at the end; what it raises is let through.
        """
        self._columns = tuple(columns)
        self._records = records
        self._people = people_in(records.columns)
        self._threshold = threshold
        self._written = written
        self._meter = meter
        self._near = NearRows(columns, background)
        self._alone = not background
        self._whole = tuple(dict.fromkeys((*columns, *background, *whole)))
        self._hashes: list[Hashes] = []

    def see(self, batch: Batch) -> None:
        """The next records, in order and without gaps."""
        self._near.see(batch)
        self._hashes.append(hashes_of_rows([batch.columns[name] for name in self._whole]))

    def findings(self) -> list[DataFinding]:
        """At most one."""
        if not self._hashes:
            return []
        first = firsts(np.concatenate(self._hashes))
        fresh = first == np.arange(len(first))  # the others are equal to an earlier one, of which another check tells
        found = self._near.found(self._records.batches, min(self._threshold, *THRESHOLDS), self._meter)

        def again(threshold: float) -> Indices:
            like = found.gone(threshold)
            rows: Indices = like[fresh[like[:, 1]]]
            return rows

        gone = again(self._threshold)
        if not len(gone):
            return []
        picture = tuple((f"{100 * at:.0f} % alike", len(again(at))) for at in THRESHOLDS)
        return [self._finding(len(gone), len(first), self._examples(found, gone), picture)]

    def _finding(
        self, count: int, rows: int, examples: tuple[str, ...], picture: tuple[tuple[str, int], ...]
    ) -> DataFinding:
        verb = "is" if count == 1 else "are"
        where = " and ".join(shown(name) for name in self._columns[:2])
        more = f" and {len(self._columns) - 2} more" if len(self._columns) > 2 else ""
        text = f"{counted(count, 'row')} {verb} nearly the same as an earlier one: at least "
        text += f"{100 * self._threshold:.0f} % of the words and word pairs of {where}{more} are common"
        text += "." if self._written else "; records of a table may well look alike."
        repair: dict[str, Any] = {"kind": "drop-near-duplicates", "threshold": self._threshold}
        if len(self._columns) == 1 and self._alone:
            repair["column"] = self._columns[0]
        return DataFinding(
            kind="near-duplicate",
            column="",
            count=count,
            text=text,
            examples=examples,
            share=count / rows,
            severity="warning" if self._written else "note",
            effect=_EFFECT,
            repairs=(repair,),
            recommended=self._written,
            picture=picture,
        )

    def _examples(self, found: Found, gone: Indices) -> tuple[str, ...]:
        """Three pairs, from the least alike, which shows best what the threshold would take away, to the most."""
        shares = [found.share(one, other) for one, other in gone.tolist()]
        order = np.argsort(shares, kind="stable")
        chosen = order[np.unique(np.linspace(0, len(order) - 1, EXAMPLES).astype(int))]
        return tuple(self._example(int(gone[at, 0]), int(gone[at, 1]), shares[at]) for at in chosen.tolist())

    def _example(self, one: int, other: int, share: float) -> str:
        places = [self._records.rows[row].place for row in (one, other)]
        told = " / ".join(self._told(row) for row in (one, other))
        return f"{places[0]} and {places[1]}, {floored(share)}: {told}"

    def _told(self, row: int) -> str:
        """A row's cells, one after another, as they may be shown."""
        values = self._records.rows[row].values
        cells = ((name, " ".join(said(cell(values, name)).split())) for name in self._columns)
        masked = (told(text, _SHOWN, name, names=name in self._people) for name, text in cells if text)
        return shown(" ".join(masked), _SHOWN)
