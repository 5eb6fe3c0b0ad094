"""Writes a folder that another trainer can train from: its YAML, the prepared rows, and what else it needs."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from tunesmith.core.chat_template import PLAIN_TEMPLATE
from tunesmith.core.errors import AccessError, PlanError
from tunesmith.core.exchange import axolotl, llamafactory, trl
from tunesmith.core.exchange.rows import takes_turns, write_lines
from tunesmith.core.exchange.terms import Exported, Given, Tool
from tunesmith.core.facts import ModelFacts
from tunesmith.core.jobs import Helper
from tunesmith.core.models import find_model
from tunesmith.core.paths import plan_spelled_out
from tunesmith.core.plan import Plan
from tunesmith.core.rows import SPLITS
from tunesmith.core.survey import prepared

DATA = "data"


@dataclass(frozen=True)
class Written:
    """What was written, and how it is run."""

    folder: Path
    config: Path
    command: str
    """Run in the folder, with the other tool installed."""
    parts: dict[str, int]
    """How many rows each part has."""
    exported: Exported


def export_to(folder: Path, plan: Plan, tool: Tool, base: Path, *, force: bool = False) -> Written:
    """Write `plan` for `tool` into `folder`: its settings and the rows to train on.

    Args:
        folder: Made where it does not exist.
        plan: What is exported.
        tool: For which tool.
        base: The folder that relative paths in the plan start from.
        force: Write into a folder that holds something already.

    Raises:
        PlanError: The tool can't train what the plan says, or the folder is not empty.
        DataError: The plan's data can't be used.
        ModelError: The plan's model is not there.
        AccessError: The folder can't be written to.
    """
    _check_place(folder, force=force)
    plan = plan_spelled_out(plan, base)
    with Helper() as helper:
        made = prepared(plan.prepare, base, helper)
    model = find_model(plan.select.model)
    skipped = sum(not takes_turns(row) for row in made.all)
    given = Given(loadable(model), model.has_chat_template, made.account.parts["validation"], skipped)
    exported: Exported = converter(tool).export(plan, given)
    try:
        (folder / DATA).mkdir(parents=True, exist_ok=True)
        for part in SPLITS:
            write_lines(folder / DATA / f"{part}.jsonl", made.rows(part), tool)
        _write_extras(folder, tool, given)
        config: Path = folder / converter(tool).FILE
        config.write_text(exported.text, encoding="utf-8")
    except OSError as error:
        raise AccessError(
            f"{folder} can't be written to: {error.strerror}.", next_step="Name another folder with --out."
        ) from error
    return Written(folder, config, converter(tool).COMMAND, made.account.parts, exported)


def converter(tool: Tool) -> ModuleType:
    """The module that knows `tool`."""
    return {"trl": trl, "axolotl": axolotl, "llamafactory": llamafactory}[tool]


def loadable(model: ModelFacts) -> str:
    """The model as any loader in Hugging Face's manner takes it: its name on the Hub, or its folder."""
    return model.source if model.source == model.name and "/" in model.name else model.path


def _check_place(folder: Path, *, force: bool) -> None:
    if folder.exists() and not folder.is_dir():
        raise PlanError(f"{folder} is a file.", next_step="Name a folder with --out.")
    if folder.is_dir() and any(folder.iterdir()) and not force:
        raise PlanError(
            f"{folder} is not empty.", next_step="Name another folder with --out, or write into it with --force."
        )


def _write_extras(folder: Path, tool: Tool, given: Given) -> None:
    """What the tool reads beside its settings: a chat template for a model without one, a list of the data files."""
    if tool == "llamafactory":
        listed = json.dumps(llamafactory.dataset_info(given), indent=2)
        (folder / DATA / llamafactory.DATASET_INFO).write_text(listed + "\n", encoding="utf-8")
    elif not given.has_chat_template:
        (folder / converter(tool).TEMPLATE).write_text(PLAIN_TEMPLATE, encoding="utf-8")
