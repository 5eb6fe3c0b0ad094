"""What a probe's score says, in a few plain words that fit beside its bar."""

from __future__ import annotations

from tunesmith.core.figures import percent
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


def probe_reading(scored: Scored) -> str:
    """At most 40 signs on what this score says; empty for rows that were asked plainly, or a probe not known here."""
    share = scored.exact_match.value
    if scored.rows_kind == "context-withheld":
        if share == 0:
            return "it reads, nothing is remembered"
        return "a little is guessed or remembered" if share <= HARDLY else f"{percent(share)} without reading"
    plainly = scored.plain_exact_match
    if plainly is None or scored.rows_kind not in KEPT:
        return ""
    lost = plainly - share
    if lost < NO_DROP:
        return KEPT[scored.rows_kind]
    if scored.exact_match.high >= plainly:
        return f"{100 * lost:.1f} points less, maybe by chance"
    return f"{100 * lost:.1f} points less: {LOST[scored.rows_kind]}"
