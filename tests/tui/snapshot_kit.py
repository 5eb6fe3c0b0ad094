"""Pictures of a screen as text, so that a change of what a person reads shows in `git diff`.

Written anew with TUNESMITH_SNAPSHOTS=write. Colours are held by the tests of the palettes.
"""

from __future__ import annotations

import asyncio
import html
import os
import re
import time
from pathlib import Path
from typing import Any

from textual.app import App

FOLDER = Path(__file__).parent / "snapshots"
CELL_WIDTH = 12.2
"""Of the terminal library's SVG export."""
WAITS_SECONDS = 5.0
"""For the screen to become what it should be: on a busy machine the last widgets are mounted late."""


def screen_text(app: App[Any]) -> str:
    """What stands on the open screen, a line a row, taken from the library's own export."""
    rows: dict[float, list[str]] = {}
    for x, y, text in re.findall(r'<text class="[^"]*-r\d+" x="([\d.]+)" y="([\d.]+)"[^>]*>(.*?)</text>', _svg(app)):
        row = rows.setdefault(float(y), [" "] * app.size.width)
        start = round(float(x) / CELL_WIDTH)
        for place, sign in enumerate(html.unescape(text).replace("\u00a0", " ")):
            if start + place < len(row):
                row[start + place] = sign
    height = 24.4  # of a row
    lines = [""] * app.size.height
    for y, row in rows.items():
        number = round((y - 20) / height)
        if 0 <= number < len(lines):
            lines[number] = "".join(row).rstrip()
    return "\n".join(lines) + "\n"


def _svg(app: App[Any]) -> str:
    return app.export_screenshot(title="", simplify=True)


async def check_snapshot(app: App[Any], name: str) -> None:
    """Compare the open screen with the one that was kept, once it is; write it where that is asked for."""
    path = FOLDER / f"{name}.txt"
    if os.environ.get("TUNESMITH_SNAPSHOTS") == "write":
        FOLDER.mkdir(exist_ok=True)
        path.write_text(screen_text(app), encoding="utf-8")
    assert path.exists(), f"there is no snapshot {path.name} yet: TUNESMITH_SNAPSHOTS=write makes it"
    kept, deadline = path.read_text(encoding="utf-8"), time.monotonic() + WAITS_SECONDS
    while (text := screen_text(app)) != kept and time.monotonic() < deadline:
        await asyncio.sleep(0.1)
    assert text == kept, f"{name} looks different:\n{text}"
