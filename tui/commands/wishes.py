"""Wishes from the command line: `--set select.lora.rank=8` and its like."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tunesmith.core.errors import AccessError, PlanError
from tunesmith.core.survey import PRACTICE


def read_settings(settings: Sequence[str]) -> dict[str, Any]:
    """`PATH=VALUE` words as wishes; the value is read as YAML, so numbers and lists are what they look like.

    Raises:
        PlanError: A word has no `=`, or its value is no YAML.
    """
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    wishes: dict[str, Any] = {}
    for word in settings:
        path, sign, value = word.partition("=")
        if not sign or not path:
            raise PlanError(
                f"--set {word} says no value.", next_step="Write it as PATH=VALUE, e.g. select.lora.rank=8."
            )
        try:
            wishes[path.strip()] = YAML(typ="safe", pure=True).load(value)
        except (YAMLError, ValueError, RecursionError):
            raise PlanError(
                f"--set {word}: the value is not readable.", next_step="Quote it, e.g. 'goal=\"a: b\"'."
            ) from None
    return wishes


def with_paths(wishes: dict[str, Any]) -> dict[str, Any]:
    """The wishes with the person's paths spelled out from the folder they are in, so that a run means the same file."""
    here = Path.cwd()
    data, model = wishes["prepare.data"], wishes["select.model"]
    if isinstance(data, str) and data != PRACTICE:
        wishes["prepare.data"] = str(spelled_out(data, here))
    if isinstance(model, str) and model != PRACTICE and spelled_out(model, here).is_dir():
        wishes["select.model"] = str(spelled_out(model, here))
    return wishes


def spelled_out(path: str, base: Path) -> Path:
    """`path` as an absolute one: `~` is the person's home, and what is relative begins at `base`.

    Raises:
        AccessError: There is no such home.
    """
    try:
        return (base / Path(path).expanduser()).absolute()
    except RuntimeError as error:
        raise AccessError(f"{path}: {error}", next_step="Write the path out.") from error
