"""Rows that stand in two parts: a score on what was trained on says nothing, so they are found before training.

A row of the training is looked for in the validation and the test, one of the validation in the test: word by word
(without regard to case and spacing), and nearly where the plan says how near (see `near`). Own files, such as a
benchmark, are held against the training and the validation.

What becomes of such a row is the plan's to say. A row that moves to the part which has it must not divide its group:
where other rows of the group stay behind, it is left out instead. What is in two parts only since rows moved is left
out, too, so that moving never goes on and on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from tunesmith.core.errors import DataError
from tunesmith.core.meter import Meter, silent
from tunesmith.core.plan import Split as SplitPlan
from tunesmith.core.prepare.cells import counted, shown
from tunesmith.core.prepare.compared import Hashes, Keys, Text, plain
from tunesmith.core.prepare.likeness import Indices, Signatures, likeness, pairs, signatures
from tunesmith.core.prepare.near import Tokens, Words, frame_of, hashed, sampled
from tunesmith.core.prepare.personal import mask
from tunesmith.core.prepare.read.load import read_records
from tunesmith.core.prepare.split import TEST, TRAIN, VALIDATION, Codes, Places
from tunesmith.core.rows import SPLITS

ToldAt = Callable[[Sequence[int]], Iterable[Text]]
PAIRS = 50_000
"""Pairs whose words are held at a time, to compare them."""

DROPPED = -1
"""The code of a row that is in no part any more."""

FILES = 3
"""The code of texts in files of one's own; they go before every part."""

SHORTEST_CELL = 20
"""Characters from which a single cell of a file is a text that a row may repeat; below, it is a word or a number."""

EXAMPLES = 3
_TOLD = {"train": "training", "validation": "validation", "test": "test"}
_WHERE = {"validation": "the validation", "test": "the test", "files": "your own files"}
_PAIRS = ((VALIDATION, TEST), (TRAIN, TEST), (TRAIN, VALIDATION), (VALIDATION, FILES), (TRAIN, FILES))

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Shared:
    """How many rows of one part stand in another, too; each is counted once, in the first of the ways that holds."""

    part: str
    """`train` or `validation`."""
    other: str
    """`validation`, `test` or `files`."""
    same: int
    """Rows whose prompt and answer stand there word by word (of files: any of the row's texts)."""
    prompt: int
    """Rows whose prompt stands there with another answer."""
    near: int
    """Rows that are nearly the same as one there."""
    group: int
    """Rows of which only the group stands there; it happens with a test file of one's own."""

    @property
    def rows(self) -> int:
        """All of them."""
        return self.same + self.prompt + self.near + self.group


@dataclass(frozen=True)
class Example:
    """A row that stands in two parts, and one that it repeats."""

    row: int
    other: int
    near: bool
    """Whether they are nearly the same, rather than word by word."""
    text: str = ""
    """Both as they may be shown: cut, harmless, personal data masked; empty where nobody told the texts."""
    other_text: str = ""


@dataclass(frozen=True, eq=False)
class Overlap:
    """What stood in two parts, and the parts after it."""

    parts: Codes
    """The part of each row, DROPPED where it is left out."""
    shared: tuple[Shared, ...]
    """Pairs of parts with something in common, as it was before."""
    dropped: int
    moved: int
    examples: tuple[Example, ...] = ()
    text: tuple[str, ...] = ()
    """Sentences to the person; none where nothing was found."""


