"""Cells without a value, and cells that say so in words: n/a, null, ?."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tunesmith.core.facts import DataFinding, Severity
from tunesmith.core.prepare.cells import counted, shown
from tunesmith.core.prepare.kinds import plain_name
from tunesmith.core.prepare.look.check import FEW, LABEL, Noted, Places, finding
from tunesmith.core.prepare.look.irrelevant import Totals
from tunesmith.core.prepare.look.page import Ints, Page
from tunesmith.core.prepare.look.seen import Seen
from tunesmith.core.prepare.look.tally import Tallies

FILL_SHARE = 0.5
"""The most frequent value is offered as a filling only where it stands in half of the filled rows or more: a guess
that is more often wrong than right would teach errors."""

NOT_SAID = "The text does not say."
"""What is offered as the answer to a question that its text does not answer."""

UNANSWERED = ("is_impossible", "impossible", "unanswerable")
"""Columns that mark such questions, as SQuAD 2.0 does (Rajpurkar et al. 2018, arXiv:1806.03822)."""

FEWEST_UNANSWERED = 0.01
"""A share of the rows below which empty answers are taken for a fault, whatever is marked."""

_CERTAIN = (
    "n/a",
    "#n/a",
    "n.a.",
    "nan",
    "null",
    "(null)",
    "<null>",
    "\\n",
    "-",
    "--",
    "---",
    "–",
    "—",
    "?",
    "??",
    "???",
)
"""What stands for a missing value in any column. From the defaults of pandas.read_csv (na_values), R (NA), MySQL's
exports (\\N) and what people type."""

_LIKELY = ("na", "none", "k.a.", "missing", "not available", "not applicable", "(empty)", "(blank)", "#value!", "#ref!")
"""What mostly does; `None` may also be an answer, and NA the code of Namibia."""


_YES = ("true", "1", "yes")


def _spellings(texts: Sequence[str]) -> frozenset[str]:
    return frozenset(form for text in texts for form in (text, text.upper(), text.capitalize(), text.title()))


CERTAIN = _spellings((*_CERTAIN, "NaN"))
LIKELY = _spellings(_LIKELY)


def is_missing(text: str) -> bool:
    """Whether a cell says beyond doubt that there is nothing."""
    return text in CERTAIN


class Empty:
    """Rows without a value in a used column."""

    def __init__(self, seen: Seen, places: Places, tallies: Tallies, sums: Totals | None = None) -> None:
        self._seen = seen
        self._places = places
        self._tallies = tallies
        self._sums = sums
        self._names = [name for name in seen.used if name not in seen.optional]
        self._counts = dict.fromkeys(self._names, 0)
        self._first: dict[str, list[int]] = {name: [] for name in self._names}
        self._answer = seen.roles.get("answer", "") if seen.shape == "question-answer" else ""
        self._mark = next((c.name for c in seen.columns if plain_name(c.name) in UNANSWERED and seen.context), None)
        self._marked = 0
        """Empty answers that are marked as those of questions which their text does not answer."""

    def see(self, page: Page) -> None:
        """The next records."""
        # A row with a sum is told as such, and lacks what only the others can have.
        sums = self._sums.rows(page) if self._sums else frozenset()
        for name in self._names:
            # Of an answer in JSON the text was taken out already.
            cells = page.columns[self._seen.answers[0] if name == self._answer else name]
            count = cells.count("") - sum(not cells[row] for row in sums)
            if not count:
                continue
            self._counts[name] += count
            if name == self._answer and self._mark:
                marks = zip(cells, page.columns[self._mark], strict=True)
                self._marked += sum(not text and mark.casefold() in _YES for text, mark in marks)
            if len(self._first[name]) < 3:
                self._first[name] += [
                    page.start + row for row, text in enumerate(cells) if not text and row not in sums
                ][:3]

    def findings(self) -> list[DataFinding]:
        """At most one for each column."""
        return [
            self._unanswered(name) if name == self._answer and self._meant(name) else self._finding(name)
            for name in self._names
            if self._counts[name]
        ]

    def _meant(self, name: str) -> bool:
        """Whether answers are empty on purpose: their questions are marked as such."""
        count = self._counts[name]
        return self._marked >= (1 - FEW) * count and count >= FEWEST_UNANSWERED * self._places.rows

    def _unanswered(self, name: str) -> DataFinding:
        """Questions that their text does not answer."""
        count, rows = self._counts[name], self._places.rows
        return finding(
            "unanswerable",
            name,
            count,
            rows,
            f"{shown(name)}: {counted(count, 'question')} {'has' if count == 1 else 'have'} no answer in the text, as "
            f"{shown(self._mark or '')} says.",
            "A model that was never shown that something is not stated always answers, and makes it up.",
            examples=[self._places.place(position) for position in self._first[name][:3]],
            repairs=(
                {"kind": "fill-empty", "column": name, "value": NOT_SAID},
                {"kind": "drop-empty", "column": name},
            ),
            recommended=True,
            picture=(("answered", rows - count), ("not answered", count)),
        )

    def _finding(self, name: str) -> DataFinding:
        count, rows = self._counts[name], self._places.rows
        needed = name in self._seen.needed
        drop = needed or count <= FEW * rows
        text = f"{shown(name)} is empty in {counted(count, 'row')}"
        text += "." if drop else f" of {rows:,}: an optional column; it is left out where it is empty."
        repairs: list[dict[str, Any]] = [{"kind": "drop-empty", "column": name}]
        if not needed and (usual := self._usual(name)):
            repairs.append({"kind": "fill-empty", "column": name, "value": usual})
        severity: Severity = "note" if not drop else "serious" if count > 0.2 * rows else "warning"
        return finding(
            "empty",
            name,
            count,
            rows,
            text,
            "A row without it can't be asked about, or teaches to answer with nothing."
            if needed
            else "A question about a value that is missing has no answer; a filled-in guess is learned as a fact.",
            examples=[self._places.place(position) for position in self._first[name][:3]],
            severity=severity,
            repairs=repairs,
            recommended=drop,
            picture=(("filled", rows - count), ("empty", count)),
        )

    def _usual(self, name: str) -> str | None:
        """The value that may be filled in."""
        tally = self._tallies.of(name)
        if tally is None or not tally.filled:
            return None
        usual, count = next(iter(tally.labels.items()))
        return usual if count >= FILL_SHARE * tally.filled else None


class Disguised:
    """Cells that say in words that there is no value."""

    def __init__(self, seen: Seen, places: Places) -> None:
        self._seen = seen
        self._places = places
        self._names = [name for name in seen.used if not seen.structured(name)]
        self._known = {hash(text): text for text in (*CERTAIN, *LIKELY)}
        self._hashes: Ints = np.array(list(self._known), np.int64)
        self._found: dict[str, dict[str, Noted]] = {name: {} for name in self._names}

    def see(self, page: Page) -> None:
        """The next records."""
        for name in self._names:
            hashes = page.hashes(name)
            for row in np.flatnonzero(np.isin(hashes, self._hashes)):
                text = page.columns[name][row]
                if text in CERTAIN or text in LIKELY:
                    self._found[name].setdefault(text, Noted()).note(page.start + int(row), text)

    def findings(self) -> list[DataFinding]:
        """At most one for each column."""
        return [self._finding(name, found) for name, found in self._found.items() if found]

    def _finding(self, name: str, found: dict[str, Noted]) -> DataFinding:
        count = sum(noted.count for noted in found.values())
        rows = self._places.rows
        needed = name in self._seen.needed
        forms = list(found)
        blank = {"kind": "unify-labels", "column": name, "values": dict.fromkeys(forms, "")}
        drop = {"kind": "drop-values", "column": name, "names": forms}
        certain = all(text in CERTAIN for text in forms)
        few = count <= FEW * rows
        told = ", ".join(shown(text) for text in forms[:3]) + (" and the like" if len(forms) > 3 else "")
        text = f"{shown(name)}: {counted(count, 'row')} {'says' if count == 1 else 'say'} {told} where a value belongs."
        firsts = sorted((position, text) for text, noted in found.items() for position in noted.kept.values())
        return finding(
            "disguised-empty",
            name,
            count,
            rows,
            text if certain else text[:-1] + "; in this column it may also be a value.",
            f"The model learns {shown(forms[0])} as if it were an answer.",
            examples=[self._places.example(position, text, "") for position, text in firsts],
            severity="warning" if certain else "note",
            repairs=(drop,) if needed else (drop, blank) if few else (blank, drop),
            # A row is dropped for it only where few are; blanking loses nothing.
            recommended=certain and (few or not needed),
            picture=tuple((shown(text, LABEL), noted.count) for text, noted in found.items()),
        )
