"""A distribution as bars lying on their side: one row a bin, with its count, so that no colour is needed to read it."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content

from tunesmith.tui.glyphs import Glyphs

ROWS = 8


def bar(share: float, width: int, glyphs: Glyphs) -> str:
    """`share` (0 to 1) of `width` cells, filled to an eighth of a cell where the glyphs allow it."""
    share = min(1.0, max(0.0, share))
    steps = len(glyphs.bar_parts) + 1
    filled = round(share * width * steps)
    if share > 0 and filled == 0:
        filled = 1
    whole, rest = divmod(filled, steps)
    return glyphs.bar_full * whole + (glyphs.bar_parts[rest - 1] if rest else "")


def histogram(bins: Sequence[tuple[int, int]], glyphs: Glyphs, width: int, unit: str) -> Content:
    """Bins of (longest in it, count) as at most `ROWS` bars.

    Args:
        width: Cells of the longest bar.
        unit: What is measured, e.g. `tokens`.
    """
    merged = _merged(bins)
    most = max((count for _, count in merged), default=1)
    wide = max((len(f"{upper:,}") for upper, _ in merged), default=1)
    lines = [
        Content.assemble(
            (f"to {upper:>{wide},} {unit}  ", "$text-muted"),
            (f"{bar(count / most, width, glyphs):<{width}}", "$primary"),
            f" {count:,}",
        )
        for upper, count in merged
    ]
    return Content("\n").join(lines)


def _merged(bins: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Neighbours put together until there are at most `ROWS`."""
    each = -(-len(bins) // ROWS) if bins else 1
    groups = [bins[start : start + each] for start in range(0, len(bins), each)]
    return [(group[-1][0], sum(count for _, count in group)) for group in groups]
