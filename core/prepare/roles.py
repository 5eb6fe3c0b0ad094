"""Which columns go into prompts and answers, for each shape. Light."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tunesmith.core.prepare.cells import shown

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


def taken_twice(roles: Mapping[str, str | None]) -> str:
    """A sentence where one column plays two parts; empty where none does."""
    for column in dict.fromkeys(roles.values()):
        played = [role for role, one in roles.items() if one == column]
        if column is not None and len(played) > 1:
            parts = " and ".join(f"the {role}" for role in played)
            return f"The column {shown(column)} is taken for {parts}: choose another one for one of them."
    return ""
