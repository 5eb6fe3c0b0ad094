"""`tunesmith` itself: the wizard in a terminal, plain prompts where a full screen can't serve."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING

from tunesmith.tui.plain_text import harmless

if TYPE_CHECKING:
    from tunesmith.tui.opening import Opening

SLOW_LINE = {"TEXTUAL_FPS": "15", "TEXTUAL_ANIMATIONS": "none", "TEXTUAL_SMOOTH_SCROLL": "0"}
"""Over SSH every frame costs bytes: Textual reads these once, when it is imported."""

QUICK_LINE = {"ESCDELAY": "25"}
"""Milliseconds until a lone Esc is taken for the key: on the machine itself, the rest of a sequence comes at once."""


def full_screen(environment: Mapping[str, str]) -> bool:
    """Whether the wizard can be drawn: a terminal on every side that is not a dumb one."""
    terminals = all(stream.isatty() for stream in (sys.stdin, sys.stdout, sys.stderr))
    return terminals and environment.get("TERM", "") not in ("dumb", "")


def begin(*, plain_wanted: bool = False, ascii_wanted: bool = False, mouse: bool = True) -> int:
    """What `tunesmith` without a command does: the wizard where it can be drawn, else the same as plain questions."""
    if full_screen(os.environ) and not plain_wanted:
        return wizard(ascii_wanted=ascii_wanted, mouse=mouse)
    from tunesmith.tui.plain import plain

    return plain(None, stdin=sys.stdin, stdout=sys.stdout)


def wizard(opens: Opening | None = None, *, ascii_wanted: bool = False, mouse: bool = True) -> int:
    """Open the wizard; returns the exit code when the person has left."""
    for name, value in (SLOW_LINE if os.environ.get("SSH_CONNECTION") else QUICK_LINE).items():
        os.environ.setdefault(name, value)
    from tunesmith.core.settings import read_settings
    from tunesmith.tui.app import TunesmithApp
    from tunesmith.tui.glyphs import glyphs_for

    glyphs = glyphs_for(os.environ, sys.stdout.encoding or "", ascii_wanted or read_settings().ascii)
    app = TunesmithApp(glyphs, dict(os.environ), opens)
    parting = app.run(mouse=mouse)
    if app.failure is not None:
        raise app.failure
    if parting:
        with contextlib.suppress(OSError):  # the line may have dropped: then nobody reads it
            print(harmless(parting), flush=True)  # noqa: T201
    return app.return_code or 0
