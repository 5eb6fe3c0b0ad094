"""Ways to write a record down: lines, pairs, JSON, tables and prose of many wordings."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from random import Random

from tunesmith.core.practice.pretrain.kinds import Record

_CASES: tuple[Callable[[str], str], ...] = (
    str.lower,
    str.title,
    str.title,
    str.capitalize,
    str.upper,
    lambda key: key.replace(" ", "_"),
    lambda key: key.title().replace(" ", ""),
)

_LINE_FORMS = (
    "{k}: {v}",
    "{k}: {v}",
    "{k}: {v}",
    "{k} = {v}",
    "{k} -> {v}",
    "- {k}: {v}",
    "* {k}: {v}",
    "{k} - {v}",
    "{k}\t{v}",
    "[{k}] {v}",
    "<{k}>{v}</{k}>",
    "**{k}**: {v}",
    "{k}={v}",
    "{k} | {v}",
    "{k} is {v}",
)
_SEPARATORS = ("\n", "\n", "\n", ", ", ", ", ", ", "; ", " | ", " / ", "\n\n", " ")

Style = dict[str, str]


def draw_style(rng: Random, prose: float) -> Style:
    """One way to write records, to be used for all records of a document; prose with probability ``prose``."""
    if rng.random() < prose:
        return {"layout": "prose"}
    layout = rng.choices(("pairs", "json", "table", "column"), (80, 10, 5, 5))[0]
    return {
        "layout": layout,
        "case": str(rng.randrange(len(_CASES))),
        "form": rng.choice(_LINE_FORMS),
        "separator": rng.choice(_SEPARATORS),
        "name": rng.choice(("Name", "name", "Name", "kind", "title", "id")),
        "place": rng.choice(("first", "any", "any")),
        "quote": rng.choice(("", "", "", "'", '"')),
        "indent": rng.choice(("", "", "2")),
    }


def _pairs(rng: Random, record: Record, style: Style) -> list[tuple[str, str]]:
    """Key and value of each field and of the name, keys in the style's case."""
    case = _CASES[int(style["case"])]
    pairs = [(case(key), value) for _, key, value in record.entries]
    if style["name"] != "title":
        key = {"kind": record.kind.noun}.get(style["name"], style["name"])
        position = rng.randint(0, len(pairs)) if style["place"] == "any" else 0
        pairs.insert(position, (case(key), record.name))
    return pairs


def render(rng: Random, records: Sequence[Record], style: Style) -> str:
    """Text of one or several records in one style."""
    layout = style["layout"]
    if layout == "prose":
        return rng.choice((" ", "\n", "\n")).join(prose(rng, record) for record in records)
    rows = [_pairs(rng, record, style) for record in records]
    if layout == "json":
        return _json(rows, records, style)
    if layout == "table":
        return _table(rng, rows, records)
    if layout == "column":
        return "\n\n".join("\n".join(f"| {k} | {v} |" for k, v in row) for row in _with_title(rows, records, style))
    texts = []
    for row in _with_title(rows, records, style):
        quote = style["quote"]
        texts.append(style["separator"].join(style["form"].format(k=k, v=f"{quote}{v}{quote}") for k, v in row))
    return rng.choice(("\n", "\n\n", "\n---\n")).join(texts)


def _with_title(
    rows: list[list[tuple[str, str]]], records: Sequence[Record], style: Style
) -> list[list[tuple[str, str]]]:
    """Put a record whose style has no key for the name under its kind's noun, so that the name is always there."""
    if style["name"] != "title":
        return rows
    return [[(record.kind.noun.title(), record.name), *row] for record, row in zip(records, rows, strict=True)]


def _json(rows: list[list[tuple[str, str]]], records: Sequence[Record], style: Style) -> str:
    objects = [dict(row) for row in _with_title(rows, records, style)]
    indent = int(style["indent"]) if style["indent"] else None
    return "\n".join(json.dumps(item, ensure_ascii=False, indent=indent) for item in objects)


def _table(rng: Random, rows: list[list[tuple[str, str]]], records: Sequence[Record]) -> str:
    """A table with a header row; columns stand in the first record's order. Cells are cut by a comma or a bar."""
    order = [key for key, _ in rows[0]]
    bar = rng.choice((",", " | ", "\t", ";"))
    lines = [bar.join(["Name", *order])]
    for record, row in zip(records, rows, strict=True):
        cells = dict(row)
        lines.append(bar.join([record.name, *(cells.get(key, "") for key in order)]))
    return "\n".join(lines)


