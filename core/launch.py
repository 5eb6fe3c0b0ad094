"""From a plan to a run that works on it: the folder with the plan in it, and the detached job."""

from __future__ import annotations

import pathlib
from collections.abc import Mapping, Sequence

from tunesmith.core import jobs
from tunesmith.core.draft import Reason
from tunesmith.core.errors import RunError
from tunesmith.core.models import model_here
from tunesmith.core.plan import Path, Plan
from tunesmith.core.plan_file import copied_plan
from tunesmith.core.plan_yaml import save_text, write_plan
from tunesmith.core.run import Run, create_run, stages_left
from tunesmith.core.stages import STAGES


def new_run(plan: Plan, reasons: Mapping[Path, Reason] | None = None) -> Run:
    """A run folder with this plan in it, not started yet; `reasons` stand as comments beside the values.

    Raises:
        AccessError: The folder can't be made or written to.
        ModelError: The plan's model is not on this machine, so that no run of it could end well.
    """
    model_here(plan.select.model)
    run = create_run(plan.name)
    write_plan(run.plan_path, plan, reasons)
    return run


def new_run_of(file: pathlib.Path) -> Run:
    """A run folder with the plan of a file in it, with the file's own comments; not started yet.

    Raises:
        PlanError: It is no valid plan.
        AccessError: It can't be read, or the run's folder can't be made or written to.
        ModelError: The plan's model is not on this machine.
    """
    plan, text = copied_plan(file)
    model_here(plan.select.model)
    run = create_run(plan.name)
    save_text(run.plan_path, text)
    return run


def launch(plan: Plan, reasons: Mapping[Path, Reason] | None = None, stages: Sequence[str] = STAGES) -> Run:
    """A new run of this plan with a job at it. Raises what `new_run` and `jobs.start` do."""
    run = new_run(plan, reasons)
    jobs.start(run, stages)
    return run


def resume(run: Run) -> None:
    """Go on with a run where it ended: everything that was asked of it and has no valid result.

    Raises:
        RunError: Nothing is left to do, or somebody is at it.
    """
    left = stages_left(run)
    if not left:
        raise RunError(f"{run.name} is finished.", next_step=f"See it again with `tunesmith attach {run.name}`.")
    jobs.start(run, left, resume=True)
