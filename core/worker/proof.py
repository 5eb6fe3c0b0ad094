"""Counts what the model's tokenizer makes of all rows, exactly and fast: the proof that Prepare gives before training.

Each row counts as `encode` tokenises it. What the template writes around contents is taken from `frames` where that is
sure, texts are tokenised many at a time on all cores, and a text that comes again (a system prompt) only once. A sample
of the rows is held against `encode` itself; where one differs, the template writes every row of that structure.
"""

from __future__ import annotations

import os
import random
from array import array
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence, Sized
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import numpy as np
from transformers import PreTrainedTokenizerBase

from tunesmith.core.errors import DataError
from tunesmith.core.lengths import profile_of, proposed_length
from tunesmith.core.prepare.meter import Meter, silent
from tunesmith.core.proof import NAMED, Picture, Proof
from tunesmith.core.rows import Row
from tunesmith.core.worker.frames import Frames, Segment
from tunesmith.core.worker.tokenize import (
    answer_ids,
    beginning,
    control_marks,
    encode,
    is_marked,
    rendered_pieces,
    special_ids,
    texts_of,
)

BATCH = 4096
"""Rows that are tokenised at a time."""
COMPARED_FIRST = 8
"""Rows of each structure of turns that are held against `encode`, and after them one in COMPARED_LATER."""
COMPARED_LATER = 1000
REMEMBERED = 20_000
"""Texts whose tokens are remembered, of those that came twice."""
PICTURES = 3


class _Restart(Exception):
    """Rows that were counted before were counted wrongly."""


def count(
    tokenizer: PreTrainedTokenizerBase, rows: Iterable[Row], max_length: int | None, meter: Meter = silent
) -> Proof:
    """What the tokenizer makes of `rows`, each counted as `encode` would tokenise it.

    Args:
        rows: At least one. Best a list, or something else that can be gone through again.
        max_length: The sequence length in tokens that rows are cut at; None for none.
        meter: Called about once a batch; may raise to stop.

    Raises:
        DataError: There is no row.
        ModelError: The chat template can't write a row.
    """
    frames = Frames(tokenizer)
    again = iter(rows) is not rows
    with _all_cores():
        while True:
            tally = _Tally(tokenizer, frames, max_length, may_restart=again)
            try:
                tally.add_all(rows, meter)
            except _Restart:  # the structure that differed is now written by the template, so this ends
                continue
            return tally.proof()


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


@dataclass
class _Texts:
    """Texts to tokenise together, each once."""

    backend: Any
    special: frozenset[int]
    remembered: dict[str, list[int]] = field(default_factory=dict)
    _place: dict[str, int] = field(default_factory=dict)
    _again: set[str] = field(default_factory=set)
    _ids: list[Any] = field(default_factory=list)

    def ask(self, text: str) -> None:
        """Have it tokenised with the others."""
        if text in self.remembered:
            return
        if text in self._place:
            self._again.add(text)
        else:
            self._place[text] = len(self._place)

    def tokenise(self) -> None:
        """All that were asked for."""
        self._ids = self.backend.encode_batch_fast(list(self._place), add_special_tokens=False) if self._place else []
        if len(self.remembered) < REMEMBERED:
            self.remembered.update({text: self._ids[self._place[text]].ids for text in self._again})

    def length(self, text: str) -> int:
        """Its tokens, counted."""
        known = self.remembered.get(text)
        return len(known if known is not None else self._ids[self._place[text]])

    def ids(self, text: str) -> list[int]:
        """Its tokens."""
        known = self.remembered.get(text)
        ids: list[int] = known if known is not None else self._ids[self._place[text]].ids
        return ids

    def forget(self) -> None:
        """Begin the next lot."""
        self._place, self._again, self._ids = {}, set(), []


@dataclass
class _Counted:
    """One row: tokens of its prompt and answer, and the last token of its answer."""

    prompt: int
    answer: int
    end: int


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


