"""How often each value stands in the columns that have few: counted once for all checks that need it."""

from __future__ import annotations

from collections import Counter
from itertools import islice

from tunesmith.core.facts import DataFinding
from tunesmith.core.prepare.look.page import Page
from tunesmith.core.prepare.look.seen import MOST_LABELS, Seen

_MOST = 2 * MOST_LABELS
"""Beyond, a column has turned out to have many values after all, and is let go."""


class Tally:
    """The values of one column."""

    def __init__(self, column: str) -> None:
        self.column = column
        self.counts: Counter[str] = Counter()
        """How often each value stands there, "" included; in the order of their first appearance."""
        self.first: dict[str, int] = {}
        """The position of each value's first row."""
        self.overflown = False

    def see(self, page: Page) -> None:
        """The next records."""
        if self.overflown:
            return
        known = len(self.counts)
        cells = page.columns[self.column]
        self.counts.update(cells)
        if len(self.counts) > known:
            if len(self.counts) > _MOST:
                self.overflown = True
                self.counts.clear()
                self.first.clear()
                return
            # A dict keeps the order in which its keys came: the new ones stand at the end.
            for text in islice(self.counts, known, None):
                self.first[text] = page.start + cells.index(text)

    @property
    def labels(self) -> dict[str, int]:
        """The values without the empty one, most frequent first."""
        return {text: count for text, count in self.counts.most_common() if text}

    @property
    def filled(self) -> int:
        """Cells with a value."""
        return self.counts.total() - self.counts[""]


class Tallies:
    """One tally for each used column with few values; fed like a check, before those that ask it."""

    def __init__(self, seen: Seen) -> None:
        self._tallies = {name: Tally(name) for name in seen.used if seen.is_label(name)}

    def see(self, page: Page) -> None:
        """The next records."""
        for tally in self._tallies.values():
            tally.see(page)

    def findings(self) -> list[DataFinding]:
        """None of its own: others find by it."""
        return []

    def of(self, column: str) -> Tally | None:
        """The tally of a column; None where it has many values or is not used."""
        tally = self._tallies.get(column)
        return None if tally is None or tally.overflown else tally

    @property
    def all(self) -> list[Tally]:
        """Those that could be counted."""
        return [tally for tally in self._tallies.values() if not tally.overflown]
