"""`tunesmith serve`: a run's model behind an OpenAI-compatible endpoint, in the foreground."""

from __future__ import annotations

import time

from tunesmith.core.errors import RunError
from tunesmith.core.plan_yaml import read_plan
from tunesmith.core.productionize.serve import endpoint_snippets, start_server
from tunesmith.core.run import Run, find_run, list_runs
from tunesmith.tui.console import console
from tunesmith.tui.plain_text import harmless


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
    )
    try:
        screen.print(f"\nServing at {server.base_url}   (Ctrl-C ends it)\n")
        for title, snippet in endpoint_snippets(server.base_url, server.model_id).items():
            screen.print(title, style="bold")
            screen.print(harmless(snippet) if "\n" not in snippet else snippet)
            screen.print()
        while server.alive():
            time.sleep(0.5)
    except KeyboardInterrupt:
        screen.print("\nThe endpoint is closed.")
        return 0
    finally:
        server.stop()
    raise RunError("The endpoint ended by itself.", next_step=f"The reason is in {run.folder / 'serve.log'}.")


def _newest_with_model() -> Run:
    """The newest run that can be served, or the newest for its error message."""
    return next((run for run in list_runs() if run.merged.exists()), None) or find_run(None)
