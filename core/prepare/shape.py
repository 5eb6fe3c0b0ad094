"""Which of eight shapes a file's rows have, how sure that is, and which column plays which part."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from tunesmith.core.errors import DataError
from tunesmith.core.facts import Column, Shape
from tunesmith.core.plan.prepare import NEEDED
from tunesmith.core.prepare.cells import number_of, shown
from tunesmith.core.prepare.kinds import MOSTLY, plain_name
from tunesmith.core.prepare.repair.words import PLACEHOLDERS

__all__ = [
    "NEEDED",
    "OPTIONAL",
    "Detected",
    "also_rated",
    "candidates",
    "check_columns",
    "detect",
    "is_good",
    "nearest",
    "roles_for",
]

OPTIONAL: dict[Shape, tuple[str, ...]] = {
    "table": (),
    "question-answer": ("context",),
    "prompt-completion": ("input", "system"),
    "chat": ("system", "tools"),
    "text": (),
    "classification": (),
    "preference": ("prompt",),
    "rated": (),
}
"""The parts that a shape may have; `input` is Alpaca's text that an instruction is about."""

_CHATS = ("messages", "conversations", "conversation", "chat", "dialog", "dialogue", "turns")
_QUESTIONS = ("question", "query", "user_question", "q", "frage", "pregunta")
_ANSWERS = ("answer", "answers", "reply", "response", "a", "antwort", "respuesta", "reponse")
_CONTEXTS = ("context", "passage", "paragraph", "background", "document")
_SYSTEMS = ("system", "system_prompt")
_TOOLS = ("tools", "functions")
_CHOSEN = (("chosen", "rejected"), ("preferred", "rejected"), ("better", "worse"), ("accepted", "rejected"))
_PROMPTS = ("prompt", "question", "instruction", "query", "input")
_COMPLETIONS = ("completion", "response", "answer", "output")
_RATINGS = ("rating", "label", "score", "liked", "thumbs_up", "feedback", "quality", "is_good", "desirable")
_TEXTS = ("text", "content", "body", "document", "article", "passage", "markdown")
_LABELLED = ("text", "sentence", "review", "comment", "tweet", "message", "email", "ticket", "title", "utterance")
_LABELS = (
    "label",
    "labels",
    "class",
    "category",
    "categories",
    "sentiment",
    "intent",
    "topic",
    "tag",
    "tags",
    "target",
)
_PAIRS = (
    ("prompt", "completion"),
    ("instruction", "output"),
    ("instruction", "response"),
    ("prompt", "response"),
    ("input", "output"),
)
_PAIRS_ALONE = (
    ("source", "target"),
    ("text", "summary"),
    ("document", "summary"),
    ("article", "summary"),
    ("article", "highlights"),
    ("dialogue", "summary"),
    ("note", "summary"),
    ("transcript", "summary"),
    ("report", "summary"),
    ("content", "summary"),
)
"""Names that mean a pair only where the file has no other columns but identifiers."""
_NAMES = ("name", "full_name", "title", "product", "item", "employee", "customer", "company", "person", "country")
_PART_NAMES = ("first_name", "last_name", "given_name", "family_name", "middle_name", "surname")
_MASKED = tuple(PLACEHOLDERS.values())
"""How an example begins that began with personal data."""

_SHORT = 60
"""Characters: longer texts describe a thing, they don't name it."""
TELL = 0.4
"""How sure a shape must be to be told of as another one that the data may have."""

FEW_LABELS = 50
"""A column with more different values than this is no set of labels (the largest common intent set, CLINC150 with 150,
is taken by its names alone)."""

WHAT: dict[Shape, str] = {
    "table": "each row is a record",
    "question-answer": "each row has a question and its answer",
    "prompt-completion": "each row has a prompt and its completion",
    "chat": "each row holds the turns of a chat",
    "text": "each row is a text",
    "classification": "each row has a text and its label",
    "preference": "each row has a better and a worse answer",
    "rated": "each row has an answer and how it was rated",
}


