"""What the plan's six sections are made of: fields that carry their own title, help, range and source."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

MOST_SEED = 2**32 - 1
"""The largest seed that NumPy's generators take."""


def knob(
    title: str,
    text: str,
    *,
    question: str = "",
    meanings: Mapping[str, str] | None = None,
    labels: Mapping[str, str] | None = None,
    empty: str = "",
    unit: str = "",
    usual: str = "",
    source: str = "",
    **bounds: Any,
) -> Any:
    """A field of the plan.

    Args:
        title: Its name in plain words.
        text: Its help: the term in two sentences.
        question: How everybody is asked for it; a field without one is only shown among all settings.
        meanings: What each option means, in a few words, where it is a choice.
        labels: What people are shown for an option whose name in the file does not read well; both can be typed.
        empty: What is shown where it may be left empty and is: `no limit`, `this machine`.
        unit: What its number counts.
        usual: The range people use.
        source: Where the range or the default comes from: a paper, or a library's documentation.
        bounds: pydantic's own constraints (ge, le, min_length ...).
    """
    told: dict[str, Any] = {"question": question, "meanings": dict(meanings or {}), "labels": dict(labels or {})}
    told |= {"empty": empty, "unit": unit, "usual": usual, "source": source}
    extra: dict[str, Any] = {key: value for key, value in told.items() if value}
    return Field(title=title, description=text, json_schema_extra=extra, **bounds)


class Section(BaseModel):
    """A part of the plan: unknown keys are refused, and a value is what it looks like (`true` is no rank)."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False, str_strip_whitespace=False)
