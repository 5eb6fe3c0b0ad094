"""Where an answer differs from the one that is wanted, word by word, compared as exact match compares."""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import SequenceMatcher

from tunesmith.core.metrics import normalize

WORDS_MOST = 400
"""Words of each text that are compared; what comes after them stands unmarked (difflib needs time by the square)."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of a text; `differs` where the other text lacks it."""

    text: str
    differs: bool = False


def difference(expected: str, answer: str) -> tuple[list[Piece], list[Piece]]:
    """Both texts in pieces: of `expected` what the answer lacks differs, of `answer` what nobody asked for.

    Case, punctuation and articles make no difference, as in `metrics.exact_match`. The pieces of a text put together
    are the text.
    """
    wanted, written = _words(expected), _words(answer)
    keys = [[normalize(word) for word in words[:WORDS_MOST]] for words in (wanted, written)]
    matcher = SequenceMatcher(a=keys[0], b=keys[1], autojunk=False)
    expected_differs, answer_differs = [False] * len(wanted), [False] * len(written)
    for kind, first, last, start, end in matcher.get_opcodes():
        if kind != "equal":
            for differs, one, other, of in ((expected_differs, first, last, 0), (answer_differs, start, end, 1)):
                for place in range(one, other):
                    differs[place] = bool(keys[of][place])  # a lone article or mark is no difference
    return _pieces(wanted, expected_differs), _pieces(written, answer_differs)


def _words(text: str) -> list[str]:
    """Words, each with the white space after it."""
    return re.findall(r"^\s+|\S+\s*", text)


def _pieces(words: list[str], differs: list[bool]) -> list[Piece]:
    """Neighbours of one kind joined; white space after a stretch that differs is no part of it."""
    pieces: list[Piece] = []
    for word, marked in zip(words, differs, strict=True):
        if pieces and pieces[-1].differs == marked:
            pieces[-1] = Piece(pieces[-1].text + word, marked)
        else:
            pieces.append(Piece(word, marked))
    trimmed: list[Piece] = []
    for piece in pieces:
        core = piece.text.rstrip() if piece.differs else piece.text
        trimmed.append(Piece(core, piece.differs))
        if len(core) < len(piece.text):
            trimmed.append(Piece(piece.text[len(core) :]))
    return trimmed
