"""Rows that are there more than once: in every column, or with the same prompt and the same answer."""

from __future__ import annotations

import numpy as np

from tunesmith.core.facts import DataFinding, Severity
from tunesmith.core.prepare.cells import counted, shown
from tunesmith.core.prepare.look.check import Bars, Places, finding
from tunesmith.core.prepare.look.page import Ints, Page
from tunesmith.core.prepare.look.seen import Seen

MANY = 0.2
"""Lee et al. 2022 (arXiv:2107.06499) find 3 to 14 % of repeats in common sets; more is a set made wrong."""

EFFECT = (
    "A model learns repeated rows by heart, and a repeat that lands in the test makes its score look better than it is."
)


class Duplicates:
    """Rows that repeat an earlier one in every column."""

    def __init__(self, seen: Seen, places: Places) -> None:
        self._names = sorted(column.name for column in seen.columns)
        self._places = places
        self._hashes: list[Ints] = []

    def see(self, page: Page) -> None:
        """The next records."""
        self._hashes.append(page.mixed(self._names))

    def findings(self) -> list[DataFinding]:
        """At most one."""
        again, before, copies = repeats(joined(self._hashes))
        if not len(again):
            return []
        count, rows = len(again), self._places.rows
        verb = "repeats" if count == 1 else "repeat"
        return [
            finding(
                "duplicate",
                "",
                count,
                rows,
                f"{counted(count, 'row')} {verb} an earlier row in every column.",
                EFFECT,
                examples=_pairs(self._places, again, before),
                severity=_severity(count, rows),
                repairs=({"kind": "drop-duplicates"},),
                recommended=True,
                picture=_copies(copies),
            )
        ]


class SamePairs:
    """Rows that ask the same and answer the same as an earlier one, though another column differs."""

    def __init__(self, seen: Seen, places: Places) -> None:
        self._seen = seen
        self._places = places
        self._names = sorted(column.name for column in seen.columns)
        label = (seen.roles["label"],) if seen.shape == "classification" else ()
        self._told = (*seen.asked, *seen.answers, *label)
        self._asked: list[Ints] = []
        self._pairs: list[Ints] = []
        self._rows: list[Ints] = []

    def see(self, page: Page) -> None:
        """The next records."""
        self._asked.append(page.mixed(self._seen.asked))
        self._pairs.append(page.mixed(self._told))
        self._rows.append(page.mixed(self._names))

    def findings(self) -> list[DataFinding]:
        """At most one."""
        pairs, asked = joined(self._pairs), joined(self._asked)
        whole = repeats(joined(self._rows))[0]
        left = np.ones(len(pairs), bool)
        left[whole] = False  # those are told by Duplicates
        left &= asked != 0
        positions = np.flatnonzero(left)
        again, before, copies = repeats(pairs[positions])
        if not len(again):
            return []
        again, before = positions[again], positions[before]
        count, rows = len(again), self._places.rows
        others = len(np.unique(pairs[left])) > len(np.unique(asked[left]))
        # Dropping by the prompt alone would also drop rows that answer it in another way, or for another context.
        single = len(self._seen.asked) == 1
        repairs = ({"kind": "drop-duplicates", "column": self._seen.asked[0]},) if single and not others else ()
        verb = "asks and answers" if count == 1 else "ask and answer"
        return [
            finding(
                "same-pair",
                self._seen.asked[0],
                count,
                rows,
                f"{counted(count, 'row')} {verb} the same as an earlier row; only other columns differ.",
                EFFECT,
                examples=_pairs(self._places, again, before),
                severity=_severity(count, rows),
                repairs=repairs,
                recommended=True,
                picture=_copies(copies),
            )
        ]


class Repeated:
    """Of a table: names that several rows carry which are not duplicates."""

    def __init__(self, seen: Seen, places: Places) -> None:
        self._entity = seen.entity or ""
        self._names = sorted(column.name for column in seen.columns)
        self._places = places
        self._of: list[Ints] = []
        self._rows: list[Ints] = []

    def see(self, page: Page) -> None:
        """The next records."""
        self._of.append(page.hashes(self._entity))
        self._rows.append(page.mixed(self._names))

    def findings(self) -> list[DataFinding]:
        """At most one."""
        names, rows = joined(self._of), joined(self._rows)
        filled = np.flatnonzero(names != hash(""))
        if not len(filled):
            return []
        first = first_of_pairs(names[filled], rows[filled])
        positions = np.sort(filled[first])
        different, where, copies = np.unique(names[positions], return_index=True, return_counts=True)
        several = np.flatnonzero(copies > 1)
        if not len(several):
            return []
        affected = int(np.isin(names, different[several]).sum())
        firsts = np.sort(positions[where[several]])[:3]
        texts = [self._places.text(int(position), self._entity) for position in firsts]
        text = f"{shown(self._entity)}: {counted(len(several), 'value')} "
        verb, named = "stands" if len(several) == 1 else "stand", self._places.told(texts[0], self._entity)
        text += f"{verb} in several rows that differ, e.g. {named}; "
        text += "such rows stay together when the data is split."
        return [
            finding(
                "repeated",
                self._entity,
                len(several),
                self._places.rows,
                text,
                "A question that names only this has several right answers; the model can learn none of them well.",
                examples=[self._places.example(int(p), t, self._entity) for p, t in zip(firsts, texts, strict=True)],
                severity="note" if len(several) < 0.5 * len(different) else "warning",
                picture=_copies(copies),
                affected=affected,
            )
        ]


def joined(parts: list[Ints]) -> Ints:
    """The parts as one array."""
    return np.concatenate(parts) if parts else np.empty(0, np.int64)


def repeats(hashes: Ints) -> tuple[Ints, Ints, Ints]:
    """The positions that repeat an earlier one (rising), the position each repeats first, and how often each stands."""
    _, first, inverse, copies = np.unique(hashes, return_index=True, return_inverse=True, return_counts=True)
    before = first[inverse]
    again = np.flatnonzero(before != np.arange(len(hashes)))
    return again, before[again], copies


def first_of_pairs(left: Ints, right: Ints) -> Ints:
    """The first position of each different pair."""
    order = np.lexsort((right, left))
    new = np.ones(len(order), bool)
    new[1:] = (left[order][1:] != left[order][:-1]) | (right[order][1:] != right[order][:-1])
    return order[new]


def _pairs(places: Places, again: Ints, before: Ints) -> list[str]:
    return [
        f"{places.place(int(a))} repeats {places.place(int(b))}" for a, b in zip(again[:3], before[:3], strict=True)
    ]


def _severity(count: int, rows: int) -> Severity:
    return "serious" if count > MANY * rows else "warning"


def _copies(copies: Ints) -> Bars:
    """How many stand there once, twice, and so on."""
    steps = ((1, 1, "once"), (2, 2, "twice"), (3, 5, "3 to 5 times"), (6, 20, "6 to 20 times"))
    bars = [(label, int(((copies >= low) & (copies <= high)).sum())) for low, high, label in steps]
    bars.append(("more often", int((copies > 20).sum())))
    return tuple(bar for bar in bars if bar[1])
