"""`tunesmith prepare`: what data holds, what is wrong in it, how it is divided; and the prepared set, written."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
from rich.console import Console

from tunesmith.core.errors import AccessError, ModelError, PlanError
from tunesmith.core.facts import DataFinding
from tunesmith.core.jobs import Helper
from tunesmith.core.meter import Meter, silent
from tunesmith.core.pace import Pace
from tunesmith.core.paths import is_of_hub, plan_spelled_out, wishes_spelled_out
from tunesmith.core.plan import Prepare
from tunesmith.core.plan_yaml import read_plan
from tunesmith.core.prepare.cells import counted as counted_as
from tunesmith.core.prepare.prepared import WrittenSet
from tunesmith.core.prepare.repair.recipe import mending
from tunesmith.core.prepare.repair.words import told
from tunesmith.core.recommend import resolve
from tunesmith.core.schema import wishes_of
from tunesmith.core.survey import Survey, counted, export, look
from tunesmith.tui.commands.rows_told import show_lengths, show_parts, show_rendered
from tunesmith.tui.commands.wishes import read_settings
from tunesmith.tui.console import console
from tunesmith.tui.plain_text import harmless
from tunesmith.tui.roles import left_out_told

RENDERED = 3
"""Rows that are shown as the model sees them."""

SIGNS = {"serious": "✗", "warning": "!", "note": "·"}


def prepare(
    target: str, *, out: Path | None, form: str, model: str, settings: Sequence[str], force: bool, as_json: bool
) -> int:
    """Print what was found, and write the set where `out` says so; returns the exit code."""
    if out is not None:
        _check_place(out, force=force)
    wishes = _wishes(target, model, settings)
    with Helper(online=is_of_hub(wishes["prepare.data"])) as helper, _progress() as meter:
        seen, uncounted = look(wishes, Path.cwd(), helper, meter), ""
        try:
            seen = counted(seen, wishes, helper, meter)
        except ModelError as error:  # the data can be looked at and written for another model all the same
            uncounted = f"The rows are not counted in tokens: {error.title} {error.cause}".strip()
        plan, proof = resolve(wishes, seen.facts).plan.prepare, seen.proof
        made = None
        if out is not None:
            made = export(plan, Path.cwd(), helper, out.absolute(), form, meter, proof)
    if as_json:
        print(_json(seen, plan, made, uncounted))  # noqa: T201
        return 0
    screen = console()
    _show(screen, seen, plan)
    if uncounted:
        screen.print(f"  ! {harmless(uncounted)} --model names another.")
    if made is not None:
        _show_written(screen, made, out)
    return PlanError.exit_code if made is not None and made.refused else 0


def _wishes(target: str, model: str, settings: Sequence[str]) -> dict[str, Any]:
    stated = read_settings(settings)
    path = Path(target)
    if path.suffix.lower() in (".yaml", ".yml"):
        plan = plan_spelled_out(read_plan(path), path.absolute().parent)
        found = {
            name: value for name, value in wishes_of(plan).items() if name.startswith(("prepare.", "select.model"))
        }
        return wishes_spelled_out({**found, **stated}, Path.cwd())
    return wishes_spelled_out({"prepare.data": target, "select.model": model, **stated}, Path.cwd())


def _check_place(out: Path, *, force: bool) -> None:
    if out.exists() and not out.is_dir():
        raise PlanError(f"{out} is a file.", next_step="Name a folder with --out.")
    if out.is_dir() and any(out.iterdir()) and not force:
        raise PlanError(f"{out} is not empty.", next_step="Name another with --out, or write into it with --force.")
    if not out.absolute().parent.is_dir():
        raise AccessError(f"There is no folder {out.absolute().parent}.", next_step="Make it first, or name another.")


@contextmanager
def _progress() -> Iterator[Meter]:
    """One line about how far it is, written over itself; nothing where nobody watches."""
    if not sys.stderr.isatty():
        yield silent
        return
    pace, wide = Pace(), 0

    def tell(doing: str, done: int, of: int) -> None:
        nonlocal wide
        pace.see(doing, done, of, time.monotonic())
        text = pace.text()
        sys.stderr.write(f"\r{text:<{wide}}")
        sys.stderr.flush()
        wide = len(text)

    try:
        yield tell
    finally:
        sys.stderr.write(f"\r{' ' * wide}\r")


def _show(screen: Console, seen: Survey, plan: Prepare) -> None:
    """The shape, the findings, what was done, the parts."""
    data = seen.facts.data
    sure = f" ({100 * data.shape_confidence:.0f} % sure)" if data.shape_confidence < 1 else ""
    files = f" of {data.files} files" if data.files > 1 else ""
    screen.print(f"{data.rows:,} records{files}, {counted_as(len(data.columns), 'column')}", style="bold")
    screen.print(f"  {harmless(data.shape_because)}{sure}")
    if left_out := left_out_told(data):
        screen.print(f"  {left_out}")
    repairs = [repair.model_dump(mode="json", exclude_none=True) for repair in plan.repairs]
    screen.print(f"\nFound: {len(data.findings) or 'nothing that has to be mended'}", style="bold")
    for finding in data.findings:
        _show_finding(screen, finding, repairs)
    show_parts(screen, "\nDone", seen.preview)
    show_lengths(screen, seen)
    show_rendered(screen, seen, RENDERED)


def _show_finding(screen: Console, finding: DataFinding, repairs: Sequence[dict[str, Any]]) -> None:
    screen.print(f"  {SIGNS[finding.severity]} {harmless(finding.text)}")
    if finding.effect:
        screen.print(f"    {harmless(finding.effect)}", style="dim")
    done = mending(finding, repairs)
    if done is not None:
        screen.print(f"    mended: {told(done)}", style="dim")
    elif finding.repairs:
        screen.print(f"    left as it is; could be mended: {told(finding.repairs[0])}", style="dim")


def _show_written(screen: Console, made: WrittenSet, out: Path | None) -> None:
    screen.print(f"\nWritten to {harmless(str(out))}", style="bold")
    for name in made.files:
        screen.print(f"  {harmless(name)}")
    for line in made.refused[:10]:
        screen.print(f"  ! {harmless(line)}")
    if len(made.refused) > 10:
        screen.print(f"  ! and {len(made.refused) - 10:,} more")


def _json(seen: Survey, plan: Prepare, made: WrittenSet | None, uncounted: str) -> str:
    proof = seen.proof
    told = {
        "data": seen.facts.data,
        "prepare": plan.model_dump(mode="json", exclude_none=True),
        "account": seen.preview.account,
        "notes": seen.preview.notes,
        "proof": None if proof is None else msgspec.structs.replace(proof, pictures=()),
        "uncounted": uncounted,
        "written": made,
    }
    return msgspec.json.format(msgspec.json.encode(told, enc_hook=str), indent=2).decode()
