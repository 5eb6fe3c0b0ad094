"""Reads `plan.yaml`, checked with file, line and nearest name; writes it with its reasons as comments."""

from __future__ import annotations

import difflib
import io
import re
import textwrap
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ValidationError

from tunesmith.core.draft import Reason
from tunesmith.core.errors import AccessError, PlanError
from tunesmith.core.plan import VERSION, Plan

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo
    from pydantic_core import ErrorDetails

MIGRATIONS: dict[int, Callable[[dict[str, Any]], dict[str, Any]]] = {}
"""From version n to n + 1. Empty: this is the first version."""

COMMENT_WIDTH = 100
ARXIV = re.compile(r"\d{4}\.\d{4,5}")
MOST_VALUES = 20_000
DEEPEST = 20
"""No plan comes near these; a file with anchors that repeat each other passes any bound."""

Lines = Mapping[tuple[str | int, ...], int]
"""Line numbers, from 1, of the keys and list items of a file."""


def validate(tree: Mapping[str, Any], file: Path | None = None, lines: Lines | None = None) -> Plan:
    """The plan that `tree` describes.

    Raises:
        PlanError: An unknown key, a missing one, a wrong type or a value out of bounds.
    """
    try:
        return Plan.model_validate(tree)
    except ValidationError as error:
        complaints = error.errors(include_url=False)
        # A misspelt key is both unknown and missing: the first is the one to mend.
        unknown = [complaint for complaint in complaints if complaint["type"] == "extra_forbidden"]
        raise _plan_error((unknown or complaints)[0], file, lines or {}) from None


def read_plan(path: Path) -> Plan:
    """The plan in the file at `path`.

    Raises:
        PlanError: The file is missing, is not YAML, or is not a valid plan; names the line.
        AccessError: It can't be read.
    """
    return parse_plan(read_text(path), path)


def parse_plan(text: str, path: Path) -> Plan:
    """The plan that the text of the file at `path` describes. Raises PlanError as `read_plan` does."""
    tree, lines = _load(path, text)
    found = tree.get("version", VERSION)
    if not isinstance(found, int) or found > VERSION or found < 1:
        raise PlanError(
            f"{path}: line {lines.get(('version',), 1)}: plan version {found!r} is not known here.",
            cause=f"This Tunesmith reads versions 1 to {VERSION}.",
            next_step="Update Tunesmith, or write the plan anew with `tunesmith plan new`.",
            file=path,
            line=lines.get(("version",), 1),
        )
    for version in range(found, VERSION):
        tree = MIGRATIONS[version](tree)
    return validate(tree, path, lines)


def dump_plan(
    plan: Plan, reasons: Mapping[str, Reason] | None = None, *, schema: str = "", made_with: Sequence[str] = ()
) -> str:
    """The plan as YAML; with `reasons`, each value carries why it is what it is as a comment above it.

    Args:
        plan: What is written.
        reasons: Why each value is what it is, by dotted path; its usual range, unit and source come from the schema.
        schema: Where an editor finds the JSON Schema, as a path from the plan's own folder.
        made_with: What it was made with, e.g. `torch 2.13.0`; stands in the header.
    """
    from ruamel.yaml import YAML  # imported late: `--help` must not pay for it

    yaml = YAML()
    yaml.width = 4096
    yaml.indent(mapping=2, sequence=4, offset=2)
    text = io.StringIO()
    yaml.dump(_commented(plan.model_dump(mode="json", exclude_none=True), (), Plan, reasons or {}), text)
    return _header(schema, made_with) + text.getvalue()


HEADER = """\
# A Tunesmith plan: every decision of a run. Run it with `tunesmith run plan.yaml`,
# check it after an edit with `tunesmith plan check plan.yaml`.
"""


def _header(schema: str, made_with: Sequence[str]) -> str:
    first = f"# yaml-language-server: $schema={schema}\n" if schema else ""
    last = textwrap.wrap(f"Made with {', '.join(made_with)}.", COMMENT_WIDTH) if made_with else []
    return first + HEADER + "".join(f"# {line}\n" for line in last)


def write_plan(path: Path, plan: Plan, reasons: Mapping[str, Reason] | None = None) -> None:
    """Write the plan aside and rename it. Raises AccessError as `save_text` does."""
    save_text(path, dump_plan(plan, reasons))


