"""Which part each row belongs to: train, validation or test, decided by a hash, so that it never moves.

Each group's value is hashed with the seed to a number from 0 to 1; the lowest go to test, the next to validation, the
rest to train. A row added later therefore moves no other, and nobody stands in two parts. The price: shares are met
about, not exactly (with n groups and share p, give or take the square root of n p (1 - p)). Cutting sorted hashes at
quantiles would meet them exactly, and would move old rows at each addition.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from tunesmith.core.errors import DataError
from tunesmith.core.plan import Split as SplitPlan
from tunesmith.core.prepare.cells import counted
from tunesmith.core.rows import SPLITS, Row, Split


def split_rows(rows: Iterable[Row], plan: SplitPlan) -> dict[Split, list[Row]]:
    """The rows of each part, in the order given: by `Row.group`, or by the prompt where a row has no group.

    Raises:
        DataError: A part that the plan wants would be empty.
    """
    parts: dict[Split, list[Row]] = {name: [] for name in SPLITS}
    groups = set()
    for row in rows:
        value = group_of(row)
        groups.add(value)
        parts[part_of(value, plan)].append(row)
    wanted = {"train": True, "validation": plan.validation > 0, "test": True}
    for name in SPLITS:
        if wanted[name] and not parts[name]:
            one, many = ("value of " + plan.by, "values of " + plan.by) if plan.by else ("prompt", "prompts")
            step = "lower prepare.split.test" if name == "train" else f"raise prepare.split.{name}"
            raise DataError(
                f"There are too few rows: of {counted(len(groups), one, many)} none falls into the {name} part.",
                next_step=f"Add rows, {step}, or try another prepare.split.seed.",
            )
    return parts


def part_of(value: str, plan: SplitPlan) -> Split:
    """The part of a group's value."""
    digest = hashlib.blake2b(f"{plan.seed}\0{value}".encode(), digest_size=8).digest()
    place = int.from_bytes(digest, "big") / 2**64
    if place < plan.test:
        return "test"
    return "validation" if place < plan.test + plan.validation else "train"


def group_of(row: Row) -> str:
    """What must not be divided: the group without regard to case and spacing, else the prompt itself."""
    if row.group:
        return " ".join(row.group.casefold().split())
    return "\0".join(f"{message.role}\0{message.content}" for message in row.prompt)
