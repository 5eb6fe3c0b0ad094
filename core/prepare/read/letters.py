"""Which encoding a short text is in, by the letters of the languages that it may be written in.

A statistic over characters needs more text than a small file has; the alphabets of the common languages don't: in a
wrong encoding some letters turn into signs, or into letters that no language has together.
"""

from __future__ import annotations

import re

_WESTERN = ("äöüß", "éèêëàâçîïôùûüœæ", "áéíóúñü", "áâãàçéêíóôú", "àèéìíòóùú", "åäöæøéü", "áðéíóúýþæö", "éëïöüá")
"""German, French, Spanish, Portuguese, Italian, Scandinavian, Icelandic, Dutch."""
_CENTRAL = ("ąćęłńóśźż", "áčďéěíňóřšťúůýž", "áäčďéíĺľňóôŕšťúýž", "áéíóöőúüű", "ăâîşţ", "čćđšž")
"""Polish, Czech, Slovak, Hungarian, Romanian, Croatian."""
_SIGNS = frozenset("¿¡«»‘’‚“”„–—…•€£§°©®™\xa0·×½²³")
_COMMON_CYRILLIC = frozenset("оеаинтсрвлі")
"""The ten commonest letters of Russian, two thirds of its text, and one of Ukrainian."""
_ALPHABETS = (
    ("cp1252", _WESTERN),
    ("cp1250", _CENTRAL),
    ("iso8859_2", _CENTRAL),
    ("cp1254", ("çğıöşüâî\u0307",)),  # Turkish; the dot above is what `lower` leaves of its İ
)
_NOT_HEBREW = re.compile("[^а-ъ]")
"""A letter that no byte of Hebrew (Windows-1255) stands for; nearly every Russian sentence has one."""
_FEWEST = 8
"""Letters above 127 from which a text tells something."""
_NEARLY_ALL = 0.97
_INNER_CAPITAL = re.compile(r"[а-яё][А-ЯЁ]")


def encoding_by_letters(sample: bytes) -> str:
    """Python's name of the encoding in which `sample` is text of a known language; empty where that is not sure."""
    best, chosen = _NEARLY_ALL, ""
    for encoding, alphabets in _ALPHABETS:
        share = _share(_decoded(sample, encoding), alphabets)
        if share > best or (share == best and not chosen):  # of equals the first, which is the most frequent
            best, chosen = share, encoding
    return chosen or _cyrillic(sample)


def _decoded(sample: bytes, encoding: str) -> str:
    """The text, or nothing where there is none in that encoding."""
    try:
        text = sample.decode(encoding)
    except UnicodeDecodeError:
        return ""
    return "" if any("\x80" <= letter <= "\x9f" for letter in text) else text


def _share(text: str, alphabets: tuple[str, ...]) -> float:
    """How much of what is above 127 is one language's letters, where most letters are plain Latin ones; 0 to 1."""
    small = text.lower().replace("õe", "óe")  # Portuguese has õ nowhere else; Hungarian's ő becomes it everywhere
    odd = [letter for letter in small if letter > "\x7f" and letter not in _SIGNS]
    plain = sum(letter.isascii() and letter.isalpha() for letter in text)
    if len(odd) < _FEWEST or len(odd) > plain:
        return 0.0
    return max(sum(letter in alphabet for letter in odd) for alphabet in alphabets) / len(odd)


def _cyrillic(sample: bytes) -> str:
    """Windows-1251 or KOI8-R, whose letters stand for each other's, by how often the common ones come."""
    best, chosen = 0.5, ""
    for encoding in ("cp1251", "koi8_r"):
        text = _decoded(sample, encoding)
        odd = [letter for letter in text if letter > "\x7f" and letter not in _SIGNS]
        letters = [letter for letter in odd if "\u0400" <= letter <= "\u04ff"]
        if len(letters) < _FEWEST or len(letters) < _NEARLY_ALL * len(odd) or _INNER_CAPITAL.search(text):
            continue
        if encoding == "cp1251" and not _NOT_HEBREW.search("".join(letters)):
            continue
        share = sum(letter.lower() in _COMMON_CYRILLIC for letter in letters) / len(letters)
        if share > best:
            best, chosen = share, encoding
    return chosen
