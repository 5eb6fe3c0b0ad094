"""Answers that teach little or the wrong thing: too short, too long, always the same, or contradicting each other."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Literal

import numpy as np

from tunesmith.core.plan import Repair
from tunesmith.core.prepare.cells import counted, shown
from tunesmith.core.prepare.repair.duplicates import firsts
from tunesmith.core.prepare.repair.mender import Known, Mender, Outcome
from tunesmith.core.prepare.repair.nested import nested, readable
from tunesmith.core.prepare.repair.view import Piece, View

Keep = Literal["first", "most", "none"]


class DropByLength(Mender):
    """Sets aside what has a text shorter or longer than the bounds, in characters; empty counts as 0."""

    def __init__(self, columns: Sequence[str], low: float | None, high: float | None) -> None:
        super().__init__(columns)
        self._low = 0 if low is None else low
        self._high = float("inf") if high is None else high

    def mend(self, piece: Piece) -> Outcome:
        """Those with a text outside the bounds."""
        whys: dict[int, str] = {}
        for column in self.columns:
            for index, text in enumerate(piece.columns[column]):
                length = len(text) if text[:1] not in ("[", "{") else len(readable(text))
                if not self._low <= length <= self._high and index not in whys:
                    whys[index] = f"{shown(column)} has {counted(length, 'character')}"
        return Outcome(sorted(whys.items()))


class DropRepeatedAnswers(Mender):
    """Sets aside the rows whose answer is one of those named."""

    def __init__(self, repair: Repair, columns: Sequence[str]) -> None:
        super().__init__(columns)
        self._answers = {name.strip() for name in repair.names or ()}
        self._whys: dict[tuple[str, str], str] = {}

    def mend(self, piece: Piece) -> Outcome:
        """Those with such an answer."""
        whys: dict[int, str] = {}
        for column in self.columns:
            for index, text in enumerate(piece.columns[column]):
                answer = readable(text) if text[:1] in ("[", "{") else text
                if (text in self._answers or answer in self._answers) and index not in whys:
                    whys[index] = self._why(answer, column)
        return Outcome(sorted(whys.items()))

    def _why(self, answer: str, column: str) -> str:
        from tunesmith.core.prepare.personal import told

        if (why := self._whys.get((answer, column))) is None:
            why = f"the answer is {told(answer, column=column)}, as in many rows"
            self._whys[answer, column] = why
        return why


class DropContradictions(Known):
    """Of rows with the same prompt and different answers, keeps those with the first answer, the most frequent one
    (the first of those that are equally frequent), or none. A row without a prompt or an answer contradicts nothing."""

    def __init__(self, prompts: Sequence[str], answers: Sequence[str], keep: Keep) -> None:
        super().__init__((*prompts, *answers))
        self._prompts = tuple(prompts)
        self._answers = tuple(answers)
        self._keep = keep
        self._of: list[tuple[int, int]] = []

    def learn(self, view: View, tell: Callable[[int], None]) -> None:
        """Which prompts have several answers, and which of those is kept."""
        asked, answered, positions, lines = [], [], [], []
        done = 0
        for piece in view.pieces(self.looked_at):
            told = list(self._told(piece))
            some = [index for index, (prompt, answer) in enumerate(told) if prompt and answer]
            asked.append(np.fromiter((hash(told[index][0]) for index in some), np.int64, len(some)))
            answered.append(np.fromiter((hash(told[index][1]) for index in some), np.int64, len(some)))
            positions.append(piece.positions[some])
            lines.append(np.asarray(piece.lines, np.int64)[some])
            done += len(piece)
            tell(done)
        if asked:
            gone, of = self._judged(np.concatenate(asked), np.concatenate(answered))
            self.aside = np.concatenate(positions)[gone]
            self._of = [(int(line), number) for line, number in zip(np.concatenate(lines)[of[0]], of[1], strict=True)]

    def _judged(
        self, asked: np.ndarray, answered: np.ndarray
    ) -> tuple[np.ndarray, tuple[np.ndarray, list[int]]]:  # fmt: skip
        """The indices that are set aside; for each the row whose answer is kept, and how many differ."""
        first = firsts(asked)
        same = firsts(asked * np.int64(-7046029254386353131) + answered)  # the first with the same prompt and answer
        contested = np.zeros(len(asked), np.bool_)
        contested[first[same != same[first]]] = True
        rows = np.flatnonzero(contested[first])
        answers: dict[int, Counter[int]] = {}
        for prompt, answer in zip(first[rows].tolist(), same[rows].tolist(), strict=True):
            answers.setdefault(prompt, Counter())[answer] += 1
        gone, of, numbers = [], [], []
        for row, prompt, answer in zip(rows.tolist(), first[rows].tolist(), same[rows].tolist(), strict=True):
            # most_common keeps the order of first appearance among equals
            kept = answers[prompt].most_common(1)[0][0] if self._keep == "most" else same[prompt]
            if self._keep == "none" or answer != kept:
                gone.append(row)
                of.append(int(kept))
                numbers.append(len(answers[prompt]))
        return np.array(gone, np.int64), (np.array(of, np.int64), numbers)

    def _told(self, piece: Piece) -> Iterator[tuple[tuple[str, ...], tuple[str, ...]]]:
        """The prompt and the answer of each row; empty where one is missing."""
        if self._prompts == self._answers and len(self._prompts) == 1:
            yield from map(_of_chat, piece.columns[self._prompts[0]])
            return
        for row in zip(*(piece.columns[name] for name in self.looked_at), strict=True):
            prompt, answer = row[: len(self._prompts)], row[len(self._prompts) :]
            yield (prompt if any(prompt) else ()), (answer if any(answer) else ())

    def why(self, index: int) -> str:
        """Whose answer it contradicts."""
        line, number = self._of[index]
        if self._keep == "none":
            return f"its prompt has {number:,} different answers"
        return f"answers otherwise than line {line:,}, which asks the same"


def _of_chat(cell: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """A chat's turns before the last one, and the last one."""
    turns = nested(cell)
    if not isinstance(turns, list) or len(turns) < 2:
        return (), ()
    return (json.dumps(turns[:-1]),), (json.dumps(turns[-1]),)
