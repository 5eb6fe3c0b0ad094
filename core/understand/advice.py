"""Advises between prompting, retrieval and fine-tuning, from what the person answered and what the data shows.

Each rule is one line of a table: when it holds, which way it speaks for, how strongly, why, and where that is from.
The ways are ranked by the sum of what speaks for them; they can be combined, and the reasons say where to.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import get_args

from tunesmith.core.facts import DataProfile
from tunesmith.core.plan import Approach, UseCase

SHORT_ANSWER = 16
"""Tokens that 95 % of the answers stay within, to be called short."""


@dataclass(frozen=True)
class Situation:
    """What the rules look at. None: not known yet."""

    use_case: UseCase
    tried: frozenset[str]
    has_context: bool
    """Whether the facts that an answer needs come with the question."""
    rows: int
    answer_tokens: int | None = None
    """95th percentile."""
    facts_change: bool | None = None


@dataclass(frozen=True)
class Rule:
    """One reason for one way."""

    holds: Callable[[Situation], bool]
    speaks_for: Approach
    weight: int
    reason: str
    source: str


@dataclass(frozen=True)
class Option:
    """One way, how much speaks for it, and what."""

    approach: Approach
    weight: int
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class Advice:
    """The ways, the best first."""

    ranked: tuple[Option, ...]

    @property
    def best(self) -> Option:
        """What is advised."""
        return self.ranked[0]

    def reasons_for(self, approach: Approach) -> tuple[str, ...]:
        """What speaks for one of the ways."""
        return next(option.reasons for option in self.ranked if option.approach == approach)


RULES: tuple[Rule, ...] = (
    Rule(
        lambda it: not it.tried & {"few-shot", "prompt"},
        "prompt",
        1,
        "no prompt with a few examples was tried yet: it costs nothing, so try one; Evaluate scores the untouched "
        "model on the same rows",
        "Brown et al. 2020, arXiv:2005.14165",
    ),
    Rule(
        lambda it: it.rows < 50,
        "prompt",
        3,
        "there are fewer than 50 examples, which fit into a prompt and teach a model little",
        "OpenAI, fine-tuning guide: improvements are usually seen from 50 to 100 examples on",
    ),
    Rule(
        lambda it: it.facts_change is True,
        "retrieval",
        4,
        "the facts change often: looked up they are always current, trained in they would have to be trained again",
        "Lewis et al. 2020, arXiv:2005.11401",
    ),
    Rule(
        lambda it: it.use_case == "question-answering" and not it.has_context,
        "retrieval",
        3,
        "the questions come without a text that holds the answer, and facts are learnt better by looking them up than "
        "by training",
        "Ovadia et al. 2023, arXiv:2312.05934; Gekhman et al. 2024, arXiv:2405.05904",
    ),
    Rule(
        lambda it: it.has_context,
        "fine-tune",
        2,
        "the answers are read from a context that comes with the question, so no fact must be learnt, only how to "
        "answer",
        "Zhang et al. 2024 (RAFT), arXiv:2403.10131",
    ),
    Rule(
        lambda it: it.answer_tokens is not None and it.answer_tokens <= SHORT_ANSWER,
        "fine-tune",
        2,
        "the answers must be short and always of the same form, which a few hundred examples teach reliably",
        "Zhou et al. 2023 (LIMA), arXiv:2305.11206",
    ),
    Rule(
        lambda it: it.use_case in ("classification", "extraction", "style", "summarisation"),
        "fine-tune",
        2,
        "the task is a way of answering, not a store of facts",
        "Zhou et al. 2023 (LIMA), arXiv:2305.11206",
    ),
    Rule(
        lambda it: bool(it.tried & {"few-shot", "prompt"}),
        "fine-tune",
        2,
        "prompting was tried and was not enough",
        "the person's answer",
    ),
    Rule(
        lambda it: "retrieval" in it.tried,
        "fine-tune",
        1,
        "retrieval was tried: tuned on what it finds, a model uses that better",
        "Zhang et al. 2024 (RAFT), arXiv:2403.10131",
    ),
)


def advise(
    use_case: UseCase, tried: Collection[str], data: DataProfile, *, has_context: bool, facts_change: bool | None = None
) -> Advice:
    """Rank prompting, retrieval and fine-tuning for this use case and data.

    Args:
        tried: What was tried before (see `plan.Understand.tried`).
        has_context: Whether the facts that an answer needs come with the question.
        facts_change: Whether they change often; None where nobody was asked.
    """
    answer = data.tokens.answer.p95 if data.tokens else None
    rows = data.tokens.rows if data.tokens else data.rows
    return weigh(Situation(use_case, frozenset(tried), has_context, rows, answer, facts_change))


def weigh(situation: Situation) -> Advice:
    """The ways ranked by the rules that hold; where two are level, the cheaper one comes first."""
    holding = [rule for rule in RULES if rule.holds(situation)]
    options = []
    for approach in get_args(Approach):  # prompt, retrieval, fine-tune: from the cheapest on
        for_it = [rule for rule in holding if rule.speaks_for == approach]
        options.append(Option(approach, sum(rule.weight for rule in for_it), tuple(rule.reason for rule in for_it)))
    return Advice(tuple(sorted(options, key=lambda option: -option.weight)))


def has_context(shape: str, roles: object) -> bool:
    """Whether rows of this shape bring the facts with the question: a table's record, or a context column."""
    return shape == "table" or (isinstance(roles, dict) and bool(roles.get("context")))
