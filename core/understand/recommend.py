"""Recommends the section `understand`: goal, use case, metric, threshold and approach, from the data's shape."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import get_args

from tunesmith.core.draft import Alternative, Draft
from tunesmith.core.facts import DataProfile, Facts
from tunesmith.core.plan import UseCase
from tunesmith.core.understand.advice import SHORT_ANSWER, advise, has_context

FEW_LABELS = 20
"""Distinct completions, at most, for prompts and completions to be called a classification."""


def recommend_understand(draft: Draft, facts: Facts) -> None:
    """Fill every path of `understand`; comes first, so it looks at wishes for later stages but not at their choices."""
    data = facts.data
    shape = str(draft.wishes.get("prepare.shape", data.shape))
    use_case, because = _use_case(shape, data)
    chosen = draft.choose("understand.use_case", use_case, because)
    use_case = chosen if chosen in get_args(UseCase) else use_case
    draft.choose("understand.goal", _goal(shape, use_case, data), "made of the data's shape; say it in your own words")
    _metric(draft, data)
    practice = data.source == "practice"
    draft.choose(
        "understand.threshold",
        0.95 if practice else 0.9,
        "the practice task is simple enough for 95 of 100 right" if practice else "9 of 10 right is a fair first goal",
        (Alternative("1.0", "a few rows of most data are wrong or ambiguous themselves"),),
    )
    none: list[str] = []
    tried = draft.choose("understand.tried", none, "nothing was stated; a few examples in a prompt are worth trying")
    _approach(draft, facts, use_case, tried if isinstance(tried, list | tuple) else [])


def _approach(draft: Draft, facts: Facts, use_case: UseCase, tried: Collection[str]) -> None:
    shape = str(draft.wishes.get("prepare.shape", facts.data.shape))
    roles = draft.wishes.get("prepare.columns", facts.data.roles)
    advice = advise(use_case, [str(one) for one in tried], facts.data, has_context=has_context(shape, roles))
    because = "; ".join(advice.best.reasons) or "nothing speaks for another way"
    others = tuple(
        Alternative(option.approach, "; ".join(option.reasons) or "nothing in your answers speaks for it")
        for option in advice.ranked[1:]
    )
    draft.choose("understand.approach", advice.best.approach, because, others)


def _use_case(shape: str, data: DataProfile) -> tuple[UseCase, str]:
    if shape == "table":
        return "question-answering", "a table's records can be asked about"
    if shape == "question-answer":
        return "question-answering", "the rows are questions with their answers"
    if shape == "chat":
        return "style", "the rows are chats, which teach a way of answering"
    completion = next((column for column in data.columns if column.name == data.roles.get("completion")), None)
    if completion is not None and completion.distinct <= min(FEW_LABELS, data.rows // 5):
        return "classification", f"the completions are only {completion.distinct} different ones"
    return "other", "prompts and completions can be anything; say what they are"


def _goal(shape: str, use_case: UseCase, data: DataProfile) -> str:
    if data.source == "practice":
        return "Answer questions about an employee from that employee's record, with the value alone."
    name = Path(data.source).stem.replace("_", " ").replace("-", " ")
    if shape == "table":
        return f"Answer questions about a record of {name} from that record, with the value alone."
    if use_case == "question-answering":
        source = "from the context given" if data.roles.get("context") else "as the examples do"
        return f"Answer questions like those in {name}, {source}."
    if use_case == "classification":
        return f"Give each text like those in {name} its label."
    return f"Answer as the examples in {name} do."


def _metric(draft: Draft, data: DataProfile) -> None:
    exact = "counts only what is right to the letter, which long answers hardly ever are"
    if data.tokens is None:
        f1 = Alternative("f1", "for long answers; they are not counted yet")
        draft.choose("understand.metric", "exact_match", "the strict one, until the answers are counted", (f1,))
    elif data.tokens.answer.p95 <= SHORT_ANSWER:
        because = f"95 % of the answers have at most {data.tokens.answer.p95} tokens: right or wrong, nothing between"
        draft.choose("understand.metric", "exact_match", because, (Alternative("f1", "would count half-right values"),))
    else:
        because = f"the answers are long (95 % have up to {data.tokens.answer.p95} tokens), so shared words are counted"
        draft.choose("understand.metric", "f1", because, (Alternative("exact_match", exact),))
