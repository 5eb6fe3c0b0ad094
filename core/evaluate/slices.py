"""The score apart for each value of a column: whether the model serves one department, language or group worse."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from tunesmith.core.bootstrap import Draws, Interval
from tunesmith.core.measures import interval
from tunesmith.core.results import Prediction, Slice

MOST_VALUES = 20
"""Values of a column that are told apart; the rarer ones are counted together."""
OTHERS = "(all others)"


def slices(base: Sequence[Prediction], tuned: Sequence[Prediction], metric: str, draws: Draws) -> list[Slice]:
    """One entry for each value of each column, the most frequent first; none where the rows carry none.

    Args:
        base: The untouched model's answers.
        tuned: The tuned model's, to the same rows in the same order.
        metric: The plan's.
        draws: How intervals are drawn.
    """
    found = []
    for column in dict.fromkeys(name for row in tuned for name in row.slices):
        counts = Counter(row.slices.get(column, "") for row in tuned)
        named = [value for value, _ in counts.most_common(MOST_VALUES)]
        for value in [*named, *([OTHERS] if len(counts) > len(named) else [])]:
            places = [
                place
                for place, row in enumerate(tuned)
                if row.slices.get(column, "") == value or (value is OTHERS and row.slices.get(column, "") not in named)
            ]
            found.append(
                Slice(
                    column=column,
                    value=value,
                    rows=len(places),
                    base=_score([base[place] for place in places], metric, draws),
                    tuned=_score([tuned[place] for place in places], metric, draws),
                )
            )
    return found


def _score(rows: Sequence[Prediction], metric: str, draws: Draws) -> Interval | None:
    told = [(row, score) for row in rows if (score := row.by(metric)) is not None]
    if not told:
        return None
    return interval(
        metric,
        [score for _, score in told],
        draws,
        [row.group for row, _ in told],
        [row.tokens for row, _ in told],
    )


def worse_than_the_rest(found: Sequence[Slice], overall: Interval | None, *, lower_is_better: bool) -> list[Slice]:
    """Slices whose whole interval lies on the worse side of the overall score.

    Several slices are looked at, each with the plan's confidence: of twenty that are like the rest, one may stand here
    by chance at 95 %.
    """
    if overall is None:
        return []
    if lower_is_better:
        return [one for one in found if one.tuned is not None and one.tuned.low > overall.value]
    return [one for one in found if one.tuned is not None and one.tuned.high < overall.value]
