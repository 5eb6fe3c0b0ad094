"""Dates of one column in several forms, and days that can hardly be meant."""

from __future__ import annotations

import re
from collections import Counter
from datetime import date
from functools import lru_cache
from typing import Any

from tunesmith.core.facts import DataFinding
from tunesmith.core.figures import about_percent
from tunesmith.core.prepare.cells import counted, shown
from tunesmith.core.prepare.dates import ISO, date_of
from tunesmith.core.prepare.look.check import Noted, Places, finding, top_bars
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
        self.doubt = ""
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
            joined = page.joined(name)
            plain = bool(_PLAIN.fullmatch(joined + "\n"))
            for text, count in Counter(page.columns[name]).items():
                if text and not is_missing(text):
                    self._count(days, page, name, text, count, plain=plain)

    def _count(self, days: _Days, page: Page, name: str, text: str, count: int, *, plain: bool) -> None:
        """One way that a date is written, with how often it is on the page."""
        days.filled += count
        dated = _read(text)
        form = dated.form if dated else ""
        days.forms[form] += count
        if not plain and form != ISO:
            noted = days.noted.setdefault(form, Noted())
            if len(noted.kept) < 3:
                noted.note(page.start + page.columns[name].index(text), text)
        if dated is None:
            return
        if dated.day is None:
            days.doubtful += count
            days.doubt = dated.doubt
            return
        days.years[dated.day.year] += count
        far = None
        if text in _STAND_INS:
            far = days.stand_ins
        elif dated.day.year < EARLIEST:
            far = days.early
        elif dated.day > self._today:
            far = days.late
        if far is not None:
            far.count += count
            if len(far.kept) <= MOST_NAMES and text not in far.kept:
                far.kept[text] = page.start + page.columns[name].index(text)

    def findings(self) -> list[DataFinding]:
        """At most two for each column."""
        found = []
        for name, days in self._columns.items():
            found += [one for one in (self._forms(name, days), self._far(name, days)) if one is not None]
        return found

    def _forms(self, name: str, days: _Days) -> DataFinding | None:
        known = Counter({form: count for form, count in days.forms.items() if form})
        if not known:
            return None
        usual = known.most_common(1)[0][0]
        others = days.filled - days.forms[usual]
        if not others and (usual == ISO or not days.doubtful):
            return None
        repair: dict[str, Any] = {"kind": "dates-to-iso", "column": name}
        texts = [(p, t) for form, noted in days.noted.items() if form != usual for t, p in noted.kept.items()]
        if not others:
            texts = [(p, t) for noted in days.noted.values() for t, p in noted.kept.items()]
            text = f"{shown(name)}: {counted(days.doubtful, 'date')} of {days.filled:,} can be read in more than one "
            text += f"way, e.g. {self._places.told(texts[0][1], name)}: {days.doubt}."
        else:
            sample = min(texts)[1] if texts else ISO
            text = f"{shown(name)}: {counted(others, 'date')} of {days.filled:,} {'is' if others == 1 else 'are'} not "
            text += f"written like the others ({usual}), e.g. {self._places.told(sample, name)}."
        # Only ISO dates can be made of others without guessing, or of a column in which no date is in doubt.
        certain = usual == ISO or not (days.doubtful or days.forms[""])
        return finding(
            "date-form",
            name,
            others or days.doubtful,
            self._places.rows,
            text,
            "The model learns several ways to write one day, and mixes up day and month where they could be either.",
            examples=[self._places.example(position, text, name) for position, text in sorted(texts)],
            severity="warning" if others else "note",
            repairs=(repair,) if certain else (),
            recommended=certain,
            picture=top_bars((form or "no date", count) for form, count in days.forms.items()),
        )

    def _far(self, name: str, days: _Days) -> DataFinding | None:
        """Days long ago, to come, or that stand for none, where nearly all others are different."""
        if days.filled < FEWEST:
            return None
        far = [("stand for no date", days.stand_ins), ("lie before 1900", days.early), ("are yet to come", days.late)]
        far = [(what, noted) for what, noted in far if 0 < noted.count <= MOST_UNLIKE * days.filled]
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
