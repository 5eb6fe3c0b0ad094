"""The panel beside the questions: why this value is recommended, and what would change with another."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from textual.containers import VerticalScroll
from textual.content import Content

from tunesmith.core.consequences import WhatIf
from tunesmith.core.draft import Reason
from tunesmith.core.project import Project
from tunesmith.core.schema import Knob, plain_value, shown
from tunesmith.tui.glyphs import Glyphs
from tunesmith.tui.plain_text import harmless
from tunesmith.tui.widgets.still import Still

LONG = 40
"""Letters from which on a text is not said again in a sentence; it stands in its row."""
MOST_CHANGES = 4
"""Changes shown for each option; the plan has them all."""


class Why(VerticalScroll, can_focus=False):
    """Reasons and consequences of the question that the person is at."""

    def compose(self) -> Any:
        """One text."""
        yield Still("", id="why-text")

    def show(self, content: Content) -> None:
        """Replace the text where it is another one, and go to its top."""
        self.query_one("#why-text", Still).show(content)
        self.scroll_home(animate=False)


def explanation(knob: Knob, project: Project, glyphs: Glyphs, tried: Sequence[WhatIf] | None) -> Content:
    """Why the value at `knob` is what it is, and what other values would change.

    Args:
        tried: What they would change; None where that is not known yet.
    """
    value = plain_value(project.plan, knob.path)
    reason = project.reasons.get(knob.path)
    parts: list[Content | str | tuple[str, str]] = []
    if reason is not None:
        if reason.own:
            parts += [
                (f"Yours: {_sentence(_told(knob, value))} ", "bold"),
                f"{_sentence(_otherwise(knob, reason))}\n",
            ]
        else:
            named = "This" if knob.kind == "text" and len(_told(knob, value)) > LONG else _told(knob, value)
            parts += [(f"{named} ", "bold"), f"is recommended: {_sentence(reason.because)}\n"]
        for other in reason.instead_of:
            parts += [(f"  not {harmless(knob.label(other.value))}: ", "$text-muted"), f"{_sentence(other.because)}\n"]
    for caution in project.cautions:
        if caution.path == knob.path:
            parts += [(f"{glyphs.warning} {harmless(caution.text)}\n", "$text-warning")]
    bounds = [f"People use {knob.usual}." if knob.usual else "", f"Takes {knob.bounds}." if knob.bounds else ""]
    if any(bounds):
        parts += [" ".join(filter(None, bounds)), "\n"]
    if tried is None:
        return Content.assemble(*parts, (f"What changes with {glyphs.ellipsis}", "$text-muted"))
    if knob.kind in ("whole", "number"):
        tried = [one for one in tried if not one.refused]  # half and twice are only tried; nobody asked for them
    if tried:
        parts += [("What changes with\n", "$text-muted")]
        for one in tried:
            parts += [*_what_if(knob, one, glyphs), "\n"]
    return Content.assemble(*parts)


def _what_if(knob: Knob, one: WhatIf, glyphs: Glyphs) -> list[Content | str | tuple[str, str]]:
    meaning = knob.meanings.get(str(one.value), "")
    shown: list[Content | str | tuple[str, str]] = [
        (f"  {_told(knob, one.value)}", "bold"),
        (f" {harmless(meaning)}" if meaning else "", "$text-muted"),
        ": ",
    ]
    if one.refused:
        return [*shown, f"can't be taken. {harmless(one.refused)}"]
    told_changes = [
        f"{change.title} {harmless(change.before)} {glyphs.arrow} {harmless(change.after)}"
        for change in one.changes[:MOST_CHANGES]
    ]
    more = len(one.changes) - len(told_changes)
    if more > 0:
        told_changes.append(f"and {more} more")
    nothing = f"advice stays {one.advice_stays}" if one.advice_stays else "nothing else in the plan"
    return [*shown, "; ".join(told_changes) or nothing]


def _told(knob: Knob, value: Any) -> str:
    return harmless(shown(knob, value))


def _sentence(text: str) -> str:
    text = harmless(text.strip())
    return text if text.endswith((".", "!", "?")) else text + "."


def _otherwise(knob: Knob, reason: Reason) -> str:
    """What else was recommended, and why; a list is not spelled out in a sentence."""
    if isinstance(reason.recommended, list | dict):
        return "Another list was recommended."
    if not reason.otherwise:
        found = reason.because.removeprefix("your choice: ")
        return found[:1].upper() + found[1:]
    return f"{_told(knob, reason.recommended)} was recommended: {reason.otherwise}"
