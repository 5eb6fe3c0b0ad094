"""A project: what a person has answered so far, on disk before the next screen opens, and what follows from it.

`runs/projects/NAME/` holds `project.json` (the wishes and how far the person is) and `plan.yaml` (what would run now).
The wizard, the plain prompts and a later login all go on from the same folder.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import msgspec

from tunesmith.core.consequences import Change
from tunesmith.core.draft import Reason
from tunesmith.core.errors import AccessError, PlanError, RunError, TunesmithError
from tunesmith.core.facts import Facts
from tunesmith.core.outlook import Outlook, outlook
from tunesmith.core.paths import is_file, plan_spelled_out, spelled_out, wishes_spelled_out
from tunesmith.core.plan import Path as PlanPath
from tunesmith.core.plan import Plan
from tunesmith.core.plan_file import hand_out
from tunesmith.core.plan_yaml import read_plan, write_plan
from tunesmith.core.prepare.recommend import project_name
from tunesmith.core.prepare.roles import taken_twice
from tunesmith.core.project_file import Saved, projects_root, read_saved, saved_projects
from tunesmith.core.proof import lost_told
from tunesmith.core.recommend import Resolution, resolve
from tunesmith.core.run import Run, write_json
from tunesmith.core.schema import knobs, plain_value, shown, value_at, wishes_of
from tunesmith.core.select.warnings import Caution, warnings
from tunesmith.core.survey import Survey
from tunesmith.core.wishes import with_wish

Standing = Literal["settled", "stale", "open"]
ASKED: tuple[str, ...] = ("understand", "prepare", "select")
"""The stages that ask; the later three are what a run does."""

MEASURED = (
    "prepare.data",
    "prepare.query",
    "prepare.part",
    "prepare.encoding",
    "prepare.shape",
    "prepare.columns",
    "select.model",
    "select.gpu",
)
"""Values that decide what is measured: after a change of one of them, nothing is known until it is measured anew."""
STARTED = "started"
"""What the fingerprint of the answers is kept under when a run is started."""
ROWS = "prepare."
"""Other values of this section change the rows: they are made and counted anew, while the rest already shows."""


class Project:
    """One person's answers, the facts measured for them, and the plan that follows."""

    def __init__(self, folder: Path, saved: Saved) -> None:
        self.folder = folder
        self.saved = saved
        self.survey: Survey | None = None
        self.resolution: Resolution | None = None
        self._measured_for: dict[PlanPath, Any] | None = None
        self._kept = dict(saved.wishes)
        """The wishes as they were read or written last."""
        self._kept_at = _changed_at(folder)

    @property
    def pending(self) -> bool:
        """Whether what was measured is not of the present wishes: a plan must not be run on it."""
        return self._measured_for != _measured_by(self.wishes)

    @property
    def name(self) -> str:
        """Of its folder."""
        return self.folder.name

    @property
    def base(self) -> Path:
        """The folder that relative paths start from."""
        return Path(self.saved.base)

    @property
    def wishes(self) -> Mapping[PlanPath, Any]:
        """What the person stated."""
        return self.saved.wishes

    @property
    def plan_path(self) -> Path:
        """Where `write_plan` leaves what would run now."""
        return self.folder / "plan.yaml"

    @property
    def plan(self) -> Plan:
        """What would run now. Raises RunError before anything was measured."""
        return self.resolved.plan

    @property
    def reasons(self) -> Mapping[PlanPath, Reason]:
        """Why each value is what it is."""
        return self.resolved.reasons

    @property
    def facts(self) -> Facts:
        """What was measured last. Raises RunError before anything was."""
        if self.survey is None:
            raise RunError("Nothing was measured yet.", next_step="Wait a moment.")
        return self.survey.facts

    @property
    def outlook(self) -> Outlook:
        """What the plan will take."""
        return outlook(self.plan, self.facts)

    @property
    def cautions(self) -> list[Caution]:
        """Values of the plan that are legal and hardly meant."""
        proof = self.survey.proof if self.survey is not None else None
        lost = lost_told(proof) if proof is not None and proof.max_length == self._longest else ""
        at = "select.hyperparameters.max_length"
        roles = self.plan.prepare.columns
        twice = taken_twice(roles)
        doubled = [Caution(f"prepare.columns.{role}", twice) for role in roles] if twice else []
        return [*doubled, *([Caution(at, lost)] if lost else []), *warnings(self.plan, self.facts)]

    @property
    def _longest(self) -> int:
        return self.plan.select.hyperparameters.max_length

    @property
    def run(self) -> Run | None:
        """The run that was started from it, where it is still there."""
        folder = Path(self.saved.run)
        return Run(folder) if self.saved.run and (folder / "plan.yaml").exists() else None

    def wish(self, path: PlanPath, value: Any) -> bool:
        """State a value, keep it, and work out what follows; returns whether something must be measured anew.

        Raises:
            PlanError: It contradicts the schema or another wish; everything stays as it was.
            AccessError: It can't be kept on disk.
        """
        wishes = with_wish(self.wishes, path, value)
        aside = {**self.saved.set_aside}
        gone = {key: one for key, one in self.wishes.items() if key not in wishes}
        if gone and self.resolution is not None:
            aside[f"{path}={value_at(self.plan, path)}"] = gone
        back = aside.pop(f"{path}={value}", {}) if path != "prepare.data" else {}
        wishes = {**back, **wishes}
        return self._take_up(wishes_spelled_out(wishes, self.base), path, aside)

    def take_back(self, path: PlanPath) -> bool:
        """Go back to what is recommended at `path`; returns whether something must be measured anew."""
        wishes = {key: one for key, one in self.wishes.items() if key != path}
        return self._take_up(wishes, path, self.saved.set_aside)

    @contextmanager
    def undivided(self) -> Iterator[None]:
        """All that is said and measured inside, or nothing of it: an error leaves everything as it was before."""
        saved = (self.saved.wishes, self.saved.set_aside)
        seen = (self.survey, self.resolution, self._measured_for)
        try:
            yield
        except TunesmithError:
            self.saved.wishes, self.saved.set_aside = saved
            self.survey, self.resolution, self._measured_for = seen
            self.save()
            raise

    def measured(self, survey: Survey) -> None:
        """Take up what was measured for the present wishes.

        Raises:
            PlanError: A wish contradicts what was measured.
        """
        self.resolution = resolve(self.wishes, survey.facts)
        self.survey = survey
        self._measured_for = _measured_by(self.wishes)

    def accept(self, stage: str) -> None:
        """Settle a stage as it is now, and keep that."""
        self.saved.settled[stage] = self._fingerprint(stage)
        self.saved.accepted[stage] = self._asked(stage)
        self.save()

    def standing(self, stage: str) -> Standing:
        """Whether a stage was accepted, and is still what it was then."""
        accepted = self.saved.settled.get(stage)
        if accepted is None:
            return "open"
        if self.resolution is None:
            return "settled"
        return "settled" if accepted == self._fingerprint(stage) else "stale"

    def changed_since(self, stage: str) -> list[Change]:
        """What is another way than when the stage was accepted: of what everybody is asked, then of the rest."""
        before = self.saved.accepted.get(stage, {})
        if self.standing(stage) != "stale" or not before:
            return []
        now = self._asked(stage)
        found = [(knob, before.get(knob.path), now[knob.path]) for knob in knobs(stage) if knob.path in now]
        found.sort(key=lambda one: not one[0].question)
        return [
            Change(knob.title.lower(), shown(knob, was), shown(knob, is_now))
            for knob, was, is_now in found
            if was != is_now
        ]

    def _asked(self, stage: str) -> dict[str, Any]:
        """Every value of a stage as plain data."""
        return {knob.path: plain_value(self.plan, knob.path) for knob in knobs(stage)}

    def go_to(self, stage: str) -> None:
        """Note which screen is open, so that the next start opens it again."""
        if stage != self.saved.stage:
            self.saved.stage = stage
            self.save()

    def started(self, run: Run) -> None:
        """Note the run that was started from it."""
        self.saved.run = str(run.folder)
        self.saved.settled[STARTED] = _fingerprint_of_wishes(self.wishes)
        self.save()

    def save(self) -> None:
        """Keep everything that was said. Raises AccessError where the disk refuses."""
        self._take_in_what_another_wrote()
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            write_json(self.folder / "project.json", self.saved)
            self._kept, self._kept_at = dict(self.saved.wishes), _changed_at(self.folder)
        except OSError as error:
            raise AccessError(
                f"Your answers can't be kept in {self.folder}: {error.strerror}.",
                next_step="Set TUNESMITH_RUNS to a folder that you may write to.",
            ) from error

    def write_plan(self) -> Path:
        """Write what would run now, with its reasons, and return where. Raises AccessError."""
        self.save()
        write_plan(self.plan_path, self.plan, self.reasons)
        return self.plan_path

    def write_plan_to(self, folder: Path) -> Path:
        """Write a copy of the plan into `folder` under a name that is free; returns where. Raises AccessError."""
        names = (f"{self.plan.name}{suffix}.yaml" for suffix in ("", *(f"-{n}" for n in range(2, 10_000))))
        path = next(folder / name for name in names if not (folder / name).exists())
        hand_out(path, self.plan, self.reasons)
        return path

    @property
    def run_is_stale(self) -> bool:
        """Whether the answers are others than those that the run was started with.

        Not the plan is compared but the answers: what is recommended also depends on the memory that is free now.
        """
        started = self.saved.settled.get(STARTED)
        return self.run is not None and started is not None and started != _fingerprint_of_wishes(self.wishes)

    def _take_up(self, wishes: dict[str, Any], path: PlanPath, aside: dict[str, dict[str, Any]]) -> bool:
        anew = path.startswith(MEASURED)
        if self.survey is not None and not anew:
            self.resolution = resolve(wishes, self.survey.facts)
        self.saved.wishes, self.saved.set_aside = wishes, aside
        self.save()
        return anew or path.startswith(ROWS)

    def _take_in_what_another_wrote(self) -> None:
        """Two wizards on one project: what the other stated since stays, unless it was stated otherwise here."""
        if self._kept_at is None or _changed_at(self.folder) == self._kept_at:
            return
        try:
            theirs = read_saved(self.folder).wishes
        except AccessError:
            return
        ours = {key: one for key, one in self.saved.wishes.items() if self._kept.get(key, self) != one}
        dropped = self._kept.keys() - self.saved.wishes.keys()
        self.saved.wishes = {**{key: one for key, one in theirs.items() if key not in dropped}, **ours}

    @property
    def resolved(self) -> Resolution:
        """The plan with its reasons. Raises RunError before anything was measured."""
        if self.resolution is None:
            raise RunError("Nothing was measured yet.", next_step="Wait a moment.")
        return self.resolution

    def _fingerprint(self, stage: str) -> str:
        return _fingerprint(self.plan, stage)


