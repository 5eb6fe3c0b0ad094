"""Spells out the paths that a person states, so that they mean the same file from any folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tunesmith.core.errors import AccessError
from tunesmith.core.plan import Plan, Section
from tunesmith.core.practice import PRACTICE


def spelled_out(path: str, base: Path) -> Path:
    """`path` as an absolute one: `~` is the person's home, and what is relative begins at `base`.

    Raises:
        AccessError: There is no such home.
    """
    try:
        return (base / Path(path).expanduser()).absolute()
    except RuntimeError as error:
        raise AccessError(f"{path}: {error}", next_step="Write the path out.") from error


def wishes_spelled_out(wishes: dict[str, Any], base: Path) -> dict[str, Any]:
    """The wishes with the data's and the model's paths spelled out from `base`."""
    spelled = dict(wishes)
    data, model = wishes.get("prepare.data"), wishes.get("select.model")
    if isinstance(data, str) and data != PRACTICE:
        spelled["prepare.data"] = str(spelled_out(data, base))
    if isinstance(model, str) and model != PRACTICE and spelled_out(model, base).is_dir():
        spelled["select.model"] = str(spelled_out(model, base))
    return spelled


def plan_spelled_out(plan: Plan, base: Path) -> Plan:
    """The plan with paths that are relative to its own folder `base` spelled out, so that a copy means the same."""
    wishes = {"prepare.data": plan.prepare.data, "select.model": plan.select.model}
    spelled = wishes_spelled_out(wishes, base)
    changes: dict[str, Section] = {
        "prepare": plan.prepare.model_copy(update={"data": spelled["prepare.data"]}),
        "select": plan.select.model_copy(update={"model": spelled["select.model"]}),
    }
    return plan.model_copy(update=changes)
