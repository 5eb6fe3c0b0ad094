"""Whole recipes: nothing is lost or invented, the source stays as it is, and mending what is mended changes nothing."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.core.prepare.repair.kit import cells, column, mend, records, whys
from tunesmith.core.errors import PlanError
from tunesmith.core.meter import Cancelled
from tunesmith.core.plan import Repair, RepairKind
from tunesmith.core.prepare.repair.apply import apply

NAMES = ("a", "b")
some_text = st.text(alphabet='ab \n\t\u200bé<>&;[]{}"/p0159-.,$€Ã©', max_size=12)
cell = (
    st.sampled_from(["", "x", "5", "-5", "500", "1.234,5 €", "2020-04-10", "25/03/2019", "03/11/2019", None, 7, "<p>x"])
    | some_text
    | st.lists(st.fixed_dictionaries({"role": st.just("user"), "content": some_text}), max_size=2)
)
tables = st.lists(st.fixed_dictionaries({}, optional={"a": cell, "b": cell}), max_size=25)
column_names = st.sampled_from(NAMES)
steps = st.one_of(
    st.builds(Repair, kind=st.just("drop-duplicates"), column=column_names | st.none()),
    st.builds(Repair, kind=st.just("drop-near-duplicates"), column=column_names | st.none(), threshold=st.just(0.5)),
    st.builds(Repair, kind=st.just("drop-empty"), column=column_names | st.none()),
    st.builds(Repair, kind=st.just("fill-empty"), column=column_names, value=st.just("x")),
    st.builds(Repair, kind=st.just("drop-values"), column=column_names, names=st.just(["x", "5"])),
    st.builds(Repair, kind=st.sampled_from(["dates-to-iso", "plain-numbers"]), column=column_names),
    st.builds(Repair, kind=st.just("drop-out-of-range"), column=column_names, low=st.just(0.0), high=st.just(100.0)),
    st.builds(Repair, kind=st.just("unify-labels"), column=column_names, values=st.just({"x": "y", "5": "y"})),
    st.builds(
        Repair, kind=st.sampled_from(["fix-encoding", "strip-html", "tidy-text"]), column=column_names | st.none()
    ),
    st.builds(Repair, kind=st.just("drop-short"), column=column_names | st.none(), low=st.just(2)),
    st.builds(Repair, kind=st.just("drop-long"), column=column_names | st.none(), high=st.just(5)),
    st.builds(Repair, kind=st.just("drop-contradictions"), keep=st.sampled_from(["first", "most", "none", None])),
    st.builds(Repair, kind=st.just("drop-repeated-answers"), names=st.just(["x"])),
    st.builds(Repair, kind=st.just("keep-languages"), names=st.just(["en"])),
    st.builds(Repair, kind=st.sampled_from(["mask-personal", "drop-personal"])),
)
recipes = st.lists(steps, max_size=6)


@settings(max_examples=150, deadline=None)
@given(tables, recipes)
def test_what_is_kept_and_what_is_set_aside_make_up_what_was_read(
    rows: list[dict[str, Any]], recipe: list[Repair]
) -> None:
    read = records([{"a": "", **row} for row in rows] if rows else [])
    before = copy.deepcopy([row.values for row in read.rows])
    done = apply(read, recipe, used=NAMES, prompts=["a"], answers=["b"])
    left = list(done.view.records())
    numbers = [row.number for row in left]
    aside = list(done.aside())
    assert sorted(numbers + [one.number for one in aside]) == [row.number for row in read.rows]
    assert numbers == sorted(numbers) and len(done.view) == len(numbers) and len(aside) == done.set_aside
    assert [row.values for row in read.rows] == before, "the source stays as it was"
    assert all(one.record == read.rows[one.number - 1] for one in aside)
    whole = len(read.rows)
    for step in done.steps:
        assert (step.before, step.after) == (whole, whole - len(step.aside))
        assert step.changed <= step.after and step.text
        whole = step.after
    again = apply(read, recipe, used=NAMES, prompts=["a"], answers=["b"])
    assert list(again.view.records()) == left and list(again.aside()) == aside, "the same recipe gives the same"
    if not done.steps:
        assert left == list(read.rows)


@settings(max_examples=150, deadline=None)
@given(tables, recipes)
def test_batches_and_records_hold_the_same(rows: list[dict[str, Any]], recipe: list[Repair]) -> None:
    from tunesmith.core.prepare.cells import cell as text_in

    read = records(rows)
    done = apply(read, recipe, used=read.columns, prompts=["a"], answers=["b"]) if read.columns == NAMES else mend(read)
    for size in (1, 4, 8192):
        batches = list(done.view.batches(size=size))
        for name in read.columns:
            told = [text for batch in batches for text in batch.columns[name]]
            assert told == [text_in(row.values, name) for row in done.view.records()]
        assert [n for batch in batches for n in batch.numbers] == [row.number for row in done.view.records()]
        assert [n for batch in batches for n in batch.lines] == [row.line for row in done.view.records()]


MENDING: list[Repair] = [
    Repair(kind="fix-encoding"),
    Repair(kind="tidy-text"),
    Repair(kind="dates-to-iso", column="a"),
    Repair(kind="plain-numbers", column="a"),
    Repair(kind="unify-labels", column="a", values={"x": "y"}),
    Repair(kind="fill-empty", column="a", value="none"),
    Repair(kind="drop-duplicates"),
    Repair(kind="drop-near-duplicates", threshold=0.6),
    Repair(kind="drop-contradictions", keep="most"),
    Repair(kind="mask-personal"),
]


@pytest.mark.parametrize("repair", MENDING, ids=lambda repair: repair.kind)
@settings(max_examples=60, deadline=None)
@given(rows=st.lists(st.fixed_dictionaries({"a": cell, "b": cell}), max_size=12))
def test_mending_what_is_mended_changes_nothing(repair: Repair, rows: list[dict[str, Any]]) -> None:
    once = apply(records(rows), [repair], used=NAMES, prompts=["b"], answers=["a"])
    twice = apply(records(rows), [repair, repair], used=NAMES, prompts=["b"], answers=["a"])
    assert list(twice.view.records()) == list(once.view.records())
    assert not len(twice.steps[1].aside) and not twice.steps[1].changed


@given(st.text(alphabet="ab <p>/b", max_size=30))
def test_text_without_escaped_html_is_stripped_once_and_for_all(text: str) -> None:
    repair = Repair(kind="strip-html")
    once = cells(mend(column("t", text), repair), "t")
    assert cells(mend(column("t", *once), repair), "t") == once


# Order, places and the rest


def test_steps_run_in_their_order_on_what_the_ones_before_left() -> None:
    read = column("a", "<p>x</p>", "x", "y", "")
    strip, drop = Repair(kind="strip-html"), Repair(kind="drop-duplicates")
    assert cells(mend(read, strip, drop), "a") == ["x", "y", ""]
    assert cells(mend(read, drop, strip), "a") == ["x", "x", "y", ""]


def test_a_cell_that_is_changed_twice_holds_the_last_change() -> None:
    first = Repair(kind="unify-labels", column="a", values={"x": "y"})
    second = Repair(kind="unify-labels", column="a", values={"y": "z", "w": "v"})
    done = mend(column("a", "x", "y", "w", "u"), first, second)
    assert cells(done, "a") == ["z", "z", "v", "u"]
    assert [step.changed for step in done.steps] == [1, 3]


def test_many_rows_set_aside_are_told_with_their_records() -> None:
    read = column("a", *(["x", ""] * 20_000))
    done = mend(read, Repair(kind="drop-empty", column="a"))
    assert len(done.view) == done.set_aside == 20_000
    assert [one.number for one in done.aside()] == list(range(2, 40_001, 2))
    assert done.steps[0].aside.positions.nbytes == 8 * 20_000


def test_what_is_shown_of_changes_begins_where_they_differ_and_is_harmless() -> None:
    done = mend(column("a", "word " * 100 + "\x1b[31mred  [bold]"), Repair(kind="tidy-text"))
    place, before, after = done.steps[0].examples[0]
    assert place == "line 2, a"
    assert before.startswith("…") and "\\x1b[31m" in before and after.isprintable() and len(before) <= 60


def test_the_account_has_the_same_numbers() -> None:
    done = mend(column("a", "x", "x ", "y"), Repair(kind="drop-duplicates", column="a"))
    count = done.steps[0].count
    assert (count.name, count.column, count.before, count.after, count.changed) == ("drop-duplicates", "a", 3, 2, 0)


def test_a_repair_with_nothing_to_do_says_so() -> None:
    assert mend(column("a", "x"), Repair(kind="drop-empty", column="a")).steps[0].text == "drop-empty a: nothing to do."


def test_no_rows_are_mended_as_well() -> None:
    recipe = [Repair(kind="drop-duplicates"), Repair(kind="drop-near-duplicates"), Repair(kind="tidy-text")]
    assert not list(mend(records([]), *recipe).view.records())


def test_whoever_waits_is_told_and_may_end_it() -> None:
    told: list[tuple[str, int, int]] = []
    read = column("a", "x", "y")
    apply(read, [Repair(kind="drop-duplicates")], used=["a"], meter=lambda *now: told.append(now))
    assert ("looking for rows that repeat others", 2, 2) in told

    def enough(doing: str, done: int, of: int) -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        apply(read, [Repair(kind="tidy-text")], used=["a"], meter=enough)


# What a repair must have


@pytest.mark.parametrize(
    ("repair", "message"),
    [
        (Repair(kind="dates-to-iso"), "dates-to-iso needs a column. Add column: to that repair."),
        (Repair(kind="plain-numbers"), "plain-numbers needs a column. Add column: to that repair."),
        (
            Repair(kind="drop-out-of-range", column="s"),
            "drop-out-of-range needs low or high. Add low: or high: to that repair.",
        ),
        (Repair(kind="drop-out-of-range", low=1), "drop-out-of-range needs a column. Add column: to that repair."),
        (
            Repair(kind="drop-out-of-range", column="s", low=2, high=1),
            "drop-out-of-range has a low above its high. Change that repair.",
        ),
        (Repair(kind="fill-empty", column="s"), "fill-empty needs value. Add value: to that repair."),
        (Repair(kind="drop-values", column="s", names=[]), "drop-values needs names. Add names: to that repair."),
        (Repair(kind="unify-labels", column="s"), "unify-labels needs values. Add values: to that repair."),
        (Repair(kind="drop-short"), "drop-short needs low. Add low: to that repair."),
        (Repair(kind="drop-long", low=3), "drop-long needs high. Add high: to that repair."),
        (Repair(kind="drop-short", low=3), "drop-short needs a column. Add column: to that repair."),
        (Repair(kind="keep-languages"), "keep-languages needs names. Add names: to that repair."),
        (
            Repair(kind="drop-contradictions"),
            "drop-contradictions needs rows with a prompt and an answer. Take it out; a table's questions are answered "
            "by its columns.",
        ),
        (
            Repair(kind="mask-personal", names=["mail"]),
            "mask-personal knows no kind 'mail'. Name some of email, phone, iban, card, national-id, ip, secret, name.",
        ),
    ],
    ids=lambda value: value.kind if isinstance(value, Repair) else "",
)
def test_a_repair_without_what_it_needs_is_refused_by_its_place_in_the_plan(repair: Repair, message: str) -> None:
    with pytest.raises(PlanError) as caught:
        mend(records([]), Repair(kind="drop-empty"), repair)
    assert str(caught.value) == f"`prepare.repairs.1`: {message}"


def test_every_kind_has_a_mender_words_and_a_meter() -> None:
    from typing import get_args

    from tunesmith.core.prepare.repair.apply import _MENDERS
    from tunesmith.core.prepare.repair.words import _TELL, DOING

    assert set(_MENDERS) == set(_TELL) == set(DOING) == set(get_args(RepairKind))


def test_reasons_are_harmless() -> None:
    done = mend(column("\x1b[1m", "\u202eevil\x07"), Repair(kind="dates-to-iso", column="\x1b[1m"))
    assert all(why.isprintable() for why in whys(done)) and done.steps[0].text.isprintable()
