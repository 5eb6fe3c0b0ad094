"""Spells out the paths that a person states, so that they mean the same file from any folder."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from tunesmith.core.errors import AccessError
from tunesmith.core.plan import Plan, Section
from tunesmith.core.practice import PRACTICE

_ELSEWHERE = re.compile(r"hub:|\$\{\w+\}$|[a-z][a-z0-9+]*://", re.IGNORECASE)


def spelled_out(path: str, base: Path) -> Path:
    """`path` as an absolute one: `~` is the person's home, and what is relative begins at `base`.

    Raises:
        AccessError: There is no such home.
    """
    try:
        return (base / Path(path).expanduser()).absolute()
    except RuntimeError as error:
        raise AccessError(f"{path}: {error}", next_step="Write the path out.") from error


def is_file(source: str) -> bool:
    """Whether data of this name is files of this machine: not the built-in table, the Hub's, or a database's (whose
    address may be a variable of the environment).
    """
    return source != PRACTICE and not _ELSEWHERE.match(source.strip())


def is_of_hub(source: object) -> bool:
    """Whether data of this name is on the Hugging Face Hub: naming it so asks for it to be fetched."""
    return isinstance(source, str) and source.startswith("hub:")


def wishes_spelled_out(wishes: dict[str, Any], base: Path) -> dict[str, Any]:
    """The wishes with the paths of data and model spelled out from `base`."""
    spelled = dict(wishes)
    for name in ("prepare.data", "prepare.split.test_file"):
        source = wishes.get(name)
        if isinstance(source, str) and source and is_file(source):
            spelled[name] = str(spelled_out(source, base))
    others = wishes.get("prepare.split.compare")
    if isinstance(others, list):
        spelled["prepare.split.compare"] = [
            str(spelled_out(one, base)) if isinstance(one, str) and is_file(one) else one for one in others
        ]
    model = wishes.get("select.model")
    if isinstance(model, str) and model != PRACTICE and spelled_out(model, base).is_dir():
        spelled["select.model"] = str(spelled_out(model, base))
    return spelled


def plan_spelled_out(plan: Plan, base: Path) -> Plan:
    """The plan with paths that are relative to its own folder `base` spelled out, so that a copy means the same."""
    split = plan.prepare.split
    wishes: dict[str, Any] = {"prepare.data": plan.prepare.data, "select.model": plan.select.model}
    wishes |= {"prepare.split.test_file": split.test_file, "prepare.split.compare": split.compare}
    spelled = wishes_spelled_out(wishes, base)
    parts = {name: spelled[f"prepare.split.{name}"] for name in ("test_file", "compare")}
    prepare = {"data": spelled["prepare.data"], "split": split.model_copy(update=parts)}
    changes: dict[str, Section] = {
        "prepare": plan.prepare.model_copy(update=prepare),
        "select": plan.select.model_copy(update={"model": spelled["select.model"]}),
    }
    return plan.model_copy(update=changes)