@dataclass(frozen=True)
class Detected:
    """A shape, the sentence that says why, the column of each part, and how sure that is."""

    shape: Shape
    because: str
    roles: dict[str, str] = field(default_factory=dict)
    confidence: float = 1.0
    """0 to 1: what share of such files would be meant this way, by our own reckoning; it orders, it is no measurement.
    """


def detect(columns: Sequence[Column]) -> Detected:
    """The shape that the names and kinds of the columns tell best.

    Raises:
        DataError: It can only be a table, and no column says what each row is about.
    """
    found = candidates(columns)
    if found:
        return found[0]
    _entity(columns)  # says why it is none
    raise AssertionError("an entity makes a candidate")


def candidates(columns: Sequence[Column]) -> list[Detected]:
    """Every shape that the columns could be, the surest first; a table only where something names its rows."""
    by_name = {plain_name(column.name): column for column in reversed(columns)}
    found = []
    for shape, seek in _SEEK.items():
        seen = seek(by_name, columns)
        if seen is not None:
            roles, sure = seen
            named = " and ".join(shown(roles[part]) for part in NEEDED[shape] if part in roles)
            found.append(Detected(shape, f"{WHAT[shape]}{_dialect(shape, by_name)}: {named}", roles, sure))
    try:
        entity, why, sure = _entity(columns)
    except DataError:
        pass
    else:
        because = f"each row is a record about one {shown(entity)}: {why}"
        found.append(Detected("table", because, {"entity": entity}, sure))
    return sorted(found, key=lambda one: -one.confidence)


def also_rated(columns: Sequence[Column], shape: Shape) -> str:
    """Of prompts and completions beside which numbers rate the answers: that they may be meant as such."""
    if shape != "prompt-completion":
        return ""
    rated = next((one for one in candidates(columns) if one.shape == "rated" and one.confidence >= TELL), None)
    return f"; it could also be rated answers (column {shown(rated.roles['rating'])})" if rated else ""


def _dialect(shape: Shape, by_name: Mapping[str, Column]) -> str:
    """The name that such files go by, where it says more than the shape."""
    if shape == "prompt-completion" and {"instruction", "output"} <= set(by_name):
        return " (as in Alpaca)"
    if shape == "chat":
        chats = [column for name, column in by_name.items() if name in _CHATS and column.examples]
        if any('"from"' in column.examples[0] for column in chats):
            return " (as in ShareGPT)"
        return " (as in OpenAI's format)" if any('"role"' in column.examples[0] for column in chats) else ""
    if shape == "question-answer" and {"context", "question", "answers"} <= set(by_name):
        return " (as in SQuAD)"
    return ""


def roles_for(shape: Shape, columns: Sequence[Column]) -> dict[str, str]:
    """The column of each part of a shape that the person chose.

    Raises:
        DataError: No column offers itself for a part that the shape needs.
    """
    if shape == "table":
        return {"entity": _entity(columns)[0]}
    by_name = {plain_name(column.name): column for column in reversed(columns)}
    seen = _SEEK[shape](by_name, columns)
    if seen is not None:
        return seen[0]
    if shape == "prompt-completion" and (pair := _pair(by_name, [*_PAIRS, *_PAIRS_ALONE, *_LABELLED_PAIRS])):
        return pair
    raise DataError(
        f"No columns offer themselves as {' and '.join(NEEDED[shape])}, which the shape {shape} needs.",
        cause=f"There are: {_listed(columns)}.",
        next_step=f"Name them, e.g. prepare.columns: {{{', '.join(f'{part}: COLUMN' for part in NEEDED[shape])}}}.",
    )


def check_columns(named: Mapping[str, str], columns: Sequence[str]) -> None:
    """Refuse a column that the file lacks; `named` maps where it is named in the plan to the column's name.

    Raises:
        DataError: Names the place, the column and the nearest one that there is.
    """
    for place, name in named.items():
        if name not in columns:
            near = nearest(name, columns)
            there = ", ".join(shown(column) for column in columns[:12]) + (" and more" if len(columns) > 12 else "")
            raise DataError(
                f"There is no column {shown(name)!r} in the data, though {place} names it.",
                next_step=f"Did you mean {shown(near)!r}?" if near else f"There are: {there}.",
            )


