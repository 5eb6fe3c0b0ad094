"""Rows in languages that were not asked for."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from tunesmith.core.prepare.cells import shown
from tunesmith.core.prepare.language import language_of
from tunesmith.core.prepare.repair.duplicates import texts_of
from tunesmith.core.prepare.repair.mender import Mender, Outcome
from tunesmith.core.prepare.repair.view import Piece


class KeepLanguages(Mender):
    """Sets aside texts that are surely in another language than those named; what is short or in doubt is kept."""

    def __init__(self, columns: Sequence[str], codes: Collection[str]) -> None:
        super().__init__(columns)
        self._codes = {code.strip().lower().partition("-")[0] for code in codes}

    def mend(self, piece: Piece) -> Outcome:
        """Those in another language."""
        aside = []
        for index, text in enumerate(texts_of(piece, self.columns)):
            code = language_of(text)
            if code and code not in self._codes:
                aside.append((index, f"it is written in another language ({shown(code)})"))
        return Outcome(aside)
