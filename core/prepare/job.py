"""The stage's job: writes the rows into the run, and checks with the model's tokenizer that they can be trained on.

In the run's `data/`: train.jsonl, validation.jsonl and test.jsonl hold the rows; set-aside.jsonl the records that are
not used, each with its line and the reason; rendered.json the first training rows in runs of (text, is it trained).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
from transformers import PreTrainedTokenizerBase

from tunesmith.core.errors import AccessError, DataError
from tunesmith.core.models import model_here
from tunesmith.core.prepare.cells import counted, shown
from tunesmith.core.prepare.preview import Prepared, rows_from_plan
from tunesmith.core.prepare.records import name_of
from tunesmith.core.prepare.repair import SetAside
from tunesmith.core.rows import SPLITS, Row, write_rows
from tunesmith.core.run import write_json
from tunesmith.core.worker.job import Job
from tunesmith.core.worker.model import load_tokenizer
from tunesmith.core.worker.tokenize import encode, rendered_pieces

STAGE = "prepare"
RENDERED = 3


class Rendered(msgspec.Struct, frozen=True):
    """A row as the model will see it: runs of (text, whether it is trained)."""

    id: str
    pieces: list[tuple[str, bool]]


class AsideLine(msgspec.Struct, frozen=True):
    """A line of set-aside.jsonl."""

    line: int
    step: str
    why: str
    values: dict[str, Any]


@dataclass
class Tokens:
    """What the tokenizer made of the rows, counted as they are trained on: cut at the sequence length."""

    tokens: int = 0
    trained: int = 0
    cut: list[Row] = field(default_factory=list)
    marked: list[Row] = field(default_factory=list)
    """Rows whose text holds one of the model's own control marks, such as `<|im_end|>`."""
    untrained: list[Row] = field(default_factory=list)
    """Rows without a single trained token."""

    @property
    def share(self) -> float:
        """Trained tokens over all tokens."""
        return self.trained / max(1, self.tokens)


def work(job: Job) -> str:
    """Make the rows as the plan says and write them; returns the result as a sentence.

    Raises:
        DataError: The file can't be used as the plan says, or a row would lose its whole answer at the sequence length.
        AccessError: The file can't be read, or the run can't be written to.
        PlanError: The plan names what the data has not.
        ModelError: The model's tokenizer can't be loaded.
    """
    prepared = rows_from_plan(job.plan.prepare, job.run.folder)
    for note in prepared.notes:
        job.finding(STAGE, note.text, note.level, note.count)
    _write(job, prepared)
    parts = ", ".join(f"{len(prepared.rows[name]):,} {name}" for name in SPLITS)
    job.finding(STAGE, f"Split {_by(job)}: {parts}.", "ok", prepared.total)
    tokenizer = load_tokenizer(model_here(job.plan.select.model).path)
    share = _check_tokens(job, tokenizer, prepared)
    unit = "question" if job.plan.prepare.shape in ("table", "question-answer") else "row"
    made = f"{counted(prepared.read, 'row')} read, {len(prepared.aside):,} set aside, {counted(prepared.total, unit)}"
    return f"{made}: {parts}; {_percent(share)} of tokens are trained"


def _by(job: Job) -> str:
    by = job.plan.prepare.split.by
    return f"by {shown(by)}, nobody in two parts" if by else "row by row, equal prompts together"


def _write(job: Job, prepared: Prepared) -> None:
    """Write the rows and what was set aside. Raises AccessError; a full disk goes on to the worker, which names it."""
    try:
        for name in SPLITS:
            write_rows(job.run.rows_path(name), prepared.rows[name])
        _write_aside(job.run.data / "set-aside.jsonl", prepared.aside)
    except PermissionError as error:
        raise AccessError(
            f"{name_of(job.run.data)} can't be written to: {error.strerror}.",
            next_step="Mend its permissions, or set TUNESMITH_RUNS to a folder that you may write to.",
        ) from error


def _write_aside(path: Path, aside: Iterable[SetAside]) -> None:
    lines = (AsideLine(one.record.line, one.step, one.why, one.record.values) for one in aside)
    encoder = msgspec.json.Encoder()
    part = path.with_name(path.name + ".part")
    with part.open("wb") as file:
        file.writelines(encoder.encode(line) + b"\n" for line in lines)
    part.replace(path)


def _check_tokens(job: Job, tokenizer: PreTrainedTokenizerBase, prepared: Prepared) -> float:
    """Tokenise what is trained on and watched by, refuse what can't be learnt; returns the share that is trained."""
    longest = job.plan.select.hyperparameters.max_length
    rows = prepared.rows["train"] + prepared.rows["validation"]
    found = Tokens()
    rendered: list[Rendered] = []
    meter = job.progress(STAGE, "tokenising")
    marks = [str(mark) for mark in tokenizer.all_special_tokens]
    for number, row in enumerate(rows, start=1):
        encoded = encode(tokenizer, row, longest)
        found.tokens += len(encoded.input_ids)
        found.trained += encoded.trained_tokens
        if encoded.cut:
            found.cut.append(row)
        if not encoded.trained_tokens:
            found.untrained.append(row)
        if len(rendered) < RENDERED:
            rendered.append(Rendered(row.id, rendered_pieces(tokenizer, encoded)))
        if any(mark in turn.content for turn in row.prompt for mark in marks) or any(m in row.answer for m in marks):
            found.marked.append(row)
        meter(number, len(rows))
    if found.untrained:
        raise _too_long(tokenizer, found.untrained, longest)
    write_json(job.run.data / "rendered.json", rendered)
    if found.marked:
        text = f"{counted(len(found.marked), 'row')} with a control mark of the model in the text, e.g. row "
        text += f"{shown(found.marked[0].id)}: the model takes it for the end of a turn. Take it out of the file."
        job.finding(STAGE, text, "warning", len(found.marked))
    if found.cut:
        lost = f"{counted(len(found.cut), 'row')} longer than {longest:,} tokens: the end of the answer is cut off."
        job.finding(STAGE, lost, "warning", len(found.cut))
    told = f"{_percent(found.share)} of {found.tokens:,} tokens are trained, the answers; the prompts are masked."
    job.finding(STAGE, told, "ok", found.trained)
    return found.share


def _too_long(tokenizer: PreTrainedTokenizerBase, rows: list[Row], longest: int) -> DataError:
    """The error for rows whose whole answer lies behind the sequence length."""
    needed = max(len(encode(tokenizer, row).input_ids) for row in rows)
    named = ", ".join(row.id for row in rows[:3]) + (" and more" if len(rows) > 3 else "")
    return DataError(
        f"{counted(len(rows), 'row')} would be trained on without {'its' if len(rows) == 1 else 'their'} answer.",
        cause=f"The sequence length of {longest:,} tokens ends before the answer begins (rows {named}).",
        next_step=f"Raise select.hyperparameters.max_length to {needed:,}, or take the long rows out.",
    )


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %" if share >= 0.1 else f"{100 * share:.1f} %"
