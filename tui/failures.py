"""Tells a person what went wrong: a sentence and what to do; the traceback goes to a log whose path it names."""

from __future__ import annotations

import sys
import tempfile
import traceback
from pathlib import Path
from typing import TYPE_CHECKING

from tunesmith.core.errors import TunesmithError
from tunesmith.core.prepare.meant import meant
from tunesmith.core.run import runs_root
from tunesmith.tui.plain_text import harmless

if TYPE_CHECKING:
    from textual.worker import Worker

UNEXPECTED = 1


def tell(error: Exception) -> int:
    """Print `error` for a person on standard error and return the exit code."""
    if isinstance(error, FileNotFoundError) and not _folder_exists():
        lines = ["The folder you are in does not exist any more.", "Go to another one, e.g. with `cd`."]
        code = TunesmithError.exit_code
    elif isinstance(error, TunesmithError):
        lines = [error.title, error.cause, error.next_step]
        wanted = meant(error)
        if wanted is not None and wanted.example:
            lines[-1] = f"Say which with {wanted.setting}; in a plan it is {wanted.path}."
        code = error.exit_code
    else:
        lines = [
            f"Something unexpected went wrong: {type(error).__name__}: {error}",
            f"Runs that were started go on. The details are in {_log(error)}.",
        ]
        code = UNEXPECTED
    for number, line in enumerate(filter(None, lines)):
        print(("" if number else "Error: ") + harmless(line), file=sys.stderr)  # noqa: T201 - also works without rich
    return code


def unexpected(error: BaseException) -> TunesmithError:
    """A defect of ours as a sentence; its traceback is in the log that it names."""
    return TunesmithError(
        f"Something unexpected went wrong: {type(error).__name__}.",
        cause=f"{error}. Runs that were started go on, and your answers are kept.",
        next_step=f"The details are in {_log(error)}.",
    )


def defect(event: Worker.StateChanged) -> TunesmithError | None:
    """What ended a worker that should have caught it, as a sentence; None where the worker did not end so."""
    return unexpected(event.worker.error) if event.state.name == "ERROR" and event.worker.error is not None else None


def _folder_exists() -> bool:
    try:
        Path.cwd()
    except FileNotFoundError:
        return False
    return True


def _log(error: BaseException) -> Path:
    """Where the traceback was written."""
    try:
        places = [runs_root().parent, Path(tempfile.gettempdir())]
    except TunesmithError:
        places = [Path(tempfile.gettempdir())]
    for folder in places:
        path = folder / "tunesmith-error.log"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            path.write_text("".join(traceback.format_exception(error)), encoding="utf-8")
        except OSError:
            continue
        return path
    return Path("(nowhere: no folder could be written to)")
