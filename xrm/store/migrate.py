"""Plan and apply: from the tables that are there to the tables a definition wants.

Alembic finds the difference and renders it as SQL. The rendered statements are the plan; ``apply`` runs those and no
others, in one transaction on either database (SQLite's DDL is transactional too), with the new release beside them.
"""

from __future__ import annotations

import io
import warnings
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
from xrm.errors import Invalid, Problem
from xrm.store import outbox, releases
from xrm.store.connections import connect
from xrm.store.database import Connection, Database, DatabaseError
from xrm.store.ddl import ddl_dialect

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
    base: int | None = None
    """The release that was active when the plan was made: what it was made for."""
    recompute: tuple[str, ...] = ()
    """Entities whose derived values are made anew afterwards, in a job for each."""

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
        found = [*_table_changes(context, tables), *_index_changes(connection, tables)]
        steps = tuple(_steps(found, tables, database.dialect, connection))
    return Plan(steps, digest, current is None or current.digest != digest, current.id if current else None)


def apply(database: Database, made: Plan, files: Mapping[str, str], *, at: datetime, by: str, why: str | None) -> int:
    """Run a plan and make its text the active release; the release's number. All of it, or none.

    Writers of this and other processes wait, and find afterwards that their release is no longer the active one.
    """
    try:
        with database.transaction() as connection:
            if database.dialect == "postgresql":
                connection.one("SELECT pg_advisory_xact_lock(%s)", (LOCK,))
            else:
                connection.run("PRAGMA defer_foreign_keys = ON")  # what the last step leaves is what must hold
            _still_fits(connection, made)
            for step in made.steps:
                _run(connection, step)
            for entity in made.recompute:
                outbox.enqueue(connection, "recompute", {"entity": entity}, at)
            return releases.record(connection, made.digest, files, made.statements, at, by, why)
    except DatabaseError as error:
        reason = str(error).strip().splitlines()[0]
        raise Invalid(Problem("XRM402", f"the database refused the plan: {reason}", hint="nothing was changed; try again")) from error


def _still_fits(connection: Connection, made: Plan) -> None:
    """Refuse a plan that another apply has overtaken."""
    if made.base is None:
        return
    row = connection.one("SELECT id FROM xrm_release WHERE active")
    if row is None or int(row[0]) != made.base:
        raise Invalid(Problem("XRM402", "another release was applied since this was planned", hint="plan again"))


def _run(connection: Connection, step: Step) -> None:
    try:
        for statement in step.sql:
            connection.raw.execute(statement)
    except DatabaseError as error:
        reason = str(error).strip().splitlines()[0]
        hint = (
            "nothing was changed; records that share a value must be told apart first"
            if "unique" in reason.lower()
            else "nothing was changed"
        )
        raise Invalid(Problem("XRM402", f"the database refused to {step.words}: {reason}", hint=hint)) from error


@contextmanager
def _engine(database: Database) -> Iterator[sa.Connection]:
    url = "sqlite://" if database.dialect == "sqlite" else "postgresql+psycopg://"
    engine = sa.create_engine(url, poolclass=sa.pool.NullPool, creator=lambda: connect(database.url).raw)
    try:
        with engine.connect() as connection:
            yield connection
    finally:
        engine.dispose()


def _included(tables: Tables) -> Any:
    """Leave alone what we did not make: on PostgreSQL other tables may stand beside ours."""

    def included(item: Any, name: str | None, kind: str, reflected: bool, compare_to: Any) -> bool:
        return kind != "index" and not (kind == "table" and reflected and compare_to is None and not _ours(item))

    return included


def _ours(table: sa.Table) -> bool:
    return {"title_key", "version", "created_by"} <= set(table.c.keys()) or table.name.startswith("xrm_")