def save_text(path: Path, text: str) -> None:
    """Write a text aside and rename it.

    Raises:
        AccessError: The folder can't be written to.
    """
    aside = path.with_name(path.name + ".part")
    try:
        aside.write_text(text, encoding="utf-8")
        aside.replace(path)
    except OSError as error:
        raise AccessError(
            f"{path} can't be written: {error.strerror}.", next_step="Name another place, or mend its permissions."
        ) from error


def read_text(path: Path) -> str:
    """The text of the plan at `path`.

    Raises:
        PlanError: There is no such file, or it is no text.
        AccessError: It can't be read.
    """
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise PlanError(
            f"There is no plan at {path}.", next_step="Check the path, or make one with `tunesmith plan new DATA`."
        ) from None
    except IsADirectoryError:
        raise PlanError(f"{path} is a folder.", next_step=f"Name the file, e.g. {path / 'plan.yaml'}.") from None
    except UnicodeDecodeError:
        raise PlanError(f"{path} is not a text file in UTF-8.", next_step="Name a plan in YAML.") from None
    except OSError as error:
        raise AccessError(f"{path} can't be read: {error.strerror}.", next_step="Mend its permissions.") from error


def _load(path: Path, text: str) -> tuple[dict[str, Any], Lines]:
    """The file's mapping as plain values, and the line of each key."""
    tree = _parsed(path, text)
    if not isinstance(tree, dict):
        raise PlanError(
            f"{path} is not a plan: it holds no sections.",
            next_step="Make one with `tunesmith plan new DATA`.",
            file=path,
            line=1,
        )
    lines: dict[tuple[str | int, ...], int] = {}
    return _plain(tree, (), lines), lines


def _parsed(path: Path, text: str) -> Any:
    """The text as YAML. Raises PlanError with the line."""
    from ruamel.yaml import YAML
    from ruamel.yaml.error import MarkedYAMLError, YAMLError

    try:
        return YAML(typ="rt").load(text)
    except MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise PlanError(
            f"{path}: line {line}: this is not YAML: {error.problem}.",
            next_step="Mend that line; indentation and quotes are the usual causes.",
            file=path,
            line=line,
        ) from None
    except (YAMLError, RecursionError, ValueError) as error:
        why = "it is nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise PlanError(
            f"{path} is not a plan: {why}.", next_step="Mend it, or write the plan anew.", file=path
        ) from None


def _plain(node: Any, path: tuple[str | int, ...], lines: dict[tuple[str | int, ...], int]) -> Any:
    """`node` without ruamel's types; notes in `lines` where each key and item stands."""
    if len(lines) > MOST_VALUES or len(path) > DEEPEST:
        raise PlanError(
            f"The plan holds more than {MOST_VALUES:,} values, or one inside itself.",
            cause="Anchors (&) and aliases (*) that repeat each other can make a small file endless.",
            next_step="Take them out, or write the plan anew with `tunesmith plan new`.",
        )
    if isinstance(node, dict):
        positions = getattr(getattr(node, "lc", None), "data", None) or {}
        plain = {}
        for key, value in node.items():
            place = (*path, str(key))
            if key in positions:
                lines[place] = positions[key][0] + 1
            plain[str(key)] = _plain(value, place, lines)
        return plain
    if isinstance(node, list):
        positions = getattr(getattr(node, "lc", None), "data", None) or {}
        items = []
        for index, value in enumerate(node):
            place = (*path, index)
            if index in positions:
                lines[place] = positions[index][0] + 1
            items.append(_plain(value, place, lines))
        return items
    if isinstance(node, bool) or node is None:
        return node
    for kind in (int, float, str):
        if isinstance(node, kind):
            return kind(node)
    return str(node)  # dates and the like: the schema says what was expected instead


