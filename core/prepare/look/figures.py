"""Numbers in one column that are written in several ways, or in several units and currencies."""

from __future__ import annotations

import re
from collections import Counter
from functools import lru_cache
from typing import Any

from tunesmith.core.facts import DataFinding
from tunesmith.core.prepare.cells import counted, shown
from tunesmith.core.prepare.figure import CURRENCIES, SCALES, Figure, figure_of
from tunesmith.core.prepare.kinds import MOSTLY
from tunesmith.core.prepare.look.check import LABEL, Noted, Places, finding, in_turn
from tunesmith.core.prepare.look.missing import is_missing
from tunesmith.core.prepare.look.page import Page
from tunesmith.core.prepare.look.seen import Seen

PLAIN = re.compile(r"(?:(?:[-+]?\d+(?:\.\d+)?)?\n)*+", re.ASCII)
"""A column of numbers as computers write them: none of its cells has to be looked at."""

ENOUGH = 2000
"""Cells after which a column of which few are numbers is let go."""

_LARGE = re.compile(r"^[-+]?\d{4}", re.MULTILINE)
_STYLES = {"bare": "1234", "point": "1,234.50", "comma": "1.234,50", "either": "1,234"}
_figure = lru_cache(maxsize=1 << 16)(figure_of)


class _Ways:
    """How the numbers of one column are written."""

    def __init__(self) -> None:
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
        if _is_plain(text, figure):
            self.plain += 1
            self.noted.setdefault(("", ""), Noted()).note(position, text)
            self.large_plain = self.large_plain or figure.large
            return
        self.styles[figure.style] += 1
        self.grouped += figure.grouped
        self.large_plain = self.large_plain or (figure.large and not figure.grouped)
        self.bars[f"{_STYLES[figure.style]} {figure.unit}".strip()] += 1
        self.noted.setdefault((figure.style, figure.unit), Noted()).note(position, text)

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

    def __init__(self, seen: Seen, places: Places) -> None:
        self._places = places
        names = [name for name in seen.used if name != seen.entity and _may_be_numbers(seen, name)]
        self._columns = {name: _Ways() for name in names if seen.shape == "table"}

    def see(self, page: Page) -> None:
        """The next records."""
        for name, ways in self._columns.items():
            if ways.hopeless:
                continue
            cells = page.columns[name]
            joined = page.joined(name)
            if PLAIN.fullmatch(joined + "\n"):
                ways.plain_ones(len(cells) - cells.count(""), joined)
                continue
            for row, text in enumerate(cells):
                if text and not is_missing(text):
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
        others = max(others, min(ways.styles["comma"], point))
        if ways.grouped and ways.large_plain:
            others = max(others, min(ways.grouped, ways.read - ways.grouped))
        if not others:
            return None
        return self._told(name, ways, others, named)

    def _told(self, name: str, ways: _Ways, others: int, named: dict[str, int]) -> DataFinding:
        mixed = len(named) > 1
        # 1,234 is read as thousands everywhere but beside decimals with a comma.
        doubtful = bool(ways.styles["either"] and ways.styles["comma"])
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


def _may_be_numbers(seen: Seen, name: str) -> bool:
    column = seen.column(name)
    return column is not None and any(figure_of(text) or is_missing(text) for text in column.examples)


def _is_plain(text: str, figure: Figure) -> bool:
    return not figure.unit and not figure.grouped and figure.style != "comma" and not text.startswith("(")
