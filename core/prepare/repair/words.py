"""What a repair does, in plain words, as the screens, the report and the data card say it. Light: no heavy imports.

A repair is taken as it stands in the plan, a dict, so that one that is not complete yet can be told, too.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tunesmith.core.prepare.cells import counted, plain, shown

PERSONAL = {
    "email": "e-mail addresses",
    "phone": "phone numbers",
    "iban": "bank accounts",
    "card": "card numbers",
    "national-id": "national ids",
    "ip": "IP addresses",
    "secret": "keys and passwords",
    "name": "names of people",
}
"""The kinds of personal data in plain words."""

PLACEHOLDERS: dict[str, str] = {
    "email": "[EMAIL]",
    "phone": "[PHONE]",
    "iban": "[IBAN]",
    "card": "[CARD]",
    "national-id": "[ID]",
    "ip": "[IP]",
    "secret": "[SECRET]",
    "name": "[NAME]",
}
"""What is written in the place of a piece: the same for all of a kind, so that nothing tells two people apart."""

DOING = {
    "drop-duplicates": "looking for rows that repeat others",
    "drop-near-duplicates": "looking for rows that are nearly the same",
    "drop-empty": "looking for empty values",
    "fill-empty": "filling empty values",
    "drop-values": "leaving out values",
    "dates-to-iso": "rewriting dates",
    "plain-numbers": "rewriting numbers",
    "drop-out-of-range": "looking for numbers out of range",
    "unify-labels": "rewriting labels",
    "fix-encoding": "mending wrong characters",
    "strip-html": "taking out HTML",
    "tidy-text": "tidying texts",
    "drop-short": "looking for short texts",
    "drop-long": "looking for long texts",
    "drop-contradictions": "looking for answers that contradict",
    "drop-repeated-answers": "looking for answers that repeat",
    "keep-languages": "looking at languages",
    "mask-personal": "masking personal data",
    "drop-personal": "looking for personal data",
}
"""What a meter says while a step runs."""


LONGEST_TOLD = 20
"""Characters of a value that is printed; what is longer may be a text about somebody."""

_LIKE_MAIL = re.compile(r"[^\s@,;<>()\[\]]+@[^\s@,;<>()\[\]]+")
_LONG_NUMBER = re.compile(r"\+?\d(?:[ ()./-]{0,2}\d){6,}")
_DAY = re.compile(r"\d{1,4}([-/.])\d{1,2}\1\d{1,4}(?: \d{2})?")


def told(repair: Mapping[str, Any]) -> str:
    """What a repair does, a clause such as `rows without a value in answer are left out`; harmless text.

    Args:
        repair: As it stands in the plan: its kind and whatever that needs.
    """
    tell = _TELL.get(str(repair.get("kind")))
    return tell(repair) if tell else shown(str(repair.get("kind", "")))


SHORT: dict[str, str] = {
    "drop-duplicates": "leave out",
    "drop-near-duplicates": "leave out",
    "drop-empty": "leave out",
    "fill-empty": "fill in",
    "drop-values": "leave out",
    "dates-to-iso": "rewrite",
    "plain-numbers": "rewrite",
    "drop-out-of-range": "leave out",
    "unify-labels": "unify",
    "fix-encoding": "put right",
    "strip-html": "strip",
    "tidy-text": "tidy",
    "drop-short": "leave out",
    "drop-long": "leave out",
    "drop-contradictions": "leave out",
    "drop-repeated-answers": "leave out",
    "keep-languages": "leave out",
    "mask-personal": "mask",
    "drop-personal": "leave out",
}
"""What a repair does in a word or two, for a list."""
_KEPT = {"first": "keep first", "most": "keep usual", "none": "keep none"}


def short(repair: Mapping[str, Any]) -> str:
    """What a repair, as it stands in the plan, does in a word or two."""
    return _KEPT.get(str(repair.get("keep")), "") or SHORT[str(repair["kind"])]


def span(low: float | None, high: float | None) -> str:
    """A range in words: `0 to 100`, `0 and more`, `up to 100`."""
    if low is not None and high is not None:
        return f"{plain(low)} to {plain(high)}"
    if low is not None:
        return f"{plain(low)} and more"
    return f"up to {plain(high)}" if high is not None else "any"


def listed(names: Sequence[str], most: int = 3, last: str = "and") -> str:
    """Some names in a sentence: `a, b and c`, or `a, b, c and 4 more`."""
    told = [shown(name, 40) for name in names[:most]]
    if len(names) > most:
        return ", ".join(told) + f" {last} {len(names) - most:,} more"
    return f" {last} ".join([", ".join(told[:-1]), told[-1]]) if len(told) > 1 else "".join(told)


def veiled(text: str) -> str:
    """A value of the plan as it may be printed: what looks like an address or a long number is not shown.

    Light, so it takes more for personal data than is: what stands in the data is looked at by `prepare.personal`.
    """
    without = _LIKE_MAIL.sub(PLACEHOLDERS["email"], text)
    return _LONG_NUMBER.sub(lambda run: run[0] if _DAY.fullmatch(run[0]) else "[NUMBER]", without)


def told_values(names: Sequence[str], most: int = 3) -> str:
    """Values of the plan that rows are left out for: in words, or how many they are where they may tell too much."""
    if all(len(name) <= LONGEST_TOLD and veiled(name) == name for name in names):
        return listed(names, most, "or")
    return f"one of {len(names):,} texts" if len(names) > 1 else f"a text of {counted(len(names[0]), 'character')}"


def _column(repair: Mapping[str, Any]) -> str:
    return shown(str(repair.get("column") or ""))


def _where(repair: Mapping[str, Any]) -> str:
    """` in <column>`, or nothing for a repair of whole rows."""
    return f" in {_column(repair)}" if repair.get("column") else ""


def _names(repair: Mapping[str, Any]) -> list[str]:
    return [str(name) for name in repair.get("names") or ()]


def _personal(repair: Mapping[str, Any]) -> str:
    return listed([PERSONAL.get(name, name) for name in _names(repair)] or ["personal data"], most=8)


def _duplicates(repair: Mapping[str, Any]) -> str:
    if repair.get("column"):
        return f"of rows with the same {_column(repair)} only the first is kept"
    return "of equal rows only the first is kept"


def _near(repair: Mapping[str, Any]) -> str:
    share = repair.get("threshold")
    where = f" in {_column(repair)}" if repair.get("column") else ""
    from_ = f" (likeness {share:.2g} or more)" if isinstance(share, int | float) else ""
    return f"of rows that are nearly the same{where} only the first is kept{from_}"


def _empty(repair: Mapping[str, Any]) -> str:
    return f"rows without a value{_where(repair)} are left out" if repair.get("column") else "empty rows are left out"


def _fill(repair: Mapping[str, Any]) -> str:
    return f"{shown(veiled(str(repair.get('value') or '')), 40)} is written where {_column(repair)} is empty"


def _values(repair: Mapping[str, Any]) -> str:
    return f"rows whose {_column(repair)} is {told_values(_names(repair))} are left out"


def _dates(repair: Mapping[str, Any]) -> str:
    return f"dates{_where(repair)} become year-month-day; rows whose date is in doubt are left out"


def _numbers(repair: Mapping[str, Any]) -> str:
    return f"numbers{_where(repair)} become plain digits such as 1234.5; rows whose number is in doubt are left out"


def _range(repair: Mapping[str, Any]) -> str:
    return f"rows whose {_column(repair)} is outside {span(repair.get('low'), repair.get('high'))} are left out"


def _labels(repair: Mapping[str, Any]) -> str:
    values = {veiled(str(one)): veiled(str(other)) for one, other in (repair.get("values") or {}).items()}
    if values and not any(values.values()):
        return f"{listed(list(values))}{_where(repair)} {'counts' if len(values) == 1 else 'count'} as no value"
    pairs = [f"{shown(one, 24)} becomes {shown(other, 24) or 'empty'}" for one, other in list(values.items())[:2]]
    more = f" and {len(values) - 2:,} more" if len(values) > 2 else ""
    return f"labels{_where(repair)} are written in one way: {', '.join(pairs)}{more}"


def _encoding(repair: Mapping[str, Any]) -> str:
    return f"wrongly read characters{_where(repair)} are put right (Ã© becomes é)"


def _html(repair: Mapping[str, Any]) -> str:
    return f"HTML{_where(repair)} is taken out, its text stays"


def _tidy(repair: Mapping[str, Any]) -> str:
    return f"invisible characters and runs of spaces{_where(repair)} are taken out"


def _short(repair: Mapping[str, Any]) -> str:
    least = counted(round(repair.get("low") or 0), "character")
    return f"rows whose {_column(repair) or 'answer'} has fewer than {least} are left out"


def _long(repair: Mapping[str, Any]) -> str:
    most = counted(round(repair.get("high") or 0), "character")
    return f"rows whose {_column(repair) or 'answer'} has more than {most} are left out"


def _contradictions(repair: Mapping[str, Any]) -> str:
    kept = {"most": "only the most frequent answer is kept", "none": "none is kept"}
    told = kept.get(str(repair.get("keep")), "only the first answer is kept")
    return f"where the same is asked and answered differently, {told}"


def _repeated(repair: Mapping[str, Any]) -> str:
    return f"rows whose {_column(repair) or 'answer'} is {told_values(_names(repair), most=2)} are left out"


def _languages(repair: Mapping[str, Any]) -> str:
    return f"rows{_where(repair)} in other languages than {listed(_names(repair), most=8)} are left out"


def _mask(repair: Mapping[str, Any]) -> str:
    kinds = _names(repair)
    if len(kinds) == 1:
        return f"{_personal(repair)}{_where(repair)} become {PLACEHOLDERS.get(kinds[0], 'a placeholder')}"
    return f"{_personal(repair)}{_where(repair)} become placeholders such as [EMAIL]"


def _drop_personal(repair: Mapping[str, Any]) -> str:
    return f"rows with {_personal(repair)}{_where(repair)} are left out"


_TELL: dict[str, Callable[[Mapping[str, Any]], str]] = {
    "drop-duplicates": _duplicates,
    "drop-near-duplicates": _near,
    "drop-empty": _empty,
    "fill-empty": _fill,
    "drop-values": _values,
    "dates-to-iso": _dates,
    "plain-numbers": _numbers,
    "drop-out-of-range": _range,
    "unify-labels": _labels,
    "fix-encoding": _encoding,
    "strip-html": _html,
    "tidy-text": _tidy,
    "drop-short": _short,
    "drop-long": _long,
    "drop-contradictions": _contradictions,
    "drop-repeated-answers": _repeated,
    "keep-languages": _languages,
    "mask-personal": _mask,
    "drop-personal": _drop_personal,
}
