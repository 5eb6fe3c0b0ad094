"""Data that holds several things, one of which must be named: what to ask the person, and an answer as an example."""

from __future__ import annotations

import re
from dataclasses import dataclass

from tunesmith.core.errors import TunesmithError
from tunesmith.core.plan import Path

QUERY: Path = "prepare.query"
PART: Path = "prepare.part"
ASKED = {QUERY: "Which rows of the database?", PART: "Which sheet, file or split?"}
"""How a person is asked, who has no plan before them."""

_NAMES = re.compile(r": (?:it (?:has|holds) )?([^:]+?)(?: and more)?\.?$")
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True)
class Meant:
    """What has to be stated before the data can be read."""

    path: Path
    names: tuple[str, ...]
    """The tables, sheets, files or splits that there are, as far as they were told."""

    @property
    def example(self) -> str:
        """An answer that can be taken; empty where nothing is known of the data."""
        if not self.names:
            return ""
        first = self.names[0]
        if self.path == PART:
            return first
        return f"SELECT * FROM {first if _PLAIN.fullmatch(first) else chr(34) + first + chr(34)}"

    @property
    def hint(self) -> str:
        """What to type where it is asked for."""
        what = "a SELECT for the rows that are meant" if self.path == QUERY else "the name of the one that is meant"
        return f"Type {what}{f', e.g. {self.example}' if self.example else ''}."

    @property
    def setting(self) -> str:
        """How it is said on the command line."""
        return f"--set {self.path}='{self.example}'" if '"' in self.example else f'--set {self.path}="{self.example}"'


def meant(error: TunesmithError) -> Meant | None:
    """What `error` asks the person to state; None where it is about something else."""
    path = next((path for path in ASKED if path in error.next_step), None)
    if path is None:
        return None
    lists = any(word in error.title for word in (" several ", " has no ", " holds no "))
    found = _NAMES.search(error.title) if lists else None
    return Meant(path, tuple(found[1].split(", ")) if found else ())
