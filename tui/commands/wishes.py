"""Wishes from the command line: `--set select.lora.rank=8` and its like."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tunesmith.core.errors import PlanError
from tunesmith.core.schema import knob_at, read


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
            wishes[path.strip()] = _named(path.strip(), YAML(typ="safe", pure=True).load(value))
        except (YAMLError, ValueError, RecursionError):
            raise PlanError(
                f"--set {word}: the value is not readable.", next_step="Quote it, e.g. 'goal=\"a: b\"'."
            ) from None
    return wishes


def _named(path: str, value: Any) -> Any:
    """An option by its name in the file, where a person gave the one that is shown; anything else as it is."""
    try:
        knob = knob_at(path)
        return read(knob, value) if knob.kind == "choice" and isinstance(value, str) else value
    except (KeyError, PlanError):
        return value  # what is wrong with it the schema says better
