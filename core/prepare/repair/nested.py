"""Cells that hold JSON, such as a chat: what is done to a text is done to each text in them, not to brackets and names.

A cell of a CSV may hold a chat as well, so a text counts as JSON where it is a list or an object throughout.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

from tunesmith.core.prepare.cells import text_of

_NO_TEXT = frozenset({"role", "from", "type", "id", "tool_call_id", "answer_start"})
"""Names of fields that say what a text is rather than being one."""


def nested(cell: str) -> Any:
    """The list or object that a cell holds as JSON, or None."""
    if cell[:1] not in "[{" or cell[-1:] not in "]}" or len(cell) < 2:
        return None
    try:
        value = json.loads(cell)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, list | dict) else None


def mapped(cell: str, mend: Callable[[str], str]) -> str:
    """The cell with `mend` done to its text, or to each text in its JSON; as it is where that changes nothing."""
    value = nested(cell)
    if value is None:
        return mend(cell)
    mended = _mapped(value, mend)
    return cell if mended == value else text_of(mended)


def mended(value: Any, mend: Callable[[str], str]) -> Any:
    """A value of a record with `mend` done to each text in it; a number that it would change becomes a text."""
    if isinstance(value, str):
        return mapped(value, mend)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value if mend(text := text_of(value)) == text else mend(text)
    return _mapped(value, mend)


def readable(cell: str) -> str:
    """The text of a cell that a person reads: of JSON the texts in it, one a line."""
    value = nested(cell)
    return cell if value is None else "\n".join(_texts(value))


def said(cell: str) -> str:
    """The same as `readable`, of a chat without its system turns: a row shares those with many others."""
    value = nested(cell)
    return cell if value is None else "\n".join(_texts(_without_system(value)))


def asked_and_said(cell: str) -> tuple[str, str]:
    """The same in two: of a chat all that comes before its last turn, and that; of others nothing, and all of it."""
    value = nested(cell)
    if not isinstance(value, list):
        return "", said(cell)
    turns = _without_system(value)
    before, last = ("\n".join(_texts(some)) for some in (turns[:-1], turns[-1:]))
    return before, last


def is_blank(cell: str) -> bool:
    """Whether a cell holds no value: nothing, or JSON without a text, such as SQuAD's `{"text": []}` for no answer."""
    value = nested(cell) if cell else ""
    if isinstance(value, dict) and "text" in value:
        value = value["text"]
    return value is not None and not "".join(_texts(value)).strip()


def _without_system(value: Any) -> Any:
    if isinstance(value, list):
        return [_without_system(one) for one in value if not (isinstance(one, dict) and _is_system(one))]
    if isinstance(value, dict):
        return {name: _without_system(one) for name, one in value.items()}
    return value


def _is_system(turn: dict[str, Any]) -> bool:
    return "system" in (role := (turn.get("role"), turn.get("from"))) or "developer" in role


def _mapped(value: Any, mend: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return mend(value)
    if isinstance(value, list):
        return [_mapped(one, mend) for one in value]
    if isinstance(value, dict):
        return {name: one if name in _NO_TEXT else _mapped(one, mend) for name, one in value.items()}
    return value


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for name, one in value.items():
            if name not in _NO_TEXT:
                yield from _texts(one)
    elif isinstance(value, list):
        for one in value:
            yield from _texts(one)
    elif value is not None:
        yield text_of(value)
