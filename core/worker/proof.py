"""Counts what the model's tokenizer makes of all rows, exactly and fast: the proof that Prepare gives before training.

Each row counts as `encode` tokenises it. What the template writes around contents is taken from `frames` where that is
sure, texts are tokenised many at a time on all cores, and a text that comes again (a system prompt) only once. A sample
of the rows is held against `encode` itself; where one differs, the template writes every row of that structure.

Measured on two cores (AMD EPYC), practice tokenizer, 100,000 rows of 194 tokens: 5.7 s, where tokenising every text
took 11.8 s. `benchmarks/prepare.py` measures it with everything else.
"""

from __future__ import annotations

import gc
import os
import random
from array import array
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence, Sized
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from heapq import nlargest
from itertools import chain, islice
from typing import Any

import msgspec
import numpy as np
from transformers import PreTrainedTokenizerBase

from tunesmith.core.errors import DataError
from tunesmith.core.lengths import profile_of
from tunesmith.core.meter import Meter, silent
from tunesmith.core.proof import NAMED, Picture, Proof
from tunesmith.core.rows import Row
from tunesmith.core.worker.frames import Frame, Frames, Segment
from tunesmith.core.worker.tokenize import (
    answer_ids,
    beginning,
    control_marks,
    encode,
    is_marked,
    neutralised,
    rendered_pieces,
    special_ids,
    texts_of,
    token_ids,
)
from tunesmith.core.worker.words import Fresh, Words, cut_at_spaces, words_of

BATCH = 4096
"""Rows that are tokenised at a time."""
COMPARED_FIRST = 8
"""Rows of each structure of turns that are held against `encode`, and after them one in COMPARED_LATER."""
COMPARED_LATER = 1000
REMEMBERED = 20_000
"""Texts whose tokens are remembered, of those that came twice."""
PICTURES = 3
LONG = 100_000
"""Characters above which a row is neither compared nor pictured: with 10 MB each time takes a minute and gigabytes."""


class _Restart(Exception):
    """Rows that were counted before were counted wrongly."""


def count(
    tokenizer: PreTrainedTokenizerBase,
    rows: Iterable[Row],
    max_length: int | None,
    meter: Meter = silent,
    most: int | None = None,
) -> Proof:
    """What the tokenizer makes of `rows`, each counted as `encode` would tokenise it.

    Args:
        rows: At least one. Best a list, or something else that can be gone through again.
        max_length: The sequence length in tokens that rows are cut at; None for none.
        meter: Called about once a batch; may raise to stop.
        most: For a quick look: of more rows than these, a sample of so many is counted, and the longest of the others.
            It needs rows that have a length and can be gone through again.

    Raises:
        DataError: There is no row.
        ModelError: The chat template can't write a row.
    """
    frames = Frames(tokenizer)
    again = iter(rows) is not rows
    if most is not None and again and isinstance(rows, Sized) and len(rows) > most:
        sample = _Drawn(rows, len(rows), most, meter)
        return msgspec.structs.replace(count(tokenizer, sample, max_length, meter), rows=len(rows))
    with _all_cores(), _older_objects_left_alone():
        words = words_of(tokenizer, _backend(tokenizer))
        while True:
            tally = _Tally(tokenizer, frames, words, max_length, may_restart=again)
            try:
                tally.add_all(rows, meter)
            except _Restart:  # without words, or with the structure that differed written by the template, so this ends
                words = tally.words
                continue
            return tally.proof()


