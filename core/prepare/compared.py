"""What rows are compared by, so that those which stand in two parts are found: hashes, and signatures of likeness."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from tunesmith.core.plan import Split as SplitPlan
from tunesmith.core.prepare.likeness import Signatures, joined, signatures
from tunesmith.core.prepare.near import filled_in
from tunesmith.core.prepare.records import BATCH
from tunesmith.core.rows import Row

Hashes = npt.NDArray[np.int64]


class Text(NamedTuple):
    """What a row says."""

    prompt: str
    """Empty for plain text."""
    answer: str
    question: str = ""
    """The question alone, where the prompt shows more; a benchmark's question is found by it."""


def text_of(row: Row) -> Text:
    """What a row says, without its system prompt, which all rows share."""
    turns = [message.content for message in row.prompt if message.role not in ("system", "developer")]
    return Text("\n".join(turns), row.answer, row.question)


def plain(text: str) -> str:
    """A text without regard to case and spacing."""
    return " ".join(text.casefold().split())


@dataclass
class Keys:
    """Of rows in their order. The hashes are Python's own, which hold in this process and in those forked from it."""

    prompts: Hashes
    """Of plain text: that of the text."""
    wholes: Hashes
    questions: Hashes
    """Empty where the plan compares with no files of one's own."""
    signatures: Signatures | None
    """Of the wholes; None where the plan asks for no likeness."""
    filled: Hashes
    """Of the numbers and names in the wholes; empty where the plan asks for no likeness."""

    def __len__(self) -> int:
        return len(self.wholes)


class KeyMaker:
    """Makes the keys of rows that are told one after another."""

    def __init__(self, plan: SplitPlan) -> None:
        self._questions, self._near = bool(plan.compare), plan.near is not None
        self._prompts: list[int] = []
        self._wholes: list[int] = []
        self._asked: list[int] = []
        self._texts: list[str] = []
        """Whole texts whose signatures are still to be made."""
        self._signatures: list[Signatures] = []
        self._filled: list[int] = []

    def add(self, text: Text) -> None:
        """The next row's."""
        prompt = plain(text.prompt)
        whole = f"{prompt} {plain(text.answer)}".strip()
        self._wholes.append(hash(whole))
        self._prompts.append(hash(prompt or whole))
        if self._questions:
            self._asked.append(hash(plain(text.question)))
        if self._near:
            self._texts.append(whole)
            self._filled.append(filled_in(f"{text.prompt}\n{text.answer}"))
            if len(self._texts) == BATCH:
                self._sign()

    def _sign(self) -> None:
        self._signatures.append(signatures(self._texts))
        self._texts = []

    def keys(self) -> Keys:
        """Of all rows; asked once."""
        if self._texts:
            self._sign()
        prompts, wholes, asked, filled = (
            np.array(some, np.int64) for some in (self._prompts, self._wholes, self._asked, self._filled)
        )
        return Keys(prompts, wholes, asked, joined(self._signatures) if self._near else None, filled)


def joined_keys(parts: list[Keys]) -> Keys:
    """The keys of several stretches of rows as those of one. The signatures are taken out of the parts on the way."""
    prompts = np.concatenate([one.prompts for one in parts])
    wholes = np.concatenate([one.wholes for one in parts])
    questions = np.concatenate([one.questions for one in parts])
    signed = [one.signatures for one in parts if one.signatures is not None]
    for one in parts:
        one.signatures = None
    filled = np.concatenate([one.filled for one in parts])
    return Keys(prompts, wholes, questions, joined(signed) if signed else None, filled)
