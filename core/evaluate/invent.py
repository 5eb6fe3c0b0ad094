"""Invents values that look like given ones: to ask a model about people and things that nobody ever wrote down."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime, timedelta
from random import Random

_DATE_FORMS = (
    "%Y-%m-%d",
    "%Y/%m/%d",
    "%d.%m.%Y",
    "%d/%m/%Y",
    "%m/%d/%Y",
    "%d-%m-%Y",
    "%d %B %Y",
    "%d %b %Y",
    "%B %d, %Y",
    "%b %d, %Y",
    "%Y-%m-%dT%H:%M:%S",
    "%Y-%m-%d %H:%M:%S",
)
_SHIFT_DAYS = 2500
"""A date moves by at most this much, about seven years, so that it stays one that the table could hold."""

_ONSETS = (
    "b",
    "br",
    "d",
    "dr",
    "f",
    "g",
    "gl",
    "h",
    "k",
    "kr",
    "l",
    "m",
    "n",
    "p",
    "pl",
    "r",
    "s",
    "st",
    "t",
    "v",
    "z",
)
_VOWELS = ("a", "e", "i", "o", "u", "ai", "ea", "io")
_CODAS = ("", "", "", "l", "m", "n", "r", "s", "th", "x")
_KEPT = frozenset(("and", "of", "the", "or", "in", "for", "de", "la", "van", "von", "al", "no", "yes", "true", "false"))
"""Words that stay: what joins names, and answers that have only one other value."""


def invent_values(values: Iterable[str], rng: Random) -> dict[str, str]:
    """Another value for each of `values`: a date of the same format, a number of the same length, a code of the same
    shape, words with as many letters' case kept. Equal values get equal ones, different values different ones; empty
    ones stay.
    """
    olds = list(dict.fromkeys(value for value in values if value.strip()))
    taken = set(olds)
    invented: dict[str, str] = {}
    for old in olds:
        new = old
        for _ in range(100):
            new = invent(old, rng)
            if new not in taken:
                break
        # A value with nothing to vary ("yes", "n/a") stays as it is; asking about it is still right.
        invented[old] = new if new not in taken else old
        taken.add(new)
    return invented


def invent(value: str, rng: Random) -> str:
    """One value that looks like `value`."""
    dated = _date(value, rng)
    if dated is not None:
        return dated
    if any(character.isdigit() for character in value):
        return _shape(value, rng)
    return re.sub(r"[^\W\d_]+", lambda found: _word(found[0], rng), value)


def _date(value: str, rng: Random) -> str | None:
    """Another date in the format of `value`; None where it is no date."""
    for form in _DATE_FORMS:
        try:
            day = datetime.strptime(value, form)
        except ValueError:
            continue
        shift = rng.choice((-1, 1)) * rng.randint(1, _SHIFT_DAYS)
        try:
            new = (day + timedelta(days=shift)).strftime(form)
        except (OverflowError, ValueError):
            return None
        padded = day.strftime(form) == value
        return new if padded else re.sub(r"\b0(\d)", r"\1", new)  # "4/1/2020" has no leading zeros
    return None


def _shape(value: str, rng: Random) -> str:
    """A number or code of the same shape: other digits, other letters, everything else in its place.

    Leading zeros and the zeros at the end of a round number stay; the first other digit does not become zero.
    """
    digits = [place for place, character in enumerate(value) if character.isdigit()]
    code = any(character.isalpha() for character in value)
    first = next((place for place in digits if value[place] != "0"), None)
    kept = set() if code else {place for place in digits if not value[place:].strip("0")}
    if first is not None:
        kept |= {place for place in digits if place < first}
    out = []
    for place, character in enumerate(value):
        if character.isdigit() and place not in kept:
            out.append(rng.choice("123456789" if place == first else "0123456789"))
        elif character.isalpha() and code:
            letter = rng.choice("abcdefghijklmnopqrstuvwxyz")
            out.append(letter.upper() if character.isupper() else letter)
        else:
            out.append(character)
    return "".join(out)


def _word(word: str, rng: Random) -> str:
    """An invented word that can be spoken, in the case of `word`."""
    if word.lower() in _KEPT:
        return word
    syllables = max(1, min(3, (len(word) + 1) // 3))
    made = "".join(rng.choice(_ONSETS) + rng.choice(_VOWELS) for _ in range(syllables)) + rng.choice(_CODAS)
    if word.isupper() and len(word) > 1:
        return made.upper()
    return made.capitalize() if word[0].isupper() else made
