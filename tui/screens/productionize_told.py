"""What Productionize made, as text: products with their sizes and places, findings, and what to do next."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from textual.content import Content

from tunesmith.core.adapters import KINDS
from tunesmith.core.errors import TunesmithError
from tunesmith.core.events import Finding
from tunesmith.core.figures import size
from tunesmith.core.history import History
from tunesmith.core.plan import Plan
from tunesmith.core.plan_yaml import read_plan
from tunesmith.core.productionize.serve import Asked, endpoint_snippets
from tunesmith.core.productionize.trying import trial_rows
from tunesmith.core.rows import Row
from tunesmith.core.run import Run
from tunesmith.tui.glyphs import Glyphs
from tunesmith.tui.plain_text import harmless
from tunesmith.tui.screens.stage_told import StageTold
from tunesmith.tui.widgets.endpoint import Endpoint

PORT = 8000
"""What commands name where the plan leaves the port open; as in SERVE.md."""

LOADS_IN = "10 s as a rule, minutes for a large model"
CARD = "README.md"
NOTE = "  with a card, " + CARD

Part = str | tuple[str, str]
SIGNS = {"ok": "$text-success", "note": "$text-muted", "warning": "$text-warning"}


@dataclass(frozen=True)
class Product:
    """One thing that can be used."""

    what: str
    path: Path
    bytes: int | None
    """None where it is gone from the disk."""
    card: bool = False
    """Whether a model card lies in the folder."""


@dataclass(frozen=True)
class Made:
    """What the run's folder holds once the stage is done."""

    plan: Plan | None = None
    products: tuple[Product, ...] = ()
    rows: tuple[Row, ...] = ()
    whole: bool = False
    """Whether there is a whole model that can be served."""
    complaint: str = ""


def look_at(run: Run, written: Sequence[tuple[str, str, int]]) -> Made:
    """Look at the folder of a run whose last stage is done; `written` are what, path and bytes as its events tell."""
    products = [_product(what, run.folder / path, count) for what, path, count in written]
    try:
        plan = read_plan(run.plan_path)
    except (TunesmithError, OSError) as error:
        return Made(None, tuple(products), complaint=str(error))
    return Made(plan, tuple(products), tuple(trial_rows(run)), (run.merged / "config.json").is_file())


def _product(what: str, path: Path, count: int) -> Product:
    """A file is as large as it is now; of a folder the size is known from when it was written."""
    try:
        found = path.stat().st_size
    except OSError:
        return Product(what, path, None)
    return Product(what, path, found if path.is_file() else count, (path / CARD).is_file())


def state_told(history: History | None, told: StageTold | None, glyphs: Glyphs) -> Content:
    """What the stage found out, the merge and its score, the question asked over HTTP; or what it waits for."""
    parts: list[Part] = []
    if told is not None:
        parts = [(f"{told.sign} ", told.style), (harmless(told.title), "bold")]
        return Content.assemble(*parts, f"\n{harmless(told.detail)}" if told.detail else "")
    if history is None:
        return Content("")
    for finding in history.stages["productionize"].findings:
        parts += ["\n" if parts else "", *_finding(finding, glyphs)]
    return Content.assemble(*parts)


def _finding(finding: Finding, glyphs: Glyphs) -> list[Part]:
    sign = {"ok": glyphs.done, "warning": glyphs.warning}.get(finding.level, glyphs.bullet)
    return [(f"{sign} ", SIGNS.get(finding.level, "")), harmless(finding.text)]


def paths_fit(products: Sequence[Product], width: int) -> bool:
    """Whether a window of `width` cells has room for whole paths."""
    return _named(products) + 10 + len(NOTE) + max((len(str(one.path)) for one in products), default=0) <= width


def _named(products: Sequence[Product]) -> int:
    return max((len(one.what) for one in products), default=0) + 2


