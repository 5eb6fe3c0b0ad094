"""`tunesmith runs`, `attach` and `stop`: look at runs and end them."""

from __future__ import annotations

import sys
import time
from datetime import datetime

import msgspec
from rich.table import Table
from rich.text import Text

from tunesmith.core import jobs
from tunesmith.core.events import EventReader, Score, StageFinished, Step, Validation
from tunesmith.core.history import Figure, History, read_history
from tunesmith.core.measures import leading, measure
from tunesmith.core.run import Run, State, find_run, list_runs, runs_root
from tunesmith.core.stages import TITLES
from tunesmith.tui.console import POLL_SECONDS, console, follow
from tunesmith.tui.plain_text import harmless

EXIT_CODES = {"finished": 0, "new": 0, "running": 0, "silent": 0, "failed": 1, "stopped": 3, "killed": 4}
INTERRUPTED = 130
MARKS = {"running": "●", "silent": "!", "finished": "✓", "stopped": "■", "failed": "✗", "killed": "✗", "new": "·"}


def list_all(*, as_json: bool) -> int:
    """Print every run with its state, live ones first."""
    found = sorted(((run, run.state()) for run in list_runs()), key=lambda pair: not pair[1].alive)
    if as_json:
        print(msgspec.json.encode([_record(run, state) for run, state in found]).decode())  # noqa: T201
        return 0
    screen = console()
    if not found:
        screen.print(f"There are no runs in {harmless(str(runs_root()))} yet. Start one with `tunesmith demo`.")
        return 0
    if not screen.is_terminal:  # for grep and cut: a line a run, parted by tabs
        for run, state in found:
            print(*map(harmless, (run.name, state.status, _how_far(read_history(run)), state.text)), sep="\t")  # noqa: T201
        return 0
    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in ("Run", "State", "How far", "Begun"):
        table.add_column(title, overflow="fold")
    for run, state in found:
        begun = datetime.fromtimestamp(run.created).strftime("%d %b %H:%M")
        words = f"{MARKS[state.status]} {harmless(state.text)}"
        table.add_row(Text(harmless(run.name)), Text(words), Text(harmless(_how_far(read_history(run)))), Text(begun))
    screen.print(table)
    return 0


def attach(name: str | None, *, as_json: bool) -> int:
    """Follow a run from its beginning to its end."""
    return follow_to_end(find_run(name), as_json=as_json)


def stop(name: str | None, *, now: bool) -> int:
    """Stop a run, with a checkpoint or at once."""
    run = find_run(name) if name else _only_live()
    screen = console()
    if now:
        jobs.kill(run)
        where = "from its last checkpoint" if run.last_checkpoint() else "from the beginning of its stage"
        screen.print(f"{run.name} was ended. `tunesmith run {run.name} --resume` goes on {where}.")
        return 0
    jobs.stop(run)
    screen.print(f"{run.name} stops at its next step and saves …")
    state = jobs.wait(run, 600)
    screen.print(harmless(f"{run.name}: {state.text}."))
    if state.status == "stopped":
        screen.print(f"Go on with `tunesmith run {run.name} --resume`.")
    return 0 if state.status in ("stopped", "finished") else exit_code(state)


def follow_to_end(run: Run, *, as_json: bool) -> int:
    """Follow `run` and close with what it led to and the next step; returns the exit code."""
    try:
        if as_json:
            state = _stream(run)
        else:
            screen = console()
            screen.print(harmless(f"{run.name}  ({run.folder})"), style="dim")
            state = follow(run, screen)
            _close(run, state)
    except KeyboardInterrupt:
        if run.state().alive:
            print(  # noqa: T201
                f"\n{run.name} goes on without this window. Watch it with `tunesmith attach {run.name}`, "
                f"stop it with `tunesmith stop {run.name}`.",
                file=sys.stderr,
            )
        return INTERRUPTED
    return exit_code(state)


def exit_code(state: State) -> int:
    """The exit code that tells how a run stands; a stop by the run's own advice is a proper end."""
    return 0 if state.advised else EXIT_CODES[state.status]


def _close(run: Run, state: State) -> None:
    """Say what was made and what to do next; the result line comes last."""
    screen = console()
    events = EventReader(run.events_path).read()
    if state.status == "killed":
        screen.print(f"\n{run.name}: {harmless(state.text)}. Nothing saved is lost.")
    if state.advised:
        screen.print(f"\nPrompt      {harmless(str(run.prompt_path))}")
        screen.print(f"Train it    tunesmith run {run.name} --resume")
    elif state.status in ("killed", "stopped"):
        screen.print(f"Go on with `tunesmith run {run.name} --resume`.")
    if state.status == "failed":
        screen.print("\nWhere the plan is to blame, mend the run's own copy, or start anew with yours:")
        screen.print(harmless(f"  {run.plan_path}"))
        screen.print(f"Then go on with `tunesmith run {run.name} --resume`.")
    if state.status != "finished":
        return
    if run.merged.exists():
        screen.print(f"\nTry it      tunesmith serve {run.name}")
    if run.report_path.exists():
        screen.print(harmless(f"Report      {run.report_path}"))
    screen.print(harmless(f"Run again   tunesmith run {run.plan_path}"))
    result = [event.summary for event in events if isinstance(event, StageFinished) and event.stage == "evaluate"]
    if result:
        screen.print(f"\n{result[-1]}", style="bold")


def _stream(run: Run) -> State:
    """Print the run's events as JSON lines until it ends."""
    reader = EventReader(run.events_path)
    encoder = msgspec.json.Encoder()
    while True:
        alive = run.state().alive
        for event in reader.read():
            print(encoder.encode(event).decode(), flush=True)  # noqa: T201
        if not alive:
            return run.state()
        time.sleep(POLL_SECONDS)


def _only_live() -> Run:
    """The run to stop when none is named: the live one, or the newest for its error message."""
    return next((run for run in list_runs() if run.state().alive), None) or find_run(None)


def _record(run: Run, state: State) -> dict[str, object]:
    job, history = state.job, read_history(run)
    metric, score = _scored(history.figure)
    return {
        "run": run.name,
        "folder": str(run.folder),
        "status": state.status,
        "text": state.text,
        "how_far": _how_far(history),
        "metric": metric,
        "score": score,
        "created": run.created,
        "pid": job.pid if job and state.alive else None,
    }


def _how_far(history: History) -> str:
    """The last stage with its newest figure, from the run's events."""
    stage, figure = history.last_stage, _told(history.figure)
    return f"{TITLES.get(stage, stage)}{', ' if stage and figure else ''}{figure}"


def _told(figure: Figure | None) -> str:
    if isinstance(figure, Step):
        return f"step {figure.step} of {figure.steps}"
    metric, score = _scored(figure)
    if metric is None:
        return ""
    told = f"{measure(metric).name} {measure(metric).maybe(score)}"
    return f"step {figure.step}, {told}" if isinstance(figure, Validation) else told


def _scored(figure: Figure | None) -> tuple[str | None, float | None]:
    """The metric of the newest score of a run, and the score; None where there is none."""
    match figure:
        case Validation(metric=metric):
            return leading(metric), figure.by(leading(metric))
        case Score(metric=metric):
            score = figure.by(leading(metric))
            return leading(metric), score.value if score else None
    return None, None
