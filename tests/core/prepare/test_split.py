"""Who belongs to which part: nobody to two, and nobody moves when rows are added."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunesmith.core.errors import DataError
from tunesmith.core.plan import Split
from tunesmith.core.prepare.split import TEST, TRAIN, VALIDATION, assign, group_value, place_of, split_rows
from tunesmith.core.rows import SPLITS, Row, ask

THIRDS = Split(by="name", validation=0.3, test=0.3, seed=7)


def row(number: int, group: str = "", question: str = "") -> Row:
    return Row(str(number), ask(question or f"Question {number}?"), "x", group)


def parts(rows: list[Row], plan: Split) -> dict[str, str]:
    return {row.id: name for name, held in split_rows(rows, plan).items() for row in held}


def part_of(value: str, plan: Split) -> str:
    """The part of a group's value when its place alone decides."""
    place = place_of(value, plan.seed)
    return "test" if place < plan.test else "validation" if place < plan.test + plan.validation else "train"


def places(values: list[str], seed: int = 7) -> np.ndarray:
    return np.array([place_of(value, seed) for value in values])


# Enough fixed groups that no part is ever empty.
FIXED = [row(1000 + n, f"Fixed {n}") for n in range(40)]
groups = st.lists(st.text(min_size=1, max_size=6), max_size=40)


@given(groups, groups, st.integers(0, 2**32))
def test_nobody_stands_in_two_parts_and_added_rows_move_nobody(old: list[str], new: list[str], seed: int) -> None:
    plan = THIRDS.model_copy(update={"seed": 7 + seed % 3})
    rows = FIXED + [row(n, group) for n, group in enumerate(old)]
    before = split_rows(rows, plan)
    held = {name: {group_value(one) for one in before[name]} for name in SPLITS}
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
    assert group_value(row(1, "Alice  Smith ")) == group_value(row(2, "alice smith"))


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
    assert caught.value.title == (
        "There are too few rows to divide: of 1 different value of name none is left for the part "
        "to watch the training by (validation)."
    )
    assert caught.value.next_step == (
        "Add rows, name another column or none for what must never be in two parts (prepare.split.by), "
        "raise the share of the validation (prepare.split.validation), or try another prepare.split.seed."
    )
    with pytest.raises(DataError, match=r"of 1 prompt none .* \(train\)\. .*Add rows, lower the share of the test"):
        split_rows([row(1)], Split(by=None, validation=0.5, test=0.5, seed=7))


def test_a_plan_without_validation_is_taken_at_its_word() -> None:
    found = split_rows([row(n) for n in range(100)], Split(by=None, validation=0, test=0.3, seed=7))
    assert not found["validation"] and found["train"] and found["test"]


def test_places_are_the_digest_s_first_64_bits() -> None:
    for value in ("alice smith", "", "Zoë", "\ud800", "a\0b"):
        digest = hashlib.blake2b(b"7\0" + value.encode(errors="surrogatepass"), digest_size=8).digest()
        assert place_of(value, 7) == int.from_bytes(digest, "big") / 2**64 < 1


def test_plain_texts_without_a_prompt_are_groups_of_their_own() -> None:
    assert group_value(Row("1", [], "one text")) != group_value(Row("2", [], "another"))


def test_the_arrays_say_what_the_hash_says() -> None:
    values = [f"person {n % 700}" for n in range(2000)]
    for validation, test in ((0.05, 0.25), (0, 0.1), (0.1, 0.2), (0.15, 0.15)):
        plan = Split(validation=validation, test=test, seed=3)
        codes = assign(places(values, 3), plan)
        assert [SPLITS[code] for code in codes] == [part_of(value, plan) for value in values]


sized = st.lists(st.integers(1, 4), min_size=12, max_size=60)  # rows of each group
sizes_of_parts = st.sampled_from([0, 0.1, 0.3, 1, 5, 9])


