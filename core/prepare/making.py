"""One set in the making: records mended, made into rows, divided, written; and the account of it."""

from __future__ import annotations

import hashlib
import math
import shutil
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import partial
from itertools import chain, islice
from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt

from tunesmith.core.errors import DataError
from tunesmith.core.meter import Meter
from tunesmith.core.parallel import at_once, stretches
from tunesmith.core.plan import Prepare
from tunesmith.core.prepare.account import Account, OwnTest, StepCount
from tunesmith.core.prepare.cells import counted, shown
from tunesmith.core.prepare.compared import Text, joined_keys, text_of
from tunesmith.core.prepare.look.personal import PersonalData
from tunesmith.core.prepare.make import STEP, summary_of, unseen_answers
from tunesmith.core.prepare.moments import moments
from tunesmith.core.prepare.overlap import Overlap, find_overlap
from tunesmith.core.prepare.personal import mask
from tunesmith.core.prepare.prepared import REJECTED, SET_ASIDE, AsideLine, Note, RejectedLine
from tunesmith.core.prepare.read.load import read_records
from tunesmith.core.prepare.records import Records, Rejected, name_of
from tunesmith.core.prepare.repair.apply import Step, apply
from tunesmith.core.prepare.repair.view import View
from tunesmith.core.prepare.repair.words import PERSONAL, listed
from tunesmith.core.prepare.roles import answer_columns, compared_columns, prompt_columns, taken_twice, used_columns
from tunesmith.core.prepare.shape import check_columns
from tunesmith.core.prepare.split import Places, assign
from tunesmith.core.prepare.stretch import Stretch, aside_line, make_stretch
from tunesmith.core.rows import SPLITS, Row, RowFiles

Moments = npt.NDArray[np.float64]

ANSWERS = 0.95
"""The share of the answers whose length is told."""
TWINS = 3
"""Examples of rows in two parts that the account keeps."""
REJECTED_TOLD = 3
"""Rows that could not be read, of which line and reason are told."""
FEW_TO_TRAIN, FEW_TO_MEASURE = 50, 10
"""Rows of a part below which it is said that they are few."""


