"""Which of four shapes a file's rows have, and which column plays which part."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tunesmith.core.errors import DataError
from tunesmith.core.facts import Column, Shape
from tunesmith.core.prepare.cells import shown
from tunesmith.core.prepare.columns import MOSTLY, plain_name

NEEDED: dict[Shape, tuple[str, ...]] = {
    "table": ("entity",),
    "question-answer": ("question", "answer"),
    "prompt-completion": ("prompt", "completion"),
    "chat": ("messages",),
}
"""The parts that a shape can't do without."""

OPTIONAL: dict[Shape, tuple[str, ...]] = {
    "table": (),
    "question-answer": ("context",),
    "prompt-completion": ("input",),
    "chat": (),
}
"""The parts that a shape may have; `input` is Alpaca's text that an instruction is about."""

_CHATS = ("messages", "conversations", "conversation", "chat", "dialog")
_QUESTIONS = ("question", "query", "user_question", "q")
_ANSWERS = ("answer", "answers", "reply", "response", "a")
_CONTEXTS = ("context", "passage", "paragraph", "background", "document")
_PAIRS = (
    ("prompt", "completion"),
    ("instruction", "output"),
    ("instruction", "response"),
    ("prompt", "response"),
    ("input", "output"),
)
_PAIRS_ALONE = (
    ("source", "target"),
    ("text", "label"),
    ("sentence", "label"),
    ("review", "sentiment"),
    ("text", "summary"),
    ("document", "summary"),
    ("article", "summary"),
    ("article", "highlights"),
    ("dialogue", "summary"),
)
"""Names that mean a pair only where the file has no other columns but identifiers."""
_NAMES = ("name", "full_name", "title", "product", "item", "employee", "customer", "company", "person", "country")
_PART_NAMES = ("first_name", "last_name", "given_name", "family_name", "middle_name", "surname")
_SHORT = 60
"""Characters: longer texts describe a thing, they don't name it."""


@dataclass(frozen=True)
class Detected:
    """A shape, the sentence that says why, and the column of each part."""

    shape: Shape
    because: str
    roles: dict[str, str] = field(default_factory=dict)


def detect(columns: Sequence[Column]) -> Detected:
    """The shape that the names and kinds of the columns tell.

    Raises:
        DataError: It can only be a table, and no column says what each row is about.
    """
    by_name = {plain_name(column.name): column.name for column in reversed(columns)}
    shapes: tuple[Shape, ...] = ("chat", "question-answer", "prompt-completion")
    for shape in shapes:
        roles = _roles_by_name(shape, by_name, columns)
        if roles:
            named = " and ".join(shown(roles[part]) for part in NEEDED[shape])
            what = {
                "chat": "each row holds the turns of a chat",
                "question-answer": "each row has a question and its answer",
                "prompt-completion": "each row has a prompt and its completion",
            }[shape]
            return Detected(shape, f"{what}: {named}", roles)
    entity, why = _entity(columns)
    return Detected("table", f"each row is a record about one {shown(entity)}: {why}", {"entity": entity})


def roles_for(shape: Shape, columns: Sequence[Column]) -> dict[str, str]:
    """The column of each part of a shape that the person chose.

    Raises:
        DataError: No column offers itself for a part that the shape needs.
    """
    if shape == "table":
        return {"entity": _entity(columns)[0]}
    by_name = {plain_name(column.name): column.name for column in reversed(columns)}
    roles = _roles_by_name(shape, by_name, columns, alone=False)
    if roles:
        return roles
    raise DataError(
        f"No columns offer themselves as {' and '.join(NEEDED[shape])}, which the shape {shape} needs.",
        cause=f"There are: {_listed(columns)}.",
        next_step=f"Name them, e.g. prepare.columns: {{{', '.join(f'{part}: COLUMN' for part in NEEDED[shape])}}}.",
    )


