"""Step 1, Understand: what is wanted, how success is measured, and whether fine-tuning is the way to it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from tunesmith.core.plan import TRAINS, Understand
from tunesmith.core.schema import knob_at, knobs
from tunesmith.core.understand.advice import Advice, Option, advise_on
from tunesmith.core.understand.groups import grouped
from tunesmith.core.understand.turns import Turn, turns_on
from tunesmith.tui.plain_text import harmless
from tunesmith.tui.screens.step import AskStep, turn
from tunesmith.tui.widgets.why import Why

Part = str | tuple[str, str]
MOST_AGAINST = 2
"""Reasons against each of the ways that are not advised; the plan has them all."""


class UnderstandStep(AskStep):
    """The brief in groups at the left; the advice with its reasons beside it."""

    stage: ClassVar[str] = "understand"
    intro: ClassVar[str] = "What should the model do, and how will you know that it does?"
    next_text: ClassVar[str] = "accept this brief and look at the data"

    def rows(self) -> Iterable[Widget]:
        """The questions below their headings; what only all settings show stands at the end."""
        asked: set[str] = set()
        for heading, group in grouped():
            yield Static(heading, classes="group" if asked else "group -first")
            for knob in group:
                asked.add(knob.path)
                yield self.row(knob)
        if self.session.all_settings:
            yield Static("More", classes="group")
            yield from (self.row(knob) for knob in knobs(self.stage) if knob.path not in asked)

    def page(self, by: int) -> None:
        """The advice first, because it is longer than its panel; the arrows lead to every question anyway."""
        why = self.query_one(Why)
        form = self.query_one(".step-form")
        if (by > 0 and why.scroll_y < why.max_scroll_y) or (by < 0 and form.scroll_y <= 0):
            turn(why, by)
        else:
            super().page(by)

    def standing(self) -> Content:
        """The advice in a line, so that it is seen to change with an answer."""
        advice = self._advice()
        stop = (f"{advice.best.stop} ", "$text-warning") if advice.stop else ""
        return Content.assemble(stop, ("Advice: ", "$text-muted"), (f"{_way(advice.best.approach)}\n", "$text-primary"))

    def overview(self) -> Content:
        """The advice: the way that is advised with its reasons, then what pulls apart, then the others."""
        project = self.session.project
        turns = turns_on(project.plan, project.facts.model.parameters)
        return told(self._advice(), project.plan.understand, turns)

    def _advice(self) -> Advice:
        project = self.session.project
        return advise_on(project.plan, project.facts.model.parameters)


def told(advice: Advice, brief: Understand, turns: tuple[Turn, ...]) -> Content:
    """The advice as text.

    Args:
        turns: Other answers that lead another way.
    """
    best = advice.best
    parts: list[Part] = []
    if advice.stop:
        parts += [(best.stop, "bold $text-warning"), " Advice: "]
    else:
        parts.append(("Advice: ", "$text-muted"))
    parts.append((f"{_way(best.approach)}\n", "bold $text-primary"))
    then = ", ".join(_way(one.approach) for one in advice.ranked[1:4] if one.weight > 0)
    if then:
        parts.append((f"then {then}\n", "$text-muted"))
    parts += _chosen(advice, brief)
    parts += _numbered(best)
    if advice.stop:
        parts += [("Instead: ", "bold"), f"{best.offers}\n"]
    for text in advice.first:
        parts += [("First: ", "bold $text-warning"), f"{text}\n"]
    for one in advice.conflicts:
        parts += [
            ("\nPulling apart\n", "bold"),
            ("  ", ""),
            f"{one.sides[0]}\n",
            ("  and ", "$text-muted"),
            f"{one.sides[1]}\n",
            ("  so ", "$text-muted"),
            f"{one.resolution}.\n",
            (f"  {one.why}\n", "$text-muted"),
        ]
    parts += _change(best, turns)
    parts.append(("\nNext\n", "bold"))
    parts += [f"  {number}. {step}\n" for number, step in enumerate(best.next_steps, 1)]
    parts.append(("\nThe other ways\n", "bold"))
    parts.append(("  the number: what speaks for a way less what speaks against it\n", "$text-muted"))
    for option in advice.ranked[1:]:
        parts += _other(option)
    parts += _sources(best)
    return Content.assemble(*parts)


def _way(approach: str) -> str:
    """What people call a way."""
    return knob_at("understand.approach").label(approach)


def _chosen(advice: Advice, brief: Understand) -> list[Part]:
    """What follows where the person chose another way than the advised one."""
    if brief.approach == advice.best.approach:
        return []
    if brief.approach in TRAINS or not brief.evidence.stop:
        return [(f"You chose {_way(brief.approach)}; it is trained all the same, to compare.\n", "$text-warning")]
    return [
        (f"You chose {_way(brief.approach)}; the run scores the untouched model and stops there.\n", "$text-warning")
    ]


def _numbered(option: Option) -> list[Part]:
    """Reasons for it, then against it."""
    parts: list[Part] = [f"  {number}. {harmless(one.text)}\n" for number, one in enumerate(option.reasons, 1)]
    if not option.reasons:
        parts.append(("  nothing in your answers speaks against it\n", "$text-muted"))
    parts += [part for one in option.against for part in (("  against: ", "$text-muted"), f"{harmless(one.text)}\n")]
    return parts


def _change(option: Option, turns: tuple[Turn, ...]) -> list[Part]:
    """The answers that lead another way, then what takes a reason away but may turn nothing."""
    parts: list[Part] = []
    if turns:
        parts.append(("\nWhat would change it\n", "bold"))
        for one in turns:
            parts += [
                (f"  {one.question} ", "$text-muted"),
                f"{one.answer}: ",
                (f"{_way(one.approach)}\n", "$text-primary"),
            ]
    if option.would_change:
        parts.append(("\nWhat would weaken it\n", "bold"))
        parts += [f"  - {text}\n" for text in option.would_change]
    return parts


def _sources(option: Option) -> list[Part]:
    """Where the reasons are from, by their numbers."""
    if not option.reasons:
        return []
    lines = [f"  {number}. {one.source}\n" for number, one in enumerate(option.reasons, 1)]
    return [("\nSources\n", "bold"), *((line, "$text-muted") for line in lines)]


def _other(option: Option) -> list[Part]:
    """One of the ways that lost: how much speaks for it, and the strongest of what speaks against it."""
    parts: list[Part] = [f"  {_way(option.approach)}", (f" {option.weight:+d}", "$text-muted")]
    if option.against:
        parts += [(": ", "$text-muted"), "; ".join(harmless(one.text) for one in option.against[:MOST_AGAINST])]
    elif option.reasons:
        parts += [(" for: ", "$text-muted"), harmless(option.reasons[0].text)]
    return [*parts, "\n"]


STEP = UnderstandStep
