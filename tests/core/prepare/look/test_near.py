"""Rows that are nearly the same: found, shown in pairs, and counted for several thresholds."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tunesmith.core.meter import Cancelled
from tunesmith.core.plan import Repair, Split
from tunesmith.core.prepare.compared import KeyMaker, Text
from tunesmith.core.prepare.likeness import COMPARING, jaccard
from tunesmith.core.prepare.look.near import NearDuplicates
from tunesmith.core.prepare.overlap import find_overlap
from tunesmith.core.prepare.records import Record, Records
from tunesmith.core.prepare.repair.apply import apply
from tunesmith.core.prepare.roles import compared_columns

WORDS = [f"word{n}" for n in range(2000)]


def records(*texts: Any) -> Records:
    rows = [Record(n, n + 1, {"q": text, "a": ""}) for n, text in enumerate(texts, start=1)]
    return Records("x.csv", Path("x.csv"), "csv", "", ("q", "a"), rows)


def look(read: Records, columns: tuple[str, ...] = ("q",), **options: Any) -> list[Any]:
    check = NearDuplicates(columns, read, **options)
    for batch in read.batches(size=7):
        check.see(batch)
    return check.findings()


def texts(count: int, seed: int = 1) -> list[str]:
    rng = random.Random(seed)
    return [" ".join(rng.choices(WORDS, k=30)) for _ in range(count)]


def test_near_copies_are_found_with_examples_and_a_repair() -> None:
    base = texts(20)
    changed = [base[0] + " more", base[1].replace(" ", "  ").upper() + "!", base[2].replace(base[2].split()[4], "else")]
    read = records(*base, *changed)
    (found,) = look(read)
    assert (found.kind, found.column, found.count, found.share) == ("near-duplicate", "", 3, 3 / 23)
    assert found.text == (
        "3 rows are nearly the same as an earlier one: at least 80 % of the words and word pairs of q are common."
    )
    assert found.recommended and found.severity == "warning" and found.effect
    assert found.repair == {"kind": "drop-near-duplicates", "threshold": 0.8, "column": "q"}
    Repair(**found.repair)
    exact = jaccard(base[2], changed[2])
    assert found.examples[0].startswith(f"line 4 and line 24, {100 * exact:.0f} %: word"), "the least alike first"
    assert len(found.examples) == 3 and all(example.isprintable() for example in found.examples)


def test_more_rows_would_go_at_a_lower_threshold() -> None:
    rng = random.Random(3)
    base = texts(30)
    copies = []
    for number, text in enumerate(base):
        words = text.split()
        for _ in range(number % 6):
            words[rng.randrange(30)] = "else"
        copies.append(" ".join(words) + " x")
    (found,) = look(records(*base, *copies))
    labels, counts = zip(*found.picture, strict=True)
    assert labels == ("60 % alike", "70 % alike", "80 % alike", "90 % alike", "95 % alike")
    assert list(counts) == sorted(counts, reverse=True) and counts[0] > counts[2] > counts[4]
    assert counts[2] == found.count


def test_equal_rows_alone_are_told_by_another_check() -> None:
    base = texts(5)
    assert look(records(*base, *base)) == []
    assert look(records(*base)) == []
    assert look(records("", "", None, " ")) == []


def test_the_same_words_in_other_capitals_are_told() -> None:
    (found,) = look(records("How are you today", "how are you today?", "Something else"))
    assert found.count == 1 and ", 100 %: How are you today / how are you today?" in found.examples[0]


def test_records_of_a_table_are_told_and_nothing_is_recommended() -> None:
    base = texts(10)
    (found,) = look(records(*base, base[0] + " x"), ("q", "a"), written=False, threshold=0.7)
    assert found.repair is None and found.severity == "note"
    assert found.repairs == ({"kind": "drop-near-duplicates", "threshold": 0.7},)
    assert found.text.endswith("word pairs of q and a are common; records of a table may well look alike.")


def test_chats_are_compared_by_what_is_said_and_examples_are_harmless() -> None:
    base = texts(3)
    chats = [[{"role": "user", "content": "\x1b[31m\u202e" + text}] for text in (*base, base[0] + " x")]
    (found,) = look(records(*chats))
    assert found.count == 1 and "role" not in found.examples[0] and found.examples[0].isprintable()
    assert "\\x1b[31m" in found.examples[0]


def agreed(read: Records, columns: tuple[str, ...], background: tuple[str, ...] = ()) -> int:
    """How many rows the check finds, which are as many as the repair then sets aside."""
    found = look(read, columns, background=background)
    repair = Repair(**found[0].repairs[0]) if found else Repair(kind="drop-near-duplicates")
    done = apply(
        read, [Repair(kind="drop-duplicates"), repair], used=read.columns, compared=columns, background=background
    )
    count = found[0].count if found else 0
    assert len(done.steps[1].aside) == count
    return count


def asked_of(*rows: tuple[str, str]) -> Records:
    cells = [Record(n, n + 1, {"context": one, "question": other}) for n, (one, other) in enumerate(rows, start=1)]
    return Records("x.csv", Path("x.csv"), "csv", "", ("context", "question"), cells)


def test_questions_about_one_context_are_no_copies_and_copies_among_them_are() -> None:
    rng = random.Random(5)
    contexts = [" ".join(rng.choices(WORDS, k=120)) for _ in range(20)]
    rows = [(context, " ".join(rng.choices(WORDS, k=10))) for context in contexts for _ in range(5)]
    assert agreed(asked_of(*rows), ("question",), ("context",)) == 0
    copies = [(rows[7][0], rows[7][1] + "?"), (rows[8][0] + " end", rows[8][1].upper())]
    assert agreed(asked_of(*rows, *copies), ("question",), ("context",)) == 2


def test_one_question_about_many_texts_is_no_copy() -> None:
    rows = [(text, "Is the writer of this letter pleased with what was done?") for text in texts(50)]
    assert agreed(asked_of(*rows), ("question",), ("context",)) == 0


def test_the_parts_of_a_shape_that_rows_share_are_not_compared() -> None:
    roles = {"question": "q", "answer": "a", "context": "c"}
    assert compared_columns("question-answer", roles, ("q", "a", "c")) == (("q", "a"), ("c",))
    roles = {"prompt": "p", "completion": "a", "input": "i", "system": "s"}
    assert compared_columns("prompt-completion", roles, ("p", "a", "i", "s")) == (("p", "a"), ("i",))
    assert compared_columns("chat", {"messages": "m", "tools": "t"}, ("m", "t")) == (("m",), ())
    assert compared_columns("table", {"entity": "n"}, ("n", "c")) == (("n", "c"), ())


def test_chats_with_one_long_system_prompt_are_no_copies() -> None:
    system = " ".join(WORDS[:100])
    chats = [
        [{"role": "system", "content": system}, {"role": "user", "content": one}, {"role": "assistant", "content": two}]
        for one, two in zip(texts(40, seed=8), texts(40, seed=9), strict=True)
    ]
    assert agreed(records(*chats), ("q",)) == 0
    again = [{"role": "system", "content": "Be kind."}, *chats[3][1:]]
    assert agreed(records(*chats, again), ("q",)) == 1


def test_texts_that_differ_by_a_number_are_no_copies() -> None:
    form = "The order {} was shipped from our house in the old town to you on the same day, and is on its way now"
    assert agreed(records(*(form.format(n) for n in range(60))), ("q",)) == 0
    assert agreed(records(*(form.format(n) for n in range(60)), form.format(17) + "!"), ("q",)) == 1


def test_what_is_found_reaches_the_threshold_exactly_and_the_repair_leaves_out_as_many() -> None:
    rng = random.Random(11)
    base = texts(400, seed=12)
    copies = []
    for number, text in enumerate(base):
        words = text.split()
        for at in rng.sample(range(30), number % 4):
            words[at] = "else"
        copies.append(" ".join(words) + " x")
    both = base + copies
    count = agreed(records(*both), ("q",))
    exact = sum(jaccard(one, other) >= 0.8 for one, other in zip(base, copies, strict=True))
    assert 0.97 * exact <= count <= exact
    (found,) = look(records(*both))
    assert dict(found.picture)["80 % alike"] == count
    assert int(found.examples[0].split(", ")[1].split(" %")[0]) >= 80


class Stop:
    """A meter that ends the comparing."""

    def __call__(self, doing: str, done: int, of: int) -> None:
        if doing == COMPARING and done:
            raise Cancelled


def test_comparing_can_be_cancelled_wherever_it_is_done() -> None:
    read = records(*texts(30))
    with pytest.raises(Cancelled):
        look(read, meter=Stop())
    with pytest.raises(Cancelled):
        apply(read, [Repair(kind="drop-near-duplicates", column="q")], used=("q",), meter=Stop())
    split = Split(validation=0.1, test=0.1, seed=1, near=0.8)
    keys = KeyMaker(split)
    for text in texts(30):
        keys.add(Text(text, "a"))
    with pytest.raises(Cancelled):
        find_overlap(keys.keys(), np.array([n % 3 for n in range(30)], np.int8), split, meter=Stop())


def asked(*rows: tuple[str, str]) -> Records:
    cells = [Record(n, n + 1, {"q": one, "a": other}) for n, (one, other) in enumerate(rows, start=1)]
    return Records("x.csv", Path("x.csv"), "csv", "", ("q", "a"), cells)


def test_one_answer_to_a_question_asked_in_many_ways_makes_no_copies() -> None:
    ways = [
        "How do I {}?",
        "How can I {}?",
        "What do I have to do to {}?",
        "Please help me, I need to {}.",
        "{} - how?",
    ]
    rows = [(way.format("reset my password"), texts(1)[0]) for way in ways]
    assert agreed(asked(*rows), ("q", "a")) == 0
    assert agreed(asked(*rows, (rows[0][0].upper(), rows[0][1] + " end")), ("q", "a")) == 1


def test_one_prompt_with_another_answer_is_no_copy() -> None:
    rows = [(text + end, answer) for text in texts(20) for end, answer in (("", "yes"), (" not", "no"))]
    assert agreed(asked(*rows), ("q", "a")) == 0


def test_texts_that_differ_by_a_name_are_no_copies() -> None:
    form = "Please write a letter of welcome to {}, who will join us on the second floor on the first day of the month"
    names = ["Anna Berg", "Ben Klein", "Clara Rossi", "David Novak", "Emma Silva"]
    assert agreed(records(*map(form.format, names)), ("q",)) == 0
    assert agreed(records(*map(form.format, names), form.format(names[1]) + "!"), ("q",)) == 1


def test_what_stands_before_every_text_makes_no_copies() -> None:
    before = " ".join(WORDS[:60])
    short = [" ".join(WORDS[60 + 3 * n : 63 + 3 * n]) for n in range(60)]
    rows = [(f"{before} {text}", "good") for text in short]
    assert agreed(asked(*rows), ("q", "a")) == 0
    assert agreed(asked(*rows, (f"{before}: {short[0]}!", "good")), ("q", "a")) == 1


def test_chats_that_are_asked_the_like_and_answer_otherwise_are_no_copies() -> None:
    long = texts(1)[0]
    pairs = [(f"count the {thing}", f"{long} {thing}") for thing in ("chairs", "tables", "lamps")]
    chats = [[{"role": "user", "content": one}, {"role": "assistant", "content": two}] for one, two in pairs]
    assert agreed(records(*chats), ("q",)) == 0
