"""Numbers with marks and units as people write them in different countries: 1.234,50 € and $1,234.50."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from tunesmith.core.prepare.cells import number_of
from tunesmith.core.prepare.records import Records

Style = Literal["bare", "point", "comma", "either"]
"""`bare`: digits alone; `point` and `comma`: which of the two marks decimals; `either`: it can't be told (1,234)."""

_SAME = {"US$": "$", "USD": "$", "EUR": "€", "Euro": "€", "euro": "€", "euros": "€", "GBP": "£", "JPY": "¥"}
# fmt: off
CURRENCIES = frozenset({
    *"$€£¥₹₽₩₺₴฿", *_SAME, "CHF", "CNY", "INR", "AUD", "CAD", "SEK", "NOK", "DKK", "PLN", "CZK", "HUF", "BRL", "MXN",
    "ZAR", "Rs", "kr", "zł",
})
SCALES = frozenset({"k", "K", "M", "m", "Mio", "mio", "Mrd", "mn", "bn", "B", "%", "‰"})
"""What multiplies the number: without it the number is another one."""

_UNITS = CURRENCIES | SCALES | {
    "kg", "g", "mg", "µg", "t", "lb", "lbs", "oz",
    "km", "cm", "mm", "mi", "ft", "in", "yd", "m²", "km²", "ha", "l", "L", "ml", "mL", "gal",
    "°C", "°F", "C", "F", "h", "hr", "hrs", "min", "s", "sec", "ms", "km/h", "mph", "m/s",
    "kW", "W", "kWh", "MWh", "V", "A", "Hz", "kHz", "MHz", "GHz", "kB", "KB", "MB", "GB", "TB", "px", "pt",
}
# fmt: on


def _any_of(units: frozenset[str]) -> str:
    return "|".join(re.escape(unit) for unit in sorted(units, key=lambda unit: (-len(unit), unit)))


_FIGURE = re.compile(
    rf"(?P<open>\()?(?P<sign>[-+−])?\s?(?P<before>{_any_of(CURRENCIES)})?\s?(?P<sign2>[-+−])?"
    rf"(?P<digits>\d[\d.,'’\u00a0\u202f ]*?)(?:[\s\u00a0\u202f]*(?P<after>{_any_of(_UNITS)})\.?)?(?P<close>\))?"
)
_GROUPED = re.compile(r"\d{1,3}(?:([ '’\u00a0\u202f])\d{3})(?:\1\d{3})*(?:[.,]\d+)?", re.ASCII)
_POINT = re.compile(r"\d+\.\d+|\d{1,3}(,\d{3})+\.\d+|\d{1,3}(,\d{3}){2,}", re.ASCII)
_COMMA = re.compile(r"\d+,\d+|\d{1,3}(\.\d{3})+,\d+|\d{1,3}(\.\d{3}){2,}", re.ASCII)
_EITHER = re.compile(r"[1-9]\d{0,2}[.,]\d{3}", re.ASCII)


@dataclass(frozen=True)
class Figure:
    """A number as it is written."""

    style: Style
    unit: str
    """What stands beside it, e.g. `€` or `kg`; a currency by its sign; empty for none."""
    number: float | None
    """None where `style` is `either`."""
    grouped: bool
    """Whether thousands are set apart."""
    large: bool
    """Whether it has thousands."""
    dotted: bool = False
    """Of `either`: whether the mark is a dot."""
    thousands: float | None = None
    """Of `either`: the number if the mark sets thousands apart; if it marks decimals, it is a thousandth of this."""
    ahead: bool = False
    """Whether the unit stands before the digits."""


