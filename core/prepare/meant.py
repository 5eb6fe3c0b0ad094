"""Data that holds several things, one of which must be named: what to ask the person, and an answer as an example."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass

from tunesmith.core.errors import DataError, TunesmithError
from tunesmith.core.plan import Path
from tunesmith.core.prepare.cells import shown

QUERY: Path = "prepare.query"
PART: Path = "prepare.part"
ASKED = {QUERY: "Which rows of the database?", PART: "Which sheet, file or split?"}
"""How a person is asked, who has no plan before them."""

LONGEST = 200
"""Characters of a name that is offered to a person to type."""
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_STEERS_SHELL = frozenset('"$`\\!')
"""What a shell obeys also between double quotes."""


@dataclass(frozen=True)
class Meant:
    """What has to be stated before the data can be read."""

    path: Path
    names: tuple[str, ...]
    """The tables, sheets, files or splits that there are, as the data write them; none where that is not known."""

    @property
    def example(self) -> str:
        """An answer that can be typed and shown as it is; empty where no name is one, or none is known."""
        first = next((name for name in self.names if name and shown(name, most=LONGEST) == name), "")
        if self.path == PART or not first:
            return first
        return f"SELECT * FROM {first if _PLAIN.fullmatch(first) else _quoted(first)}"

    @property
    def hint(self) -> str:
        """What to type where it is asked for."""
        what = "a SELECT for the rows that are meant" if self.path == QUERY else "the name of the one that is meant"
        return f"Type {what}{f', e.g. {self.example}' if self.example else ''}."

    @property
    def setting(self) -> str:
        """How it is said on the command line: a shell takes the name as text, whatever is in it."""
        plain = _STEERS_SHELL.isdisjoint(self.example)
        return f'--set {self.path}="{self.example}"' if plain else f"--set {self.path}={shlex.quote(self.example)}"


def meant(error: TunesmithError) -> Meant | None:
    """What `error` asks the person to state; None where it is about something else."""
    return Meant(error.asks, error.names) if isinstance(error, DataError) and error.asks else None


def _quoted(name: str) -> str:
    """A name as SQL's delimited identifier (ISO/IEC 9075-2, 5.2)."""
    return '"{}"'.format(name.replace('"', '""'))
