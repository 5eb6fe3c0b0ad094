"""The real command in a real process."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

TUNESMITH = str(Path(sys.executable).with_name("tunesmith"))

Command = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def tunesmith(tmp_path: Path, runs_folder: Path) -> Command:
    """Call `tunesmith` with these words from an empty folder; its output is caught."""
    here = tmp_path / "here"
    here.mkdir()

    def call(*words: str, timeout: float = 900, **environment: str) -> subprocess.CompletedProcess[str]:
        settings = {**os.environ, "TUNESMITH_RUNS": str(runs_folder), "COLUMNS": "120", **environment}
        return subprocess.run(
            [TUNESMITH, *words],
            cwd=here,
            env=settings,
            capture_output=True,
            text=True,
            timeout=timeout,
            stdin=subprocess.DEVNULL,
            check=False,
        )

    return call


@pytest.fixture
def here(tmp_path: Path) -> Path:
    """The folder that `tunesmith` is called from."""
    return tmp_path / "here"
