"""The figures of an evaluation as texts of one width, so that bars below one another line up."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import floor, log, log10

from tunesmith.core.bootstrap import Interval, unseen_error_bound
from tunesmith.core.evaluate.reading import probe_reading
from tunesmith.core.events import Score
from tunesmith.core.figures import percent
from tunesmith.core.measures import measure
from tunesmith.core.results import TEST, Results, Scored
from tunesmith.tui.glyphs import Glyphs
from tunesmith.tui.widgets.answer_rows import Answered
from tunesmith.tui.widgets.interval_bar import SHARES

NARROW, WIDE = 47, 64
"""Cells of the figures behind a bar, where the window is narrow and where it is wide."""

Texts = tuple[str, str]
"""The same, narrow and wide."""

UNASKED: Texts = (" not asked yet".ljust(NARROW), " not asked yet".ljust(WIDE))
"""Behind a bar that is still empty."""

_ASCII = str.maketrans({"–": "-", "→": ">", "−": "-", "…": "."})


def spelled(text: str, glyphs: Glyphs) -> str:
    """A sentence of ours without dashes and arrows that an ASCII terminal lacks."""
    return text if glyphs.braille else text.translate(_ASCII)


@dataclass(frozen=True)
class Ruler:
    """What the ends of the bars stand for: 0 and all for a share; for a number 1 and `top`, by its logarithm, so that
    a factor is as long wherever it stands.
    """

    top: float | None = None
    """None for shares."""

    @property
    def ends(self) -> tuple[str, str]:
        """The ends in words."""
        return SHARES if self.top is None else ("1", f"{self.top:,.0f}")

    def length(self, interval: Interval | None) -> Interval | None:
        """The value and its bounds as shares of the bar."""
        if self.top is None or interval is None:
            return interval
        low, value, high = (log(max(1.0, one)) / log(self.top) for one in (interval.low, interval.value, interval.high))
        return Interval(value, low, high)


def ruler(metric: str, scores: Iterable[Scored]) -> Ruler:
    """The ruler that holds all of these scores; a number's ends at the next of 2, 5, 10, 20 and so on."""
    if measure(metric).share:
        return Ruler()
    largest = max([2.0, *(found.high for one in scores if (found := one.by(metric)) is not None)])
    power = 10.0 ** floor(log10(largest))
    return Ruler(next(power * step for step in (1, 2, 5, 10) if power * step >= largest * (1 - 1e-9)))


def head_told(confidence: float, metric: str) -> Texts:
    """The line above the scores."""
    level = f"{round(100 * confidence, 1):g} %"
    if metric == "exact_match":
        text = f" {'exact match, ' + level:<22}  {'F1, ' + level:<22}"
    else:
        match, f1 = measure("exact_match").short, measure("f1").short
        text = f" {measure(metric).name + ', ' + level:<22}  {match:>9}  {f1:>9}"
    return text.ljust(NARROW), text.ljust(WIDE)


def score_told(scored: Scored, glyphs: Glyphs, metric: str) -> Texts:
    """What leads with its interval, beside it F1 with its own; or exact match and F1 where something else leads."""
    beside = (
        _figure(scored, "f1")
        if metric == "exact_match"
        else f"{percent(scored.exact_match.value):>9}  {percent(scored.f1.value):>9}"
    )
    text = spelled(f" {_figure(scored, metric)}  {beside}", glyphs)
    return text.ljust(NARROW), text.ljust(WIDE)


def probes_head(metric: str) -> Texts:
    """The line above the probes."""
    name = measure(metric).name
    return f" {name}  and what it says".ljust(NARROW), f" {name}, its interval  and what it says".ljust(WIDE)


def probe_told(scored: Scored, glyphs: Glyphs, metric: str) -> Texts:
    """What leads and what it says; the interval where there is room."""
    says, value = probe_reading(scored, metric), scored.by(metric)
    narrow = f" {measure(metric).maybe(value.value if value else None):>7}  {says}"
    wide = f" {_figure(scored, metric)}  {says}"
    return spelled(narrow, glyphs).ljust(NARROW), spelled(wide, glyphs).ljust(WIDE)


def change_told(results: Results, glyphs: Glyphs) -> str:
    """What the tuning was worth, row by row."""
    metric, gain = measure(results.metric), results.gain
    if gain is None:
        return ""
    points = " points" if metric.share else ""
    rows = f"{results.became_right:,} rows became right, {results.became_wrong:,} wrong"
    if metric.graded:
        rows = f"{results.became_better:,} rows became better, {results.became_worse:,} worse"
    return spelled(f"{metric.name} {metric.change(gain)}{points} {glyphs.bullet} {rows}", glyphs)


def certainty_told(results: Results) -> str:
    """What intervals without width leave open; empty where all have one (see `wording.certainty_note`), and where
    exact match is not what counts.
    """
    if measure(results.metric).graded:
        return ""
    tests = [score for score in results.scores if score.rows_kind == TEST and score.model in ("base", "tuned")]
    stuck = [score for score in tests if score.exact_match.value in (0.0, 1.0)]
    if not stuck:
        return ""
    bound = percent(max(unseen_error_bound(score.groups, results.draws.confidence) for score in stuck))
    return f"All or none right leaves nothing to vary: the true share may still be up to {bound} off."


def rows_told(rows: Sequence[Answered], page: str, glyphs: Glyphs) -> str:
    """How many rows are wrong, and which of them are on the page."""
    wrong = sum(not row.right for row in rows)
    if rows and measure(rows[0].metric).graded:
        told = f"{len(rows):,} rows, worst {measure(rows[0].metric).name} first"
    else:
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
        metric=score.metric,
        score=score.by(score.metric),
    )


def _figure(scored: Scored, metric: str) -> str:
    """`  97.7 %  95.0–99.3 %  `, 22 cells."""
    value, shown = scored.by(metric), measure(metric)
    return f"{shown.told(value.value):>7}  {shown.span(value):<13}" if value else f"{shown.maybe(None):>7}{'':<15}"
