"""Numbers as people read them: shares, sizes, counts and times. One way for screens, reports, reasons and cards."""

from __future__ import annotations

GIB = 1 << 30


def percent(share: float) -> str:
    """`98.7 %`; a share that is not whole is never rounded up to `100.0 %` nor down to `0.0 %`."""
    shown = round(100 * share, 1)
    if shown == 100 and share < 1:
        shown = 99.9
    if shown == 0 and share > 0:
        shown = 0.1
    return f"{shown:.1f} %"


def about_percent(share: float) -> str:
    """A share for a sentence: `12 %`, `0.3 %`, `under 0.1 %`."""
    if 0 < share < 0.001:
        return "under 0.1 %"
    if 0.999 < share < 1:
        return "over 99.9 %"
    return f"{100 * share:.0f} %" if share >= 0.1 or share == 0 else f"{100 * share:.1f} %"


def size(count: float) -> str:
    """Bytes in the unit that suits them: `912 KiB`, `8 MiB`, `0.2 GiB`, `15.2 GiB`."""
    if count >= GIB / 10:
        return f"{count / GIB:.1f} GiB"
    if count >= 1 << 20:
        return f"{count / (1 << 20):.0f} MiB"
    return f"{count / 1024:.0f} KiB" if count >= 1024 else f"{count:.0f} bytes"


def parameters(number: int) -> str:
    """A number of parameters as people say it: `233.5 k`, `2.2 M`, `7.6 B`."""
    for unit, letter in ((1e9, "B"), (1e6, "M"), (1e3, "k")):
        if number >= unit:
            return f"{number / unit:.1f} {letter}"
    return str(number)


def duration(seconds: float) -> str:
    """Seconds as a person would say them: `40 s`, `12 min`, `3 h 05 min`."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 100 else f"{minutes // 60} h {minutes % 60:02d} min"


def span(seconds: tuple[float, float] | None) -> str:
    """`20 s to 2 min`, `about 20 s`; what can't be told before the first steps says so."""
    if seconds is None:
        return "told by the first steps"
    low, high = (duration(max(1.0, one)) for one in seconds)
    return f"about {low}" if low == high else f"{low} to {high}"


def dollars(amount: float) -> str:
    """`$0.05`, `$12.40`, `$1,240`; less than a cent is no nothing."""
    if 0 < amount < 0.005:
        return "under $0.01"
    return f"${amount:,.2f}" if amount < 1000 else f"${amount:,.0f}"


def price_span(money: tuple[float, float] | None) -> str:
    """`$0.40 to $1.20`, `about $0.40`; what is not known says so."""
    if money is None:
        return "not known"
    low, high = (dollars(one) for one in money)
    if low == high:
        return low if low.startswith("under") else f"about {low}"
    return f"{low} to {high}"
