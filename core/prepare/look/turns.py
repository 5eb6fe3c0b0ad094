"""Chats as the other shapes: what is asked and what is answered, taken out of the columns that hold it as JSON."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import msgspec

from tunesmith.core.facts import DataFinding
from tunesmith.core.prepare.cells import cell
from tunesmith.core.prepare.chats import turns_of
from tunesmith.core.prepare.look.page import Page
from tunesmith.core.prepare.look.seen import Seen
from tunesmith.core.prepare.make import answer_text
from tunesmith.core.prepare.records import Batch
from tunesmith.core.prepare.repair.nested import nested
from tunesmith.core.rows import Message

ASKED, ANSWERED = "the prompts", "the answers"
"""How the two are called in sentences; the column of a finding about them is that of the turns."""

_FIT = frozenset({"drop-contradictions", "drop-duplicates", "keep-languages"})
"""Repairs that mean the same for a column of turns as for a prompt or an answer."""


class Turns:
    """Takes prompts and answers out of JSON, and brings what is found in them back to the columns that hold it."""

    def __init__(self, seen: Seen) -> None:
        taken = {column.name for column in seen.columns}
        asked, answered = (_free(name, taken) for name in (ASKED, ANSWERED))
        self._of: dict[str, tuple[str, Callable[[str], str]]] = {}
        """For what is taken out: the column that it is in, and how."""
        self.seen = seen
        """The same with the prompts and answers that were taken out."""
        self._chats = seen.roles.get("messages") if seen.shape == "chat" else None
        if self._chats is not None:
            self._of = {
                asked: (self._chats, lambda cell: asked_and_answered(cell)[0]),
                answered: (self._chats, lambda cell: asked_and_answered(cell)[1]),
            }
            self.seen = replace(seen, prompts=(asked,), answers=(answered,))
        elif seen.answers and seen.structured(seen.answers[0]):
            self._of = {answered: (seen.answers[0], answer_in)}
            self.seen = replace(seen, answers=(answered, *seen.answers[1:]))

    def page(self, batch: Batch, start: int) -> Page:
        """The batch with what is taken out of it."""
        columns = dict(batch.columns)
        if self._chats is not None:
            told = [asked_and_answered(cell) for cell in batch.columns[self._chats]]
            for place, name in enumerate(self._of):
                columns[name] = [both[place] for both in told]
        else:
            for name, (column, take) in self._of.items():
                columns[name] = [take(cell) for cell in batch.columns[column]]
        return Page(batch.numbers, batch.lines, columns, start)

    def text(self, values: Mapping[str, Any], column: str) -> str:
        """A cell of a record, or what is taken out of it."""
        if column not in self._of:
            return cell(values, column)
        of, take = self._of[column]
        return take(cell(values, of))

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
        if finding.column not in self._of:
            return finding
        column = self._of[finding.column][0]
        repairs = tuple(repair | {"column": column} for repair in finding.repairs if repair["kind"] in _FIT)
        return msgspec.structs.replace(
            finding, column=column, repairs=repairs, recommended=finding.recommended and bool(repairs)
        )


def asked_and_answered(cell: str) -> tuple[str, str]:
    """The text of the turns before the last, one a line, and that of the last; nothing where the cell is no chat."""
    turns = _turns(cell)
    if len(turns) < 2 or turns[-1].role != "assistant":
        return "", ""
    return "\n".join(turn.content for turn in turns[:-1]).strip(), turns[-1].content.strip()


def answered_in(cell: str) -> str:
    """All that the assistant says in a chat, one turn a line."""
    return "\n".join(turn.content for turn in _turns(cell) if turn.role == "assistant")


def answer_in(cell: str) -> str:
    """The answer that a cell holds as JSON (the last turn of a chat, SQuAD's list of texts), or the cell itself."""
    if turns := _turns(cell):
        return turns[-1].content.strip()
    value = nested(cell)
    return cell if value is None else answer_text(value).strip()


class _Turn(msgspec.Struct):
    """A turn as nearly all chats have it, read without a detour."""

    role: str
    content: str


_PLAIN_TURNS = msgspec.json.Decoder(list[_Turn])


def _turns(cell: str) -> Sequence[_Turn | Message]:
    if not cell.startswith("["):
        return []
    try:
        return _PLAIN_TURNS.decode(cell)
    except UnicodeEncodeError:  # half of a pair of characters: no JSON that could be sent anywhere
        return []
    except (msgspec.DecodeError, RecursionError):
        turns = turns_of(cell)
    return [] if isinstance(turns, str) else turns


def _free(name: str, taken: set[str]) -> str:
    while name in taken:
        name += " of the chats"
    return name
