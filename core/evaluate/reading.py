"""What a probe's score says, in a few plain words that fit beside its bar."""

from __future__ import annotations

from tunesmith.core.figures import percent
from tunesmith.core.measures import measure
from tunesmith.core.results import Scored

NO_DROP = 0.02
"""A loss of fewer points than this against the same rows asked plainly is not worth a word."""
HARDLY = 0.10
"""Up to this share of right answers without the context is what guessing explains."""

KEPT = {
    "fields-reordered": "finds a field wherever it stands",
    "values-invented": "copies values that it never saw",
    "as-prose": "reads running text just as well",
}
LOST = {
    "fields-reordered": "it learned places",
    "values-invented": "new words are harder",
    "as-prose": "prose is harder",
}
"""By probe, what it says where nothing was lost, and what a loss means."""


def probe_reading(scored: Scored, metric: str = "exact_match") -> str:
    """At most 40 signs on what this score says; empty for rows that were asked plainly, or a probe not known here.

    A number like perplexity has no loss in points: it stands beside that of the same rows asked plainly.
    """
    value, plainly, measured = scored.by(metric), scored.plainly(metric), measure(metric)
    if value is None:
        return ""
    if not measured.share:
        return "" if plainly is None else f"{measured.told(plainly)} on them asked plainly"
    if scored.rows_kind == "context-withheld":
        return _without_context(value.value, graded=measured.graded)
    if plainly is None or scored.rows_kind not in KEPT:
        return ""
    lost = plainly - value.value
    if lost < NO_DROP:
        return KEPT[scored.rows_kind]
    if value.high >= plainly:
        return f"{100 * lost:.1f} points less, maybe by chance"
    return f"{100 * lost:.1f} points less: {LOST[scored.rows_kind]}"


def _without_context(share: float, *, graded: bool) -> str:
    if share == 0:
        return "it reads, nothing is remembered"
    if graded:  # some words of an answer can always be guessed
        return f"{percent(share)} without reading"
    return "a little is guessed or remembered" if share <= HARDLY else f"{percent(share)} without reading"
