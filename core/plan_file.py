"""A plan as a file that people keep and edit: handed out with its schema beside it, and copied with their comments."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from tunesmith.core import __version__
from tunesmith.core.draft import Reason
from tunesmith.core.jobs import environment
from tunesmith.core.paths import plan_spelled_out
from tunesmith.core.plan import Path as PlanPath
from tunesmith.core.plan import Plan
from tunesmith.core.plan_schema import SCHEMA_NAME, write_schema
from tunesmith.core.plan_yaml import dump_plan, parse_plan, read_text, save_text

PACKAGES = ("torch", "transformers", "peft", "trl", "bitsandbytes", "datasets")
MODELINE = re.compile(r"^# yaml-language-server: .*\n", re.MULTILINE)


def hand_out(path: Path, plan: Plan, reasons: Mapping[PlanPath, Reason] | None = None) -> None:
    """Write a plan for people to edit, and its schema beside it for their editors.

    Raises:
        AccessError: The folder can't be written to.
    """
    write_schema(path.with_name(SCHEMA_NAME))
    save_text(path, dump_plan(plan, reasons, schema=SCHEMA_NAME, made_with=made_with()))


def copied_plan(path: Path) -> tuple[Plan, str]:
    """The plan in the file at `path`, and the text of a copy that means the same from any folder.

    The copy has the file's own comments and order; only paths that are relative to the file's folder are spelled out,
    and the reference to a schema beside the file is left out.

    Raises:
        PlanError: It is no valid plan.
        AccessError: It can't be read.
    """
    text = read_text(path)
    stated = parse_plan(text, path)
    plan = plan_spelled_out(stated, path.absolute().parent)
    text = MODELINE.sub("", text)
    return plan, text if plan == stated else _with_paths(text, plan)


def _with_paths(text: str, plan: Plan) -> str:
    """The file's text with the data's and the model's paths as `plan` has them."""
    from ruamel.yaml import YAML

    yaml = YAML()
    yaml.preserve_quotes = True
    yaml.width = 4096
    yaml.indent(mapping=2, sequence=4, offset=2)
    tree = yaml.load(text)
    tree["prepare"]["data"], tree["select"]["model"] = plan.prepare.data, plan.select.model
    written = io.StringIO()
    yaml.dump(tree, written)
    return written.getvalue()


@cache
def made_with() -> tuple[str, ...]:
    """This Tunesmith and the libraries that train, each with its version; read from their metadata, not imported."""
    found = {"tunesmith": __version__, **environment(PACKAGES)}
    return tuple(f"{name} {version}" for name, version in found.items())