def _table_changes(context: MigrationContext, tables: Tables) -> list[ops.MigrateOperation]:
    """What Alembic finds. That it passes over indexes on expressions is known: those are compared below."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Skipped unsupported reflection of expression-based index")
        warnings.filterwarnings("ignore", "autogenerate skipping metadata-specified expression-based index")
        warnings.filterwarnings("ignore", "Cannot correctly sort tables")  # circles of links; ``_late_keys`` sees to them
        script = produce_migrations(context, tables.metadata)
    return list(_flat(script.upgrade_ops.ops if script.upgrade_ops else []))


STANDING = {
    "sqlite": "SELECT name, tbl_name FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL",
    "postgresql": "SELECT indexname, tablename FROM pg_indexes WHERE schemaname = current_schema()",
}


def _index_changes(connection: sa.Connection, tables: Tables) -> Iterator[ops.MigrateOperation]:
    """Indexes by name: a changed one has another name. (Alembic cannot compare those on expressions.)"""
    wanted = {str(index.name): index for table in tables.metadata.tables.values() for index in table.indexes}
    rows = connection.execute(sa.text(STANDING[connection.dialect.name])).all()
    standing = {name: table for name, table in rows if name.startswith(("ix_", "uq_")) and table in tables.metadata.tables}
    for name in sorted(standing.keys() - wanted.keys()):
        yield ops.DropIndexOp(name, standing[name])
    for name in sorted(wanted.keys() - standing.keys()):
        yield ops.CreateIndexOp.from_index(wanted[name])


def _flat(found: Any) -> Iterator[ops.MigrateOperation]:
    for operation in found:
        if isinstance(operation, ops.ModifyTableOps):
            yield from _flat(operation.ops)
        elif not isinstance(operation, (ops.CreateIndexOp, ops.DropIndexOp)):
            yield operation


def _steps(found: list[ops.MigrateOperation], tables: Tables, dialect: DialectName, connection: sa.Connection) -> Iterator[Step]:
    created = [o for o in found if isinstance(o, ops.CreateTableOp)]
    late = _late_keys(created) if dialect == "postgresql" else []
    if dialect == "postgresql":
        found = [*found, *_keys_of_dropped(found, connection)]
    for operation in sorted(found, key=_rank):
        if isinstance(operation, (ops.CreateForeignKeyOp, ops.DropConstraintOp)) and dialect == "sqlite":
            continue
        yield Step(_words(operation), render(operation, dialect), _loss(operation, connection))
    for key in late:
        yield Step(_words(key), render(key, dialect))


ORDER = (
    ops.DropIndexOp, ops.DropConstraintOp, ops.CreateTableOp, ops.AddColumnOp, ops.CreateForeignKeyOp, ops.CreateIndexOp,
    ops.DropColumnOp, ops.DropTableOp,
)  # fmt: skip
"""A column goes before the table that it links to."""


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


def _keys_of_dropped(found: list[ops.MigrateOperation], connection: sa.Connection) -> Iterator[ops.DropConstraintOp]:
    """Tables that point at each other are dropped after the keys between them."""
    dropped = [operation.table_name for operation in found if isinstance(operation, ops.DropTableOp)]
    inspector = sa.inspect(connection)
    for table in dropped:
        for key in inspector.get_foreign_keys(table):
            if key["referred_table"] in dropped and key["name"]:
                yield ops.DropConstraintOp(key["name"], table, type_="foreignkey")


def render(operation: ops.MigrateOperation, dialect: DialectName) -> tuple[str, ...]:
    """The SQL of one operation, as it will be run."""
    out = io.StringIO()
    context = MigrationContext.configure(dialect=ddl_dialect(dialect), opts={"as_sql": True, "output_buffer": out, "literal_binds": True})
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
        case ops.DropConstraintOp():
            return f"drop constraint {operation.constraint_name}"
        case _:
            return type(operation).__name__.removesuffix("Op")


def _loss(operation: ops.MigrateOperation, connection: sa.Connection) -> str | None:
    """What the step would destroy, counted."""
    if isinstance(operation, ops.DropTableOp):
        count = _count(connection, sa.table(operation.table_name))
        return f"{count:,} records of {operation.table_name}" if count else None
    if isinstance(operation, ops.DropColumnOp):
        column: sa.ColumnClause[Any] = sa.column(operation.column_name)
        table = sa.table(operation.table_name, column)
        count = connection.execute(sa.select(sa.func.count(column)).select_from(table)).scalar_one()
        return f"{count:,} values of {operation.table_name}.{operation.column_name}" if count else None
    return None


def _count(connection: sa.Connection, table: sa.TableClause) -> int:
    return int(connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one())


def admitted(connection: Connection, release_sql: str, release: int) -> bool:
    """Whether this process's release is still the active one; on PostgreSQL it holds ``apply`` off until commit."""
    active = (release_sql, ())
    if connection.dialect == "postgresql":  # two statements: the second must see what was there when the lock was ours
        row = connection.batch([("SELECT pg_advisory_xact_lock_shared(%s)", (LOCK,)), active])
    else:
        row = connection.one(*active)
    return row is not None and int(row[0]) == release
