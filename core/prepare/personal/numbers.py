"""Phone numbers, bank accounts and payment cards: where they stand in a text."""

from __future__ import annotations

import re
from collections.abc import Iterator

import phonenumbers
from stdnum import iban, luhn

Run = tuple[int, int]
"""Start and end of digits with no more than signs and spaces between them."""

_RUN = re.compile(r"[0-9](?:[ ()./-]{0,3}[0-9]){6,}")
_MOMENT = re.compile(
    r"(?:(?:19|20)[0-9]{2}([-/. ])[0-9]{1,2}\1[0-9]{1,2}|[0-9]{1,2}([-/. ])[0-9]{1,2}\2(?:19|20)[0-9]{2})"
    r"(?: [0-9]{1,2})?"
)
_AROUND = 4
"""Characters around a run that belong to a number or tell that it is none."""

_INTERNATIONAL = re.compile(r"(?<![\w+])\+(?=[ (]?[1-9])")
_ABROAD = re.compile(r"(?<![\w+.,/-])00(?=[1-9][0-9]{0,2}[ ()/-])")
_US = re.compile(
    r"(?<![\w+.,/-])(?:1[-. ])?(?:\([2-9][0-9]{2}\) ?[2-9][0-9]{2}[-. ]|[2-9][0-9]{2}([-.])[2-9][0-9]{2}\1)[0-9]{4}"
    r"(?!\w|[-.,/][0-9])"
)
_EUROPE = re.compile(
    r"(?<![\w+.,/-])(?:\(0[1-9][0-9]{0,4}\)|0[1-9][0-9]{0,5})(?:[ /-]{1,2}[0-9]{2,8}){1,4}(?!\w|[-.,/][0-9])"
)
_CUE = re.compile(
    r"(?<![\[\w])(?:(?:tele)?phone|tel|telefon|mobile?|cell|fax|whatsapp|handy|t[eé]l[eé]phone|t[eé]l|tel[eé]fono)"
    r"(?:[^0-9\w\n][^0-9\n]{0,20})?$",
    re.IGNORECASE,
)
_HEADER = re.compile(r"phone|(?:^|_)(?:tel|telefon|telefono|mobile|mobil|cell|fax|whatsapp|handy)(?:_|$)")
_DATE = re.compile(
    r"(?<![0-9])(?:[0-9]{1,2}([-/. ])[0-9]{1,2}\1(?:19|20)[0-9]{2}"
    r"|(?:19|20)[0-9]{2}([-/. ])[0-9]{1,2}\2[0-9]{1,2})(?![0-9])"
)
_CUE_REACH = 40
_LONGEST_PHONE = 32
_PLACES = ("GB", "DE", "FR")

_IBAN_START = re.compile(r"[0-9]{2}(?<=[A-Za-z]{2}..)(?<![A-Za-z0-9][A-Za-z]{2}..)(?=[ -]?[A-Za-z0-9]{4})")
_IBAN = re.compile(r"[A-Za-z]{2}[0-9]{2}(?:[ -]?[A-Za-z0-9]){11,30}")
_CARD = re.compile(
    r"(?<![\w+.,/-])(?:[0-9]{4}[ -]?[0-9]{4}[ -]?[0-9]{4}[ -]?[0-9]{4}(?:[ -]?[0-9]{3})?"
    r"|3[47][0-9]{2}[ -]?[0-9]{6}[ -]?[0-9]{5}|3(?:0[0-5]|[68][0-9])[0-9][ -][0-9]{6}[ -][0-9]{4})(?!\w|[-.,/][0-9])"
)
_ISSUER = re.compile(
    r"4[0-9]{15}(?:[0-9]{3})?"  # Visa
    r"|(?:5[1-5][0-9]{2}|222[1-9]|22[3-9][0-9]|2[3-6][0-9]{2}|27[01][0-9]|2720)[0-9]{12}"  # Mastercard
    r"|3[47][0-9]{13}"  # American Express
    r"|(?:6011|65[0-9]{2}|64[4-9][0-9])[0-9]{12}"  # Discover
    r"|3(?:0[0-5]|[68][0-9])[0-9]{11}"  # Diners Club
    r"|35(?:2[89]|[3-8][0-9])[0-9]{12}"  # JCB
    r"|62[0-9]{14}(?:[0-9]{3})?"  # UnionPay
)
"""Ranges of ISO/IEC 7812 as the issuers publish them. Visa's old numbers of 13 digits are left out: article numbers
(EAN) begin as they do."""


