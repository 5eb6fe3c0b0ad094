"""The warm process that looks at data: it tells how far it is, can be stopped, and gives stretches of the data."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from tunesmith.core.errors import DataError, QueryError, TunesmithError
from tunesmith.core.jobs import Helper
from tunesmith.core.meter import Cancelled
from tunesmith.core.survey import columns_of, page


def many_rows(folder: Path, count: int) -> dict[str, Any]:
    path = folder / "many.jsonl"
    with path.open("w") as file:
        for n in range(count):
            file.write(f'{{"question": "What is number {n} called here?", "answer": "It is called {n * 31 % 977}."}}\n')
    return {"prepare.data": str(path), "select.model": "practice"}


def test_the_helper_says_how_far_it_is_and_can_be_stopped_and_asked_again(tmp_path: Path) -> None:
    wishes = many_rows(tmp_path, 60_000)
    told: list[tuple[str, int, int]] = []
    with Helper() as helper:

        def meter(doing: str, done: int, of: int) -> None:
            told.append((doing, done, of))
            if doing == "looking for faults":
                helper.cancel()

        with pytest.raises(Cancelled):
            helper.ask("look", meter, wishes=wishes, base=str(tmp_path))
        assert len({doing for doing, _, _ in told}) >= 3, "reading, the columns, the faults"
        assert all(0 <= done <= of for _, done, of in told if of)
        again = helper.ask("look", wishes=wishes, base=str(tmp_path))
        assert again["facts"]["data"]["rows"] == 60_000


def test_the_helper_gives_any_stretch_of_the_data(tmp_path: Path) -> None:
    wishes = many_rows(tmp_path, 30_000)
    with Helper() as helper:
        found = page(wishes, tmp_path, helper, 29_990, 100)
    assert (found.total, found.start, len(found.cells), found.places[-1]) == (30_000, 29_990, 10, "line 30,000")
    assert found.columns == ["question", "answer"]
    assert found.cells[0][0] == "What is number 29990 called here?"


def test_a_file_that_is_gone_is_a_sentence_and_the_next_question_is_answered(tmp_path: Path) -> None:
    with Helper() as helper:
        with pytest.raises(DataError, match="There is no file"):
            columns_of("gone.csv", tmp_path, helper)
        assert columns_of("practice", tmp_path, helper) == ["id", "name", "department", "hire_date", "salary"]


def test_what_an_error_asks_for_arrives_with_every_name_as_it_is_written(tmp_path: Path) -> None:
    names = tuple(sorted(["a: b, c and more", "odd \x1b[31m name", *(f"table {n:02d}" for n in range(20))]))
    with contextlib.closing(sqlite3.connect(tmp_path / "many.db")) as base:
        for name in names:
            base.execute(f'create table "{name}" (x text)')
    with Helper() as helper:
        with pytest.raises(DataError, match="holds several tables") as told:
            columns_of("sqlite:///many.db", tmp_path, helper)
        with pytest.raises(QueryError, match="begins with DROP"):
            helper.ask(
                "look", wishes={"prepare.data": "sqlite:///many.db", "prepare.query": "DROP x"}, base=str(tmp_path)
            )
        with pytest.raises(DataError, match="There is no file") as gone:
            columns_of("gone.csv", tmp_path, helper)
    assert (told.value.asks, tuple(sorted(told.value.names))) == ("prepare.query", names)
    assert "\x1b" not in str(told.value)
    assert (gone.value.asks, gone.value.names) == ("", ())


def test_an_unexpected_error_does_not_tell_what_a_cell_holds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TUNESMITH_CACHE", str(tmp_path / "cache"))
    with Helper() as helper:
        with pytest.raises(TunesmithError, match="unexpected went wrong: TypeError") as told:
            helper.ask("warm", **{"jo@ex.org": 1})
        assert columns_of("practice", tmp_path, helper)[0] == "id", "the next question is answered"
    log = tmp_path / "cache" / "helper-error.log"
    assert told.value.cause == f"The log {log} has more."
    assert "jo@ex.org" in log.read_text() and log.stat().st_mode & 0o777 == 0o600
