"""Plan and apply: from the tables that are there to the tables a definition wants.

Alembic finds the difference and renders it as SQL. The rendered statements are the plan; ``apply`` runs those and no
others, in one transaction on either database (SQLite's DDL is transactional too), with the new release beside them.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from alembic.autogenerate import produce_migrations
from alembic.migration import MigrationContext
from alembic.operations import Operations, ops

from xrm.compile.columns import DialectName
from xrm.compile.tables import Tables
from xrm.store import releases
from xrm.store.database import Connection, Database

LOCK = 7_246_002
"""The advisory lock (PostgreSQL) that writers share and ``apply`` takes alone."""


@dataclass(frozen=True, slots=True)
class Step:
    """One change: what it is in words, its SQL, and what of the data would be lost (None: nothing)."""

    words: str
    sql: tuple[str, ...]
    loses: str | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """The steps, in order. ``text_changed``: the definition differs from the active release even if no table does."""

    steps: tuple[Step, ...]
    digest: str
    text_changed: bool

    @property
    def empty(self) -> bool:
        return not self.steps and not self.text_changed

    @property
    def statements(self) -> tuple[str, ...]:
        return tuple(sql for step in self.steps for sql in step.sql)


def plan(database: Database, tables: Tables, digest: str) -> Plan:
    """Compare the database with the wanted tables. Reads only."""
    current = releases.active(database)
    with _engine(database) as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": False, "include_object": _included(tables)})
        script = produce_migrations(context, tables.metadata)
        found = list(_flat(script.upgrade_ops.ops if script.upgrade_ops else []))
        steps = tuple(_steps(found, tables, database.dialect, connection))
    return Plan(steps, digest, current is None or current.digest != digest)


def apply(database: Database, made: Plan, files: Mapping[str, str], *, at: datetime, by: str, why: str | None) -> int:
    """Run a plan and make its text the active release; the release's number. All of it, or none.

    Writers of this and other processes wait, and find afterwards that their release is no longer the active one.
    """
    with database.transaction() as connection:
        if database.dialect == "postgresql":
            connection.one("SELECT pg_advisory_xact_lock(%s)", (LOCK,))
        for statement in made.statements:
            connection.raw.execute(statement)
        return releases.record(connection, made.digest, files, made.statements, at, by, why)


@contextmanager
def _engine(database: Database) -> Iterator[sa.Connection]:
    url = database.url.replace("postgresql://", "postgresql+psycopg://", 1)
    engine = sa.create_engine(url, poolclass=sa.pool.NullPool)
    try:
        if database.dialect == "sqlite":
            _ = database.connection  # makes the folder and the file, in WAL
        with engine.connect() as connection:
            yield connection
    finally:
        engine.dispose()


def _included(tables: Tables) -> Any:
    """Leave alone what we did not make: on PostgreSQL other tables may stand beside ours."""

    def included(item: Any, name: str | None, kind: str, reflected: bool, compare_to: Any) -> bool:
        return not (kind == "table" and reflected and compare_to is None and not _ours(item))

    return included


def _ours(table: sa.Table) -> bool:
    return {"title_key", "version", "created_by"} <= set(table.c.keys()) or table.name.startswith("xrm_")


def _flat(found: Any) -> Iterator[ops.MigrateOperation]:
    for operation in found:
        if isinstance(operation, ops.ModifyTableOps):
            yield from _flat(operation.ops)
        else:
            yield operation


def _steps(found: list[ops.MigrateOperation], tables: Tables, dialect: DialectName, connection: sa.Connection) -> Iterator[Step]:
    created = [o for o in found if isinstance(o, ops.CreateTableOp)]
    late = _late_keys(created) if dialect == "postgresql" else []
    for operation in sorted(found, key=_rank):
        if isinstance(operation, (ops.CreateForeignKeyOp, ops.DropConstraintOp)) and dialect == "sqlite":
            continue
        if isinstance(operation, ops.CreateForeignKeyOp) and _comes_with_its_column(operation, found):
            continue
        yield Step(_words(operation), render(operation, dialect), _loss(operation, connection))
    for key in late:
        yield Step(_words(key), render(key, dialect))


ORDER = (ops.DropIndexOp, ops.DropConstraintOp, ops.CreateTableOp, ops.AddColumnOp, ops.CreateForeignKeyOp, ops.CreateIndexOp)


def _rank(operation: ops.MigrateOperation) -> int:
    return next((n for n, kind in enumerate(ORDER) if isinstance(operation, kind)), len(ORDER))


def _late_keys(created: list[ops.CreateTableOp]) -> list[ops.CreateForeignKeyOp]:
    """Foreign keys that point at a table made later (circles too) are taken out of CREATE TABLE and added after."""
    standing: set[str] = set()
    making = {operation.table_name for operation in created}
    late = []
    for operation in created:
        standing.add(operation.table_name)
        for item in list(operation.columns):
            if isinstance(item, sa.ForeignKeyConstraint):
                target = item.elements[0].target_fullname.partition(".")[0]
                if target in making and target not in standing:
                    operation.columns = [c for c in operation.columns if c is not item]
                    late.append(
                        ops.CreateForeignKeyOp(
                            str(item.name or f"fk_{operation.table_name}_{item.column_keys[0]}"),
                            operation.table_name, target, list(item.column_keys), ["id"],
                        )
                    )  # fmt: skip
    return late


def _comes_with_its_column(key: ops.CreateForeignKeyOp, found: list[ops.MigrateOperation]) -> bool:
    return False


def render(operation: ops.MigrateOperation, dialect: DialectName) -> tuple[str, ...]:
    """The SQL of one operation, as it will be run."""
    out = io.StringIO()
    context = MigrationContext.configure(dialect_name=dialect, opts={"as_sql": True, "output_buffer": out, "literal_binds": True})
    if isinstance(operation, ops.AddColumnOp) and dialect == "sqlite":
        operation.inline_references = True
    Operations(context).invoke(operation)
    return tuple(text.strip() for text in out.getvalue().split(";\n") if text.strip())


def _words(operation: ops.MigrateOperation) -> str:
    match operation:
        case ops.CreateTableOp():
            return f"create table {operation.table_name}"
        case ops.DropTableOp():
            return f"drop table {operation.table_name}"
        case ops.AddColumnOp():
            return f"add column {operation.table_name}.{operation.column.name}"
        case ops.DropColumnOp():
            return f"drop column {operation.table_name}.{operation.column_name}"
        case ops.CreateIndexOp() | ops.DropIndexOp():
            verb = "create" if isinstance(operation, ops.CreateIndexOp) else "drop"
            return f"{verb} index {operation.index_name}"
        case ops.CreateForeignKeyOp():
            return f"link {operation.source_table}.{operation.local_cols[0]} to {operation.referent_table}"
        case _:
            return type(operation).__name__.removesuffix("Op")


def _loss(operation: ops.MigrateOperation, connection: sa.Connection) -> str | None:
    """What the step would destroy, counted."""
    if isinstance(operation, ops.DropTableOp):
        count = _count(connection, sa.table(operation.table_name))
        return f"{count} records of {operation.table_name}"
    if isinstance(operation, ops.DropColumnOp):
        column: sa.ColumnClause[Any] = sa.column(operation.column_name)
        table = sa.table(operation.table_name, column)
        count = connection.execute(sa.select(sa.func.count(column)).select_from(table)).scalar_one()
        return f"{count} values of {operation.table_name}.{operation.column_name}"
    return None


def _count(connection: sa.Connection, table: sa.TableClause) -> int:
    return int(connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one())


def admitted(connection: Connection, release_sql: str, release: int) -> bool:
    """Whether this process's release is still the active one; on PostgreSQL it holds ``apply`` off until commit."""
    if connection.dialect == "postgresql":
        connection.run("SELECT pg_advisory_xact_lock_shared(%s)", (LOCK,))
    row = connection.one(release_sql)
    return row is not None and int(row[0]) == release
