"""From records to rows of prompt and answer, for each shape."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from tunesmith.core.plan import Prepare, QuestionTemplate
from tunesmith.core.prepare.cells import cell, counted, shown, text_of
from tunesmith.core.prepare.records import Record
from tunesmith.core.prepare.repair import SetAside
from tunesmith.core.prepare.templates import check_template, columns_in, draw, shuffled
from tunesmith.core.records import fill, write_record
from tunesmith.core.rows import Message, Row, ask

STEP = "make-rows"
"""The step that a record is set aside by when no row can be made of it."""

_SHAREGPT = {"human": "user", "gpt": "assistant", "system": "system", "user": "user", "assistant": "assistant"}
_ROLES = ("system", "developer", "user", "assistant", "tool")


@dataclass
class Made:
    """The rows of all records, the records that gave none, and the questions that were left out."""

    rows: list[Row] = field(default_factory=list)
    aside: list[SetAside] = field(default_factory=list)
    unanswered: int = 0
    """Questions left out because the record lacks their answer."""
    used: int = 0
    """Records that gave at least one row."""


def make_rows(records: Sequence[Record], columns: Sequence[str], prepare: Prepare) -> Made:
    """The rows of all records, in their order.

    Raises:
        PlanError: A question template names a column that does not exist.
    """
    for number, template in enumerate(prepare.questions if prepare.shape == "table" else ()):
        check_template(template.ask, columns, f"prepare.questions.{number}.ask")
        check_template(template.answer, columns, f"prepare.questions.{number}.answer")
    made = Made()
    for record in records:
        rows = _rows(record, columns, prepare)
        if isinstance(rows, str):
            made.aside.append(SetAside(record, STEP, rows))
            continue
        made.rows += rows
        made.used += 1
        made.unanswered += max(0, len(prepare.questions) - len(rows)) if prepare.shape == "table" else 0
    return made


def unseen_answers(prepare: Prepare) -> list[QuestionTemplate]:
    """The templates whose answer is in no column that the context shows: learnt by heart, if at all."""
    shows = {*prepare.fields, prepare.columns.get("entity", "")}
    return [template for template in prepare.questions if not set(columns_in(template.answer)) <= shows]


def _rows(record: Record, columns: Sequence[str], prepare: Prepare) -> list[Row] | str:
    """The rows of one record, or why there is none."""
    if prepare.shape == "table":
        return _from_table(record, columns, prepare)
    make = {"question-answer": _from_question, "prompt-completion": _from_pair, "chat": _from_chat}[prepare.shape]
    row = make(record, prepare)
    return row if isinstance(row, str) else [row]


def _from_table(record: Record, columns: Sequence[str], prepare: Prepare) -> list[Row] | str:
    entity = prepare.columns["entity"]
    asked = {name for t in prepare.questions for name in columns_in(t.ask) + columns_in(t.answer)}
    kept = {entity, *prepare.fields} | asked
    # Without empty values: the context leaves them out, and probes that write the record anew do so, too.
    values = {name: text for name in columns if name in kept and (text := cell(record.values, name))}
    name = values.get(entity)
    if name is None:
        return f"{shown(entity)} is empty"
    group = _group(record, prepare)
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
            group=group,
            context=context,
            question=question,
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
    return Row(str(record.number), prompt, answer, _group(record, prepare), context, question)


def answer_text(value: Any) -> str:
    """An answer as text; of SQuAD's {"text": ["…", …]} and of lists of texts the first one."""
    if isinstance(value, dict) and "text" in value:
        value = value["text"]
    if isinstance(value, list):
        value = value[0] if value else ""
    return text_of(value)


def _from_pair(record: Record, prepare: Prepare) -> Row | str:
    prompt = cell(record.values, prepare.columns["prompt"])
    completion = cell(record.values, prepare.columns["completion"])
    about = cell(record.values, prepare.columns["input"]) if "input" in prepare.columns else ""
    for part, text in (("prompt", prompt), ("completion", completion)):
        if not text:
            return f"{shown(prepare.columns[part])} is empty"
    question = f"{prompt}\n\n{about}" if about else prompt
    messages = ask(question, system=prepare.system)
    return Row(str(record.number), messages, completion, _group(record, prepare), question=question)


def _from_chat(record: Record, prepare: Prepare) -> Row | str:
    turns = _turns(record.values.get(prepare.columns["messages"]))
    if isinstance(turns, str):
        return turns
    *prompt, last = turns
    if last.role != "assistant":
        return f"the chat ends with {shown(last.role)}, not with the assistant"
    if not last.content.strip():
        return "the assistant's last turn is empty"
    if not any(message.role == "user" for message in prompt):
        return "nobody asks before the assistant's last turn"
    if prepare.system and prompt[0].role != "system":
        prompt = [Message("system", prepare.system), *prompt]
    question = next(message.content for message in reversed(prompt) if message.role == "user")
    return Row(str(record.number), prompt, last.content, _group(record, prepare), question=question)


def _turns(value: Any) -> list[Message] | str:
    """The turns of a chat (role and content, or ShareGPT's from and value), or why they can't be read."""
    if isinstance(value, str) and value.lstrip().startswith("["):  # a chat in a cell of a CSV
        try:
            value = msgspec.json.decode(value)
        except msgspec.DecodeError:
            return "the chat is not JSON"
    if not isinstance(value, list) or not value:
        return "there is no list of turns"
    turns = []
    for number, turn in enumerate(value, start=1):
        message = _message(turn) if isinstance(turn, Mapping) else None
        if message is None:
            return f"turn {number} has no role and text that can be read"
        turns.append(message)
    return turns


def _message(turn: Mapping[str, Any]) -> Message | None:
    role, content = turn.get("role"), turn.get("content")
    if role is None and "from" in turn:
        role, content = _SHAREGPT.get(str(turn["from"])), turn.get("value")
    if isinstance(content, list):  # OpenAI's parts: text only, a picture can't be trained on here
        parts = [part.get("text") for part in content if isinstance(part, Mapping) and part.get("type") == "text"]
        content = "".join(map(str, parts)) if len(parts) == len(content) else None
    return Message(str(role), content) if role in _ROLES and isinstance(content, str) else None


def _group(record: Record, prepare: Prepare) -> str:
    return cell(record.values, prepare.split.by) if prepare.split.by else ""


def summary_of(made: Made) -> str:
    """What became of the records that no row could be made of; empty where there are none."""
    reasons: dict[str, int] = {}
    for one in made.aside:
        reasons[one.why] = reasons.get(one.why, 0) + 1
    listed = "; ".join(f"{counted(count, 'row')} because {why}" for why, count in list(reasons.items())[:3])
    return f"{counted(len(made.aside), 'row')} set aside: {listed}." if listed else ""
