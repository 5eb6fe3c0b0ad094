"""Trying a run's model: its endpoint at the plan's address or a free one, and the test rows to ask it."""

from __future__ import annotations

import errno
from collections.abc import Callable
from itertools import islice

import msgspec

from tunesmith.core.errors import RunError
from tunesmith.core.metrics import exact_match
from tunesmith.core.plan import Plan
from tunesmith.core.productionize.serve import Manner, Server, start_server
from tunesmith.core.rows import Row, ask, read_rows
from tunesmith.core.run import Run

ROWS_MOST = 200
"""Test rows that are offered."""


def start_for_trying(run: Run, plan: Plan, waiting: Callable[[], None]) -> tuple[Server, int | None]:
    """Serve the run's model, bound to the thread that calls; returns the server and the plan's port where it is taken.

    The kernel ends the server with the thread that started it (`job_server`), so the thread must stay.

    Args:
        run: With a whole model in it.
        plan: The run's own plan.
        waiting: Called several times a second while the model is loaded; may raise to give up.

    Raises:
        TunesmithError: As `start_server`; a port that is taken is no error.
    """
    manner = Manner(device="cpu" if plan.select.device == "cpu" else "cuda:0", detached=False, waiting=waiting)
    host, port, log = plan.productionize.host, plan.productionize.port, run.folder / "serve.log"
    try:
        return start_server(run.merged, host, port, log, manner), None
    except RunError as error:
        if not isinstance(error.__cause__, OSError) or error.__cause__.errno != errno.EADDRINUSE:
            raise
    return start_server(run.merged, host, 0, log, manner), port


def trial_rows(run: Run) -> list[Row]:
    """The run's first test rows; none where there are none to be read."""
    try:
        return list(islice(read_rows(run.rows_path("test")), ROWS_MOST))
    except (OSError, msgspec.DecodeError):
        return []


def own_question(row: Row) -> str:
    """What the row asks: its question, or the last turn that a server is asked with."""
    return row.question or row.turns[-1].content


def trial_chat(row: Row, question: str) -> list[dict[str, str]]:
    """The row's prompt with another question in it, in the form that was trained."""
    if question == own_question(row):
        turns = row.turns
    elif row.question:
        system = row.prompt[0].content if row.prompt[0].role == "system" else ""
        turns = ask(question, row.context, system)
    else:
        turns = [*row.turns[:-1], msgspec.structs.replace(row.turns[-1], content=question)]
    return [turn.as_dict() for turn in turns]


def record_of(row: Row) -> str:
    """What stands before the question: system turn, context or the turns before."""
    if not row.question:
        return "\n".join(f"{turn.role}: {turn.content}" for turn in row.prompt[:-1])
    system = row.prompt[0].content if row.prompt[0].role == "system" else ""
    return "\n".join(part for part in (f"system: {system}" if system else "", row.context) if part)


def right(row: Row, answer: str) -> bool:
    """Whether `answer` counts as an exact match of the one that is wanted."""
    return exact_match(answer, row.answer) == 1
