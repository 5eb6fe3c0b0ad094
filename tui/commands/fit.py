"""`tunesmith fit MODEL`: what tuning a model takes here or on another card, before anything is downloaded."""

from __future__ import annotations

import sys
import textwrap
from functools import partial
from typing import Any

import msgspec
from rich.console import Console
from rich.text import Text

from tunesmith.core.errors import ModelError, PlanError
from tunesmith.core.facts import ModelFacts
from tunesmith.core.figures import parameters, size
from tunesmith.core.fit import Answers, Fit, fit_of, load_to_show, slow_here
from tunesmith.core.hardware import probe_hardware
from tunesmith.core.jobs import Helper
from tunesmith.core.load import Load
from tunesmith.core.models import find_model
from tunesmith.core.run import runs_root
from tunesmith.core.select.cards import hardware_for
from tunesmith.core.select.levers import MOST_ROWS, Way
from tunesmith.core.select.memory import MemoryForecast
from tunesmith.core.survey import model_simulated
from tunesmith.tui.console import console
from tunesmith.tui.glyphs import Glyphs, glyphs_for
from tunesmith.tui.plain_text import harmless
from tunesmith.tui.widgets.memory_bars import memory_bars

MARKS = {"fits": ("fits", "green"), "tight": ("tightly", "yellow"), "no": ("no", "red")}
NAMED = {
    "full": Way("full", "full"),
    "lora": Way("LoRA", "lora"),
    "qlora": Way("QLoRA 4-bit", "qlora"),
    "qlora-8bit": Way("QLoRA 8-bit", "qlora", "int8"),
    "qlora-fp4": Way("QLoRA FP4", "qlora", "fp4"),
}
"""What `--method` takes."""
WIDTH = 80
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
    if sys.stderr.isatty():
        print("Simulating a training step …", file=sys.stderr)  # noqa: T201
    with Helper() as helper:
        simulated = partial(_simulated, helper)
        known, load = load_to_show(model, hardware, rows, length, NAMED.get(method), checkpointing, simulated)
    found = fit_of(known, hardware, load)
    if as_json:
        print(msgspec.json.encode(_document(found)).decode())  # noqa: T201
    else:
        _print(console(), found, glyphs_for({}, sys.stdout.encoding))
    return 0 if found.memory.fits else PlanError.exit_code


def _simulated(helper: Helper, model: ModelFacts, load: Load) -> ModelFacts:
    """The model with `load` simulated; as it is where that can't be done, and the arithmetic must serve."""
    try:
        return model_simulated(model, load, helper)
    except ModelError as error:
        print(f"{error.title} {error.cause} {error.next_step}", file=sys.stderr)  # noqa: T201
        return model


def _print(screen: Console, found: Fit, glyphs: Glyphs) -> None:
    _head(screen, found)
    _ways(screen, found)
    _terms(screen, found.memory)
    if found.answers is not None:
        _answering(screen, found.answers)
    if found.memory.phases:
        screen.print("\nOver one step", style="bold")
        screen.print(memory_bars(found.memory.phases, glyphs, BARS).plain)
    if found.levers:
        screen.print("\nWhat would need less", style="bold")
        for lever in found.levers:
            line = Text(f"  {lever.name:<32}")
            line.append(f"{size(lever.saves):>9} less", style="bold")
            if lever.fits and not found.memory.fits:
                line.append("  fits then", style="green")
            screen.print(line)
            screen.print(f"    {lever.costs}", style="dim")


def _head(screen: Console, found: Fit) -> None:
    model, hardware = found.model, found.hardware
    here = "" if model.here else ", not downloaded"
    screen.print(f"{harmless(model.name)}: {parameters(model.parameters)} parameters{here}", style="bold")
    gpu = hardware.gpu
    whose = f"{gpu.name}, from the table of cards" if hardware.planned and gpu else gpu.name if gpu else "the processor"
    count = len(hardware.gpus)
    many = f"{count} x {whose}; training uses one of them" if count > 1 and hardware.planned else whose
    screen.print(f"On {many}: {size(found.memory.available)} free. {found.told}")
    if slow_here(model, hardware):
        screen.print("On a processor, training a model of this size takes hours to days.", style="yellow")


