"""What is opened: a run to watch, a project to go on with, a file to begin with, or a plan."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tunesmith.core.run import Run

if TYPE_CHECKING:
    from tunesmith.core.project import Project


@dataclass(frozen=True)
class Opening:
    """One of these; the others are not stated."""

    run: Run | None = None
    folder: Path | None = None
    """Of a project."""
    plan: Path | None = None
    data: str = ""

    def project(self) -> Project:
        """The project that is meant. Raises TunesmithError."""
        from tunesmith.core.project import Project, new_project, open_plan, project_of
        from tunesmith.core.project_file import read_saved

        if self.run is not None:
            return project_of(self.run)
        if self.folder is not None:
            return Project(self.folder, read_saved(self.folder))
        if self.plan is not None:
            return open_plan(self.plan)
        return new_project(self.data, Path.cwd())
