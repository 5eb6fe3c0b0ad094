"""What a person states, and what a new statement makes meaningless of what was stated before."""

from __future__ import annotations

from typing import Any

from tunesmith.core.draft import Wishes
from tunesmith.core.plan import RANKED, VIRTUAL, Path

OF_SHAPE = ("prepare.columns", "prepare.fields", "prepare.questions", "prepare.layouts", "prepare.repairs")
"""What was said of the rows of one shape; of another it means nothing."""


AT = "select.hyperparameters."


def with_wish(wishes: Wishes, path: Path, value: Any) -> dict[Path, Any]:
    """The wishes with `value` at `path`, without those that it contradicts by its nature.

    Another file has other columns, another shape other parts; full fine-tuning has no adapter, a kind of adapter has
    settings of its own, only QLoRA packs weights, and another machine has another price. A goal that was stated as a
    share is none for perplexity, nor the other way round. Whatever else was stated stays.
    """
    stated = {**wishes, path: value}
    if wishes.get(path) == value:
        return stated
    gone = _contradicted(wishes, path, value)
    if path in ("understand.use_case", "understand.metric") and not _goal_fits(stated):
        gone = ("understand.threshold",)
    return {key: one for key, one in stated.items() if key == path or not (gone and key.startswith(gone))}


def _contradicted(wishes: Wishes, path: Path, value: Any) -> tuple[str, ...]:
    """How the paths begin that mean nothing any more, or can't be any more, with `value` at `path`."""
    if path == "prepare.data":
        return ("prepare.",)
    if path == "prepare.shape":
        return OF_SHAPE
    if path == "prepare.columns":
        return ("prepare.columns.",)
    if path == "prepare.split.validation":
        return (AT + "early_stopping",) if value == 0 else ()
    if path == "select.method":
        return _other_method(wishes, value)
    if path == "select.gpu":
        return ("select.price_hour",)
    if path == "select.peft":
        return _other_adapter(wishes, value)
    if path == "select.quantization.type":
        clash = value == "int8" and wishes.get("select.peft") == "dora"
        return ("select.quantization.double", "select.peft") if clash else ("select.quantization.double",)
    if path == AT + "early_stopping":
        return ("finetune.save_every",) if value is not None else ()
    if path == "finetune.evaluate_every":
        return ("finetune.save_every",) if wishes.get(AT + "early_stopping") is not None else ()
    either = {AT + "packing": AT + "group_by_length", AT + "group_by_length": AT + "packing"}
    return (either[path],) if path in either and value is True else ()


def _other_method(wishes: Wishes, method: Any) -> tuple[str, ...]:
    if method == "full":
        return ("select.lora.", "select.quantization.", "select.peft", "select.virtual_tokens")
    if method == "lora":
        return ("select.quantization.",)
    return ("select.peft",) if wishes.get("select.peft") == "pissa" else ()


def _other_adapter(wishes: Wishes, kind: Any) -> tuple[str, ...]:
    """Settings of the kind before, and what the new kind can't go with.

    Rank and alpha mean the same to all kinds with a rank but VeRA, whose rank is another sort of number.
    """
    gone: tuple[str, ...] = ()
    if kind not in RANKED or "vera" in (kind, wishes.get("select.peft")):
        gone += ("select.lora.",)
    gone += ("select.virtual_tokens",)
    if kind in VIRTUAL:
        gone += ("productionize.merge", AT + "packing")
    if kind == "dora":
        gone += ("select.quantization.",)
    if kind == "prefix":
        gone += (AT + "gradient_checkpointing",)
    if wishes.get("select.method") == "full" or (kind == "pissa" and wishes.get("select.method") == "qlora"):
        gone += ("select.method", "select.quantization.")
    return gone


def _goal_fits(stated: Wishes) -> bool:
    """Whether the goal that was stated is one that the measure can take: a share, or for perplexity at least 1."""
    goal = stated.get("understand.threshold")
    if not isinstance(goal, int | float):
        return True
    by_use_case = "perplexity" if stated.get("understand.use_case") == "domain-language" else ""
    return goal >= 1 if stated.get("understand.metric", by_use_case) == "perplexity" else goal <= 1