def _measured_by(wishes: Mapping[PlanPath, Any]) -> dict[PlanPath, Any]:
    """The wishes that decide what is measured."""
    return {path: value for path, value in wishes.items() if path.startswith((*MEASURED, ROWS))}


def _changed_at(folder: Path) -> int | None:
    try:
        return (folder / "project.json").stat().st_mtime_ns
    except OSError:
        return None


def _fingerprint_of_wishes(wishes: Mapping[PlanPath, Any]) -> str:
    return hashlib.sha256(msgspec.json.encode(dict(wishes), order="sorted")).hexdigest()[:16]


def _fingerprint(plan: Plan, stage: str = "") -> str:
    """Of one section of a plan, or of all of it."""
    section = (getattr(plan, stage) if stage else plan).model_dump_json()
    return hashlib.sha256(section.encode()).hexdigest()[:16]


def new_project(data: str, base: Path, wishes: Mapping[PlanPath, Any] | None = None) -> Project:
    """A project for a file (or `practice`), not on disk before something is said or measured.

    Raises:
        AccessError: A path begins with a home that does not exist.
    """
    stated = wishes_spelled_out({**(wishes or {}), "prepare.data": data}, base)
    return Project(_free_folder(project_name(stated["prepare.data"])), Saved(str(base), stated))


