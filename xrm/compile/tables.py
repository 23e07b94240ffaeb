"""Tables: one for each entity, and xrm's own, which all begin with ``xrm_``.

Columns of fields are nullable: whether a value is required is a rule that can be conditional and can change later, so
the write path keeps it (``compile/rules``), not the column. What xrm itself keeps is NOT NULL.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import chain
from threading import RLock
from typing import Any

import sqlalchemy as sa

from xrm.compile.columns import BYTES, FLAG, ID, INSTANT, TEXT, WHOLE, stored
from xrm.compile.indexes import MOST_NAME, indexes, part_indexes
from xrm.compile.lazily import Lazily
from xrm.model.application import Application
from xrm.model.entity import Entity
from xrm.model.fields import Field
from xrm.model.rows import rows_of

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


REFERENCES = "references"
"""In a column's ``info``: the table it points at (``store/ddl`` writes it into the column on SQLite)."""


SPINE = "xrm_record"
"""One thin row for each record of any entity: what a link to several entities points at."""


@dataclass(frozen=True)
class Tables:
    """Every table of an application, by entity name, made when it is first asked for.

    ``parts`` are the tables of fields whose values lie apart, by entity and field. The ``info`` of a table has its
    ``entity`` (and ``part``, the field, of such a table), that of a column the ``field`` that it holds.
    """

    made: sa.MetaData
    entities: Mapping[str, sa.Table]
    parts: Mapping[tuple[str, str], sa.Table]

    @property
    def metadata(self) -> sa.MetaData:
        """With all of them, and xrm's own."""
        for table in chain(self.entities.values(), self.parts.values()):
            assert table.metadata is self.made
        return self.made

    def own(self, name: str) -> sa.Table:
        return self.made.tables[f"xrm_{name}"]


def table_name(entity: Entity) -> str:
    return f"xrm_{entity.name}" if entity.standard else entity.name


def tables(application: Application) -> Tables:
    metadata, entities, lock = sa.MetaData(naming_convention=NAMING), application.entities, RLock()
    own_tables(metadata)

    def entity(name: str) -> sa.Table:
        return entity_table(metadata, application, entities[name])

    def part(key: tuple[str, str]) -> sa.Table:
        return part_table(metadata, application, entities[key[0]], entities[key[0]].fields[key[1]])

    parts = [(name, field.name) for name, entity in entities.items() for field in rows_of(entity)]
    return Tables(metadata, Lazily(entities, entity, lock), Lazily(parts, part, lock))


def entity_table(metadata: sa.MetaData, application: Application, entity: Entity) -> sa.Table:
    table = sa.Table(table_name(entity), metadata, info={"entity": entity.name})
    for column in system_columns(entity):
        table.append_column(column)
    if entity.derived:
        table.append_column(sa.Column("derived", WHOLE))  # how often it changed without being edited
    for field in entity.fields.values():
        _field_columns(table, application, field)
    indexes(table, entity)
    return table


def _field_columns(table: sa.Table, application: Application, field: Field) -> None:
    if field.type == "link" and field.targets:
        target = table_name(application.entities[field.to]) if field.to else SPINE
        table.append_column(sa.Column(field.name, ID, info={REFERENCES: target, "field": field.name}))
        table.append_constraint(sa.ForeignKeyConstraint([field.name], [f"{target}.id"]))
        return
    for part in stored(field):
        table.append_column(sa.Column(part.name, part.type, info={"field": field.name}))


def part_name(table: str, field: str) -> str:
    """The table of a field that lies apart: ``order__lines``. One too long for PostgreSQL ends in a digest of itself."""
    name = f"{table}__{field}"
    if len(name) <= MOST_NAME:
        return name
    return f"{name[: MOST_NAME - 9]}_{hashlib.sha256(name.encode()).hexdigest()[:8]}"


def part_table(metadata: sa.MetaData, application: Application, entity: Entity, field: Field) -> sa.Table:
    """The rows of a field: each has an id that it keeps, its record, its place among the record's rows (from 0)."""
    owner = table_name(entity)
    info = {"entity": entity.name, "part": field.name}
    table = sa.Table(
        part_name(owner, field.name),
        metadata,
        sa.Column("id", ID, primary_key=True),
        sa.Column("record", ID, nullable=False, info={REFERENCES: owner}),
        sa.Column("position", WHOLE, nullable=False),
        sa.ForeignKeyConstraint(["record"], [f"{owner}.id"]),
        info=info,
    )
    for inner in field.rows.values():
        _field_columns(table, application, inner)
    part_indexes(table, field)
    return table


