"""The values of a repair as a person types them: which it has, how they are written, what they mean. Light."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, get_args

from pydantic import ValidationError

from tunesmith.core.errors import PlanError
from tunesmith.core.plan import PersonalKind, Repair
from tunesmith.core.prepare.repair.needs import lacking, unfit
from tunesmith.core.schema import Knob, knobs_of, read

VALUES: dict[str, tuple[str, ...]] = {
    "drop-near-duplicates": ("threshold",),
    "fill-empty": ("value",),
    "drop-values": ("names",),
    "drop-out-of-range": ("low", "high"),
    "unify-labels": ("values",),
    "drop-short": ("low",),
    "drop-long": ("high",),
    "drop-contradictions": ("keep",),
    "drop-repeated-answers": ("names",),
    "keep-languages": ("names",),
    "mask-personal": ("names",),
    "drop-personal": ("names",),
}
"""What can be said of each kind of repair; of the others nothing, but that they are done or not."""


def values_of(kind: str) -> list[Knob]:
    """What can be said of a repair of this kind, each with what it means for this kind."""
    knobs = {knob.path.rpartition(".")[2]: knob for knob in knobs_of(Repair, "prepare.repairs")}
    return [replace(knobs[name], text=_meaning(kind, knobs[name].text)) for name in VALUES.get(kind, ())]


def written(value: Any) -> str:
    """A value as it is typed: names with commas between them, a mapping as lines `from = to`."""
    if value is None:
        return ""
    if isinstance(value, Mapping):
        return "\n".join(
            f"{_quoted(old, '=')} = {_quoted(new, '=') if new else ''}".rstrip() for old, new in value.items()
        )
    if isinstance(value, list | tuple):
        return ", ".join(_quoted(name, ",") for name in value)
    if isinstance(value, float):
        return str(int(value)) if value == int(value) and abs(value) < 1e15 else repr(value)
    return str(value)


def changed(repair: Mapping[str, Any], texts: Mapping[str, str]) -> dict[str, Any]:
    """A repair as it stands in the plan, with other values.

    Args:
        repair: The one that is changed.
        texts: What was typed, by the name of the value.

    Raises:
        PlanError: It can't be read, is out of bounds, or the repair lacks what it needs.
    """
    knobs = {knob.path.rpartition(".")[2]: knob for knob in values_of(str(repair["kind"]))}
    found = {name: _read(knobs[name], name, text) for name, text in texts.items()}
    made = {name: value for name, value in {**repair, **found}.items() if value is not None}
    try:
        checked = Repair.model_validate(made)
    except ValidationError as error:
        wrong = knobs.get(str(error.errors(include_url=False)[0]["loc"][0]))
        if wrong is None:
            raise
        raise PlanError(f"{wrong.title}: this is out of bounds.", next_step=f"Give {wrong.bounds}.") from None
    if missing := lacking(checked):
        titles = " or ".join(knobs[name].title for name in missing.split(" or ") if name in knobs)
        raise PlanError(f"{titles or missing.capitalize()}: something must stand here.", next_step="Esc goes back.")
    if why := unfit(checked):
        kinds = f"Name some of {', '.join(get_args(PersonalKind))}." if "knows no kind" in why else "Change that."
        raise PlanError(f"{why[:1].upper()}{why[1:]}.", next_step=kinds)
    return made


def _meaning(kind: str, text: str) -> str:
    """Of a field's help, whose clauses each begin with the kinds that they are about, the one about this kind."""
    for clause in text.removesuffix(".").split("; "):
        kinds, _, meaning = clause.partition(": ")
        if kind in kinds.replace(" and ", ", ").split(", "):
            return meaning
    return text


def _read(knob: Knob, name: str, text: str) -> Any:
    if name == "names":
        return [one for one in _parts(knob, text, ",") if one] or None
    if name == "values":
        return _mapping(knob, text) or None
    return read(knob, text)


def _mapping(knob: Knob, text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        parts = _parts(knob, line, "=")
        if len(parts) != 2 or not parts[0]:
            step = 'Write it as `from = to`; what holds a = itself stands in quotes: "a=b" = c.'
            raise PlanError(f"{knob.title}: line {number} can't be read.", next_step=step)
        if parts[0] in found:
            raise PlanError(f"{knob.title}: {parts[0]!r} stands twice.", next_step="Take one of the two lines out.")
        found[parts[0]] = parts[1]
    return found


def _quoted(text: str, sign: str) -> str:
    """A text as it is, or in quotes as in JSON where it could not be told from what stands around it."""
    if text and text == text.strip() and text.isprintable() and sign not in text and '"' not in text:
        return text
    return json.dumps(text, ensure_ascii=not text.isprintable())


def _parts(knob: Knob, text: str, sign: str) -> list[str]:
    """What stands between the signs, outside quotes."""
    parts, at = [], 0
    while True:
        at += len(text[at:]) - len(text[at:].lstrip())
        if text[at : at + 1] == '"':
            try:
                part, at = json.JSONDecoder().raw_decode(text, at)
            except ValueError:
                step = "Close the quotes, or take them away."
                raise PlanError(f"{knob.title}: a quote has no end.", next_step=step) from None
            end = text.find(sign, at)
            behind = text[at : end if end >= 0 else len(text)].strip()
            if behind:
                step = f"Put {sign!r} between them, or take the quotes away."
                raise PlanError(f"{knob.title}: {behind!r} stands behind a quote.", next_step=step)
        else:
            end = text.find(sign, at)
            part = text[at : end if end >= 0 else len(text)].strip()
        parts.append(str(part))
        if end < 0:
            return parts
        at = end + 1
