"""Rows that are no example: the header once more, placeholders, sums, and rows in which nothing but a name stands."""

from __future__ import annotations

from typing import Any

import numpy as np

from tunesmith.core.facts import DataFinding
from tunesmith.core.prepare.cells import counted, shown
from tunesmith.core.prepare.figure import figure_of
from tunesmith.core.prepare.look.check import Noted, Places, finding
from tunesmith.core.prepare.look.page import Page
from tunesmith.core.prepare.look.seen import Seen

MOST_NAMES = 20
"""Values that a repair lists one by one; with more, they are told and not proposed."""

CERTAIN = (
    "asdf",
    "asdfasdf",
    "asdfgh",
    "qwerty",
    "qwertz",
    "lorem ipsum",
    "todo",
    "tbd",
    "fixme",
    "xxx",
    "xxxx",
    "blah blah",
)
LIKELY = (
    "test",
    "test test",
    "testing",
    "test123",
    "foo",
    "bar",
    "foobar",
    "dummy",
    "example",
    "sample",
    "placeholder",
    "abc",
    "abc123",
)
"""What people type into a field to try it out. Those of the second list may be meant."""

TOTALS = (
    *("total", "totals", "grand total", "subtotal", "sub-total", "sum", "average", "mean", "overall"),
    *("summe", "gesamt", "gesamtsumme", "zwischensumme", "insgesamt", "durchschnitt"),
    *("somme", "total général", "moyenne", "totale", "media", "suma", "total general", "promedio"),
)
"""How spreadsheets name their sum rows in English, German, French, Italian and Spanish."""

_LOREM = ("lorem ipsum", "Lorem ipsum", "Lorem Ipsum", "LOREM IPSUM")


class RepeatedHeader:
    """Rows that hold the names of the columns: files that were put together end to end."""

    def __init__(self, seen: Seen, places: Places) -> None:
        self._names = [column.name for column in seen.columns]
        self._places = places
        self._noted = Noted()
        self._called = dict.fromkeys(self._names, 0)
        """Rows whose cell in a column is the column's name: what leaving out that value would take away."""

    def see(self, page: Page) -> None:
        """The next records."""
        alike = np.ones(len(page), bool)
        for name in self._names:
            called = page.hashes(name) == hash(name.strip())
            self._called[name] += int(called.sum())
            alike &= called
        for row in np.flatnonzero(alike):
            self._noted.note(page.start + int(row), f"{page.start + int(row)}")

    def findings(self) -> list[DataFinding]:
        """At most one."""
        count = self._noted.count
        if not count or len(self._names) < 2:
            return []
        # A row goes by the value of one column: by one in which that value stands nowhere else.
        exact = next((name for name in self._names if self._called[name] == count), None)
        return [
            finding(
                "repeated-header",
                exact or self._names[0],
                count,
                self._places.rows,
                f"{counted(count, 'row')} {'repeats' if count == 1 else 'repeat'} the names of the columns.",
                "The model is asked about names of columns as if they were values.",
                examples=[self._places.place(position) for position in self._noted.kept.values()],
                repairs=({"kind": "drop-values", "column": exact, "names": [exact.strip()]},) if exact else (),
                recommended=True,
            )
        ]


class Placeholders:
    """Values that were typed to try a form out, in the columns that name, ask or answer."""

    def __init__(self, seen: Seen, places: Places) -> None:
        self._places = places
        told = (seen.entity,) if seen.entity else (*seen.prompts, *seen.answers)
        self._names = [name for name in dict.fromkeys(told) if not seen.is_label(name) and not seen.structured(name)]
        self._words = {hash(form) for text in (*CERTAIN, *LIKELY) for form in _forms(text)}
        self._hashes = np.array(list(self._words), np.int64)
        self._found: dict[str, Noted] = {name: Noted(MOST_NAMES + 1) for name in self._names}

    def see(self, page: Page) -> None:
        """The next records."""
        for name in self._names:
            cells = page.columns[name]
            rows = set(np.flatnonzero(np.isin(page.hashes(name), self._hashes)).tolist())
            joined = page.joined(name)
            if any(literal in joined for literal in _LOREM):
                rows.update(row for literal in _LOREM for row in page.rows_with(name, literal))
            for row in sorted(rows):
                self._found[name].note(page.start + row, cells[row])

    def findings(self) -> list[DataFinding]:
        """At most one for each column."""
        return [self._finding(name, noted) for name, noted in self._found.items() if noted.count]

    def _finding(self, name: str, noted: Noted) -> DataFinding:
        forms = noted.texts
        certain = all(text.lower() in CERTAIN or "lorem ipsum" in text.lower() for text in forms)
        listed = len(forms) <= MOST_NAMES
        verb = "holds" if noted.count == 1 else "hold"
        text = (
            f"{shown(name)}: {counted(noted.count, 'row')} {verb} a placeholder, e.g. {self._places.told(forms[0], '')}"
        )
        return finding(
            "placeholder",
            name,
            noted.count,
            self._places.rows,
            text + ("." if certain else "; it may be meant."),
            "The model learns to write what was only typed to fill a field.",
            examples=noted.examples(self._places, ""),
            severity="warning" if certain else "note",
            repairs=({"kind": "drop-values", "column": name, "names": forms},) if listed else (),
            recommended=certain,
        )


