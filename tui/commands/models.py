"""`tunesmith models`: what could be tuned, from this machine and from the catalogue, and whether it fits here."""

from __future__ import annotations

from typing import Any

import msgspec
from rich.console import Console
from rich.table import Table
from rich.text import Text

from tunesmith.core.figures import parameters
from tunesmith.core.hardware import probe_hardware
from tunesmith.core.models import absence, how_to_fetch, list_models
from tunesmith.core.run import runs_root
from tunesmith.core.select.choosing import ORDERS, SHORT_ROW, Candidate, candidates, in_order
from tunesmith.tui.console import console
from tunesmith.tui.model_words import about, here_word
from tunesmith.tui.plain_text import harmless

MOST = 20
"""Models that are printed in a terminal where nothing is asked for: a screen of them, the best first."""


def models(wanted: str | None, *, order: str, as_json: bool, everything: bool = False) -> int:
    """Print the models whose name holds `wanted`, or all; of a single one everything that is known."""
    hardware = probe_hardware(runs_root())
    found = in_order(candidates(list_models(), hardware), next(one for one in ORDERS if one == order))
    if wanted:
        found = [one for one in found if wanted.lower() in one.model.source.lower()]
        exact = [one for one in found if one.model.source.lower() == wanted.lower()]
        found = exact or found
    if as_json:
        print(msgspec.json.encode([_record(one) for one in found]).decode())  # noqa: T201
        return 0
    screen = console()
    if not found:
        screen.print(f"No model here or in the catalogue has {harmless(str(wanted))} in its name.")
        screen.print("`tunesmith fetch ORG/NAME` brings any other from the Hub.")
        return 0
    if not screen.is_terminal:  # for grep and cut: a line a model, parted by tabs
        for one in found:
            print(*map(harmless, _cells(one)), sep="\t")  # noqa: T201
        return 0
    most = len(found) if everything or wanted else MOST
    _show(screen, found[:most])
    if len(found) == 1:
        _show_one(screen, found[0])
        return 0
    if len(found) > most:
        screen.print(f"\n{len(found) - most} more: --all")
    where = hardware.gpu.name if hardware.gpu else "this machine's processor"
    screen.print(f"\nFits: what trains on {harmless(where)}, an estimate for one row of {SHORT_ROW} tokens at a time.")
    screen.print("`tunesmith models NAME` tells more of one, `tunesmith fetch NAME` brings it here.")
    return 0


def _show(screen: Console, found: list[Candidate]) -> None:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for title, right in (
        ("Model", False),
        ("Size", True),
        ("Fits", False),
        ("Licence", False),
        ("", False),
        ("", False),
    ):
        table.add_column(title, overflow="fold", justify="right" if right else "left")
    for one in found:
        table.add_row(*(Text(harmless(cell)) for cell in _cells(one)), style="dim" if one.method is None else "")
    screen.print(table)


def _cells(one: Candidate) -> tuple[str, ...]:
    gated = "gated" if one.model.gated else ""
    return (
        one.model.source,
        parameters(one.parameters),
        one.fits,
        one.model.license or "not stated",
        gated,
        here_word(one.model),
    )


def _show_one(screen: Console, one: Candidate) -> None:
    screen.print()
    for line in about(one):
        screen.print(harmless(line))
    if one.hindrance or one.model.here:
        return
    screen.print(harmless(f"{absence(one.model)} {how_to_fetch(one.model)}"))


def _record(one: Candidate) -> dict[str, Any]:
    model, entry = one.model, one.entry
    known = {"family": entry.family, "languages": entry.languages, "when": entry.when} if entry else {}
    return {
        "name": model.source,
        "parameters": model.parameters,
        "active_parameters": model.active_parameters or model.parameters,
        "fits": None if one.hindrance else one.method,
        "refused": one.hindrance,
        "here": model.here,
        "path": model.path,
        "licence": model.license,
        "catch": model.catch,
        "gated": model.gated,
        "kind": model.kind,
        "context": model.max_positions,
        "chat_template": model.has_chat_template,
        **known,
    }