def open_plan(path: Path) -> Project:
    """A project in which every value of the plan file at `path` is a wish.

    Raises:
        PlanError: It is no valid plan.
    """
    plan = read_plan(path)
    base = path.absolute().parent
    stated = wishes_spelled_out(wishes_of(plan), base)
    return Project(_free_folder(plan.name), Saved(str(base), stated))


def project_of(run: Run) -> Project:
    """The project that a run was started from; where that is gone, one made of the run's own plan.

    Raises:
        PlanError: The run's plan can't be read.
    """
    for project in list_projects():
        if project.saved.run == str(run.folder):
            return project
    project = open_plan(run.plan_path)
    project.saved.run = str(run.folder)
    plan = plan_spelled_out(read_plan(run.plan_path), run.folder)
    project.saved.settled = {stage: _fingerprint(plan, stage) for stage in (*ASKED, "finetune")}
    project.saved.settled[STARTED] = _fingerprint_of_wishes(project.wishes)
    return project


def list_projects() -> list[Project]:
    """All projects that can be read, the one changed last first."""
    return [Project(folder, saved) for folder, saved in saved_projects()]


def named_data(text: str, base: Path) -> str:
    """A file, a folder or a pattern as a person typed it, spelled out; names on the Hub and addresses of databases stay
    as they are. Whether it is there is found out when it is read.

    Raises:
        PlanError: Nothing was named.
    """
    text = text.strip().strip("'\"")
    if not text:
        raise PlanError("No file is named.", next_step="Type a path, e.g. data.csv.")
    return str(spelled_out(text, base)) if is_file(text) else text


def _free_folder(name: str) -> Path:
    name = re.sub(r"[^A-Za-z0-9._-]", "-", name)
    root = projects_root()
    return next(
        folder
        for folder in (root / (name + suffix) for suffix in ("", *(f"-{n}" for n in range(2, 10_000))))
        if not folder.exists()
    )
