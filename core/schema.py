"""The plan's schema as questions: what a screen, a prompt or the help needs to know about each value of a plan.

Everything here is read off the fields of `plan.py`; nothing is said twice. A field that has a `question` is asked of
everybody, the others are for those who open all settings.
"""

from __future__ import annotations

import math
import re
import types
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from tunesmith.core.errors import PlanError
from tunesmith.core.plan import Path, Plan
from tunesmith.core.stages import STAGES

Kind = Literal["choice", "choices", "flag", "whole", "number", "numbers", "text", "structure"]

YES_NO = ("yes", "no")
GROUPED = re.compile(r"[+-]?[1-9]\d{0,2}(,\d{3})+(\.\d+)?")
"""Commas between thousands; any other comma is somebody's decimal sign, and is refused rather than guessed."""


@dataclass(frozen=True)
class Knob:
    """One value of the plan, as its field describes it."""

    path: Path
    title: str
    text: str
    """Its help: the term in two sentences."""
    kind: Kind
    question: str = ""
    """How everybody is asked for it, in plain words; empty for a value that only all settings show."""
    unit: str = ""
    usual: str = ""
    """The range people use."""
    source: str = ""
    options: tuple[str, ...] = ()
    """What can be chosen (choice, choices)."""
    meanings: Mapping[str, str] = field(default_factory=dict)
    """What each option means, in a few words."""
    labels: Mapping[str, str] = field(default_factory=dict)
    """What people are shown for an option, where that is not its name in the file."""
    optional: bool = False
    """Whether it may be left empty."""
    empty: str = "none"
    """What is shown where it is empty."""
    bounds: str = ""
    """What the schema takes, e.g. `1 to 1024`."""

    @property
    def stage(self) -> str:
        """The section it stands in."""
        return self.path.partition(".")[0]

    def label(self, option: str) -> str:
        """What people are shown for an option."""
        return self.labels.get(option, option)


@cache
def knobs(stage: str) -> tuple[Knob, ...]:
    """All values of one of the plan's six sections, in the schema's order."""
    section = Plan.model_fields[stage].annotation
    assert isinstance(section, type) and issubclass(section, BaseModel)
    return tuple(_walk(section, stage))


def knobs_of(section: type[BaseModel], path: Path) -> tuple[Knob, ...]:
    """All values of a section that stands in a list, such as one of the repairs; `path` is the list's."""
    return tuple(_walk(section, path))


@cache
def knob_at(path: Path) -> Knob:
    """The value at `path`. Raises KeyError where the schema has none of that name."""
    if path == "name":
        return _knob("name", Plan.model_fields["name"])
    for knob in knobs(path.partition(".")[0]) if path.partition(".")[0] in STAGES else ():
        if knob.path == path:
            return knob
    raise KeyError(path)


def value_at(plan: Plan, path: Path) -> Any:
    """The plan's value at `path`; None where a section on the way is absent (no adapter: no rank)."""
    value: Any = plan
    for part in path.split("."):
        value = value.get(part) if isinstance(value, dict) else getattr(value, part, None)
        if value is None:
            return None
    return value


def plain_value(plan: Plan, path: Path) -> Any:
    """The same as plain data (lists, mappings, strings, numbers), as a wish states it."""
    value = value_at(plan, path)
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json", exclude_none=True)
    if isinstance(value, list):
        return [one.model_dump(mode="json", exclude_none=True) if isinstance(one, BaseModel) else one for one in value]
    return value


def wishes_of(plan: Plan) -> dict[Path, Any]:
    """Every value of a plan as a wish: a plan from a file, opened to be changed."""
    found: dict[Path, Any] = {"name": plan.name}
    for stage in STAGES:
        for knob in knobs(stage):
            value = plain_value(plan, knob.path)
            if value is not None:
                found[knob.path] = value
    found.pop("prepare.fingerprint", None)  # the file is measured anew
    return found


def shown(knob: Knob, value: Any) -> str:
    """A value as it is shown; where there is none, the field's own word for that."""
    return told(knob, value) or knob.empty


