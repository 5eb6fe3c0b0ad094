"""Personal data and secrets in the columns that a model is trained on."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from tunesmith.core.facts import DataFinding
from tunesmith.core.plan.prepare import PersonalKind
from tunesmith.core.prepare.cells import counted, shown
from tunesmith.core.prepare.look.check import FEW
from tunesmith.core.prepare.personal import Piece, found, people_in, suspects, told
from tunesmith.core.prepare.records import Batch
from tunesmith.core.prepare.repair.words import PERSONAL

EXAMPLES = 3

SUBJECT = 0.5
"""Where at least this share of a column's cells hold personal data, and it is this share of their characters, it is
what the column is about: masking would leave nothing. A mail with an address in it is not about the address."""

WHOLE = 0.8
"""From this share of its characters on, personal data is nearly all of an answer."""

OWN = 0.9
"""From this share of the answers with personal data of a kind on, one and the same value is a contact that is given out
on purpose: a hotline, the address of a help desk."""

FEWEST_OWN = 5
"""In fewer answers, the same value may be that of one person who comes again."""

_ONE: dict[PersonalKind, str] = {
    "email": "an e-mail address",
    "phone": "a phone number",
    "iban": "a bank account",
    "card": "a card number",
    "national-id": "a national id",
    "ip": "an IP address",
    "secret": "a key or password",
    "name": "the name of a person",
}
"""One of each of `PERSONAL`."""

_EFFECT = (
    "A model can repeat it word by word to anyone who asks; it is personal data under the GDPR (Art. 4), whose erasure "
    "can be asked for (Art. 17), and {hipaa} under HIPAA."
)
_SECRET_EFFECT = "A model can repeat it word by word to anyone, who may then use it; exchange it for a new one as well."

SURE = 20_000
"""Cells with personal data after which a column most of whose cells hold some is known to: of the further ones each
STEP-th is looked into and stands for the others, because checking a million phone numbers takes minutes."""

STEP = 16

MOST_VALUES = 1000
"""Different values of a kind that are kept apart in a column; where there are more, none is in nearly all of it."""

_ELSEWHERE = hash("")
"""Stands for all values that are in no answer."""

_MARKS = re.compile(r"[\s()./-]")
_SPACE = re.compile(r"\s")
_MARGIN = 24
"""Characters around a piece that its example shows."""


class PersonalData:
    """Finds personal data and secrets; fed batch by batch.

    Args:
        columns: The columns that go into prompts and answers.
        beside: All columns of the file: they tell whether a column `name` holds people's.
        place: Where the record at a position (from 0) stands, such as `line 12`; by its line where this is None.
        answers: Those of the columns that are written as answers to the others. A kind of personal data is then
            masked in all columns or in none: else an answer would say [EMAIL] beside a context that shows the address.
        answer_in: Of columns that hold whole chats: what is answered in a cell.
    """

    def __init__(
        self,
        columns: Sequence[str],
        beside: Sequence[str] = (),
        place: Callable[[int], str] | None = None,
        answers: Sequence[str] = (),
        answer_in: Mapping[str, Callable[[str], str]] = MappingProxyType({}),
    ) -> None:
        people = people_in([*columns, *beside])
        takes: dict[str, Callable[[str], str]] = {**dict.fromkeys(answers, str), **answer_in}
        self._columns = {name: _Column(name, name in people, takes.get(name)) for name in columns}
        self._place = place
        self._answers = frozenset(answers)
        self._rows = 0

    def see(self, page: Batch, /) -> None:
        """The next records."""
        for name, column in self._columns.items():
            cells = page.columns[name]
            column.filled += sum(map(bool, cells))
            if column.names:
                continue
            suspected = suspects(cells)
            weight = STEP if column.sure else 1
            # From the middle on: rows that alternate with the step are rare, and so is harm where they do.
            for index in suspected[weight // 2 :: weight]:
                if pieces := found(cells[index], column=name):
                    column.note(cells[index], pieces, self._where(page, index), weight)
        self._rows += len(page)

    def findings(self) -> list[DataFinding]:
        """One for each column and kind, secrets first."""
        for column in self._columns.values():
            column.close()
        every = [
            column.finding(kind, self._rows, self._advice(column, kind))
            for column in self._columns.values()
            for kind in column.counts
        ]
        return sorted(every, key=lambda finding: finding.severity != "serious")

    def _advice(self, column: _Column, kind: PersonalKind) -> _Advice:
        """What is recommended for a kind in a column, and why where that is not to mask it."""
        if kind == "secret":
            return _Advice("mask")
        if kind == "name":
            return _Advice("", ", as its header says; inside other texts they are not looked for")
        usual = column.usual(kind)
        if not self._answers:
            own = column.answering and usual is not None
            return _Advice("", column.own(kind) if own else _ABOUT) if own or column.subject else _Advice("mask")
        holders = [one for one in self._columns.values() if kind in one.counts]
        whole = [one for one in holders if one.name in self._answers and one.mostly_whole(kind)]
        dropped = [one for one in whole if one.counts[kind] <= FEW * self._rows]
        given_out = {one.usual(kind) for one in holders if one.answering and (one not in whole or one in dropped)}
        if usual is not None and usual in given_out:
            return _Advice("", column.own(kind) if column.answering else _GIVEN_OUT)
        if column in dropped:
            return _Advice("drop", ": it is all that the answer says, and a placeholder would be learned in its place")
        if column in whole:
            return _Advice("", ": it is all that most of these answers say, and masked they would say nothing")
        if len(dropped) < len(whole):
            names = " and ".join(shown(one.name) for one in whole if one not in dropped)
            return _Advice("", f"; as the answers in {names} consist of them, they are masked in neither")
        if all(one.subject for one in holders if one not in whole):
            return _Advice("", _ABOUT)
        return _Advice("mask")

    def _where(self, page: Batch, index: int) -> str:
        return self._place(self._rows + index) if self._place else f"line {page.lines[index]:,}"


_GIVEN_OUT = ": the same that the answers give out, perhaps your own"
_ABOUT = ": it is what the column is about, and masking would leave nothing of it"


@dataclass(frozen=True)
class _Advice:
    """What is done best: `mask`, `drop` or nothing; and why, as the end of the finding's sentence."""

    best: str
    because: str = ""


