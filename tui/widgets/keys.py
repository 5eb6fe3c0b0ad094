"""The footer: the most useful keys first, and no more of them than are read at a glance."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.widgets import Footer
from textual.widgets._footer import FooterKey

MOST = 6
LEFT_OUT = ("q", "escape")
"""Keys that give way first where there are more; people know them, and the help has them."""


class Keys(Footer):
    """Enter first; the others as near as they are to what has the focus."""

    def compose(self) -> ComposeResult:
        """The library's own keys, in our order."""
        keys = [key for key in super().compose() if isinstance(key, FooterKey)]
        for name in LEFT_OUT:
            if len(keys) > MOST:
                keys = [key for key in keys if key.key != name]
        keys.sort(key=lambda key: key.key != "enter")
        self.styles.grid_size_columns = len(keys[:MOST])
        yield from keys[:MOST]
