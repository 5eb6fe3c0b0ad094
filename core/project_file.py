"""`project.json`: what is kept of a project, and where; light, so that a start screen can list projects at once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from tunesmith.core.errors import AccessError
from tunesmith.core.run import runs_root


class Saved(msgspec.Struct, omit_defaults=True):
    """`project.json`."""

    base: str
    """The folder that relative paths start from."""
    wishes: dict[str, Any] = {}
    stage: str = "understand"
    """The screen that was open last."""
    settled: dict[str, str] = {}
    """Stage → fingerprint of its section when it was accepted."""
    accepted: dict[str, dict[str, Any]] = {}
    """Stage → its values, as they were when the stage was accepted."""
    set_aside: dict[str, dict[str, Any]] = {}
    """What a change made meaningless, by the value it belonged to (`select.method=lora`): it is back when that is."""
    run: str = ""
    """The folder of the run that was started from it."""


def projects_root() -> Path:
    """Where projects are kept: beside the runs."""
    return runs_root() / "projects"


def saved_projects() -> list[tuple[Path, Saved]]:
    """The folder and the answers of each project that can be read, the one changed last first."""
    found = []
    for path in projects_root().glob("*/project.json"):
        try:
            found.append((path.stat().st_mtime, path.parent, msgspec.json.decode(path.read_bytes(), type=Saved)))
        except (OSError, msgspec.DecodeError):
            continue
    return [(folder, saved) for _, folder, saved in sorted(found, key=lambda one: one[0], reverse=True)]


def read_saved(folder: Path) -> Saved:
    """The answers kept in a project's folder.

    Raises:
        AccessError: They can't be read.
    """
    try:
        return msgspec.json.decode((folder / "project.json").read_bytes(), type=Saved)
    except (OSError, msgspec.DecodeError) as error:
        raise AccessError(
            f"The answers kept in {folder} can't be read.", cause=str(error), next_step="Begin a new project."
        ) from error


def unfinished() -> tuple[Path, Saved] | None:
    """The project changed last of those that no run was started from yet, or whose run is gone."""
    return next((one for one in saved_projects() if not one[1].run or not Path(one[1].run).exists()), None)
