"""What the wizard opens instead of its start: a run to watch, a file to begin with, or a plan."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tunesmith.core.run import Run

if TYPE_CHECKING:
    from tunesmith.core.project import Project


class Opening:
    """What to open at the start: a run to watch, or a file to begin a project with."""

    def __init__(self, *, run: Run | None = None, data: str = "", plan: Path | None = None) -> None:
        self._run, self._data, self._plan = run, data, plan

    def prepare(self) -> tuple[Project, Run | None]:
        """The project, and the run that is watched. Raises TunesmithError."""
        from tunesmith.core.project import new_project, open_plan, project_of

        if self._run is not None:
            return project_of(self._run), self._run
        if self._plan is not None:
            return open_plan(self._plan), None
        return new_project(self._data, Path.cwd()), None