def find_overlap(
    keys: Keys,
    parts: Codes,
    plan: SplitPlan,
    *,
    groups: Places | None = None,
    base: Path | None = None,
    text_at: Callable[[int], str] | None = None,
    told_at: ToldAt | None = None,
    meter: Meter = silent,
) -> Overlap:
    """What stands in two parts, and what becomes of it by the plan's `overlap`.

    Args:
        keys: What each row is compared by. Its signatures are taken out of it.
        parts: The part of each row, as `split.assign` gives it; those of a test file of one's own among them.
        plan: `overlap`, `near` and `compare`.
        groups: The place of each row's group; without, each row is a group of its own.
        base: The folder that relative paths in `compare` start from.
        text_at: Gives a row's text by its index; only then do examples have texts.
        told_at: Gives what some rows say, by their indices, which rise; rows that may be nearly the same are then
            compared exactly.
        meter: Told while rows are compared; what it raises is let through.

    Raises:
        DataError: A file of `compare` can't be read, or a part that had rows would be left without any.
        AccessError: The file system refuses to let a file of `compare` be read.
    """
    files = _Files(plan, base)
    meter("looking for rows in two parts", 0, 0)
    near = None
    if plan.near is not None:
        near = _nearly(keys, files.texts, parts, plan.near, told_at, meter)
    if groups is None:
        groups = np.arange(len(parts), dtype=np.float64)
    look = _Look(keys, files.hashes, near, groups, by_group=plan.by is not None)
    before = look.at(parts)
    after = parts.copy()
    if plan.overlap == "drop":
        # The validation first: what it loses is no reason to leave out a row of the training.
        after[before.any_of(parts) & (parts == VALIDATION)] = DROPPED
        lost = bool((after == DROPPED).any())
        after[(look.at(after) if lost else before).any_of(after)] = DROPPED
    elif plan.overlap == "move":
        after = _moved(before, parts, groups)
        after[look.at(after).any_of(after)] = DROPPED
    _refuse_empty(parts, after)
    dropped, moved = int((after == DROPPED).sum()), int(((after != parts) & (after != DROPPED)).sum())
    shared = before.shared(parts)
    return Overlap(
        after,
        shared,
        dropped,
        moved,
        _examples(before, look, parts, text_at),
        _sentences(shared, plan, dropped, moved),
    )


class _Files:
    """The texts of files of one's own: each record's cells joined, and each long one by itself."""

    def __init__(self, plan: SplitPlan, base: Path | None) -> None:
        self.texts: list[str] = []
        """Held only where they are compared by likeness."""
        hashes = set()
        for path in plan.compare:
            for batch in read_records(path, base).batches():
                for cells in zip(*batch.columns.values(), strict=True):
                    for text in _texts(cells):
                        hashes.add(hash(plain(text)))
                        if plan.near is not None:
                            self.texts.append(text)
        hashes.discard(hash(""))
        self.hashes = np.array(sorted(hashes), np.int64)


def _texts(cells: Iterable[str]) -> Iterator[str]:
    told = list(cells)
    yield " ".join(cell for cell in told if cell)
    for cell in told:
        for text in _inner(cell):
            if len(text) >= SHORTEST_CELL:
                yield text


def _inner(cell: str) -> Iterator[str]:
    """The cell, and where it is JSON the texts inside it, such as the turns of a chat."""
    yield cell
    if cell[:1] in ("[", "{"):
        try:
            held = [msgspec.json.decode(cell)]
        except (msgspec.DecodeError, RecursionError, UnicodeEncodeError):
            return
        while held:
            value = held.pop()
            if isinstance(value, str):
                yield value
            elif isinstance(value, list | dict):
                held += value.values() if isinstance(value, dict) else value


def _nearly(
    keys: Keys,
    files: list[str],
    parts: Codes,
    threshold: float,
    told_at: ToldAt | None,
    meter: Meter,
) -> _Nearly:
    """Rows that are nearly the same by the rule of `near`: filled in otherwise, a form is another text.

    Not so between rows and the texts of files, which hold more than what a row says, such as its number.
    """
    rows, keys.signatures = keys.signatures, None  # a quarter of a gigabyte for a million rows: not held twice
    assert rows is not None, "they are made where the plan asks for likeness"
    places = np.arange(len(parts))
    of_files = None
    if files:
        both, ranks = np.concatenate([signatures(files), rows]), np.concatenate([np.full(len(files), FILES), parts])
        of_files = _Near(both, np.concatenate([np.full(len(files), -1), places]), ranks, None, threshold, None, meter)
        del both
    return _Nearly(_Near(rows, places, parts, keys.filled, threshold, told_at, meter), of_files)


