"""What stands in a cell, inside a sentence to a person: personal data is masked before anything is cut."""

from __future__ import annotations

from collections.abc import Iterable

from tunesmith.core.prepare.cells import shown
from tunesmith.core.prepare.kinds import plain_name
from tunesmith.core.prepare.personal.find import KINDS, found, mask, names_people
from tunesmith.core.prepare.repair.words import PLACEHOLDERS

REACH = 4096
"""Characters on either side of what is shown that are looked at: what tells a number (its name, the key's first line)
stands before it, and a private key of 4,096 bits takes 3,300."""

EDGE = 128
"""Characters at the end of a stretch that was cut which are not shown: a piece may be cut in two there."""

_ABOUT_PEOPLE = frozenset(
    ("salary", "wage", "hire_date", "hired", "department", "job_title", "position", "gender", "sex", "age", "born")
) | {"email", "e_mail", "phone", "birth_date", "birthday", "date_of_birth", "dob", "nationality", "marital_status"}
"""Columns beside which `name` is that of a person."""


def people_in(columns: Iterable[str]) -> frozenset[str]:
    """Those of a file's columns that hold names of people, by their headers and by what stands beside them."""
    names = list(columns)
    people = bool(_ABOUT_PEOPLE & {plain_name(name) for name in names})
    return frozenset(name for name in names if names_people(name) or (people and plain_name(name) == "name"))


def told(text: str, most: int = 60, column: str = "", at: int = 0, *, names: bool | None = None) -> str:
    """A value of the data for a sentence: personal data masked, then cut, and harmless for a terminal.

    Args:
        text: Any text, of any length; only what lies near `at` is looked at.
        most: Characters that are shown at most.
        column: The header of its column, which may tell what its numbers are.
        at: Where what is shown begins; where a piece of personal data does not end before that, with the piece.
        names: Whether the column holds names of people; by its header alone where this is None.
    """
    people = names_people(column) if names is None else names
    if people and text.strip():
        return PLACEHOLDERS["name"]
    first = max(0, at - REACH)
    stretch = text[first : at + REACH]
    kinds = [kind for kind in KINDS if kind != "name"]
    parts, last = [], at - first
    for piece in found(stretch, kinds, column):
        if piece.end > last:
            parts += [stretch[last : max(last, piece.start)], PLACEHOLDERS[piece.kind]]
            last = piece.end
    end = len(stretch) - EDGE if at + REACH < len(text) else len(stretch)
    masked = mask("".join(parts) + stretch[last : max(last, end)], kinds, column)
    return shown(("…" if at else "") + masked + ("…" if at + REACH < len(text) else ""), most)
