"""`tunesmith fit MODEL`: what tuning a model takes here or on another card, before anything is downloaded."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import Any, get_args

import msgspec
from rich.console import Console
from rich.text import Text

from tunesmith.core.errors import PlanError
from tunesmith.core.facts import ModelFacts
from tunesmith.core.figures import parameters, size
from tunesmith.core.fit import Fit, fit_of
from tunesmith.core.hardware import probe_hardware
from tunesmith.core.jobs import Helper
from tunesmith.core.load import Load
from tunesmith.core.models import find_model
from tunesmith.core.plan import Method
from tunesmith.core.run import runs_root
from tunesmith.core.select.cards import hardware_for
from tunesmith.core.select.levers import MOST_ROWS, bare_load
from tunesmith.core.select.memory import MemoryForecast
from tunesmith.core.select.method import choose_method
from tunesmith.core.survey import model_simulated
from tunesmith.tui.console import console
from tunesmith.tui.glyphs import Glyphs, glyphs_for
from tunesmith.tui.plain_text import harmless
from tunesmith.tui.widgets.memory_bars import memory_bars

MARKS = {"fits": ("fits", "green"), "tight": ("tightly", "yellow"), "no": ("no", "red")}
BARS = 40
"""Cells of the longest bar."""


def fit(
    source: str, *, gpu: str, method: str, length: int, rows: int, checkpointing: bool | None, as_json: bool
) -> int:
    """Print what tuning the model `source` would take; returns 0 where the way that is shown fits, else 2."""
    model = find_model(source)
    hardware = hardware_for(gpu) if gpu else probe_hardware(runs_root())
    if length > model.max_positions:
        raise PlanError(
            f"{model.name} reads no more than {model.max_positions:,} tokens.", next_step="Give a smaller --seq."
        )
    named: Method | None = next((one for one in get_args(Method) if one == method), None)
    chosen = named or choose_method(model, hardware, bare_load(hardware, "lora", rows, length)).method
    load = bare_load(hardware, chosen, rows, length)
    found = fit_of(model, hardware, load)
    wanted = not found.memory.fits if checkpointing is None else checkpointing
    load = replace(load, checkpointing=wanted)
    found = fit_of(_simulated(model, load), hardware, load)
    if as_json:
        print(msgspec.json.encode(_document(found)).decode())  # noqa: T201
    else:
        _print(console(), found, glyphs_for({}, sys.stdout.encoding))
    return 0 if found.memory.fits else PlanError.exit_code


def _simulated(model: ModelFacts, load: Load) -> ModelFacts:
    if sys.stderr.isatty():
        print("Simulating a training step …", file=sys.stderr)  # noqa: T201
    with Helper() as helper:
        return model_simulated(model, load, helper)


def _print(screen: Console, found: Fit, glyphs: Glyphs) -> None:
    _head(screen, found)
    _ways(screen, found)
    _terms(screen, found.memory)
    if found.memory.phases:
        screen.print("\nOver one step", style="bold")
        screen.print(memory_bars(found.memory.phases, glyphs, BARS).plain)
    if found.levers:
        screen.print("\nWhat would need less", style="bold")
        for lever in found.levers:
            line = Text(f"  {lever.name:<32}")
            line.append(f"{size(lever.saves):>9}", style="bold")
            line.append(f"  {lever.costs}", style="dim")
            screen.print(line)


def _head(screen: Console, found: Fit) -> None:
    model, hardware = found.model, found.hardware
    here = "" if model.here else ", not downloaded"
    screen.print(f"{harmless(model.name)}: {parameters(model.parameters)} parameters{here}", style="bold")
    gpu = hardware.gpu
    whose = f"{gpu.name}, from the table of cards" if hardware.planned and gpu else gpu.name if gpu else "the processor"
    screen.print(f"On {whose}: {size(found.memory.available)} free. {found.told}")


def _ways(screen: Console, found: Fit) -> None:
    head = f"\n  {'':<12}{'memory':>10} {'':<9}{'checkpointed':>13} {'':<9}{'largest batch':>14}{'longest row':>13}"
    screen.print(head, style="dim")
    for one in found.ways:
        line = Text(f"  {one.way.name:<12}")
        for width, memory in ((10, one.plain), (13, one.checkpointed)):
            word, style = MARKS["no" if not memory.fits else "tight" if memory.tight else "fits"]
            line.append(f"{size(memory.total):>{width}} ")
            line.append(f"{word:<9}", style=style)
        rows = f"{one.batch:,}{'+' if one.batch == MOST_ROWS else ''}" if one.batch else "none"
        line.append(f"{rows:>14}{f'{one.longest:,}' if one.longest else 'none':>13}")
        screen.print(line)
    screen.print("  Largest batch and longest row are with gradient checkpointing; the row one at a time.", style="dim")
    largest = [f"{way} {name}" for way, name in found.largest.items() if name]
    if largest:
        screen.print(f"  The largest model of the catalogue that fits so: {', '.join(largest)}.", style="dim")


def _terms(screen: Console, memory: MemoryForecast) -> None:
    screen.print(f"\nMemory at its peak, an estimate: {memory.told}", style="bold")
    for term in memory.terms:
        screen.print(f"  {term.name:<18}{size(term.bytes):>10}   {harmless(term.from_what)}", style="dim")
    screen.print(f"  {'allocated':<18}{size(memory.allocated):>10}   what the tensors take at the peak")
    screen.print(f"  {'reserved':<18}{size(memory.total):>10}   of {size(memory.available)} free: what must be there")


def _document(found: Fit) -> dict[str, Any]:
    return {
        "model": found.model.name,
        "parameters": found.model.parameters,
        "here": found.model.here,
        "machine": found.hardware.planned or (found.hardware.gpu.name if found.hardware.gpu else "cpu"),
        "load": found.load,
        "memory": found.memory,
        "ways": [
            {
                "way": one.way.name,
                "bytes": one.plain.total,
                "fits": one.plain.fits,
                "checkpointed_bytes": one.checkpointed.total,
                "checkpointed_fits": one.checkpointed.fits,
                "largest_batch": one.batch,
                "longest_row": one.longest,
            }
            for one in found.ways
        ],
        "levers": found.levers,
        "largest_models": found.largest,
    }
