"""Signs that nobody sees: what is found as such is what is taken out. Light."""

from __future__ import annotations

import re

UNSEEN = re.compile(
    r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\xad\u200b\u2060\u202a-\u202e\u2066-\u2069\ufeff\ufff9-\ufffb]"
)
"""Controls but tab and line ends, the soft hyphen, zero-width spaces, annotation marks, and what turns the direction of
writing around. The joiners U+200C and U+200D are part of emoji, Persian and Indian scripts, and the marks U+200E and
U+200F of Hebrew and Arabic: they stay."""
