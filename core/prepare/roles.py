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


_BACKGROUND = ("context", "input")
_UNSAID = ("system", "tools")


def compared_columns(
    shape: str, roles: Mapping[str, str], used: Sequence[str]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Of the used columns those that tell two rows apart, and those that several rows may rightly share.

    Five questions about one context differ however long the context is. A system prompt, or the tools that a chat may
    call, says nothing about one row at all and is in neither.
    """
    if shape == "table":
        return tuple(used), ()
    shared = {roles[part] for part in _BACKGROUND if part in roles}
    unsaid = {roles[part] for part in _UNSAID if part in roles}
    said = tuple(name for name in used if name not in shared | unsaid)
    return (said, tuple(name for name in used if name in shared)) if said else (tuple(used), ())


def taken_twice(roles: Mapping[str, str | None]) -> str:
    """A sentence where one column plays two parts; empty where none does."""
    for column in dict.fromkeys(roles.values()):
        played = [role for role, one in roles.items() if one == column]
        if column is not None and len(played) > 1:
            parts = " and ".join(f"the {role}" for role in played)
            return f"The column {shown(column)} is taken for {parts}: choose another one for one of them."
    return ""
