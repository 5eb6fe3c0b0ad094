"""The stage's job: writes the rows into the run, and proves with the model's tokenizer that they can be trained on.

In the run's `data/`: train.jsonl, validation.jsonl and test.jsonl hold the rows; set-aside.jsonl the records that are
not used and rejected.jsonl what was no row, each with its line and the reason; rendered.json the first training rows in
runs of (text, is it trained); proof.json what the tokenizer made of them, template.json what they were written with;
card.md tells all of it.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import msgspec

from tunesmith.core.errors import AccessError, DataError
from tunesmith.core.figures import about_percent
from tunesmith.core.models import model_here
from tunesmith.core.plan import Split
from tunesmith.core.prepare.card import card
from tunesmith.core.prepare.cells import counted, shown
from tunesmith.core.prepare.pipeline import prepare_rows
from tunesmith.core.prepare.prepared import REJECTED, SET_ASIDE, Prepared
from tunesmith.core.prepare.profile import planned_profile
from tunesmith.core.prepare.records import name_of
from tunesmith.core.proof import Proof
from tunesmith.core.rows import SPLITS, Row, RowFiles
from tunesmith.core.run import write_json
from tunesmith.core.worker.job import Job, JobMeter
from tunesmith.core.worker.model import load_tokenizer
from tunesmith.core.worker.proof import count
from tunesmith.core.worker.template import keep_template
from tunesmith.core.worker.tokenize import control_marks, neutralised

STAGE = "prepare"


class Rendered(msgspec.Struct, frozen=True):
    """A row as the model will see it: runs of (text, whether it is trained)."""

    id: str
    pieces: list[tuple[str, bool]]


def work(job: Job) -> str:
    """Make the rows as the plan says and write them; returns the result as a sentence.

    Raises:
        DataError: The file can't be used as the plan says, or a row would lose its whole answer at the sequence length.
        AccessError: The file can't be read, or the run can't be written to.
        PlanError: The plan names what the data has not.
        ModelError: The model's tokenizer can't be loaded.
    """
    plan, meter = job.plan.prepare, JobMeter(job, STAGE)
    prepared = prepare_rows(plan, job.run.folder, meter)
    for note in prepared.notes:
        job.finding(STAGE, note.text, note.level, note.count)
    parts = ", ".join(f"{prepared.account.parts[name]:,} {name}" for name in SPLITS)
    job.finding(STAGE, f"Split {_by(plan.split)}: {parts}.", "ok", prepared.total)
    tokenizer = load_tokenizer(model_here(job.plan.select.model).path)
    keep_template(job.run, tokenizer)
    marked = _write(job, prepared, control_marks(tokenizer))
    if marked:
        text = f"{counted(marked, 'row')} with a control mark of the model in the text: it is broken up with a space, "
        job.finding(STAGE, text + "so that the model does not take it for the end of a turn.", "note", marked)
    proof = count(tokenizer, _written(job, prepared), job.plan.select.hyperparameters.max_length, meter)
    _tell(job, proof)
    write_json(job.run.data / "proof.json", proof)
    write_json(job.run.data / "rendered.json", [Rendered(one.id, one.pieces) for one in proof.pictures])
    told = planned_profile(plan, job.run.folder, meter)
    (job.run.data / "card.md").write_text(card(prepared.account, plan, told, proof), encoding="utf-8")
    unit = "question" if plan.shape in ("table", "question-answer") else "row"
    made = f"{counted(prepared.account.read, 'row')} read, {prepared.account.aside:,} set aside"
    return f"{made}, {counted(prepared.total, unit)}: {parts}; {about_percent(proof.share)} of tokens are trained"


def _written(job: Job, prepared: Prepared) -> RowFiles:
    """The rows that are trained on and watched by, as they stand in the run."""
    counts = prepared.account.parts
    return RowFiles([(job.run.rows_path(part), counts[part]) for part in SPLITS if part != "test"])


def _by(split: Split) -> str:
    if split.time:
        return f"by {shown(split.time)}, the newest for the test"
    if split.by:
        return f"by {shown(split.by)}, nobody in two parts"
    if split.stratify:
        return f"with the same shares of {shown(split.stratify)} in every part"
    return "row by row, equal prompts together"


def _write(job: Job, prepared: Prepared, marks: tuple[str, ...]) -> int:
    """Copy the set into the run, the model's control marks in the rows broken up; returns in how many rows.

    Raises:
        AccessError: The run can't be written to. A full disk goes on to the worker, which names it.
    """
    try:
        marked = sum(_copy_rows(prepared.path(name), job.run.rows_path(name), marks) for name in SPLITS)
        for name in (SET_ASIDE, REJECTED):
            _copy(prepared.folder / name, job.run.data / name)
    except PermissionError as error:
        raise AccessError(
            f"{name_of(job.run.data)} can't be written to: {error.strerror}.",
            next_step="Mend its permissions, or set TUNESMITH_RUNS to a folder that you may write to.",
        ) from error
    return marked


def _copy_rows(source: Path, target: Path, marks: tuple[str, ...]) -> int:
    """Copy rows line by line; only those that hold a mark are read."""
    written = [mark.encode() for mark in marks]
    encoder, decoder = msgspec.json.Encoder(), msgspec.json.Decoder(Row)
    part, found = target.with_name(target.name + ".part"), 0
    with source.open("rb") as lines, part.open("wb") as file:
        for line in lines:
            if any(mark in line for mark in written):
                row = decoder.decode(line)
                clean = neutralised(row, marks)
                found += clean is not row
                line = encoder.encode(clean) + b"\n"  # noqa: PLW2901
            file.write(line)
    part.replace(target)
    return found


def _copy(source: Path, target: Path) -> None:
    part = target.with_name(target.name + ".part")
    shutil.copyfile(source, part)
    part.replace(target)


def _tell(job: Job, proof: Proof) -> None:
    """What the tokenizer made of the rows; refuses what can't be learnt.

    Raises:
        DataError: Rows would be trained on without one token of their answer.
    """
    if proof.lost:
        raise lost_answers(proof)
    if proof.cut:
        text = f"{counted(proof.cut, 'row')} longer than {proof.max_length:,} tokens: the end of the answer is cut off."
        job.finding(STAGE, text, "warning", proof.cut)
    if proof.unended:
        text = f"{counted(proof.unended, 'answer')} without the mark {shown(proof.end_mark)} at which a server stops: "
        job.finding(STAGE, text + "the model would not learn to stop.", "warning", proof.unended)
    told = f"{about_percent(proof.share)} of {proof.tokens:,} tokens are trained, the answers; the prompts are masked."
    job.finding(STAGE, told, "ok", proof.trained)


def lost_answers(proof: Proof) -> DataError:
    """The error for rows whose whole answer lies behind the sequence length; the proof has at least one."""
    named = ", ".join(shown(id_) for id_ in proof.lost_ids[:3]) + (" and more" if proof.lost > 3 else "")
    return DataError(
        f"{counted(proof.lost, 'row')} would be trained on without {'its' if proof.lost == 1 else 'their'} answer.",
        cause=f"The sequence length of {proof.max_length or 0:,} tokens ends before the answer begins (rows {named}).",
        next_step=f"Raise select.hyperparameters.max_length to {proof.lost_need:,}, or take the long rows out.",
    )
