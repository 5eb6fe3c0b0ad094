"""Personal data and secrets in the columns that a model is trained on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from tunesmith.core.facts import DataFinding
from tunesmith.core.plan.prepare import PersonalKind
from tunesmith.core.prepare.cells import counted, shown
from tunesmith.core.prepare.kinds import plain_name
from tunesmith.core.prepare.personal import PLACEHOLDERS, Piece, found, mask, names_people, suspects
from tunesmith.core.prepare.records import Batch
from tunesmith.core.prepare.repair.words import PERSONAL

EXAMPLES = 3

SUBJECT = 0.5
"""From this share of its cells on, personal data is what a column is about: masking it would leave nothing."""

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

_ABOUT_PEOPLE = frozenset(
    ("salary", "wage", "hire_date", "hired", "department", "job_title", "position", "gender", "sex", "age", "born")
) | {"email", "e_mail", "phone", "birth_date", "birthday", "date_of_birth", "dob", "nationality", "marital_status"}
"""Columns beside which `name` is that of a person."""

SURE = 20_000
"""Cells after which a column that is about personal data is known to be: of the further ones each STEP-th is looked
into and stands for the others, because checking a million phone numbers takes minutes."""

STEP = 16

_MARGIN = 24
"""Characters around a piece that its example shows."""


class PersonalData:
    """Finds personal data and secrets; fed batch by batch.

    Args:
        columns: The columns that go into prompts and answers.
        beside: All columns of the file: they tell whether a column `name` holds people's.
        place: Where the record at a position (from 0) stands, such as `line 12`; by its line where this is None.
    """

    def __init__(
        self, columns: Sequence[str], beside: Sequence[str] = (), place: Callable[[int], str] | None = None
    ) -> None:
        people = bool(_ABOUT_PEOPLE & {plain_name(name) for name in beside})
        self._columns = {name: _Column(name, _of_people(name, people)) for name in columns}
        self._place = place
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
        every = [finding for column in self._columns.values() for finding in column.findings(self._rows)]
        return sorted(every, key=lambda finding: finding.severity != "serious")

    def _where(self, page: Batch, index: int) -> str:
        return self._place(self._rows + index) if self._place else f"line {page.lines[index]:,}"


def _of_people(name: str, people: bool) -> bool:
    return names_people(name) or (people and plain_name(name) == "name")


class _Column:
    """What was found in a column."""

    def __init__(self, name: str, names: bool) -> None:
        self.name = name
        self.names = names
        """Whether it holds names of people, by its header."""
        self.filled = 0
        self._personal = 0
        """Cells with personal data, secrets apart."""
        self._about = False
        """Whether its counts are estimates."""
        self._counts: dict[PersonalKind, int] = {}
        self._examples: dict[PersonalKind, list[str]] = {}

    @property
    def sure(self) -> bool:
        """Whether enough was seen to know what the column is about."""
        return self._personal >= max(SURE, SUBJECT * self.filled)

    def note(self, text: str, pieces: Sequence[Piece], where: str, weight: int = 1) -> None:
        """A cell with something in it, which stands for `weight` of them."""
        self._about = self._about or weight > 1
        kinds = {piece.kind: piece for piece in reversed(pieces)}
        self._personal += weight * any(kind != "secret" for kind in kinds)
        for kind, piece in kinds.items():
            self._counts[kind] = self._counts.get(kind, 0) + weight
            examples = self._examples.setdefault(kind, [])
            if len(examples) < EXAMPLES:
                examples.append(f"{where}: {_example(text, piece, self.name)}")

    def findings(self, rows: int) -> list[DataFinding]:
        """One for each kind."""
        if self.names and self.filled:
            self._counts, self._personal = {"name": self.filled}, self.filled
        if self._about:
            self._counts = {kind: min(count, self.filled) for kind, count in self._counts.items()}
        subject = self._personal >= SUBJECT * self.filled
        return [self._finding(kind, count, rows, subject) for kind, count in self._counts.items()]

    def _finding(self, kind: PersonalKind, count: int, rows: int, subject: bool) -> DataFinding:
        one, many = _ONE[kind], PERSONAL[kind]
        secret = kind == "secret"
        about = "about " if self._about else ""
        text = f"{shown(self.name)} holds {one if count == 1 else many} in {about}{counted(count, 'row')}"
        if kind == "name":
            text += ", as its header says; inside other texts they are not looked for"
        elif subject and not secret:
            text += ": it is what the column is about, and masking would leave nothing of it"
        hipaa = "one of the identifiers" if kind != "card" else "an account number, one of the identifiers"
        repairs: list[dict[str, Any]] = [
            {"kind": repair, "column": self.name, "names": [kind]} for repair in ("mask-personal", "drop-personal")
        ]
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
            recommended=secret or not subject,
        )


def _example(text: str, piece: Piece, column: str) -> str:
    """The words around a piece, all that is personal masked."""
    # What is cut in two at the window's ends lies too far from the piece to be shown.
    start = max(0, piece.start - 200)
    before = mask(text[start : piece.start], column=column)
    after = mask(text[piece.end : piece.end + 200], column=column)
    cut = f"{'…' if start or len(before) > _MARGIN else ''}{before[-_MARGIN:]}"
    cut += PLACEHOLDERS[piece.kind] + after[:_MARGIN] + ("…" if len(after) > _MARGIN else "")
    return shown(" ".join(cut.split()), 3 * _MARGIN)
