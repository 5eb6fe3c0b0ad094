"""What several stages' recommendations reckon with: usable values, rows that are trained on, optimizer steps.

A wish may be of the wrong kind ("batch: many"); the schema says so at the end of `resolve`, in one sentence. Until then
a recommendation that depends on it goes on with what would have been recommended.
"""

from __future__ import annotations

import math
from typing import Any, TypeVar

from tunesmith.core.draft import Alternative, Draft
from tunesmith.core.facts import Facts
from tunesmith.core.plan import Path, held

Value = TypeVar("Value")


def settle(
    draft: Draft,
    path: Path,
    recommended: Value,
    because: str,
    instead_of: tuple[Alternative, ...] = (),
) -> Value:
    """`draft.choose`, but returns a value that can be reckoned with: the recommended one where the wish is unusable."""
    return usable(draft.choose(path, recommended, because, instead_of), recommended)


def usable(value: Any, otherwise: Value) -> Value:
    """`value` where it is of the kind of `otherwise` (and, for a number, not negative), else `otherwise`."""
    if isinstance(otherwise, bool) or isinstance(value, bool):
        fine = isinstance(value, bool) and isinstance(otherwise, bool)
    elif isinstance(otherwise, int | float):
        fine = isinstance(value, int | float) and math.isfinite(value) and value >= 0
    else:
        fine = isinstance(value, type(otherwise))
    if not fine:
        return otherwise
    found: Value = value
    return found


def counted_rows(draft: Draft, facts: Facts) -> int:
    """All rows that Prepare makes: as counted with the tokenizer, else records times questions."""
    if facts.data.tokens is not None:
        return facts.data.tokens.rows
    questions = draft.values.get("prepare.questions")
    asked = len(questions) if isinstance(questions, list) and questions else 1
    return facts.data.rows * (asked if facts.data.shape == "table" else 1)


def training_rows(draft: Draft, facts: Facts) -> int:
    """Rows that are left for training by the split chosen so far; at least one."""
    rows = counted_rows(draft, facts)
    own_test = draft.values.get("prepare.split.test_file") is not None
    parts = ("validation",) if own_test else ("validation", "test")
    taken = sum(held(usable(draft.values.get(f"prepare.split.{part}"), 0.0), rows) for part in parts)
    return max(1, round(rows - taken))


def rows_a_sequence(draft: Draft, facts: Facts) -> float:
    """How many rows share a sequence where they are packed, on average; at least one. An estimate: none are cut."""
    if facts.data.tokens is None:
        return 1.0
    length = usable(draft.values.get("select.hyperparameters.max_length"), facts.data.tokens.whole.longest)
    return max(1.0, length / max(1.0, facts.data.tokens.whole.mean))


def optimizer_steps(draft: Draft, facts: Facts) -> int:
    """Steps of the whole run with the batch and epochs chosen so far; at least one."""
    at = "select.hyperparameters."
    batch = usable(draft.values.get(at + "batch_size"), 1) * usable(draft.values.get(at + "accumulation"), 1)
    epochs = usable(draft.values.get(at + "epochs"), 1.0)
    each = rows_a_sequence(draft, facts) if draft.values.get(at + "packing") is True else 1.0
    # The last batch of an epoch may be short, and counts as a step all the same.
    return max(1, math.ceil(math.ceil(training_rows(draft, facts) / each / max(1, batch)) * epochs))
