"""What success can be measured by: one table that every stage, screen and report reads, and how rows are put together.

How an answer is measured against the one that is wanted stands in `metrics`; perplexity is no property of an answer's
text and needs the model (`worker/perplexity`).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from tunesmith.core.bootstrap import (
    Draws,
    Interval,
    difference_interval,
    exponential_difference_interval,
    mean_interval,
)
from tunesmith.core.figures import percent
from tunesmith.core.metrics import exact_match, rouge_l, sentence_bleu, token_f1


@dataclass(frozen=True, slots=True)
class Measure:
    """One way to measure success: what it is called, how its values are told, and which of two values is better."""

    key: str
    """As the plan has it."""
    name: str
    """As it stands in a sentence."""
    short: str
    """For a narrow column, at most seven signs."""
    counts: str
    """What it counts, in plain words."""
    how: str
    """How it is computed and after whom, for a report."""
    lower_is_better: bool = False
    share: bool = True
    """Whether it is a share from 0 to 1, told in percent; else a number."""
    graded: bool = True
    """Whether an answer can be better or worse by it, instead of right or wrong."""

    @property
    def needs_model(self) -> bool:
        """Whether it is taken from the model's probabilities, not from the text of its answers."""
        return self.key == "perplexity"

    @property
    def title(self) -> str:
        """The name at the beginning of a sentence or a column."""
        return self.name[:1].upper() + self.name[1:]

    def told(self, value: float) -> str:
        """A value: `97.3 %`, or for a number `1.204`, `38.15`, `2,310`."""
        return percent(value) if self.share else _number(value)

    def maybe(self, value: float | None) -> str:
        """`told`, or `none` where there is no number."""
        return "none" if value is None else self.told(value)

    def span(self, interval: Interval) -> str:
        """The bounds: `95.0–98.3 %`, `1.190–1.221`."""
        return f"{self.told(interval.low).removesuffix(' %')}–{self.told(interval.high)}"

    def change(self, interval: Interval) -> str:
        """A difference with its bounds, shares in percentage points: `+96.7 (+95.0 to +98.3)`."""
        low, value, high = (self._signed(one) for one in (interval.low, interval.value, interval.high))
        return f"{value} ({low} to {high})"

    def goal(self, threshold: float) -> str:
        """The goal of stage 1: `95 %`, or where lower is better `at most 1.5`."""
        told = f"{round(100 * threshold, 1):g} %" if self.share else f"{threshold:g}"
        return f"at most {told}" if self.lower_is_better else told

    def success(self, threshold: float) -> str:
        """What counts as success: `exact match of at least 95 %`, `perplexity of at most 1.5`."""
        return f"{self.name} of {'' if self.lower_is_better else 'at least '}{self.goal(threshold)}"

    def reaches(self, value: float, threshold: float) -> bool:
        """Whether `value` is as good as the goal or better."""
        return self.goodness(value) >= self.goodness(threshold)

    def goodness(self, value: float) -> float:
        """The value such that more is better: its negative where lower is better."""
        return -value if self.lower_is_better else value

    def _signed(self, value: float) -> str:
        if self.share:
            return f"{100 * value:+.1f}"
        return ("-" if value < 0 else "+") + _number(abs(value))


def _number(value: float) -> str:
    """Four digits that count, from `1.004` on."""
    if value >= 1e6:
        return f"{value:.1e}"
    decimals = 3 if value < 10 else 2 if value < 100 else 1 if value < 1000 else 0
    return f"{value:,.{decimals}f}"


_NORMALISED = (
    "both texts in lower case, without punctuation and the articles a, an, the, white space collapsed, as in SQuAD "
    "(Rajpurkar et al. 2016, arXiv:1606.05250)"
)

