"""Numbers in one column that are written in several ways, or in several units and currencies."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from tunesmith.core.facts import DataFinding
from tunesmith.core.prepare.cells import counted, plain, shown
from tunesmith.core.prepare.figure import CURRENCIES, SCALES, Figure, Marks, figure_of, marks_of
from tunesmith.core.prepare.kinds import MOSTLY
from tunesmith.core.prepare.look.check import LABEL, Check, Noted, Places, finding, in_turn
from tunesmith.core.prepare.look.irrelevant import Totals
from tunesmith.core.prepare.look.missing import is_missing
from tunesmith.core.prepare.look.page import Page
from tunesmith.core.prepare.look.seen import Seen
from tunesmith.core.prepare.records import Records

PLAIN = re.compile(r"(?:(?:[-+]?\d+(?:\.\d+)?)?\n)*+", re.ASCII)
"""A column of numbers as computers write them: none of its cells has to be looked at."""

ENOUGH = 2000
"""Cells after which a column of which few are numbers is let go."""

_LARGE = re.compile(r"^[-+]?\d{4}", re.MULTILINE)
_DIGITS = re.compile(r"\d[\d.,'’\u00a0\u202f ]*\d|\d")
_SIGNS = str.maketrans("", "", "()+-−")
_figure = lru_cache(maxsize=1 << 16)(figure_of)


class _Ways:
    """How the numbers of one column are written."""

    def __init__(self, marks: Marks | None) -> None:
        self.dots_group = marks is not None
        """Whether dots set thousands apart."""
        self.dotted = 0
        """Numbers that have such a dot and no other mark."""
        self.ahead = 0
        """Those of them with the unit before them."""
        self.filled = 0
        self.read = 0
        self.plain = 0
        self.large_plain = False
        self.styles: Counter[str] = Counter()
        self.units: Counter[str] = Counter()
        self.grouped = 0
        self.bars: Counter[str] = Counter()
        self.noted: dict[tuple[str, str], Noted] = {}
        """The first few of each style and unit; those without marks and units where they stand among others."""

    def plain_ones(self, count: int, text: str) -> None:
        """Numbers as computers write them."""
        for number in ("filled", "read", "plain"):
            setattr(self, number, getattr(self, number) + count)
        self.units[""] += count
        self.large_plain = self.large_plain or bool(_LARGE.search(text))

    def see(self, position: int, text: str) -> None:
        """One cell."""
        self.filled += 1
        figure = _figure(text)
        if figure is None:
            return
        self.read += 1
        self.units[figure.unit] += 1
        grouped = figure.grouped
        if self.dots_group and figure.dotted:
            grouped = True
            self.dotted += 1
            self.ahead += figure.ahead
        elif _is_plain(text, figure):
            self.plain += 1
            self.noted.setdefault(("", ""), Noted()).note(position, text)
            self.large_plain = self.large_plain or figure.large
            return
        self.styles[figure.style] += 1
        self.grouped += grouped
        self.large_plain = self.large_plain or (figure.large and not grouped)
        self.bars[_form(text, figure)] += 1
        side = "ahead" if figure.ahead and self.dots_group else ""
        self.noted.setdefault((figure.style, side + figure.unit), Noted()).note(position, text)

    @property
    def examples(self) -> list[tuple[int, str]]:
        """Numbers that are not written as most are, the rarest way first; then one that is."""
        rarest = sorted(self.noted, key=lambda way: self.noted[way].count if any(way) else self.plain)
        usual = rarest.pop() if len(rarest) > 1 else None
        odd = in_turn(self.noted[way] for way in rarest)
        return odd if usual is None else odd + in_turn([self.noted[usual]])[:1]

    @property
    def hopeless(self) -> bool:
        """Whether it is no column of numbers."""
        return self.filled > ENOUGH and self.read < 0.5 * self.filled


class Figures:
    """Numbers of one column in several ways of writing, units or currencies."""

    def __init__(self, seen: Seen, places: Places, marks: Mapping[str, Marks], sums: Totals | None = None) -> None:
        self._places = places
        self._sums = sums
        names = [name for name in seen.used if name != seen.entity and _may_be_numbers(seen, name)]
        self._columns = {name: _Ways(marks.get(name)) for name in names if seen.shape == "table"}

    def see(self, page: Page) -> None:
        """The next records."""
        sums = self._sums.rows(page) if self._sums else frozenset()
        for name, ways in self._columns.items():
            if ways.hopeless:
                continue
            cells = page.columns[name]
            joined = page.joined(name)
            if not ways.dots_group and not sums and PLAIN.fullmatch(joined + "\n"):
                ways.plain_ones(len(cells) - cells.count(""), joined)
                continue
            for row, text in enumerate(cells):
                if text and row not in sums and not is_missing(text):
                    ways.see(page.start + row, text)

    def findings(self) -> list[DataFinding]:
        """At most one for each column."""
        return [found for name, ways in self._columns.items() if (found := self._finding(name, ways))]

    def _finding(self, name: str, ways: _Ways) -> DataFinding | None:
        if ways.hopeless or ways.read < MOSTLY * ways.filled:
            return None
        named = {unit: count for unit, count in ways.units.items() if unit}
        without = ways.units[""]
        others = 0
        if len(named) > 1:
            others = ways.read - max(named.values())
        elif named and without:
            others = min(without, sum(named.values()))
        point = ways.styles["point"] + ways.plain
        others = max(others, min(ways.styles["comma"], point) if not ways.dots_group else 0)
        if ways.grouped and ways.large_plain:
            others = max(others, min(ways.grouped, ways.read - ways.grouped))
        if others:
            return self._told(name, ways, others, named)
        return self._told_dots(name, ways) if ways.dotted else None

    def _told_dots(self, name: str, ways: _Ways) -> DataFinding:
        """Thousands with a dot, in a column that is written in one way but perhaps for the place of its unit."""
        examples = [(p, t) for noted in ways.noted.values() for t, p in noted.kept.items()]
        first = next(text for _, text in examples if (figure := figure_of(text)) and figure.dotted)
        figure = figure_of(first)
        read = plain(figure.thousands) if figure and figure.thousands is not None else ""
        sides = min(ways.ahead, ways.dotted - ways.ahead) if len(ways.noted) > 1 else 0
        text = f"{shown(name)}: in {counted(ways.dotted, 'number')} of {ways.read:,} a dot sets thousands apart: "
        text += f"{self._places.told(first, name, LABEL)} is {read}."
        text += " The unit stands before some and behind others." if sides else ""
        return finding(
            "number-form",
            name,
            ways.dotted,
            self._places.rows,
            text,
            "Most programs, and most of what a model has read, take 1.234 for a little more than one.",
            examples=[self._places.example(position, text, name) for position, text in examples],
            severity="warning" if sides else "note",
            repairs=({"kind": "plain-numbers", "column": name},),
            # All in one way, there is nothing that has to be mended.
            recommended=bool(sides),
            picture=self._places.bars(ways.bars.items(), name),
        )

    def _told(self, name: str, ways: _Ways, others: int, named: dict[str, int]) -> DataFinding:
        mixed = len(named) > 1
        # 1,234 is read as thousands everywhere but beside decimals with a comma.
        doubtful = bool(ways.styles["either"] and ways.styles["comma"]) and not ways.dots_group
        unit = next(iter(named), "")
        half_named = bool(named) and ways.units[""] > 0
        scaled = half_named and unit in SCALES
        firsts = [next(iter(noted.kept)) for way, noted in ways.noted.items() if any(way)]
        told = " and ".join(self._places.told(text, name, LABEL) for text in firsts[:2])
        text = (
            f"{shown(name)}: {counted(others, 'number')} of {ways.read:,} {'is' if others == 1 else 'are'} written in "
        )
        if mixed:
            text += f"another unit or currency than most, e.g. {told}; how they compare only you know."
        else:
            text += f"another way than most, e.g. {told}."
        repair: dict[str, Any] = {"kind": "plain-numbers", "column": name}
        bars = [("1234.5", ways.plain)] if ways.plain else []
        return finding(
            "number-form",
            name,
            others,
            self._places.rows,
            text,
            "The same number means different amounts, and the model learns to leave out or to confuse the unit."
            if mixed
            else "The model learns several ways to write one number, and can't tell 1.234 from 1,234.",
            examples=[self._places.example(position, text, name) for position, text in ways.examples],
            severity="serious" if mixed else "warning",
            repairs=() if mixed or scaled else (repair,),
            recommended=not doubtful and (not half_named or unit in CURRENCIES),
            picture=self._places.bars([*bars, *ways.bars.items()], name),
        )


class InPlainDigits:
    """Shows a check the numbers of some columns in plain digits, and nothing of the rows that are sums.

    Args:
        check: What is shown them.
        marks: Of the columns in which dots set thousands apart, what their marks mean.
        sums: Knows the rows that are sums.
    """

    def __init__(self, check: Check, marks: Mapping[str, Marks], sums: Totals) -> None:
        self._check = check
        self._marks = marks
        self._sums = sums

    def see(self, page: Page) -> None:
        """The next records."""
        sums = self._sums.rows(page)
        columns = dict(page.columns)
        for row in sums:
            columns = {name: [*cells[:row], "", *cells[row + 1 :]] for name, cells in columns.items()}
        for name, marks in self._marks.items():
            columns[name] = [_in_digits(text, marks) for text in columns[name]]
        self._check.see(Page(page.numbers, page.lines, columns, page.start) if sums or self._marks else page)

    def findings(self) -> list[DataFinding]:
        """What the check found."""
        return self._check.findings()


def dotted(records: Records, seen: Seen) -> dict[str, Marks]:
    """Of a table: the columns in which dots set thousands apart, known before a check reads their numbers.

    Only columns that look like it are read, and most only to the first number that proves the contrary.
    """
    found = {}
    for name in seen.used if seen.shape == "table" else ():
        if name == seen.entity or not _may_be_dotted(seen, name):
            continue
        marks = marks_of(records, name, dots_only=True)
        if marks.dots_group:
            found[name] = marks
    return found


def _in_digits(text: str, marks: Marks) -> str:
    figure = _figure(text) if "." in text else None
    number = marks.number(figure) if figure else None
    return text if number is None else repr(number)


def _may_be_dotted(seen: Seen, name: str) -> bool:
    column = seen.column(name)
    texts = (*column.examples, *(text for text, _ in column.values)) if column else ()
    figures = [figure for text in texts if (figure := figure_of(text))]
    return any(figure.dotted or figure.style == "comma" or figure.unit in CURRENCIES for figure in figures)


def _form(text: str, figure: Figure) -> str:
    """How a number is written, with the digits of 1234.5 in place of its own."""
    mark = "." if "." in text else ","
    if figure.style == "bare":
        digits = "1 234" if figure.grouped else "1234"
    elif figure.style == "either":
        digits = f"1{mark}234"
    elif figure.style == "point":
        digits = ("1,234.50" if mark == "." else "1,234") if figure.grouped else "1234.5"
    else:
        digits = ("1.234,50" if "," in text else "1.234") if figure.grouped else "1234,5"
    return _DIGITS.sub(digits, text.translate(_SIGNS).strip(), count=1)


def _may_be_numbers(seen: Seen, name: str) -> bool:
    column = seen.column(name)
    return column is not None and any(figure_of(text) or is_missing(text) for text in column.examples)


def _is_plain(text: str, figure: Figure) -> bool:
    return not figure.unit and not figure.grouped and figure.style != "comma" and not text.startswith("(")