def products_told(run: Run, products: Sequence[Product], whole: bool) -> Content:
    """Each product with size and place; its whole path, or its place below the run's folder, which stands on top."""
    named = _named(products)
    parts: list[Part] = []
    if not whole:
        parts += [("in ", "$text-muted"), harmless(str(run.folder))]
    for one in products:
        place = one.path if whole or not one.path.is_relative_to(run.folder) else one.path.relative_to(run.folder)
        parts += [
            "\n" if parts else "",
            (harmless(one.what).ljust(named), "$text-muted"),
            f"{'gone' if one.bytes is None else size(one.bytes):>8}  ",
            (harmless(str(place)), "$text-muted strike" if one.bytes is None else ""),
            (NOTE if one.card else "", "$text-muted"),
        ]
    return Content.assemble(*parts)


def next_told(run: Run, made: Made, glyphs: Glyphs, whole: bool) -> Content:
    """A short list of what can be done from here; whole paths where there is room."""

    def place(path: Path) -> str:
        return str(path if whole else path.relative_to(run.folder))

    ways = []
    if made.whole:
        ways.append(("serve for longer", f"tunesmith serve {shlex.quote(run.name)}"))
    ways.append(("your own file", "tunesmith plan new FILE.csv, or `tunesmith` alone"))
    if run.report_path.is_file():
        ways.append(("show the result", f"read or send {place(run.report_path)}"))
    if run.adapter.is_dir():
        ways.append(("share the tuning", f"send the folder {place(run.adapter)}; it needs its base model"))
    ways.append(("run it again", f"tunesmith run {shlex.quote(str(run.plan_path))}"))
    named = max(len(name) for name, _ in ways) + 2
    parts: list[Part] = [("What next", "bold")]
    for name, how in ways:
        parts += ["\n", (f"{glyphs.bullet} {name}".ljust(named + 2), "$text-muted"), harmless(how)]
    return Content.assemble(*parts)


def serving_told(endpoint: Endpoint, glyphs: Glyphs, defect: TunesmithError | None) -> Content:
    """Where the endpoint is, how far it is, or why it is gone; empty where nobody asked for it yet."""
    error = defect or endpoint.error
    if error is not None:
        return Content.assemble((f"{glyphs.error} ", "$text-error"), harmless(str(error)))
    if endpoint.serving == "loading":
        loading = f"Loading the model, {endpoint.seconds} s so far ({LOADS_IN}). Esc ends it."
        return Content.assemble((f"{glyphs.running} ", "$text-primary"), loading)
    server = endpoint.server
    if server is None:
        return Content("")
    note = f"; port {endpoint.taken} is taken, so a free one" if endpoint.taken is not None else ""
    return Content.assemble(
        (f"{glyphs.running} serving ", "$text-success"),
        (f"{server.base_url}/v1", "bold"),
        f"{note} {glyphs.bullet} model ",
        (harmless(server.model_id), "bold"),
        (f" {glyphs.bullet} ends with this window", "$text-muted"),
    )


def no_model_told(run: Run, plan: Plan) -> str:
    """Why there is nothing to serve, and how there will be."""
    if plan.select.virtual_tokens is not None:
        return (
            f"{KINDS[plan.select.peft].name} can't be merged into the weights, so there is no whole model to serve. "
            f"README.md in {run.adapter} says how to load the adapter beside its base model."
        )
    return (
        "There is no whole model to serve: the plan says merge: false, so only the adapter was written. "
        f"Set merge: true in {run.plan_path}, then `tunesmith run {run.name} --from productionize`."
    )


def snippets_for(run: Run, plan: Plan, row: Row | None, address: tuple[str, str] | None) -> dict[str, str]:
    """The commands for this run; with the address and the model's name of the endpoint that is up, where one is."""
    section = plan.productionize
    host = f"[{section.host}]" if ":" in section.host else section.host
    base_url, model_id = address or (f"http://{host}:{section.port or PORT}", run.merged.name)
    most = plan.evaluate.max_new_tokens
    asked = Asked([turn.as_dict() for turn in row.turns], most) if row else Asked(max_tokens=most)
    return endpoint_snippets(base_url, model_id, asked, run=run.name, model=run.merged)
