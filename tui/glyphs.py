"""The symbols of the interface, in two sets: for terminals that can show them, and for those that only know ASCII.

A symbol never stands for a colour or a word that is missing: status is shown as symbol and word. In both sets the
symbols of status differ from one another, so that they still tell things apart without colour. Of Unicode only signs
are used that are one cell wide, not emoji, and found in common terminal fonts.
"""

from __future__ import annotations

import codecs
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Glyphs:
    """One set of symbols.

    Each is one cell wide, except that in ASCII an arrow, an ellipsis and the brackets around trained tokens are wider.
    """

    done: str
    """A stage that is settled, a check that passed."""
    current: str
    """Where the person is."""
    open: str
    """A stage that was not visited yet."""
    stale: str
    """A stage to look at again because something before it changed."""
    warning: str
    error: str
    running: str
    """A job at work."""
    stopped: str
    """A job that was ended before its time."""
    new: str
    """What was not there at the last look."""

    arrow: str
    """From a value to the one that took its place."""
    bullet: str
    ellipsis: str
    """Where text was cut."""
    rule: str
    """One cell of a horizontal line."""
    chooser_left: str
    chooser_right: str
    """Around a value that the left and right keys change."""

    bar_full: str
    bar_empty: str
    stack: tuple[str, str, str]
    """Fills of the parts of one bar, from the bottom up; they differ without colour."""
    bar_parts: tuple[str, ...]
    """A cell filled by one eighth to seven eighths; empty where a bar can only grow by whole cells."""

    interval_left: str
    interval_line: str
    interval_right: str
    interval_point: str
    """A confidence interval drawn to scale: its ends, the line between them, the value measured."""

    trained_open: str
    trained_close: str
    """Around tokens that the model is trained on. In ASCII they are doubled, because prompts are full of brackets."""

    braille: bool
    """Whether a chart may be drawn in Braille dots, eight to a cell; else with one sign a cell."""

    def status(self) -> tuple[str, ...]:
        """The symbols that stand for a status; no two are alike."""
        return (
            self.done,
            self.current,
            self.open,
            self.stale,
            self.warning,
            self.error,
            self.running,
            self.stopped,
            self.new,
        )


UNICODE = Glyphs(
    done="✓",
    current="▸",
    open="○",
    stale="↺",
    warning="!",
    error="✗",
    running="●",
    stopped="■",
    new="◆",
    arrow="→",
    bullet="·",
    ellipsis="…",
    rule="─",
    chooser_left="‹",
    chooser_right="›",
    bar_full="█",
    bar_empty="░",
    stack=("█", "▓", "░"),
    bar_parts=("▏", "▎", "▍", "▌", "▋", "▊", "▉"),
    interval_left="├",
    interval_line="─",
    interval_right="┤",
    interval_point="●",
    trained_open="«",
    trained_close="»",
    braille=True,
)
"""For terminals of today."""

ASCII = Glyphs(
    done="v",
    current=">",
    open=".",
    stale="~",
    warning="!",
    error="x",
    running="*",
    stopped="#",
    new="+",
    arrow="->",
    bullet="-",
    ellipsis="...",
    rule="-",
    chooser_left="<",
    chooser_right=">",
    bar_full="#",
    bar_empty=".",
    stack=("#", "=", "-"),
    bar_parts=(),
    interval_left="|",
    interval_line="-",
    interval_right="|",
    interval_point="o",
    trained_open="[[",
    trained_close="]]",
    braille=False,
)
"""For every other terminal, and for fonts without Braille or box lines."""


def glyphs_for(environment: Mapping[str, str], encoding: str, ascii_wanted: bool = False) -> Glyphs:
    """The set that this terminal can show.

    ASCII where it was asked for (`ascii_wanted`, or `TUNESMITH_ASCII` set to anything), where the output is not UTF-8,
    and on the Linux console, whose font of 256 or 512 signs lacks most of the others.

    Args:
        environment: The process's variables.
        encoding: The encoding of what is written to, `sys.stdout.encoding`; an unknown one counts as not UTF-8.
        ascii_wanted: Whether the person asked for ASCII on the command line.
    """
    if ascii_wanted or environment.get("TUNESMITH_ASCII") or environment.get("TERM") == "linux":
        return ASCII
    try:
        return UNICODE if codecs.lookup(encoding).name == "utf-8" else ASCII
    except LookupError:
        return ASCII