class Totals:
    """Of a table: rows with sums or averages of the others, and rows with nothing but a name."""

    def __init__(self, seen: Seen, places: Places) -> None:
        self._entity = seen.entity or ""
        self._places = places
        others = [name for name in seen.used if name != self._entity]
        self._others = others
        self._words = [name for name in others if seen.kind(name) != "number"]
        self._hashes = np.array([hash(text) for text in _TOTALS], np.int64)
        self._sums = Noted(MOST_NAMES + 1)
        self._bare = Noted(MOST_NAMES + 1)
        self._with_words = 0
        """Rows called a sum that hold more than numbers: perhaps a thing of that name."""
        self._names = [column.name for column in seen.columns if column.name != self._entity]
        self._elsewhere: dict[str, Noted] = {}
        """Sums whose name stands in another column than the things that the table is about."""
        self._called = {name: 0 for name in self._names if seen.kind(name) == "text"}
        """Cells of other columns with the name of a sum: leaving one out leaves them all out."""
        self._page: tuple[int, frozenset[int]] = (-1, frozenset())

    def rows(self, page: Page) -> frozenset[int]:
        """The rows of a page that are sums and hold nothing but their name and numbers; worked out once a page."""
        if self._page[0] != page.start:
            called = np.flatnonzero(np.isin(page.hashes(self._entity), self._hashes)).tolist()
            # Where all columns are numbers, nothing tells a sum from a thing of that name.
            sums = [row for row in called if self._words and not any(page.columns[name][row] for name in self._words)]
            nameless = np.flatnonzero(page.lengths(self._entity) == 0).tolist()
            sums += [row for row in nameless if self._name_elsewhere(page, row)]
            self._page = (page.start, frozenset(sums))
        return self._page[1]

    def _name_elsewhere(self, page: Page, row: int) -> str:
        """The column in which a row is called a sum, where all else in it are numbers; empty for none."""
        words = []
        for name in self._names:
            text = page.columns[name][row]
            if text and figure_of(text) is None:
                words.append((name, text))
                if len(words) > 1:
                    return ""
        return words[0][0] if words and words[0][1] in _TOTALS else ""

    def see(self, page: Page) -> None:
        """The next records."""
        for row in sorted(self.rows(page)):
            if name := "" if page.columns[self._entity][row] else self._name_elsewhere(page, row):
                self._elsewhere.setdefault(name, Noted(MOST_NAMES + 1)).note(page.start + row, page.columns[name][row])
        for name in self._called:
            self._called[name] += int(np.isin(page.hashes(name), self._hashes).sum())
        cells = page.columns[self._entity]
        for row in np.flatnonzero(np.isin(page.hashes(self._entity), self._hashes)).tolist():
            self._sums.note(page.start + row, cells[row])
            self._with_words += any(page.columns[name][row] for name in self._words)
        if not self._others:
            return
        bare = page.lengths(self._entity) > 0
        for name in self._others:
            bare = bare & (page.lengths(name) == 0)
            if not bare.any():
                return
        for row in np.flatnonzero(bare).tolist():
            self._bare.note(page.start + row, cells[row])

    def findings(self) -> list[DataFinding]:
        """At most two for the things that the table is about, and one for each other column."""
        found = []
        if self._sums.count:
            certain = bool(self._words) and not self._with_words
            found.append(self._total(self._entity, self._sums, certain=certain))
        for name, noted in self._elsewhere.items():
            found.append(self._total(name, noted, certain=self._called.get(name, noted.count) == noted.count))
        if count := self._bare.count:
            text = f"{counted(count, 'row')} {'holds' if count == 1 else 'hold'} nothing but {shown(self._entity)}."
            effect = "Nothing can be asked about it; it only lengthens the list."
            found.append(self._finding("bare-row", self._entity, self._bare, text, effect, certain=False))
        return found

    def _total(self, name: str, noted: Noted, *, certain: bool) -> DataFinding:
        verb = "looks like a sum" if noted.count == 1 else "look like sums"
        text = f"{shown(name)}: {counted(noted.count, 'row')} {verb} of the others, "
        text += f"e.g. {self._places.told(noted.texts[0], '')}."
        effect = "The model learns the sum as if it were one more of the things that the table is about."
        return self._finding("total-row", name, noted, text, effect, certain=certain)

    def _finding(self, kind: str, column: str, noted: Noted, text: str, effect: str, *, certain: bool) -> DataFinding:
        repair: dict[str, Any] = {"kind": "drop-values", "column": column, "names": noted.texts}
        return finding(
            kind,
            column,
            noted.count,
            self._places.rows,
            text,
            effect,
            # Sums are called as in a list, which is no name of a person.
            examples=noted.examples(self._places, "" if kind == "total-row" else column),
            severity="warning" if certain else "note",
            repairs=(repair,) if len(noted.kept) <= MOST_NAMES else (),
            recommended=certain,
        )


def _forms(text: str) -> set[str]:
    return {text, text.upper(), text.capitalize(), text.title(), f"{text}:", f"{text.capitalize()}:"}


_TOTALS = frozenset(form for text in TOTALS for form in _forms(text))
