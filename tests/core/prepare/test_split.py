"""Who belongs to which part: nobody to two, and nobody moves when rows are added."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunesmith.core.errors import DataError
from tunesmith.core.plan import Split
from tunesmith.core.prepare.split import group_of, part_of, split_rows
from tunesmith.core.rows import SPLITS, Row, ask

THIRDS = Split(by="name", validation=0.3, test=0.3, seed=7)


def row(number: int, group: str = "", question: str = "") -> Row:
    return Row(str(number), ask(question or f"Question {number}?"), "x", group)


def parts(rows: list[Row], plan: Split) -> dict[str, str]:
    return {row.id: name for name, held in split_rows(rows, plan).items() for row in held}


# Enough fixed groups that no part is ever empty.
FIXED = [row(1000 + n, f"Fixed {n}") for n in range(40)]
groups = st.lists(st.text(min_size=1, max_size=6), max_size=40)


@given(groups, groups, st.integers(0, 2**32))
def test_nobody_stands_in_two_parts_and_added_rows_move_nobody(old: list[str], new: list[str], seed: int) -> None:
    plan = THIRDS.model_copy(update={"seed": 7 + seed % 3})
    rows = FIXED + [row(n, group) for n, group in enumerate(old)]
    before = split_rows(rows, plan)
    held = {name: {group_of(one) for one in before[name]} for name in SPLITS}
    assert (
        not held["train"] & held["test"]
        and not held["train"] & held["validation"]
        and not held["validation"] & held["test"]
    )
    assert sum(map(len, before.values())) == len(rows)
    where = parts(rows, plan)
    later = parts(rows + [row(n, group) for n, group in enumerate(new, start=5000)], plan)
    assert {id_: later[id_] for id_ in where} == where


def test_one_person_written_in_two_ways_is_one_person() -> None:
    assert group_of(row(1, "Alice  Smith ")) == group_of(row(2, "alice smith"))


def test_without_a_group_equal_prompts_stay_together_and_others_are_spread() -> None:
    plan = Split(by=None, validation=0.2, test=0.2, seed=1)
    rows = [row(n, question=f"Question {n // 2}?") for n in range(400)]
    where = parts(rows, plan)
    assert all(where[str(n)] == where[str(n + 1)] for n in range(0, 400, 2))
    assert set(where.values()) == set(SPLITS)


def test_rows_keep_their_order_in_each_part() -> None:
    for held in split_rows([row(n) for n in range(200)], Split(by=None, validation=0.2, test=0.2, seed=1)).values():
        assert [int(one.id) for one in held] == sorted(int(one.id) for one in held)


def test_shares_are_met_about() -> None:
    found = [part_of(f"Person {n}", Split(validation=0.05, test=0.25, seed=3)) for n in range(20_000)]
    assert abs(found.count("test") / 20_000 - 0.25) < 0.01
    assert abs(found.count("validation") / 20_000 - 0.05) < 0.006


def test_another_seed_gives_other_parts() -> None:
    rows = [row(n, f"Person {n}") for n in range(100)]
    assert parts(rows, THIRDS) != parts(rows, THIRDS.model_copy(update={"seed": 8}))


def test_the_test_part_does_not_depend_on_the_validation_share() -> None:
    rows = [row(n, f"Person {n}") for n in range(100)]
    wide = split_rows(rows, THIRDS)["test"]
    assert split_rows(rows, THIRDS.model_copy(update={"validation": 0.1}))["test"] == wide


def test_the_parts_are_the_same_on_every_machine() -> None:
    found = [part_of(name, THIRDS) for name in ("Alice Smith", "Bob", "Carol", "Dave", "Eve", "Zoë")]
    assert found == ["test", "train", "validation", "test", "train", "test"]


def test_too_few_rows_are_refused_with_what_helps() -> None:
    with pytest.raises(DataError) as caught:
        split_rows([row(1, "Alice"), row(2, "Alice")], Split(by="name", validation=0.1, test=0.01, seed=7))
    assert caught.value.title == ("There are too few rows: of 1 value of name none falls into the validation part.")
    assert caught.value.next_step == "Add rows, raise prepare.split.validation, or try another prepare.split.seed."
    with pytest.raises(DataError, match=r"of 1 prompt none .* train part\. Add rows, lower prepare\.split\.test,"):
        split_rows([row(1)], Split(by=None, validation=0.5, test=0.5, seed=7))


def test_a_plan_without_validation_is_taken_at_its_word() -> None:
    found = split_rows([row(n) for n in range(100)], Split(by=None, validation=0, test=0.3, seed=7))
    assert not found["validation"] and found["train"] and found["test"]
