"""Labels: one and the same written in several ways, and some that are far rarer than others."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from typing import Any

from tunesmith.core.facts import DataFinding, Severity
from tunesmith.core.figures import about_percent
from tunesmith.core.prepare.cells import counted, shown
from tunesmith.core.prepare.look.check import EXAMPLES, Places, finding
from tunesmith.core.prepare.look.page import Page
from tunesmith.core.prepare.look.seen import Seen
from tunesmith.core.prepare.look.tally import Tallies, Tally

RARER = 10
"""A misspelling stands at least this many times less often than the right word."""

FEWEST_LETTERS = 6
"""In shorter words one letter makes another word (male, mile)."""

SHORT_FORM = 3
"""The fewest letters of a short form (Eng for Engineering); two letters are too often words of their own."""

SERIOUS, WARN, NOTE = 0.01, 0.2, 0.4
"""Shares of the rarer of two labels: below 1 % extreme, to 20 % moderate, to 40 % mild imbalance (Google, Machine
Learning Crash Course, "Datasets: imbalanced datasets")."""

FEWEST_ROWS = 5
"""A label with fewer rows can't stand in training, validation and test and be learned."""


MOST_PAIRS = 4
"""Labels that a finding names in its sentence."""


class Labels:
    """One label written in several ways: in another case, with spaces or dots, shortened or misspelled."""

    def __init__(self, seen: Seen, places: Places, tallies: Tallies) -> None:
        self._places = places
        self._tallies = tallies
        self._names = [n for n in seen.used if seen.kind(n) == "text" and n != seen.entity and not seen.structured(n)]

    def see(self, page: Page) -> None:
        """Nothing: the values are counted for all checks."""

    def findings(self) -> list[DataFinding]:
        """At most one for each column."""
        tallies = [tally for name in self._names if (tally := self._tallies.of(name))]
        return [found for tally in tallies if (found := self._finding(tally))]

    def _finding(self, tally: Tally) -> DataFinding | None:
        counts = tally.labels
        certain = same_but_for_form(counts)
        left = {text: count for text, count in counts.items() if text not in certain}
        slips = misspelled(left)
        likely = slips | shortened({text: count for text, count in left.items() if text not in slips})
        if not certain and not likely:
            return None
        every = {**certain, **likely}
        repairs: list[dict[str, Any]] = [{"kind": "unify-labels", "column": tally.column, "values": certain}]
        if likely:
            repairs.append({"kind": "unify-labels", "column": tally.column, "values": every})
        # What is counted is what the best repair mends; the others are named beside it.
        changed = certain or likely
        rows = sum(counts[text] for text in changed)
        told = self._places.told
        firsts = sorted((tally.first[text], text, to) for text, to in changed.items())[:EXAMPLES]
        text = (
            f"{shown(tally.column)}: {counted(len(changed), 'label')} in {counted(rows, 'row')} "
            f"{'looks' if len(changed) == 1 else 'look'} like another one written differently: "
            f"{self._pairs(changed, tally.column, 'beside')}"
        )
        if not certain:
            text += "; they may be different things"
        elif likely:
            text += f". Perhaps the same too: {self._pairs(likely, tally.column, 'and')}"
        return finding(
            "labels",
            tally.column,
            rows,
            self._places.rows,
            f"{text}.",
            "The model takes each way of writing for a label of its own, and each is learned from fewer rows.",
            examples=[
                f"{self._places.place(at)}: {told(text, tally.column, 30)} → {told(to, tally.column, 30)}"
                for at, text, to in firsts
            ],
            severity="warning" if certain else "note",
            repairs=repairs if certain else repairs[1:],
            recommended=bool(recommended(counts)),
            picture=self._places.bars(counts.items(), tally.column),
        )

    def _pairs(self, labels: dict[str, str], column: str, word: str) -> str:
        """Labels and what they may be, e.g. `Eng and Engineering`: the first few."""
        told = [
            f"{self._places.told(text, column, 30)} {word} {self._places.told(to, column, 30)}"
            for text, to in list(labels.items())[:MOST_PAIRS]
        ]
        left = len(labels) - len(told)
        return ", ".join(told) + (f" and {left:,} more" if left else "")