def system_columns(entity: Entity) -> list[sa.Column[object]]:
    columns: list[sa.Column[object]] = [sa.Column("id", ID, primary_key=True)]
    if entity.number:
        columns.append(sa.Column("number", TEXT, nullable=False))
    columns += [sa.Column("title", TEXT, nullable=False), sa.Column("title_key", TEXT, nullable=False)]
    if entity.lifecycle:
        columns += [sa.Column("state", TEXT, nullable=False), sa.Column("state_since", INSTANT, nullable=False)]
    return [
        *columns,
        sa.Column("open", FLAG, nullable=False),
        sa.Column("flags", TEXT),
        sa.Column("version", WHOLE, nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("created_by", ID, nullable=False),
        sa.Column("updated_at", INSTANT, nullable=False),
        sa.Column("updated_by", ID, nullable=False),
        sa.Column("deleted_at", INSTANT),
    ]


SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def own_tables(metadata: sa.MetaData) -> None:
    """xrm's own tables. They are the same for every application."""

    def table(name: str, *columns: sa.schema.SchemaItem) -> sa.Table:
        return sa.Table(f"xrm_{name}", metadata, *columns, info={"own": True})

    def need(name: str, kind: sa.types.TypeEngine[Any]) -> sa.Column[Any]:
        return sa.Column(name, kind, nullable=False)

    table(
        "record",  # the spine: one thin row for each record of any entity
        sa.Column("id", ID, primary_key=True),
        need("entity", TEXT),
        need("open", FLAG),
        sa.Column("deleted_at", INSTANT),
    )
    change = table(
        "change",  # immutable but for its place in the chain, which the sequencer gives after commit
        sa.Column("id", SERIAL, primary_key=True, autoincrement=True),
        need("record", ID),
        need("entity", TEXT),
        need("version", WHOLE),
        need("action", TEXT),
        sa.Column("transition", TEXT),
        need("historic", FLAG),
        need("at", INSTANT),
        need("actor", ID),
        need("release", WHOLE),
        need("digest", BYTES),
        sa.Column("position", WHOLE),
        sa.Column("hash", BYTES),
    )
    sa.Index("uq_xrm_change_record", change.c.record, change.c.version, unique=True)
    sa.Index("uq_xrm_change_position", change.c.position, unique=True)
    waiting = change.c.position.is_(None)
    sa.Index("ix_xrm_change_waiting", change.c.id, sqlite_where=waiting, postgresql_where=waiting)
    table(
        "payload",  # what the change was, erasable without breaking the chain
        sa.Column("change", SERIAL, sa.ForeignKey("xrm_change.id"), primary_key=True, autoincrement=False),
        need("salt", BYTES),
        need("body", TEXT),
    )
    table(
        "release",
        sa.Column("id", SERIAL, primary_key=True, autoincrement=True),
        need("digest", TEXT),
        need("files", TEXT),
        need("plan", TEXT),
        need("at", INSTANT),
        need("by", TEXT),
        sa.Column("why", TEXT),
        need("active", FLAG),
    )
    table(
        "along",  # what a deletion took along, for as long as it may be restored
        sa.Column("root", ID, primary_key=True),
        sa.Column("place", WHOLE, primary_key=True, autoincrement=False),
        need("entity", TEXT),
        need("record", ID),
        sa.Column("field", TEXT),  # a link that was emptied; none: the record itself was deleted
        sa.Column("target", ID),  # where that link led to
    )
    table(
        "renaming",  # what was called otherwise before a release: older changes are read with it
        sa.Column("id", SERIAL, primary_key=True, autoincrement=True),
        need("release", WHOLE),
        need("what", TEXT),
        need("entity", TEXT),
        need("field", TEXT),
        need("was", TEXT),
        need("now", TEXT),
    )
    table("number", sa.Column("name", TEXT, primary_key=True), need("next", WHOLE))
    table("credential", sa.Column("user", ID, primary_key=True), need("password", TEXT), need("changed_at", INSTANT))
    token = table(
        "token",
        sa.Column("digest", BYTES, primary_key=True),
        need("kind", TEXT),  # "api" or "session"
        need("user", ID),
        sa.Column("label", TEXT),
        need("created_at", INSTANT),
        need("expires_at", INSTANT),
        sa.Column("revoked_at", INSTANT),
    )
    sa.Index("ix_xrm_token_user", token.c.user)
    table("attempt", sa.Column("name", TEXT, primary_key=True), need("failures", WHOLE), need("since", INSTANT))
    table(
        "blob",  # a content that is there; its bytes lie beside (store/blobs)
        sa.Column("digest", BYTES, primary_key=True),
        need("size", WHOLE),
        need("type", TEXT),
        sa.Column("width", WHOLE),
        sa.Column("height", WHOLE),
        sa.Column("thumbnail", BYTES),
        need("wanted_at", INSTANT),
    )
    table(
        "chunk",  # the bytes themselves, on PostgreSQL
        sa.Column("digest", BYTES, sa.ForeignKey("xrm_blob.digest"), primary_key=True),
        sa.Column("number", WHOLE, primary_key=True, autoincrement=False),
        need("bytes", BYTES),
    )
    file = table(
        "file",  # which record has a content, or had it: as long as its change log shows it
        sa.Column("record", ID, primary_key=True),
        sa.Column("field", TEXT, primary_key=True),
        sa.Column("digest", BYTES, sa.ForeignKey("xrm_blob.digest"), primary_key=True),
        need("name", TEXT),
        need("version", WHOLE),
    )
    sa.Index("ix_xrm_file_digest", file.c.digest)
    job = table(
        "job",
        sa.Column("id", SERIAL, primary_key=True, autoincrement=True),
        need("kind", TEXT),
        need("body", TEXT),
        need("run_at", INSTANT),
        need("attempts", WHOLE),
        sa.Column("lease_until", INSTANT),
        sa.Column("fence", WHOLE),
        sa.Column("error", TEXT),
        sa.Column("ended_at", INSTANT),
        sa.Column("since", INSTANT),  # when it was asked for; run_at is put off at each failure
        sa.Column("mended_at", INSTANT),  # of one that failed for good: when a later job did its work
    )
    live = job.c.ended_at.is_(None)
    sa.Index("ix_xrm_job_due", job.c.run_at, sqlite_where=live, postgresql_where=live)
    open_ = sa.or_(live, sa.and_(job.c.error.is_not(None), job.c.mended_at.is_(None)))
    sa.Index("ix_xrm_job_open", job.c.kind, sqlite_where=open_, postgresql_where=open_)
