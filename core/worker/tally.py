"""Counts what the tokenizer makes of rows, batch by batch, each as `encode` would tokenise it.

What the template writes around contents is taken from `frames` where that is sure, and texts are tokenised many at a
time (`texts`). A sample of the rows is held against `encode` itself; where one differs, the template writes every row
of that structure.
"""

from __future__ import annotations

import random
from array import array
from collections import Counter
from collections.abc import Iterable, Sequence, Sized
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from transformers import PreTrainedTokenizerBase

from tunesmith.core.meter import Meter
from tunesmith.core.proof import NAMED
from tunesmith.core.rows import Row
from tunesmith.core.worker.frames import Frame, Frames, Segment
from tunesmith.core.worker.texts import Texts, backend_of
from tunesmith.core.worker.tokenize import (
    answer_ids,
    beginning,
    control_marks,
    encode,
    is_marked,
    neutralised,
    special_ids,
    texts_of,
    token_ids,
)
from tunesmith.core.worker.words import Words

BATCH = 4096
"""Rows that are tokenised at a time."""
COMPARED_FIRST = 8
"""Rows of each structure of turns that are held against `encode`, and after them one in COMPARED_LATER."""
COMPARED_LATER = 1000
PICTURES = 3
"""Rows that are kept for pictures."""
LONG = 100_000
"""Characters above which a row is neither compared nor pictured: with 10 MB each time takes a minute and gigabytes."""


class Restart(Exception):
    """Rows that were counted before were counted wrongly."""


@dataclass
class Tallied:
    """What was counted of some rows, in their order."""

    prompts: array[int] = field(default_factory=lambda: array("q"))
    """Tokens of each row's prompt."""
    answers: array[int] = field(default_factory=lambda: array("q"))
    """Tokens of each row's answer, its end mark among them."""
    ends: array[int] = field(default_factory=lambda: array("q"))
    """The last token of each row's answer."""
    exact: bool = True
    """Whether every row was counted as it is trained on."""
    marked: int = 0
    """Rows in whose own text a control mark of the model stands."""
    marked_ids: list[str] = field(default_factory=list)
    lost: int = 0
    """Rows that are cut before their answer begins."""
    lost_ids: list[str] = field(default_factory=list)
    first: list[Row] = field(default_factory=list)
    """The first rows, for pictures."""
    long: Row | None = None
    """What is pictured where every row is long."""
    first_cut: Row | None = None

    def add(self, later: Tallied) -> None:
        """What was counted of the rows that come after these."""
        for own, more in zip(self._lengths(), later._lengths(), strict=True):
            own.extend(more)
        self.exact = self.exact and later.exact
        self.marked += later.marked
        self.marked_ids = [*self.marked_ids, *later.marked_ids][:NAMED]
        self.lost += later.lost
        self.lost_ids = [*self.lost_ids, *later.lost_ids][:NAMED]
        self.first = [*self.first, *later.first][:PICTURES]
        self.long, self.first_cut = self.long or later.long, self.first_cut or later.first_cut

    def _lengths(self) -> tuple[array[int], array[int], array[int]]:
        return self.prompts, self.answers, self.ends


@dataclass(frozen=True)
class _Form:
    """A frame with everything about its constant pieces found out."""

    frame: Frame
    constant: int
    """Tokens of the constant pieces that prompt and whole chat share."""
    varying: tuple[Segment, ...]
    """The shared pieces that hold contents."""
    prompt: list[int] | None
    """The tokens that end the prompt, where they are constant."""
    answer: Segment | None
    """The piece that holds the answer, where it is the first that is not shared, and the only one with a content."""
    tail: int
    """Tokens behind the answer's piece, up to the mark that ends the answer."""
    end: int
    """That mark; -1 where none is written behind the answer."""
    around: tuple[tuple[str, int, str], ...] = ()
    """The pieces with contents as (before, content, behind), where none holds more than one."""


Length = tuple[int, int, int]
"""Of one row: tokens of its prompt and of its answer, and the last token of its answer."""


@dataclass
class _Lot:
    """A batch of rows on its way."""

    rows: list[Row]
    roles: list[tuple[str, ...]]
    texts: Texts
    plans: list[Any]
    """For each row what puts its tokens together: None for plain text, else its Texts, or (form, pieces)."""


