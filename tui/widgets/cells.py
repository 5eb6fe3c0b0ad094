"""Text in cells of the terminal: cut to a width, filled up to it, and columns that share a row."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len, set_cell_size

from tunesmith.tui.plain_text import harmless


def fitted(text: str, width: int, ellipsis: str) -> str:
    """`harmless(text)` cut to `width` cells, with `ellipsis` where something is missing. Some signs are two cells."""
    text = harmless(text)
    if cell_len(text) <= width:
        return text
    sign = ellipsis if width > 2 * cell_len(ellipsis) else ""
    return (set_cell_size(text, max(0, width - cell_len(sign))).rstrip() + sign)[: max(0, width)]


def filled(text: str, width: int, ellipsis: str) -> str:
    """The same, and blanks up to `width` cells."""
    return set_cell_size(fitted(text, width, ellipsis), max(0, width))


def shared(wanted: Sequence[int], room: int, least: int = 4) -> list[int]:
    """Widths for columns that want these cells but have only `room` together: the widest give way first."""
    widths = list(wanted)
    while sum(widths) > room and max(widths, default=0) > least:
        widths[widths.index(max(widths))] -= 1
    return widths
