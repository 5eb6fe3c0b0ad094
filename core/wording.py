"""Figures as sentences: percentages, the headline, the verdict."""

from __future__ import annotations

import unicodedata

from tunesmith.core.bootstrap import Interval, unseen_error_bound
from tunesmith.core.figures import percent
from tunesmith.core.plan import Understand
from tunesmith.core.results import Scored

METRIC_NAMES = {"exact_match": "exact match", "f1": "F1"}
"""The plan's metrics as they stand in a sentence."""


def span(interval: Interval) -> str:
    """`97.3–99.7 %`."""
    return f"{percent(interval.low).removesuffix(' %')}–{percent(interval.high)}"


def points(interval: Interval) -> str:
    """A difference in percentage points with its bounds: `+96.7 (95.0 to 98.3)`."""
    return f"{100 * interval.value:+.1f} ({100 * interval.low:+.1f} to {100 * interval.high:+.1f})"


def headline(base: Scored, tuned: Scored, unit: str) -> str:
    """`Exact match 2.3 % → 99.0 %, F1 27.1 % → 99.0 % on 300 unseen questions`."""
    match = f"{percent(base.exact_match.value)} → {percent(tuned.exact_match.value)}"
    f1 = f"{percent(base.f1.value)} → {percent(tuned.f1.value)}"
    return f"Exact match {match}, F1 {f1} on {tuned.rows} unseen {unit if tuned.rows != 1 else unit.removesuffix('s')}"


def verdict(understand: Understand, tuned: Scored) -> tuple[bool, str]:
    """Whether the goal of stage 1 is reached, and that as a sentence with the interval.

    The goal counts as reached where the measured value reaches it; where the interval allows for the contrary, the
    sentence says so.
    """
    measured = tuned.exact_match if understand.metric == "exact_match" else tuned.f1
    goal = f"{round(100 * understand.threshold, 1):g} %"
    reached = measured.value >= understand.threshold
    found = f"{METRIC_NAMES[understand.metric]} {percent(measured.value)} ({span(measured)})"
    if not reached:
        near = measured.high >= understand.threshold
        return False, f"Goal of {goal} not reached: {found}{', though the interval reaches the goal' if near else ''}"
    if measured.low < understand.threshold:
        return True, f"Goal of {goal} reached: {found}, but the interval reaches below the goal"
    return True, f"Goal of {goal} reached: {found}"


def certainty_note(scored: Scored, confidence: float) -> str:
    """What an interval without width leaves open; empty where the interval has one."""
    value = scored.exact_match.value
    if value not in (0.0, 1.0):
        return ""
    bound = percent(unseen_error_bound(scored.groups, confidence))
    which = "no wrong answer" if value == 1.0 else "no right answer"
    return (
        f"The {scored.model} model gave {which} in {scored.groups} independent groups of rows, so the bootstrap has "
        f"nothing to vary; at {round(100 * confidence, 1):g} % confidence their true share may still be up to {bound}."
    )


def plain(text: str, most: int = 200) -> str:
    """Text from data or a model as one harmless line: no control characters, no line breaks, at most `most` signs."""
    line = " ".join(text.split())
    line = "".join("\ufffd" if unicodedata.category(sign) in ("Cc", "Cf", "Co", "Cs") else sign for sign in line)
    return line if len(line) <= most else line[: most - 1] + "…"


def code(text: str, most: int = 200) -> str:
    """`plain` text as inline code in Markdown, safe inside a table: nothing in it is markup."""
    shown = plain(text, most).replace("|", "\\|")
    if not shown:
        return "*(empty)*"
    longest = run = 0
    for sign in shown:
        run = run + 1 if sign == "`" else 0
        longest = max(longest, run)
    fence = "`" * (longest + 1)
    space = " " if longest else ""
    return f"{fence}{space}{shown}{space}{fence}"
