"""What a text can't hold, told in microseconds: most texts hold no personal data, and a million have to be passed."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate

from tunesmith.core.plan.prepare import PersonalKind
from tunesmith.core.prepare.personal.numbers import is_moment
from tunesmith.core.prepare.personal.secrets import PASSWORD_SIGNS

_DIGITS = b"0123456789"
_WORDS = bytes(b"x"[0] if 32 < byte < 127 else 32 for byte in range(256))
_TOKEN = b"x" * 20
"""The shortest secret without a space in it has 20 characters (AWS's key id), but for those that begin as _SHORT, and
passwords in addresses, which have an @ behind them."""

_SHORT = ("xox", "XOX", "PRIVATE KEY", *PASSWORD_SIGNS)

_NUMBER = re.compile(
    r"[0-9](?:(?P<run>(?:[ ()./-]{0,3}[0-9]){6,})"
    r"|[0-9]{0,2}\.[0-9]{1,3}\.[0-9]{1,3}\.[0-9]"  # IPv4
    r"|[0-9a-fA-F]{3}:[0-9a-fA-F:]{2}"  # IPv6
    r"|(?<=[A-Za-z]{2}.)[0-9][ -]?[A-Za-z0-9]{4}"  # IBAN
    r"|(?<=[A-Z]{6}.)[0-9][A-Z][0-9]{2}[A-Z]"  # codice fiscale
    r"|(?:(?<=[A-Z]{2}.)|(?<=[A-Z]{2} .))[0-9] ?[0-9]{2} ?[0-9]{2} ?[A-D])"  # National Insurance
)
"""How each number begins that may be a person's: one pattern that begins with a digit is one quick pass."""


def possible_in(text: str) -> list[PersonalKind]:
    """The kinds that a text may hold by its characters, names apart."""
    possible: list[PersonalKind] = []
    raw = text.encode(errors="surrogatepass")
    digits = len(raw) - len(raw.translate(None, _DIGITS))
    if digits >= 4:
        possible += ("iban", "ip", "national-id")
        if digits >= 7:
            possible += ("card", "phone")
    if "@" in text:
        possible.append("email")
    if _may_hold_secret(text, raw):
        possible.append("secret")
    return possible


def _may_hold_secret(text: str, raw: bytes) -> bool:
    return (
        _TOKEN in raw.translate(_WORDS)
        or any(sign in text for sign in _SHORT)
        or ("@" in text and "://" in text)  # with a password between them
    )


def suspects(cells: Sequence[str]) -> list[int]:
    """The cells that may hold personal data, names apart, by their indices, rising: all that do, and some that don't.

    Told from all cells joined, which takes a small part of the time of looking into each.
    """
    joined = "\n".join(cells)
    ends = list(accumulate(len(cell) + 1 for cell in cells))
    places = {match.start() for match in _NUMBER.finditer(joined) if not (match["run"] and is_moment(match[0]))}
    for sign in ("@", *_SHORT):
        at = joined.find(sign)
        while at >= 0:
            places.add(at)
            at = joined.find(sign, ends[bisect_right(ends, at)])
    rows = {bisect_right(ends, place) for place in places}
    if _TOKEN in joined.encode(errors="surrogatepass").translate(_WORDS):
        long = (row for row, cell in enumerate(cells) if len(cell) >= len(_TOKEN))
        rows.update(row for row in long if _TOKEN in cells[row].encode(errors="surrogatepass").translate(_WORDS))
    return sorted(rows)
