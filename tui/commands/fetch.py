"""`tunesmith fetch`: bring a model from the Hugging Face Hub into the cache, where Tunesmith finds it by its name."""

from __future__ import annotations

import os
import sys
import time

from rich.live import Live
from rich.text import Text

from tunesmith.core import catalogue
from tunesmith.core.figures import duration, size
from tunesmith.core.models import find_model
from tunesmith.tui.console import console
from tunesmith.tui.plain_text import harmless

INTERRUPTED = 130


def fetch(name: str) -> int:
    """Say what will come and whether there is room for it, fetch it, and say what it is; returns the exit code."""
    known = catalogue.find(name)
    name = known.name if known else name
    if known is not None and known.hindrance:
        find_model(name)  # says why it would be of no use here, and what to take
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    from tunesmith.core.worker import hub

    screen = console()
    screen.print(f"Asking the Hub for {harmless(name)} …")
    planned = hub.plan_download(name)
    screen.print(f"{planned.files} files, {size(planned.bytes)}, of which {size(planned.missing)} are not here yet.")
    if known is not None:
        screen.print(f"Licence {known.licence}: {known.catch}")
    screen.print(f"They go to {harmless(planned.folder)}", style="dim")
    began, before = time.monotonic(), planned.bytes - planned.missing
    try:
        with Live(Text(""), console=screen, refresh_per_second=2, transient=True) as live:
            hub.download(name, lambda held: live.update(_progress(held, before, planned.bytes, began)))
    except KeyboardInterrupt:
        print("\nInterrupted. The same command goes on where it was.", file=sys.stderr)  # noqa: T201
        return INTERRUPTED
    model = find_model(name)
    screen.print(f"{harmless(model.name)} is here: {harmless(model.path)}")
    screen.print(f"Name it in a plan as  select.model: {harmless(name)}", style="bold")
    return 0


def _progress(held: int, before: int, total: int, began: float) -> Text:
    """How far it is, and how long is left at the rate so far."""
    fresh, seconds = held - before, time.monotonic() - began
    left = (total - held) * seconds / fresh if fresh > 0 else 0
    told = f"{size(min(held, total))} of {size(total)}"
    return Text(f"{told}, about {duration(left)} left" if left > 0 else told)