def is_moment(digits: str) -> bool:
    """Whether a run is a date, with an hour perhaps."""
    return _MOMENT.fullmatch(digits) is not None


def runs_in(text: str) -> list[Run]:
    """Where seven digits or more follow each other, which are no date: a number of a phone, a card or a person."""
    return [match.span() for match in _RUN.finditer(text) if not is_moment(match[0])]


def matches(form: re.Pattern[str], text: str, run: Run) -> Iterator[re.Match[str]]:
    """Where `form` stands in a run or about it."""
    return form.finditer(text, max(0, run[0] - _AROUND), run[1] + _AROUND)


def phones_in(text: str, runs: list[Run], column: str = "") -> Iterator[Run]:
    """Start and end of each phone number, in no order.

    Args:
        text: Any text.
        runs: What `runs_in` says of it.
        column: The plain name of its column: where it says that phone numbers are held, they need no other sign.
    """
    everywhere = _HEADER.search(column) is not None
    for run in runs:
        for sign in matches(_INTERNATIONAL, text, run):
            window = text[sign.start() : sign.start() + _LONGEST_PHONE]
            if (end := _valid_from_start(window)) is not None:
                yield sign.start(), sign.start() + end
        for sign in matches(_ABROAD, text, run):
            window = "+" + text[sign.end() : sign.end() + _LONGEST_PHONE]
            if (end := _valid_from_start(window)) is not None:
                yield sign.start(), sign.end() + end - 1
        for match in matches(_US, text, run):
            if _valid(match[0], "US"):
                yield match.span()
        for match in matches(_EUROPE, text, run):
            # Codes such as 01234-5678 are as common as such numbers, and short ones may be anything.
            if _digits(match[0]) >= 10 and any(sign in match[0] for sign in " /(") and _european(match[0]):
                yield match.span()
        start, end = run
        if (everywhere or _CUE.search(text[max(0, start - _CUE_REACH) : start])) and _likely(text[start:end]):
            yield run


def _european(number: str) -> bool:
    return 9 <= _digits(number) <= 12 and not _DATE.search(number) and any(_valid(number, place) for place in _PLACES)


def _likely(number: str) -> bool:
    """Whether what stands where a phone number is expected is one."""
    if number.startswith("0"):
        return _european(number)
    return _digits(number) in (10, 11) and not _DATE.search(number) and _valid(number, "US")


def _valid_from_start(window: str) -> int | None:
    """The end of the valid international number that `window` starts with."""
    for match in phonenumbers.PhoneNumberMatcher(window, None):
        return match.end if match.start == 0 else None
    return None


def _valid(number: str, region: str | None) -> bool:
    try:
        return phonenumbers.is_valid_number(phonenumbers.parse(number, region))
    except phonenumbers.NumberParseException:
        return False


def _digits(text: str) -> int:
    return sum(c.isdigit() for c in text)


def ibans_in(text: str) -> Iterator[Run]:
    """Start and end of each international bank account number."""
    for start in _IBAN_START.finditer(text):
        match = _IBAN.match(text, start.start() - 2)
        if match is None:
            continue
        # Words may follow: from the longest to the shortest that ends where a word does.
        for end in range(match.end(), match.start() + 14, -1):
            if text[end : end + 1].isalnum() or not text[end - 1].isalnum():
                continue
            if iban.is_valid(text[match.start() : end]):
                yield match.start(), end
                break


def cards_in(text: str, runs: list[Run]) -> Iterator[Run]:
    """Start and end of each number of a payment card."""
    for run in runs:
        for match in matches(_CARD, text, run):
            bare = match[0].replace(" ", "").replace("-", "")
            if _ISSUER.fullmatch(bare) and luhn.is_valid(bare):
                yield match.span()
