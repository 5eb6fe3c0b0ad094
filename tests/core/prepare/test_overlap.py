"""Rows that stand in two parts: found word by word and nearly, and gone from all but one of them afterwards."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tunesmith.core.errors import DataError
from tunesmith.core.meter import Cancelled
from tunesmith.core.plan import Split
from tunesmith.core.prepare import overlap
from tunesmith.core.prepare.compared import KeyMaker, Text, text_of
from tunesmith.core.prepare.overlap import DROPPED, Overlap, find_overlap
from tunesmith.core.prepare.split import TEST, TRAIN, VALIDATION
from tunesmith.core.rows import Message, Row, ask

PLAN = Split(validation=0.1, test=0.2, seed=7)


def plan(**changes: object) -> Split:
    return Split.model_validate({**PLAN.model_dump(), **changes})


def texts(rows: Iterable[tuple[str, str]]) -> list[Text]:
    return [Text(prompt, answer) for prompt, answer in rows]


def compare(told: Iterable[Text], parts: np.ndarray, wanted: Split, **more: Any) -> Overlap:
    keys = KeyMaker(wanted)
    for one in told:
        keys.add(one)
    return find_overlap(keys.keys(), parts, wanted, **more)


def codes(*parts: int) -> np.ndarray:
    return np.array(parts, np.int8)


# Rows that overlap with nothing, so that no part is left empty.
FILL = [("fill one", "1"), ("fill two", "2"), ("fill three", "3")]
FILL_PARTS = (TRAIN, VALIDATION, TEST)


def run(rows: list[tuple[str, str]], parts: list[int], wanted: Split = PLAN, **more: object) -> Overlap:
    return compare(texts(FILL + rows), codes(*FILL_PARTS, *parts), wanted, **more)


def test_a_training_row_that_the_test_has_is_left_out_and_told() -> None:
    rows = [("What is  IT?", "a"), ("what is it? ", "A"), ("What is it?", "b"), ("Another?", "a"), ("Another?", "c")]
    found = run(rows, [TEST, TRAIN, TRAIN, VALIDATION, TRAIN])
    assert found.parts.tolist()[3:] == [TEST, DROPPED, DROPPED, VALIDATION, DROPPED]
    assert [(one.part, one.other, one.same, one.prompt, one.near) for one in found.shared] == [
        ("train", "test", 1, 1, 0),
        ("train", "validation", 0, 1, 0),
    ]
    assert (found.dropped, found.moved) == (3, 0)
    assert found.text == (
        "2 rows of the training stand in the test, too: 1 word by word, 1 with another answer.",
        "1 row of the training stands in the validation, too: 1 with another answer.",
        "3 rows were left out.",
    )


def test_a_validation_row_that_the_test_has_is_left_out_as_well() -> None:
    found = run([("q", "a")] * 3, [TRAIN, VALIDATION, TEST])
    assert found.parts.tolist()[3:] == [DROPPED, DROPPED, TEST]


def test_nothing_in_common_is_nothing_to_tell() -> None:
    found = run([("a", "x"), ("b", "x"), ("c", "x")], [TRAIN, VALIDATION, TEST])
    assert (found.shared, found.text, found.examples, found.dropped) == ((), (), (), 0)


def test_plain_texts_are_compared_whole() -> None:
    found = run([("", "one text"), ("", "another text"), ("", "One  text")], [TRAIN, TRAIN, TEST])
    assert found.parts.tolist()[3:] == [DROPPED, TRAIN, TEST]


def test_kept_rows_are_counted_and_stay() -> None:
    found = run([("q", "a")] * 2, [TRAIN, TEST], plan(overlap="keep"))
    assert found.parts.tolist()[3:] == [TRAIN, TEST]
    assert found.shared[0].same == 1 and found.dropped == found.moved == 0
    assert found.text[-1] == "They stay, as the plan says; a score on what was trained on says nothing."


def test_moved_rows_go_to_the_part_that_has_them_and_the_test_goes_first() -> None:
    rows = [("q", "a"), ("q", "a"), ("r", "a"), ("r", "a"), ("q", "a")]
    found = run(rows, [TRAIN, TEST, TRAIN, VALIDATION, VALIDATION], plan(overlap="move"))
    assert found.parts.tolist()[3:] == [TEST, TEST, VALIDATION, VALIDATION, TEST]
    assert (found.moved, found.dropped) == (3, 0)
    assert found.text[-1] == "3 rows moved to the part that has them, too."


def test_a_row_whose_group_stays_is_left_out_rather_than_moved() -> None:
    rows = [("q", "a"), ("own", "a"), ("q", "a"), ("r", "b"), ("q", "c")]
    groups = np.array([0.1, 0.2, 0.3, 0.4, 0.4, 0.5, 0.5, 0.6])
    found = run(rows, [TRAIN, TRAIN, TEST, TEST, TRAIN], plan(overlap="move", by="person"), groups=groups)
    assert found.parts.tolist()[3:] == [DROPPED, TRAIN, TEST, TEST, TEST]
    assert found.text[-1] == "1 row was left out: the rest of their groups stays, or your own files have them."


LONG = "the quick brown fox jumps over the lazy dog while seven wizards quietly make toxic brew for the queen of jacks"


def test_rows_that_are_nearly_the_same_are_found_where_the_plan_says_how_near() -> None:
    rows = [(LONG, "a"), (LONG.replace("lazy", "sleepy"), "a"), ("something else entirely, with other words", "a")]
    assert run(rows, [TEST, TRAIN, TRAIN]).dropped == 0
    found = run(rows, [TEST, TRAIN, TRAIN], plan(near=0.7))
    assert found.parts.tolist()[3:] == [TEST, DROPPED, TRAIN]
    assert (found.shared[0].near, found.shared[0].same) == (1, 0)
    assert [(one.row, one.other, one.near) for one in found.examples] == [(4, 3, True)]
    assert "1 nearly the same" in found.text[0]


def test_filled_in_forms_that_differ_by_their_numbers_are_no_overlap() -> None:
    said = "What is the state of order {0}, which was placed by a customer? It was shipped and will arrive in two days."
    rows = [(said.format(n), "") for n in range(40)]
    found = run(rows, [TRAIN] * 30 + [TEST] * 10, plan(near=0.8))
    assert (found.dropped, found.shared) == (0, ())


def test_a_row_is_found_in_a_file_that_numbers_its_texts(tmp_path: Path) -> None:
    (tmp_path / "bench.csv").write_text(f"id,text\n17,{LONG}\n")
    found = run([(LONG.replace("lazy", "sleepy"), "")], [TRAIN], plan(compare=["bench.csv"], near=0.7), base=tmp_path)
    assert found.parts[3] == DROPPED


def test_copies_of_a_row_that_is_nearly_in_the_test_go_with_it() -> None:
    rows = [(LONG.replace("lazy", "sleepy"), "a")] * 40 + [(LONG, "a")]
    found = run(rows, [TRAIN] * 40 + [TEST], plan(near=0.7))
    assert found.dropped == 40 and found.shared[0].near == 40


def test_what_is_nearly_a_moved_row_is_left_out_so_that_moving_ends() -> None:
    first, second = LONG.replace("lazy", "sleepy"), LONG.replace("lazy", "sleepy").replace("seven", "eleven")
    rows = [(LONG, "a"), (first, "a"), (second, "a"), (second.replace("toxic", "bitter"), "a")]
    found = run(rows, [TEST, TRAIN, TRAIN, TRAIN], plan(near=0.8, overlap="move"))
    moved, left = found.parts.tolist()[4:6]
    assert (moved, left) == (TEST, DROPPED)
    again = compare(texts(FILL + rows), found.parts, plan(near=0.8))
    assert not again.shared


def test_own_files_are_held_against_training_and_validation(tmp_path: Path) -> None:
    (tmp_path / "bench.csv").write_text("question,choice\nWhich river flows through Vienna?,The Danube\nIs it?,no\n")
    (tmp_path / "chats.jsonl").write_text(
        '{"messages": [{"role": "user", "content": "Name the longest river of Europe, please."}]}\n'
    )
    rows = [
        ("which river flows  through vienna?", "The Rhine"),
        ("Is it?", "no"),
        ("Is it?", "yes"),
        ("The Danube", "x"),
        ("Name the longest river of Europe, please.", "The Volga"),
        ("Which river flows through Vienna?", "The Danube"),
    ]
    wanted = plan(compare=["bench.csv", "chats.jsonl"])
    found = run(rows, [TRAIN, VALIDATION, TRAIN, TRAIN, TRAIN, TEST], wanted, base=tmp_path)
    assert found.parts.tolist()[3:] == [DROPPED, DROPPED, TRAIN, TRAIN, DROPPED, TEST]
    files = {one.part: one.same for one in found.shared if one.other == "files"}
    assert files == {"train": 2, "validation": 1}
    assert "2 rows of the training stand in your own files, too: 2 word by word." in found.text
    moved = run(
        rows,
        [TRAIN, VALIDATION, TRAIN, TRAIN, TRAIN, TRAIN],
        plan(compare=["bench.csv"], overlap="move"),
        base=tmp_path,
    )
    assert moved.parts.tolist()[3:5] == [DROPPED, DROPPED]


def test_a_question_is_found_in_a_file_though_its_prompt_shows_more(tmp_path: Path) -> None:
    (tmp_path / "bench.csv").write_text("question\nWhich river flows through Vienna?\n")
    row = Row("1", ask("Which river flows through Vienna?", "Vienna lies on the Danube.", "Be brief."), "x")
    row = Row("1", row.prompt, "x", question="Which river flows through Vienna?")
    held = [*texts(FILL), text_of(row)]
    found = compare(held, codes(*FILL_PARTS, TRAIN), plan(compare=["bench.csv"]), base=tmp_path)
    assert found.parts[3] == DROPPED


def test_own_files_are_compared_by_likeness_too(tmp_path: Path) -> None:
    (tmp_path / "bench.csv").write_text(f"text\n{LONG}\n")
    found = run([(LONG.replace("lazy", "sleepy"), "")], [TRAIN], plan(compare=["bench.csv"], near=0.7), base=tmp_path)
    assert found.parts[3] == DROPPED and found.shared[0].near == 1


def test_a_person_of_a_test_file_is_not_trained_on() -> None:
    groups = np.array([0.1, 0.2, 0.3, 0.4, 0.4])
    found = run([("q", "a"), ("r", "b")], [TRAIN, TEST], plan(by="name", test_file="t.csv"), groups=groups)
    assert found.parts.tolist()[3:] == [DROPPED, TEST]
    assert found.text[0] == "1 row of the training stands in the test, too: 1 only by its name."


def test_examples_are_harmless() -> None:
    rows = [("write to jane@example.com \x1b[31m\u202e", "a")] * 2
    held = FILL + rows
    found = run(rows, [TRAIN, TEST], text_at=lambda index: held[index][0])
    (example,) = found.examples
    assert (example.row, example.other, example.near) == (3, 4, False)
    assert example.text == example.other_text == r"write to [EMAIL] \x1b[31m\u202e"


def test_a_part_that_would_be_left_empty_is_refused() -> None:
    with pytest.raises(DataError, match="Every row of the training stands in another part"):
        compare(texts([("q", "a")] * 2), codes(TRAIN, TEST), PLAN)


def test_the_system_prompt_is_no_sign_of_an_overlap() -> None:
    row = Row(
        "1",
        [Message("system", "Be brief."), Message("user", "Hi"), Message("assistant", "Yes"), Message("user", "So")],
        "x",
    )
    assert text_of(row) == Text("Hi\nYes\nSo", "x", "")


def test_it_can_be_cancelled() -> None:
    def stop(doing: str, done: int, of: int) -> None:
        raise Cancelled

    rows = [(f"question {n}", "x") for n in range(9000)]
    with pytest.raises(Cancelled):
        compare(texts(rows), np.zeros(9000, np.int8), PLAN, meter=stop)


some_rows = st.lists(
    st.tuples(
        st.sampled_from(["q", "Q ", "r", "s", "t", "", LONG, LONG.replace("lazy", "sleepy")]),
        st.sampled_from("aAb"),
        st.sampled_from([TRAIN, VALIDATION, TEST]),
        st.integers(0, 6),
    ),
    max_size=25,
)


@given(some_rows, st.sampled_from(["drop", "move", "keep"]), st.sampled_from([None, 0.7]), st.booleans())
@settings(deadline=None)
def test_nothing_is_lost_or_invented_and_no_overlap_is_left(
    rows: list[tuple[str, str, int, int]], overlap: str, near: float | None, grouped: bool
) -> None:
    wanted = plan(overlap=overlap, near=near)
    # A group is in one part: its rows go where its first one is.
    home: dict[int, int] = {}
    parts = [home.setdefault(group, part) if grouped else part for _, _, part, group in rows]
    own = np.array([*(n / 100 for n in range(3)), *((10 + group) / 100 for *_, group in rows)])
    groups = own if grouped else np.arange(len(rows) + 3, dtype=float)
    told = [(prompt, answer) for prompt, answer, _, _ in rows]
    found = run(told, parts, wanted, groups=groups)
    before = codes(*FILL_PARTS, *parts)
    assert found.parts.shape == before.shape
    assert found.dropped == (found.parts == DROPPED).sum()
    assert found.moved == ((found.parts != before) & (found.parts != DROPPED)).sum()
    assert (found.parts[found.parts != DROPPED] >= before[found.parts != DROPPED]).all(), "only towards the test"
    if overlap == "keep":
        assert (found.parts == before).all()
        return
    left = found.parts != DROPPED
    for value in set(groups[left].tolist()):
        assert len(set(found.parts[left & (groups == value)].tolist())) == 1
    keys: dict[str, set[int]] = {}
    for (prompt, answer), part in zip(FILL + told, found.parts.tolist(), strict=True):
        if part != DROPPED:
            keys.setdefault((" ".join(prompt.casefold().split()) or answer.casefold()), set()).add(part)
    assert all(len(held) == 1 for held in keys.values())
    assert not compare(texts(FILL + told), found.parts, wanted, groups=groups).shared


def test_forms_that_differ_by_their_names_are_no_overlap() -> None:
    said = "Write a short note of welcome for {0}, who joins us on the second floor and will work there with all of us."
    rows = [(said.format(f"{one} {two}"), "") for one in ("Anna", "Ben", "Clara") for two in ("Berg", "Klein", "Rossi")]
    assert run(rows, [TRAIN] * 6 + [TEST] * 3, plan(near=0.8)).dropped == 0


def exactly(rows: list[tuple[str, str]], parts: list[int]) -> Overlap:
    held = texts(FILL + rows)
    return run(rows, parts, plan(near=0.8), told_at=lambda numbers: [held[number] for number in numbers])


def test_a_question_asked_in_other_words_is_no_overlap_though_its_long_answer_is_the_same() -> None:
    rows = [("How do I return it?", LONG), ("What has to be done to return it?", LONG)]
    assert exactly(rows, [TRAIN, TEST]).dropped == 0
    assert exactly([*rows, ("How do I return it", LONG + " end")], [TRAIN, TRAIN, TEST]).dropped == 1


def test_many_pairs_are_compared_some_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [(LONG.replace("lazy", word), "yes") for word in ("lazy", "weary", "sleepy", "slow")]
    whole = exactly(rows, [TEST, TRAIN, TRAIN, TRAIN])
    monkeypatch.setattr(overlap, "PAIRS", 1)
    assert exactly(rows, [TEST, TRAIN, TRAIN, TRAIN]).parts.tolist() == whole.parts.tolist()
    assert whole.dropped == 3


def test_one_schema_before_every_question_is_no_overlap() -> None:
    schema = " ".join(f"column{n}" for n in range(80))
    rows = [(f"{schema} how many {n}s", f"count {n}") for n in (f"thing{n}" for n in range(40))]
    assert exactly(rows, [TRAIN] * 30 + [TEST] * 10).dropped == 0
