"""Step 1, Understand: what is wanted, how success is measured, and whether fine-tuning is the way to it."""

from __future__ import annotations

from typing import ClassVar

from textual.content import Content

from tunesmith.core.understand.advice import Advice, advise, has_context
from tunesmith.tui.plain_text import harmless
from tunesmith.tui.screens.step import AskStep


class UnderstandStep(AskStep):
    """The brief at the left; the advice with its reasons beside it."""

    stage: ClassVar[str] = "understand"
    intro: ClassVar[str] = "What should the model do, and how will you know that it does?"
    next_text: ClassVar[str] = "accept this brief and look at the data"

    def overview(self) -> Content:
        """The advice: the ways, the best first, each with what speaks for it."""
        plan, data = self.session.project.plan, self.session.project.facts.data
        brief, prepare = plan.understand, plan.prepare
        context = has_context(prepare.shape, prepare.columns)
        return told(advise(brief.use_case, brief.tried, data, has_context=context), brief.approach)


def told(advice: Advice, chosen: str) -> Content:
    """The advice as text."""
    best = advice.best.approach
    parts: list[str | tuple[str, str]] = [("Advice: ", "$text-muted"), (f"{best}\n", "bold $text-primary")]
    if chosen != best:
        parts.append((f"You chose {chosen}; it is trained all the same, to compare.\n", "$text-warning"))
    for option in advice.ranked:
        parts.append((f"{option.approach}", "bold"))
        if not option.reasons:
            parts.append((": nothing in your answers speaks for it\n", "$text-muted"))
            continue
        parts.append(":\n")
        parts += [f"  {number}. {harmless(reason)}\n" for number, reason in enumerate(option.reasons, 1)]
    return Content.assemble(*parts)


STEP = UnderstandStep
