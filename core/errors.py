"""Errors that a person can mend: what happened, why, and what to do next.

Every error that reaches a person is one of these; anything else is a defect of ours and is reported as such, with
the path of the log that holds its traceback.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any


class TunesmithError(Exception):
    """One clear sentence, its likely cause and the next step.

    Args:
        title: What happened, as a sentence that ends in a full stop.
        next_step: What the person can do about it, as a sentence.
        cause: Why it happened, where the title does not already say so.
    """

    exit_code = 2
    """What the command line returns for it; README.md lists the codes."""

    def __init__(self, title: str, *, next_step: str, cause: str = "") -> None:
        super().__init__(" ".join(part for part in (title, cause, next_step) if part))
        self.title = title
        self.cause = cause
        self.next_step = next_step

    @property
    def carried(self) -> dict[str, Any]:
        """What it says beside its words: arguments of its class as JSON values, for whoever raises it anew."""
        return {}


class DataError(TunesmithError):
    """The person's file can't be read or used as it is; names the file and, where there is one, the line.

    Args:
        asks: The path of the value of the plan that has to be stated for the data to be read, e.g. `prepare.part`;
            empty where nothing has to be.
        names: All that the data hold of which one has to be named there, as the data write them: they may hold
            anything that a terminal would obey. Those that are no text, and so can't be stated, are left out.
    """

    def __init__(
        self,
        title: str,
        *,
        next_step: str,
        cause: str = "",
        file: Path | None = None,
        line: int | None = None,
        asks: str = "",
        names: Iterable[str] = (),
    ):
        super().__init__(title, next_step=next_step, cause=cause)
        self.file = file
        self.line = line
        self.asks = asks
        self.names = tuple(name for name in names if name.encode("utf-8", "replace").decode("utf-8") == name)

    @property
    def carried(self) -> dict[str, Any]:
        """What the plan has to state, and the names there are."""
        return {"asks": self.asks, "names": list(self.names)}


class QueryError(DataError):
    """A query is not one that can be taken: it does more than read, or its columns lack names of their own."""


class PlanError(TunesmithError):
    """A plan is not valid: names the file, the line, the path of the key and the nearest valid name."""

    def __init__(
        self, title: str, *, next_step: str, cause: str = "", file: Path | None = None, line: int | None = None
    ):
        super().__init__(title, next_step=next_step, cause=cause)
        self.file = file
        self.line = line


class ModelError(TunesmithError):
    """A folder or name does not lead to a model that can be loaded, or the model can't be used for this plan."""


class HubError(ModelError):
    """The Hugging Face Hub can't be reached, is not to be asked, or does not give what was asked for."""


class SpaceError(TunesmithError):
    """There is not enough room on disk, in memory or on the GPU for what was asked."""


class AccessError(TunesmithError):
    """The file system refuses to let us read or write where the plan says."""


class RunError(TunesmithError):
    """A run does not exist, is not in a state that allows what was asked, or ended badly."""


class JobFailed(TunesmithError):
    """A job ended with an error after it had started; what it had saved is still there."""

    exit_code = 1
