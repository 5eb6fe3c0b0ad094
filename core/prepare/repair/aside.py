"""A record that is not used."""

from __future__ import annotations

from dataclasses import dataclass

from tunesmith.core.prepare.records import Record


@dataclass(frozen=True)
class SetAside:
    """A record that is not used, which step took it out, and why."""

    record: Record
    """As it was read."""
    step: str
    """The repair's kind, or what else was done."""
    why: str
    """A clause such as `salary is empty`; harmless text."""

    @property
    def number(self) -> int:
        """Which record it is of all that were read, counted from 1."""
        return self.record.number

    @property
    def line(self) -> int:
        """Where it begins in its file, counted from 1."""
        return self.record.line

    @property
    def file(self) -> str:
        """The name of its file, where several were read."""
        return self.record.file
