"""Fields whose values lie in a table of their own: how their rows are read with a page of records, and written with one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa

from xrm.compile.columns import DialectName
from xrm.compile.picking import Row, row_decoder
from xrm.compile.policies import Policies
from xrm.compile.rules import Rules, rules
from xrm.compile.statements import Statement, compiled
from xrm.compile.tables import Tables
from xrm.compile.writes import LinkRead, link_reads, row_encoder, whole_row
from xrm.model.entity import Entity
from xrm.model.fields import Field
from xrm.model.rows import row_entity, rows_of


@dataclass(frozen=True, slots=True)
class RowsWrite:
    """The rows of one field in a write. ``read`` gives those of a record in order; ``decode`` makes a row of each."""

    field: Field
    entity: Entity
    rules: Rules
    parent_paths: frozenset[str]
    """What the rules of a row read from its record (``parent.total`` without ``parent.``)."""
    links: tuple[LinkRead, ...]
    read: Statement
    decode: Callable[[Sequence[Any]], Row]
    encode: Callable[[Row], dict[str, Any]]
    insert: Statement
    update: Statement
    remove: Statement


def rows_writes(tables: Tables, system: Policies, entity: Entity, dialect: DialectName) -> tuple[RowsWrite, ...]:
    return tuple(_rows_write(tables, system, entity, field, dialect) for field in rows_of(entity))


def _rows_write(tables: Tables, system: Policies, entity: Entity, field: Field, dialect: DialectName) -> RowsWrite:
    table = tables.parts[entity.name, field.name]
    its = row_entity(entity, field)
    its_rules = rules(its)
    own = frozenset(path for path in its_rules.paths if not path.startswith("parent."))
    picked = whole_row(table, its, dialect)
    mark = sa.bindparam("record", type_=table.c.record.type, required=True)
    read = sa.select(*(column for pick in picked for column in pick.columns)).where(table.c.record == mark).order_by(table.c.position)
    written = {column.name: sa.bindparam(column.name, type_=column.type, required=True) for column in table.c}
    this = table.c.id == sa.bindparam("id_", type_=table.c.id.type, required=True)
    changed = {name: mark for name, mark in written.items() if name not in ("id", "record")}
    return RowsWrite(
        field=field,
        entity=its,
        rules=replace(its_rules, paths=own),
        parent_paths=frozenset(path.removeprefix("parent.") for path in its_rules.paths - own),
        links=link_reads(tables, system, its, own, dialect),
        read=compiled(read, dialect),
        decode=row_decoder(picked),
        encode=row_encoder(its, dialect),
        insert=compiled(sa.insert(table).values(written), dialect),
        update=compiled(sa.update(table).where(this).values(changed), dialect),
        remove=compiled(sa.delete(table).where(this), dialect),
    )
