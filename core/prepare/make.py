"""From records to rows of prompt and answer, for each shape."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tunesmith.core.plan import Prepare, QuestionTemplate
from tunesmith.core.prepare.cells import cell, counted, shown, text_of
from tunesmith.core.prepare.chats import from_chat, from_preference
from tunesmith.core.prepare.records import Record
from tunesmith.core.prepare.shape import is_good
from tunesmith.core.prepare.templates import check_template, columns_in, draw, shuffled
from tunesmith.core.records import fill, write_record
from tunesmith.core.rows import Row, ask

STEP = "make-rows"
"""The step that a record is set aside by when no row can be made of it."""


class RowMaker:
    """Makes the rows of one record after another; what it makes depends on nothing but the record and the plan."""

    def __init__(self, columns: Sequence[str], prepare: Prepare) -> None:
        """Raises:
        PlanError: A question template names a column that does not exist.
        """
        for number, template in enumerate(prepare.questions if prepare.shape == "table" else ()):
            check_template(template.ask, columns, f"prepare.questions.{number}.ask")
            check_template(template.answer, columns, f"prepare.questions.{number}.answer")
        self._prepare = prepare
        self._make = _MAKE[prepare.shape]
        entity, asked = prepare.columns.get("entity", ""), set[str]()
        if prepare.shape == "table":
            asked = {name for t in prepare.questions for name in columns_in(t.ask) + columns_in(t.answer)}
        kept = {entity, *prepare.fields} | asked
        self._kept = tuple(name for name in columns if name in kept)
        self.unanswered = 0
        """Questions left out so far, because the record lacks their answer."""

    def rows_of(self, record: Record) -> list[Row] | str:
        """The rows of a record, or why there is none."""
        prepare = self._prepare
        if prepare.shape == "table":
            rows = _from_table(record, self._kept, prepare)
            if not isinstance(rows, str):
                self.unanswered += len(prepare.questions) - len(rows)
            return rows
        row = self._make(record, prepare)
        return row if isinstance(row, str) else [row]


@dataclass
class Made:
    """The rows of all records, the records that gave none and why, and the questions that were left out."""

    rows: list[Row] = field(default_factory=list)
    aside: list[tuple[Record, str]] = field(default_factory=list)
    unanswered: int = 0
    used: int = 0
    """Records that gave at least one row."""


def make_rows(records: Iterable[Record], columns: Sequence[str], prepare: Prepare) -> Made:
    """The rows of all records, in their order, held together: for a few of them.

    Raises:
        PlanError: A question template names a column that does not exist.
    """
    maker, made = RowMaker(columns, prepare), Made()
    for record in records:
        rows = maker.rows_of(record)
        if isinstance(rows, str):
            made.aside.append((record, rows))
        else:
            made.rows += rows
            made.used += 1
    made.unanswered = maker.unanswered
    return made


def unseen_answers(prepare: Prepare) -> list[QuestionTemplate]:
    """The templates whose answer is in no column that the context shows: learnt by heart, if at all."""
    shows = {*prepare.fields, prepare.columns.get("entity", "")}
    return [template for template in prepare.questions if not set(columns_in(template.answer)) <= shows]


def summary_of(reasons: Mapping[str, int]) -> str:
    """What became of the records that no row could be made of, from how often each reason was given."""
    listed = "; ".join(f"{counted(count, 'row')} because {why}" for why, count in list(reasons.items())[:3])
    return f"{counted(sum(reasons.values()), 'row')} set aside: {listed}." if listed else ""


def _from_table(record: Record, kept: Sequence[str], prepare: Prepare) -> list[Row] | str:
    entity = prepare.columns["entity"]
    # Without empty values: the context leaves them out, and probes that write the record anew do so, too.
    values = {name: text for name in kept if (text := cell(record.values, name))}
    name = values.get(entity)
    if name is None:
        return f"{shown(entity)} is empty"
    group, slices = _group(record, prepare), _slices(record, prepare)
    rows = []
    for number, template in enumerate(prepare.questions):
        if not all(column in values for column in columns_in(template.ask) + columns_in(template.answer)):
            continue
        seed = (prepare.split.seed, name, number)
        fields = [column for column in dict.fromkeys((entity, *prepare.fields)) if column in values]
        fields = shuffled(fields, *seed) if prepare.shuffle_fields else [c for c in prepare.fields if c in values]
        layout = prepare.layouts[draw(*seed, "layout") % len(prepare.layouts)]
        context = write_record(values, fields, entity, layout)
        question = fill(template.ask, values)
        row = Row(
            id=f"{record.number}.{number + 1}",
            prompt=ask(question, context, prepare.system),
            answer=fill(template.answer, values),
            context=context,
            question=question,
            group=group,
            slices=slices,
            record=values,
        )
        rows.append(row)
    return rows or "it answers none of the questions"


def _from_question(record: Record, prepare: Prepare) -> Row | str:
    question = cell(record.values, prepare.columns["question"])
    answer = answer_text(record.values.get(prepare.columns["answer"])).strip()
    context = cell(record.values, prepare.columns["context"]) if "context" in prepare.columns else ""
    for part, text in (("question", question), ("answer", answer)):
        if not text:
            return f"{shown(prepare.columns[part])} is empty"
    prompt = ask(question, context, prepare.system)
    return _row(record, prepare, prompt=prompt, answer=answer, context=context, question=question)


def answer_text(value: Any) -> str:
    """An answer as text; of several the first one.

    SQuAD writes them as a list of {"text": "…", "answer_start": 7}, its form on the Hub as {"text": ["…", …]}.
    """
    while isinstance(value, list) or (isinstance(value, dict) and "text" in value):
        value = value["text"] if isinstance(value, dict) else value[0] if value else ""
    return text_of(value)


def _from_pair(record: Record, prepare: Prepare) -> Row | str:
    prompt = cell(record.values, prepare.columns["prompt"])
    completion = cell(record.values, prepare.columns["completion"])
    about = cell(record.values, prepare.columns["input"]) if "input" in prepare.columns else ""
    system = cell(record.values, prepare.columns["system"]) if "system" in prepare.columns else ""
    for part, text in (("prompt", prompt), ("completion", completion)):
        if not text:
            return f"{shown(prepare.columns[part])} is empty"
    question = f"{prompt}\n\n{about}" if about else prompt
    messages = ask(question, system=system or prepare.system)
    return _row(record, prepare, prompt=messages, answer=completion, question=question)


def _from_rated(record: Record, prepare: Prepare) -> Row | str:
    row = _from_pair(record, prepare)
    if isinstance(row, str):
        return row
    rating = cell(record.values, prepare.columns["rating"])
    good = is_good(rating, prepare.good_from)
    if good is None:
        from tunesmith.core.prepare.personal import told

        rating = told(rating, column=prepare.columns["rating"])
        return f"its rating {rating!r} says neither good nor bad" if rating else "it has no rating"
    return row if good else "it was rated bad"


def _from_label(record: Record, prepare: Prepare) -> Row | str:
    text = cell(record.values, prepare.columns["text"])
    value = record.values.get(prepare.columns["label"])
    label = ", ".join(text_of(one).strip() for one in value) if isinstance(value, list) else text_of(value).strip()
    for part, found in (("text", text), ("label", label)):
        if not found:
            return f"{shown(prepare.columns[part])} is empty"
    return _row(record, prepare, prompt=ask(text, system=prepare.system), answer=label, question=text)


def _from_text(record: Record, prepare: Prepare) -> Row | str:
    text = cell(record.values, prepare.columns["text"])
    return _row(record, prepare, prompt=[], answer=text) if text else f"{shown(prepare.columns['text'])} is empty"


def _chat(record: Record, prepare: Prepare) -> Row | str:
    made = from_chat(record.values, prepare.columns, prepare.system)
    return made if isinstance(made, str) else _row(record, prepare, **made)


def _preference(record: Record, prepare: Prepare) -> Row | str:
    made = from_preference(record.values, prepare.columns, prepare.system)
    return made if isinstance(made, str) else _row(record, prepare, **made)


_MAKE: dict[str, Callable[[Record, Prepare], Row | str]] = {
    "table": lambda record, prepare: "a table gives several rows",
    "question-answer": _from_question,
    "prompt-completion": _from_pair,
    "chat": _chat,
    "text": _from_text,
    "classification": _from_label,
    "preference": _preference,
    "rated": _from_rated,
}


def _row(record: Record, prepare: Prepare, **parts: Any) -> Row:
    """The one row of a record."""
    return Row(id=str(record.number), group=_group(record, prepare), slices=_slices(record, prepare), **parts)


def _group(record: Record, prepare: Prepare) -> str:
    return cell(record.values, prepare.split.by) if prepare.split.by else ""


def _slices(record: Record, prepare: Prepare) -> dict[str, str]:
    return {name: cell(record.values, name) or "(none)" for name in prepare.slices}