class Making:
    """One set in the making."""

    def __init__(self, folder: Path, records: Records, prepare: Prepare, base: Path | None, meter: Meter) -> None:
        self._folder, self._records, self._prepare = folder, records, prepare
        self._base, self._meter = base, meter
        self._notes: list[Note] = []
        self._steps: list[StepCount] = []
        self._stretches: list[Stretch] = []
        """All rows, in their order."""
        self._encoder = msgspec.json.Encoder()
        self._used = self._aside = 0
        self._own: OwnTest | None = None
        self._told_beside: list[str] = []
        self._rejected = [records]
        """Whose rejected rows are listed."""
        self._columns = used_columns(prepare.shape, prepare.columns, prepare.fields)

    def run(self) -> tuple[Account, list[Note]]:
        """Make everything; returns the account of it."""
        with (self._folder / SET_ASIDE).open("wb") as aside:
            self._aside_file = aside
            self._make(self._records, own=False)
            if self._prepare.split.test_file:
                self._make(self._own_test(self._prepare.split.test_file), own=True)
            self._split()
        self._write_rejected()
        for stretch in self._stretches:
            stretch.path.unlink()
        slices: dict[str, Counter[str]] = {name: Counter() for name in self._prepare.slices}
        for stretch in self._stretches:
            for name, counts in stretch.slices.items():
                slices[name].update(counts)
        parts = self._parts
        fingerprints: dict[str, str] = {split: _digest(self._folder / f"{split}.jsonl") for split in SPLITS}
        records = self._records
        account = Account(
            source=records.source,
            files=[],
            fingerprint=records.fingerprint,
            format=records.format,
            read=len(records.rows),
            rejected=len(records.rejected),
            steps=self._steps,
            used=self._used,
            aside=self._aside,
            parts=parts,
            fingerprints=fingerprints,
            slices={name: dict(counts.most_common()) for name, counts in slices.items()},
            own_test=self._own,
            beside=self._told_beside,
            answer_characters=self._answer_characters,
        )
        return account, self._notes

    def _make(self, records: Records, *, own: bool) -> None:
        """Mend the records and write the rows that they make; of the person's own test file only rows are counted."""
        prepare = self._prepare
        compared, background = compared_columns(prepare.shape, prepare.columns, self._columns)
        repaired = apply(
            records,
            prepare.repairs,
            used=self._columns,
            prompts=prompt_columns(prepare.shape, prepare.columns),
            answers=answer_columns(prepare.shape, prepare.columns),
            compared=compared,
            background=background,
            meter=self._meter,
        )
        view, folder, first = repaired.view, self._folder, len(self._stretches)
        made = at_once(
            [
                partial(make_stretch, view, some, prepare, folder, str(number), own)
                for number, some in enumerate(stretches(len(records.rows)), first)
            ],
            self._meter,
        )
        self._stretches += made
        used, unanswered = sum(one.used for one in made), sum(one.unanswered for one in made)
        reasons = sum((one.reasons for one in made), Counter[str]())
        for one in made:
            with one.aside.open("rb") as lines:
                shutil.copyfileobj(lines, self._aside_file)
            one.aside.unlink()
        for aside in repaired.aside():
            self._aside_file.write(aside_line(aside.record, aside.step, aside.why))
        if own:
            if not used:
                raise self._nothing(records, summary_of(reasons), repaired.steps)
            self._tell_own(records, used, sum(map(len, made)))
            return
        self._used, self._aside = used, len(records.rows) - used
        for step in repaired.steps:
            moved = step.before - step.after + step.changed
            self._notes.append(Note(step.text, "note" if moved else "ok", moved))
            self._steps.append(step.count)
        self._notes += [Note(text, "note") for text in records.notes]
        beside = self._beside(repaired.view, records.columns)
        self._told_beside = [note.text for note in beside]
        self._notes += beside
        self._tell_made(records, len(view), used, reasons, unanswered)
        if not used:
            raise self._nothing(records, summary_of(reasons) if reasons else "", repaired.steps)

    def _tell_own(self, records: Records, used: int, rows: int) -> None:
        """What became of the person's own test file."""
        aside, rejected = len(records.rows) - used, len(records.rejected)
        self._own = OwnTest(records.source, records.fingerprint, len(records.rows), rejected, aside, rows)
        self._rejected.append(records)
        text = f"Test: {counted(rows, 'row')} of your own file {shown(records.path.name)}"
        text += f"; {counted(aside, 'record')} of it set aside" if aside else ""
        text += f"; {counted(rejected, 'row')} of it could not be read" if rejected else ""
        self._notes += [Note(f"{text}.", "warning" if rejected else "note", rows)]
        self._notes += [Note(note, "note") for note in records.notes]

    def _beside(self, view: View, columns: Sequence[str]) -> list[Note]:
        """Personal data in the columns that rows are grouped and told apart by and that nothing else looks at."""
        split, slices = self._prepare.split, self._prepare.slices
        names = [name for name in dict.fromkeys((split.by, *slices)) if name is not None and name not in self._columns]
        if not names:
            return []
        look = PersonalData(names, columns)
        for batch in view.batches(names):
            look.see(batch)
        kinds: dict[str, list[str]] = {}
        for found in look.findings():
            kinds.setdefault(found.column, []).append(PERSONAL[found.kind.removeprefix("personal-")])
        notes = []
        for name, some in kinds.items():
            holds = f"{shown(name)} holds {listed(some, most=len(some))}"
            if name in slices:
                text = f"{holds}, which go with each row and into the scores; a repair of this column masks them."
                notes.append(Note(text, "warning"))
            else:
                notes.append(Note(f"{holds}; in the rows a code of 12 characters stands for each value.", "note"))
        return notes

    def _tell_made(self, records: Records, before: int, used: int, reasons: Counter[str], unanswered: int) -> None:
        """What became of the records that were left after the repairs."""
        why = summary_of(reasons)
        self._steps.append(StepCount(STEP, "", before, used, 0, why))
        if records.rejected:
            first = [_told(one) for one in islice(records.rejected, REJECTED_TOLD)]
            more = " and more" if len(records.rejected) > REJECTED_TOLD else ""
            text = f"{counted(len(records.rejected), 'row')} of the file could not be read ({'; '.join(first)}{more}). "
            text += "`tunesmith prepare --out` writes them into rejected.jsonl."
            self._notes.insert(0, Note(text, "warning", len(records.rejected)))
        twice = taken_twice(self._prepare.columns)
        if twice:
            self._notes.insert(0, Note(twice, "warning"))
        if reasons:
            self._notes.append(Note(why, "warning", sum(reasons.values())))
        if unanswered:
            left = f"{counted(unanswered, 'question')} left out, because the record lacks a value."
            self._notes.append(Note(left, "note", unanswered))
        if self._prepare.shape == "table":
            self._notes += [Note(_by_heart(template.ask), "warning") for template in unseen_answers(self._prepare)]

    def _nothing(self, records: Records, why: str, steps: Sequence[Step]) -> DataError:
        """What is said where no row is left: the repair that set most of them aside, else why no row could be made."""
        look = "See that the columns hold what they are taken for (in a plan: prepare.columns), and look at the file."
        worst = max(steps, key=lambda step: len(step.aside), default=None)
        if worst is not None and 2 * len(worst.aside) > len(records.rows):
            column = shown(worst.repair.column or "")
            name = f"repair of {column}" if column else f"repair {worst.repair.kind}"
            why = f"The {name} set {len(worst.aside):,} of {counted(worst.before, 'record')} aside. {why}".strip()
            look = "Choose something else for what was found there, or leave it as it is (in a plan: prepare.repairs)."
        return DataError(
            f"No row can be made of {name_of(records.path)}.",
            cause=why or "The repairs set all rows aside.",
            next_step=look,
            file=records.path,
        )

    def _own_test(self, source: str) -> Records:
        prepare = self._prepare
        records = read_records(source, self._base, meter=self._meter)
        check_columns(named_columns(prepare), records.columns)
        return records

    def _split(self) -> None:
        """Decide each row's part, take out what stands in two, and deal the rows out."""
        plan, all_ = self._prepare.split, self._stretches
        places = np.concatenate([np.frombuffer(one.places, np.float64) for one in all_])
        ours = sum(len(one) for one in all_ if not one.own)
        self._meter("splitting", 0, 0)
        self._check_masks(places)
        codes = np.full(len(places), SPLITS.index("test"), np.int8)
        codes[:ours] = assign(
            places[:ours],
            plan,
            labels=[label for one in all_ if not one.own for label in one.labels] if plan.stratify else None,
            times=self._moments([time for one in all_ if not one.own for time in one.times]) if plan.time else None,
        )
        keys = joined_keys([one.keys for one in all_ if one.keys is not None])
        found = find_overlap(
            keys,
            codes,
            plan,
            groups=places,
            base=self._base,
            text_at=self._text,
            told_at=self._told_at,
            meter=self._meter,
        )
        touched = found.dropped + found.moved
        self._notes += [Note(text, "warning" if found.shared else "ok", touched) for text in found.text]
        left, told = int((found.parts >= 0).sum()), " ".join(found.text)
        self._steps.append(StepCount("overlap", "", len(codes), left, 0, told, self._twins(found)))
        answers = np.sort(np.concatenate([np.frombuffer(one.answers, np.uint64) for one in all_])[found.parts >= 0])
        self._answer_characters = int(answers[math.ceil(ANSWERS * len(answers)) - 1]) if len(answers) else 0
        self._deal(found)
        self._notes += [Note(text, "warning") for text in _few(self._parts)]

    def _check_masks(self, places: Places) -> None:
        """Refuse to split by what a repair has made all the same.

        Raises:
            DataError: Says which repair it is.
        """
        by = self._prepare.split.by
        masks = [one for one in self._prepare.repairs if one.kind == "mask-personal" and one.column in (None, by)]
        if by and masks and len(np.unique(places)) < 3:
            raise DataError(
                f"Masking has made all values of {shown(by)} the same, and the rows are split by it.",
                next_step="Take that repair out, or set prepare.split.by to another column or to none.",
            )

    def _moments(self, texts: list[str]) -> Moments:
        """When each row was; those that do not say are counted."""
        found = moments(texts)
        undated = int(np.isnan(found).sum())
        if undated:
            where = shown(self._prepare.split.time or "")
            text = f"{counted(undated, 'row')} without a date that can be read in {where}: they are trained on."
            self._notes.append(Note(text, "warning", undated))
        return found

    def _twins(self, found: Overlap) -> list[tuple[str, str, str]]:
        """The first examples of what stands in two parts: (which rows, the one's text, the other's)."""
        return [
            (f"{self._place(one.row)} and {self._place(one.other)}", one.text, one.other_text)
            for one in found.examples[:TWINS]
        ]

    def _place(self, number: int) -> str:
        stretch, at = self._at(number)
        id_ = stretch.row(at).id
        return f"row {id_[1:]} of your test file" if stretch.own else f"row {id_}"

    def _text(self, number: int) -> str:
        """A row's question and answer, for an example."""
        stretch, at = self._at(number)
        row = stretch.row(at)
        return " / ".join(part for part in (row.question or text_of(row).prompt, row.answer) if part)

    def _told_at(self, numbers: Sequence[int]) -> Iterator[Text]:
        """What some rows say; their numbers rise."""
        rows = RowFiles([(stretch.path, len(stretch)) for stretch in self._stretches])
        return map(text_of, rows.drawn(numbers))

    def _at(self, number: int) -> tuple[Stretch, int]:
        """The stretch that the `number`-th row of all is in, counted from 0, and which it is there."""
        for stretch in self._stretches:
            if number < len(stretch):
                return stretch, number
            number -= len(stretch)
        raise IndexError(number)

    def _deal(self, found: Overlap) -> None:
        """Copy each row's line into the file of its part."""
        files = {split: (self._folder / f"{split}.jsonl").open("wb") for split in SPLITS}
        parts: dict[str, int] = dict.fromkeys(SPLITS, 0)
        try:
            lines = chain.from_iterable(stretch.lines() for stretch in self._stretches)
            for line, code in zip(lines, found.parts.tolist(), strict=True):
                if code < 0:
                    self._drop(line)
                    continue
                files[SPLITS[code]].write(line)
                parts[SPLITS[code]] += 1
        finally:
            for file in files.values():
                file.close()
        self._parts = parts

    def _drop(self, line: bytes) -> None:
        """A row that another part has as well is set aside as the row that it is."""
        row = msgspec.json.decode(line, type=Row)
        values = {"id": row.id, "prompt": row.prompt[-1].content if row.prompt else "", "answer": row.answer}
        told = AsideLine(0, "overlap", "another part has it, too", values)
        self._aside_file.write(self._encoder.encode(told) + b"\n")

    def _write_rejected(self) -> None:
        with (self._folder / REJECTED).open("wb") as file:
            for one in (one for records in self._rejected for one in records.rejected):
                file.write(self._encoder.encode(RejectedLine(one.line, one.why, one.text, one.file)) + b"\n")


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"


