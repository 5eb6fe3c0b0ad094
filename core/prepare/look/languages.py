"""Which languages the texts are in."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np

from tunesmith.core.facts import DataFinding
from tunesmith.core.figures import about_percent
from tunesmith.core.prepare.cells import counted, shown
from tunesmith.core.prepare.language import READ, can_be_told, language_of
from tunesmith.core.prepare.look.check import EXAMPLES, Noted, Places, finding, in_turn, top_bars
from tunesmith.core.prepare.look.page import Page
from tunesmith.core.prepare.look.seen import Seen

SAMPLE = 5000
"""Texts that are looked at: a share of 1 % is then known to within 0.3 points (95 %, normal approximation)."""

SEED = 37
FEWEST, LEAST = 3, 0.005
"""A second language is told from three texts and one in two hundred on; fewer are mistakes of the model."""

_NAMES = {
    "ar": "Arabic", "bg": "Bulgarian", "bn": "Bengali", "ca": "Catalan", "cs": "Czech", "da": "Danish", "de": "German",
    "el": "Greek", "en": "English", "es": "Spanish", "et": "Estonian", "fa": "Persian", "fi": "Finnish", "fr": "French",
    "he": "Hebrew", "hi": "Hindi", "hr": "Croatian", "hu": "Hungarian", "id": "Indonesian", "it": "Italian",
    "ja": "Japanese", "ko": "Korean", "lt": "Lithuanian", "lv": "Latvian", "nl": "Dutch", "no": "Norwegian",
    "pl": "Polish", "pt": "Portuguese", "ro": "Romanian", "ru": "Russian", "sk": "Slovak", "sl": "Slovenian",
    "sr": "Serbian", "sv": "Swedish", "ta": "Tamil", "th": "Thai", "tr": "Turkish", "uk": "Ukrainian", "ur": "Urdu",
    "vi": "Vietnamese", "zh": "Chinese",
}  # fmt: skip


class Languages:
    """The languages of a sample of the answers, or of the texts where there is no answer in words."""

    def __init__(self, seen: Seen, places: Places, column: str) -> None:
        self._places = places
        self._column = column
        size = min(SAMPLE, places.rows)
        self._chosen = np.sort(np.random.default_rng(SEED).choice(max(1, places.rows), size, replace=False))
        self._texts: list[tuple[int, str]] = []

    def see(self, page: Page) -> None:
        """The next records."""
        first, last = np.searchsorted(self._chosen, (page.start, page.start + len(page)))
        cells = page.columns[self._column]
        for position in self._chosen[first:last].tolist():
            text = cells[position - page.start][:READ]
            if can_be_told(text):
                self._texts.append((position, text))

    def findings(self) -> list[DataFinding]:
        """At most one."""
        if not self._texts:
            return []
        counts: Counter[str] = Counter()
        noted: dict[str, Noted] = {}
        for position, text in self._texts:
            if code := language_of(text):
                counts[code] += 1
                noted.setdefault(code, Noted()).note(position, text)
        if not counts:
            return []
        main, most = counts.most_common(1)[0]
        others = {
            code: count for code, count in counts.most_common()[1:] if count >= max(FEWEST, LEAST * counts.total())
        }
        if not others:
            return []
        count, of = sum(others.values()), counts.total()
        listed = [f"{named(code)} {about_percent(number / of)}" for code, number in others.items()]
        told = ", ".join(listed[:4]) + (" and others" if len(listed) > 4 else "")
        what = f"of a sample of {of:,} texts" if self._places.rows > SAMPLE else f"of {counted(of, 'text')}"
        repair: dict[str, Any] = {"kind": "keep-languages", "column": self._column, "names": [main]}
        return [
            finding(
                "languages",
                self._column,
                count,
                of,
                f"{shown(self._column)}: {what} {about_percent(most / of)} are {named(main)}, the others {told}.",
                "The model may answer in another language than it is asked in, and learns each from its share only.",
                examples=[
                    self._places.example(position, self._places.text(position, self._column), self._column)
                    for position, _ in in_turn(noted[code] for code in others)[:EXAMPLES]
                ],
                severity="note",
                repairs=(repair,),
                picture=top_bars((named(code), number) for code, number in counts.items()),
            )
        ]


def named(code: str) -> str:
    """A language's English name, or its code."""
    return _NAMES.get(code, code)