class _Near:
    """Which rows are nearly the same; rows of equal signatures are a class, of which one stands for all."""

    def __init__(
        self,
        signed: Signatures,
        row: Indices,
        ranks: Codes,
        apart: Hashes | None,
        threshold: float,
        told_at: ToldAt | None,
        meter: Meter,
    ) -> None:
        # `pairs` compares all of a crowd with its first only: the first must be of the part that goes before.
        sort = np.argsort(-ranks, kind="stable")
        signed = signed[sort]
        self.row = row[sort]
        """The row of each signature; -1 for a text of a file."""
        found = pairs(signed, threshold, meter, apart=None if apart is None else apart[sort])
        if told_at is not None:
            found = found[_exact(self.row[found], len(row), told_at, threshold, meter)]
        equal = likeness(signed, found) == 1.0
        self.leader = np.arange(len(signed))
        self.leader[found[equal, 1]] = self.leader[found[equal, 0]]
        self.pairs = found[~equal]

    def reach(self, parts: Codes, part: int) -> Mask:
        """For each row whether one of `part` is nearly the same as it, itself perhaps."""
        ranks = np.where(self.row < 0, FILES, parts[self.row])
        has = np.zeros(len(self.row), np.bool_)
        has[self.leader[ranks == part]] = True
        near = has.copy()
        one, other = self.leader[self.pairs[:, 0]], self.leader[self.pairs[:, 1]]
        near[one[has[other]]] = True
        near[other[has[one]]] = True
        rows = np.zeros(len(parts), np.bool_)
        inside = self.row >= 0
        rows[self.row[inside]] = near[self.leader[inside]]
        return rows

    def like(self, row: int, parts: Codes, part: int) -> int:
        """One of `part` that is nearly the same as a row; -1 where it stands in a file."""
        leader = self.leader[np.flatnonzero(self.row == row)[0]]
        ends = self.pairs[(self.pairs == leader).any(axis=1)].ravel()
        for index in np.flatnonzero(np.isin(self.leader, [leader, *ends.tolist()])).tolist():
            other = int(self.row[index])
            if other != row and (FILES if other < 0 else parts[other]) == part:
                return other
        return -1


def _exact(some: Indices, rows: int, told_at: ToldAt, threshold: float, meter: Meter) -> Mask:
    """Which pairs of rows are alike in what they ask and in what they answer."""
    if not len(some):
        return np.zeros(0, np.bool_)

    def tokens(of: Sequence[int]) -> dict[int, tuple[Tokens, ...]]:
        return {row: hashed((text.prompt, text.answer)) for row, text in zip(of, told_at(of), strict=True)}

    every = np.unique(some).tolist()
    frame = frame_of(list(tokens(sampled(every)).values()), len(every), rows)
    found = np.zeros(len(some), np.bool_)
    for start in range(0, len(some), PAIRS):
        chunk = some[start : start + PAIRS]
        words = Words(tokens(np.unique(chunk).tolist()), frame)
        found[start : start + PAIRS] = [words.share(one, other) >= threshold for one, other in chunk.tolist()]
        meter("comparing rows of two parts word by word", min(start + PAIRS, len(some)), len(some))
    return found


class _Nearly(NamedTuple):
    """The same among rows, and between rows and the texts of files where there are some."""

    rows: _Near
    files: _Near | None

    def reach(self, parts: Codes, part: int) -> Mask:
        """For each row whether one of `part` is nearly the same as it, itself perhaps."""
        near = self.files if part == FILES else self.rows
        return np.zeros(len(parts), np.bool_) if near is None else near.reach(parts, part)


@dataclass(frozen=True)
class _Hits:
    """Which rows of the lower part of a pair stand in the higher."""

    same: Mask
    prompt: Mask
    near: Mask
    group: Mask

    @property
    def any(self) -> Mask:
        """All of them."""
        return self.same | self.prompt | self.near | self.group


@dataclass(frozen=True)
class _Found:
    """The hits of all pairs of parts."""

    hits: dict[tuple[int, int], _Hits]

    def any_of(self, parts: Codes) -> Mask:
        """Rows that stand in any part before their own, or in a file."""
        found = np.zeros(len(parts), np.bool_)
        for hits in self.hits.values():
            found |= hits.any
        return found

    def shared(self, parts: Codes) -> tuple[Shared, ...]:
        """The counts, of pairs with something in common."""
        told = []
        for (part, other), hits in self.hits.items():
            counts = (int(mask.sum()) for mask in (hits.same, hits.prompt, hits.near, hits.group))
            told.append(Shared(SPLITS[part], SPLITS[other] if other != FILES else "files", *counts))
        return tuple(one for one in told if one.rows)


@dataclass(frozen=True)
class _Look:
    """Finds what stands in two parts, for any parts of the same rows."""

    keys: Keys
    files: Hashes
    near: _Nearly | None
    groups: Places
    by_group: bool

    def at(self, parts: Codes) -> _Found:
        """What stands in two parts."""
        return _Found({pair: self._hits(parts, *pair) for pair in _PAIRS})

    def _hits(self, parts: Codes, part: int, other: int) -> _Hits:
        own = parts == part
        none = np.zeros(len(parts), np.bool_)
        if other == FILES:
            same = none.copy()
            if len(self.files):
                for hashes in (self.keys.prompts, self.keys.wholes, self.keys.questions):
                    same |= own & np.isin(hashes, self.files)
            prompt = group = none
        else:
            there = parts == other
            prompt = _shared(self.keys.prompts, own, there)
            same = prompt & _shared(self.keys.wholes, own, there)
            prompt = prompt & ~same
            group = _shared(self.groups, parts == part, parts == other) if self.by_group else none
        near = own & self.near.reach(parts, other) & ~same & ~prompt if self.near else none
        return _Hits(same, prompt, near, group & ~same & ~prompt & ~near)


