"""`tunesmith demo` and `tunesmith run`: start a detached job and follow it."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec

from tunesmith.core import jobs
from tunesmith.core.errors import PlanError, RunError
from tunesmith.core.events import EventReader, StageFinished
from tunesmith.core.plan import STAGES, Plan, Section
from tunesmith.core.plan_yaml import read_plan, write_plan
from tunesmith.core.recommend import Resolution, resolve
from tunesmith.core.run import Run, create_run, find_run
from tunesmith.core.survey import PRACTICE, survey
from tunesmith.tui.commands.runs import follow_to_end
from tunesmith.tui.commands.wishes import read_settings


def demo(settings: Sequence[str], *, detach: bool, as_json: bool) -> int:
    """The whole way on the built-in data and model; returns the exit code."""
    wishes = {"prepare.data": PRACTICE, "select.model": PRACTICE, **read_settings(settings)}
    if sys.stderr.isatty():
        print("Measuring the data and this machine …", file=sys.stderr)  # noqa: T201
    with jobs.Helper() as helper:
        resolution = resolve(wishes, survey(wishes, Path.cwd(), helper).facts)
    run = _new_run(resolution.plan, resolution)
    jobs.start(run)
    return _followed(run, detach=detach, as_json=as_json)


def run_target(
    target: str | None, *, only: str | None, first: str | None, resume: bool, detach: bool, as_json: bool
) -> int:
    """Run a plan file as a new run, or go on with a run; returns the exit code."""
    if only and first:
        raise PlanError("--only and --from were both given.", next_step="Give one of them.")
    run = _existing(target, wanted=resume or target is None)
    if run is None:
        if resume:
            raise RunError(f"{target} is a plan, not a run.", next_step="Name the run; `tunesmith runs` lists them.")
        if first and STAGES.index(first) > STAGES.index("prepare"):
            raise RunError(
                f"--from {first} goes on with a run, and {target} has none yet.",
                next_step="Leave --from out for a new run, or name a run; `tunesmith runs` lists them.",
            )
        assert target is not None
        run = _new_run(_with_absolute_paths(read_plan(Path(target)), Path(target).absolute().parent))
    stages = _stages(run, only=only, first=first, resume=resume)
    jobs.start(run, stages, resume=resume)
    return _followed(run, detach=detach, as_json=as_json)


def _existing(target: str | None, *, wanted: bool) -> Run | None:
    """The run that `target` means: its name, its folder, or the plan inside it. None for a plan file elsewhere."""
    if target is None:
        return find_run(None)
    path = Path(target)
    if path.is_file():
        inside = path.name == "plan.yaml" and (path.parent / "events.jsonl").exists()
        return Run(path.absolute().parent) if inside else None
    if path.suffix in (".yaml", ".yml") and not wanted:
        return None  # a plan that is missing: reading it says so
    return find_run(target)


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
    job = run.job()
    planned = job.stages if job else list(STAGES)
    done = {event.stage for event in EventReader(run.events_path).stream() if isinstance(event, StageFinished)}
    left = [stage for stage in planned if stage not in done]
    if not left:
        raise RunError(f"{run.name} is finished.", next_step=f"See it again with `tunesmith attach {run.name}`.")
    return left


def _new_run(plan: Plan, resolution: Resolution | None = None) -> Run:
    """A run folder with this plan in it."""
    run = create_run(plan.name)
    write_plan(run.plan_path, plan, resolution.reasons if resolution else None)
    return run


def _with_absolute_paths(plan: Plan, base: Path) -> Plan:
    """The plan with paths that are relative to its own folder spelled out, so that the run's copy means the same."""
    changes: dict[str, Section] = {}
    if plan.prepare.data != PRACTICE:
        changes["prepare"] = plan.prepare.model_copy(update={"data": str((base / plan.prepare.data).absolute())})
    if (base / plan.select.model).is_dir() and plan.select.model != PRACTICE:
        changes["select"] = plan.select.model_copy(update={"model": str((base / plan.select.model).absolute())})
    return plan.model_copy(update=changes)


def _followed(run: Run, *, detach: bool, as_json: bool) -> int:
    """Follow the run that was just started, or say its name and leave it."""
    if not detach:
        return follow_to_end(run, as_json=as_json)
    if as_json:
        print(msgspec.json.encode({"run": run.name, "folder": str(run.folder)}).decode())  # noqa: T201
    else:
        print(f"{run.name}\nWatch it with `tunesmith attach {run.name}`.")  # noqa: T201
    return 0