MEASURES: dict[str, Measure] = {
    one.key: one
    for one in (
        Measure(
            "exact_match",
            "exact match",
            "match",
            "an answer counts when it is right to the letter, case and articles aside",
            f"the share of answers that equal the wanted one: {_NORMALISED}",
            graded=False,
        ),
        Measure(
            "f1",
            "F1",
            "F1",
            "an answer counts by the words it shares with the right one",
            f"the harmonic mean of precision and recall over words: {_NORMALISED}",
            graded=False,
        ),
        Measure(
            "accuracy",
            "accuracy",
            "acc.",
            "the share of texts that get the right label, case and articles aside",
            f"the share of labels that equal the wanted one, which is exact match on labels: {_NORMALISED}",
            graded=False,
        ),
        Measure(
            "rouge_l",
            "ROUGE-L",
            "ROUGE-L",
            "an answer counts by the words it says in the same order as the right one",
            "the F-measure of the longest common subsequence of words (Lin 2004, ROUGE: A Package for Automatic "
            "Evaluation of Summaries), in lower case, letters and digits only, no stemming; the mean over rows",
        ),
        Measure(
            "bleu",
            "BLEU",
            "BLEU",
            "an answer counts by the runs of up to four words it shares with the right one",
            "the mean over rows of sentence BLEU (Papineni et al. 2002) as sacrebleu computes it (Post 2018, "
            "arXiv:1804.08771) with effective order, exponential smoothing and the 13a tokeniser",
        ),
        Measure(
            "perplexity",
            "perplexity",
            "ppl.",
            "how surprised the model is by the right answers: 1 is not at all, lower is better",
            "e to the mean negative log-likelihood of the right answers' tokens, their end mark included, given their "
            "prompts, over all tokens of all rows; it depends on the tokeniser, so only models with the same one can "
            "be compared",
            lower_is_better=True,
            share=False,
        ),
    )
}
"""By the plan's `understand.metric`."""

ALWAYS = ("exact_match", "f1")
"""What is measured whatever the plan's metric is."""


def measure(key: str) -> Measure:
    """The measure of this key; one that this version does not know is told by its key, as a number."""
    return MEASURES.get(key) or Measure(key, key, key[:7], "a measure of another version", key, share=False)


def leading(metric: str) -> str:
    """The measure that bars and curves show for a plan with this metric: its own, but for F1 exact match, which F1
    stands beside.
    """
    return "exact_match" if metric in ALWAYS else metric


def per_row(metric: str, answer: str, expected: str) -> float:
    """One answer against the one that is wanted, 0 to 1, 1 for the same.

    Raises:
        ValueError: The metric is not one of texts (perplexity), or not known.
    """
    measured = _OF_TEXTS.get(metric)
    if measured is None:
        raise ValueError(f"{metric} is not measured on the text of an answer")
    return measured(answer, expected)


_OF_TEXTS = {
    "exact_match": exact_match,
    "accuracy": exact_match,
    "f1": token_f1,
    "rouge_l": rouge_l,
    "bleu": sentence_bleu,
}


def overall(metric: str, scores: Sequence[float], tokens: Sequence[int] = ()) -> float:
    """The score of a set of rows from those of its rows: their mean, or over all tokens for perplexity.

    Args:
        scores: One number a row, by `per_row` or, for perplexity, the row's own.
        tokens: For perplexity, how many tokens each row's was taken over; a row without any does not count.

    Raises:
        ValueError: There is no row, or no token.
    """
    if not measure(metric).needs_model:
        if not scores:
            raise ValueError("a score needs at least one row")
        return sum(scores) / len(scores)
    if not sum(tokens):
        raise ValueError("a perplexity needs at least one token")
    nats = sum(math.log(one) * count for one, count in zip(scores, tokens, strict=True))
    return math.exp(nats / sum(tokens))


def interval(
    metric: str, scores: Sequence[float], draws: Draws, groups: Sequence[str] = (), tokens: Sequence[int] = ()
) -> Interval:
    """`overall` with its bootstrap interval over rows, or over `groups` of them where they are given.

    Raises:
        ValueError: As `overall`, or the lengths differ.
    """
    if not measure(metric).needs_model:
        return mean_interval(scores, draws, groups)
    logs = mean_interval([math.log(one) for one in scores], draws, groups, tokens)
    # The bounds of a percentile interval go through a rising function unchanged (Efron & Tibshirani 1993, 13.3).
    return Interval(math.exp(logs.value), math.exp(logs.low), math.exp(logs.high))


def gain(
    metric: str,
    before: Sequence[float],
    after: Sequence[float],
    draws: Draws,
    groups: Sequence[str] = (),
    tokens: Sequence[int] = (),
) -> Interval:
    """`after` − `before` over the same rows with its paired bootstrap interval; for perplexity below 0 is better.

    Raises:
        ValueError: As `interval`.
    """
    if not measure(metric).needs_model:
        return difference_interval(before, after, draws, groups)
    logs = [[math.log(one) for one in scores] for scores in (before, after)]
    return exponential_difference_interval(logs[0], logs[1], draws, groups, tokens)
