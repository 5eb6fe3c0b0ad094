"""Errors that a person can mend: what happened, why, and what to do next.

Every error that reaches a person is one of these; anything else is a defect of ours and is reported as such, with
the path of the log that holds its traceback.
"""

from __future__ import annotations

from pathlib import Path


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


class DataError(TunesmithError):
    """The person's file can't be read or used as it is; names the file and, where there is one, the line."""

    def __init__(
        self, title: str, *, next_step: str, cause: str = "", file: Path | None = None, line: int | None = None
    ):
        super().__init__(title, next_step=next_step, cause=cause)
        self.file = file
        self.line = line


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