def figure_of(text: str) -> Figure | None:
    """The number that `text` writes, with the unit beside it; None where it is no number with a unit."""
    if len(text) > 40 or not (found := _FIGURE.fullmatch(text.strip())):
        return None
    if (found["before"] and found["after"]) or bool(found["open"]) != bool(found["close"]):
        return None
    digits = found["digits"]
    spaced = bool(_GROUPED.fullmatch(digits))
    if spaced:
        digits = re.sub(r"[ '’\u00a0\u202f]", "", digits)
    unit = found["before"] or found["after"] or ""
    unit = _SAME.get(unit, unit)
    ahead = bool(found["before"])
    sign = -1.0 if found["open"] or (found["sign"] or found["sign2"]) in ("-", "−") else 1.0
    if digits.isascii() and digits.isdigit():
        return Figure("bare", unit, sign * float(digits), spaced, len(digits) > 3, ahead=ahead)
    if not spaced and _EITHER.fullmatch(digits):
        thousands, dotted = sign * float(re.sub("[.,]", "", digits)), "." in digits
        return Figure("either", unit, None, not dotted, large=True, dotted=dotted, thousands=thousands, ahead=ahead)
    if _POINT.fullmatch(digits):
        whole = digits.partition(".")[0]
        number = sign * float(digits.replace(",", ""))
        return Figure("point", unit, number, spaced or "," in whole, len(whole) > 3, ahead=ahead)
    if _COMMA.fullmatch(digits):
        whole = digits.partition(",")[0]
        number = sign * float(digits.replace(".", "").replace(",", "."))
        return Figure("comma", unit, number, spaced or "." in whole, len(whole.replace(".", "")) > 3, ahead=ahead)
    return None


FEWEST_DOTTED = 3
"""Different amounts with three digits behind a dot, from which on it is no chance that there are always three."""

_AMOUNT = re.compile(
    r"gehalt|jahreslohn|monatslohn|umsatz|einkommen|einwohner|sueldo|salario|ingresos|stipendio|fatturato|abitanti",
    re.IGNORECASE,
)
"""Headers of large amounts in languages that set thousands apart with a dot."""


class Marks:
    """What the dot and the comma of a column mean: learned from all its values, and used wherever it is read.

    A number such as 1.234 can be read in two ways. Its column tells: 1.234.567 and 1.234,50 prove that dots set
    thousands apart there, 12.5 and 1,234.50 that they mark decimals. Without proof they set thousands apart where
    the values are amounts of money and always have three digits behind the dot: decimals of money have two.
    """

    def __init__(self, column: str) -> None:
        self._money = bool(_AMOUNT.search(column))
        self.comma = False
        """Whether something proves that decimals have a comma, or that thousands have a dot."""
        self._grouping = False
        """Whether it is the second of the two."""
        self.point = False
        """Whether something proves that decimals have a dot, or that thousands have a comma."""
        self._dotted: set[str] = set()

    def learn(self, cells: Iterable[str]) -> None:
        """Some of the column's cells."""
        for text in set(cells):
            if ("." in text or "," in text) and (figure := figure_of(text)):
                self._see(text, figure)

    def _see(self, text: str, figure: Figure) -> None:
        if figure.style == "comma":
            self.comma = True
            self._grouping = self._grouping or "." in text
        elif figure.style == "point":
            self.point = True
        elif figure.dotted:
            self._money = self._money or figure.unit in CURRENCIES
            if len(self._dotted) < FEWEST_DOTTED:
                self._dotted.add(text)

    @property
    def dots_group(self) -> bool:
        """Whether dots set thousands apart: 1.234 is 1234."""
        return not self.point and bool(self._dotted) and (self._grouping or self._always_three)

    @property
    def _always_three(self) -> bool:
        return self._money and len(self._dotted) >= FEWEST_DOTTED

    def number(self, figure: Figure) -> float | None:
        """The number that a figure of the column writes; None where it is in doubt."""
        if figure.thousands is None:
            return figure.number
        if figure.dotted and self.dots_group:
            return figure.thousands
        if self.comma:
            return None
        # The mark of English: thousands with a comma, decimals with a point.
        return figure.thousands / 1000 if figure.dotted else figure.thousands


def marks_of(records: Records, column: str, *, dots_only: bool = False) -> Marks:
    """What dots and commas mean in a column; read to the first proof that a dot marks decimals if `dots_only`."""
    marks = Marks(column)
    for batch in records.batches((column,)):
        marks.learn(batch.columns[column])
        if dots_only and marks.point:
            break
    return marks


def number_in(marks: Marks, text: str) -> float | None:
    """The number that a cell of a column writes; None where it writes none. Where dots mark decimals, as everywhere."""
    if marks.dots_group and (figure := figure_of(text)):
        return marks.number(figure)
    return number_of(text)
