"""Makes text from data sets, models and file names harmless: it is shown, never obeyed by the terminal."""

from __future__ import annotations

import unicodedata

ONE_LINE = {"\n": "⏎", "\t": " ", "\r": "⏎"}
"""How white space is shown where a text must stay on one line."""


def harmless(text: str) -> str:
    """`text` on one line with control, direction-override and other invisible characters made visible.

    Terminal escapes begin with a control character, so none survives: ESC is shown as `\\x1b`. Combining marks and
    emoji joiners stay, because languages need them.
    """
    return "".join(ONE_LINE.get(char) or (char if _visible(char) else _spelled(char)) for char in text)


def shortened(text: str, width: int) -> str:
    """`harmless(text)` cut to `width` characters, with an ellipsis where something is missing."""
    text = harmless(text)
    return text if len(text) <= width else text[: max(0, width - 1)] + "…"


def _visible(char: str) -> bool:
    if char in "\u200c\u200d":  # joiners: Persian, Indic scripts and emoji need them
        return True
    return unicodedata.category(char) not in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")


def _spelled(char: str) -> str:
    code = ord(char)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
