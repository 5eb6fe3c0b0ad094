"""Values that are written in several ways: dates, numbers and labels become one form."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping

from tunesmith.core.prepare.cells import shown
from tunesmith.core.prepare.dates import DayOrder
from tunesmith.core.prepare.figure import SCALES, Marks, figure_of, marks_of
from tunesmith.core.prepare.repair.mender import ByCell
from tunesmith.core.prepare.repair.view import View


class DatesToIso(ByCell):
    """Writes dates as year-month-day, and sets aside what is no date or one in doubt; empty cells stay.

    Whether day or month stands first is learned from the column, where its dates prove it.
    """

    def __init__(self, column: str) -> None:
        super().__init__(column)
        self._order = DayOrder()

    def learn(self, view: View, tell: Callable[[int], None]) -> None:
        """What stands first where day and month could be either way round."""
        done = 0
        for piece in view.pieces(self.columns):
            for text in set(piece.columns[self.column]):
                self._order.see(text)
            done += len(piece)
            tell(done)

    def judge(self, text: str) -> tuple[str | None, str]:
        """The date in the form of ISO 8601."""
        if not text:
            return None, text
        dated = self._order.read(text)
        if dated is None:
            return f"{self.told(text)} in {shown(self.column)} is no date", text
        if dated.day is None:
            return f"{self.told(text)} in {shown(self.column)}: {dated.doubt}", text
        return None, dated.day.isoformat()


class PlainNumbers(ByCell):
    """Writes numbers with digits and a decimal point alone. What is no number, or one in doubt, is set aside.

    What dots and commas mean is learned from the column (see `Marks`). Likewise a number in another unit than most of
    the column is set aside: without the unit it would be another amount. Empty cells stay.
    """

    def __init__(self, column: str) -> None:
        super().__init__(column)
        self._unit = ""
        self._marks = Marks(column)

    def learn(self, view: View, tell: Callable[[int], None]) -> None:
        """Which unit most numbers of the column have, and what marks their decimals."""
        units: Counter[str] = Counter()
        # From all that was read, as the check does it: also from rows that an earlier step left out.
        self._marks = marks_of(view.source, self.column)
        done = 0
        for piece in view.pieces(self.columns):
            for text, count in Counter(piece.columns[self.column]).items():
                if figure := figure_of(text):
                    units[figure.unit] += count
            done += len(piece)
            tell(done)
        # Amounts with a currency and amounts without any are one currency; thousands (k) and 1 are not one.
        named = Counter({unit: count for unit, count in units.items() if unit and unit not in SCALES})
        plainly = sum(count for unit, count in units.items() if unit not in named)
        self._unit = named.most_common(1)[0][0] if named else ""
        if not named and units and plainly > units[""]:
            self._unit = units.most_common(1)[0][0]

    def judge(self, text: str) -> tuple[str | None, str]:
        """The bare number."""
        if not text:
            return None, text
        figure = figure_of(text)
        if figure is None:
            return f"{self.told(text)} in {shown(self.column)} is no number", text
        if figure.unit != self._unit and (figure.unit or self._unit in SCALES):
            return f"{self.told(text)} in {shown(self.column)} is in another unit than most", text
        number = self._marks.number(figure)
        if number is None:
            return f"{self.told(text)} in {shown(self.column)} can be read in two ways", text
        return None, plain_number(number, text)


def plain_number(number: float, text: str) -> str:
    """A number in digits, with a point before the decimals; `text` itself where it is written so already."""
    bare = text.lstrip("-")
    if bare.replace(".", "", 1).isdecimal() and text.isascii() and float(text) == number:
        return text
    return f"{number:.0f}" if number == int(number) else repr(number)


class UnifyLabels(ByCell):
    """Writes each label in the one way that the repair names for it."""

    def __init__(self, column: str, values: Mapping[str, str]) -> None:
        super().__init__(column)
        self._values = {one.strip(): other for one, other in values.items()}

    def judge(self, text: str) -> tuple[str | None, str]:
        """The label's one form, or the text itself."""
        return None, self._values.get(text, text)
