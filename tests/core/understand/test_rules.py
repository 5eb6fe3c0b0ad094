"""The table of rules: what it says of itself, and what is refused in one."""

from __future__ import annotations

import re

import pytest

from tunesmith.core.understand.rules import TABLE, Conflict, Rule, RulesError, Way, named_fields, read_table, table
from tunesmith.core.understand.situation import Situation

SOURCE = re.compile(r"arXiv:\d{4}\.\d{5}|guide '|course, chapter|'Rules of|Regulation|Nature|chat templates")


@pytest.mark.parametrize("entry", [*table().rules, *table().conflicts], ids=lambda one: one.id)
def test_every_entry_says_where_it_is_from(entry: Rule | Conflict) -> None:
    assert SOURCE.search(entry.source), entry.source


@pytest.mark.parametrize("rule", table().rules, ids=lambda one: one.id)
def test_every_reason_names_answers_that_its_rule_looks_at(rule: Rule) -> None:
    named = named_fields(rule.reason)
    assert named, "it names no answer"
    assert named <= rule.fields, "it names what it does not look at"
    assert not rule.reason.endswith("."), "reasons are strung together"
    assert len(rule.would_change) > 10


@pytest.mark.parametrize("way", table().ways, ids=lambda one: one.approach)
def test_every_way_says_what_is_done_here_and_what_comes_next(way: Way) -> None:
    assert way.offers.startswith("Tunesmith ") and way.offers.endswith(".")
    assert len(way.next_steps) >= 2
    assert all(step.endswith((".", "?")) for step in way.next_steps)


GOOD = TABLE.read_text(encoding="utf-8")
ONE = """
[[rule]]
id = "one"
when.use_case = "style"
for = { fine-tune = 1 }
reason = "it is {use_case}"
would_change = "another task"
source = "a paper"
"""


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ((ONE, ONE + ONE), "two rules have the same id: one"),
        (('"style"', '"poetry"'), "one: 'poetry' is no answer to use_case"),
        (("when.use_case", "when.mood"), "one: a situation has no mood"),
        (("when.use_case", "when.examples"), "no bound for examples"),
        (('when.use_case = "style"', 'when.examples = ">= 50, < 10"'), "no examples is >= 50, < 10"),
        (('when.use_case = "style"', 'when.examples = "< 0"'), "no examples is < 0"),
        (('when.use_case = "style"', "when.has_context = 1"), "has_context is true or false"),
        (('when.use_case = "style"', 'when.tried = "prompt"'), "of tried, say any or none"),
        (('when.use_case = "style"', 'when.tried = { any = ["luck"] }'), "'luck' is no answer to tried"),
        (
            ('when.use_case = "style"', 'when.tried = { any = ["prompt"], none = ["prompt"] }'),
            "what must be tried must not be tried",
        ),
        (('when.use_case = "style"', 'when.latency = ["any", "seconds", "instant"]'), "every answer to latency"),
        (('when.use_case = "style"', "when.use_case = []"), "no answer to use_case is named"),
        (('when.use_case = "style"\n', ""), "it says not when it holds"),
        (("fine-tune = 1", "magic = 1"), "there is no way 'magic'"),
        (("fine-tune = 1", "fine-tune = 10"), "a weight is a whole number from 1 to 9"),
        (("for = { fine-tune = 1 }\n", ""), "it speaks for nothing and against nothing"),
        (("reason", "against = { fine-tune = 1 }\nreason"), "it speaks for a way and against it"),
        (("{use_case}", "{mood}"), "a situation has no mood"),
        (('source = "a paper"', ""), "one: it has no source"),
        (("source", "sauce"), "nobody reads 'sauce'"),
        (('id = "one"\n', ""), "has no id"),
        ((ONE, "[[rules]]"), "nobody reads 'rules'"),
        (
            (ONE, "[[way]]\napproach = 'prompt'\nstop = 'no'\noffers = 'x'\nnext_steps = ['y']"),
            "stands in the table once",
        ),
        ((ONE, "= ="), "no TOML"),
        ((ONE, '[[conflict]]\nid = "c"\nbetween = [["x"], ["y"]]\nsides = ["a", "b"]'), "there is no rule x"),
        ((ONE, "[[way]]\napproach = 'prompt'\noffers = 'x'\nnext_steps = ['y']"), "prompt: a stop is said of"),
        ((ONE, "[[way]]\napproach = 'fine-tune'\nstop = 'x'\noffers = 'x'"), "fine-tune: a stop is said of"),
        (
            (
                ONE,
                '[[conflict]]\nid = "c"\nbetween = [["labels"], ["liking"]]\nsides = ["a", "b"]\n'
                'advised = ["prompt"]\nfor = { prompt = 1 }',
            ),
            "c: what is told only after something was advised",
        ),
        ((ONE, '[[conflict]]\nid = "c"\nbetween = [["x"]]\nsides = ["a"]'), "between two sides"),
    ],
)
def test_a_wrong_table_is_refused_with_the_entry_named(change: tuple[str, str], message: str) -> None:
    assert read_table(GOOD + ONE)
    with pytest.raises(RulesError, match=re.escape(message)):
        read_table(GOOD + ONE.replace(*change))


@pytest.mark.parametrize(
    ("when", "holds", "does_not"),
    [
        ('examples = ">= 50, < 200"', {"examples": 50}, {"examples": 200}),
        ('examples = "<= 50"', {"examples": 50}, {"examples": 51}),
        ('examples = "> 50"', {"examples": 51}, {"examples": 50}),
        ('budget_money = "< 50"', {"budget_money": 10.0}, {"budget_money": None}),
        ('parameters = "< 1_000_000_000"', {"parameters": 5}, {"parameters": None}),
        ('parameters = "< 1e9"', {"parameters": 5}, {"parameters": 2_000_000_000}),
        ('users = ["team", "programs"]', {"users": "programs"}, {"users": "customers"}),
        ('tried = { any = ["prompt"] }', {"tried": ("prompt",)}, {"tried": ()}),
        ('tried = { none = ["prompt"] }', {"tried": ("retrieval",)}, {"tried": ("prompt",)}),
        ("has_context = false", {}, {"has_context": True}),
    ],
)
def test_a_condition_holds_where_it_says(when: str, holds: dict[str, object], does_not: dict[str, object]) -> None:
    rule = read_table(GOOD + ONE.replace('when.use_case = "style"', f"when.{when}")).rules[-1]
    assert rule.id == "one"
    assert rule.holds(Situation("other", **holds))  # type: ignore[arg-type]
    assert not rule.holds(Situation("other", **does_not))  # type: ignore[arg-type]