class Balance:
    """Labels that are far rarer than others, where the label is the answer."""

    def __init__(self, seen: Seen, places: Places, tallies: Tallies) -> None:
        self._label = seen.label
        self._places = places
        self._tallies = tallies

    def see(self, page: Page) -> None:
        """Nothing: the values are counted for all checks."""

    def findings(self) -> list[DataFinding]:
        """At most one."""
        tally = self._tallies.of(self._label) if self._label else None
        if tally is None or len(tally.labels) < 2:
            return []
        counts, filled = tally.labels, tally.filled
        rarest, least = min(counts.items(), key=lambda pair: pair[1])
        usual, most = next(iter(counts.items()))
        # Against the even share of K labels, as a share of two.
        share = least / filled * len(counts) / 2
        if share >= NOTE and least >= FEWEST_ROWS:
            return []
        severity: Severity = (
            "serious" if share < SERIOUS or least < FEWEST_ROWS else "warning" if share < WARN else "note"
        )
        rare, often = (self._places.told(label, tally.column) for label in (rarest, usual))
        text = f"{shown(tally.column)}: {rare} stands in {counted(least, 'row')} ({about_percent(least / filled)}), "
        text += f"{often} in {most:,} ({about_percent(most / filled)})."
        return [
            finding(
                "balance",
                tally.column,
                least,
                self._places.rows,
                text,
                "The model leans towards the frequent labels, and a good score may hide that the rare ones are missed.",
                examples=[self._places.example(tally.first[rarest], rarest, tally.column)],
                severity=severity,
                picture=self._places.bars(counts.items(), tally.column),
            )
        ]


def plain_label(text: str) -> str:
    """A label for comparison: one case, one form of each character, no spaces or dots at its ends, none doubled."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return re.sub(r"[\s_-]+", " ", folded).strip(" .,;:!")


def recommended(counts: dict[str, int]) -> dict[str, str]:
    """What the repair that is recommended for a column of labels makes of them; nothing where none is."""
    certain = same_but_for_form(counts)
    return certain if all(len(plain_label(text)) > 2 for text in certain) else {}


def same_but_for_form(counts: dict[str, int]) -> dict[str, str]:
    """Each label that is another one but for case, spaces and dots, and that other one: the most frequent.

    Where labels mostly begin with a capital, one that does so stands for its group also where it is half as frequent.
    """
    capital = 2 * sum(count for text, count in counts.items() if text[:1].isupper()) > sum(counts.values())
    groups: dict[str, list[str]] = defaultdict(list)
    for text in counts:
        # -1 and 1 differ by more than a dash; labels without a letter are left as they are.
        if any(c.isalpha() for c in text) and (plain := plain_label(text)):
            groups[plain].append(text)
    made: dict[str, str] = {}
    for texts in groups.values():
        usual = max(texts, key=lambda text: counts[text] * (2 if capital and text[:1].isupper() else 1))
        if len(plain_label(usual)) > 1:
            made |= {text: usual for text in texts if text != usual}
    return made


def shortened(counts: dict[str, int]) -> dict[str, str]:
    """Each label that begins exactly one other, longer one of a single word, or is made of one's first letters."""
    plain = {text: plain_label(text) for text in counts}
    made = {}
    for text, short in plain.items():
        if not short.isalpha():
            continue
        longer = [
            other
            for other, long in plain.items()
            if other != text
            and (
                (SHORT_FORM <= len(short) <= len(long) // 2 and long.startswith(short) and long.isalpha())
                or (len(short) > 1 and text.isupper() and short == "".join(word[0] for word in long.split(" ") if word))
            )
        ]
        if len(longer) == 1:
            made[text] = longer[0]
    return {text: to for text, to in made.items() if to not in made}


def misspelled(counts: dict[str, int]) -> dict[str, str]:
    """Each rare label that one letter too many, too few or exchanged sets apart from a frequent one."""
    by_hole: dict[str, list[str]] = defaultdict(list)
    for text in counts:
        plain = plain_label(text)
        if len(plain) >= FEWEST_LETTERS and not any(c.isdigit() for c in plain):
            for hole in {plain, *(plain[:at] + plain[at + 1 :] for at in range(len(plain)))}:
                by_hole[hole].append(text)
    made: dict[str, str] = {}
    for texts in by_hole.values():
        usual = max(texts, key=lambda text: counts[text])
        for text in texts:
            if text != usual and counts[text] * RARER <= counts[usual] and _one_letter(text, usual):
                made[text] = usual
    return {text: to for text, to in made.items() if to not in made}


def _one_letter(text: str, usual: str) -> bool:
    """Whether the difference lies within a long word: Grade A and Grade B differ by a letter and are two things."""
    words, others = plain_label(text).split(" "), plain_label(usual).split(" ")
    if len(words) != len(others):
        return False
    differ = [(a, b) for a, b in zip(words, others, strict=True) if a != b]
    return len(differ) == 1 and min(map(len, differ[0])) >= FEWEST_LETTERS - 1
