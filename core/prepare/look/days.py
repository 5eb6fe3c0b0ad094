"""Dates of one column in several forms, and days that can hardly be meant."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from datetime import date
from functools import lru_cache
from typing import Any

from tunesmith.core.facts import DataFinding
from tunesmith.core.figures import about_percent
from tunesmith.core.prepare.cells import counted, shown
from tunesmith.core.prepare.dates import EITHER_WAY, ISO, DayOrder, date_of
from tunesmith.core.prepare.look.check import EXAMPLES, FEW, Noted, Places, finding, top_bars
from tunesmith.core.prepare.look.missing import is_missing
from tunesmith.core.prepare.look.page import Page
from tunesmith.core.prepare.look.seen import Seen

MOST_UNLIKE = 0.02
"""Above this share, days far off are the nature of the column (a history, a plan), not slips."""

EARLIEST = 1900
"""Years before it are mostly slips (0019 for 2019), or the zero of a spreadsheet."""

FEWEST = 20
"""With fewer dates it can't be said which are unlike the others."""

_STAND_INS = ("1900-01-01", "1970-01-01", "9999-12-31", "2999-12-31", "1899-12-30")
"""What programs write for no date: zero of Excel and of Unix, and the ends of databases' calendars."""

MOST_NAMES = 20
_PLAIN = re.compile(r"(?:(?:(?:19|20)\d\d-(?:0[1-9]|1[0-2])-(?:0[1-9]|1\d|2[0-8]))?\n)*+", re.ASCII)
"""A column of ISO dates whose days every month has."""

_read = lru_cache(maxsize=1 << 16)(date_of)


class _Days:
    """The dates of one column."""

    def __init__(self) -> None:
        self.filled = 0
        self.forms: Counter[str] = Counter()
        """"" counts what is no date."""
        self.noted: dict[str, Noted] = {}
        self.doubtful = 0
        self.in_doubt: dict[str, int] = {}
        """The first of them, with their positions."""
        self.settled = 0
        """Dates that the proven order tells how to read."""
        self.by_order: dict[str, int] = {}
        self.first = ""
        """What stands first in them: day or month."""
        self.doubt = ""
        self.order = DayOrder()
        self.either_way: dict[str, tuple[int, int]] = {}
        """Dates of which day and month could be either way round: how often each stands there, and where first."""
        self.years: Counter[int] = Counter()
        self.early, self.late, self.stand_ins = Noted(MOST_NAMES + 1), Noted(MOST_NAMES + 1), Noted(MOST_NAMES + 1)