def possessive(name: str) -> str:
    """``Alice`` becomes ``Alice's``."""
    return f"{name}'s"


def statement(rng: Random, record: Record, entry: tuple[int, str, str], subject: str | None = None) -> str:
    """One sentence without its full stop that states one field, about ``subject`` (the name unless given)."""
    index, key, value = entry
    name = subject or record.name
    predicates = record.kind.fields[index].predicates
    if predicates and rng.random() < 0.65:
        clause = rng.choice(predicates).format(v=value)
        return f"{name} {clause}"
    forms = ["The {k} of {n} is {v}", "{p} {k} is {v}", "The {k} of {n} was {v}", "{n} has the {k} {v}", "{p} {k}: {v}"]
    if subject is not None:
        own = {"He": "His", "She": "Her", "It": "Its"}.get(subject, possessive(subject))
        return rng.choice(("{o} {k} is {v}", "The {k} is {v}", "{s} has the {k} {v}")).format(
            o=own, k=key, v=value, s=subject
        )
    return rng.choice(forms).format(k=key, n=name, v=value, p=possessive(name))


def _clauses(rng: Random, record: Record) -> list[str]:
    """Predicates that cover all fields of a record, some of them over two fields at once."""
    left = {index: (index, key, value) for index, key, value in record.entries}
    clauses: list[str] = []
    pairs = list(record.kind.pairs)
    rng.shuffle(pairs)
    for first, second, forms in pairs:
        if first in left and second in left and rng.random() < 0.7:
            clauses.append(rng.choice(forms).format(a=left.pop(first)[2], b=left.pop(second)[2]))
    for index, key, value in left.values():
        predicates = record.kind.fields[index].predicates
        if predicates and rng.random() < 0.85:
            clauses.append(rng.choice(predicates).format(v=value))
        else:
            clauses.append(
                rng.choice(("has the {k} {v}", "has a {k} of {v}", "lists {v} as {k}")).format(k=key, v=value)
            )
    rng.shuffle(clauses)
    return clauses


def prose(rng: Random, record: Record) -> str:
    """A record as running text: one sentence a field, or clauses strung together, or a mixture, in random order."""
    pronoun = rng.choice(("He", "She")) if record.kind.name_type == "person" else "It"
    short = record.name.split(maxsplit=1)[0] if record.kind.name_type == "person" else f"The {record.kind.noun}"
    again = rng.choice((pronoun, pronoun, record.name, short))
    if rng.random() < 0.4:
        entries = list(record.entries)
        rng.shuffle(entries)
        subjects: list[str | None] = [None, *(None if rng.random() < 0.5 else again for _ in entries[1:])]
        return " ".join(statement(rng, record, e, s) + "." for e, s in zip(entries, subjects, strict=True))
    clauses = _clauses(rng, record)
    sentences: list[str] = []
    while clauses:
        size = rng.choice((1, 2, 2, 3))
        group, clauses = clauses[:size], clauses[size:]
        subject = record.name if not sentences else again
        if not sentences and rng.random() < 0.25:
            article = rng.choice((f"a {record.kind.noun}", f"the {record.kind.noun}"))
            subject = rng.choice((f"{record.name}, {article},", f"The {record.kind.noun} {record.name}"))
        joined = group[0] if len(group) == 1 else f"{', '.join(group[:-1])} and {group[-1]}"
        sentences.append(f"{subject} {joined}.")
    return " ".join(sentences)


def question(rng: Random, record: Record, entry: tuple[int, str, str]) -> str:
    """A question for one field, in the field's own words or in words that work for any key."""
    index, key, _ = entry
    own = record.kind.fields[index].questions
    if own and rng.random() < 0.55:
        return rng.choice(own).format(n=record.name)
    forms = (
        "What is {p} {k}?",
        "What is {p} {k}?",
        "What is the {k} of {n}?",
        "Which {k} does {n} have?",
        "What {k} does {n} have?",
        "Tell me the {k} of {n}.",
        "Give the {k} of {n}.",
        "{p} {k}?",
        "Find {p} {k}.",
        "What {k} is given for {n}?",
        "Look up the {k} for {n}.",
    )
    return rng.choice(forms).format(n=record.name, k=key, p=possessive(record.name))


def sentence(rng: Random, record: Record, entry: tuple[int, str, str]) -> str:
    """The answer to a question as a full sentence."""
    text = statement(rng, record, entry)
    lead = rng.random()
    if lead < 0.1:
        return f"According to the {rng.choice(('text', 'record', record.kind.noun))}, {text}."
    return f"{text}."
