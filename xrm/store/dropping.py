"""Dropping what a definition no longer has, and counting what of the data goes with it."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence

import sqlalchemy as sa

from xrm.compile.columns import DialectName
from xrm.store import ddl
from xrm.store.database import Connection
from xrm.store.plans import Step, counted
from xrm.store.renaming import ASIDE
from xrm.store.standing import Key, StandingTable


def keys(both: Iterable[tuple[StandingTable, sa.Table]], gone: Sequence[StandingTable], dialect: DialectName) -> Iterator[Step]:
    """Foreign keys that lead elsewhere now, and those between tables that go (PostgreSQL; on SQLite they go with their column).

    It comes before the renames, so that the names of tables are the old ones.
    """
    if dialect == "sqlite":
        return
    going = {table.name for table in gone}
    for old, table in both:
        wanted = {(key.column_keys[0], key.elements[0].target_fullname.partition(".")[0]) for key in table.foreign_key_constraints}
        for key in old.keys:
            if (key.column, key.target) not in wanted and (key.column in table.c or key.column.startswith(ASIDE)):
                yield Step(f"drop constraint {key.name}", (ddl.drop_key(old.stood, key.name, dialect),))
    for old in gone:
        for key in old.keys:
            if key.target in going:
                yield Step(f"drop constraint {key.name}", (ddl.drop_key(old.stood, key.name, dialect),))


def columns(
    both: Iterable[tuple[StandingTable, sa.Table]],
    connection: Connection,
    derived: Container[tuple[str, str]],
    meant: Mapping[tuple[str, str], str],
) -> Iterator[Step]:
    """``derived``: columns that go without a loss. ``meant``: what may have been meant instead, by table and column."""
    for old, table in both:
        for name in old.columns:
            if name not in table.c:
                count = 0 if (old.name, name) in derived else values(connection, old.stood, name)
                loses = f"{counted(count, 'value')} of {said(old.name)}.{name}" if count else None
                statement = ddl.drop_column(old.name, name, connection.dialect)
                instead = meant.get((old.name, name), "") if loses else ""
                yield Step(f"drop column {old.name}.{name}", (statement,), loses, table=old.stood, instead=instead)


def tables(gone: Sequence[StandingTable], connection: Connection) -> Iterator[Step]:
    """Tables that go, child tables first; on SQLite the links between them are emptied before, for they may form circles."""
    dialect, going = connection.dialect, {table.name for table in gone}
    before = [
        _emptied(table.name, key.column) for table in gone for key in table.keys if dialect == "sqlite" and _nullable(table, key, going)
    ]
    for table in sorted(gone, key=lambda one: (one.part is None, one.name)):
        count = records(connection, table.stood)
        loses = f"{counted(count, 'row' if table.part else 'record')} of {said(table.name)}" if count else None
        spine = [] if table.part else [f"DELETE FROM xrm_record WHERE entity = {ddl.literal(table.name.removeprefix('xrm_'))}"]
        yield Step(f"drop table {table.name}", (*before, *spine, ddl.drop_table(table.name, dialect)), loses, table=table.stood)
        before = []


def said(table: str) -> str:
    """A table in words: ``user``, and ``order.lines`` for its rows."""
    return table.removeprefix("xrm_").replace("__", ".")


def _nullable(table: StandingTable, key: Key, going: set[str]) -> bool:
    return table.part is None and key.target in going and key.target != table.name


def _emptied(table: str, column: str) -> str:
    return f"UPDATE {ddl.quoted(table, 'sqlite')} SET {ddl.quoted(column, 'sqlite')} = NULL"


def values(connection: Connection, table: str, column: str) -> int:
    """How many records hold a value in a column."""
    name = ddl.quoted(column, connection.dialect)
    row = connection.one(f"SELECT count({name}) FROM {ddl.quoted(table, connection.dialect)}")
    return int(row[0]) if row else 0


def records(connection: Connection, table: str) -> int:
    row = connection.one(f"SELECT count(*) FROM {ddl.quoted(table, connection.dialect)}")
    return int(row[0]) if row else 0