def check_columns(named: Mapping[str, str], columns: Sequence[str]) -> None:
    """Refuse a column that the file lacks; `named` maps where it is named in the plan to the column's name.

    Raises:
        DataError: Names the place, the column and the nearest one that there is.
    """
    for place, name in named.items():
        if name not in columns:
            near = nearest(name, columns)
            there = ", ".join(shown(column) for column in columns[:12]) + (" and more" if len(columns) > 12 else "")
            raise DataError(
                f"There is no column {shown(name)!r} in the data, though {place} names it.",
                next_step=f"Did you mean {shown(near)!r}?" if near else f"There are: {there}.",
            )


def nearest(name: str, columns: Sequence[str]) -> str | None:
    """The column whose name is most like `name`, or None where none is like it."""
    plain = {plain_name(column): column for column in reversed(columns)}
    found = difflib.get_close_matches(plain_name(name), list(plain), n=1, cutoff=0.6)
    return plain[found[0]] if found else None


def _roles_by_name(
    shape: Shape, by_name: Mapping[str, str], columns: Sequence[Column], *, alone: bool = True
) -> dict[str, str]:
    """The parts of a shape from the names of columns; nothing where a needed one is missing."""
    if shape == "chat":
        chats = [column for column in columns if plain_name(column.name) in _CHATS and _is_list(column)]
        return {"messages": chats[0].name} if chats else {}
    if shape == "question-answer":
        question, answer, context = (_first(names, by_name) for names in (_QUESTIONS, _ANSWERS, _CONTEXTS))
        if question is None or answer is None:
            return {}
        return {"question": question, "answer": answer} | ({"context": context} if context else {})
    contents = [column for column in columns if column.kind != "identifier"]
    pairs = _PAIRS + (_PAIRS_ALONE if not alone or len(contents) == 2 else ())
    for prompt, completion in pairs:
        if prompt in by_name and completion in by_name:
            roles = {"prompt": by_name[prompt], "completion": by_name[completion]}
            return roles | ({"input": by_name["input"]} if prompt == "instruction" and "input" in by_name else {})
    return {}


def _first(names: Sequence[str], by_name: Mapping[str, str]) -> str | None:
    return next((by_name[name] for name in names if name in by_name), None)


def _is_list(column: Column) -> bool:
    return bool(column.examples) and all(text.startswith("[") for text in column.examples)


def _entity(columns: Sequence[Column]) -> tuple[str, str]:
    """The column that names what each row is about, and why it."""
    filled = [column for column in columns if column.filled]
    if len(filled) < 2:
        raise DataError(
            "The table has fewer than two columns with something in them, so there is nothing to ask about.",
            cause=f"There are: {_listed(columns)}.",
            next_step="Name a file with a column that names things and at least one that describes them.",
        )
    named = sorted((c for c in filled if _name_rank(c) is not None), key=lambda c: _name_rank(c) or 0)
    for share in (MOSTLY, 0.5):
        for column in named:
            if column.distinct >= share * column.filled:
                return column.name, _why(column, "its name says that it names things")
    for kind in ("text", "identifier", "number", "date"):
        for column in filled:
            short = all(len(text) <= _SHORT for text in column.examples)
            if column.kind == kind and short and column.distinct >= MOSTLY * column.filled:
                return column.name, _why(column, "the first column that tells the rows apart")
    raise DataError(
        "No column says what each row is about: in all of them values repeat.",
        cause=f"There are: {_listed(columns)}.",
        next_step="Add a column with a name for each row, or say which it is with prepare.columns: {entity: COLUMN}.",
    )


def _name_rank(column: Column) -> int | None:
    """How much a text column's name says that it names things, 0 most; None where it does not."""
    name = plain_name(column.name)
    if column.kind != "text" or name in _PART_NAMES:
        return None
    if name in _NAMES:
        return _NAMES.index(name)
    return len(_NAMES) if name.endswith(("_name", "_title")) else None


def _why(column: Column, because: str) -> str:
    return f"{because}, and {column.distinct:,} of its {column.filled:,} values differ"


def _listed(columns: Sequence[Column]) -> str:
    return ", ".join(shown(column.name) for column in columns[:12]) + (" and more" if len(columns) > 12 else "")
