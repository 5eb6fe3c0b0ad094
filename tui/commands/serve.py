"""`tunesmith serve`: a run's model behind an OpenAI-compatible endpoint, in the foreground."""

from __future__ import annotations

import time

from tunesmith.core.errors import RunError
from tunesmith.core.plan_yaml import read_plan
from tunesmith.core.productionize.serve import Asked, Manner, endpoint_snippets, start_server
from tunesmith.core.rows import read_rows
from tunesmith.core.run import Run, find_run, list_runs
from tunesmith.tui.console import console


def serve(name: str | None, *, host: str | None, port: int | None) -> int:
    """Serve until Ctrl-C; the model is the run's merged one (or the whole tuned one)."""
    run = find_run(name) if name else _newest_with_model()
    if not run.merged.exists():
        raise RunError(
            f"{run.name} has no model to serve yet.",
            next_step=f"Make it with `tunesmith run {run.name} --from productionize`, once Fine-tune is done.",
        )
    plan = read_plan(run.plan_path)
    screen = console()
    screen.print(f"Loading {run.name} …")
    server = start_server(
        run.merged,
        host if host is not None else plan.productionize.host,
        port if port is not None else plan.productionize.port,
        run.folder / "serve.log",
        Manner(device="cpu" if plan.select.device == "cpu" else "cuda:0", detached=False),
    )
    try:
        screen.print(f"\nServing at {server.base_url}   (Ctrl-C ends it)\n")
        snippets = endpoint_snippets(server.base_url, server.model_id, _example(run, plan.evaluate.max_new_tokens))
        for title, how in (("Ask it", "curl"), ("From Python", "python")):
            screen.print(title, style="bold")
            screen.print(snippets[how], soft_wrap=True)
            screen.print()
        while server.alive():
            time.sleep(0.5)
    except KeyboardInterrupt:
        screen.print("\nThe endpoint is closed.")
        return 0
    finally:
        server.stop()
    raise RunError("The endpoint ended by itself.", next_step=f"The reason is in {run.folder / 'serve.log'}.")


def _example(run: Run, max_tokens: int) -> Asked:
    """The run's first test question, so that the commands to copy get a sensible answer."""
    row = next(iter(read_rows(run.rows_path("test"))), None)
    return Asked([turn.as_dict() for turn in row.turns], max_tokens) if row else Asked()


def _newest_with_model() -> Run:
    """The newest run that can be served, or the newest for its error message."""
    return next((run for run in list_runs() if run.merged.exists()), None) or find_run(None)
