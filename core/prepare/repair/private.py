"""Personal data and secrets: masked in the texts, or the rows that hold them left out."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import get_args

from tunesmith.core.plan import PersonalKind, Repair
from tunesmith.core.prepare.cells import shown
from tunesmith.core.prepare.repair.mender import Mender, Outcome
from tunesmith.core.prepare.repair.nested import mapped, readable
from tunesmith.core.prepare.repair.view import Piece
from tunesmith.core.prepare.repair.words import PERSONAL, listed

KINDS: tuple[PersonalKind, ...] = get_args(PersonalKind)


def kinds_of(repair: Repair) -> tuple[PersonalKind, ...]:
    """The kinds that a repair is about; all where it names none."""
    wanted = repair.names or KINDS
    return tuple(kind for kind in KINDS if kind in wanted)


class MaskPersonal(Mender):
    """Writes a placeholder where personal data stands."""

    def __init__(self, columns: Sequence[str], kinds: Sequence[PersonalKind]) -> None:
        super().__init__(columns)
        self._kinds = kinds

    def mend(self, piece: Piece) -> Outcome:
        """The cells with something in them."""
        from tunesmith.core.prepare.personal import mask

        patches: dict[str, dict[int, str]] = {}
        for column in self.columns:
            masked_in = partial(mask, kinds=self._kinds, column=column)
            masked = {index: mapped(text, masked_in) for index, text in enumerate(piece.columns[column]) if text}
            patches[column] = {index: text for index, text in masked.items() if text != piece.columns[column][index]}
        return Outcome(patches=patches)


class DropPersonal(Mender):
    """Sets aside the rows with personal data. What it is, is not told: the list of them is kept beside the rows."""

    def __init__(self, columns: Sequence[str], kinds: Sequence[PersonalKind]) -> None:
        super().__init__(columns)
        self._kinds = kinds

    def mend(self, piece: Piece) -> Outcome:
        """Those with something in them."""
        from tunesmith.core.prepare.personal import found

        whys: dict[int, str] = {}
        for column in self.columns:
            for index, text in enumerate(piece.columns[column]):
                if not text or index in whys:
                    continue
                kinds = {one.kind for one in found(readable(text), self._kinds, column)}
                if kinds:
                    told = listed([PERSONAL[kind] for kind in KINDS if kind in kinds])
                    whys[index] = f"{shown(column)} holds {told}"
        return Outcome(sorted(whys.items()))
