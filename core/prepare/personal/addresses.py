"""E-mail addresses and addresses on the public internet: where they stand in a text."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator

_AT = re.compile(r"(?<=[\w.+%'-])@(?=\w)")
_LOCAL = re.compile(r"[\w.+%'-]+$")
_DOMAIN = re.compile(r"(?:\w[\w-]{0,62}\.){1,8}[^\W\d_]{2,24}(?![\w-])")
_LONGEST_LOCAL = 64
"""Characters before the @ (RFC 5321, section 4.5.3.1.1)."""

_LONGEST_DOMAIN = 255
_PICTURES = {"png", "jpg", "jpeg", "gif", "svg", "webp", "ico"}
"""icon@2x.png is a file's name."""

# What stands before is looked at behind the first digit: a pattern that begins with a digit is searched for fast.
_IPV4 = re.compile(r"[0-9](?<![\w.].)[0-9]{0,2}\.(?:[0-9]{1,3}\.){2}[0-9]{1,3}(?!\w|\.[0-9])", re.DOTALL)
_IPV6 = re.compile(r"[23](?<![\w:.].)[0-9a-fA-F]{3}:[0-9a-fA-F:]{2,35}(?![\w:])", re.DOTALL)
_VERSION = re.compile(r"(?:version|release|build|firmware|driver|\bv|\bver)[ .:=#]*$", re.IGNORECASE)


def emails_in(text: str) -> Iterator[tuple[int, int]]:
    """Start and end of each e-mail address."""
    if "@" not in text:
        return
    for at in _AT.finditer(text):
        here = at.start()
        domain = _DOMAIN.match(text, here + 1, here + 1 + _LONGEST_DOMAIN)
        if domain is None or domain[0].rsplit(".", 1)[-1].lower() in _PICTURES:
            continue
        local = _LOCAL.search(text[max(0, here - _LONGEST_LOCAL) : here])
        bare = local[0].lstrip(".+%'-") if local else ""
        if bare and not (bare == "git" and text[domain.end() : domain.end() + 1] == ":"):
            yield here - len(bare), domain.end()


def ips_in(text: str) -> Iterator[tuple[int, int]]:
    """Start and end of each address of the public internet; numbers of versions are none."""
    if text.count(".") >= 3:
        for match in _IPV4.finditer(text):
            before = text[max(0, match.start() - 12) : match.start()]
            if _public(match[0]) and not _VERSION.search(before):
                yield match.span()
    if text.count(":") >= 2:
        for match in _IPV6.finditer(text):
            bare = match[0] if match[0].endswith("::") else match[0].rstrip(":")
            if _public(bare):
                yield match.start(), match.start() + len(bare)


def _public(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_global
    except ValueError:
        return False
