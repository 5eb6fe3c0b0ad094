"""Confidence intervals of a score by the percentile bootstrap (Efron & Tibshirani 1993, chapter 13).

Rows of one person are not independent: a model that misreads a record gets several of its questions wrong at once.
So whole groups are drawn with replacement (the cluster bootstrap; Field & Welsh 2007, doi:10.1111/j.1467-9868.2007.
00593.x), and the score of a draw is the mean over all rows of the groups drawn. Rows without a group stand alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    import numpy as np

_CELLS = 4_000_000
"""Draws held in memory at once (resamples × groups), about 32 MB."""


class Interval(msgspec.Struct, frozen=True):
    """A value with the bounds of its confidence interval; for scores all are shares, 0 to 1."""

    value: float
    low: float
    high: float


class Draws(msgspec.Struct, frozen=True):
    """How an interval is drawn: its confidence (0 to 1), the number of draws, and the seed that fixes them."""

    confidence: float
    resamples: int
    seed: int


def mean_interval(
    values: Sequence[float], draws: Draws, groups: Sequence[str] = (), weights: Sequence[float] = ()
) -> Interval:
    """The mean of `values` and its interval.

    Where all values are equal every draw is too, and the interval has no width: it then says nothing about rows that
    were not asked (see `unseen_error_bound`).

    Args:
        values: One number a row.
        draws: The same draws give the same bounds.
        groups: The group of each row; an empty name is a group of its own. None given: all rows stand alone.
        weights: How much each row counts in the mean, 0 or more; none given: all the same.

    Raises:
        ValueError: No value that counts, or not as many groups or weights as values.
    """
    value, drawn = _means(values, draws, groups, weights)
    return _bounded(value, drawn, draws.confidence)


def difference_interval(
    before: Sequence[float], after: Sequence[float], draws: Draws, groups: Sequence[str] = ()
) -> Interval:
    """The mean of `after` − `before` over the same rows and its interval: paired, so what rows share cancels out.

    Raises:
        ValueError: No values, or the lengths differ.
    """
    differences = [later - earlier for earlier, later in zip(before, after, strict=True)]
    return mean_interval(differences, draws, groups)


def exponential_difference_interval(
    before: Sequence[float],
    after: Sequence[float],
    draws: Draws,
    groups: Sequence[str] = (),
    weights: Sequence[float] = (),
) -> Interval:
    """e^(mean of `after`) − e^(mean of `before`) and its interval, every draw being of the same rows in both.

    For perplexities, whose difference is not a mean over rows.

    Raises:
        ValueError: As `mean_interval`.
    """
    import numpy as np

    first, firsts = _means(before, draws, groups, weights)
    last, lasts = _means(after, draws, groups, weights)
    value = float(np.exp(last) - np.exp(first))
    return _bounded(value, np.exp(lasts) - np.exp(firsts), draws.confidence)


def unseen_error_bound(groups: int, confidence: float) -> float:
    """How large the true share of errors may still be when none was seen in `groups` independent draws, 0 to 1.

    The exact one-sided bound 1 − (1 − confidence)^(1/n), about 3/n at 95 % (Hanley & Lippman-Hand 1983,
    doi:10.1001/jama.1983.03330370053031). The bootstrap can't give it.
    """
    return float(1 - (1 - confidence) ** (1 / groups))


def group_count(rows: int, groups: Sequence[str]) -> int:
    """How many independent draws `rows` rows are."""
    return len({group for group in groups if group}) + sum(not group for group in groups) if groups else rows


def _means(
    values: Sequence[float], draws: Draws, groups: Sequence[str], weights: Sequence[float]
) -> tuple[float, np.ndarray]:
    """The mean of `values` and that of each draw, (resamples,). The draws depend on the seed and the groups alone."""
    import numpy as np

    counts = list(weights) or [1] * len(values)
    sums, sizes = _by_group(values, counts, groups)
    if not sizes:
        raise ValueError("an interval needs at least one value")
    total, size = np.asarray(sums), np.asarray(sizes)
    generator = np.random.default_rng(draws.seed)
    means = []
    left = draws.resamples
    while left:
        rows = min(left, max(1, _CELLS // len(total)))
        drawn = generator.integers(0, len(total), size=(rows, len(total)))
        means.append(total[drawn].sum(axis=1) / size[drawn].sum(axis=1))
        left -= rows
    value = sum(v * count for v, count in zip(values, counts, strict=True)) / sum(counts)
    return value, np.concatenate(means)


def _bounded(value: float, drawn: np.ndarray, confidence: float) -> Interval:
    import numpy as np

    tail = (1 - confidence) / 2
    low, high = np.quantile(drawn, [tail, 1 - tail])
    # Rounding in the sums must not put the value outside its own bounds.
    return Interval(value, min(float(low), value), max(float(high), value))


def _by_group(
    values: Sequence[float], weights: Sequence[float], groups: Sequence[str]
) -> tuple[list[float], list[float]]:
    """Weighted sum and weight of the values of each group, in the order in which groups first occur.

    A group without weight is left out: a draw of nothing else would have no mean.
    """
    found: dict[tuple[str, int], list[float]] = {}
    names = groups or [""] * len(values)
    for place, (value, weight, group) in enumerate(zip(values, weights, names, strict=True)):
        sums = found.setdefault((group, -1) if group else ("", place), [0.0, 0.0])
        sums[0] += value * weight
        sums[1] += weight
    counting = [sums for sums in found.values() if sums[1] > 0]
    return [sums[0] for sums in counting], [sums[1] for sums in counting]