def _ways(screen: Console, found: Fit) -> None:
    head = f"\n  {'':<12}{'memory':>10}  {'':<8}{'checkpointed':>12}  {'':<8}{'most rows':>10}{'longest row':>13}"
    screen.print(head, style="dim")
    for one in found.ways:
        line = Text(f"  {one.way.name:<12}")
        for width, memory in ((10, one.plain), (12, one.checkpointed)):
            word, style = MARKS["no" if not memory.fits else "tight" if memory.tight else "fits"]
            line.append(f"{_reckoned(memory) + size(memory.total):>{width}}  ")
            line.append(f"{word:<8}", style=style)
        rows = f"{one.batch:,}{'+' if one.batch == MOST_ROWS else ''}" if one.batch else "none"
        line.append(f"{rows:>10}{f'{one.longest:,}' if one.longest else 'none':>13}")
        screen.print(line)
    notes = (
        "~ by arithmetic; without it, simulated. FP4 takes what NF4 does.",
        "Most rows and longest row: arithmetic, with gradient checkpointing.",
    )
    for note in notes:
        screen.print(f"  {note}", style="dim")
    largest = [f"{way} {name}" for way, name in found.largest.items() if name]
    if largest:
        screen.print(f"  The largest model of the catalogue that fits so: {', '.join(largest)}.", style="dim")


def _terms(screen: Console, memory: MemoryForecast) -> None:
    screen.print(f"\nMemory at its peak, an estimate: {memory.told}", style="bold")
    for term in memory.terms:
        _row(screen, term.name, term.bytes, harmless(term.from_what), "dim")
    _row(screen, "allocated", memory.allocated, "what the tensors take at the peak")
    around = "the driver" if memory.device == "cuda" else "the libraries"
    _row(screen, "reserved", memory.reserved, "what torch's allocator takes for them")
    _row(screen, "total", memory.total, f"with {around}; of {size(memory.available)} free")


def _row(screen: Console, name: str, taken: int, text: str, style: str = "") -> None:
    """A row of the table of terms; what does not fit beside it goes on below it."""
    start = f"  {name:<18}{size(taken):>10}   "
    lines = textwrap.wrap(text, max(20, min(screen.width, WIDTH) - len(start))) or [""]
    screen.print("\n".join([start + lines[0], *(" " * len(start) + line for line in lines[1:])]), style=style or None)


def _answering(screen: Console, answers: Answers) -> None:
    """What the evaluation takes, beside the step and not in its sum."""
    rows = f"{answers.rows} prompts of the full length at once, answers of {answers.tokens} tokens"
    screen.print("\nWhile answers are written, in the evaluation", style="bold")
    _row(screen, "allocated", answers.bytes, rows)
    if answers.more_than_step:
        below = answers.rows_below
        advice = f"{below} at once would stay below it" if below else "even one at a time would"
        screen.print(f"  That is more than a step of the training takes; {advice}.", style="yellow")


def _reckoned(memory: MemoryForecast) -> str:
    """The mark of what was not simulated or measured."""
    return "" if memory.how in ("simulated", "measured") else "~"


def _document(found: Fit) -> dict[str, Any]:
    return {
        "model": found.model.name,
        "parameters": found.model.parameters,
        "here": found.model.here,
        "machine": found.hardware.planned or (found.hardware.gpu.name if found.hardware.gpu else "cpu"),
        "load": found.load,
        "memory": found.memory,
        "evaluation": found.answers,
        "ways": [
            {
                "way": one.way.name,
                "bytes": one.plain.total,
                "fits": one.plain.fits,
                "how": one.plain.how,
                "checkpointed_bytes": one.checkpointed.total,
                "checkpointed_how": one.checkpointed.how,
                "checkpointed_fits": one.checkpointed.fits,
                "largest_batch": one.batch,
                "longest_row": one.longest,
            }
            for one in found.ways
        ],
        "levers": found.levers,
        "largest_models": found.largest,
    }
