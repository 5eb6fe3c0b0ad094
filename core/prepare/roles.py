"""Which columns go into prompts and answers, for each shape. Light."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

PROMPTS = ("question", "context", "prompt", "input", "system", "messages", "text")
ANSWERS = ("answer", "completion", "chosen", "rejected", "label")


def used_columns(shape: str, columns: Mapping[str, str], fields: Sequence[str]) -> list[str]:
    """All of them: of a table the entity and its fields."""
    if shape == "table":
        return list(dict.fromkeys([columns["entity"], *fields]))
    return list(dict.fromkeys(columns.values()))


def prompt_columns(shape: str, columns: Mapping[str, str]) -> list[str]:
    """The columns that the prompt is made of; none for a table, whose questions are made, and for plain text."""
    if shape in ("table", "text"):
        return []
    return [columns[part] for part in PROMPTS if part in columns]


def answer_columns(shape: str, columns: Mapping[str, str]) -> list[str]:
    """The columns that the answer is made of: what is trained."""
    if shape == "text":
        return [columns["text"]]
    return [columns[part] for part in ANSWERS if part in columns]
