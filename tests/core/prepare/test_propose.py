"""Which columns a split may go by, told from their profile."""

from __future__ import annotations

from tunesmith.core.facts import Column
from tunesmith.core.prepare.propose import entity_candidates, label_candidates, time_candidates


def test_who_a_row_is_about_is_proposed_where_it_repeats() -> None:
    columns = [
        Column("id", "identifier", 1000, 1000),
        Column("customer_id", "number", 1000, 300, ("17", "18")),
        Column("city", "text", 1000, 250, ("Graz",)),
        Column("email", "text", 900, 300, ("a@b.com",)),
        Column("amount", "number", 1000, 300),
        Column("category", "text", 1000, 40),
        Column("sentiment", "text", 1000, 3),
        Column("message", "text", 1000, 500, ("x" * 70,)),
        Column("day", "date", 1000, 300),
    ]
    assert entity_candidates(columns) == ["customer_id", "email", "city"]


def test_a_column_whose_values_stand_once_or_are_few_groups_nothing() -> None:
    assert entity_candidates([Column("name", "text", 1000, 990), Column("user", "text", 1000, 5)]) == []
    assert entity_candidates([]) == []


def test_labels_are_few_and_each_in_several_rows() -> None:
    columns = [
        Column("city", "text", 1000, 40, ("Graz",)),
        Column("label", "text", 1000, 3),
        Column("stars", "number", 1000, 5),
        Column("age", "number", 1000, 30),
        Column("name", "text", 1000, 800),
        Column("constant", "text", 1000, 1),
        Column("rare", "text", 60, 40),
    ]
    assert label_candidates(columns) == ["label", "stars", "city"]


def test_a_time_is_a_date_that_most_rows_have() -> None:
    columns = [
        Column("text", "text", 1000, 1000),
        Column("birthday", "date", 1000, 900),
        Column("created_at", "date", 950, 600),
        Column("closed_at", "date", 300, 300),
        Column("printed", "date", 1000, 1),
    ]
    assert time_candidates([*columns, Column("hired", "date", 1000, 900)]) == ["created_at", "hired"]
    assert time_candidates([]) == []
