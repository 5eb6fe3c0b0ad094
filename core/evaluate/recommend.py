"""Recommends the section `evaluate`: how the untouched and the tuned model are scored."""

from __future__ import annotations

import math
from collections.abc import Callable

from tunesmith.core.draft import Alternative, Draft
from tunesmith.core.facts import Facts
from tunesmith.core.plan import Probe
from tunesmith.core.reckon import usable

PROBES: list[Probe] = ["context-withheld", "fields-reordered", "values-invented", "as-prose"]
UNCOUNTED_ANSWER = 64
"""Tokens, until the answers are counted."""


Room = Callable[[int, int], int]
"""How many of so many rows can be answered at once, with so many tokens each, beside the training."""


def recommend_evaluate(draft: Draft, facts: Facts, room: Room = lambda rows, _: rows) -> None:
    """Fill every path of `evaluate`.

    Args:
        room: Asked for the rows that are answered at once; all of them where it is not given.
    """
    tokens = facts.data.tokens
    if tokens is None:
        draft.choose("evaluate.max_new_tokens", UNCOUNTED_ANSWER, "until the answers are counted in the model's tokens")
    else:
        longest, about = tokens.answer.longest, "an estimated " if tokens.estimated else ""
        most = max(16, math.ceil(1.5 * longest) + 8)
        draft.choose(
            "evaluate.max_new_tokens",
            most,
            f"half again as long as the longest answer ({about}{longest} tokens), so that only rambling is cut",
        )
    draft.choose("evaluate.batch_size", *_batch(draft, facts, room))
    draft.choose("evaluate.confidence", 0.95, "the usual one: of 100 such intervals about 95 hold the true score")
    draft.choose(
        "evaluate.resamples",
        1000,
        "enough for the second digit (Efron and Tibshirani 1993)",
        (Alternative("10000", "moves the bounds by a few tenths of a percent"),),
    )
    probes, because = _probes(draft)
    draft.choose("evaluate.probes", probes, because)
    draft.choose("evaluate.probe_rows", 90, "tells 80 % from 90 % and takes little time")


def usual_rows(parameters: int, device: str) -> tuple[int, str]:
    """(rows answered at once, why), before memory is looked at."""
    if parameters < 1e9:
        return 32, "a model this small answers many rows at once; more gains little"
    if device == "cuda":
        return 16, "keeps the card busy with room for what attention remembers"
    return 4, "a processor gains little from more rows of a large model"


def _batch(draft: Draft, facts: Facts, room: Room) -> tuple[int, str]:
    rows, because = usual_rows(facts.model.parameters, str(draft.values.get("select.device")))
    fewer = room(rows, usable(draft.values.get("evaluate.max_new_tokens"), UNCOUNTED_ANSWER))
    if fewer == rows:
        return rows, because
    return fewer, f"{rows} are usual, but to answer them at once takes more memory than training does"


def _probes(draft: Draft) -> tuple[list[Probe], str]:
    shape = draft.values.get("prepare.shape")
    roles = draft.values.get("prepare.columns")
    if shape == "table":
        return list(PROBES), "whether it reads the record or remembers: the first must fall, the others must not"
    if shape == "question-answer" and isinstance(roles, dict) and roles.get("context"):
        return ["context-withheld"], "whether it reads the context; the other probes need the columns of a table"
    return [], "they need a context that can be withheld or rewritten, and these rows have none"
