"""What an export and an import are made of, and how another tool's file is read key by key, nothing lost in silence."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from tunesmith.core.plan import Path, Plan
from tunesmith.core.schema import knob_at

Tool = Literal["trl", "axolotl", "llamafactory"]
TITLES: dict[Tool, str] = {"trl": "TRL", "axolotl": "Axolotl", "llamafactory": "LLaMA-Factory"}

Settings = dict[str, Any]
"""A tool's keys and values, as its YAML holds them."""


@dataclass(frozen=True)
class Dropped:
    """Something that the other side has no words for."""

    path: str
    """A path of the plan (export), or a key of the other tool's file (import)."""
    why: str


@dataclass(frozen=True)
class Given:
    """What an export must know beside the plan."""

    model: str
    """What the other tool's loader takes: a name on the Hub, or a folder."""
    has_chat_template: bool = True
    validation: int = 0
    """How many validation rows there are."""
    skipped: int = 0
    """Rows in which user and assistant do not speak in turn: not every tool takes them."""


@dataclass(frozen=True)
class Exported:
    """A plan in another tool's words."""

    text: str
    """Its YAML."""
    dropped: list[Dropped]
    notes: list[str]
    """What means the same but is done in another way there."""


@dataclass(frozen=True)
class Imported:
    """What another tool's file says, as wishes for a plan."""

    tool: Tool
    wishes: dict[Path, Any]
    dropped: list[Dropped]


def _same(value: Any) -> Any:
    return value


@dataclass(frozen=True)
class Key:
    """A key of another tool that means the same as a value of the plan."""

    theirs: str
    ours: Path
    to: Callable[[Any], Any] = _same
    """From our value to theirs."""
    back: Callable[[Any], Any] = _same
    """From their value to ours."""


@dataclass
class Reading:
    """Another tool's file while it is read: keys are taken out one by one, and what is left at the end is named."""

    left: Settings
    wishes: dict[Path, Any] = field(default_factory=dict)
    dropped: list[Dropped] = field(default_factory=list)

    def take(self, key: str) -> Any:
        """The value of a key, which counts as read then; None where it is not stated."""
        return self.left.pop(key, None)

    def drop(self, key: str, why: str) -> None:
        """Name a key that was taken as left out."""
        self.dropped.append(Dropped(key, why))

    def wish(self, key: str, path: Path, value: Any) -> None:
        """State the plan's value at `path` as their `key` has it; named as left out where the plan can't have it."""
        try:
            self.wishes[path] = fitting(path, value)
        except ValueError as error:
            self.drop(key, f"{value!r} is not taken for {path}: {error}; it is recommended instead")

    def take_all(self, keys: tuple[Key, ...]) -> None:
        """Take what means the same."""
        for key in keys:
            value = self.take(key.theirs)
            if value is not None:
                self.wish(key.theirs, key.ours, key.back(value))

    def only(self, key: str, expected: Any, why: str) -> None:
        """Take a key that says nothing where it is as `expected`; any other value is named."""
        value = self.take(key)
        if value is not None and value != expected:
            self.drop(key, why)

    def rest(self, reasons: Mapping[str, str]) -> list[Dropped]:
        """Everything that was left out; the keys not taken yet get their reason, or a general one."""
        for key, value in self.left.items():
            if value not in (None, False, "", [], {}):
                self.drop(key, reasons.get(key, "there is nothing like it in a plan"))
        return self.dropped


def fitting(path: Path, value: Any) -> Any:
    """`value` as the plan's schema takes it at `path`; a number may be written as text.

    Raises:
        ValueError: It is out of bounds, or of another kind; says what is expected.
    """
    kind = knob_at(path).kind
    if kind in ("whole", "number") and isinstance(value, str):
        try:
            value = float(value)
        except ValueError:
            raise ValueError("it is no number") from None
    if kind == "whole" and isinstance(value, float) and value.is_integer():
        value = int(value)
    try:
        return _adapter(path).validate_python(float(value) if kind == "number" and type(value) is int else value)
    except ValidationError as error:
        said = error.errors(include_url=False)[0]["msg"]
        raise ValueError(said[0].lower() + said[1:]) from None


@cache
def _adapter(path: Path) -> TypeAdapter[Any]:
    model: type[BaseModel] = Plan
    *sections, name = path.split(".")
    for section in sections:
        annotation = model.model_fields[section].annotation
        parts = (annotation, *getattr(annotation, "__args__", ()))
        model = next(part for part in parts if isinstance(part, type) and issubclass(part, BaseModel))
    info = model.model_fields[name]
    annotated: Any = info.annotation
    for bound in info.metadata:
        annotated = Annotated[annotated, bound]
    return TypeAdapter(annotated, config=ConfigDict(strict=True))