class _Drawn:
    """Rows drawn from many, and a thousandth as many of the longest: so few hardly move what 99 % of the rows have."""

    def __init__(self, rows: Iterable[Row], total: int, most: int, meter: Meter) -> None:
        self._rows = rows
        self._chosen = set(random.Random(0).sample(range(total), most))
        self._chosen.update(
            nlargest(max(1, most // 1000), range(total), key=_characters(rows, total, meter).__getitem__)
        )

    def __len__(self) -> int:
        return len(self._chosen)

    def __iter__(self) -> Iterator[Row]:
        return (row for number, row in enumerate(self._rows) if number in self._chosen)


def _size(row: Row) -> int:
    """How long its texts are."""
    return len(row.answer) + sum([len(turn.content) for turn in row.prompt])


def _characters(rows: Iterable[Row], total: int, meter: Meter) -> array[int]:
    lengths = array("q")
    for row in rows:
        lengths.append(_size(row))
        if len(lengths) % BATCH == 0:
            meter("measuring rows", len(lengths), total)
    return lengths


@contextmanager
def _all_cores() -> Iterator[None]:
    """The tokenizers library on all cores: jobs switch that off, since a trainer's data loaders fork."""
    name = "TOKENIZERS_PARALLELISM"
    before = os.environ.get(name)
    os.environ[name] = "true"
    try:
        yield
    finally:
        if before is None:
            del os.environ[name]
        else:
            os.environ[name] = before


@contextmanager
def _older_objects_left_alone() -> Iterator[None]:
    """The garbage collector looks at what is made meanwhile only: going through all of the libraries' objects again and
    again took a third of the time (8.1 s instead of 5.7 for 100,000 rows).
    """
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


@dataclass
class _Texts:
    """Texts to tokenise together, each once."""

    remembered: dict[str, list[int]]
    """Tokens of texts that come again and again, such as a system prompt."""
    words: Words | None
    """Where texts may be put together from their words."""
    place: dict[str, int] = field(default_factory=dict)
    again: set[str] = field(default_factory=set)
    found: list[Any] = field(default_factory=list)
    known: dict[str, list[Sequence[int]]] = field(default_factory=dict)
    """The tokens of texts of which every word is known."""
    cut: dict[str, list[str]] = field(default_factory=dict)
    """The words of texts of which some are still to be learnt."""
    fresh: Fresh = field(default_factory=Fresh)

    def ask(self, text: str) -> None:
        """Have it tokenised with the others."""
        if text in self.remembered or text in self.known or text in self.cut:
            return
        if self.words is not None:
            cut = cut_at_spaces(text)
            try:
                self.known[text] = self.words.parts(cut)
                return
            except KeyError:
                if self.words.learns(cut, self.fresh):
                    self.cut[text] = cut
                    return
        if self.place.setdefault(text, len(self.place)) != len(self.place) - 1:
            self.again.add(text)

    def tokenise(self, backend: Any) -> None:
        """All that were asked for."""
        if self.words is not None:
            self.words.learn(self.fresh)
        self.found = backend.encode_batch_fast(list(self.place), add_special_tokens=False) if self.place else []

    def parts(self, text: str) -> list[Sequence[int]]:
        """Its tokens, in the parts that they were found in."""
        place = self.place.get(text)
        if place is not None:
            return [self.found[place].ids]
        if (known := self.known.get(text)) is not None:
            return known
        if self.words is not None and (cut := self.cut.get(text)):
            return self.words.parts(cut)
        return [self.remembered[text]]

    def ids(self, text: str) -> list[int]:
        """Its tokens."""
        return list(chain.from_iterable(self.parts(text)))

    def length(self, text: str) -> int:
        """Its tokens, counted."""
        place = self.place.get(text)  # counting what Rust holds is quicker than having it as a list
        return sum(map(len, self.parts(text))) if place is None else len(self.found[place])

    def remember(self) -> None:
        """Keep the tokens of those that came twice."""
        if len(self.remembered) < REMEMBERED:
            self.remembered.update({text: self.found[self.place[text]].ids for text in self.again})


class _Plain:
    """A tokenizer without a Rust backend, in the form that `_Texts` needs."""

    def __init__(self, tokenizer: PreTrainedTokenizerBase) -> None:
        self.tokenizer = tokenizer

    def encode_batch_fast(self, texts: list[str], add_special_tokens: bool) -> list[Any]:
        """Each text's tokens."""
        return [_Ids(self.tokenizer(text, add_special_tokens=add_special_tokens)["input_ids"]) for text in texts]


class _Ids:
    def __init__(self, ids: list[int]) -> None:
        self.ids = ids

    def __len__(self) -> int:
        return len(self.ids)


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
    texts: _Texts
    plans: list[Any]
    """For each row what puts its tokens together: None for plain text, else its Texts, or (form, pieces)."""


class _Tally:
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
        self.may_restart, self.exact = may_restart, True
        self.special, self.marks = special_ids(tokenizer), control_marks(tokenizer)
        self.backend = _backend(tokenizer)
        self.words = words
        self.remembered: dict[str, list[int]] = {}
        self.forms: dict[int, _Form] = {}
        self.before, self.eos = beginning(tokenizer), int(tokenizer.eos_token_id)
        self.prompts, self.answers, self.ends = array("q"), array("q"), array("q")
        self.structures: Counter[tuple[str, ...]] = Counter()
        self.random = random.Random(0)
        self.marked, self.marked_ids = 0, []  # type: tuple[int, list[str]]
        self.lost, self.lost_ids = 0, []  # type: tuple[int, list[str]]
        self.first: list[Row] = []
        self.long: Row | None = None
        """What is pictured where every row is long."""
        self.first_cut: Row | None = None

    def add_all(self, rows: Iterable[Row], meter: Meter) -> None:
        """Count all of them. Raises _Restart where earlier rows must be counted again."""
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
        self.marked += 1
        if len(self.marked_ids) < NAMED:
            self.marked_ids.append(row.id)
        return neutralised(row, self.marks)

    def _add(self, lot: _Lot) -> None:
        lengths = self._finished(lot)
        while wrong := self._compare(lot, lengths):
            if lot.texts.words is not None:  # words or frames: without the words it shows
                self.words, earlier = None, bool(self.prompts)
            else:
                for roles in wrong:
                    self.frames.give_up(roles)
                earlier = any(self.structures[roles] for roles in wrong)
            if earlier and self.may_restart:
                raise _Restart
            self.exact = self.exact and not earlier
            lot = self._planned(lot.rows)
            lot.texts.tokenise(self.backend)
            lengths = self._finished(lot)
        lot.texts.remember()
        self.structures.update(lot.roles)
        for column, values in zip((self.prompts, self.answers, self.ends), zip(*lengths, strict=True), strict=True):
            column.extend(values)
        if len(self.first) < PICTURES:
            self.first += [row for row in lot.rows if _size(row) <= LONG][: PICTURES - len(self.first)]
            self.long = self.long or lot.rows[0]
        if self.max_length is not None:
            self._see_cut(lot.rows, lengths, self.max_length)

    def _see_cut(self, rows: Sequence[Row], lengths: Sequence[Length], longest: int) -> None:
        for row, (prompt, answer, _) in zip(rows, lengths, strict=True):
            if prompt + answer > longest:
                if self.first_cut is None and _size(row) <= LONG:
                    self.first_cut = row
                if prompt >= longest:
                    self.lost += 1
                    if len(self.lost_ids) < NAMED:
                        self.lost_ids.append(row.id)

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
        texts = _Texts(self.remembered, self.words)
        roles = [self.frames.roles(row) for row in rows]
        plans = [self._plan(row, of, texts) for row, of in zip(rows, roles, strict=True)]
        return _Lot(rows, roles, texts, plans)

    def _plan(self, row: Row, roles: tuple[str, ...], texts: _Texts) -> Any:
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

    def _length(self, row: Row, plan: Any, texts: _Texts) -> Length:
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
        parts = texts.parts(pieces[-1])
        if list(islice(chain.from_iterable(parts), begins)) == form.prompt:
            return prompt + begins, sum(map(len, parts)) - begins + form.tail, form.end
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

    def proof(self) -> Proof:
        """Everything that was counted. Raises DataError where there was no row."""
        if not self.prompts:
            raise DataError("There is no row to tokenise.", next_step="Give more rows, or mend less away.")
        prompts, answers = np.frombuffer(self.prompts, np.int64), np.frombuffer(self.answers, np.int64)
        whole = prompts + answers
        most = whole.max() if self.max_length is None else self.max_length
        kept = np.minimum(whole, most)
        trained = np.maximum(kept - prompts, 0)
        ends, numbers = np.unique(np.frombuffer(self.ends, np.int64)[whole <= most], return_counts=True)
        pad = self.tokenizer.pad_token_id
        return Proof(
            profile=profile_of(prompts, answers),
            max_length=self.max_length,
            exact=self.exact,
            cut=int((whole > most).sum()),
            lost=self.lost,
            lost_ids=tuple(self.lost_ids),
            lost_need=int(whole[prompts >= most].max()) if self.lost else 0,
            tokens=int(kept.sum()),
            trained=int(trained.sum()),
            trained_least=int(trained.min()),
            trained_median=float(np.median(trained)),
            marked=self.marked,
            marked_ids=tuple(self.marked_ids),
            ends={self._token(int(end)): int(number) for end, number in zip(ends, numbers, strict=True)},
            end_mark=self._token(self.eos),
            pad_mark="" if pad is None else self._token(int(pad)),
            pad_is_end=pad == self.eos,
            pictures=tuple(self._picture(row) for row in self._shown()),
            rows=len(whole),
        )

    def _token(self, id_: int) -> str:
        return str(self.tokenizer.convert_ids_to_tokens(id_))

    def _shown(self) -> list[Row]:
        """The first rows, and one that is cut where there is one and it is none of them."""
        if self.first_cut is None or self.first_cut in self.first:
            return self.first or [row for row in (self.long,) if row is not None]
        return [*self.first[: PICTURES - 1], self.first_cut]

    def _picture(self, row: Row) -> Picture:
        tokens = len(encode(self.tokenizer, row).input_ids)
        encoded = encode(self.tokenizer, row, self.max_length)
        return Picture(row.id, rendered_pieces(self.tokenizer, encoded), tokens, len(encoded.input_ids))


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


def _together(texts: _Texts, pieces: Sequence[str]) -> list[int]:
    if len(pieces) == 1:
        return texts.ids(pieces[0])
    return [id_ for piece in pieces for id_ in texts.ids(piece)]


def _backend(tokenizer: PreTrainedTokenizerBase) -> Any:
    """The Rust tokenizer, set to cut and pad nothing as `encode` has it."""
    backend = getattr(tokenizer, "backend_tokenizer", None)
    if backend is None or not hasattr(backend, "encode_batch_fast"):
        return _Plain(tokenizer)
    backend.no_truncation()
    backend.no_padding()
    backend.encode_special_tokens = tokenizer.split_special_tokens
    return backend
