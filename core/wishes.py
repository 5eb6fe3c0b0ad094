"""What a person states, and what a new statement makes meaningless of what was stated before."""

from __future__ import annotations

from typing import Any

from tunesmith.core.draft import Wishes
from tunesmith.core.plan import Path

OF_SHAPE = ("prepare.columns", "prepare.fields", "prepare.questions", "prepare.layouts", "prepare.repairs")
"""What was said of the rows of one shape; of another it means nothing."""


def with_wish(wishes: Wishes, path: Path, value: Any) -> dict[Path, Any]:
    """The wishes with `value` at `path`, without those that it contradicts by its nature.

    Another file has other columns, another shape other parts; full fine-tuning has no adapter, only QLoRA packs
    weights, and another machine has another price. A goal that was stated as a share is none for perplexity, nor the
    other way round. Whatever else was stated stays.
    """
    stated = {**wishes, path: value}
    if wishes.get(path) == value:
        return stated
    gone: tuple[str, ...] = ()
    if path == "prepare.data":
        gone = ("prepare.",)
    elif path == "prepare.shape":
        gone = OF_SHAPE
    elif path == "prepare.columns":
        gone = ("prepare.columns.",)
    elif path == "select.gpu":
        gone = ("select.price_hour",)
    elif path == "select.method":
        gone = ("select.lora.", "select.quantization.") if value == "full" else ()
        gone = ("select.quantization.",) if value == "lora" else gone
    elif path in ("understand.use_case", "understand.metric") and not _goal_fits(stated):
        gone = ("understand.threshold",)
    return {key: one for key, one in stated.items() if key == path or not (gone and key.startswith(gone))}


def _goal_fits(stated: Wishes) -> bool:
    """Whether the goal that was stated is one that the measure can take: a share, or for perplexity at least 1."""
    goal = stated.get("understand.threshold")
    if not isinstance(goal, int | float):
        return True
    by_use_case = "perplexity" if stated.get("understand.use_case") == "domain-language" else ""
    return goal >= 1 if stated.get("understand.metric", by_use_case) == "perplexity" else goal <= 1