class Tally:
    """Counts rows batch by batch."""

    def __init__(
        self,
        tokenizer: PreTrainedTokenizerBase,
        frames: Frames,
        words: Words | None,
        max_length: int | None,
        *,
        may_restart: bool,
    ) -> None:
        self.tokenizer, self.frames, self.max_length = tokenizer, frames, max_length
        self.may_restart = may_restart
        self.told = Tallied()
        self.special, self.marks = special_ids(tokenizer), control_marks(tokenizer)
        self.backend = backend_of(tokenizer)
        self.words = words
        self.remembered: dict[str, list[int]] = {}
        self.forms: dict[int, _Form] = {}
        self.before, self.eos = beginning(tokenizer), int(tokenizer.eos_token_id)
        self.structures: Counter[tuple[str, ...]] = Counter()
        self.random = random.Random(0)

    def add_all(self, rows: Iterable[Row], meter: Meter) -> None:
        """Count all of them. Raises Restart where earlier rows must be counted again."""
        total = len(rows) if isinstance(rows, Sized) else 0
        stream, done = iter(rows), 0
        meter("tokenising", 0, total)
        before: tuple[_Lot, Future[None]] | None = None
        with ThreadPoolExecutor(1) as beside:  # one batch is tokenised, in Rust, while the next is written
            while before is not None or done == 0:
                batch = [self._clean(row) for row in islice(stream, BATCH)]
                now = None
                if batch:
                    lot = self._planned(batch)
                    now = lot, beside.submit(lot.texts.tokenise, self.backend)
                if before is not None:
                    before[1].result()
                    self._add(before[0])
                    done += len(before[0].rows)
                    meter("tokenising", done, total)
                elif not batch:
                    break
                before = now

    def _clean(self, row: Row) -> Row:
        """The row as it will be trained: marks of the model in its text are counted, and broken up."""
        if not is_marked(row, self.marks):
            return row
        self.told.marked += 1
        if len(self.told.marked_ids) < NAMED:
            self.told.marked_ids.append(row.id)
        return neutralised(row, self.marks)

    def _add(self, lot: _Lot) -> None:
        lengths = self._finished(lot)
        while wrong := self._compare(lot, lengths):
            if lot.texts.words is not None:  # words or frames: without the words it shows
                self.words, earlier = None, bool(self.told.prompts)
            else:
                for roles in wrong:
                    self.frames.give_up(roles)
                earlier = any(self.structures[roles] for roles in wrong)
            if earlier and self.may_restart:
                raise Restart
            self.told.exact = self.told.exact and not earlier
            lot = self._planned(lot.rows)
            lot.texts.tokenise(self.backend)
            lengths = self._finished(lot)
        lot.texts.remember()
        self.structures.update(lot.roles)
        told = self.told
        for column, values in zip((told.prompts, told.answers, told.ends), zip(*lengths, strict=True), strict=True):
            column.extend(values)
        if len(told.first) < PICTURES:
            told.first += [row for row in lot.rows if _size(row) <= LONG][: PICTURES - len(told.first)]
            told.long = told.long or lot.rows[0]
        if self.max_length is not None:
            self._see_cut(lot.rows, lengths, self.max_length)

    def _see_cut(self, rows: Sequence[Row], lengths: Sequence[Length], longest: int) -> None:
        for row, (prompt, answer, _) in zip(rows, lengths, strict=True):
            if prompt + answer > longest:
                if self.told.first_cut is None and _size(row) <= LONG:
                    self.told.first_cut = row
                if prompt >= longest:
                    self.told.lost += 1
                    if len(self.told.lost_ids) < NAMED:
                        self.told.lost_ids.append(row.id)

    def _compare(self, lot: _Lot, lengths: Sequence[Length]) -> list[tuple[str, ...]]:
        """The structures of which a row of the sample is not what `encode` makes of it.

        The longest row of each batch is always in the sample, since a template may shorten.
        """
        seen: Counter[tuple[str, ...]] = Counter()
        wrong: list[tuple[str, ...]] = []
        short = {number for number, row in enumerate(lot.rows) if _size(row) <= LONG}
        longest = max(short, key=lambda number: lengths[number][0] + lengths[number][1], default=-1)
        rows = zip(lot.rows, lot.roles, lot.plans, lengths, strict=True)
        for number, (row, roles, plan, length) in enumerate(rows):
            if not isinstance(plan, tuple) and lot.texts.words is None:
                continue  # written by the template itself, and tokenised whole
            if number not in short:
                continue
            seen[roles] += 1
            early = self.structures[roles] + seen[roles] <= COMPARED_FIRST
            drawn = early or number == longest or self.random.random() * COMPARED_LATER < 1
            if drawn and roles not in wrong:
                true = encode(self.tokenizer, row)
                if (true.prompt_tokens, true.trained_tokens, true.input_ids[-1]) != length:
                    wrong.append(roles)
        return wrong

    def _planned(self, rows: list[Row]) -> _Lot:
        texts = Texts(self.remembered, self.words)
        roles = [self.frames.roles(row) for row in rows]
        plans = [self._plan(row, of, texts) for row, of in zip(rows, roles, strict=True)]
        return _Lot(rows, roles, texts, plans)

    def _plan(self, row: Row, roles: tuple[str, ...], texts: Texts) -> Any:
        if not row.prompt:
            texts.ask(row.answer)
            return None
        frame = self.frames.of(row, roles)
        if frame is None:
            written = texts_of(self.tokenizer, row)
            texts.ask(written.prompt)
            texts.ask(written.whole)
            return written
        form = self.forms.get(id(frame)) or self._form(frame)
        contents = [*[turn.content for turn in row.prompt], row.answer]
        if form.around:
            pieces = [before + contents[number] + behind for before, number, behind in form.around]
        elif form.answer is not None:
            pieces = _filled((*form.varying, form.answer), contents)
        else:
            pieces = _filled((*form.varying, *frame.prompt, *frame.whole), contents)
        for piece in pieces:
            texts.ask(piece)
        return form, pieces

    def _form(self, frame: Frame) -> _Form:
        def ids(segments: Sequence[Segment]) -> list[int]:
            texts = ["".join([str(part) for part in segment]) for segment in segments]
            return [id_ for one in self.backend.encode_batch_fast(texts, add_special_tokens=False) for id_ in one.ids]

        constant = len(ids([segment for segment in frame.shared if _is_constant(segment)]))
        varying = tuple(segment for segment in frame.shared if not _is_constant(segment))
        form = _Form(frame, constant, varying, None, None, 0, -1)
        behind = frame.whole[1:]
        if all(map(_is_constant, frame.prompt)) and frame.whole and all(map(_is_constant, behind)):
            after = ids(behind)
            last = max((index for index, token in enumerate(after) if token in self.special), default=-1)
            end = after[last] if last >= 0 else -1
            around = tuple(map(_around, (*varying, frame.whole[0])))
            simple = tuple([one for one in around if one is not None])
            around = simple if len(simple) == len(around) else ()
            form = _Form(frame, constant, varying, ids(frame.prompt), frame.whole[0], last + 1, end, around)
        self.forms[id(frame)] = form
        return form

    def _finished(self, lot: _Lot) -> list[Length]:
        texts = lot.texts
        return [self._length(row, plan, texts) for row, plan in zip(lot.rows, lot.plans, strict=True)]

    def _length(self, row: Row, plan: Any, texts: Texts) -> Length:
        if plan is None:
            return len(self.before), texts.length(row.answer) + 1, self.eos
        if not isinstance(plan, tuple):
            ids = texts.ids(plan.prompt)
            answer = answer_ids(self.tokenizer, row, plan, ids, texts.ids(plan.whole))
            return len(ids), len(answer), answer[-1]
        form, pieces = plan
        prompt, shared = form.constant, len(form.varying)
        for piece in pieces[:shared]:
            prompt += texts.length(piece)
        if form.answer is None:
            middle = shared + len(form.frame.prompt)
            return self._of(row, prompt, _together(texts, pieces[shared:middle]), _together(texts, pieces[middle:]))
        begins = len(form.prompt)
        if form.end < 0:
            return self._of(row, prompt, form.prompt, texts.ids(pieces[-1]))
        if texts.begins_with(pieces[-1], form.prompt):
            return prompt + begins, texts.length(pieces[-1]) - begins + form.tail, form.end
        return prompt + begins, self._bare(row) + 1, self.eos

    def _of(self, row: Row, before: int, prompt: list[int], whole: list[int]) -> Length:
        """The same as `tokenize.answer_ids`, of what follows on `before` tokens that prompt and whole chat share."""
        if whole[: len(prompt)] != prompt:
            return before + len(prompt), self._bare(row) + 1, self.eos
        for index in range(len(whole) - 1, len(prompt) - 1, -1):
            if whole[index] in self.special:
                return before + len(prompt), index + 1 - len(prompt), whole[index]
        return before + len(prompt), len(whole) - len(prompt) + 1, self.eos

    def _bare(self, row: Row) -> int:
        return len(token_ids(self.tokenizer, row.answer))


def _size(row: Row) -> int:
    """How long its texts are."""
    return len(row.answer) + sum([len(turn.content) for turn in row.prompt])


def _filled(segments: Sequence[Segment], contents: Sequence[str]) -> list[str]:
    return ["".join([part if isinstance(part, str) else contents[part] for part in segment]) for segment in segments]


def _is_constant(segment: Segment) -> bool:
    return all(isinstance(part, str) for part in segment)


def _around(segment: Segment) -> tuple[str, int, str] | None:
    numbers = [part for part in segment if isinstance(part, int)]
    if len(numbers) != 1:
        return None
    place = segment.index(numbers[0])
    before, behind = (map(str, segment[:place]), map(str, segment[place + 1 :]))
    return "".join(before), numbers[0], "".join(behind)


def _together(texts: Texts, pieces: Sequence[str]) -> list[int]:
    if len(pieces) == 1:
        return texts.ids(pieces[0])
    return [id_ for piece in pieces for id_ in texts.ids(piece)]