class _Column:
    """What was found in a column."""

    def __init__(self, name: str, names: bool, answer: Callable[[str], str] | None = None) -> None:
        self.name = name
        self.names = names
        """Whether it holds names of people, by its header."""
        self._answer = answer
        """What is answered in a cell; None in columns that answer nothing."""
        self._values: dict[PersonalKind, Counter[int]] = {}
        """By kind, the hash of each different value, with its cells."""
        self.filled = 0
        self._personal = 0
        """Cells with personal data, secrets apart."""
        self._characters = self._covered = 0
        """Characters of those cells, and those of them that are personal data."""
        self._about = False
        """Whether its counts are estimates."""
        self.counts: dict[PersonalKind, int] = {}
        """Cells by what they hold."""
        self._whole: dict[PersonalKind, int] = {}
        """Those of them that hold little else."""
        self._examples: dict[PersonalKind, list[str]] = {}

    @property
    def answering(self) -> bool:
        """Whether answers are written in it."""
        return self._answer is not None

    @property
    def sure(self) -> bool:
        """Whether enough was seen to know what the column is about."""
        return self._personal >= max(SURE, SUBJECT * self.filled)

    def note(self, text: str, pieces: Sequence[Piece], where: str, weight: int = 1) -> None:
        """A cell with something in it, which stands for `weight` of them."""
        self._about = self._about or weight > 1
        kinds = {piece.kind: piece for piece in reversed(pieces)}
        covered = Counter[PersonalKind]()
        for piece in pieces:
            covered[piece.kind] += piece.end - piece.start
        if any(kind != "secret" for kind in kinds):
            self._personal += weight
            self._characters += weight * len(text)
            self._covered += weight * (covered.total() - covered["secret"])
        self._note_values(text, pieces, weight)
        for kind, piece in kinds.items():
            self.counts[kind] = self.counts.get(kind, 0) + weight
            self._whole[kind] = self._whole.get(kind, 0) + weight * (covered[kind] >= WHOLE * len(text))
            examples = self._examples.setdefault(kind, [])
            if len(examples) < EXAMPLES:
                examples.append(f"{where}: {_example(text, piece, self.name)}")

    def _note_values(self, text: str, pieces: Sequence[Piece], weight: int) -> None:
        """Which values stand in the cell; of an answering column those outside the answers count as other ones."""
        answer = self._answer(text) if self._answer else text
        for kind, value in {(piece.kind, text[piece.start : piece.end]) for piece in pieces}:
            values = self._values.setdefault(kind, Counter())
            told = hash(_MARKS.sub("", value).casefold()) if value in answer else _ELSEWHERE
            if len(values) < MOST_VALUES or told in values:
                values[told] += weight

    def usual(self, kind: PersonalKind) -> int | None:
        """The hash of the one value of a kind that nearly all its cells hold; None where there is none."""
        values = self._values.get(kind)
        if not values or len(values) >= MOST_VALUES:
            return None
        value, count = values.most_common(1)[0]
        return value if count >= max(FEWEST_OWN, OWN * values.total()) and value != _ELSEWHERE else None

    def own(self, kind: PersonalKind) -> str:
        """That the usual value of a kind stands in answers, as the end of a finding's sentence."""
        values = self._values[kind]
        count, every = max(values.values()), values.total()
        where = "in all of them" if count == every else f"in {count:,} of them"
        return f": the same {where}, as part of the answers; perhaps it is your own and given out on purpose"

    def close(self) -> None:
        """All cells were seen."""
        if self.names and self.filled:
            self.counts = {"name": self.filled}
        if self._about:
            self.counts = {kind: min(count, self.filled) for kind, count in self.counts.items()}

    @property
    def subject(self) -> bool:
        """Whether personal data is what the column is about."""
        return self._personal >= SUBJECT * self.filled and self._covered >= SUBJECT * self._characters

    def mostly_whole(self, kind: PersonalKind) -> bool:
        """Whether most of the cells that hold a kind hold little else."""
        return self._whole[kind] >= SUBJECT * self.counts[kind]

    def finding(self, kind: PersonalKind, rows: int, advice: _Advice) -> DataFinding:
        """What was found of a kind."""
        count = self.counts[kind]
        one, many = _ONE[kind], PERSONAL[kind]
        secret = kind == "secret"
        about = "about " if self._about else ""
        text = f"{shown(self.name)} holds {one if count == 1 else many} in {about}{counted(count, 'row')}"
        text += advice.because
        hipaa = "one of the identifiers" if kind != "card" else "an account number, one of the identifiers"
        repairs: list[dict[str, Any]] = [
            {"kind": repair, "column": self.name, "names": [kind]} for repair in ("mask-personal", "drop-personal")
        ]
        if advice.best == "drop":
            repairs.reverse()
        return DataFinding(
            kind=f"personal-{kind}",
            column=self.name,
            count=count,
            text=text + ".",
            examples=tuple(self._examples.get(kind, ())),
            share=min(1.0, count / rows) if rows else 0.0,
            severity="serious" if secret else "note" if kind == "name" else "warning",
            effect=_SECRET_EFFECT if secret else _EFFECT.format(hipaa=hipaa),
            repairs=tuple(repairs),
            recommended=bool(advice.best),
        )


def _example(text: str, piece: Piece, column: str) -> str:
    """The words around a piece, all that is personal masked."""
    begin = piece.start - _MARGIN if piece.start > 2 * _MARGIN else 0
    return told(_SPACE.sub(" ", text), 3 * _MARGIN, column, begin, names=False)
