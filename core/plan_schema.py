"""The plan's schema as JSON Schema, so that an editor completes a plan, explains its values and marks mistakes.

Draft 2020-12. Everything is read off the fields of `plan`: titles, help, bounds, options, usual ranges and sources.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tunesmith.core.errors import AccessError
from tunesmith.core.plan import Plan

DIALECT = "https://json-schema.org/draft/2020-12/schema"
SCHEMA_NAME = "tunesmith-plan.schema.json"
"""The schema's file, written beside the plans that people edit. A plan names it by this relative path: that works
without a network, on every machine, and after the folder was moved or put under version control; a path into an
installation would do none of that."""

OURS = ("question", "meanings", "labels", "empty", "unit", "usual", "source")
"""What `plan.section.knob` keeps with a field that JSON Schema has no words for."""


def plan_schema() -> dict[str, Any]:
    """The JSON Schema of a plan; what JSON Schema has no words for stands in the descriptions."""
    schema = _described(Plan.model_json_schema())
    return {"$schema": DIALECT, **schema, "title": "Tunesmith plan"}


def schema_text() -> str:
    """The same as a file's text."""
    return json.dumps(plan_schema(), indent=1, ensure_ascii=False) + "\n"


def write_schema(path: Path) -> None:
    """Write the schema aside and rename it.

    Raises:
        AccessError: The folder can't be written to.
    """
    aside = path.with_name(path.name + ".part")
    try:
        aside.write_text(schema_text(), encoding="utf-8")
        aside.replace(path)
    except OSError as error:
        raise AccessError(
            f"{path} can't be written: {error.strerror}.", next_step="Name another place, or mend its permissions."
        ) from error


def _described(node: Any) -> Any:
    """`node` with unit, usual range, source and the options' meanings put into its descriptions."""
    if isinstance(node, list):
        return [_described(one) for one in node]
    if not isinstance(node, dict):
        return node
    if "title" in node and "description" in node:
        node = _with_words(node)
    return {key: _described(value) for key, value in node.items()}


def _with_words(node: dict[str, Any]) -> dict[str, Any]:
    kept = {key: value for key, value in node.items() if key not in OURS}
    words = [node["description"]]
    usual, unit = node.get("usual", ""), node.get("unit", "")
    if usual:
        words.append(f"Usual: {usual}{' ' + unit if unit else ''}.")
    elif unit:
        words.append(f"In {unit}.")
    meanings = node.get("meanings", {})
    if meanings:
        words.append("; ".join(f"{option}: {meaning}" for option, meaning in meanings.items()) + ".")
    if node.get("source"):
        words.append(f"Source: {node['source']}.")
    return {**kept, "description": " ".join(words)}
