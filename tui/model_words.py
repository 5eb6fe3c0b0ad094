"""A model in words, the same in the command's table, the wizard's box and the plain prompts."""

from __future__ import annotations

from tunesmith.core.facts import ModelFacts
from tunesmith.core.figures import parameters
from tunesmith.core.practice import PRACTICE
from tunesmith.core.select.choosing import Candidate

ESTIMATED = ", estimated from characters because the tokenizer is not here"
"""Behind "Lengths in tokens"."""

KINDS = {
    "base": "base model",
    "instruct": "follows instructions",
    "reasoning": "thinks aloud before it answers",
    "": "",
}


def here_word(model: ModelFacts) -> str:
    """Whether its weights are on this machine, as one word."""
    return "here" if model.here else "to fetch"


def about(one: Candidate) -> list[str]:
    """What is worth knowing before it is chosen, a sentence or two a line: when to take it, and the catches."""
    model, entry = one.model, one.entry
    if one.hindrance:
        return [one.hindrance, entry.remedy if entry else ""]
    size = f"{parameters(model.parameters)} parameters"
    if model.experts:
        size += f", {parameters(model.active_parameters)} of them at work for a token"
    kind = KINDS[model.kind]
    lines = [f"{size}; {kind + '; ' if kind else ''}reads up to {model.max_positions:,} tokens."]
    if model.source == PRACTICE:
        lines.append("Only a rehearsal: it shows the whole way in minutes, and knows nothing of the world.")
    if one.method is None:
        lines.append("It does not fit this machine with any method.")
    elif one.slow:
        lines.append("On a processor its training takes hours to days; it wants a GPU.")
    if entry is not None:
        lines.append(entry.when)
    licence = model.license or "not stated in its folder"
    gated = "Its page on the Hub asks for your agreement before the download." if model.gated else ""
    lines.append(" ".join(filter(None, [f"Licence: {licence}.", model.catch, gated])))
    if entry is not None:
        lines.append(f"Languages: {entry.languages}. Published {entry.released}.")
    return lines