@given(sized, sized, sizes_of_parts, sizes_of_parts.filter(bool), st.integers(0, 99))
def test_groups_stay_whole_and_added_rows_never_bring_an_old_one_nearer_to_the_test(
    old: list[int], new: list[int], validation: float, test: float, seed: int
) -> None:
    plan = Split(validation=validation, test=test, seed=seed)
    before = [f"old {n}" for n, size in enumerate(old) for _ in range(size)]
    # New groups, and more rows of old ones.
    after = before + [f"{'old' if n % 3 == 0 else 'new'} {n}" for n, size in enumerate(new) for _ in range(size)]
    try:
        first, second = (assign(places(values, seed), plan) for values in (before, after))
    except DataError:
        return
    for values, codes in ((before, first), (after, second)):
        assert len({(value, code) for value, code in zip(values, codes, strict=True)}) == len(set(values))
    assert (second[: len(before)] <= first).all()
    if test < 1:
        assert ((second[: len(before)] == TEST) == (first == TEST)).all()


def test_a_number_of_rows_is_met_about() -> None:
    values = [f"person {n // 2}" for n in range(2000)]
    codes = assign(places(values), Split(validation=51, test=200, seed=7))
    assert (codes == TEST).sum() == 200
    assert abs((codes == VALIDATION).sum() - 51) <= 1
    whole = assign(places(["big"] * 50 + [f"small {n}" for n in range(50)]), Split(validation=0, test=10, seed=7))
    assert (whole == TEST).sum() <= 60


def test_a_number_that_takes_every_row_leaves_nothing_to_train_on() -> None:
    with pytest.raises(DataError, match=r"to train on \(train\)\. .*Add rows, lower the share of the test"):
        assign(places([f"{n}" for n in range(50)]), Split(validation=0, test=50, seed=7))


def test_every_label_has_the_same_share_in_each_part_and_a_rare_one_is_in_the_test() -> None:
    labels = ["common"] * 4000 + ["rare"] * 3 + ["Middle"] * 200 + ["middle "] * 200 + ["single"]
    plan = Split(stratify="label", validation=0.05, test=0.1, seed=7)
    codes = assign(places([str(n) for n in range(len(labels))]), plan, labels=labels)
    told = np.array([label.casefold().strip() for label in labels])
    for label, test, validation in (("common", 400, 200), ("middle", 40, 20), ("rare", 1, 0), ("single", 0, 0)):
        assert (codes[told == label] == TEST).sum() == test, label
        assert abs((codes[told == label] == VALIDATION).sum() - validation) <= 1, label


@given(
    st.lists(st.tuples(st.integers(0, 30), st.sampled_from("abcdefgh")), min_size=30, max_size=120),
    st.sampled_from([0.02, 0.2, 3]),
    st.sampled_from([0, 0.1, 4]),
)
def test_balanced_parts_keep_groups_whole_and_no_label_of_two_groups_is_missing(
    rows: list[tuple[int, str]], test: float, validation: float
) -> None:
    plan = Split(stratify="label", validation=validation, test=test, seed=7)
    values, labels = [f"person {n}" for n, _ in rows], [label for _, label in rows]
    try:
        codes = assign(places(values), plan, labels=labels)
    except DataError:
        return
    where = dict(zip(values, codes.tolist(), strict=True))
    assert [where[value] for value in values] == codes.tolist()
    own: dict[str, dict[str, int]] = {}
    for value, label in zip(values, labels, strict=True):
        own.setdefault(value, {}).setdefault(label, 0)
        own[value][label] += 1
    usual = {value: max(sorted(held), key=lambda label, held=held: held[label]) for value, held in own.items()}
    for label in set(usual.values()):
        parts = [where[value] for value, its in usual.items() if its == label]
        assert TRAIN in parts
        assert (TEST in parts) == (len(parts) > 1)
    turned = assign(places(values)[::-1], plan, labels=labels[::-1])
    assert (turned[::-1] == codes).all()


