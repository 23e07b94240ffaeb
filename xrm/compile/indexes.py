"""Indexes: for what is unique, for links, for what asks for one, and for each view's order.

An index's name ends in a digest of its definition, so that a changed index is another index: plans compare names.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import sqlite
from sqlalchemy.schema import CreateIndex
from sqlalchemy.sql.elements import quoted_name
from sqlalchemy.sql.visitors import cloned_traverse

from xrm.compile.columns import DialectName, placed, stored
from xrm.expr.sql import to_sql
from xrm.model.entity import Entity
from xrm.model.fields import Expression, Field
from xrm.model.views import SortKey

MOST_NAME = 63
"""Bytes of a name in PostgreSQL."""


def indexes(table: sa.Table, entity: Entity) -> None:
    """Give an entity's table its indexes."""
    c = table.c
    index(table, "title", c.title_key)
    if entity.number:
        index(table, "number", c.number, unique=True, fields=("number",))
    for name, (fields, when) in unique_sets(entity).items():
        columns = [c[part] for field in fields for part in unique_columns(entity, field)]
        index(table, name, *columns, unique=True, fields=fields, alive=True, when=when)
    for field in entity.fields.values():
        if (field.index or field.type == "link") and not field.unique and field.kind.sortable:
            index(table, field.name, c[f"{field.name}_key"] if field.folded else c[field.name], c.id)
    for key in _orders(entity):
        index(table, f"by_{key.path}", *order_columns(table, entity, key))


def part_indexes(table: sa.Table, field: Field) -> None:
    """Rows are read by their record, in order; a link's target asks for the rows that use it."""
    index(table, "record", table.c.record, table.c.position)
    for inner in field.rows.values():
        if inner.index or inner.type == "link":
            index(table, inner.name, table.c[f"{inner.name}_key"] if inner.folded else table.c[inner.name], table.c.id)


def index(
    table: sa.Table,
    what: str,
    *columns: sa.ColumnElement[Any],
    unique: bool = False,
    fields: tuple[str, ...] = (),
    alive: bool = False,
    when: Expression | None = None,
) -> None:
    """Add one index. ``alive``: only records that are not deleted; ``when``: only where it holds."""
    wheres: dict[str, Any] = {
        f"{dialect}_where": where for dialect in DIALECT_NAMES if (where := _where(table, alive, when, dialect)) is not None
    }
    made = sa.Index("draft", *columns, unique=unique, info={"fields": fields}, **wheres)
    digest = hashlib.sha256(str(CreateIndex(made).compile(dialect=sqlite.dialect())).encode()).hexdigest()[:6]
    base = f"{'uq' if unique else 'ix'}_{table.name}_{what}"
    made.name = quoted_name(f"{base[: MOST_NAME - 7]}_{digest}", quote=None)


DIALECT_NAMES: tuple[DialectName, ...] = ("sqlite", "postgresql")


def _where(table: sa.Table, alive: bool, when: Expression | None, dialect: DialectName) -> sa.ColumnElement[bool] | None:
    parts: list[sa.ColumnElement[bool]] = [table.c.deleted_at.is_(None)] if alive else []
    if when is not None:
        clause = to_sql(when.checked, lambda path: table.c[path], dialect).clause
        parts.append(cloned_traverse(clause, {}, {"bindparam": _with_type}))
    return sa.and_(*parts) if parts else None


def _with_type(mark: sa.BindParameter[Any]) -> None:
    """DDL holds its values in place, and how one is written follows from its type."""
    if isinstance(mark.type, sa.types.NullType):
        mark.type = sa.literal(mark.value).type


def unique_columns(entity: Entity, name: str) -> list[str]:
    """A unique text is unique by its folded key: ``Oak St`` and ``OAK ST`` are one."""
    field = entity.field(name)
    if field is None:
        return []
    return [f"{name}_key"] if field.folded else [part.name for part in stored(field)]


def unique_sets(entity: Entity) -> dict[str, tuple[tuple[str, ...], Expression | None]]:
    """By name: the fields that are unique together, and the condition under which they are."""
    single = [field.name for field in entity.fields.values() if field.unique or field.name == entity.key]
    return {name: ((name,), None) for name in single} | {rule.name: (rule.fields, rule.when) for rule in entity.unique}


def broken_rule(table: sa.Table, rule: str) -> tuple[str, ...]:
    """The fields of the unique index that a driver names: PostgreSQL says its name, SQLite its columns."""
    for made in table.indexes:
        columns = ", ".join(f"{table.name}.{column.name}" for column in made.columns)
        if made.unique and rule in (made.name, columns, f"index '{made.name}'"):
            fields: tuple[str, ...] = made.info["fields"]
            return fields
    return ()


def _orders(entity: Entity) -> Sequence[SortKey]:
    return list(dict.fromkeys(view.sort[0] for view in entity.views.values() if view.sort and "." not in view.sort[0].path))


def order_columns(table: sa.Table, entity: Entity, key: SortKey) -> list[sa.ColumnElement[Any]]:
    """The columns that an ordered list walks; the same shape as its ORDER BY, so that the index serves it."""
    field = entity.field(key.path)
    folded = key.path == "title" or (field is not None and field.folded and not field.system)
    stored_column = table.c[f"{key.path}_key"] if folded else table.c[key.path]
    column = placed(stored_column, field) if field is not None and field.ordered else stored_column
    value = column.desc() if key.descending else column.asc()
    last = table.c.id.desc() if key.descending else table.c.id.asc()
    first: list[sa.ColumnElement[Any]] = [column.is_(None)] if stored_column.nullable else []
    return [*first, value, last]
