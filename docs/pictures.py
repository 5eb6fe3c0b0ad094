"""Draws the pictures of the README from the running wizard.

    .venv/bin/python docs/pictures.py [RUN]

RUN is a finished practice run; without one, one is made first (about a minute). Writes SVG files beside itself: what
stands in them is what the wizard shows, drawn by the terminal library's own export.
"""

from __future__ import annotations

import asyncio
import re
import sys
import tempfile
from pathlib import Path

from tunesmith.core import jobs
from tunesmith.core.launch import launch
from tunesmith.core.project import new_project
from tunesmith.core.run import Run, find_run
from tunesmith.core.survey import survey
from tunesmith.tui.app import TunesmithApp
from tunesmith.tui.glyphs import UNICODE
from tunesmith.tui.opening import Opening

HERE = Path(__file__).resolve().parent
SIZE = (114, 32)
STEPS = {"prepare": "2", "select": "3", "finetune": "4", "evaluate": "5"}
"""Picture → the key that opens the step."""
MEASURED = ("prepare", "select")
"""Steps that wait until the rows are counted."""


def practice_run() -> Run:
    """A practice run, finished."""
    project = new_project("practice", Path(tempfile.gettempdir()))
    with jobs.Helper() as helper:
        project.measured(survey(project.wishes, project.base, helper))
    for stage in ("understand", "prepare", "select", "finetune"):
        project.accept(stage)
    run = launch(project.plan, project.reasons)
    project.started(run)
    print(f"{run.name} is at work …")
    jobs.wait(run)
    return run


async def draw(run: Run) -> None:
    """Open the wizard on the run and export each step."""
    app = TunesmithApp(UNICODE, {"COLORTERM": "truecolor"}, Opening(run=run))
    async with app.run_test(size=SIZE) as pilot:
        while app.shell is None:
            await pilot.pause(0.1)
        await pilot.pause(3.0)
        for name, key in STEPS.items():
            await pilot.press(key)
            for _ in range(600):  # what a step shows of the data is looked at when it is opened
                await pilot.pause(0.1)
                shell = app.shell
                if shell is not None and (name not in MEASURED or shell.session.counted):
                    break
            await pilot.pause(2.0)
            (HERE / f"{name}.svg").write_text(_own_font(app.export_screenshot(title="tunesmith")), encoding="utf-8")
            print(f"docs/{name}.svg")


def _own_font(svg: str) -> str:
    """Without the fonts that the export would fetch from the network: whoever looks has a monospaced one."""
    svg = re.sub(r"@font-face \{.*?\}", "", svg, flags=re.S)
    return re.sub(r'(font-family: )"?Fira Code"?(, ?monospace)?', r"\1monospace", svg)


if __name__ == "__main__":
    asyncio.run(draw(find_run(sys.argv[1]) if len(sys.argv) > 1 else practice_run()))