def named_columns(prepare: Prepare) -> dict[str, str]:
    """Every column that the plan names outside question templates, by the place that names it."""
    named = {f"prepare.columns.{part}": column for part, column in prepare.columns.items()}
    if prepare.shape == "table":
        named |= {f"prepare.fields.{number}": column for number, column in enumerate(prepare.fields)}
    for number, one in enumerate(prepare.repairs):
        if one.column is not None:
            named[f"prepare.repairs.{number}.column"] = one.column
    named |= {f"prepare.slices.{number}": column for number, column in enumerate(prepare.slices)}
    for name in ("by", "stratify", "time"):
        column = getattr(prepare.split, name)
        if column is not None:
            named[f"prepare.split.{name}"] = column
    return named


def _by_heart(question: str) -> str:
    return f"The answer to {shown(question)!r} is in no column of prepare.fields: the context can't tell it."


def _told(rejected: Rejected) -> str:
    """Where something stands that is no row, and why it is none."""
    where = f"{shown(rejected.file)}, " if rejected.file else ""
    return f"{where}line {rejected.line:,}: {mask(shown(rejected.why, most=120))}"


def _few(parts: dict[str, int]) -> list[str]:
    """Parts with so few rows that nothing can be learnt from them, or told by them."""
    told = []
    if parts["train"] < FEW_TO_TRAIN:
        told.append(f"Only {counted(parts['train'], 'row')} to train on: a model hardly learns from so few. Add rows.")
    for part, what in (("validation", "watch the training by"), ("test", "score with")):
        if 0 < parts[part] < FEW_TO_MEASURE:
            told.append(f"Only {counted(parts[part], 'row')} to {what}: what so few say is mostly chance.")
    return told