class DateForms:
    """Dates that are not written in the form that is usual in their column, cells that are none, and days far off."""

    def __init__(self, seen: Seen, places: Places, today: date | None = None) -> None:
        self._places = places
        self._today = today or date.today()
        self._next_year = f"{self._today.year + 1}"
        kinds = {name: seen.kind(name) for name in seen.used} if seen.shape == "table" else {}
        self._columns = {name: _Days() for name, kind in kinds.items() if kind == "date"}

    def see(self, page: Page) -> None:
        """The next records."""
        for name, days in self._columns.items():
            plain = bool(_PLAIN.fullmatch(page.joined(name) + "\n"))
            for text, count in Counter(page.columns[name]).items():
                if text and (plain or not is_missing(text)):
                    self._count(days, page, name, text, count)

    def _count(self, days: _Days, page: Page, name: str, text: str, count: int) -> None:
        """One way that a date is written, with how often it is on the page."""
        days.filled += count
        dated = _read(text)
        form = dated.form if dated else ""
        days.forms[form] += count
        noted = days.noted.setdefault(form, Noted())
        if len(noted.kept) < EXAMPLES:
            noted.note(page.start + page.columns[name].index(text), text)
        if dated is None:
            return
        days.order.see(text)
        if dated.day is not None:
            self._day(days, dated.day, text, count, lambda: page.start + page.columns[name].index(text))
        elif dated.doubt == EITHER_WAY:
            times, first = days.either_way.get(text) or (0, page.start + page.columns[name].index(text))
            days.either_way[text] = times + count, first
        else:
            days.doubtful += count
            days.doubt = dated.doubt
            if len(days.in_doubt) < EXAMPLES:
                days.in_doubt.setdefault(text, page.start + page.columns[name].index(text))

    def _day(self, days: _Days, day: date, text: str, count: int, at: Callable[[], int]) -> None:
        """One day of the column, which may be far off."""
        days.years[day.year] += count
        far = None
        if text in _STAND_INS:
            far = days.stand_ins
        elif day.year < EARLIEST:
            far = days.early
        elif day > self._today:
            far = days.late
        if far is not None:
            far.count += count
            if len(far.kept) <= MOST_NAMES and text not in far.kept:
                far.kept[text] = at()

    def _settle(self, days: _Days) -> None:
        """Reads the dates that could be either way round in the order that the others prove, now that all are known."""
        for text, (count, position) in sorted(days.either_way.items(), key=lambda one: one[1][1]):
            dated = days.order.read(text)
            if dated is not None and dated.day is not None:
                self._day(days, dated.day, text, count, lambda position=position: position)  # type: ignore[misc]
                days.settled += count
                days.first = days.order.first(text)
                days.by_order.setdefault(text, position)
            else:
                days.doubtful += count
                days.doubt = EITHER_WAY
                days.in_doubt.setdefault(text, position)
        days.either_way = {}

    def findings(self) -> list[DataFinding]:
        """At most two for each column."""
        found = []
        for name, days in self._columns.items():
            self._settle(days)
            found += [one for one in (self._forms(name, days), self._far(name, days)) if one is not None]
        return found

    def _forms(self, name: str, days: _Days) -> DataFinding | None:
        known = Counter({form: count for form, count in days.forms.items() if form})
        if not known:
            return None
        usual = known.most_common(1)[0][0]
        others = days.filled - days.forms[usual]
        if not others and (usual == ISO or not (days.doubtful or days.settled)):
            return None
        repair: dict[str, Any] = {"kind": "dates-to-iso", "column": name}
        count = others or days.doubtful + days.settled
        if others:
            texts = sorted((p, t) for form, noted in days.noted.items() if form != usual for t, p in noted.kept.items())
            text = f"{shown(name)}: {counted(others, 'date')} of {days.filled:,} {'is' if others == 1 else 'are'} not "
            text += f"written like the others ({usual}), e.g. {self._places.told(texts[0][1], name)}"
        else:
            texts = sorted((p, t) for t, p in (days.in_doubt or days.by_order).items())
            text = f"{shown(name)}: {counted(count, 'date')} of {days.filled:,} can be read in more than one "
            text += f"way, e.g. {self._places.told(texts[0][1], name)}"
        if days.settled:
            text += f"; others of the column prove that the {days.first} stands first"
        elif not others:
            text += f": {days.doubt}"
        # Only ISO dates can be made of others without guessing, of a column in which no date is in doubt, or of one
        # whose own dates prove how nearly all are meant.
        certain = usual == ISO or not (days.doubtful or days.forms[""])
        certain = certain or (days.settled > 0 and days.doubtful <= FEW * days.filled)
        return finding(
            "date-form",
            name,
            count,
            self._places.rows,
            text + ".",
            "The model learns several ways to write one day, and mixes up day and month where they could be either.",
            examples=[self._places.example(position, text, name) for position, text in texts],
            severity="warning" if others or certain else "note",
            repairs=(repair,) if certain else (),
            recommended=certain,
            picture=top_bars((form or "no date", count) for form, count in days.forms.items()),
        )

    def _far(self, name: str, days: _Days) -> DataFinding | None:
        """Days long ago, to come, or that stand for none, where nearly all others are different."""
        if days.filled < FEWEST:
            return None
        far = [("stand for no date", days.stand_ins), ("lie before 1900", days.early), ("are yet to come", days.late)]
        far = [(what, noted) for what, noted in far if 0 < noted.count <= max(1, MOST_UNLIKE * days.filled)]
        if not far:
            return None
        count = sum(noted.count for _, noted in far)
        names = [text for _, noted in far for text in noted.texts]
        texts = sorted((p, t) for _, noted in far for t, p in noted.kept.items())
        what = " or ".join(words for words, _ in far)
        if count == 1:
            what = what.replace("stand ", "stands ").replace("lie ", "lies ").replace("are ", "is ")
        return finding(
            "date-range",
            name,
            count,
            self._places.rows,
            f"{shown(name)}: {counted(count, 'date')} of {days.filled:,} "
            f"({about_percent(count / days.filled)}) {what}, "
            f"unlike the others, e.g. {self._places.told(texts[0][1], name)}.",
            "The model learns a slip of the pen as a fact, and may write such days itself.",
            examples=[self._places.example(position, text, name) for position, text in texts],
            severity="note",
            repairs=({"kind": "drop-values", "column": name, "names": names},) if len(names) <= MOST_NAMES else (),
            picture=_decades(days.years),
        )


def _decades(years: Counter[int]) -> tuple[tuple[str, int], ...]:
    """Dates by stretches of years, at most twelve."""
    if not years:
        return ()
    first, last = min(years), max(years)
    step = next(size for size in (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000) if (last // size - first // size) < 12)
    bars: Counter[int] = Counter()
    for year, count in years.items():
        bars[year // step * step] += count
    low, high = first // step * step, last // step * step
    return tuple(
        (f"{year}" if step == 1 else f"{year} to {year + step - 1}", bars[year]) for year in range(low, high + 1, step)
    )
