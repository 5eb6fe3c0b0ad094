"""Rows of a database: SQLite for real, what a query may do, and passwords that are never kept or shown."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from tests.core.prepare.read.files import clear, values
from tunesmith.core.errors import AccessError, DataError, QueryError, TunesmithError
from tunesmith.core.prepare.read.database import database_of, refuse_writing
from tunesmith.core.prepare.read.load import read_records
from tunesmith.core.prepare.records import Records

SHOP = "sqlite:///shop.db"


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    with sqlite3.connect(tmp_path / "shop.db") as made:
        made.execute("create table orders (id integer, name text, price real, note blob)")
        rows = [(1, "Alice", 9.5, None), (2, "Bob: é", None, b"caf\xe9"), (3, "50% :off", 1.0, "x")]
        made.executemany("insert into orders values (?, ?, ?, ?)", rows)
    made.close()
    return tmp_path


def refused(source: str, base: Path, query: str | None = None) -> TunesmithError:
    with pytest.raises(TunesmithError) as caught:
        read_records(source, base, query=query)
    clear(caught.value)
    return caught.value


def test_the_only_table_is_read_without_a_query(shop: Path) -> None:
    found = read_records(SHOP, shop)
    assert (found.format, found.source, found.path) == ("sql", SHOP, shop / "shop.db")
    assert found.columns == ("id", "name", "price", "note")
    assert values(found) == [
        {"id": "1", "name": "Alice", "price": "9.5"},
        {"id": "2", "name": "Bob: é", "note": "caf\ufffd"},
        {"id": "3", "name": "50% :off", "price": "1.0", "note": "x"},
    ]
    assert [row.line for row in found.rows] == [1, 2, 3]


def test_a_query_is_run_as_it_is_written(shop: Path) -> None:
    query = "SELECT name AS who FROM orders WHERE name LIKE '50% :%' -- the odd one; delete nothing\n;"
    assert values(read_records(SHOP, shop, query=query)) == [{"who": "50% :off"}]
    with_ = "WITH dear AS (SELECT * FROM orders WHERE price > 2) SELECT name FROM dear"
    assert values(read_records(SHOP, shop, query=with_)) == [{"name": "Alice"}]
    assert values(read_records(SHOP, shop, query="VALUES (1, 'a')"))[0] == {"column1": "1", "column2": "a"}


def test_the_fingerprint_is_that_of_the_rows(shop: Path) -> None:
    def fingerprint() -> str:
        return read_records(SHOP, shop, query="SELECT id FROM orders").fingerprint

    first = fingerprint()
    with sqlite3.connect(shop / "shop.db") as made:
        made.execute("update orders set name = 'Z'")
    assert fingerprint() == first
    with sqlite3.connect(shop / "shop.db") as made:
        made.execute("update orders set id = 9 where id = 1")
    assert fingerprint() != first


@pytest.mark.parametrize(
    ("query", "why"),
    [
        ("DELETE FROM orders", "begins with DELETE, not with SELECT"),
        ("select 1; drop table orders", "more than one statement"),
        ("WITH x AS (SELECT 1) DELETE FROM orders", "says DELETE, which could change the database"),
        ("SELECT * INTO copy FROM orders", "says INTO, which could change the database"),
        ("/* SELECT */ PRAGMA query_only = OFF", "begins with PRAGMA"),
        ("EXPLAIN SELECT 1", "begins with EXPLAIN"),
        ("", "begins with nothing"),
        ("ATTACH 'other.db' AS x", "begins with ATTACH"),
    ],
)
def test_anything_that_could_change_the_database_is_refused(shop: Path, query: str, why: str) -> None:
    before = (shop / "shop.db").read_bytes()
    error = refused(SHOP, shop, query)
    assert why in error.title and isinstance(error, QueryError)
    assert (shop / "shop.db").read_bytes() == before


def test_words_in_texts_names_and_comments_are_no_commands() -> None:
    refuse_writing("SELECT 'drop table x; delete', \"update\", replace(a, 'x', 'y') FROM t /* insert */ -- into")
    refuse_writing("(SELECT created_at, deleted FROM t)")


def test_even_a_query_that_is_not_recognised_can_not_write(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tunesmith.core.prepare.read.database.refuse_writing", lambda query: None)
    assert "refuses the query" in refused(SHOP, shop, "DELETE FROM orders").title
    assert len(read_records(SHOP, shop).rows) == 3


def test_several_tables_or_none_are_named(shop: Path) -> None:
    with sqlite3.connect(shop / "shop.db") as made:
        made.execute('create table "odd \x1b name" (a)')
    error = refused(SHOP, shop)
    assert error.title == r"sqlite:///shop.db holds several tables: odd \x1b name, orders."
    assert "prepare.query" in error.next_step
    assert isinstance(error, DataError) and (error.asks, error.names) == ("prepare.query", ("odd \x1b name", "orders"))
    sqlite3.connect(shop / "empty.db").execute("create table t (a)")
    assert refused("sqlite:///empty.db", shop).title == "The query gives no rows."
    (shop / "nothing.db").write_bytes(b"")
    error = refused("sqlite:///nothing.db", shop)
    assert error.title == "sqlite:///nothing.db holds no table."
    assert isinstance(error, DataError) and (error.asks, error.names) == ("prepare.query", ())


def test_a_missing_file_is_not_made(tmp_path: Path) -> None:
    assert refused("sqlite:///none.db", tmp_path).title == f"There is no file {tmp_path}/none.db."
    assert not (tmp_path / "none.db").exists()
    assert "names no file" in refused("sqlite://", tmp_path).title


def test_what_the_database_says_is_passed_on_in_one_line(shop: Path) -> None:
    error = refused(SHOP, shop, "SELECT nope FROM orders")
    assert error.title == "The database refuses the query: no such column: nope."
    assert isinstance(error, DataError) and error.asks == "prepare.query"
    (shop / "shop.db").write_bytes(b"no database at all, but long enough to be looked at" * 20)
    assert "file is not a database" in refused(SHOP, shop).title


def test_columns_of_one_name_are_refused(shop: Path) -> None:
    error = refused(SHOP, shop, "SELECT id, name AS id FROM orders")
    assert isinstance(error, QueryError)
    assert error.title == "The result of the query names two columns alike: id."


# Passwords

PASSWORD = "hunter2-and-more"


def test_a_password_in_the_address_is_refused_and_not_repeated(tmp_path: Path) -> None:
    for address in (f"postgresql://me:{PASSWORD}@host/db", f"postgresql://me@host/db?password={PASSWORD}"):
        error = refused(address, tmp_path)
        assert isinstance(error, DataError) and "has a password written into it" in error.title
        assert "${DB_PASSWORD}" in error.next_step
        assert PASSWORD not in str(error)
    assert PASSWORD not in str(refused(f"postgresql://me:{PASSWORD}@host:port/db", tmp_path))


def test_variables_are_filled_in_for_the_connection_and_nowhere_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = "postgresql://me:${SHOP_PASSWORD}@${SHOP_HOST}/db"
    assert "names the variable SHOP_PASSWORD, which is not set" in refused(address, tmp_path).title
    monkeypatch.setenv("SHOP_PASSWORD", f"{PASSWORD}@:/?")
    monkeypatch.setenv("SHOP_HOST", "127.0.0.1")
    database = database_of(address, tmp_path)
    assert (database.url.password, database.url.host) == (f"{PASSWORD}@:/?", "127.0.0.1")
    assert database.told == address and PASSWORD not in repr(database)
    assert PASSWORD not in str(refused(address, tmp_path))


def test_a_variable_may_hold_the_whole_address(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_URL", f"sqlite:///{shop}/shop.db")
    found = read_records("${SHOP_URL}", shop)
    assert found.source == "${SHOP_URL}" and len(found.rows) == 3


def test_a_database_that_does_not_answer_says_so_without_the_password(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Driver:
        """A driver that fails as drivers do, with the address in its message."""

        paramstyle = "pyformat"

        class Error(Exception):
            pass

        @staticmethod
        def connect(*_: object, password: str = "", **__: object) -> None:
            raise OSError(f"could not connect with {password}")

    import sqlalchemy as sa

    monkeypatch.setenv("SHOP_PASSWORD", PASSWORD)
    real = sa.create_engine
    monkeypatch.setattr(sa, "create_engine", lambda url, **more: real(url, module=Driver, **more))
    error = refused("postgresql+psycopg2://me:${SHOP_PASSWORD}@127.0.0.1/db", tmp_path)
    assert PASSWORD not in str(error)
    assert isinstance(error, AccessError | DataError)


def rows_of(found: Records) -> int:
    return sum(len(batch) for batch in found.batches())


def test_many_rows_are_streamed(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "shop.db") as made:
        made.execute("create table t (a integer)")
        made.executemany("insert into t values (?)", ((n,) for n in range(30_000)))
    found = read_records(SHOP, tmp_path)
    assert rows_of(found) == 30_000 and found.rows[29_999].values == {"a": "29999"}


def test_a_column_of_bytes_that_are_no_text_is_left_out(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "b.db") as made:
        made.execute("create table t (q text, picture blob, a blob)")
        made.executemany("insert into t values (?, ?, ?)", [("x", b"\x00\x01\x02", b"one\n"), ("y", "z", "two")])
    made.close()
    found = read_records("sqlite:///b.db", tmp_path)
    assert values(found) == [{"q": "x", "a": "one\n"}, {"q": "y", "a": "two"}]
    assert found.columns == ("q", "a")
    assert found.notes == ("Column picture holds bytes that are no text; it is left out.",)
    error = refused("sqlite:///b.db", tmp_path, "SELECT picture FROM t")
    assert "bytes that are no text, and nothing else" in error.title
