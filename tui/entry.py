"""The console script. `tunesmith` alone opens the wizard without loading the command line's parser first."""

from __future__ import annotations

import io
import os
import sys


def main() -> None:
    """The console script: every error becomes a sentence and an exit code, never a traceback."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal that lacks a character gets `?`, never a crash
    try:
        if len(sys.argv) == 1:
            from tunesmith.tui.commands.wizard import begin

            sys.exit(begin())
        from tunesmith.tui.cli import app

        app()
    except KeyboardInterrupt:
        print("\nInterrupted.", file=sys.stderr)  # noqa: T201 - rich may not be imported yet
        sys.exit(130)
    except BrokenPipeError:  # `tunesmith runs | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except Exception as error:  # noqa: BLE001 - the last line of defence
        from tunesmith.tui.failures import tell

        sys.exit(tell(error))
