"""`tunesmith doctor`: what this machine has, what is missing, and how to get it."""

from __future__ import annotations

import msgspec
from rich.text import Text

from tunesmith.core.doctor import examine
from tunesmith.core.run import runs_root
from tunesmith.tui.console import console
from tunesmith.tui.plain_text import harmless

MARKS = {"ok": ("✓", "green"), "note": ("·", "default"), "problem": ("✗", "red")}


def doctor(*, as_json: bool) -> int:
    """Print every check; the exit code is 1 where one found a problem."""
    checks = examine(runs_root())
    if as_json:
        print(msgspec.json.encode(checks).decode())  # noqa: T201
    else:
        screen = console()
        for check in checks:
            mark, style = MARKS[check.state]
            line = Text(f"{mark} ", style=style)
            line.append(f"{check.name:<24}", style="bold")
            line.append(harmless(check.text), style="default")
            screen.print(line)
            if check.remedy:
                screen.print(Text(f"{'':26}→ {harmless(check.remedy)}"))
    return 1 if any(check.state == "problem" for check in checks) else 0
