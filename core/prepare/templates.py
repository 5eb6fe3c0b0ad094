"""What question templates name, and draws that depend on nothing but what they are for (`core.records` fills them)."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from functools import lru_cache

from tunesmith.core.errors import PlanError
from tunesmith.core.prepare.cells import shown
from tunesmith.core.prepare.shape import nearest

_PLACE = re.compile(r"\{\{|\}\}|\{([^{}]*)\}")


@lru_cache(maxsize=256)
def columns_in(template: str) -> tuple[str, ...]:
    """The columns that a template names, in order, each once; {{ and }} stand for braces themselves."""
    return tuple(dict.fromkeys(found[1] for found in _PLACE.finditer(template) if found[1] is not None))


def check_template(template: str, columns: Sequence[str], place: str) -> None:
    """Refuse a template that names a column which does not exist; `place` is its path in the plan.

    Raises:
        PlanError: Names the column and the nearest one that there is.
    """
    for name in columns_in(template):
        if name not in columns:
            near = nearest(name, columns)
            there = ", ".join(f"{{{shown(column)}}}" for column in columns[:12])
            raise PlanError(
                f"`{place}`: there is no column {{{shown(name)}}} in the data: {shown(template)!r}.",
                next_step=f"Did you mean {{{shown(near)}}}?" if near else f"There are: {there}.",
            )


def draw(*parts: object) -> int:
    """A number from 0 to 2^64 - 1 that depends on nothing but `parts`: on every machine, in every order of rows."""
    text = "\0".join(str(part) for part in parts).encode("utf-8")
    return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "big")


def shuffled(fields: Iterable[str], *parts: object) -> list[str]:
    """`fields` in an order drawn from `parts`."""
    return sorted(fields, key=lambda column: draw(*parts, "order", column))
