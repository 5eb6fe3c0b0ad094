"""What was set aside and what was no row, as it may be passed on: personal data masked."""

from __future__ import annotations

from functools import lru_cache, partial
from pathlib import Path
from typing import Any, get_args

import msgspec

from tunesmith.core.meter import Meter
from tunesmith.core.plan import PersonalKind, Prepare, Repair
from tunesmith.core.prepare.personal import PLACEHOLDERS, mask, people_in
from tunesmith.core.prepare.prepared import Prepared, RejectedLine
from tunesmith.core.prepare.repair.nested import mended
from tunesmith.core.prepare.repair.private import kinds_of
from tunesmith.core.prepare.roles import used_columns

STEP = 1024
"""Lines between two words to the meter."""

_ALL: tuple[PersonalKind, ...] = get_args(PersonalKind)


def write_aside(prepared: Prepared, plan: Prepare, path: Path, meter: Meter) -> None:
    """Write what was set aside: columns in use as the plan masks them, and of the others all personal data masked.

    A step may have set a record aside before another one would have masked it. Lets through what `meter` raises.
    """
    masks = _Masks(plan)
    encoder = msgspec.json.Encoder()
    with path.open("wb") as file:
        for number, line in enumerate(prepared.aside(), start=1):
            values = {name: masks.masked(name, value, line.values) for name, value in line.values.items()}
            file.write(encoder.encode(msgspec.structs.replace(line, values=values)) + b"\n")
            if number % STEP == 0:
                meter("writing what was set aside", number, 0)


def write_rejected(source: Path, path: Path, meter: Meter) -> None:
    """Write what was no row: nobody can say which column it would have been in, so all personal data is masked."""
    decoder, encoder = msgspec.json.Decoder(RejectedLine), msgspec.json.Encoder()
    with source.open("rb") as lines, path.open("wb") as file:
        for number, text in enumerate(lines, start=1):
            line = decoder.decode(text)
            line = msgspec.structs.replace(line, text=mask(line.text), why=mask(line.why))
            file.write(encoder.encode(line) + b"\n")
            if number % STEP == 0:
                meter("writing what could not be read", number, 0)


class _Masks:
    """Which kinds are masked in each column."""

    def __init__(self, plan: Prepare) -> None:
        self._used = used_columns(plan.shape, plan.columns, plan.fields)
        self._repairs = [repair for repair in plan.repairs if repair.kind in ("mask-personal", "drop-personal")]
        self._kinds: dict[str, tuple[PersonalKind, ...]] = {}

    def masked(self, column: str, value: Any, beside: dict[str, Any]) -> Any:
        """A value of a column as it may be passed on; `beside` is what else its record holds."""
        if column not in self._kinds:
            self._kinds[column] = self._of(column)
        kinds = self._kinds[column]
        if not kinds:
            return value
        if column not in self._used and value and column in _people(tuple(beside)):
            return PLACEHOLDERS["name"]
        return mended(value, partial(mask, kinds=kinds, column=column))

    def _of(self, column: str) -> tuple[PersonalKind, ...]:
        if column not in self._used:
            return tuple(kind for kind in _ALL if kind != "name")
        wanted = {kind for repair in self._repairs if _meets(repair, column) for kind in kinds_of(repair)}
        return tuple(kind for kind in _ALL if kind in wanted)


@lru_cache(maxsize=64)
def _people(columns: tuple[str, ...]) -> frozenset[str]:
    return people_in(columns)


def _meets(repair: Repair, column: str) -> bool:
    return repair.column in (None, column)
