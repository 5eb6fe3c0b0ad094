"""Finds the personal data in a text, piece by piece, and masks it."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import get_args

from tunesmith.core.plan.prepare import PersonalKind
from tunesmith.core.prepare.kinds import plain_name
from tunesmith.core.prepare.personal.addresses import emails_in, ips_in
from tunesmith.core.prepare.personal.ids import national_ids_in
from tunesmith.core.prepare.personal.numbers import Run, cards_in, ibans_in, phones_in, runs_in
from tunesmith.core.prepare.personal.possible import possible_in
from tunesmith.core.prepare.personal.secrets import secrets_in
from tunesmith.core.prepare.repair.words import PLACEHOLDERS

KINDS: tuple[PersonalKind, ...] = get_args(PersonalKind)

STRETCH = 1 << 16
"""Characters that are looked at together: some forms take time that grows with the square of that."""

_CONTEXT = 128
"""Characters before a stretch that are looked at with it: the longest sign of what follows is 60 of them."""

_LONGEST = 1 << 13
"""Characters behind a stretch in which a piece that begins in it may end; a private key is longer at times."""

_NAME_HEADER = re.compile(
    r"(?:(?:first|last|middle|given|family|full|maiden|birth|legal|preferred)_?name|(?:sur|fore)name|nachname|vorname"
    r"|prenom|nom_de_famille|apellidos?|cognome|"
    r"(?:customer|client|patient|employee|contact|person|user|student|member|guest|owner|manager|doctor|sender|recipient"
    r"|cardholder|holder|buyer|applicant|candidate|author)s?_(?:full_|first_|last_)?name)"
)


@dataclass(frozen=True)
class Piece:
    """Personal data in a text: of which kind, and where it begins and ends."""

    kind: PersonalKind
    start: int
    end: int


def found(text: str, kinds: Collection[PersonalKind] = KINDS, column: str = "") -> list[Piece]:
    """The pieces in the text, in its order; none overlaps another.

    Args:
        text: Any text, of any length.
        kinds: What is looked for.
        column: The header of the text's column, where it has one: it may tell what the numbers in it are, and is the
            only sign of a name.
    """
    header = plain_name(column) if column else ""
    if len(text) <= STRETCH + _LONGEST:
        return _pieces(text, kinds, header)
    pieces: list[Piece] = []
    for start in range(0, len(text), STRETCH):
        first = max(0, start - _CONTEXT)
        stretch = text[first : start + STRETCH + _LONGEST]
        for piece in _pieces(stretch, kinds, header):
            here = Piece(piece.kind, piece.start + first, piece.end + first)
            if start <= here.start < start + STRETCH and (not pieces or pieces[-1].end <= here.start):
                pieces.append(here)
    return pieces


def mask(text: str, kinds: Collection[PersonalKind] = KINDS, column: str = "") -> str:
    """The text with a placeholder for each piece; nothing is found in it any more."""
    # What touched a piece may be one now that it stands alone; each round has less to look at.
    while pieces := found(text, kinds, column):
        parts, last = [], 0
        for piece in pieces:
            parts += [text[last : piece.start], PLACEHOLDERS[piece.kind]]
            last = piece.end
        text = "".join([*parts, text[last:]])
    return text


def kinds_in(text: str, column: str = "") -> frozenset[PersonalKind]:
    """The kinds of personal data in the text."""
    return frozenset(piece.kind for piece in found(text, KINDS, column))


def names_people(column: str) -> bool:
    """Whether a column's header says that it holds names of people; `name` alone may name anything."""
    return _NAME_HEADER.fullmatch(plain_name(column)) is not None


def _names_in(text: str, header: str) -> Iterator[Run]:
    """The whole cell, where its column holds names. Asked for names in a column `name`, the person means these."""
    bare = text.strip()
    if bare and bare != PLACEHOLDERS["name"] and (header == "name" or _NAME_HEADER.fullmatch(header)):
        start = text.index(bare)
        yield start, start + len(bare)


_PRECEDENCE: tuple[PersonalKind, ...] = ("name", "secret", "email", "iban", "card", "national-id", "phone", "ip")
"""Where two overlap, the first counts: a password in an address is no e-mail, an account no phone."""


def _pieces(text: str, kinds: Collection[PersonalKind], header: str) -> list[Piece]:
    possible = possible_in(text)
    if header:
        possible.append("name")
    if not possible:
        return []
    runs = runs_in(text)
    pieces: list[Piece] = []
    for kind in _PRECEDENCE:
        if kind in possible and kind in kinds:
            taken = pieces
            pieces = []
            spans = sorted(_spans(kind, text, runs, header), key=lambda span: (span[0], -span[1]))
            for start, end in spans:
                at = bisect_left(taken, end, key=lambda piece: piece.start)  # the first that begins behind it
                before = (taken[at - 1],) if at else ()
                if all(other.end <= start for other in (*before, *pieces[-1:])):
                    pieces.append(Piece(kind, start, end))
            pieces = sorted(taken + pieces, key=lambda piece: piece.start) if pieces else taken
    return pieces


def _spans(kind: PersonalKind, text: str, runs: list[Run], header: str) -> Iterable[Run]:
    """Where personal data of a kind stands, in no order."""
    match kind:
        case "name":
            return _names_in(text, header)
        case "secret":
            return secrets_in(text)
        case "email":
            return emails_in(text)
        case "iban":
            return ibans_in(text)
        case "card":
            return cards_in(text, runs)
        case "national-id":
            return national_ids_in(text, runs, header)
        case "phone":
            return phones_in(text, runs, header)
        case "ip":
            return ips_in(text)
