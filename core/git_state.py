"""The git state of the folder that a person works in: which commit, and whether files differ from it."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import msgspec

SECONDS = 5.0
"""A repository on a slow disk must not hold up a run for a line in its record."""


class GitState(msgspec.Struct, frozen=True):
    """What a folder's repository was at."""

    commit: str
    """The full hash."""
    changed: bool
    """Whether tracked files differ from it."""


def git_state(folder: Path) -> GitState | None:
    """The state of the repository that `folder` lies in; None where there is none, no commit yet, or no git."""
    commit = _git(folder, "rev-parse", "--verify", "HEAD")
    if commit is None:
        return None
    return GitState(commit.strip(), bool(_git(folder, "status", "--porcelain", "--untracked-files=no")))


def _git(folder: Path, *words: str) -> str | None:
    """What git answers, or None. Programs that a repository's own settings name are not started."""
    safe = ("-c", "core.fsmonitor=false", "--no-optional-locks")
    try:
        done = subprocess.run(
            ["git", *safe, *words],
            cwd=folder,
            env={**os.environ, "LC_ALL": "C"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode == 0 else None
