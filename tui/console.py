"""Follows a run in the console: its stages, findings and scores as lines, the work at hand as one moving line."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from functools import singledispatchmethod

from rich.console import Console
from rich.live import Live
from rich.text import Text

from tunesmith.core import events as e
from tunesmith.core.evidence import examples_told
from tunesmith.core.figures import duration, percent, size
from tunesmith.core.measures import ALWAYS, leading, measure
from tunesmith.core.run import Run, State
from tunesmith.core.stages import STAGES, TITLES
from tunesmith.tui.plain_text import harmless, shortened

POLL_SECONDS = 0.25
LABEL = 22
"""Columns for the name before a value."""

MARKS = {"ok": ("✓", "green"), "note": ("·", "default"), "warning": ("!", "yellow")}


def console(*, stderr: bool = False) -> Console:
    """A console that takes what it is given as text, never as markup or emoji names."""
    return Console(
        stderr=stderr,
        markup=False,
        highlight=False,
        emoji=False,
        soft_wrap=not (sys.stderr if stderr else sys.stdout).isatty(),
    )


def follow(run: Run, screen: Console, *, moving: bool | None = None) -> State:
    """Print what happened in `run` and what happens next, until nobody works on it any more; returns its last state.

    Args:
        screen: Where to print.
        moving: Whether to show the work at hand as a line that changes; by default where there is a terminal.
    """
    lines = Lines(screen)
    reader = e.EventReader(run.events_path)
    moving = screen.is_terminal if moving is None else moving
    with Live(Text(""), console=screen, refresh_per_second=4, auto_refresh=False, transient=True) as live:
        while True:
            alive = run.state().alive  # asked before reading: what was written before the end is still read
            news = reader.read()
            for event in news:
                lines.show(event)
            if moving and alive:
                live.update(lines.at_hand(screen.width), refresh=True)
            if not alive:
                live.update(Text(""), refresh=moving)
                break
            time.sleep(POLL_SECONDS)
    return run.state()


class Lines:
    """Turns events into lines; remembers what is going on at the moment."""

    def __init__(self, screen: Console) -> None:
        self.screen = screen
        self._doing: Callable[[], str] = lambda: "starting: loading the libraries"
        self._answers: dict[str, str] = {}
        self._scores_headed = False

    def at_hand(self, width: int) -> Text:
        """One line that says what is being done, how far it is and how long is left."""
        return Text(shortened(f"  … {self._doing()}", width - 1), style="dim")

    @singledispatchmethod
    def show(self, event: e.AnyEvent) -> None:
        """Print what is worth a line of its own; kinds without a line only move the line at hand."""

    @show.register
    def _(self, event: e.JobStarted) -> None:
        if event.resumed:
            self._line("·", "default", "resumed")

    @show.register
    def _(self, event: e.StageStarted) -> None:
        self._scores_headed = False
        self._doing = lambda: f"{TITLES.get(event.stage, event.stage)}, {time.time() - event.at:.0f} s"
        number = STAGES.index(event.stage) + 1 if event.stage in STAGES else "·"
        self.screen.print(Text(f"\n{number} {TITLES.get(event.stage, event.stage)}", style="bold"))

    @show.register
    def _(self, event: e.StageFinished) -> None:
        self._line("✓", "green", f"{event.summary}  ({event.seconds:.0f} s)" if event.summary else "done")

    @show.register
    def _(self, event: e.Decision) -> None:
        text = Text(f"    {shortened(event.name, LABEL - 1):<{LABEL}}")
        text.append(harmless(event.value), style="bold")
        if event.because:
            text.append(f"  {harmless(event.because)}", style="dim")
        self._print(text, indent=LABEL + 4)

    @show.register
    def _(self, event: e.Finding) -> None:
        mark, style = MARKS[event.level]
        self._line(mark, style, event.text)

    @show.register
    def _(self, event: e.Progress) -> None:
        of = f" of {event.total:,}" if event.total else ""
        self._doing = lambda: f"{event.doing}: {event.done:,}{of} {event.unit}"

    @show.register
    def _(self, event: e.Step) -> None:
        self._doing = lambda: (
            f"step {event.step} of {event.steps}   loss {event.loss:.3f}   {event.tokens_per_second:,.0f} tokens/s   "
            f"about {duration(event.seconds_left)} left   {size(event.memory_bytes)} "
            + ("on the GPU" if event.memory_kind == "gpu" else "in RAM")
        )

    @show.register
    def _(self, event: e.Validation) -> None:
        loss = "" if event.loss is None else f"  validation loss {event.loss:.3f}"
        who = "untouched" if event.step == 0 else f"step {event.step}"
        scores = f"exact match {percent(event.exact_match):>7}  F1 {percent(event.f1):>7}"
        if event.metric not in ALWAYS:
            metric = measure(event.metric)
            scores = f"{metric.name} {metric.maybe(event.by(event.metric)):>7}  {scores}"
        self._line("·", "default", f"{who:<12}{scores}{loss}")

    @show.register
    def _(self, event: e.Evidence) -> None:
        who = f"untouched, {examples_told(event.shots)}"
        if event.skipped:
            self._line("·", "default", f"{who:<25}left out: {event.skipped}")
            return
        scores = f"exact match {percent(event.exact_match):>7}  F1 {percent(event.f1):>7}"
        if event.metric not in ALWAYS and event.goal is not None:
            metric = measure(event.metric)
            scores = f"{metric.name} {metric.told(event.goal):>7}"
        self._line("·", "default", f"{who:<25}{scores}  {event.rows:,} rows")

    @show.register
    def _(self, event: e.Sample) -> None:
        if self._answers.get(event.question) == event.answer:
            return  # the same as at the last look: nothing to read
        self._answers[event.question] = event.answer
        same = "as wanted" if event.answer == event.expected else f"wanted {harmless(event.expected)}"
        text = Text("        ")
        text.append(f"{shortened(event.question, 60)} → ", style="dim")
        text.append(shortened(event.answer, 60) or "(nothing)")
        text.append(f"  {same}", style="dim")
        self._print(text)

    @show.register
    def _(self, event: e.Score) -> None:
        metric = measure(leading(event.metric))
        other = metric.key != "exact_match"
        if not self._scores_headed:
            self._scores_headed = True
            interval = f"{100 * event.confidence:.0f} % interval"
            match = f"{'exact match':>13}" if other else ""
            self._line(" ", "default", f"{'':<26}{metric.name:>11}{interval:>16}{match}{'F1':>9}{'rows':>8}")
        name = event.model if event.rows_kind == "test" else f"{event.model}, {event.rows_kind}"
        score = event.by(metric.key)
        bounds = metric.span(score).removesuffix(" %") if score else ""
        scores = f"{metric.maybe(score.value if score else None):>11}{bounds:>16}"
        scores += f"{percent(event.exact_match):>13}" if other else ""
        self._line("·", "default", f"{name:<26}{scores}{percent(event.f1):>9}{event.rows:>8,}")

    @show.register
    def _(self, event: e.Verdict) -> None:
        self._line("✓" if event.reached else "!", "green" if event.reached else "yellow", event.text)

    @show.register
    def _(self, event: e.Written) -> None:
        self._line("·", "default", f"{event.what}: {event.path} ({size(event.bytes)})")

    @show.register
    def _(self, event: e.JobError) -> None:
        self._line("✗", "red", " ".join(part for part in (event.title, event.cause, event.next_step) if part))
        self._line("·", "default", f"log: {event.log}")

    @show.register
    def _(self, event: e.JobFinished) -> None:
        if event.advised:
            self._line("✓", "green", event.text)
        elif event.outcome == "stopped":
            self._line("·", "default", f"{event.text}; what was done is saved")

    def _line(self, mark: str, style: str, text: str) -> None:
        line = Text("  ")
        line.append(f"{mark} ", style=style)
        line.append(harmless(text))
        self._print(line, indent=4)

    def _print(self, text: Text, indent: int = 8) -> None:
        """Print one line; on a terminal its continuation is indented, elsewhere it stays whole for `grep`."""
        if self.screen.encoding.lower().replace("-", "") not in ("utf8", "utf_8"):
            text.plain = text.plain.encode(self.screen.encoding, "replace").decode(self.screen.encoding)
        if not self.screen.is_terminal or text.cell_len <= self.screen.width:
            self.screen.print(text)
            return
        first, *rest = text.wrap(self.screen, self.screen.width)
        # What does not fit on the first line is wrapped anew, narrower, so that it can be indented.
        remainder = Text(" ").join(rest)
        self.screen.print(first)
        for line in remainder.wrap(self.screen, max(20, self.screen.width - indent)):
            self.screen.print(Text(" " * indent) + line)
