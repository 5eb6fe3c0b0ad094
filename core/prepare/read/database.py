"""Rows of a database: an address, a query that only reads, and a password that is never kept or shown."""

from __future__ import annotations

import datetime
import decimal
import math
import os
import re
from pathlib import Path
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.engine import URL, Connection, Engine, make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from tunesmith.core.errors import AccessError, DataError, QueryError
from tunesmith.core.meter import Meter
from tunesmith.core.prepare.cells import shown
from tunesmith.core.prepare.meant import QUERY
from tunesmith.core.prepare.read.arrow_text import CONTROL, no_text
from tunesmith.core.prepare.read.formats import VARIABLE
from tunesmith.core.prepare.read.sink import Sink
from tunesmith.core.prepare.records import BATCH

_SECRET = re.compile(r"pass|pwd|secret|token|key", re.IGNORECASE)
_STRINGS = re.compile(r"""'(?:[^']|'')*'|"(?:[^"]|"")*"|`[^`]*`|\[[^\]]*\]|--[^\n]*|/\*.*?\*/""", re.DOTALL)
_WRITES = re.compile(
    r"\b(insert|update|delete|merge|into|drop|alter|truncate|create|grant|revoke|attach|detach|pragma|vacuum|call)\b",
    re.IGNORECASE,
)
_ONLY_READS = "Write one SELECT; nothing else is run, so that nothing can be changed."
_BROKEN = (SQLAlchemyError, OSError, ValueError, OverflowError, ArithmeticError)


class Database(NamedTuple):
    """An address that can be connected to, and how it is told."""

    url: URL
    told: str
    """As the person wrote it: with variables in the place of secrets."""
    path: Path
    """Of SQLite: the file."""


def database_of(source: str, base: Path) -> Database:
    """Read an address, with the variables of the environment that it names.

    Raises:
        DataError: It is no address, names a variable that is not set, or has a password written into it.
    """
    told = source.strip()
    whole = VARIABLE.fullmatch(told)
    try:
        url = make_url(os.environ[whole[1]] if whole else told)
    except (ArgumentError, ValueError, KeyError):
        raise DataError(
            f"{shown(_without_password(told), most=200)} is not the address of a database.",
            next_step="Write it as sqlite:///PATH, or as postgresql://NAME:${PASSWORD}@HOST/DATABASE.",
        ) from None
    if not whole:
        _refuse_inline(url)
        try:
            url = URL.create(
                url.drivername,
                _filled(url.username),
                _filled(url.password),
                _filled(url.host),
                url.port,
                _filled(url.database),
                {key: _filled_each(value) for key, value in url.query.items()},
            )
        except KeyError as error:
            raise DataError(
                f"The address of the database names the variable {shown(str(error.args[0]))}, which is not set.",
                next_step=f"Set it before you start: export {shown(str(error.args[0]))}=…",
            ) from None
    if url.get_backend_name() == "sqlite":
        path = _sqlite_file(url, base)
        query = {"mode": "ro", "uri": "true"}  # SQLite's own address of a file opens it so that it can't be written
        return Database(URL.create(url.drivername, database=path.as_uri(), query=query), told, path)
    return Database(url, told, Path(told))


def _without_password(address: str) -> str:
    return re.sub(r"(://[^:/@]*:)[^@]*@", r"\1…@", address)


def _refuse_inline(url: URL) -> None:
    """A password in the address would be kept in the plan."""
    named = [key for key, value in url.query.items() if _SECRET.search(key) and not _is_variable(value)]
    if (url.password and not _is_variable(str(url.password))) or named:
        where = f"its part {shown(named[0])}" if named else "it"
        raise DataError(
            f"The address of the database has a password written into {where}, which would be kept in the plan.",
            next_step="Put it into a variable (export DB_PASSWORD=…) and write ${DB_PASSWORD} in its place.",
        )


def _is_variable(value: Any) -> bool:
    return isinstance(value, str) and VARIABLE.fullmatch(value) is not None


