"""`tunesmith plan new` and `plan check`: make a plan without questions, and check one before it is run."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
from rich.console import Console
from rich.text import Text

from tunesmith.core.draft import Reason
from tunesmith.core.errors import AccessError, ModelError, PlanError
from tunesmith.core.evidence import before_training
from tunesmith.core.facts import ModelFacts
from tunesmith.core.figures import price_span, size, span
from tunesmith.core.hardware import probe_hardware
from tunesmith.core.jobs import Helper
from tunesmith.core.models import absence, find_model, how_to_fetch
from tunesmith.core.outlook import Outlook, outlook
from tunesmith.core.paths import is_of_hub, spelled_out, wishes_spelled_out
from tunesmith.core.plan import Plan
from tunesmith.core.plan_file import hand_out
from tunesmith.core.plan_yaml import read_plan
from tunesmith.core.practice import PRACTICE
from tunesmith.core.prepare.prepared import Preview
from tunesmith.core.probes import with_probes
from tunesmith.core.recommend import resolve
from tunesmith.core.run import runs_root
from tunesmith.core.schema import knob_at, shown
from tunesmith.core.select.cards import hardware_for
from tunesmith.core.select.device import check_device
from tunesmith.core.select.memory import MemoryForecast, forecast, load_of
from tunesmith.core.select.warnings import warnings
from tunesmith.core.survey import Survey, model_simulated, prepared, settled, survey
from tunesmith.tui.commands.rows_told import show_lengths, show_parts, show_rendered
from tunesmith.tui.commands.wishes import read_settings
from tunesmith.tui.console import console
from tunesmith.tui.plain_text import harmless, shortened

SHOWN = (
    "understand.approach",
    "select.method",
    "select.hyperparameters.learning_rate",
    "select.hyperparameters.epochs",
    "select.hyperparameters.batch_size",
    "select.hyperparameters.max_length",
)
"""Values whose reasons are printed; the file has them all."""


def new(
    data: str, out: Path, *, model: str, goal: str, gpu: str, settings: Sequence[str], force: bool, as_json: bool
) -> int:
    """Write a plan for `data`, and print what it will train on and whether it fits; returns the exit code."""
    check_place(out, force)
    return make(_wishes(data, model, goal, gpu, settings), out, as_json=as_json)


def make(wishes: Mapping[str, Any], out: Path, *, as_json: bool, told: Mapping[str, Any] | None = None) -> int:
    """Write the plan that follows from `wishes`, and print it; returns the exit code.

    Args:
        wishes: What was stated, with paths spelled out.
        out: Where the plan is written; its schema comes beside it.
        as_json: Whether to print JSON; `told` is put into it.
    """
    if sys.stderr.isatty():
        print("Measuring the data, the model and this machine …", file=sys.stderr)  # noqa: T201
    with Helper(online=is_of_hub(wishes.get("prepare.data"))) as helper:
        measured = settled(survey(wishes, Path.cwd(), helper), wishes, helper)
    resolution = resolve(wishes, measured.facts)
    look, described = outlook(resolution.plan, measured.facts), measured.facts.model
    memory = look.memory
    hand_out(out, resolution.plan, resolution.reasons)
    if as_json:
        estimates = {"seconds": look.seconds, "money": look.money, "over_budget": look.over_budget, **(told or {})}
        print(_json(resolution.plan, resolution.reasons, memory, measured.preview, out, described, estimates))  # noqa: T201
        return 0
    screen = console()
    _show_rows(screen, measured)
    _show_memory(screen, memory)
    _show_time(screen, look)
    _show_reasons(screen, resolution.plan, resolution.reasons)
    for caution in warnings(resolution.plan, measured.facts):
        screen.print(f"  ! {harmless(caution.path)}: {harmless(caution.text)}")
    screen.print(f"\nWritten to {harmless(str(out))}, with the reason for each value beside it.")
    for line in before_training(resolution.plan.understand):
        screen.print(line)
    if measured.facts.hardware.planned:
        screen.print(f"It is planned for {measured.facts.hardware.planned}, from a table of cards: run it there.")
    elif resolution.plan.select.device == "cuda" and measured.facts.hardware.gpu is None:
        screen.print("It computes on a GPU, and none can be used here: run it on the machine that it is meant for.")
    elif not memory.fits:
        _does_not_fit(screen)
    elif not measured.facts.model.here:
        _not_here(screen, measured.facts.model)
    else:
        screen.print(f"Run it with  tunesmith run {harmless(str(out))}", style="bold")
    return 0


def check(path: Path, *, as_json: bool) -> int:
    """Check a plan's keys, its data, its model and its memory; returns the exit code."""
    plan = read_plan(path)
    with Helper() as helper:
        preview = prepared(plan.prepare, path.absolute().parent, helper).preview()
    model = find_model(_model_source(plan, path.absolute().parent))
    hardware = hardware_for(plan.select.gpu) if plan.select.gpu else probe_hardware(runs_root())
    check_device(plan.select, hardware)
    longest = min(plan.select.hyperparameters.max_length, model.max_positions)
    with contextlib.suppress(ModelError), Helper() as helper:  # else by arithmetic
        model = model_simulated(with_probes(model), load_of(plan.select, longest, plan.evaluate), helper)
    memory = forecast(model, plan.select, hardware, longest, plan.evaluate)
    if as_json:
        print(_json(plan, {}, memory, preview, path, model))  # noqa: T201
        return 0 if memory.fits and model.here else PlanError.exit_code
    screen = console()
    screen.print(f"{harmless(str(path))} is a valid plan.")
    if hardware.planned:
        screen.print(f"It is planned for {hardware.planned}: its memory is from a table of cards, not measured here.")
    show_parts(screen, "Data", preview)
    _show_memory(screen, memory)
    if not memory.fits:
        return _does_not_fit(screen)
    return 0 if model.here else _not_here(screen, model)


