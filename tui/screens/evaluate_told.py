"""The figures of an evaluation as texts of one width, so that bars below one another line up."""

from __future__ import annotations

from collections.abc import Sequence

from tunesmith.core.bootstrap import Interval, unseen_error_bound
from tunesmith.core.evaluate.reading import probe_reading
from tunesmith.core.events import Score
from tunesmith.core.figures import percent
from tunesmith.core.results import TEST, Results, Scored
from tunesmith.core.wording import METRIC_NAMES, points, span
from tunesmith.tui.glyphs import Glyphs
from tunesmith.tui.widgets.answer_rows import Answered

NARROW, WIDE = 47, 64
"""Cells of the figures behind a bar, where the window is narrow and where it is wide."""

Texts = tuple[str, str]
"""The same, narrow and wide."""

PROBES_HEAD: Texts = (
    " exact match  and what it says".ljust(NARROW),
    " exact match, its interval  and what it says".ljust(WIDE),
)
"""The line above the probes."""
UNASKED: Texts = (" not asked yet".ljust(NARROW), " not asked yet".ljust(WIDE))
"""Behind a bar that is still empty."""

_ASCII = str.maketrans({"–": "-", "→": ">", "−": "-", "…": "."})


def spelled(text: str, glyphs: Glyphs) -> str:
    """A sentence of ours without dashes and arrows that an ASCII terminal lacks."""
    return text if glyphs.braille else text.translate(_ASCII)


def head_told(confidence: float) -> Texts:
    """The line above the scores."""
    level = f"{round(100 * confidence, 1):g} %"
    text = f" {'exact match, ' + level:<22}  {'F1, ' + level:<22}"
    return text.ljust(NARROW), text.ljust(WIDE)


def score_told(scored: Scored, glyphs: Glyphs) -> Texts:
    """Exact match and F1, each with its interval."""
    text = spelled(f" {_figure(scored.exact_match)}  {_figure(scored.f1)}", glyphs)
    return text.ljust(NARROW), text.ljust(WIDE)


def probe_told(scored: Scored, glyphs: Glyphs) -> Texts:
    """Exact match and what it says; the interval where there is room."""
    says = probe_reading(scored)
    narrow = f" {percent(scored.exact_match.value):>7}  {says}"
    wide = f" {_figure(scored.exact_match)}  {says}"
    return spelled(narrow, glyphs).ljust(NARROW), spelled(wide, glyphs).ljust(WIDE)


def change_told(results: Results, glyphs: Glyphs) -> str:
    """What the tuning was worth, row by row."""
    gain = results.gain_exact_match if results.metric == "exact_match" else results.gain_f1
    name = METRIC_NAMES.get(results.metric, results.metric)
    told = (
        f"{name} {points(gain)} points {glyphs.bullet} {results.became_right:,} rows became right, "
        f"{results.became_wrong:,} wrong"
    )
    return spelled(told, glyphs)


def certainty_told(results: Results) -> str:
    """What intervals without width leave open; empty where all have one (see `wording.certainty_note`)."""
    tests = [score for score in results.scores if score.rows_kind == TEST and score.model in ("base", "tuned")]
    stuck = [score for score in tests if score.exact_match.value in (0.0, 1.0)]
    if not stuck:
        return ""
    bound = percent(max(unseen_error_bound(score.groups, results.draws.confidence) for score in stuck))
    return f"All or none right leaves nothing to vary: the true share may still be up to {bound} off."


def rows_told(rows: Sequence[Answered], page: str, glyphs: Glyphs) -> str:
    """How many rows are wrong, and which of them are on the page."""
    wrong = sum(not row.right for row in rows)
    told = f"{wrong:,} of {len(rows):,} wrong" if wrong else f"all {len(rows):,} right"
    return f"{told} {glyphs.bullet} {page}" if page else told


def scored_of(score: Score) -> Scored:
    """A score as an event tells it, before the results are written; how many groups there are is not told."""
    return Scored(
        model=score.model,
        rows_kind=score.rows_kind,
        rows=score.rows,
        groups=0,
        exact_match=Interval(score.exact_match, score.exact_match_low, score.exact_match_high),
        f1=Interval(score.f1, score.f1_low, score.f1_high),
        seconds=score.seconds,
    )


def _figure(interval: Interval) -> str:
    """`  97.7 %  95.0–99.3 %  `, 22 cells."""
    return f"{percent(interval.value):>7}  {span(interval):<13}"
