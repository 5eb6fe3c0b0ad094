"""What is known of a file before the checks look at it: its columns, its shape, and which column plays which part."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tunesmith.core.facts import Column, ColumnKind, Shape
from tunesmith.core.prepare.kinds import told_columns

MOST_LABELS = 200
"""Different values: with more, a column holds names or texts, not labels."""

LABELS_REPEAT = 10
"""A label stands in at least this many rows on average."""

_PROMPTS = ("question", "prompt", "input", "instruction", "text")
_ANSWERS = ("answer", "completion", "chosen", "rejected")
_OPTIONAL = ("input", "system", "tools")
"""Parts that many rows may lack without a fault."""


@dataclass(frozen=True)
class Seen:
    """A file as far as it is understood."""

    columns: tuple[Column, ...]
    shape: Shape
    roles: Mapping[str, str]
    used: tuple[str, ...]
    """Columns that go into prompts and answers; others may be empty or odd."""
    needed: tuple[str, ...]
    """Those of them without which a row is useless, however many are empty."""
    prompts: tuple[str, ...] = ()
    """Columns that a prompt is made of, without the context; none in a table and in chats."""
    answers: tuple[str, ...] = ()
    """Columns with the text that is to be written."""

    @property
    def context(self) -> str | None:
        """The column that answers are to be found in."""
        return self.roles.get("context")

    @property
    def entity(self) -> str | None:
        """Of a table: the column that names what a row is about."""
        return self.roles.get("entity") if self.shape == "table" else None

    @property
    def label(self) -> str | None:
        """The column with one of a few answers, if it is that kind of data."""
        if self.shape == "classification":
            return self.roles.get("label")
        return next((name for name in self.answers if self.is_label(name)), None)

    @property
    def asked(self) -> tuple[str, ...]:
        """All columns that decide what the answer must be: the prompts and the context."""
        return (*self.prompts, *((self.context,) if self.context and self.prompts else ()))

    @property
    def optional(self) -> frozenset[str]:
        """Columns that many rows may lack without a fault."""
        return frozenset(self.roles[part] for part in _OPTIONAL if part in self.roles)

    def column(self, name: str) -> Column | None:
        """What is known of a column."""
        return next((column for column in self.columns if column.name == name), None)

    def kind(self, name: str) -> ColumnKind:
        """What a column holds; text where it is not known."""
        column = self.column(name)
        return column.kind if column else "text"

    def is_label(self, name: str) -> bool:
        """Whether a column holds one of a few values that repeat."""
        column = self.column(name)
        return (
            column is not None
            and column.kind != "identifier"
            and 1 < column.distinct <= MOST_LABELS
            and column.distinct * LABELS_REPEAT <= column.filled
        )

    def structured(self, name: str) -> bool:
        """Whether a column holds JSON: mending its text would have to know how it is written."""
        column = self.column(name)
        return bool(column and column.examples) and all(e[:1] in ("[", "{") for e in column.examples)  # type: ignore[union-attr]

    @property
    def texts(self) -> tuple[str, ...]:
        """The used columns that hold words."""
        return tuple(name for name in self.used if self.kind(name) == "text")


def seen_of(columns: tuple[Column, ...], shape: Shape, roles: Mapping[str, str], needed: tuple[str, ...]) -> Seen:
    """What the checks need to know, from the shape and its parts."""
    named = {column.name for column in columns}
    roles = {part: name for part, name in roles.items() if name in named}
    used = tuple(told_columns(shape, roles, columns))
    if shape in ("table", "chat"):
        return Seen(columns, shape, roles, used, needed)
    prompts = tuple(roles[part] for part in _PROMPTS if part in roles and not (shape == "text" and part == "text"))
    answers = tuple(roles[part] for part in _ANSWERS if part in roles)
    if shape == "text" and "text" in roles:
        answers = (roles["text"],)
    return Seen(columns, shape, roles, used, needed, prompts, answers)
