from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tunesmith.core.git_state import GitState, git_state


def repository(folder: Path) -> str:
    """A repository with one committed file in it; returns the commit."""
    folder.mkdir()
    (folder / "data.csv").write_text("a,b\n")
    name = ("-c", "user.name=x", "-c", "user.email=x@localhost", "-c", "commit.gpgsign=false")
    for words in (("init", "-q"), ("add", "."), (*name, "commit", "-q", "-m", "first")):
        subprocess.run(["git", *words], cwd=folder, check=True, capture_output=True)
    done = subprocess.run(["git", "rev-parse", "HEAD"], cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout.strip()


def test_commit_and_changes_of_a_repository_are_told(tmp_path: Path) -> None:
    commit = repository(tmp_path / "work")
    (tmp_path / "work" / "new.csv").write_text("not tracked\n")
    assert git_state(tmp_path / "work") == GitState(commit, changed=False)
    (tmp_path / "work" / "data.csv").write_text("c,d\n")
    assert git_state(tmp_path / "work") == GitState(commit, changed=True)


def test_a_folder_without_a_repository_a_commit_or_git_has_no_state(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert git_state(tmp_path) is None
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    assert git_state(tmp_path) is None
    assert git_state(tmp_path / "missing") is None
    repository(tmp_path / "work")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert git_state(tmp_path / "work") is None


def test_a_repository_can_not_start_programs(tmp_path: Path) -> None:
    repository(tmp_path / "work")
    trap = f"touch {tmp_path / 'never'}"
    subprocess.run(["git", "config", "core.fsmonitor", trap], cwd=tmp_path / "work", check=True)
    assert git_state(tmp_path / "work") is not None
    assert not (tmp_path / "never").exists()
