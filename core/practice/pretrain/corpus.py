"""The text that the practice model is pre-trained on, made from a seed: records, questions, answers, copying.

A document is a list of segments, each a text and whether the loss is taken on it. Chats are ChatML; their answers are
full sentences when a question stands alone, and bare values where earlier answers in the same chat were bare. That is
on purpose: a model that has read this text knows how to look a value up but not that somebody wants the bare value,
which is what fine-tuning on a few hundred examples then teaches.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from random import Random

from tunesmith.core.practice.pretrain.kinds import Record, draw_fields, draw_kind, draw_record
from tunesmith.core.practice.pretrain.layouts import Style, draw_style, prose, question, render, sentence
from tunesmith.core.practice.pretrain.words import MAKERS, WORDS, invented, word

START, END = "<|im_start|>", "<|im_end|>"
Segment = tuple[str, bool]
Document = list[Segment]

_ASK_FORMS = (
    "{c}\n\n{q}",
    "{c}\n\n{q}",
    "{c}\n{q}",
    "Context:\n{c}\n\nQuestion: {q}",
    "Context: {c}\nQuestion: {q}",
    "{c}\n\nQuestion: {q}",
    "{c}\n\nQuestion: {q}\nAnswer:",
    "Record:\n{c}\n\n{q}",
    "Here is what we know:\n{c}\n\n{q}",
    "Use the text to answer.\n\n{c}\n\n{q}",
    "Text: {c}\n\nQ: {q}",
    "### Context\n{c}\n\n### Question\n{q}",
    "{q}\n\n{c}",
    "Question: {q}\n\nContext: {c}",
    "{c} {q}",
)
_SYSTEM = (
    "You are a helpful assistant.",
    "Answer the question from the text.",
    "You look things up in records.",
    "Read the record and answer.",
    "You answer questions.",
    "Use only what is written.",
)


def chat(turns: list[tuple[str, str]], rng: Random | None = None, trained: bool = True) -> Document:
    """A ChatML document from (user, assistant) turns; the loss is on the answers and their end marks.

    With ``rng``, a system message stands before three chats in ten.
    """
    document: Document = []
    if rng is not None and rng.random() < 0.3:
        document.append((f"{START}system\n{rng.choice(_SYSTEM)}{END}\n", False))
    for user, assistant in turns:
        document.append((f"{START}user\n{user}{END}\n{START}assistant\n", False))
        document.append((f"{assistant}{END}", trained))
        document.append(("\n", False))
    return document


def _ask(rng: Random, context: str, asked: str, form: str | None = None) -> str:
    return (form or rng.choice(_ASK_FORMS)).format(c=context, q=asked)


def _answer(rng: Random, record: Record, entry: tuple[int, str, str], short: bool) -> str:
    return entry[2] if short else sentence(rng, record, entry)


def _records(rng: Random, count: int, known: float = 0.6) -> list[Record]:
    """Records of one kind with the same keys, each in its own order."""
    kind = draw_kind(rng, known)
    fields = draw_fields(rng, kind)
    return [draw_record(rng, kind, fields) for _ in range(count)]


def single(rng: Random) -> Document:
    """One question about one to four records; the answer is a sentence."""
    records = _records(rng, rng.choices((1, 2, 3, 4), (78, 14, 5, 3))[0])
    style = draw_style(rng, prose=0.45)
    record = rng.choice(records)
    entry = rng.choice(record.entries)
    user = _ask(rng, render(rng, records, style), question(rng, record, entry))
    return chat([(user, _answer(rng, record, entry, short=False))], rng)


def several(rng: Random) -> Document:
    """Several questions in turn about one context; all answers are bare, or all are sentences."""
    records = _records(rng, rng.choices((1, 2, 3), (70, 20, 10))[0])
    context = render(rng, records, draw_style(rng, prose=0.5))
    short = rng.random() < 0.5
    turns: list[tuple[str, str]] = []
    for _ in range(rng.randint(2, 5)):
        record = rng.choice(records)
        entry = rng.choice(record.entries)
        asked = question(rng, record, entry)
        turns.append((asked if turns else _ask(rng, context, asked), _answer(rng, record, entry, short)))
    # A lone first answer is a sentence by habit: only the turns after it may be taken as bare.
    document = chat(turns, rng)
    return _untrain_first(document) if short else document


def _untrain_first(document: Document) -> Document:
    """Take the loss off the first answer of a chat."""
    first = next(i for i, (_, trained) in enumerate(document) if trained)
    document[first] = (document[first][0], False)
    return document


def few_shot(rng: Random, shots: int | None = None) -> Document:
    """Several examples, each with its own context, before the last question; style and wording agree throughout."""
    count = (shots or rng.randint(2, 4)) + 1
    records = _records(rng, count)
    style = draw_style(rng, prose=0.4)
    form = rng.choice(_ASK_FORMS)
    short = rng.random() < 0.7
    turns: list[tuple[str, str]] = []
    for record in records:
        entry = rng.choice(record.entries)
        user = _ask(rng, _one(rng, record, style), question(rng, record, entry), form)
        turns.append((user, _answer(rng, record, entry, short)))
    if rng.random() < 0.25:
        shown = "\n\n".join(f"{user}\nAnswer: {answer}" for user, answer in turns[:-1])
        return chat([(f"{shown}\n\n{turns[-1][0]}\nAnswer:", turns[-1][1])], rng)
    document = chat(turns, rng)
    return _untrain_first(document) if short else document


def _one(rng: Random, record: Record, style: Style) -> str:
    return render(rng, [record], style)


def plain(rng: Random) -> Document:
    """Questions and bare answers as plain text, without chat marks."""
    records = _records(rng, rng.choice((1, 1, 1, 2)))
    context = render(rng, records, draw_style(rng, prose=0.45))
    q, a = rng.choice((("Q: ", "A: "), ("Question: ", "Answer: "), ("? ", "= "), ("- ", "-> ")))
    document: Document = [(context + "\n\n", False)]
    for _ in range(rng.randint(1, 4)):
        record = rng.choice(records)
        entry = rng.choice(record.entries)
        document.append((f"{q}{question(rng, record, entry)}\n{a}".rstrip(" ") + " ", False))
        document.append((entry[2] + "\n", True))
    return document


def rewrite(rng: Random) -> Document:
    """The same record in another form: prose to JSON, prose to pairs, pairs to prose, pairs to JSON."""
    record = _records(rng, 1, known=0.75)[0]
    source = prose(rng, record) if rng.random() < 0.6 else render(rng, [record], draw_style(rng, prose=0.0))
    chance = rng.random()
    if chance < 0.45:
        told, goal = "Write this as JSON.", json.dumps(_as_dict(record), ensure_ascii=False)
    elif chance < 0.75:
        told, goal = "List the facts.", "\n".join(f"{k}: {v}" for k, v in _as_dict(record).items())
    else:
        told, goal = "Tell it in words.", prose(rng, record)
    return chat([(rng.choice(("{t}\n\n{s}", "{s}\n\n{t}")).format(t=told, s=source), goal)], rng)


def _as_dict(record: Record) -> dict[str, str]:
    return {"name": record.name, **{key: value for _, key, value in record.entries}}


def copying(rng: Random) -> Document:
    """Say a text again: words, names, codes and dates of every sort."""
    makers = tuple(MAKERS.values())
    items = [rng.choice(makers)(rng) for _ in range(rng.randint(1, 6))]
    text = rng.choice((" ", ", ", "\n", " - ")).join(items)
    told = rng.choice(
        ("Repeat: {t}", "Say this again:\n{t}", "Copy the text.\n\n{t}", "{t}\n\nRepeat the text.", "{t}")
    )
    return chat([(told.format(t=text), text)], rng)


def lookup(rng: Random) -> Document:
    """Keys and values that mean nothing, then some of the keys again: the value has to be found and copied."""
    makers = tuple(MAKERS.values())
    count = rng.randint(2, 8)
    keys = [rng.choice((invented, word, lambda r: f"{r.choice(WORDS)} {word(r)}"))(rng) for _ in range(count)]
    table = {key: rng.choice(makers)(rng) for key in keys}
    form, gap = rng.choice(("{k}: {v}", "{k} = {v}", "{k} {v}", "{v} ({k})")), rng.choice(("\n", ", ", "; "))
    document: Document = [(gap.join(form.format(k=k, v=v) for k, v in table.items()) + "\n\n", False)]
    for key in rng.sample(list(table), rng.randint(1, min(4, len(table)))):
        document += [(f"{key}: ", False), (table[key] + "\n", True)]
    return document


def pick_word(rng: Random) -> Document:
    """Which word comes after, before, first or last in a list."""
    items = list(dict.fromkeys(rng.choice((invented, word))(rng) for _ in range(rng.randint(3, 7))))
    place = rng.randrange(len(items) - 1)
    asked, answer = rng.choice(
        (
            (f"Which word comes after {items[place]}?", items[place + 1]),
            (f"Which word comes before {items[place + 1]}?", items[place]),
            ("Which word is first?", items[0]),
            ("Which word is last?", items[-1]),
        )
    )
    text = rng.choice((" ", ", ")).join(items)
    return chat([(f"{text}\n\n{asked}", f"The word is {answer}." if rng.random() < 0.7 else answer)], rng)


Writer = Callable[[Random], Document]
# The shares are of documents. The first mixture holds short, easy documents and teaches looking up.
EASY: dict[Writer, int] = {copying: 25, lookup: 40, plain: 20, single: 15}
FULL: dict[Writer, int] = {
    single: 50,
    several: 13,
    few_shot: 12,
    plain: 5,
    rewrite: 8,
    copying: 4,
    lookup: 5,
    pick_word: 3,
}


def draw_document(rng: Random, mixture: dict[Writer, int], length: int, whole: float = 0.12) -> Document:
    """A document from a mixture for rows of ``length`` tokens; long rows get few-shot chats with many examples.

    With probability ``whole`` the loss is on the whole text, questions and records too, not on the answers alone.
    """
    if length > 256 and rng.random() < 0.75:
        document = few_shot(rng, shots=rng.randint(3, length // 90))
    else:
        document = rng.choices(tuple(mixture), tuple(mixture.values()))[0](rng)
    if rng.random() < whole:
        return [(text, True) for text, _ in document]
    return document


def sample_text(seed: int, documents: int) -> list[str]:
    """The first ``documents`` documents of the full mixture as plain text, to train the tokenizer on."""
    rng = Random(f"text-{seed}")
    return ["".join(text for text, _ in draw_document(rng, FULL, 256)) for _ in range(documents)]
