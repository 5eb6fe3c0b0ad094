"""Numbers with marks and units as people write them in different countries: 1.234,50 € and $1,234.50."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

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
    sign = -1.0 if found["open"] or (found["sign"] or found["sign2"]) in ("-", "−") else 1.0
    if digits.isascii() and digits.isdigit():
        return Figure("bare", unit, sign * float(digits), spaced, len(digits) > 3)
    if not spaced and _EITHER.fullmatch(digits):
        return Figure("either", unit, None, "," in digits, large=True)
    if _POINT.fullmatch(digits):
        whole = digits.partition(".")[0]
        return Figure("point", unit, sign * float(digits.replace(",", "")), spaced or "," in whole, len(whole) > 3)
    if _COMMA.fullmatch(digits):
        whole = digits.partition(",")[0]
        number = float(digits.replace(".", "").replace(",", "."))
        return Figure("comma", unit, sign * number, spaced or "." in whole, len(whole) > 3)
    return None
