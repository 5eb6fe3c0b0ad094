"""Draws with ASCII where a terminal or a font lacks the other signs: the last step before the terminal.

The wizard's own symbols come from `glyphs`; what is left are the signs of Textual's widgets and of running text. Each
is replaced by one of the same width, so that nothing moves. Letters of any language stay as they are.
"""

from __future__ import annotations

from textual.drivers.linux_driver import LinuxDriver

SIGNS = str.maketrans(
    {
        "…": ".",
        "→": ">",
        "↑": "^",
        "↓": "v",
        "·": "-",
        "•": "*",
        "–": "-",
        "—": "-",
        "×": "x",
        "⏎": "/",
        "«": "[",
        "»": "]",
        "✓": "v",
        "✗": "x",
        **dict.fromkeys("│┃▏▎▍▌▋▊▉▐▕║", "|"),
        **dict.fromkeys("─━▁▔═", "-"),
        **dict.fromkeys("┌┐└┘├┤┬┴┼╭╮╰╯╴╸▖▗▘▝", "+"),
        **dict.fromkeys("▂▃▄▅▆▇█▀░▒▓", "#"),
        **dict.fromkeys("▶▸►", ">"),
        **dict.fromkeys("▼▾", "v"),
    }
)


class AsciiDriver(LinuxDriver):
    """Textual's driver, with every sign that is no letter replaced by an ASCII one."""

    def write(self, data: str) -> None:
        """Send to the terminal."""
        super().write(data.translate(SIGNS))
