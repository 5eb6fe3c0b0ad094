"""Which part each row belongs to: train, validation or test, decided by a hash, so that it never moves.

Each group's value is hashed with the seed to a number from 0 to 1, its place; the lowest go to test, the next to
validation, the rest to train. A row added later therefore moves no other, and nobody stands in two parts. The price:
shares are met about, not exactly (with n groups and share p, give or take the square root of n p (1 - p)). Cutting
sorted hashes at quantiles would meet them exactly, and would move old rows at each addition.

What else a plan can ask for costs some of that:

- A number of rows instead of a share: the cut lies where that many rows are reached. Rows that are added lower it, so
  that an old row may leave the test for the validation or the training, and never comes into the test from there.
- Balance by label: each label is cut for itself, where its share is met. Rows that are added may move those next to a
  cut, of the same label, in either direction.
- By time: the newest are the test. Newer rows that are added move it on, as they should.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

from tunesmith.core.errors import DataError
from tunesmith.core.plan import Split as SplitPlan
from tunesmith.core.prepare.cells import counted, shown
from tunesmith.core.prepare.moments import moments
from tunesmith.core.rows import SPLITS, Row, Split

TRAIN, VALIDATION, TEST = range(3)
"""The codes of the parts, as `SPLITS` orders them."""

Codes = npt.NDArray[np.int8]
Places = npt.NDArray[np.float64]


def place_of(value: str, seed: int) -> float:
    """The place of a group's value, from 0 up to 1 without it: the same on every machine."""
    digest = hashlib.blake2b(f"{seed}\0{value}".encode(errors="surrogatepass"), digest_size=8).digest()
    # The largest 512 of 2**64 digests would round to 1.
    return min(int.from_bytes(digest, "big") / 2**64, math.nextafter(1.0, 0.0))


def group_value(row: Row) -> str:
    """What must not be divided: the group without regard to case and spacing, else the prompt (of plain text: it)."""
    if row.group:
        return " ".join(row.group.casefold().split())
    # Without instructions: those are the plan's, and another wording must not move a row.
    asked = [message for message in row.prompt if message.role not in ("system", "developer")]
    return "\0".join(f"{message.role}\0{message.content}" for message in asked) or row.answer


def assign(
    places: Places,
    plan: SplitPlan,
    *,
    labels: Sequence[str] | None = None,
    times: Sequence[str] | npt.NDArray[np.float64] | None = None,
) -> Codes:
    """The part of each row, as codes.

    Rows of equal places are a group and stay together: of 64-bit hashes those of two groups are equal by chance once
    in 10,000 data sets of a million groups.

    Args:
        places: `place_of(group_value(row), plan.seed)` of each row.
        plan: Shares or numbers of rows. With a test file of its own no row is for the test.
        labels: With `plan.stratify`: each row's label. A group of several labels counts as the one it has most often.
            A label with two groups or more is never missing from the test, nor from the training.
        times: With `plan.time`: each row's date as text, or what `moments` made of it. A group goes by its newest row;
            shares are of the rows with a date, and groups without any are trained on.

    Raises:
        DataError: A part that the plan wants would be empty.
        ValueError: The plan needs labels or times, and there are none.
    """
    if plan.stratify is not None and labels is None:
        raise ValueError("a plan that balances by label needs the labels")
    if plan.time is not None and times is None:
        raise ValueError("a plan that splits by time needs the times")
    values, group = np.unique(np.asarray(places, np.float64), return_inverse=True)
    sizes = np.bincount(group, minlength=len(values))
    if plan.stratify is not None and labels is not None:
        parts = _by_label(sizes, _labels(labels, group, len(values)), plan)
    elif plan.time is not None and times is not None:
        parts = _by_time(sizes, _newest(times, group, len(values)), plan)
    else:
        parts = _by_place(values, sizes, plan)
    _refuse_empty(parts, plan)
    return parts[group]


def split_rows(
    rows: Iterable[Row],
    plan: SplitPlan,
    labels: Sequence[str] | None = None,
    times: Sequence[str] | None = None,
) -> dict[Split, list[Row]]:
    """The rows of each part, in the order given; for data that fits into memory.

    Args:
        rows: The rows.
        plan: See `assign`.
        labels: See `assign`; where they are absent, a label is what the row's slices or record say.
        times: As `labels`.

    Raises:
        DataError: A part that the plan wants would be empty.
    """
    held = list(rows)
    labels = _told(held, plan.stratify) if labels is None else labels
    times = _told(held, plan.time) if times is None else times
    places = np.array([place_of(group_value(row), plan.seed) for row in held], np.float64)
    parts: dict[Split, list[Row]] = {name: [] for name in SPLITS}
    for row, code in zip(held, assign(places, plan, labels=labels, times=times).tolist(), strict=True):
        parts[SPLITS[code]].append(row)
    return parts


def _told(rows: Sequence[Row], column: str | None) -> list[str] | None:
    """What the rows themselves say of a column."""
    if column is None:
        return None
    return [row.slices.get(column) or row.record.get(column, "") for row in rows]


def _test_of(plan: SplitPlan) -> float:
    """The share or number of rows that is kept for the test of the data's own rows."""
    return 0.0 if plan.test_file is not None else plan.test


def _by_place(values: Places, sizes: npt.NDArray[np.int64], plan: SplitPlan) -> Codes:
    """Parts of groups by their places, which rise; nothing else is asked."""
    test = _test_of(plan)
    # The sum of two shares is taken first, as it always was: the cut must not move by a rounding.
    if test < 1 and plan.validation < 1:
        first = int(np.searchsorted(values, test))
        second = int(np.searchsorted(values, test + plan.validation))
        return _cut(len(values), first, second)
    first = int(np.searchsorted(values, test)) if test < 1 else _reach(sizes, test)
    if plan.validation >= 1:
        second = first + _reach(sizes[first:], plan.validation)
    else:
        upper = (test if test < 1 else float(values[first]) if first < len(values) else 1.0) + plan.validation
        second = max(first, int(np.searchsorted(values, upper)))
    return _cut(len(values), first, second)


