"""`tunesmith plan new` and `plan check`: make a plan without questions, and check one before it is run."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
from rich.console import Console
from rich.text import Text

from tunesmith.core.draft import Reason
from tunesmith.core.errors import AccessError, ModelError, PlanError
from tunesmith.core.figures import size
from tunesmith.core.hardware import probe_hardware
from tunesmith.core.jobs import Helper
from tunesmith.core.models import find_model
from tunesmith.core.paths import spelled_out, wishes_spelled_out
from tunesmith.core.plan import Plan
from tunesmith.core.plan_yaml import read_plan, write_plan
from tunesmith.core.practice import PRACTICE
from tunesmith.core.prepare.preview import Preview, rows_from_plan
from tunesmith.core.probes import with_probes
from tunesmith.core.recommend import resolve
from tunesmith.core.run import runs_root
from tunesmith.core.select.device import check_device
from tunesmith.core.select.memory import MemoryForecast, forecast, load_of
from tunesmith.core.survey import Survey, model_simulated, settled, survey
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


def new(data: str, out: Path, *, model: str, goal: str, settings: Sequence[str], force: bool, as_json: bool) -> int:
    """Write a plan for `data`, and print what it will train on and whether it fits; returns the exit code."""
    _check_place(out, force)
    wishes = _wishes(data, model, goal, settings)
    if sys.stderr.isatty():
        print("Measuring the data, the model and this machine …", file=sys.stderr)  # noqa: T201
    with Helper() as helper:
        measured = settled(survey(wishes, Path.cwd(), helper), wishes, helper)
    resolution = resolve(wishes, measured.facts)
    memory = _forecast(resolution.plan, measured)
    write_plan(out, resolution.plan, resolution.reasons)
    if as_json:
        print(_json(resolution.plan, resolution.reasons, memory, measured.preview, out))  # noqa: T201
        return 0
    screen = console()
    _show_rows(screen, measured)
    _show_memory(screen, memory)
    _show_reasons(screen, resolution.plan, resolution.reasons)
    screen.print(f"\nWritten to {harmless(str(out))}, with the reason for each value beside it.")
    if resolution.plan.select.device == "cuda" and measured.facts.hardware.gpu is None:
        screen.print("It computes on a GPU, and none can be used here: run it on the machine that it is meant for.")
    elif not memory.fits:
        _does_not_fit(screen)
    else:
        screen.print(f"Run it with  tunesmith run {harmless(str(out))}", style="bold")
    return 0


def check(path: Path, *, as_json: bool) -> int:
    """Check a plan's keys, its data, its model and its memory; returns the exit code."""
    plan = read_plan(path)
    preview = rows_from_plan(plan.prepare, path.absolute().parent).preview()
    model = find_model(_model_source(plan, path.absolute().parent))
    hardware = probe_hardware(runs_root())
    check_device(plan.select, hardware)
    longest = plan.select.hyperparameters.max_length
    with contextlib.suppress(ModelError), Helper() as helper:  # else by arithmetic
        model = model_simulated(with_probes(model), load_of(plan.select, longest, plan.evaluate), helper)
    memory = forecast(model, plan.select, hardware, longest, plan.evaluate)
    if as_json:
        print(_json(plan, {}, memory, preview, path))  # noqa: T201
        return 0 if memory.fits else PlanError.exit_code
    screen = console()
    screen.print(f"{harmless(str(path))} is a valid plan.")
    _show_parts(screen, preview)
    _show_memory(screen, memory)
    return 0 if memory.fits else _does_not_fit(screen)


def _does_not_fit(screen: Console) -> int:
    screen.print("It does not fit this machine: take a smaller micro-batch or sequence length, or qlora on a GPU.")
    return PlanError.exit_code


def _model_source(plan: Plan, base: Path) -> str:
    folder = spelled_out(plan.select.model, base)
    return str(folder) if plan.select.model != PRACTICE and folder.is_dir() else plan.select.model


def _wishes(data: str, model: str, goal: str, settings: Sequence[str]) -> dict[str, Any]:
    wishes: dict[str, Any] = {"prepare.data": data, "select.model": model}
    if goal:
        wishes["understand.goal"] = goal
    return wishes_spelled_out({**wishes, **read_settings(settings)}, Path.cwd())


def _check_place(out: Path, force: bool) -> None:
    """Refuse a place that can't be written to before anything is measured, and never overwrite unasked."""
    if out.is_dir():
        raise PlanError(f"{out} is a folder.", next_step=f"Name a file in it, e.g. --out {out / 'plan.yaml'}.")
    if out.exists() and not force:
        raise PlanError(f"{out} exists already.", next_step="Name another with --out, or overwrite it with --force.")
    if not out.absolute().parent.is_dir():
        raise AccessError(f"There is no folder {out.absolute().parent}.", next_step="Make it first, or name another.")


def _forecast(plan: Plan, measured: Survey) -> MemoryForecast:
    tokens = measured.facts.data.tokens
    longest = tokens.whole.longest if tokens else plan.select.hyperparameters.max_length
    return forecast(measured.facts.model, plan.select, measured.facts.hardware, longest, plan.evaluate)


def _show_rows(screen: Console, measured: Survey) -> None:
    """What was read and repaired, and some rows as the model will see them, the trained part in brackets."""
    _show_parts(screen, measured.preview)
    tokens = measured.facts.data.tokens
    if tokens is not None:
        screen.print(
            f"  Lengths in tokens: half up to {tokens.whole.p50}, 99 % up to {tokens.whole.p99}, "
            f"longest {tokens.whole.longest}. {100 * tokens.trained_share:.0f} % of all tokens are trained."
        )
    screen.print("\nA row as the model sees it; ⟦only this⟧ is trained", style="bold")
    for pieces in measured.rendered[:1]:
        text = Text("  ")
        for piece, trained in pieces:
            shown = harmless(piece).replace("⏎", "⏎ ")
            text.append(f"⟦{shown}⟧" if trained else shown, style="bold" if trained else "dim")
        screen.print(text)


def _show_parts(screen: Console, preview: Preview) -> None:
    screen.print("Data", style="bold")
    for note in preview.notes:
        screen.print(f"  {'!' if note.level == 'warning' else '·'} {harmless(note.text)}")
    parts = ", ".join(f"{count:,} {split}" for split, count in preview.parts.items())
    screen.print(f"  {preview.read:,} records read, {preview.aside:,} set aside; rows: {parts}.")


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


def _show_reasons(screen: Console, plan: Plan, reasons: dict[str, Reason] | Any) -> None:
    screen.print("\nDecided", style="bold")
    for path in SHOWN:
        value: Any = plan
        for part in path.split("."):
            value = getattr(value, part)
        name = path.rpartition(".")[2].replace("_", " ")
        line = Text(f"  {name:<18}")
        line.append(f"{value}", style="bold")
        reason = reasons.get(path)
        if reason is not None:
            line.append(f"  {shortened(reason.because, 200)}", style="dim")
            for other in reason.instead_of:
                line.append(f"\n{'':20}not {harmless(other.value)}: {harmless(other.because)}", style="dim")
        screen.print(line)


def _json(plan: Plan, reasons: Any, memory: MemoryForecast, preview: Preview, path: Path) -> str:
    document = {
        "file": str(path),
        "plan": plan.model_dump(mode="json"),
        "reasons": {name: reason.because for name, reason in reasons.items()},
        "memory": memory,
        "rows": preview.parts,
        "notes": [note.text for note in preview.notes],
    }
    return msgspec.json.encode(document).decode()
