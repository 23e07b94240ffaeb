"""Planning: from the tables that are there to the tables a definition wants. Reads only.

Tables and columns are compared by name, foreign keys by column and target, indexes by name (a changed index has another).
"""

from __future__ import annotations

from collections.abc import Iterator

import sqlalchemy as sa

from xrm.compile.columns import DialectName
from xrm.compile.tables import Tables
from xrm.store import ddl, dropping, releases
from xrm.store.database import Connection, Database
from xrm.store.plans import Plan, Step
from xrm.store.standing import Standing, StandingTable, standing


def plan(database: Database, tables: Tables, digest: str) -> Plan:
    """Compare the database with the wanted tables. Reads only."""
    current = releases.active(database)
    steps = tuple(_steps(standing(database.connection), tables, database.connection))
    return Plan(steps, digest, current is None or current.digest != digest, current.id if current else None)


def _steps(there: Standing, tables: Tables, connection: Connection) -> Iterator[Step]:
    """In this order: a column goes before the table that it links to."""
    dialect = connection.dialect
    wanted = tables.metadata.tables
    both = [(there.tables[name], table) for name, table in wanted.items() if name in there.tables]
    gone = [table for name, table in there.tables.items() if name not in wanted and table.ours]
    yield from _dropped_indexes(there, tables, dialect)
    yield from dropping.keys(both, gone, dialect)
    yield from _created(there, tables, dialect)
    for old, table in both:
        yield from _added(old, table, dialect)
    for _, table in sorted(wanted.items()):
        for index in sorted(table.indexes, key=lambda one: str(one.name)):
            if str(index.name) not in there.indexes:
                yield Step(f"create index {index.name}", (ddl.create_index(index, dialect),))
    yield from dropping.columns(both, connection)
    yield from dropping.tables(gone, connection)


def _dropped_indexes(there: Standing, tables: Tables, dialect: DialectName) -> Iterator[Step]:
    wanted = {str(index.name) for table in tables.metadata.tables.values() for index in table.indexes}
    for name, table in there.indexes.items():
        if name.startswith(("ix_", "uq_")) and table in tables.metadata.tables and name not in wanted:
            yield Step(f"drop index {name}", (ddl.drop_index(name, dialect),))


def _created(there: Standing, tables: Tables, dialect: DialectName) -> Iterator[Step]:
    """New tables; foreign keys that point at a table made later (circles too) come after."""
    names = set(there.tables)
    late: list[tuple[sa.Table, sa.ForeignKeyConstraint]] = []
    for name, table in tables.metadata.tables.items():
        if name in there.tables:
            continue
        names.add(name)
        later = [key for key in table.foreign_key_constraints if dialect == "postgresql" and _target(key) not in names]
        late += [(table, key) for key in later]
        yield Step(f"create table {name}", (ddl.create_table(table, dialect, later),))
    for table, key in sorted(late, key=lambda item: (item[0].name, tuple(item[1].column_keys))):
        yield _linked(table, key, dialect)


def _target(key: sa.ForeignKeyConstraint) -> str:
    return key.elements[0].target_fullname.partition(".")[0]


def _linked(table: sa.Table, key: sa.ForeignKeyConstraint, dialect: DialectName) -> Step:
    return Step(f"link {table.name}.{key.column_keys[0]} to {_target(key)}", (ddl.add_key(table, key, dialect),))


def _added(old: StandingTable, table: sa.Table, dialect: DialectName) -> Iterator[Step]:
    """Columns and foreign keys that a standing table does not have yet."""
    for column in table.columns:
        if column.name not in old.columns:
            yield Step(f"add column {table.name}.{column.name}", (ddl.add_column(column, dialect),))
    if dialect == "sqlite":  # they stand in their columns
        return
    has = {(key.column, key.target) for key in old.keys}
    for key in sorted(table.foreign_key_constraints, key=lambda one: tuple(one.column_keys)):
        if (key.column_keys[0], _target(key)) not in has:
            yield _linked(table, key, dialect)
