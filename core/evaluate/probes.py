"""The same questions asked in another way, to see whether a model reads the context or remembers, and how it reads.

Each probe keeps the answer that is wanted right and inside the context, but for `context-withheld`, where nothing is
left to read it from. What is changed is drawn from the row's id, so a probe is the same in every run.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from random import Random

import msgspec

from tunesmith.core.evaluate.invent import invent_values
from tunesmith.core.plan import Prepare, Probe, QuestionTemplate
from tunesmith.core.records import fill, words, write_record
from tunesmith.core.rows import Message, Row, ask

MEANING: dict[Probe, str] = {
    "context-withheld": "The question alone. A model that reads can't know; what is right here was remembered or "
    "guessed.",
    "fields-reordered": "The same record, its fields in another order. A drop means that it learned places, not names.",
    "values-invented": "Invented names and values that nobody ever wrote down. A drop means that it knows the words "
    "of its training data better than it copies.",
    "as-prose": "The same record as running text, in wordings it was not trained on. A drop means that it depends on "
    "the form of the records.",
}
"""What each probe asks and what its score says, in plain words."""


def probe_rows(kind: Probe, rows: Sequence[Row], prepare: Prepare, limit: int) -> list[Row]:
    """At most `limit` of `rows`, asked as `kind` says, in the order of `rows`; their ids stay.

    The same rows are drawn for every probe. Rows that lack what a probe needs (a context; a record and a question
    made from one of the plan's templates) are left out, so the list may be shorter or empty.
    """
    drawn = sorted(rows, key=lambda row: hashlib.sha256(row.id.encode()).digest())[:limit]
    chosen = {row.id for row in drawn}
    asked = (_otherwise(kind, row, prepare) for row in rows if row.id in chosen)
    return [row for row in asked if row is not None]


def _otherwise(kind: Probe, row: Row, prepare: Prepare) -> Row | None:
    if not row.context or not row.question:
        return None
    if kind == "context-withheld":
        return _asked(row, row.question, "", row.answer)
    entity = prepare.columns.get("entity", "")
    fields = [column for column in prepare.fields if row.record.get(column)]
    if prepare.shape != "table" or entity not in row.record or not fields:
        return None
    rng = Random(f"{row.id}/{kind}")
    if kind == "fields-reordered":
        context = _reordered(row, fields, entity, prepare, rng)
        return _asked(row, row.question, context, row.answer) if context else None
    if kind == "as-prose":
        return _asked(row, row.question, prose(row.record, fields, entity, rng), row.answer)
    return _invented(row, fields, entity, prepare, rng)


def _asked(row: Row, question: str, context: str, answer: str, record: Mapping[str, str] | None = None) -> Row:
    """`row` with another question, context or answer, under the same system prompt."""
    system = row.prompt[0].content if row.prompt[0].role == "system" else ""
    prompt: list[Message] = ask(question, context, system)
    changed = {} if record is None else {"record": dict(record)}
    return msgspec.structs.replace(row, prompt=prompt, question=question, context=context, answer=answer, **changed)


def _reordered(row: Row, fields: Sequence[str], entity: str, prepare: Prepare, rng: Random) -> str | None:
    """The record with its fields turned round or rotated, unlike the row's own context; None for one field."""
    # In the table's order, so that "another order" means the same for each row whatever the plan's order is.
    shown = [column for column in row.record if column in (*fields, entity)]
    orders = [shown[::-1], *(shown[turn:] + shown[:turn] for turn in range(1, len(shown)))]
    orders = [order for order in orders if order != shown]
    rng.shuffle(orders)
    layout = rng.choice(prepare.layouts)
    for order in orders:
        text = write_record(row.record, order, entity, layout)
        if text != row.context:
            return text
    return None


def _invented(row: Row, fields: Sequence[str], entity: str, prepare: Prepare, rng: Random) -> Row | None:
    """The row about an invented record; None where the question is not one of the plan's templates filled in."""
    template = _template(row, prepare.questions)
    if template is None:
        return None
    new = invent_values(row.record.values(), rng)
    record = {column: new.get(value, value) for column, value in row.record.items()}
    order = list(fields)
    if prepare.shuffle_fields:
        rng.shuffle(order)
    context = write_record(record, order, entity, rng.choice(prepare.layouts))
    return _asked(row, fill(template.ask, record), context, fill(template.answer, record), record)


def _template(row: Row, templates: Sequence[QuestionTemplate]) -> QuestionTemplate | None:
    for template in templates:
        if fill(template.ask, row.record) == row.question and fill(template.answer, row.record) == row.answer:
            return template
    return None


def prose(record: Mapping[str, str], fields: Sequence[str], entity: str, rng: Random) -> str:
    """The record as running text in one of several wordings, none of which is that of the `prose` layout.

    They know nothing of the table: every column is named by its label and its value stands as it is.
    """
    name = record[entity]
    pairs = [(words(column), record[column]) for column in fields if column != entity]
    rng.shuffle(pairs)
    if not pairs:
        return f"This is about {name}."
    return rng.choice((_whose, _in_the_case, _shown_with, _value_first, _on_file))(name, pairs)


Pairs = Sequence[tuple[str, str]]


def _whose(name: str, pairs: Pairs) -> str:
    (key, value), *others = pairs
    if not others:
        return f"There is {name}, whose {key} is {value}."
    (second_key, second), *rest = others
    text = f"{name}, whose {key} is {value}, has {second} as {second_key}"
    return text + "".join(f"; the {k} is {v}" for k, v in rest) + "."


def _in_the_case(name: str, pairs: Pairs) -> str:
    return f"In the case of {name}, {_listed([f'the {k} is {v}' for k, v in pairs])}."


def _shown_with(name: str, pairs: Pairs) -> str:
    return f"The files show {name} with {_listed([f'{k} {v}' for k, v in pairs])}."


def _value_first(name: str, pairs: Pairs) -> str:
    (key, value), *others = pairs
    text = f"{value} is the {key} of {name}"
    return text + (f", with {_listed([f'{v} as {k}' for k, v in others])}." if others else ".")


def _on_file(name: str, pairs: Pairs) -> str:
    return f"Here is what we know about {name}. " + " ".join(f"As for the {k}, it is {v}." for k, v in pairs)


def _listed(parts: Sequence[str]) -> str:
    """`a, b and c`."""
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