def _shared(values: Hashes | Places, own: Mask, there: Mask) -> Mask:
    """Which of `own` have a value that one of `there` has."""
    found = np.zeros(len(values), np.bool_)
    found[own] = np.isin(values[own], values[there])
    return found


def _moved(found: _Found, parts: Codes, groups: Places) -> Codes:
    """The parts after moving: a row goes where it is, in the test rather than the validation, if its group can."""
    target = parts.copy()
    for pair in ((TRAIN, VALIDATION), (TRAIN, TEST), (VALIDATION, TEST)):
        target[found.hits[pair].any] = pair[1]
    for pair in ((TRAIN, FILES), (VALIDATION, FILES)):
        target[found.hits[pair].any] = DROPPED
    _, group = np.unique(groups, return_inverse=True)
    staying = target != DROPPED
    lowest = np.full(int(group.max(initial=-1)) + 1, FILES, np.int8)
    highest = np.full(len(lowest), DROPPED, np.int8)
    np.minimum.at(lowest, group[staying], target[staying])
    np.maximum.at(highest, group[staying], target[staying])
    divided = (lowest != highest)[group] & staying & (target != parts)
    target[divided] = DROPPED
    return target


def _refuse_empty(before: Codes, after: Codes) -> None:
    for code in (TRAIN, VALIDATION, TEST):
        if (before == code).any() and not (after == code).any():
            raise DataError(
                f"Every row of the {_TOLD[SPLITS[code]]} stands in another part or in a file it is compared with, too.",
                cause="Left out, they would leave nothing of it.",
                next_step="Add rows that differ, raise prepare.split.near, or set prepare.split.overlap to keep.",
            )


def _examples(found: _Found, look: _Look, parts: Codes, text_at: Callable[[int], str] | None) -> tuple[Example, ...]:
    """A few rows of each pair of parts that is scored on, with what they repeat."""
    told: list[Example] = []
    for (_, other), hits in found.hits.items():
        if other == FILES:
            continue
        for near, rows in ((False, hits.same | hits.prompt), (True, hits.near)):
            for row in np.flatnonzero(rows)[:EXAMPLES].tolist():
                if near and look.near is not None:
                    twin = look.near.rows.like(row, parts, other)
                else:
                    keys = look.keys
                    twin = int(np.flatnonzero((parts == other) & (keys.prompts == keys.prompts[row]))[0])
                told.append(Example(row, twin, near, _harmless(text_at, row), _harmless(text_at, twin)))
    return tuple(sorted(told, key=lambda one: one.near))


def _harmless(text_at: Callable[[int], str] | None, row: int) -> str:
    return shown(" ".join(mask(text_at(row)[:2000]).split()), 80) if text_at is not None and row >= 0 else ""


def _sentences(shared: tuple[Shared, ...], plan: SplitPlan, dropped: int, moved: int) -> tuple[str, ...]:
    told = []
    for one in shared:
        ways = [
            f"{count:,} {way}"
            for count, way in (
                (one.same, "word by word"),
                (one.prompt, "with another answer"),
                (one.near, "nearly the same"),
                (one.group, f"only by its {shown(plan.by or 'group')}"),
            )
            if count
        ]
        stand = "stands" if one.rows == 1 else "stand"
        rows = f"{counted(one.rows, 'row')} of the {_TOLD[one.part]} {stand} in {_WHERE[one.other]}, too"
        told.append(f"{rows}: {', '.join(ways)}.")
    if not told:
        return ()
    if plan.overlap == "keep":
        return (*told, "They stay, as the plan says; a score on what was trained on says nothing.")
    if moved:
        told.append(f"{counted(moved, 'row')} moved to the part that has {'it' if moved == 1 else 'them'}, too.")
    if dropped:
        why = ": the rest of their groups stays, or your own files have them" if plan.overlap == "move" else ""
        told.append(f"{counted(dropped, 'row')} {'was' if dropped == 1 else 'were'} left out{why}.")
    return tuple(told)
