"""`tunesmith demo`, `tunesmith run` and `tunesmith prompt`: start a detached job and follow it."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from tunesmith.core import jobs
from tunesmith.core.errors import PlanError, RunError
from tunesmith.core.evidence import for_prompt_only
from tunesmith.core.launch import launch, new_run_of
from tunesmith.core.paths import plan_spelled_out, wishes_spelled_out
from tunesmith.core.plan_yaml import read_plan
from tunesmith.core.practice import PRACTICE
from tunesmith.core.recommend import Resolution, resolve
from tunesmith.core.run import Run, find_run, stages_left
from tunesmith.core.stages import STAGES
from tunesmith.core.survey import survey
from tunesmith.tui.commands.runs import follow_to_end
from tunesmith.tui.commands.wishes import read_settings


def demo(settings: Sequence[str], *, detach: bool, as_json: bool) -> int:
    """The whole way on the built-in data and model; returns the exit code."""
    wishes = {"prepare.data": PRACTICE, "select.model": PRACTICE, **read_settings(settings)}
    resolution = _resolved(wishes_spelled_out(wishes, Path.cwd()))
    run = launch(resolution.plan, resolution.reasons)
    return _followed(run, detach=detach, as_json=as_json)


def prompt(target: str, *, model: str, settings: Sequence[str], detach: bool, as_json: bool) -> int:
    """Score the untouched model on a plan's or a file's rows and write the best prompt; returns the exit code."""
    path = Path(target)
    if path.suffix in (".yaml", ".yml"):
        if settings:
            raise PlanError("--set goes with a data file.", next_step=f"Change the value in {target} instead.")
        plan = plan_spelled_out(read_plan(path), path.absolute().parent)
    else:
        wishes = {"prepare.data": target, "select.model": model, **read_settings(settings)}
        plan = _resolved(wishes_spelled_out(wishes, Path.cwd())).plan
    return _followed(launch(for_prompt_only(plan)), detach=detach, as_json=as_json)


def _resolved(wishes: Mapping[str, Any]) -> Resolution:
    if sys.stderr.isatty():
        print("Measuring the data and this machine …", file=sys.stderr)  # noqa: T201
    with jobs.Helper() as helper:
        return resolve(wishes, survey(wishes, Path.cwd(), helper).facts)


def run_target(
    target: str | None, *, only: str | None, first: str | None, resume: bool, detach: bool, as_json: bool
) -> int:
    """Run a plan file as a new run, or go on with a run; returns the exit code."""
    if only and first:
        raise PlanError("--only and --from were both given.", next_step="Give one of them.")
    goes_on = bool(only or first or resume)
    run = _existing(target, goes_on=goes_on)
    if run is None:
        assert target is not None
        if resume or any(name and STAGES.index(name) > STAGES.index("select") for name in (first, only)):
            raise RunError(
                f"{target} is a plan that no run belongs to, so there is nothing to go on with.",
                next_step="Leave the option out for a new run, or name a run; `tunesmith runs` lists them.",
            )
        run = new_run_of(Path(target))
    stages = _stages(run, only=only, first=first, resume=resume)
    jobs.start(run, stages, resume=resume)
    return _followed(run, detach=detach, as_json=as_json)


def _existing(target: str | None, *, goes_on: bool) -> Run | None:
    """The run to go on with; None where `target` is a plan file that a new run is to be made of.

    Raises:
        RunError: There is no such run, or it is not said what to do with it.
    """
    if target is None:
        if not goes_on:
            raise RunError(
                "It is not said what to run.",
                next_step="Name a plan file for a new run, or add --resume to go on with the newest run.",
            )
        return find_run(None)
    path = Path(target)
    if path.is_file():
        inside = path.name == "plan.yaml" and (path.parent / "events.jsonl").exists()
        return Run(path.absolute().parent) if inside and goes_on else None
    if path.suffix in (".yaml", ".yml"):
        return None  # a plan that is missing: reading it says so
    run = find_run(target)
    if not goes_on and run.state().status != "new":
        raise RunError(
            f"{run.name} was started before: it is {run.state().text}.",
            next_step=f"Add --resume to go on with it, or --from STAGE to do a part of it again; for a new run of the "
            f"same plan: `tunesmith run {run.plan_path}`.",
        )
    return run


def _stages(run: Run, *, only: str | None, first: str | None, resume: bool) -> Sequence[str]:
    """Which stages to work through.

    Raises:
        RunError: `--resume` on a run with nothing left to do.
    """
    if only:
        return (only,)
    if first:
        return STAGES[STAGES.index(first) :]
    if not resume:
        return STAGES
    left = stages_left(run)
    if not left:
        raise RunError(f"{run.name} is finished.", next_step=f"See it again with `tunesmith attach {run.name}`.")
    return left


def _followed(run: Run, *, detach: bool, as_json: bool) -> int:
    """Follow the run that was just started, or say its name and leave it."""
    if not detach:
        return follow_to_end(run, as_json=as_json)
    if as_json:
        print(msgspec.json.encode({"run": run.name, "folder": str(run.folder)}).decode())  # noqa: T201
    else:
        print(f"{run.name}\nWatch it with `tunesmith attach {run.name}`.")  # noqa: T201
    return 0