def nearest(name: str, columns: Sequence[str]) -> str | None:
    """The column whose name is most like `name`, or None where none is like it."""
    plain = {plain_name(column): column for column in reversed(columns)}
    found = difflib.get_close_matches(plain_name(name), list(plain), n=1, cutoff=0.6)
    return plain[found[0]] if found else None


ByName = Mapping[str, Column]
Seen = tuple[dict[str, str], float] | None
"""The column of each part with how sure it is; None where the shape can't be."""


def _chat(by_name: ByName, columns: Sequence[Column]) -> Seen:
    chats = [column for column in columns if plain_name(column.name) in _CHATS and _is_list(column)]
    if not chats:
        return None
    return {"messages": chats[0].name} | _also(by_name, system=_SYSTEMS, tools=_TOOLS), 0.98


def _preference(by_name: ByName, columns: Sequence[Column]) -> Seen:
    for chosen, rejected in _CHOSEN:
        if chosen in by_name and rejected in by_name:
            roles = {"chosen": by_name[chosen].name, "rejected": by_name[rejected].name}
            return roles | _also(by_name, prompt=_PROMPTS), 0.97
    return None


def _rated(by_name: ByName, columns: Sequence[Column]) -> Seen:
    prompt, completion, rating = (_first(names, by_name) for names in (_PROMPTS, _COMPLETIONS, _RATINGS))
    if not (prompt and completion and rating) or len({prompt.name, completion.name, rating.name}) < 3:
        return None
    roles = {"prompt": prompt.name, "completion": completion.name, "rating": rating.name}
    said = {text.casefold() for text in rating.examples} <= _GOOD | _BAD and rating.distinct <= 2
    return roles, 0.96 if said else 0.4


_GOOD = frozenset(
    ("true", "1", "1.0", "yes", "good", "up", "thumbs_up", "like", "liked", "positive", "desirable", "+1")
)
_BAD = frozenset(("false", "0", "0.0", "no", "bad", "down", "thumbs_down", "dislike", "negative", "undesirable", "-1"))


def is_good(rating: str, good_from: float | None) -> bool | None:
    """Whether a rating calls an answer good: by a word such as true or bad, else from the number `good_from` upwards.

    Returns:
        None where it says neither.
    """
    word = rating.casefold()
    if good_from is None and word in _GOOD | _BAD:
        return word in _GOOD
    number = number_of(rating)
    if number is None:
        return word in _GOOD if word in _GOOD | _BAD else None
    return None if good_from is None else number >= good_from


def _question(by_name: ByName, columns: Sequence[Column]) -> Seen:
    question, answer = _first(_QUESTIONS, by_name), _first(_ANSWERS, by_name)
    if question is None or answer is None:
        return None
    roles = {"question": question.name, "answer": answer.name}
    return roles | _also(by_name, context=_CONTEXTS), 0.95


def _prompt(by_name: ByName, columns: Sequence[Column]) -> Seen:
    if pair := _pair(by_name, _PAIRS):
        return pair, 0.94
    contents = [column for column in columns if column.kind != "identifier"]
    pair = _pair(by_name, _PAIRS_ALONE) if len(contents) == 2 else {}
    return (pair, 0.85) if pair else None


_LABELLED_PAIRS = tuple((text, label) for text in _LABELLED for label in _LABELS)


def _labelled(by_name: ByName, columns: Sequence[Column]) -> Seen:
    text, label = _first(_LABELLED, by_name), _first(_LABELS, by_name)
    contents = [column for column in columns if column.kind != "identifier"]
    if text is not None and label is not None and (len(contents) == 2 or _few(label)):
        return {"text": text.name, "label": label.name}, 0.9 if _few(label) or len(contents) == 2 else 0.6
    long = [column for column in contents if _is_long(column)]
    few = [column for column in contents if _few(column) and not _is_long(column)]
    if len(contents) == 2 and len(long) == 1 and len(few) == 1:
        return {"text": long[0].name, "label": few[0].name}, 0.6
    return None


