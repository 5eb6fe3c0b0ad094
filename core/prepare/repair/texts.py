"""Texts that are mended character by character: wrong encodings, HTML, invisible characters and white space."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence

from ftfy import fix_encoding
from ftfy.badness import is_bad

from tunesmith.core.prepare.repair.markup import MARKUP, without_markup
from tunesmith.core.prepare.repair.mender import Mender, Outcome
from tunesmith.core.prepare.repair.nested import mapped
from tunesmith.core.prepare.repair.view import Piece
from tunesmith.core.prepare.unseen import UNSEEN

_BREAKS = re.compile("\r\n?|[\x85\u2028\u2029]")
_FIXED_SPACES = re.compile("[\u00a0\u2007\u202f]")
_INSIDE = re.compile(r"(?<=[^\s])[ \t]{2,}(?=[^\s])")
"""Blanks between two words; those at the beginning of a line may be the indentation of code."""
_BEFORE_BREAK = re.compile(r"[ \t]+(?=\n)")
_MANY_BREAKS = re.compile(r"\n{3,}")
_SPACES = ("  ", "\t", " \n", "\n\n\n")
"""What may have to be tidied, beside characters that can't be printed."""


def tidied(text: str) -> str:
    """The text without invisible characters and runs of white space."""
    text = _FIXED_SPACES.sub(" ", _BREAKS.sub("\n", text))
    text = _BEFORE_BREAK.sub("", UNSEEN.sub("", text))
    return _INSIDE.sub(" ", _MANY_BREAKS.sub("\n\n", text)).strip()


Suspects = Callable[[Sequence[str]], Iterable[int]]
"""The indices of the cells that may have to be mended, rising: a quick look before the thorough one."""


class TextMender(Mender):
    """A step that rewrites texts, each by itself."""

    def __init__(self, columns: Sequence[str], mend: Callable[[str], str], suspects: Suspects) -> None:
        super().__init__(columns)
        self._mend = mend
        self._suspects = suspects

    def mend(self, piece: Piece) -> Outcome:
        """The cells that the step rewrites."""
        patches: dict[str, dict[int, str]] = {}
        for column in self.columns:
            cells = piece.columns[column]
            mended = {index: mapped(cells[index], self._mend) for index in self._suspects(cells)}
            patches[column] = {index: text for index, text in mended.items() if text != cells[index]}
        return Outcome(patches=patches)


def fix_encodings(columns: Sequence[str]) -> Mender:
    """Repairs text that was read in a wrong encoding, by ftfy."""
    return TextMender(columns, fix_encoding, _badly_encoded)


def strip_html(columns: Sequence[str]) -> Mender:
    """Takes out HTML's tags and writes its characters."""
    return TextMender(columns, without_markup, _with_markup)


def tidy_text(columns: Sequence[str]) -> Mender:
    """Takes out invisible characters and runs of white space."""
    return TextMender(columns, tidied, _untidy)


def _joined(cells: Sequence[str]) -> str:
    """All cells in one text, which is searched more quickly than each; the sign between them is in no pattern."""
    return "|".join(cells)


def _badly_encoded(cells: Sequence[str]) -> Iterator[int]:
    joined = _joined(cells)
    escaped = "\\u00" in joined
    if joined.isascii() and not escaped:
        return
    for index, text in enumerate(cells):
        if (not text.isascii() and is_bad(text)) or (escaped and "\\u00" in text):
            yield index


def _with_markup(cells: Sequence[str]) -> Iterator[int]:
    joined = _joined(cells)
    escaped = "\\u00" in joined
    if not escaped and not MARKUP.search(joined):
        return
    for index, text in enumerate(cells):
        if (("<" in text or "&" in text) and MARKUP.search(text)) or (escaped and "\\u00" in text):
            yield index


def _untidy(cells: Sequence[str]) -> list[int]:
    joined = _joined(cells)
    found: set[int] = set()
    for spaces in _SPACES:
        if spaces in joined:
            found.update(index for index, text in enumerate(cells) if spaces in text)
    if not joined.replace("\n", "").isprintable():
        found.update(index for index, text in enumerate(cells) if not text.replace("\n", "").isprintable())
    if "\\" in joined:  # a text in JSON has its white space and controls as escapes
        found.update(index for index, text in enumerate(cells) if text[:1] in ("[", "{") and "\\" in text)
    return sorted(found)
