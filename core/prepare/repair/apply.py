"""Runs the recipe: the plan's repairs in their order, over records of any number."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import pyarrow as pa

from tunesmith.core.meter import Meter, silent
from tunesmith.core.plan import Repair
from tunesmith.core.plan.prepare import LIKENESS
from tunesmith.core.prepare.account import StepCount
from tunesmith.core.prepare.cells import counted, shown
from tunesmith.core.prepare.records import BATCH, Record, Records
from tunesmith.core.prepare.repair import texts
from tunesmith.core.prepare.repair.answers import DropByLength, DropContradictions, DropRepeatedAnswers
from tunesmith.core.prepare.repair.aside import SetAside
from tunesmith.core.prepare.repair.drops import DropEmpty, DropOutOfRange, DropValues, FillEmpty
from tunesmith.core.prepare.repair.duplicates import DropDuplicates, DropNearDuplicates
from tunesmith.core.prepare.repair.forms import DatesToIso, PlainNumbers, UnifyLabels
from tunesmith.core.prepare.repair.languages import KeepLanguages
from tunesmith.core.prepare.repair.mender import Context, Mender
from tunesmith.core.prepare.repair.needs import check
from tunesmith.core.prepare.repair.private import DropPersonal, MaskPersonal, kinds_of
from tunesmith.core.prepare.repair.view import Positions, View
from tunesmith.core.prepare.repair.words import DOING, PERSONAL, listed, span

_FEW_IN_A_BATCH = 32
"""Records that are fetched one by one; of more the whole stretch is read."""


@dataclass(frozen=True)
class Aside:
    """The records that a step set aside: 8 bytes and the reason for each, the records themselves stay in the store."""

    records: Records
    step: str
    positions: Positions
    """Rising, counted from 0."""
    whys: pa.ChunkedArray

    def __len__(self) -> int:
        return len(self.positions)

    def __iter__(self) -> Iterator[SetAside]:
        for start in range(0, len(self.positions), BATCH):
            some = self.positions[start : start + BATCH].tolist()
            whys = self.whys.slice(start, BATCH).to_pylist()
            for record, why in zip(_records(self.records, some), whys, strict=True):
                yield SetAside(record, self.step, why)

    def reasons(self, most: int = 3) -> list[str]:
        """The first few different reasons."""
        return list(dict.fromkeys(self.whys.slice(0, BATCH).to_pylist()))[:most]


def _records(records: Records, positions: Sequence[int]) -> Iterator[Record]:
    first, last = positions[0], positions[-1] + 1
    if len(positions) <= _FEW_IN_A_BATCH or last - first > 32 * len(positions):
        yield from (records.rows[position] for position in positions)
        return
    wanted = iter(positions)
    here = next(wanted, None)
    for position, record in enumerate(records.rows[first:last], first):
        if position == here:
            yield record
            here = next(wanted, None)


@dataclass(frozen=True)
class Step:
    """What one repair did."""

    repair: Repair
    before: int
    """Records before it."""
    after: int
    changed: int
    """Records that were mended and kept."""
    aside: Aside
    examples: tuple[tuple[str, str, str], ...] = ()
    """Up to three changed cells: where (`line 12, note`), before and after; harmless, personal data masked."""

    @property
    def text(self) -> str:
        """The same as a sentence."""
        column = shown(self.repair.column or "")
        parts = []
        if self.changed:
            one, did = _DID[self.repair.kind]
            where = f" in {column}" if column else ""
            parts.append(f"{counted(self.changed, one)}{where} {did.format(kinds=self._kinds)}")
        if len(self.aside):
            parts.append(f"{counted(len(self.aside), 'row')} set aside: {self._because(column)}")
        if parts:
            return "; ".join(parts) + "."
        of = f" ({self._kinds})" if self.repair.kind in ("mask-personal", "drop-personal") and self.repair.names else ""
        return f"{self.repair.kind} {column}".strip() + of + ": nothing to do."

    def _because(self, column: str) -> str:
        repair = self.repair
        bounds = span(repair.low, repair.high)
        told = {
            "drop-duplicates": "repeats of an earlier row" if not column else f"{column} repeats an earlier row's",
            "drop-near-duplicates": "nearly the same as an earlier row",
            "drop-empty": f"{column} is empty" if column else "nothing in them",
            "drop-out-of-range": f"{column} outside {bounds}",
            "drop-short": f"{column or 'the answer'} is shorter than {counted(round(repair.low or 0), 'character')}",
            "drop-long": f"{column or 'the answer'} is longer than {counted(round(repair.high or 0), 'character')}",
            "drop-contradictions": "the same is asked in another row and answered differently",
        }.get(repair.kind)
        if told:
            return told
        reasons = self.aside.reasons()
        return "; ".join(reasons[:2]) + (" and the like" if len(reasons) > 2 else "")

    @property
    def _kinds(self) -> str:
        """What a step that masks looks for: of two such steps each says which it is."""
        kinds = kinds_of(self.repair)
        return listed([PERSONAL[kind] for kind in kinds], most=len(kinds)) if self.repair.names else "personal data"

    @property
    def count(self) -> StepCount:
        """The same for the account."""
        column = self.repair.column or ""
        examples = list(self.examples)
        return StepCount(self.repair.kind, column, self.before, self.after, self.changed, self.text, examples)


_DID = {
    "fill-empty": ("empty value", "filled"),
    "dates-to-iso": ("date", "rewritten as year-month-day"),
    "plain-numbers": ("number", "rewritten in plain digits"),
    "unify-labels": ("label", "rewritten"),
    "fix-encoding": ("row", "with wrongly read characters put right"),
    "strip-html": ("row", "without HTML now"),
    "tidy-text": ("row", "tidied"),
    "mask-personal": ("row", "with {kinds} masked"),
}
"""What was changed, and how."""


@dataclass(frozen=True)
class Repaired:
    """The records that are used, and what each step did: kept + set aside = read."""

    view: View
    steps: list[Step] = field(default_factory=list)

    def aside(self) -> Iterator[SetAside]:
        """All records that were set aside, step by step, as they were read."""
        for step in self.steps:
            yield from step.aside

    @property
    def set_aside(self) -> int:
        """How many they are."""
        return sum(len(step.aside) for step in self.steps)


def apply(
    records: Records,
    repairs: Sequence[Repair],
    *,
    used: Sequence[str],
    prompts: Sequence[str] = (),
    answers: Sequence[str] = (),
    compared: Sequence[str] = (),
    background: Sequence[str] = (),
    meter: Meter = silent,
) -> Repaired:
    """Run the repairs in order.

    Args:
        records: What was read; it stays as it is.
        repairs: The recipe.
        used: The columns that go into prompts and answers: what a repair of texts without a column works on.
        prompts: The columns that hold the prompts, of a chat the one with its turns.
        answers: The columns that hold the answers, of a chat the same one.
        compared: The used columns by which rows are told apart; all of them where none is named.
        background: The used columns that many rows may share, such as a context.
        meter: Told about once a batch; what it raises is let through.

    Raises:
        PlanError: A repair lacks what its kind needs.
    """
    context = Context(records.columns, *map(tuple, (used, prompts, answers, compared, background)))
    for number, repair in enumerate(repairs):
        check(repair, number, prompts, answers)
    view = View.of(records)
    steps = []
    for repair in repairs:
        change = _mender(repair, context).run(view, DOING[repair.kind], meter)
        aside = change.aside
        examples = tuple(_example(view, repair, *one) for one in change.examples)
        after = view.after(aside, change.patches)
        told = Aside(records, repair.kind, aside, change.whys)
        steps.append(Step(repair, len(view), len(after), change.changed, told, examples))
        view = after
    return Repaired(view, steps)


def _near(repair: Repair, context: Context) -> Mender:
    threshold = repair.threshold or LIKENESS
    if repair.column is not None:
        return DropNearDuplicates((repair.column,), threshold)
    return DropNearDuplicates(context.compared or context.used, threshold, context.background)


def _mender(repair: Repair, context: Context) -> Mender:
    return _MENDERS[repair.kind](repair, context)


_MENDERS: dict[str, Callable[[Repair, Context], Mender]] = {
    "drop-duplicates": lambda r, c: DropDuplicates(r.column, c.columns),
    "drop-near-duplicates": _near,
    "drop-empty": lambda r, c: DropEmpty(r.column, c.columns),
    "fill-empty": lambda r, c: FillEmpty(r.column or "", r.value or ""),
    "drop-values": lambda r, c: DropValues(r, r.column or ""),
    "dates-to-iso": lambda r, c: DatesToIso(r.column or ""),
    "plain-numbers": lambda r, c: PlainNumbers(r.column or ""),
    "drop-out-of-range": lambda r, c: DropOutOfRange(r, r.column or ""),
    "unify-labels": lambda r, c: UnifyLabels(r.column or "", r.values or {}),
    "fix-encoding": lambda r, c: texts.fix_encodings(c.texts(r)),
    "strip-html": lambda r, c: texts.strip_html(c.texts(r)),
    "tidy-text": lambda r, c: texts.tidy_text(c.texts(r)),
    "drop-short": lambda r, c: DropByLength((r.column,) if r.column else c.answers, r.low, None),
    "drop-long": lambda r, c: DropByLength((r.column,) if r.column else c.answers, None, r.high),
    "drop-contradictions": lambda r, c: DropContradictions(c.prompts, c.answers, r.keep or "first"),
    "drop-repeated-answers": lambda r, c: DropRepeatedAnswers(r, (r.column,) if r.column else c.answers),
    "keep-languages": lambda r, c: KeepLanguages(c.texts(r), r.names or ()),
    "mask-personal": lambda r, c: MaskPersonal(c.texts(r), kinds_of(r)),
    "drop-personal": lambda r, c: DropPersonal(c.texts(r), kinds_of(r)),
}


def _example(view: View, repair: Repair, position: int, column: str, before: str, after: str) -> tuple[str, str, str]:
    """A changed cell for the screen: its place, and both texts from a little before where they begin to differ."""
    from tunesmith.core.prepare.personal import people_in, told

    names = column in people_in(view.columns)
    place = f"{view.source.rows[position].place}, {shown(column)}"
    pairs = enumerate(zip(before, after, strict=False))
    differ = next((at for at, (one, other) in pairs if one != other), min(len(before), len(after)))
    start = max(0, differ - 20)
    shown_before, shown_after = (told(text, column=column, at=start, names=names) for text in (before, after))
    return place, "(not shown)" if repair.kind == "mask-personal" else shown_before, shown_after
