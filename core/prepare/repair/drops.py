"""Rows that are left out for the value of a column: none at all, one of those named, or one outside a range."""

from __future__ import annotations

from collections.abc import Callable

from tunesmith.core.plan import Repair
from tunesmith.core.prepare.cells import shown
from tunesmith.core.prepare.figure import Marks, marks_of, number_in
from tunesmith.core.prepare.repair.mender import ByCell, Mender, Outcome
from tunesmith.core.prepare.repair.nested import is_blank
from tunesmith.core.prepare.repair.view import Piece, View
from tunesmith.core.prepare.repair.words import span


class DropEmpty(Mender):
    """Sets aside what has no value in a column, or in none of them."""

    def __init__(self, column: str | None, columns: tuple[str, ...]) -> None:
        super().__init__(columns if column is None else (column,))
        self._why = "nothing in it" if column is None else f"{shown(column)} is empty"

    def mend(self, piece: Piece) -> Outcome:
        """Those without a value."""
        first, *others = (piece.columns[name] for name in self.columns) if self.columns else ([""] * len(piece),)
        without = [index for index, text in enumerate(first) if is_blank(text)]
        for cells in others:
            without = [index for index in without if is_blank(cells[index])]
        return Outcome([(index, self._why) for index in without])


class FillEmpty(ByCell):
    """Writes a value where there is none."""

    def __init__(self, column: str, value: str) -> None:
        super().__init__(column)
        self._value = value

    def judge(self, text: str) -> tuple[str | None, str]:
        """The text, or the value in its place."""
        return None, self._value if is_blank(text) else text


class DropValues(ByCell):
    """Sets aside the rows whose cell is one of the values named."""

    def __init__(self, repair: Repair, column: str) -> None:
        super().__init__(column)
        self._values = {name.strip() for name in repair.names or ()}

    def judge(self, text: str) -> tuple[str | None, str]:
        """Whether it is one of them, white space around it aside."""
        if text not in self._values:
            return None, text
        return f"{shown(self.column)} is {self.told(text) or 'empty'}", text


class DropOutOfRange(ByCell):
    """Sets aside numbers outside the range, and what is no number; empty cells are left as they are."""

    def __init__(self, repair: Repair, column: str) -> None:
        super().__init__(column)
        self._low = float("-inf") if repair.low is None else repair.low
        self._high = float("inf") if repair.high is None else repair.high
        self._span = span(repair.low, repair.high)
        self._marks = Marks(column)

    def learn(self, view: View, tell: Callable[[int], None]) -> None:
        """Whether dots set thousands apart in the column."""
        self._marks = marks_of(view.source, self.column, dots_only=True)

    def judge(self, text: str) -> tuple[str | None, str]:
        """Whether its number lies in the range, bounds included."""
        if not text:
            return None, text
        number = number_in(self._marks, text)
        if number is None:
            return f"{self.told(text)} in {shown(self.column)} is no number", text
        if self._low <= number <= self._high:
            return None, text
        return f"{self.told(text)} in {shown(self.column)} lies outside {self._span}", text