def _plan_error(details: ErrorDetails, file: Path | None, lines: Lines) -> PlanError:
    """pydantic's first complaint as a sentence with file, line, path of the key and the nearest valid name."""
    loc = tuple(part for part in details["loc"] if isinstance(part, int) or not part.startswith(("str", "list[")))
    line = next((lines[loc[:n]] for n in range(len(loc), 0, -1) if loc[:n] in lines), None)
    place = f"{file}: " if file else ""
    place += f"line {line}: " if line else ""
    path = ".".join(str(part) for part in loc)
    if details["type"] == "extra_forbidden":
        names = _names_at(loc[:-1])
        near = difflib.get_close_matches(str(loc[-1]), names, n=1, cutoff=0.5)
        title = f"{place}`{path}` is not a setting of a plan."
        next_step = f"Did you mean `{near[0]}`?" if near else f"Here these are known: {', '.join(names)}."
    elif details["type"] == "missing":
        title, next_step = f"{place}`{path}` is missing.", "Add it, or write the plan anew with `tunesmith plan new`."
    else:
        expected = details["msg"].removeprefix("Value error, ")
        given = "" if details["type"] == "value_error" else f" It is {details['input']!r}."
        where = f"`{path}`: " if path else ""  # what two sections contradict each other in names its paths itself
        title = f"{place}{where}{expected[0].lower()}{expected[1:].rstrip('.')}.{given}"
        next_step = "Mend that value."
    return PlanError(title, next_step=next_step, file=file, line=line)


def _model_in(annotation: Any) -> type[BaseModel] | None:
    """The section class inside an annotation such as `Lora | None` or `list[Repair]`, if there is one."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for part in getattr(annotation, "__args__", ()):
        found = _model_in(part)
        if found is not None:
            return found
    return None


def _names_at(path: tuple[str | int, ...]) -> list[str]:
    """The names that are valid in the section at `path`."""
    model: type[BaseModel] | None = Plan
    for part in path:
        if isinstance(part, str) and model is not None and part in model.model_fields:
            model = _model_in(model.model_fields[part].annotation)
    return list(model.model_fields) if model is not None else []


def _commented(node: Any, path: tuple[str, ...], model: type[BaseModel] | None, reasons: Mapping[str, Reason]) -> Any:
    """`node` as ruamel's commented map: a section's purpose and each value's reason stand above it."""
    from ruamel.yaml.comments import CommentedMap

    if not isinstance(node, dict):
        return node
    commented = CommentedMap()
    for key, value in node.items():
        place = (*path, key)
        field = model.model_fields.get(key) if model else None
        inner = _model_in(field.annotation) if field else None
        commented[key] = _commented(value, place, inner if isinstance(value, dict) else None, reasons)
        comment = _comment(".".join(place), field, reasons)
        if len(path) == 0 and inner is not None and isinstance(value, dict):
            comment = [f"-- {key}: {(inner.__doc__ or '').splitlines()[0]}"]
        if comment:
            before = "\n" + "\n".join(comment) if len(path) == 0 and inner else "\n".join(comment)
            commented.yaml_set_comment_before_after_key(key, before=before, indent=2 * len(path))
    return commented


def _comment(path: str, field: FieldInfo | None, reasons: Mapping[str, Reason]) -> list[str]:
    """Why the value is what it is, what else was in question, and what people use."""
    if not reasons:
        return []
    lines: list[str] = []
    reason = reasons.get(path)
    if reason is not None:
        lines += textwrap.wrap(reason.because, COMMENT_WIDTH)
        for other in reason.instead_of:
            lines += textwrap.wrap(f"not {other.value}: {other.because}", COMMENT_WIDTH)
    return [*lines, *_usage(field, " ".join(lines))]


def _usage(field: FieldInfo | None, said: str) -> list[str]:
    """`usual: 8 to 64 tokens; source: arXiv:2106.09685`, in one line, without what was `said` already."""
    extra = field.json_schema_extra if field is not None and isinstance(field.json_schema_extra, dict) else {}
    usual, unit, source = (str(extra.get(name, "")) for name in ("usual", "unit", "source"))
    parts = []
    if usual and usual not in said:
        counted = unit and usual[-1].isdigit()  # "1 to 5 passes", but not "the longest row tokens"
        parts.append(f"usual: {usual}{' ' + unit if counted else ''}")
    elif unit:
        parts.append(f"in {unit}")
    cited = set(ARXIV.findall(source))
    if source and not cited & set(ARXIV.findall(said)):
        parts.append(f"source: {source}")
    line = "; ".join(parts)
    return [line] if 0 < len(line) <= COMMENT_WIDTH else ["; ".join(parts[:-1])] if len(parts) > 1 else []
