"""Prompts and answers that are far longer than the others."""

from __future__ import annotations

import numpy as np

from tunesmith.core.facts import DataFinding
from tunesmith.core.prepare.cells import counted, shown
from tunesmith.core.prepare.look.check import EXAMPLES, Bars, Places, finding
from tunesmith.core.prepare.look.duplicates import joined
from tunesmith.core.prepare.look.outliers import MOST_UNLIKE, usual_range
from tunesmith.core.prepare.look.page import Ints, Page
from tunesmith.core.prepare.look.seen import Seen

LONG = 2000
"""Characters, about 500 tokens of English: a shorter text is never too long for memory."""

TIMES = 10
"""How many times the median a text is long that is unlike the others."""


class Lengths:
    """Texts far longer than the others of their column, in characters."""

    def __init__(self, seen: Seen, places: Places) -> None:
        self._places = places
        names = dict.fromkeys((*seen.prompts, *seen.answers, *((seen.context,) if seen.context else ())))
        self._lengths: dict[str, list[Ints]] = {name: [] for name in names}

    def see(self, page: Page) -> None:
        """The next records."""
        for name, lengths in self._lengths.items():
            lengths.append(page.lengths(name).astype(np.int32))

    def findings(self) -> list[DataFinding]:
        """At most one for each column."""
        return [found for name in self._lengths if (found := self._finding(name))]

    def _finding(self, name: str) -> DataFinding | None:
        lengths = joined(self._lengths[name])
        filled = lengths[lengths > 0]
        if not len(filled):
            return None
        median, longest = float(np.median(filled)), int(filled.max())
        high = max(LONG, TIMES * median)
        span = usual_range(filled.astype(np.float64))
        if span is not None and span.high is not None:
            high = max(high, span.high)
        high = float(np.ceil(high / 100) * 100)
        long = np.flatnonzero(lengths > high)
        if not len(long) or len(long) > max(1, MOST_UNLIKE * len(filled)):
            return None
        count = len(long)
        text = f"{shown(name)}: {counted(count, 'text')} {'is' if count == 1 else 'are'} longer than {high:,.0f} "
        text += f"characters, up to {longest:,}; half of all have at most {median:,.0f}."
        worst = long[np.argsort(-lengths[long], kind="stable")][:EXAMPLES]
        return finding(
            "long",
            name,
            count,
            self._places.rows,
            text,
            "A few long rows set the memory that every step needs, or are cut and lose their end.",
            examples=[f"{self._places.place(int(at))}: {int(lengths[at]):,} characters" for at in worst],
            repairs=({"kind": "drop-long", "column": name, "high": high},),
            picture=_bars(filled),
        )


def _bars(lengths: Ints) -> Bars:
    """Texts by length; each bar is twice as wide as the one before it."""
    first = max(1, int(lengths.min()))
    last = int(lengths.max())
    steps = min(12, max(1, int(np.ceil(np.log2((last + 1) / first)))))
    edges = [first]
    growth = ((last + 1) / first) ** (1 / steps)
    for step in range(1, steps):
        edge = round(first * growth**step)
        edges.append(max(edges[-1] + 1, edge))
    edges.append(max(last + 1, edges[-1] + 1))
    counts = np.histogram(lengths, bins=edges)[0]
    return tuple(
        (f"{low:,} to {high - 1:,}", int(count)) for low, high, count in zip(edges, edges[1:], counts, strict=False)
    )