def told(knob: Knob, value: Any) -> str:
    """A value as it is shown and typed; empty where there is none."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return YES_NO[0] if value else YES_NO[1]
    if isinstance(value, float):
        return f"{value:g}"
    if knob.kind == "numbers":
        return ", ".join(map(str, value)) or "none"
    if isinstance(value, list | tuple) and all(isinstance(one, str) for one in value):
        return ", ".join(map(knob.label, value))
    if isinstance(value, dict) and all(isinstance(one, str) for one in value.values()):
        return ", ".join(f"{key}: {one}" for key, one in value.items())
    if isinstance(value, list):
        return f"{len(value)} of them"
    return knob.label(str(value))


def read(knob: Knob, text: str) -> Any:
    """What a person typed as a value of the plan; whether it is in bounds is the schema's to say.

    Raises:
        PlanError: It is not of the kind that is wanted; says which.
    """
    text = text.strip()
    if knob.optional and (not text or (knob.empty != "none" and text.lower() == knob.empty)):
        return None
    if knob.kind == "flag":
        return _flag(knob, text)
    if knob.kind in ("whole", "number"):
        return None if knob.optional and text.lower() == "none" else _number(knob, text)
    if knob.kind == "numbers":
        return [_number(knob, part) for part in re.split(r"[,\s]+", text) if part and part.lower() != "none"]
    if knob.kind == "choice":
        return _option(knob, text)
    if knob.kind == "choices":
        return [_option(knob, part.strip()) for part in text.split(",") if part.strip() and part.strip() != "none"]
    if knob.kind == "structure":
        return _structure(knob, text)
    return text


def _walk(section: type[BaseModel], path: Path) -> list[Knob]:
    found = []
    for name, info in section.model_fields.items():
        inner = _section_in(info.annotation)
        found += _walk(inner, f"{path}.{name}") if inner else [_knob(f"{path}.{name}", info)]
    return found


def _knob(path: Path, info: FieldInfo) -> Knob:
    extra = info.json_schema_extra if isinstance(info.json_schema_extra, dict) else {}
    kind, options, optional = _kind(info.annotation)
    return Knob(
        path=path,
        title=info.title or path,
        text=info.description or "",
        kind=kind,
        question=str(extra.get("question", "")),
        unit=str(extra.get("unit", "")),
        usual=_words(extra.get("labels")).get(str(extra.get("usual", "")), str(extra.get("usual", ""))),
        source=str(extra.get("source", "")),
        options=options,
        meanings=_words(extra.get("meanings")),
        labels=_words(extra.get("labels")),
        optional=optional,
        empty=str(extra.get("empty", "none")),
        bounds=_bounds(info),
    )


def _words(found: Any) -> dict[str, str]:
    return {str(key): str(one) for key, one in found.items()} if isinstance(found, dict) else {}


def _section_in(annotation: Any) -> type[BaseModel] | None:
    """The section class of a field such as `Lora | None`; none for lists of sections, which are one value."""
    for part in (annotation, *(get_args(annotation) if _is_union(annotation) else ())):
        if isinstance(part, type) and issubclass(part, BaseModel):
            return part
    return None


def _kind(annotation: Any) -> tuple[Kind, tuple[str, ...], bool]:
    """(kind, options, whether it may be empty) of a field's annotation."""
    optional = False
    if _is_union(annotation):
        parts = [part for part in get_args(annotation) if part is not type(None)]
        optional = len(parts) < len(get_args(annotation))
        if len(parts) > 1:
            return "structure", (), optional
        annotation = parts[0]
    if get_origin(annotation) is Literal:
        return "choice", tuple(map(str, get_args(annotation))), optional
    inner = get_args(annotation)[0] if get_origin(annotation) is list else None
    if inner is not None and get_origin(inner) is Literal:
        return "choices", tuple(map(str, get_args(inner))), optional
    if inner is int:
        return "numbers", (), optional
    plain: dict[Any, Kind] = {bool: "flag", int: "whole", float: "number", str: "text"}
    return plain.get(annotation, "structure"), (), optional


def _is_union(annotation: Any) -> bool:
    return get_origin(annotation) in (Union, types.UnionType)


def _bounds(info: FieldInfo) -> str:
    """`1 to 1024`, `more than 0, less than 1`: the constraints as words."""
    found = {
        name: getattr(one, name) for one in info.metadata for name in ("ge", "gt", "le", "lt") if hasattr(one, name)
    }
    if "ge" in found and "le" in found:
        return f"{found['ge']:g} to {found['le']:,}" if found["le"] > 9999 else f"{found['ge']:g} to {found['le']:g}"
    words = {"ge": "at least", "gt": "more than", "le": "at most", "lt": "less than"}
    return ", ".join(f"{words[name]} {bound:g}" for name, bound in found.items())


def _flag(knob: Knob, text: str) -> bool:
    if text.lower() in ("yes", "y", "true", "on", "1"):
        return True
    if text.lower() in ("no", "n", "false", "off", "0"):
        return False
    raise PlanError(f"{knob.title}: {text!r} is neither yes nor no.", next_step="Answer yes or no.")


def _number(knob: Knob, text: str) -> int | float:
    try:
        number = float(text.replace(",", "") if GROUPED.fullmatch(text) else text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        kind = {"whole": "a whole number", "numbers": "whole numbers with commas between them"}.get(
            knob.kind, "a number"
        )
        wanted = f"{kind}, {knob.bounds}" if knob.bounds else kind
        point = " A decimal is written with a point." if "," in text else ""
        raise PlanError(f"{knob.title}: {text!r} is no number.", next_step=f"Give {wanted}.{point}")
    if knob.kind in ("whole", "numbers"):
        if number != int(number):
            raise PlanError(f"{knob.title}: {text} is not a whole number.", next_step=f"Give {int(number)}, say.")
        return int(number)
    return number


def _option(knob: Knob, text: str) -> str:
    """The option that `text` names or begins: by its name in the file, or by what people are shown."""
    wanted = _bare(text)
    names = {one: (_bare(one), _bare(knob.label(one))) for one in knob.options}
    for found in (
        [one for one in knob.options if wanted in names[one]],
        [one for one in knob.options if wanted and any(name.startswith(wanted) for name in names[one])],
    ):
        if len(found) == 1:
            return found[0]
    known = ", ".join(map(knob.label, knob.options))
    raise PlanError(f"{knob.title}: {text!r} can't be chosen.", next_step=f"Choose one of {known}.")


def _bare(text: str) -> str:
    """Small letters with single spaces: how people part the words of a name differs."""
    return " ".join(text.lower().replace("-", " ").replace("_", " ").split())


def _structure(knob: Knob, text: str) -> Any:
    """YAML, so that lists and mappings are what they look like."""
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        return YAML(typ="safe", pure=True).load(text)
    except (YAMLError, ValueError, RecursionError):
        raise PlanError(f"{knob.title}: this is not readable.", next_step="Write it as YAML, as it was.") from None
