"""How DDL is written: each function gives the text of one statement, as it will be run.

On SQLite, foreign keys stand in their column, so that the column can be dropped again.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import sqlite
from sqlalchemy.dialects.postgresql import psycopg
from sqlalchemy.dialects.sqlite.base import SQLiteDDLCompiler
from sqlalchemy.engine import Dialect
from sqlalchemy.schema import CreateIndex, CreateTable

from xrm.compile.columns import DialectName
from xrm.compile.tables import NAMING, REFERENCES, own_tables


class KeysInColumns(SQLiteDDLCompiler):
    """SQLite drops a column with ``REFERENCES`` of its own, but not one that a constraint of the table names."""

    def get_column_specification(self, column: sa.Column[Any], **options: Any) -> str:
        text: str = super().get_column_specification(column, **options)  # type: ignore[no-untyped-call]
        target = column.info.get(REFERENCES)
        return f"{text} REFERENCES {self.preparer.quote(target)} (id)" if target else text

    def create_table_constraints(self, table: sa.Table, _include_foreign_key_constraints: Any = None, **options: Any) -> str:
        keys = [key for key in table.foreign_key_constraints if not any(REFERENCES in c.info for c in key.columns)]
        text: str = super().create_table_constraints(  # type: ignore[no-untyped-call]
            table, _include_foreign_key_constraints=keys, **options
        )
        return text


@cache
def ddl_dialect(name: DialectName) -> Dialect:
    if name == "postgresql":
        return psycopg.dialect()  # type: ignore[no-untyped-call]
    dialect = sqlite.dialect()
    dialect.ddl_compiler = KeysInColumns
    return dialect


@cache
def _compiler(name: DialectName) -> Any:
    """What writes columns and constraints; it keeps nothing of what it wrote."""
    dialect: Any = ddl_dialect(name)
    return dialect.ddl_compiler(dialect, None)


def quoted(name: str, dialect: DialectName) -> str:
    text: str = ddl_dialect(dialect).identifier_preparer.quote(name)
    return text


def literal(text: str) -> str:
    """A text as SQL writes it (backslashes mean nothing: ``standard_conforming_strings``)."""
    return "'" + text.replace("'", "''") + "'"


@cache
def _own(dialect: DialectName) -> dict[str, str]:
    """The statements that make xrm's own tables and their indexes, by name: the same for every application."""
    metadata = sa.MetaData(naming_convention=NAMING)
    own_tables(metadata)
    return {table.name: _table_text(table, dialect, tuple(table.foreign_key_constraints)) for table in metadata.tables.values()}


def create_table(table: sa.Table, dialect: DialectName, late: Iterable[sa.ForeignKeyConstraint] = ()) -> str:
    """``late``: foreign keys that are added afterwards, by ``add_key``."""
    left_out = set(late)
    if table.info.get("own") and not left_out:
        return _own(dialect)[table.name]
    return _table_text(table, dialect, tuple(key for key in table.foreign_key_constraints if key not in left_out))


def _table_text(table: sa.Table, dialect: DialectName, keys: tuple[sa.ForeignKeyConstraint, ...]) -> str:
    made = CreateTable(table, include_foreign_key_constraints=keys)
    return str(made.compile(dialect=ddl_dialect(dialect))).strip()


def create_index(index: sa.Index, dialect: DialectName, *, concurrently: bool = False) -> str:
    text = str(CreateIndex(index).compile(dialect=ddl_dialect(dialect))).strip()
    return text.replace("INDEX", "INDEX CONCURRENTLY", 1) if concurrently else text


def drop_index(name: str, dialect: DialectName, *, concurrently: bool = False) -> str:
    return f"DROP INDEX {'CONCURRENTLY IF EXISTS ' if concurrently else ''}{quoted(name, dialect)}"


def add_column(column: sa.Column[Any], dialect: DialectName, extra: str = "") -> str:
    """``extra`` stands behind the column: a default for the records that are there."""
    text = _compiler(dialect).get_column_specification(column)
    return f"ALTER TABLE {quoted(column.table.name, dialect)} ADD COLUMN {text}{extra}"


def drop_column(table: str, column: str, dialect: DialectName) -> str:
    return f"ALTER TABLE {quoted(table, dialect)} DROP COLUMN {quoted(column, dialect)}"


def rename_column(table: str, column: str, new: str, dialect: DialectName) -> str:
    return f"ALTER TABLE {quoted(table, dialect)} RENAME COLUMN {quoted(column, dialect)} TO {quoted(new, dialect)}"


def rename_table(table: str, new: str, dialect: DialectName) -> str:
    return f"ALTER TABLE {quoted(table, dialect)} RENAME TO {quoted(new, dialect)}"


def rename_index(name: str, new: str) -> str:
    return f"ALTER INDEX {quoted(name, 'postgresql')} RENAME TO {quoted(new, 'postgresql')}"


def rename_constraint(table: str, name: str, new: str) -> str:
    return f"ALTER TABLE {quoted(table, 'postgresql')} RENAME CONSTRAINT {quoted(name, 'postgresql')} TO {quoted(new, 'postgresql')}"


def drop_table(table: str, dialect: DialectName) -> str:
    return f"DROP TABLE {quoted(table, dialect)}"


def add_key(table: sa.Table, key: sa.ForeignKeyConstraint, dialect: DialectName) -> str:
    return f"ALTER TABLE {quoted(table.name, dialect)} ADD {_compiler(dialect).visit_foreign_key_constraint(key)}"


def key_name(key: sa.ForeignKeyConstraint | sa.PrimaryKeyConstraint) -> str:
    """The name of a constraint as it stands in PostgreSQL: by the naming rule, cut where it is too long."""
    name = ddl_dialect("postgresql").identifier_preparer.format_constraint(key)
    return (name or "").strip('"')


def drop_key(table: str, name: str, dialect: DialectName) -> str:
    return f"ALTER TABLE {quoted(table, dialect)} DROP CONSTRAINT {quoted(name, dialect)}"
