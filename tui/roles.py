"""How a person is asked which column plays a part of the shape, and is told which play none: short enough for 80×24."""

from tunesmith.core.facts import DataProfile
from tunesmith.core.prepare.repair.words import listed

ROLES = {
    "entity": "Which column names each record?",
    "question": "Which column holds the question?",
    "answer": "Which column holds the answer?",
    "context": "Which column holds the context?",
    "prompt": "Which column holds the prompt?",
    "completion": "Which column is the completion?",
    "input": "Which column holds the input?",
    "messages": "Which column holds the chat?",
    "system": "Which column is the system prompt?",
    "tools": "Which column lists the tools?",
    "text": "Which column holds the text?",
    "label": "Which column holds the label?",
    "chosen": "Which column is the better answer?",
    "rejected": "Which column is the worse answer?",
    "rating": "Which column holds the rating?",
}

NAMED = 5
"""Columns that are named of those that play no part."""


def left_out_told(data: DataProfile) -> str:
    """Which columns the model never sees, as a sentence; empty where it sees all."""
    return f"In no prompt and no answer: {listed(data.left_out, most=NAMED)}." if data.left_out else ""