class _Tally:
    """Counts rows batch by batch."""

    def __init__(
        self, tokenizer: PreTrainedTokenizerBase, frames: Frames, max_length: int | None, *, may_restart: bool
    ) -> None:
        self.tokenizer, self.frames, self.max_length = tokenizer, frames, max_length
        self.may_restart, self.exact = may_restart, True
        self.special, self.marks = special_ids(tokenizer), control_marks(tokenizer)
        self.texts = _Texts(_backend(tokenizer), self.special)
        self.before, self.eos = beginning(tokenizer), int(tokenizer.eos_token_id)
        self.prompts, self.answers, self.ends = array("q"), array("q"), array("q")
        self.structures: Counter[tuple[str, ...]] = Counter()
        self.random = random.Random(0)
        self.marked, self.marked_ids = 0, []  # type: tuple[int, list[str]]
        self.lost, self.lost_ids = 0, []  # type: tuple[int, list[str]]
        self.first: list[Row] = []
        self.first_cut: Row | None = None

    def add_all(self, rows: Iterable[Row], meter: Meter) -> None:
        """Count all of them. Raises _Restart where earlier rows must be counted again."""
        total = len(rows) if isinstance(rows, Sized) else 0
        stream, done = iter(rows), 0
        meter("tokenising", 0, total)
        while batch := list(islice(stream, BATCH)):
            self._add(batch)
            done += len(batch)
            meter("tokenising", done, total)

    def _add(self, batch: list[Row]) -> None:
        counted = self._counted(batch)
        for wrong in self._compare(batch, counted):
            self.frames.give_up(wrong)
            if self.structures[wrong]:
                if self.may_restart:
                    raise _Restart
                self.exact = False
            counted = self._counted(batch)
        for row in batch:
            self.structures[self.frames.roles(row)] += 1
            if is_marked(row, self.marks):
                self.marked += 1
                if len(self.marked_ids) < NAMED:
                    self.marked_ids.append(row.id)
        self.prompts.extend([one.prompt for one in counted])
        self.answers.extend([one.answer for one in counted])
        self.ends.extend([one.end for one in counted])
        if len(self.first) < PICTURES:
            self.first += batch[: PICTURES - len(self.first)]
        if self.max_length is not None:
            self._see_cut(batch, counted, self.max_length)

    def _see_cut(self, batch: Sequence[Row], counted: Sequence[_Counted], longest: int) -> None:
        for row, one in zip(batch, counted, strict=True):
            if one.prompt + one.answer > longest:
                self.first_cut = self.first_cut or row
                if one.prompt >= longest:
                    self.lost += 1
                    if len(self.lost_ids) < NAMED:
                        self.lost_ids.append(row.id)

    def _compare(self, batch: Sequence[Row], counted: Sequence[_Counted]) -> list[tuple[str, ...]]:
        """The structures of which a row of the sample is not what `encode` makes of it."""
        seen: Counter[tuple[str, ...]] = Counter()
        wrong = []
        for row, one in zip(batch, counted, strict=True):
            roles = self.frames.roles(row)
            seen[roles] += 1
            early = self.structures[roles] + seen[roles] <= COMPARED_FIRST
            if (early or self.random.random() * COMPARED_LATER < 1) and roles not in wrong and self.frames.of(row):
                true = encode(self.tokenizer, row)
                if (true.prompt_tokens, true.trained_tokens, true.input_ids[-1]) != (one.prompt, one.answer, one.end):
                    wrong.append(roles)
        return wrong

    def _counted(self, batch: Sequence[Row]) -> list[_Counted]:
        texts = self.texts
        texts.forget()
        plans = [self._planned(row) for row in batch]
        texts.tokenise()
        return [self._finished(row, plan) for row, plan in zip(batch, plans, strict=True)]

    def _planned(self, row: Row) -> Any:
        """Ask for the texts of a row; returns what `_finished` needs to put their tokens together."""
        if not row.prompt:
            self.texts.ask(row.answer)
            return None
        frame = self.frames.of(row)
        if frame is None:
            written = texts_of(self.tokenizer, row)
            self.texts.ask(written.prompt)
            self.texts.ask(written.whole)
            return written
        contents = [*[turn.content for turn in row.prompt], row.answer]
        filled = tuple([_filled(segments, contents) for segments in (frame.shared, frame.prompt, frame.whole)])
        for part in filled:
            for text in part:
                self.texts.ask(text)
        return filled

    def _finished(self, row: Row, plan: Any) -> _Counted:
        texts = self.texts
        if plan is None:
            return _Counted(len(self.before), texts.length(row.answer) + 1, self.eos)
        if not isinstance(plan, tuple):
            prompt = texts.ids(plan.prompt)
            answer = answer_ids(self.tokenizer, row, plan, prompt, texts.ids(plan.whole))
            return _Counted(len(prompt), len(answer), answer[-1])
        shared, asked, rest = plan
        before = sum([texts.length(text) for text in shared])
        prompt = _together(texts, asked)
        whole = _together(texts, rest)
        if whole[: len(prompt)] == prompt:
            for index in range(len(whole) - 1, len(prompt) - 1, -1):
                if whole[index] in self.special:
                    return _Counted(before + len(prompt), index + 1 - len(prompt), whole[index])
            return _Counted(before + len(prompt), len(whole) - len(prompt) + 1, self.eos)
        answer_length = len(self.tokenizer(row.answer, add_special_tokens=False)["input_ids"])
        return _Counted(before + len(prompt), answer_length + 1, self.eos)

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
        proposal, because = proposed_length(whole)
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
            proposal=proposal,
            proposal_because=because,
            pictures=tuple(self._picture(row) for row in self._shown()),
        )

    def _token(self, id_: int) -> str:
        return str(self.tokenizer.convert_ids_to_tokens(id_))

    def _shown(self) -> list[Row]:
        """The first rows, and one that is cut where there is one and it is none of them."""
        if self.first_cut is None or self.first_cut in self.first:
            return self.first
        return [*self.first[: PICTURES - 1], self.first_cut]

    def _picture(self, row: Row) -> Picture:
        tokens = len(encode(self.tokenizer, row).input_ids)
        encoded = encode(self.tokenizer, row, self.max_length)
        return Picture(row.id, rendered_pieces(self.tokenizer, encoded), tokens, len(encoded.input_ids))


def _filled(segments: Sequence[Segment], contents: Sequence[str]) -> list[str]:
    return ["".join([part if isinstance(part, str) else contents[part] for part in segment]) for segment in segments]


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
