"""Numbers that a state gives to a person: where they stand in a text."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from stdnum.be import nn
from stdnum.br import cpf
from stdnum.ca import sin
from stdnum.ch import ssn as ahv
from stdnum.cn import ric
from stdnum.de import idnr
from stdnum.es import dni, nie
from stdnum.fi import hetu
from stdnum.fr import nir
from stdnum.gb import nhs
from stdnum.in_ import aadhaar
from stdnum.it import codicefiscale
from stdnum.kr import rrn
from stdnum.nl import bsn
from stdnum.pl import pesel
from stdnum.se import personnummer
from stdnum.us import itin, ssn

from tunesmith.core.prepare.personal.numbers import Run, matches

_BEFORE, _AFTER = r"(?<![\w+.,/-])", r"(?!\w|[-.,/][0-9])"
_NEAR_BEFORE, _NEAR_AFTER = 60, 30
"""Characters between a number and its name, which stands before it or after it."""


@dataclass(frozen=True)
class _Id:
    """A kind of number: its form, what checks it, and the name that must stand beside it, if any."""

    form: re.Pattern[str]
    valid: Callable[[str], bool]
    cue: re.Pattern[str] | None = None


def _id(form: str, valid: Callable[[str], bool], cue: str = "") -> _Id:
    name = re.compile(rf"(?<![\[A-Za-z0-9])(?:{cue})(?![A-Za-z0-9])", re.IGNORECASE) if cue else None
    return _Id(re.compile(_BEFORE + form + _AFTER), valid, name)


def _nino(number: str) -> bool:
    """Great Britain's National Insurance number has no check digit; some prefixes are never given (HMRC, NIM39110)."""
    return number[:2].upper() not in {"BG", "GB", "NK", "KN", "TN", "NT", "ZZ"}


# Of chance numbers fewer than one in a thousand has such a form and passes: two check digits, or one with a date.
_ALONE = (
    _id(r"[12] ?[0-9]{2} ?(?:0[1-9]|1[0-2]) ?(?:[0-9]{2}|2[AB]) ?[0-9]{3} ?[0-9]{3} ?[0-9]{2}", nir.is_valid),
    _id(r"[0-9]{3}\.[0-9]{3}\.[0-9]{3}-[0-9]{2}", cpf.is_valid),
    _id(r"[0-9]{2}\.[0-9]{2}\.[0-9]{2}-[0-9]{3}\.[0-9]{2}", nn.is_valid),
    _id(r"756\.[0-9]{4}\.[0-9]{4}\.[0-9]{2}", ahv.is_valid),
    _id(r"[1-9][0-9]{5}(?:19|20)[0-9]{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])[0-9]{3}[0-9X]", ric.is_valid),
    _id(r"[0-9]{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])-[1-4][0-9]{6}", rrn.is_valid),
    _id(r"(?:0[1-9]|[12][0-9]|3[01])(?:0[1-9]|1[0-2])[0-9]{2}[-+A][0-9]{3}[0-9A-Y]", hetu.is_valid),
)
_LETTERED = (
    _id(r"[A-Z]{6}[0-9]{2}[ABCDEHLMPRST][0-9]{2}[A-Z][0-9]{3}[A-Z]", codicefiscale.is_valid),
    _id(r"[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] [0-9]{2} [0-9]{2} [0-9]{2} [A-D]", _nino),
    _id(r"[A-Z]{2}[0-9]{6}[A-D]", _nino, r"nino|national insurance|ni (?:number|no)"),
)
_NAMED = (
    _id(r"[0-9]{3}[- ]?[0-9]{2}[- ]?[0-9]{4}", ssn.is_valid, r"ssn|social security|soc\.? ?sec"),
    _id(r"9[0-9]{2}[- ]?[0-9]{2}[- ]?[0-9]{4}", itin.is_valid, r"itin"),
    _id(r"[0-9]{3}[- ]?[0-9]{3}[- ]?[0-9]{4}", nhs.is_valid, r"nhs"),
    _id(
        r"[0-9]{2} ?[0-9]{3} ?[0-9]{3} ?[0-9]{3}",
        idnr.is_valid,
        r"steuer[ -]?id|steuer[ -]?identifikationsnummer|steuerliche identifikationsnummer|idnr|tin|tax id",
    ),
    _id(r"[0-9]{8}[ -]?[A-Za-z]", dni.is_valid, r"d\.?n\.?i|nif"),
    _id(r"[XYZxyz][ -]?[0-9]{7}[ -]?[A-Za-z]", nie.is_valid, r"nie|dni|nif"),
    _id(r"[0-9]{4}\.?[0-9]{2}\.?[0-9]{3}", bsn.is_valid, r"bsn|burgerservicenummer|sofinummer"),
    _id(r"[0-9]{11}", pesel.is_valid, r"pesel"),
    _id(r"(?:[0-9]{2})?[0-9]{6}[-+]?[0-9]{4}", personnummer.is_valid, r"personnummer|personal identity"),
    _id(r"[0-9]{11}", cpf.is_valid, r"cpf"),
    _id(r"[0-9]{3}[ -]?[0-9]{3}[ -]?[0-9]{3}", sin.is_valid, r"social insurance|(?-i:SIN)"),
    _id(r"[0-9]{4}[ -]?[0-9]{4}[ -]?[0-9]{4}", aadhaar.is_valid, r"aadhaar|aadhar"),
)
_ANY_NAME = re.compile("|".join(one.cue.pattern for one in _NAMED if one.cue), re.IGNORECASE)
_LETTER_DIGITS = re.compile(r"[A-Z] ?[0-9]{2}")


def national_ids_in(text: str, runs: list[Run], column: str = "") -> Iterator[Run]:
    """Start and end of each number that a state gave to a person, in no order.

    Args:
        text: Any text.
        runs: What `numbers.runs_in` says of it.
        column: The plain name of its column, which may be what the numbers in it are called.
    """
    if _LETTER_DIGITS.search(text):
        for one in _LETTERED:
            for match in one.form.finditer(text):
                if one.valid(match[0]) and _named(one, text, column, match.span()):
                    yield match.span()
    for run in runs:
        for one in _ALONE:
            yield from (match.span() for match in matches(one.form, text, run) if one.valid(match[0]))
        if not _ANY_NAME.search(_near(text, column, run)):
            continue
        for one in _NAMED:
            for match in matches(one.form, text, run):
                if one.valid(match[0]) and _named(one, text, column, match.span()):
                    yield match.span()


def _named(one: _Id, text: str, column: str, span: Run) -> bool:
    """Whether the number's name stands shortly before it or after it, or over its column."""
    return one.cue is None or one.cue.search(_near(text, column, span)) is not None


def _near(text: str, column: str, span: Run) -> str:
    start, end = span
    before, after = text[max(0, start - _NEAR_BEFORE) : start], text[end : end + _NEAR_AFTER]
    return f"{column.replace('_', ' ')} {before} {after}"
