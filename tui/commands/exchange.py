"""`tunesmith plan export`, `plan import` and `plan schema`: plans for other tools, and what editors know of a plan."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from tunesmith.core.errors import PlanError
from tunesmith.core.exchange.read import import_file
from tunesmith.core.exchange.terms import TITLES, Dropped, Imported, Tool
from tunesmith.core.exchange.write import Written, export_to
from tunesmith.core.paths import wishes_spelled_out
from tunesmith.core.plan_schema import schema_text, write_schema
from tunesmith.core.plan_yaml import read_plan
from tunesmith.core.wishes import with_wish
from tunesmith.tui.commands.plan import check_place, make
from tunesmith.tui.commands.wishes import read_settings
from tunesmith.tui.console import console
from tunesmith.tui.plain_text import harmless


def export(path: Path, tool: Tool, out: Path, *, force: bool, as_json: bool) -> int:
    """Write the plan at `path` for another tool into the folder `out`; returns the exit code."""
    written = export_to(out, read_plan(path), tool, path.absolute().parent, force=force)
    if as_json:
        print(_exported_json(written))  # noqa: T201
        return 0
    screen = console()
    parts = ", ".join(f"{count:,} {part}" for part, count in written.parts.items())
    screen.print(f"Written to {harmless(str(out))}: {written.config.name}, and the rows in data: {parts}.")
    if written.exported.notes:
        screen.print("\nThe same, done in another way", style="bold")
        for note in written.exported.notes:
            screen.print(f"  · {harmless(note)}")
    _show_dropped(f"What {TITLES[tool]} can't say", written.exported.dropped)
    screen.print(f"\nRun it with  cd {harmless(str(out))} && {written.command}", style="bold")
    return 0


def import_(
    file: Path, out: Path, *, data: str, model: str, settings: Sequence[str], force: bool, as_json: bool
) -> int:
    """Make a plan of another tool's file and print it; returns the exit code."""
    check_place(out, force)
    imported = import_file(file)
    # What the file says of the rows is meant for the rows that are named now: `with_wish` would forget it.
    wishes = {**imported.wishes, **({"prepare.data": data} if data else {})}
    stated = {"select.model": model} if model else {}
    for path, value in {**stated, **read_settings(settings)}.items():
        wishes = with_wish(wishes, path, value)
    if "prepare.data" not in wishes:
        raise PlanError(
            f"{file} names no data that is here.",
            cause=" ".join(f"{one.path}: {one.why}." for one in imported.dropped if "--data" in one.why),
            next_step="Name your file with --data.",
        )
    told = {"tool": imported.tool, "dropped": _as_plain(imported.dropped)}
    if not as_json:
        _show_imported(imported)
    return make(wishes_spelled_out(wishes, Path.cwd()), out, as_json=as_json, told=told)


def schema(out: Path | None) -> int:
    """Print the plan's JSON Schema, or write it to `out`; returns the exit code."""
    if out is None:
        print(schema_text(), end="")  # noqa: T201
        return 0
    if out.is_dir():
        raise PlanError(f"{out} is a folder.", next_step=f"Name a file in it, e.g. --out {out / 'plan.schema.json'}.")
    write_schema(out)
    console().print(f"Written to {harmless(str(out))}.")
    return 0


def _show_imported(imported: Imported) -> None:
    count = len(imported.wishes)
    values = "1 value was" if count == 1 else f"{count} values were"
    console().print(f"A file of {TITLES[imported.tool]}: {values} taken over; the others are recommended.")
    _show_dropped("Not taken over", imported.dropped)
    console().print()


def _show_dropped(title: str, dropped: Sequence[Dropped]) -> None:
    if not dropped:
        return
    screen = console()
    screen.print(f"\n{title}", style="bold")
    for one in dropped:
        screen.print(f"  · {harmless(one.path)}: {harmless(one.why)}")


def _exported_json(written: Written) -> str:
    document = {
        "folder": str(written.folder),
        "file": str(written.config),
        "command": written.command,
        "rows": written.parts,
        "notes": written.exported.notes,
        "dropped": _as_plain(written.exported.dropped),
    }
    return msgspec.json.encode(document).decode()


def _as_plain(dropped: Sequence[Dropped]) -> list[dict[str, Any]]:
    return [{"path": one.path, "why": one.why} for one in dropped]
