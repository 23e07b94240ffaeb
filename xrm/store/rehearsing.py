"""Rehearsing: a plan is run on a copy, and nothing of it stays.

On SQLite the copy is a file of its own. On PostgreSQL it is a schema of its own in a transaction that is rolled back: the
tables in use are only read, so that nobody waits for it.
"""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from xrm.compile.tables import Tables
from xrm.store import ddl
from xrm.store.connections import SqliteConnection
from xrm.store.database import Connection, Database
from xrm.store.ddl import quoted
from xrm.store.standing import standing

SCHEMA = "xrm_rehearsal"


@contextmanager
def copy(database: Database, before: Tables) -> Iterator[tuple[Database, Connection]]:
    """A copy in an open transaction, which is rolled back at the end. ``before``: the tables as they stand."""
    if database.dialect == "sqlite":
        with tempfile.TemporaryDirectory() as folder, closing(Database(f"sqlite:///{_file_copy(database, Path(folder))}")) as other:
            connection = other.connection
            connection.begin(write=True)
            connection.run("PRAGMA defer_foreign_keys = ON")
            try:
                yield other, connection
            finally:
                connection.rollback()
        return
    connection = database.connection
    connection.begin(write=True)
    try:
        _schema_copy(connection, before)
        yield database, connection
    finally:
        connection.rollback()


def _file_copy(database: Database, folder: Path) -> Path:
    path = folder / "rehearsal.sqlite3"
    connection = database.connection
    assert isinstance(connection, SqliteConnection)
    with closing(sqlite3.connect(path)) as target:
        connection.raw.backup(target)
    return path


def _schema_copy(connection: Connection, before: Tables) -> None:
    """The tables as they stand, made again in a schema that the transaction sees first, with all that they hold."""
    (home,) = connection.one("SELECT current_schema()") or ("public",)
    there = standing(connection)
    connection.run(f"CREATE SCHEMA {SCHEMA}")
    connection.run(f"SET LOCAL search_path = {SCHEMA}")
    tables = [table for name, table in before.metadata.tables.items() if name in there.tables]
    keys = []
    for table in tables:
        connection.run(ddl.create_table(table, "postgresql", table.foreign_key_constraints))
        keys += [ddl.add_key(table, key, "postgresql") for key in table.foreign_key_constraints]
        columns = ", ".join(quoted(name, "postgresql") for name in there.tables[table.name].columns if name in table.c)
        name = quoted(table.name, "postgresql")
        connection.run(f"INSERT INTO {name} ({columns}) SELECT {columns} FROM {quoted(home, 'postgresql')}.{name}")
        for column in (one.name for one in table.columns if one.autoincrement is True):
            after = f"(SELECT coalesce(max({column}), 0) + 1 FROM {name})"
            connection.run(f"SELECT setval(pg_get_serial_sequence('{SCHEMA}.{name}', '{column}'), {after})")
    for index in (index for table in tables for index in table.indexes):
        connection.run(ddl.create_index(index, "postgresql"))
    for key in keys:
        connection.run(key)