def _filled(text: str | None) -> str | None:
    """Text with the values of the variables that it names. Raises KeyError for one that is not set."""
    return None if text is None else VARIABLE.sub(lambda found: os.environ[found[1]], text)


def _filled_each(value: str | tuple[str, ...]) -> str | list[str]:
    return str(_filled(value)) if isinstance(value, str) else [str(_filled(one)) for one in value]


def _sqlite_file(url: URL, base: Path) -> Path:
    """The file of an SQLite address, which has to be there: SQLite would make an empty one."""
    name = (url.database or "").removeprefix("file:").partition("?")[0]
    if not name or name == ":memory:":
        raise DataError("The address names no file of SQLite.", next_step="Write it as sqlite:///PATH.")
    path = (base / Path(name).expanduser()).absolute()
    try:
        there = path.is_file()
    except (OSError, ValueError):
        there = False
    if not there:
        raise DataError(f"There is no file {shown(str(path), most=400)}.", next_step="Check the path.", file=path)
    if not os.access(path, os.R_OK):
        raise AccessError(f"{shown(str(path), most=400)} can't be read.", next_step="Mend its permissions.")
    return path


def read_database(database: Database, query: str | None, sink: Sink, meter: Meter) -> None:
    """Read the rows of `query`, or of the only table there is; lines are numbers of rows.

    Raises:
        QueryError: The query does more than read, or two of its columns are named alike.
        DataError: The database refuses the query, or without one there is not one table.
        AccessError: It can't be connected to.
    """
    if query is not None:
        refuse_writing(query)
    engine = _engine(database)
    try:
        with _connected(engine, database) as connection:
            try:
                asked = query if query is not None else _only_table(connection, database)
                result = connection.execution_options(stream_results=True, max_row_buffer=BATCH).exec_driver_sql(asked)
                names = list(result.keys()) if result.returns_rows else []
            except _BROKEN as error:
                raise DataError(
                    f"The database refuses the query: {_told(error, database)}.",
                    next_step="Mend prepare.query.",
                    asks=QUERY,
                ) from None
            _refuse_names(names)
            _put_all(result, names, database, sink, meter)
            connection.rollback()
    finally:
        engine.dispose()


def _refuse_names(names: list[str]) -> None:
    twice = next((name for name in names if names.count(name) > 1), None)
    if not names or twice is not None or "" in names:
        what = "has no columns" if not names else "names two columns alike" if twice is not None else "lacks a name"
        raise QueryError(
            f"The result of the query {what}{f': {shown(twice)}' if twice else ''}.",
            next_step="Give each column a name of its own, as in SELECT a.id AS customer, b.id AS order_id.",
        )


def _put_all(result: Any, names: list[str], database: Database, sink: Sink, meter: Meter) -> None:
    row = 1
    left_out: set[str] = set()
    while True:
        try:
            part = result.fetchmany(BATCH)
        except _BROKEN as error:
            if row == 1:
                raise DataError(
                    f"The database can't be read: {_told(error, database)}.",
                    next_step="Mend the database or the query.",
                ) from None
            sink.reject(row, f"the rows from here on can't be read: {_told(error, database)}", "", "Mend the database.")
            return
        if not part:
            return
        for name, cells in zip(names, zip(*part, strict=True), strict=True):
            if name not in left_out and any(_is_no_text(cell) for cell in cells):
                left_out.add(name)
                sink.note(no_text(name))
        kept = [(at, name) for at, name in enumerate(names) if name not in left_out]
        if not kept:
            raise DataError(
                "The rows of the database hold bytes that are no text, and nothing else.",
                next_step="Name other columns in prepare.query.",
                asks=QUERY,
            )
        values = [{name: _value(one[at]) for at, name in kept} for one in part]
        sink.objects(range(row, row + len(part)), values)
        row += len(part)
        meter("reading", row - 1, 0)


