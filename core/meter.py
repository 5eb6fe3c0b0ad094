"""How far a long piece of work is: told by whoever works, shown by whoever waits, who may also end it."""

from __future__ import annotations

from collections.abc import Callable

Meter = Callable[[str, int, int], None]
"""Called with what is being done (a phrase such as `reading`), how much of it is done, and of how much (0: not known).

It may raise `Cancelled`, which must be let through.
"""


class Cancelled(Exception):
    """Whoever waits does not want it any more."""


def silent(doing: str, done: int, of: int) -> None:
    """Nobody is told."""
