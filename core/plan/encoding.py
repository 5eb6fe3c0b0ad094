"""The names of encodings that a plan may give."""

from __future__ import annotations

import codecs
import difflib
from encodings.aliases import aliases

_NO_FILES = frozenset({"idna", "punycode", "undefined", "unicode-escape", "raw-unicode-escape"})
"""Codecs that no file is written in, or that give other characters than those that stand there."""


def codec_named(name: str) -> str:
    """Python's own name of the encoding, e.g. `koi8-r` of `KOI8_R`.

    Raises:
        ValueError: It has none of that name; tells the nearest one.
    """
    try:
        found = codecs.lookup(name)
        "".encode(found.name)  # refuses codecs that are no encodings of text, such as base64
    except (LookupError, ValueError, UnicodeError):
        found = None
    if found is None or found.name in _NO_FILES:
        near = difflib.get_close_matches(name.lower().replace("-", "_"), sorted({*aliases, *aliases.values()}), n=1)
        raise ValueError(f"{name!r} is no encoding that Python knows" + (f"; did you mean {near[0]}?" if near else ""))
    return found.name
