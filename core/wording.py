"""Figures as sentences: percentages, the headline, the verdict."""

from __future__ import annotations

import unicodedata

from tunesmith.core.bootstrap import unseen_error_bound
from tunesmith.core.figures import percent
from tunesmith.core.measures import ALWAYS, MEASURES
from tunesmith.core.plan import Understand
from tunesmith.core.results import Scored


def headline(base: Scored, tuned: Scored, unit: str, metric: str = "exact_match") -> str:
    """`Exact match 2.3 % → 99.0 %, F1 27.1 % → 99.0 % on 300 unseen questions`.

    The plan's `metric` follows where it is another one: `…, ROUGE-L 20.1 % → 45.0 % on …`.
    """
    told = []
    for key in (*ALWAYS, *([metric] if metric not in ALWAYS else [])):
        before, after, measured = base.by(key), tuned.by(key), MEASURES[key]
        if before and after:
            told.append(f"{measured.name} {measured.told(before.value)} → {measured.told(after.value)}")
    told[0] = told[0][:1].upper() + told[0][1:]
    return f"{', '.join(told)} on {tuned.rows} unseen {unit if tuned.rows != 1 else unit.removesuffix('s')}"


def verdict(understand: Understand, tuned: Scored) -> tuple[bool, str]:
    """Whether the goal of stage 1 is reached, and that as a sentence with the interval.

    The goal counts as reached where the measured value reaches it; where the interval allows for the contrary, the
    sentence says so. For perplexity lower is better, so the goal is the highest value that will do.

    Raises:
        ValueError: The score holds nothing by the metric of the plan.
    """
    measure, threshold = MEASURES[understand.metric], understand.threshold
    measured = tuned.by(understand.metric)
    if measured is None:
        raise ValueError(f"the score of the {tuned.model} model holds no {measure.name}")
    best, worst = (measured.low, measured.high) if measure.lower_is_better else (measured.high, measured.low)
    goal, found = measure.goal(threshold), f"{measure.name} {tuned.told(measure.key)}"
    if not measure.reaches(measured.value, threshold):
        near = ", though the interval reaches the goal" if measure.reaches(best, threshold) else ""
        return False, f"Goal of {goal} not reached: {found}{near}"
    if not measure.reaches(worst, threshold):
        beyond = "above" if measure.lower_is_better else "below"
        return True, f"Goal of {goal} reached: {found}, but the interval reaches {beyond} the goal"
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