def _cut(groups: int, first: int, second: int) -> Codes:
    """Codes of groups in an order of which the first are for the test, those up to the second for the validation."""
    parts = np.full(groups, TRAIN, np.int8)
    parts[first:second] = VALIDATION
    parts[:first] = TEST
    return parts


def _reach(sizes: npt.NDArray[np.int64], rows: float, least: int = 1) -> int:
    """How many groups from the start have about `rows` rows together: the nearest number, and at least `least`."""
    if not len(sizes):
        return 0
    sums = np.cumsum(sizes)
    over = min(int(np.searchsorted(sums, rows)), len(sizes) - 1)
    below = sums[over - 1] if over else 0
    count = over + 1 if sums[over] - rows < rows - below else over
    return min(max(count, least), len(sizes))


def _labels(labels: Sequence[str], group: npt.NDArray[np.int64], groups: int) -> npt.NDArray[np.int64]:
    """The label of each group, as the rank of its text: the one that most of its rows have, of as many the first."""
    plain = [" ".join(label.casefold().split()) for label in labels]
    ranks = {label: rank for rank, label in enumerate(sorted(set(plain)))}
    codes = np.fromiter((ranks[label] for label in plain), np.int64, len(plain))
    pairs, counts = np.unique(group * len(ranks) + codes, return_counts=True)
    owner, label = np.divmod(pairs, max(1, len(ranks)))
    order = np.lexsort((label, -counts, owner))
    found = np.zeros(groups, np.int64)
    owners, first = np.unique(owner[order], return_index=True)
    found[owners] = label[order][first]
    return found


def _by_label(sizes: npt.NDArray[np.int64], labels: npt.NDArray[np.int64], plan: SplitPlan) -> Codes:
    """Parts of groups, in the order of their places, so that each label is divided alike."""
    rows = int(sizes.sum())
    test, validation = (size / max(1, rows) if size >= 1 else size for size in (_test_of(plan), plan.validation))
    parts = np.full(len(sizes), TRAIN, np.int8)
    order = np.argsort(labels, kind="stable")
    bounds = np.flatnonzero(np.diff(labels[order])) + 1
    short = 0.0  # what rounding took from the validation of the labels before: rare ones would never give any
    for members in np.split(order, bounds):
        own = sizes[members]
        most = len(members) - 1  # one group is left to train on
        first = min(_reach(own, test * own.sum(), least=1), most) if test > 0 else 0
        wanted = validation * own.sum() + short
        second = min(_reach(own[first:], wanted, least=0), most - first) if validation > 0 and most > first else 0
        short = min(max(wanted - float(own[first : first + second].sum()), -1.0), 1.0)
        parts[members] = _cut(len(members), first, first + second)
    return parts


def _newest(
    times: Sequence[str] | npt.NDArray[np.float64], group: npt.NDArray[np.int64], groups: int
) -> npt.NDArray[np.float64]:
    """When each group's newest row was; minus infinity where none has a date."""
    when = times if isinstance(times, np.ndarray) else moments(times)
    newest = np.full(groups, -np.inf)
    np.maximum.at(newest, group, np.where(np.isnan(when), -np.inf, when))
    return newest


def _by_time(sizes: npt.NDArray[np.int64], newest: npt.NDArray[np.float64], plan: SplitPlan) -> Codes:
    """Parts of groups, in the order of their places: the newest to test, those before them to validation.

    Of a moment at the cut, those of the lowest places are taken.
    """
    parts = np.full(len(sizes), TRAIN, np.int8)
    order = np.argsort(-newest, kind="stable")
    order = order[np.isfinite(newest[order])]
    own = sizes[order]
    rows = int(own.sum())
    test, validation = (size if size >= 1 else size * rows for size in (_test_of(plan), plan.validation))
    first = _reach(own, test) if test > 0 else 0
    second = _reach(own[first:], validation) if validation > 0 else 0
    parts[order] = _cut(len(order), first, first + second)
    return parts


_PURPOSE = {"train": "to train on", "validation": "to watch the training by", "test": "to score with"}


def _refuse_empty(parts: Codes, plan: SplitPlan) -> None:
    """Raise the error that says which part would be empty, and what helps; `parts` are those of the groups."""
    wanted = {"train": True, "validation": plan.validation > 0, "test": _test_of(plan) > 0}
    counts = np.bincount(parts, minlength=len(SPLITS))
    for name, count in zip(SPLITS, counts.tolist(), strict=True):
        if not wanted[name] or count:
            continue
        by = shown(plan.by or "")
        one, many = (f"different value of {by}", f"different values of {by}") if by else ("prompt", "prompts")
        step = "lower the share of the test (prepare.split.test)"
        if name != "train":
            step = f"raise the share of the {name} (prepare.split.{name})"
        if by:
            step = f"name another column or none for what must never be in two parts (prepare.split.by), {step}"
        last = "try another prepare.split.seed"
        if plan.time is not None:
            last = f"see that {shown(plan.time)} holds dates that can be read"
        elif plan.stratify is not None:
            last = f"see that the labels in {shown(plan.stratify)} stand in several rows each"
        raise DataError(
            f"There are too few rows to divide: of {counted(len(parts), one, many)} none is left for the part "
            f"{_PURPOSE[name]} ({name}).",
            cause=f"Rows with the same {by or 'prompt'} stay together in one part.",
            next_step=f"Add rows, {step}, or {last}.",
        )