def _not_here(screen: Console, model: ModelFacts) -> int:
    screen.print(f"\n{absence(model)} {how_to_fetch(model)}")
    return PlanError.exit_code


def _does_not_fit(screen: Console) -> int:
    screen.print("It does not fit this machine: take a smaller micro-batch or sequence length, or qlora on a GPU.")
    return PlanError.exit_code


def _model_source(plan: Plan, base: Path) -> str:
    folder = spelled_out(plan.select.model, base)
    return str(folder) if plan.select.model != PRACTICE and folder.is_dir() else plan.select.model


def _wishes(data: str, model: str, goal: str, gpu: str, settings: Sequence[str]) -> dict[str, Any]:
    wishes: dict[str, Any] = {"prepare.data": data, "select.model": model}
    if gpu:
        wishes["select.gpu"] = gpu
    if goal:
        wishes["understand.goal"] = goal
    return wishes_spelled_out({**wishes, **read_settings(settings)}, Path.cwd())


def check_place(out: Path, force: bool) -> None:
    """Refuse a place that can't be written to before anything is measured, and never overwrite unasked."""
    if out.is_dir():
        raise PlanError(f"{out} is a folder.", next_step=f"Name a file in it, e.g. --out {out / 'plan.yaml'}.")
    if out.exists() and not force:
        raise PlanError(f"{out} exists already.", next_step="Name another with --out, or overwrite it with --force.")
    if not out.absolute().parent.is_dir():
        raise AccessError(f"There is no folder {out.absolute().parent}.", next_step="Make it first, or name another.")


def _show_rows(screen: Console, measured: Survey) -> None:
    """What was read and repaired, and a row as the model will see it."""
    show_parts(screen, "Data", measured.preview)
    show_lengths(screen, measured)
    show_rendered(screen, measured, 1)


def _show_memory(screen: Console, memory: MemoryForecast) -> None:
    """Each term of the forecast, its sum, and what is free."""
    screen.print(f"\nMemory, an estimate: {memory.told}", style="bold")
    for term in memory.terms:
        screen.print(f"  {term.name:<18}{size(term.bytes):>10}   {harmless(term.from_what)}", style="dim")
    screen.print(
        f"  {'allocated':<18}{size(memory.allocated):>10}   by torch; {size(memory.reserved)} reserved for it",
        style="dim",
    )
    if memory.evaluation is not None:
        shown = size(memory.evaluation.bytes)
        screen.print(f"  {'evaluation':<18}{shown:>10}   {harmless(memory.evaluation.from_what)}", style="dim")
    where = "free on the GPU" if memory.device == "cuda" else "free in RAM"
    fits = "✓ it fits" if memory.fits else "✗ it does not fit"
    screen.print(f"  {'together':<18}{size(memory.total):>10}   of {size(memory.available)} {where}: {fits}")


def _show_time(screen: Console, look: Outlook) -> None:
    """How long the training takes and what it costs, and what the brief says to that."""
    source = f", from {look.seconds_from}" if look.seconds_from else ""
    screen.print("\nTime and money, estimates for the training alone", style="bold")
    screen.print(f"  {'time':<18}{span(look.seconds)}{harmless(source)}")
    screen.print(f"  {'money':<18}{price_span(look.money)}")
    for sentence in look.over_budget:
        screen.print(f"  ! {harmless(sentence)}")


def _show_reasons(screen: Console, plan: Plan, reasons: dict[str, Reason] | Any) -> None:
    screen.print("\nDecided", style="bold")
    for path in SHOWN:
        value: Any = plan
        for part in path.split("."):
            value = getattr(value, part)
        name = path.rpartition(".")[2].replace("_", " ")
        line = Text(f"  {name:<18}")
        line.append(shown(knob_at(path), value), style="bold")
        reason = reasons.get(path)
        if reason is not None:
            line.append(f"  {shortened(reason.because, 200)}", style="dim")
            for other in reason.instead_of:
                line.append(
                    f"\n{'':20}not {harmless(knob_at(path).label(other.value))}: {harmless(other.because)}", style="dim"
                )
        screen.print(line)


def _json(
    plan: Plan,
    reasons: Any,
    memory: MemoryForecast,
    preview: Preview,
    path: Path,
    model: ModelFacts,
    told: Mapping[str, Any] | None = None,
) -> str:
    document = {
        "file": str(path),
        "plan": plan.model_dump(mode="json"),
        "reasons": {name: reason.because for name, reason in reasons.items()},
        "memory": memory,
        "model_here": model.here,
        "rows": preview.parts,
        "notes": [note.text for note in preview.notes],
        **(told or {}),
    }
    return msgspec.json.encode(document).decode()
