"""The one way from a file to rows: for the screen that shows them beforehand and for the job that trains on them.

What is made is kept in the cache, keyed by what was read and by the recipe, so that the same is never made twice.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from array import array
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from tunesmith.core.errors import DataError
from tunesmith.core.meter import Meter, silent
from tunesmith.core.plan import Prepare
from tunesmith.core.prepare import repair
from tunesmith.core.prepare.account import Account, StepCount
from tunesmith.core.prepare.cells import cell, counted, shown
from tunesmith.core.prepare.make import STEP, RowMaker, summary_of, unseen_answers
from tunesmith.core.prepare.overlap import Overlap, find_overlap
from tunesmith.core.prepare.prepared import REJECTED, SET_ASIDE, AsideLine, Note, Prepared, RejectedLine
from tunesmith.core.prepare.read.cache import cache_root, unused_removed
from tunesmith.core.prepare.read.load import read_records
from tunesmith.core.prepare.records import Record, Records, name_of
from tunesmith.core.prepare.roles import answer_columns, prompt_columns, used_columns
from tunesmith.core.prepare.shape import check_columns
from tunesmith.core.prepare.split import assign, group_value, place_of
from tunesmith.core.rows import SPLITS, Row, Split
from tunesmith.core.run import write_json

RECIPE_VERSION = 1
"""Of what this module makes of a recipe; another one makes everything anew."""

ACCOUNT = "account.json"
ROWS_A_STEP = 4096
"""Rows between two words to the meter."""


def prepare_rows(prepare: Prepare, base: Path | None = None, meter: Meter = silent) -> Prepared:
    """Read the file, mend it, make the rows and split them, all as the plan says.

    Args:
        prepare: The plan's section.
        base: The folder that relative paths start from: the plan's.
        meter: Told how far it is.

    Raises:
        DataError: The file can't be read or lacks a column that the plan names, no row can be made, or a part of
            the split would be empty.
        AccessError: The file system refuses to let it be read, or the cache to be written.
        PlanError: A question names a column that does not exist, or a repair lacks what it needs.
        Cancelled: The meter says so.
    """
    records = read_records(prepare.data, base, query=prepare.query, part=prepare.part, meter=meter)
    check_columns(_named(prepare), records.columns)
    others = {name: _fingerprint(name, base, meter) for name in (prepare.split.test_file, *prepare.split.compare) if name}
    folder = cache_root() / "prepared" / _key(records, prepare, others)
    kept = _kept(folder)
    if kept is None:
        _make_anew(folder, records, prepare, base, meter)
        kept = _kept(folder)
        assert kept is not None, "it was just made"
    notes = _changed(records, prepare) + kept.notes
    return Prepared(folder, kept.account, notes)


class Kept(msgspec.Struct, frozen=True):
    """What account.json holds."""

    account: Account
    notes: list[Note]


def _key(records: Records, prepare: Prepare, others: dict[str, str]) -> str:
    """What decides the rows: what was read, and the recipe; where the data is from and its licence do not."""
    recipe = prepare.model_dump(mode="json", exclude={"data", "source", "licence", "fingerprint"})
    said = {"version": RECIPE_VERSION, "read": records.fingerprint, "recipe": recipe, "others": others}
    return hashlib.sha256(msgspec.json.encode(said, order="sorted")).hexdigest()[:32]


def _fingerprint(source: str, base: Path | None, meter: Meter) -> str:
    return read_records(source, base, meter=meter).fingerprint


def _kept(folder: Path) -> Kept | None:
    """What is in the cache already; None where nothing is, or where it is damaged."""
    try:
        kept = msgspec.json.decode((folder / ACCOUNT).read_bytes(), type=Kept)
        os.utime(folder)
    except (OSError, msgspec.DecodeError):
        return None
    there = all((folder / f"{split}.jsonl").is_file() for split in SPLITS) and (folder / SET_ASIDE).is_file()
    return kept if there else None


def _make_anew(folder: Path, records: Records, prepare: Prepare, base: Path | None, meter: Meter) -> None:
    """Make the set beside its place in the cache, and move it there whole."""
    folder.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    unused_removed(folder.parent)
    work = Path(tempfile.mkdtemp(prefix=".making-", dir=folder.parent))
    try:
        kept = _Making(work, records, prepare, base, meter).run()
        write_json(work / ACCOUNT, kept)
        if folder.exists():  # damaged, or made by another process in the meantime
            shutil.rmtree(folder, ignore_errors=True)
        try:
            work.rename(folder)
        except OSError:
            if _kept(folder) is None:
                raise
    finally:
        shutil.rmtree(work, ignore_errors=True)


@dataclass
class _Rows:
    """What must be known of every row to split them: kept as arrays, the rows themselves lie in a file."""

    places: array[float] = field(default_factory=lambda: array("d"))
    labels: list[str] = field(default_factory=list)
    times: list[str] = field(default_factory=list)
    own: array[int] = field(default_factory=lambda: array("b"))
    """Whether a row comes from the person's own test file."""
    groups: int = 0
    """For the sentence about too few of them."""
    slices: dict[str, Counter[str]] = field(default_factory=dict)


class _Making:
    """One set in the making."""

    def __init__(self, folder: Path, records: Records, prepare: Prepare, base: Path | None, meter: Meter) -> None:
        self._folder, self._records, self._prepare = folder, records, prepare
        self._base, self._meter = base, meter
        self._notes: list[Note] = []
        self._steps: list[StepCount] = []
        self._rows = _Rows(slices={name: Counter() for name in prepare.slices})
        self._encoder = msgspec.json.Encoder()
        self._used = self._aside = 0

    def run(self) -> Kept:
        """Make everything; returns the account of it."""
        with (self._folder / SET_ASIDE).open("wb") as aside:
            self._aside_file = aside
            with (self._folder / "rows.jsonl").open("wb") as file:
                self._make(file, self._records, own=False)
                if self._prepare.split.test_file:
                    self._make(file, self._own_test(self._prepare.split.test_file), own=True)
            self._split()
        self._write_rejected()
        (self._folder / "rows.jsonl").unlink()
        parts = self._parts
        fingerprints = {split: _digest(self._folder / f"{split}.jsonl") for split in SPLITS}
        records = self._records
        account = Account(
            source=records.source,
            files=[str(path) for path in records.files] or [str(records.path)],
            fingerprint=records.fingerprint,
            format=records.format,
            read=len(records.rows),
            rejected=len(records.rejected),
            steps=self._steps,
            used=self._used,
            aside=self._aside,
            parts=parts,
            fingerprints=fingerprints,
            slices={name: dict(counts.most_common()) for name, counts in self._rows.slices.items()},
        )
        return Kept(account, self._notes)
