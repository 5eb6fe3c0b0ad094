"""A row as the model sees it: what is trained is marked by brackets and by weight, not by colour alone."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content

from tunesmith.tui.glyphs import Glyphs
from tunesmith.tui.plain_text import harmless

MOST = 900
"""Characters of one row that are shown; a long context is cut in its middle."""


def trained_text(pieces: Sequence[tuple[str, bool]], glyphs: Glyphs) -> Content:
    """One rendered row in runs of (text, whether it is trained)."""
    parts: list[str | tuple[str, str]] = []
    room = max(120, MOST // max(1, len(pieces)))
    for text, trained in pieces:
        shown = harmless(_cut(text, room, glyphs.ellipsis)).replace("⏎", "⏎ " if glyphs.braille else " / ")
        if trained:
            parts.append((f"{glyphs.trained_open}{shown}{glyphs.trained_close}", "bold $trained"))
        else:
            parts.append((shown, "$masked"))
    return Content.assemble(*parts)


def _cut(text: str, room: int, ellipsis: str) -> str:
    if len(text) <= room:
        return text
    half = room // 2
    return f"{text[:half]} {ellipsis} {text[-half:]}"