def refuse_writing(query: str) -> None:
    """Raise QueryError for anything but one statement that only reads."""
    bare = _STRINGS.sub(" ", query).strip().rstrip(";").strip()
    first = re.match(r"\(*\s*(\w*)", bare)
    word = first[1].lower() if first else ""
    if word not in ("select", "with", "values"):
        raise QueryError(
            f"The query begins with {shown(word.upper() or 'nothing')}, not with SELECT.", next_step=_ONLY_READS
        )
    if ";" in bare:
        raise QueryError("The query has more than one statement.", next_step=_ONLY_READS)
    if found := _WRITES.search(bare):
        raise QueryError(
            f"The query says {found[1].upper()}, which could change the database.",
            next_step=f"{_ONLY_READS} A column of that name is written in double quotes.",
        )


def _engine(database: Database) -> Engine:
    try:
        engine = sa.create_engine(database.url, poolclass=sa.pool.NullPool)
    except (ImportError, *_BROKEN) as error:
        if isinstance(error, ImportError):
            step = f"Install the driver it needs: pip install {shown(error.name or 'it')}."
            raise DataError(
                f"This kind of database ({shown(database.url.drivername)}) can't be read here.", next_step=step
            ) from None
        raise DataError(
            f"The address of the database can't be used: {_told(error, database)}.", next_step="Check it."
        ) from None
    if engine.dialect.name == "sqlite":
        sa.event.listen(engine, "connect", _gentle_sqlite)
    return engine


def _gentle_sqlite(connection: Any, _: Any) -> None:
    """Text that is no UTF-8 costs a character instead of the whole query, and nothing can be written."""
    connection.text_factory = lambda raw: raw.decode("utf-8", "replace")
    connection.execute("PRAGMA query_only = ON")


def _connected(engine: Engine, database: Database) -> Connection:
    try:
        connection = engine.connect()
        if engine.dialect.name == "postgresql":
            connection = connection.execution_options(postgresql_readonly=True)
        elif engine.dialect.name in ("mysql", "mariadb"):
            connection.exec_driver_sql("SET SESSION TRANSACTION READ ONLY")
        return connection
    except _BROKEN as error:
        raise AccessError(
            f"The database can't be reached: {_told(error, database)}.",
            next_step="Check its address, its variables, and that it is running.",
        ) from None


def _only_table(connection: Connection, database: Database) -> str:
    """A query for all rows of the only table."""
    found = sa.inspect(connection)
    names = [*found.get_table_names(), *found.get_view_names()]
    if len(names) == 1:
        return f"SELECT * FROM {connection.dialect.identifier_preparer.quote_identifier(names[0])}"
    told = f"{shown(database.told, most=200)} holds "
    told += "no table" if not names else f"several tables: {', '.join(shown(name) for name in names[:10])}"
    raise DataError(
        f"{told}.",
        next_step="Say which rows are meant as prepare.query: SELECT … FROM …",
        asks=QUERY,
        names=names,
    )


def _told(error: BaseException, database: Database) -> str:
    """What the driver says in one line, without the password."""
    text = str(getattr(error, "orig", None) or error).strip().split("\n", 1)[0]
    if database.url.password:
        text = text.replace(str(database.url.password), "…")
    return shown(text.rstrip("."), most=200)


def _is_no_text(value: Any) -> bool:
    """Whether a cell holds bytes such as those of a picture; text in another encoding has no control characters."""
    return isinstance(value, bytes | memoryview) and CONTROL.search(bytes(value).decode("latin-1")) is not None


def _value(value: Any) -> Any:
    """A cell in JSON's types."""
    if value is None or isinstance(value, str | int | bool):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, bytes | memoryview):
        return bytes(value).decode("utf-8", "replace")
    if isinstance(value, datetime.datetime):
        return value.isoformat(" ")
    if isinstance(value, datetime.date | datetime.time):
        return value.isoformat()
    if isinstance(value, decimal.Decimal):
        return format(value, "f")
    return value if isinstance(value, dict | list) else str(value)
