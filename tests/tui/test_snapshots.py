"""What each screen looks like at both sizes, on a recorded machine and a recorded run (see `snapshot_kit`)."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest

from tests.core.facts_kit import machine
from tests.tui.screens.results_kit import evaluated, produced, tell
from tests.tui.snapshot_kit import check_snapshot
from tunesmith.core.events import (
    Checkpoint,
    JobStarted,
    Sample,
    StageStarted,
    Step,
    Validation,
)
from tunesmith.core.fit import unsimulated
from tunesmith.core.jobs import Helper
from tunesmith.core.plan_yaml import write_plan
from tunesmith.core.project import Project, new_project
from tunesmith.core.rows import write_rows
from tunesmith.core.run import ExitRecord, Run, write_json
from tunesmith.core.survey import Survey, simulated, survey
from tunesmith.tui.app import TunesmithApp
from tunesmith.tui.glyphs import UNICODE
from tunesmith.tui.session import Session

from .screens.results_kit import rows

SIZES = [(80, 24), (120, 40)]
FOLDER = Path(tempfile.gettempdir()) / "tunesmith-snapshots"
"""Always the same, because paths stand on the screens."""
AT = 1_760_000_000.0
STEPS = 106


@pytest.fixture(scope="module")
def seen() -> Survey:
    """The practice project as it is measured and simulated, on a machine that is always the same."""
    wishes = {"prepare.data": "practice", "select.model": "practice"}
    with Helper() as helper:
        found = survey(wishes, Path("/"), helper)
        found = msgspec.structs.replace(found, facts=msgspec.structs.replace(found.facts, hardware=machine()))
        while (load := unsimulated(wishes, found.facts)) is not None:
            found = simulated(found, load, helper)
    return found


@pytest.fixture
def project(seen: Survey, monkeypatch: pytest.MonkeyPatch) -> Iterator[Project]:
    shutil.rmtree(FOLDER, ignore_errors=True)
    monkeypatch.setenv("TUNESMITH_RUNS", str(FOLDER / "runs"))
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    monkeypatch.setattr(Session, "measure", lambda *_: seen)
    monkeypatch.setattr("tunesmith.core.__version__", "0.0.0")
    made = new_project("practice", Path("/"))
    made.measured(seen)
    yield made
    shutil.rmtree(FOLDER, ignore_errors=True)
    monkeypatch.undo()
    time.tzset()


@pytest.fixture
def run(project: Project) -> Run:
    """A run of the project with a training that went well."""
    found = Run(FOLDER / "runs" / "employees-20251009-084640")
    for folder in (found.data, found.checkpoints, found.model, found.predictions):
        folder.mkdir(parents=True)
    write_plan(found.plan_path, project.plan, project.reasons)
    write_rows(found.rows_path("test"), rows(12))
    for stage in ("understand", "prepare", "select", "finetune"):
        project.accept(stage)
    project.started(found)
    tell(found, JobStarted(pid=1, stages=["finetune"], at=AT), StageStarted(stage="finetune", at=AT))
    for step in range(1, STEPS + 1):
        loss = 1.9 * 0.95**step + 0.002
        tell(
            found,
            Step(
                step=step,
                steps=STEPS,
                epoch=step / 53,
                loss=loss,
                learning_rate=2e-3,
                tokens_per_second=3000,
                memory_bytes=900 << 20,
                at=AT + step / 2,
            ),
        )
        if step in (1, 22, 44, 66, 88, 106):
            share = 0.0 if step == 1 else min(1.0, step / 80)
            shown = 0 if step == 1 else step
            answer = "2013-02-16" if step > 40 else "Wei was hired"
            question = "When was Wei Moreau hired?"
            tell(
                found,
                Validation(step=shown, loss=loss, exact_match=share, f1=share, rows=24, at=AT + step / 2),
                Sample(step=shown, question=question, expected="2013-02-16", answer=answer, at=AT + step / 2),
            )
        if step in (44, 88):
            tell(found, Checkpoint(step=step, path=f"checkpoints/checkpoint-{step}", at=AT + step / 2))
    return found


def look(project: Project, name: str, size: tuple[int, int], *keys: str, run: Run | None = None) -> None:
    """Open the project in the real app, press keys, and compare what stands there."""

    async def go() -> None:
        app = TunesmithApp(UNICODE, {"COLORTERM": "truecolor"})
        async with app.run_test(size=size) as pilot:
            await app.open_project(project, run)
            await settled(pilot.pause, app)
            for key in keys:
                await pilot.press(key)
                await settled(pilot.pause, app)
            await check_snapshot(app, f"{name}-{size[0]}x{size[1]}")

    asyncio.run(go())


async def settled(pause: Callable[..., object], app: TunesmithApp) -> None:
    for _ in range(3):
        await pause(0.05)  # type: ignore[misc]
        if busy := [one for one in app.workers if one.group in ("survey", "results")]:
            await app.workers.wait_for_complete(busy)
    await pause(0.3)  # type: ignore[misc]


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_start(project: Project, size: tuple[int, int]) -> None:
    async def go() -> None:
        app = TunesmithApp(UNICODE, {"COLORTERM": "truecolor"})
        async with app.run_test(size=size) as pilot:
            await pilot.pause(0.2)
            await check_snapshot(app, f"start-{size[0]}x{size[1]}")

    asyncio.run(go())


@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize(
    ("name", "keys"),
    [
        ("understand", ()),
        ("understand-question", ("down", "down")),
        ("understand-choices", ("down", "down", "space")),
        ("help", ("down", "down", "f1")),
        ("prepare", ("enter",)),
        ("select", ("enter", "enter")),
        ("select-method", ("enter", "enter", "down", "down")),
        ("review", ("enter", "enter", "enter")),
    ],
)
def test_asking(project: Project, size: tuple[int, int], name: str, keys: tuple[str, ...]) -> None:
    look(project, name, size, *keys)


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_finetune(project: Project, run: Run, size: tuple[int, int]) -> None:
    write_json(run.exit_path, ExitRecord("stopped", AT + 60))
    look(project, "finetune", size, "4", run=run)


@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize(("name", "key"), [("evaluate", "5"), ("productionize", "6")])
def test_results(project: Project, run: Run, size: tuple[int, int], name: str, key: str) -> None:
    produced(evaluated(run, {3: "R3 is on 4", 5: ""}))
    write_json(run.exit_path, ExitRecord("finished", AT + 60))
    look(project, name, size, key, run=run)
