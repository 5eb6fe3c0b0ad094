"""Chats as the other shapes: what is asked and what is answered, taken out of the column that holds the turns."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import msgspec

from tunesmith.core.facts import DataFinding
from tunesmith.core.prepare.chats import turns_of
from tunesmith.core.prepare.look.page import Page
from tunesmith.core.prepare.look.seen import Seen
from tunesmith.core.prepare.records import Batch

ASKED, ANSWERED = "the prompts", "the answers"
"""How the two are called in sentences; the column of a finding about them is that of the turns."""

_FIT = frozenset({"drop-contradictions", "drop-duplicates", "keep-languages"})
"""Repairs that mean the same for a column of turns as for a prompt or an answer."""


class Turns:
    """Takes prompts and answers out of chats, and brings what is found in them back to the chats' column."""

    def __init__(self, seen: Seen) -> None:
        self._messages = seen.roles.get("messages", "") if seen.shape == "chat" else ""
        taken = {column.name for column in seen.columns}
        self.asked, self.answered = (_free(name, taken) for name in (ASKED, ANSWERED))
        self.seen = seen
        """The same with the prompts and answers, where there are chats."""
        if self._messages:
            self.seen = replace(seen, prompts=(self.asked,), answers=(self.answered,))

    def page(self, batch: Batch, start: int) -> Page:
        """The batch with what is asked and what is answered."""
        columns = dict(batch.columns)
        if self._messages:
            told = [asked_and_answered(cell) for cell in batch.columns[self._messages]]
            columns[self.asked] = [asked for asked, _ in told]
            columns[self.answered] = [answer for _, answer in told]
        return Page(batch.numbers, batch.lines, columns, start)

    def own(self, column: str) -> tuple[str, int] | None:
        """The column of the turns and which of the two it stands for; None for a column of the file."""
        if self._messages and column in (self.asked, self.answered):
            return self._messages, (self.asked, self.answered).index(column)
        return None

    def back(self, found: Iterable[DataFinding]) -> list[DataFinding]:
        """The findings by columns of the file; of one kind in prompts and answers, that in more rows."""
        best: dict[tuple[str, str], DataFinding] = {}
        for one in found:
            mended = self._back(one)
            key = (mended.kind, mended.column)
            if key not in best or best[key].count < mended.count:
                best[key] = mended
        return list(best.values())

    def _back(self, finding: DataFinding) -> DataFinding:
        if self.own(finding.column) is None:
            return finding
        repairs = tuple(repair | {"column": self._messages} for repair in finding.repairs if repair["kind"] in _FIT)
        return msgspec.structs.replace(
            finding, column=self._messages, repairs=repairs, recommended=finding.recommended and bool(repairs)
        )


def asked_and_answered(cell: str) -> tuple[str, str]:
    """The text of the turns before the last, one a line, and that of the last; nothing where the cell is no chat."""
    turns = turns_of(cell)
    if isinstance(turns, str) or len(turns) < 2 or turns[-1].role != "assistant":
        return "", ""
    return "\n".join(turn.content for turn in turns[:-1]).strip(), turns[-1].content.strip()


def _free(name: str, taken: set[str]) -> str:
    while name in taken:
        name += " of the chats"
    return name