def _few(column: Column) -> bool:
    """Whether its values could be labels: few, and each of them several times."""
    return 1 < column.distinct <= FEW_LABELS and column.filled >= 4 * column.distinct


def _text(by_name: ByName, columns: Sequence[Column]) -> Seen:
    filled = [column for column in columns if column.filled and column.kind != "identifier"]
    named = _first(_TEXTS, by_name)
    if len(filled) == 1 and (named is not None or _is_long(filled[0])):
        return {"text": filled[0].name}, 0.9
    return ({"text": named.name}, 0.3) if named is not None else None


_SEEK: dict[Shape, Callable[[ByName, Sequence[Column]], Seen]] = {
    "chat": _chat,
    "preference": _preference,
    "rated": _rated,
    "question-answer": _question,
    "prompt-completion": _prompt,
    "classification": _labelled,
    "text": _text,
}


def _pair(by_name: ByName, pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    for prompt, completion in pairs:
        if prompt in by_name and completion in by_name:
            roles = {"prompt": by_name[prompt].name, "completion": by_name[completion].name}
            also = {"input": ("input",)} if prompt == "instruction" else {}
            return roles | _also(by_name, **also, system=_SYSTEMS)
    return {}


def _also(by_name: ByName, **parts: Sequence[str]) -> dict[str, str]:
    """The optional parts that there are columns for."""
    found = {part: _first(names, by_name) for part, names in parts.items()}
    return {part: column.name for part, column in found.items() if column is not None}


def _first(names: Sequence[str], by_name: ByName) -> Column | None:
    return next((by_name[name] for name in names if name in by_name), None)


def _is_long(column: Column) -> bool:
    """Whether it holds running text rather than names."""
    return column.kind == "text" and any(len(text) > _SHORT or text.count(" ") >= 8 for text in column.examples)


def _is_list(column: Column) -> bool:
    lists = (text.startswith("[") and not text.startswith(_MASKED) for text in column.examples)
    return bool(column.examples) and all(lists)


def _entity(columns: Sequence[Column]) -> tuple[str, str, float]:
    """The column that names what each row is about, why it, and how sure that makes a table."""
    filled = [column for column in columns if column.filled]
    if len(filled) < 2:
        raise DataError(
            "The table has fewer than two columns with something in them, so there is nothing to ask about.",
            cause=f"There are: {_listed(columns)}.",
            next_step="Name a file with a column that names things and at least one that describes them.",
        )
    named = sorted((c for c in filled if _name_rank(c) is not None), key=lambda c: _name_rank(c) or 0)
    for share in (MOSTLY, 0.5):
        for column in named:
            if column.distinct >= share * column.filled:
                return column.name, _why(column, "its name says that it names things"), 0.8
    for kind in ("text", "identifier", "number", "date"):
        for column in filled:
            short = all(len(text) <= _SHORT for text in column.examples)
            if column.kind == kind and short and column.distinct >= MOSTLY * column.filled:
                return column.name, _why(column, "the first column that tells the rows apart"), 0.5
    raise DataError(
        "No column says what each row is about: in all of them values repeat.",
        cause=f"There are: {_listed(columns)}.",
        next_step="Add a column with a name for each row, or say which it is with prepare.columns: {entity: COLUMN}.",
    )


def _name_rank(column: Column) -> int | None:
    """How much a text column's name says that it names things, 0 most; None where it does not."""
    name = plain_name(column.name)
    if column.kind != "text" or name in _PART_NAMES:
        return None
    if name in _NAMES:
        return _NAMES.index(name)
    return len(_NAMES) if name.endswith(("_name", "_title")) else None


def _why(column: Column, because: str) -> str:
    return f"{because}, and {column.distinct:,} of its {column.filled:,} values differ"


def _listed(columns: Sequence[Column]) -> str:
    return ", ".join(shown(column.name) for column in columns[:12]) + (" and more" if len(columns) > 12 else "")