def test_many_rare_labels_still_give_a_validation() -> None:
    labels = [f"label {n // 8}" for n in range(400)]
    plan = Split(stratify="label", validation=0.05, test=0.1, seed=7)
    codes = assign(places([str(n) for n in range(400)]), plan, labels=labels)
    assert (codes == VALIDATION).sum() == 20


def test_labels_that_stand_once_each_are_refused() -> None:
    plan = Split(stratify="id", validation=0.05, test=0.1, seed=7)
    with pytest.raises(DataError, match=r"see that the labels in id stand in several rows each"):
        assign(places([str(n) for n in range(50)]), plan, labels=[str(n) for n in range(50)])


def test_the_newest_are_the_test_and_people_go_by_their_newest_row() -> None:
    days = [f"2020-01-{n + 1:02}" for n in range(20)]
    values = [f"person {n}" for n in range(20)]
    plan = Split(time="day", validation=0.1, test=0.2, seed=7)
    codes = assign(places(values), plan, times=days)
    assert codes.tolist() == [TRAIN] * 14 + [VALIDATION] * 2 + [TEST] * 4
    values[0] = values[19]
    codes = assign(places(values), plan, times=days)
    assert codes[0] == codes[19] == TEST and (codes == TEST).sum() == 4


def test_rows_without_a_readable_date_are_trained_on_and_take_no_share() -> None:
    days = [f"2020-01-{n + 1:02}" for n in range(20)] + ["", "soon", "31.31.2020"] * 10
    plan = Split(time="day", validation=0, test=0.2, seed=7)
    codes = assign(places([str(n) for n in range(50)]), plan, times=days)
    assert np.flatnonzero(codes == TEST).tolist() == [16, 17, 18, 19]
    with pytest.raises(DataError, match=r"\(test\)\. .* see that day holds dates that can be read"):
        assign(places([str(n) for n in range(20)]), plan, times=["soon"] * 20)


def test_of_one_day_at_the_cut_the_hash_decides() -> None:
    values = [str(n) for n in range(100)]
    plan = Split(time="day", validation=0, test=0.2, seed=7)
    codes = assign(places(values), plan, times=["2020-01-01"] * 100)
    assert set(np.argsort(places(values))[:20]) == set(np.flatnonzero(codes == TEST))


def test_with_a_test_file_none_of_the_own_rows_is_for_the_test() -> None:
    values = [str(n) for n in range(1000)]
    for plan in (
        Split(test_file="t.csv", validation=0.1, test=0.25, seed=7),
        Split(test_file="t.csv", validation=0.1, test=0, seed=7),
        Split(test_file="t.csv", validation=0.1, test=0.25, stratify="label", seed=7),
        Split(test_file="t.csv", validation=100, test=25, time="day", seed=7),
    ):
        codes = assign(places(values), plan, labels=["a"] * 1000, times=["2020"] * 1000)
        assert not (codes == TEST).any()
        assert 70 < (codes == VALIDATION).sum() < 130


def test_rows_tell_their_label_and_date_themselves() -> None:
    rows = [
        Row(str(n), ask(f"{n}?"), "x", slices={"kind": "ab"[n % 2]}, record={"day": f"2020-01-{n + 1:02}"})
        for n in range(30)
    ]
    newest = split_rows(rows, Split(time="day", validation=0, test=3, seed=7))["test"]
    assert [one.id for one in newest] == ["27", "28", "29"]
    balanced = split_rows(rows, Split(stratify="kind", validation=0, test=0.2, seed=7))["test"]
    assert sorted(one.slices["kind"] for one in balanced) == ["a"] * 3 + ["b"] * 3


def test_a_plan_that_needs_labels_or_times_is_not_run_without() -> None:
    with pytest.raises(ValueError, match="labels"):
        assign(places(["a", "b"]), Split(stratify="x", validation=0, test=0.5, seed=7))
    with pytest.raises(ValueError, match="times"):
        assign(places(["a", "b"]), Split(time="x", validation=0, test=0.5, seed=7))
