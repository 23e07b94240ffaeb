"""The statements of a write: lock and read the record, insert or update it, and what goes beside it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from xrm.compile.columns import DialectName, from_database, point, stored, to_database
from xrm.compile.joining import OfSeveral, Rows
from xrm.compile.picking import Picked, Row, row_decoder
from xrm.compile.policies import Policies
from xrm.compile.statements import Statement, compiled
from xrm.compile.tables import Tables
from xrm.model.entity import Entity
from xrm.model.fields import Field

DELETED_AT = Field(name="deleted_at", type="datetime", label={}, system=True)
DERIVED = Field(name="derived", type="integer", label={}, system=True)


@dataclass(frozen=True, slots=True)
class LinkRead:
    """Reads, raw, what a record's rules want from beyond one of its links."""

    field: str
    statement: Statement
    decode: Callable[[Sequence[Any]], Row]


@dataclass(frozen=True, slots=True)
class Referrer:
    """A link of some entity that may lead to a record: ``statement`` gives the ids of live records that do, at most ``most``."""

    entity: str
    field: Field
    statement: Statement
    part: str | None = None
    """The field whose rows hold the link."""

    @property
    def path(self) -> str:
        return f"{self.part}.{self.field.name}" if self.part else self.field.name


@dataclass(frozen=True, slots=True)
class KeyRead:
    """Finds the live record that has a key; ``encode`` gives the key as the database holds it, ``decode`` the id."""

    statement: Statement
    encode: Callable[[Any], Any]
    decode: Callable[[Any], Any] | None


@dataclass(frozen=True, slots=True)
class EntityWrites:
    """The statements of one entity. ``lock`` reads the whole record, deleted or not, and holds it for the transaction."""

    lock: Statement
    lock_whole: Statement
    """For a delete: no other write may so much as link to it meanwhile."""
    lock_shared: Statement
    """For a record that a link will point at: ``deleted_at`` alone; it stays until commit."""
    lock_shared_whole: Statement
    decode: Callable[[Sequence[Any]], Row]
    insert: Statement
    update: Statement
    encode: Callable[[Row], dict[str, Any]]
    links: tuple[LinkRead, ...]
    by_key: KeyRead | None
    referrers: tuple[Referrer, ...]
    """Every link that may lead to this entity."""
    read: Statement
    """The whole record as it is, without a lock."""
    lock_read: Statement
    """For a record that a computed value is read from: it stays as it is until commit."""


@dataclass(frozen=True, slots=True)
class SystemWrites:
    """The statements that stand beside every write, the same for each entity."""

    release: Statement
    spine: Statement
    """The entity of a live record."""
    spine_insert: Statement
    spine_update: Statement
    change: Statement
    payload: Statement
    """Belongs to the change that was inserted just before it on the same connection."""
    job: Statement
    along: Statement
    """One thing that a deletion took along: a record, or the link of one."""
    gone_along: Statement
    forget_along: Statement
    file: Statement
    """Says that a record has a file; said again, the first name stays."""


def entity_writes(tables: Tables, system: Policies, entity: Entity, paths: frozenset[str], dialect: DialectName) -> EntityWrites:
    table = tables.entities[entity.name]
    picked = _whole_record(table, entity, dialect)
    query = sa.select(*(column for pick in picked for column in pick.columns)).where(_this(table))
    written = {column.name: sa.bindparam(column.name, type_=column.type, required=True) for column in table.c}
    changed = {name: mark for name, mark in written.items() if name not in ("id", "created_by")}
    update = sa.update(table).where(table.c.id == sa.bindparam("id_", type_=table.c.id.type, required=True))
    deleted = sa.select(table.c.deleted_at).where(_this(table))
    return EntityWrites(
        lock=compiled(query.with_for_update(key_share=True), dialect),
        lock_whole=compiled(query.with_for_update(), dialect),
        lock_shared=compiled(deleted.with_for_update(read=True, key_share=True), dialect),
        lock_shared_whole=compiled(query.with_for_update(read=True, key_share=True), dialect),
        decode=row_decoder(picked),
        insert=compiled(sa.insert(table).values(written), dialect),
        update=compiled(update.values(changed), dialect),
        encode=encoder(entity, dialect),
        links=link_reads(tables, system, entity, paths, dialect),
        by_key=_key_read(table, entity, dialect),
        referrers=_referrers(tables, system, entity, dialect),
        read=compiled(query, dialect),
        lock_read=compiled(query.with_for_update(read=True), dialect),
    )


def _key_read(table: sa.Table, entity: Entity, dialect: DialectName) -> KeyRead | None:
    field = entity.fields.get(entity.key or "")
    if field is None:
        return None
    part = stored(field)[-1]  # a text is unique by its folded key
    column = table.c[part.name]
    query = sa.select(table.c.id).where(column == sa.bindparam("key", type_=column.type, required=True), table.c.deleted_at.is_(None))
    id_of = from_database(Field("id", "link", {}, to=entity.name), dialect)
    return KeyRead(compiled(query, dialect), part.part or to_database(field, dialect) or str, id_of)


def _this(table: sa.Table) -> sa.ColumnElement[bool]:
    return table.c.id == sa.bindparam("id", type_=table.c.id.type, required=True)


def _unseen(entity: Entity) -> tuple[Field, ...]:
    return (DELETED_AT, DERIVED) if entity.derived else (DELETED_AT,)


def _whole_record(table: sa.Table, entity: Entity, dialect: DialectName) -> list[Picked]:
    return _picked(table, [*entity.all_fields.values(), *_unseen(entity)], dialect)


def whole_row(table: sa.Table, entity: Entity, dialect: DialectName) -> list[Picked]:
    """Everything that one row of a field holds."""
    return _picked(table, entity.all_fields.values(), dialect)


def _picked(table: sa.Table, fields: Iterable[Field], dialect: DialectName) -> list[Picked]:
    return [
        Picked(
            field.name,
            tuple(table.c[part.name] for part in stored(field)[: 2 if field.type == "point" else 1]),
            point if field.type == "point" else from_database(field, dialect),
        )
        for field in fields
        if not field.apart
    ]


Step = tuple[str, str, Callable[[Any], Any] | None]
"""A column, the field whose value it takes, and what makes the column's value of it."""


def encoder(entity: Entity, dialect: DialectName) -> Callable[[Row], dict[str, Any]]:
    """A function that turns a whole record into the values of its columns, folded keys included; written like ``row_decoder``."""
    title: Step = ("title_key", "title", stored(_folding("title"))[1].part)
    return _encoder([title, *_steps([*entity.all_fields.values(), *_unseen(entity)], dialect)])


def row_encoder(entity: Entity, dialect: DialectName) -> Callable[[Row], dict[str, Any]]:
    """The same for one row of a field."""
    return _encoder(_steps(entity.all_fields.values(), dialect))


def _steps(fields: Iterable[Field], dialect: DialectName) -> list[Step]:
    steps: list[Step] = []
    for field in fields:
        columns = stored(field)[:1] if field.system else stored(field)
        steps += [(part.name, field.name, part.part or to_database(field, dialect)) for part in columns]
    return steps


def _encoder(steps: Iterable[Step]) -> Callable[[Row], dict[str, Any]]:
    steps = list(steps)
    scope: dict[str, Any] = {f"f{n}": convert for n, (_, _, convert) in enumerate(steps)}
    parts = [
        f"{column!r}: g({name!r})" if convert is None else f"{column!r}: None if (v := g({name!r})) is None else f{n}(v)"
        for n, (column, name, convert) in enumerate(steps)
    ]
    exec(f"def encode(row):\n    g = row.get\n    return {{{', '.join(parts)}}}", scope)  # noqa: S102 (our own source)
    encode: Callable[[Row], dict[str, Any]] = scope["encode"]
    return encode


def _folding(name: str) -> Field:
    return Field(name=name, type="text", label={})


def link_reads(tables: Tables, system: Policies, entity: Entity, paths: frozenset[str], dialect: DialectName) -> tuple[LinkRead, ...]:
    return tuple(_link_read(tables, system, entity, name, paths, dialect) for name in _links_on(paths))


def _links_on(paths: frozenset[str]) -> list[str]:
    return sorted({path.partition(".")[0] for path in paths})


def _link_read(tables: Tables, system: Policies, entity: Entity, name: str, paths: frozenset[str], dialect: DialectName) -> LinkRead:
    field = entity.field(name)
    if field is None or not field.targets:
        raise KeyError(name)
    wanted = sorted(path for path in paths if path.startswith(f"{name}."))
    if field.several:
        return _link_read_of_several(tables, system, entity, field, wanted, dialect)
    rows = Rows(tables, system, field.targets[0], dialect)
    picked = []
    for path in wanted:
        pick = Picked.of(rows, path.partition(".")[2])
        picked.append(Picked(path, pick.columns, pick.convert))
    columns = [column.label(f"c{n}") for n, column in enumerate(c for pick in picked for c in pick.columns)]
    query = sa.select(*columns).select_from(rows.source)
    query = query.where(rows.root.c.id == sa.bindparam("id", type_=rows.root.c.id.type, required=True))
    return LinkRead(name, compiled(query, dialect), row_decoder(picked))


def _link_read_of_several(
    tables: Tables, system: Policies, entity: Entity, field: Field, paths: Sequence[str], dialect: DialectName
) -> LinkRead:
    """From the record's row in the spine to the entity that it is of."""
    spine = tables.own("record").alias("r")
    picked, run_time = [], []
    for n, path in enumerate(paths):
        end = system.resolve(entity.name, path)
        if end is None:
            raise KeyError(path)
        made = OfSeveral(tables, system, dialect, f"s{n}_")
        names = [part.name for part in stored(end)] if end.type == "point" else [end.name]
        rest = path.partition(".")[2].rpartition(".")[0]
        columns = tuple(made.column(field, spine.c.id, spine, f"{rest}.{one}" if rest else one, raw=True) for one in names)
        picked.append(Picked(path, columns, point if end.type == "point" else from_database(end, dialect)))
        run_time += made.run_time
    labelled = [column.label(f"c{n}") for n, column in enumerate(c for pick in picked for c in pick.columns)]
    query = sa.select(*labelled).select_from(spine).where(spine.c.id == sa.bindparam("id", type_=spine.c.id.type, required=True))
    return LinkRead(field.name, compiled(query, dialect, run_time), row_decoder(picked))


def _referrers(tables: Tables, system: Policies, entity: Entity, dialect: DialectName) -> tuple[Referrer, ...]:
    return tuple(
        Referrer(name, field, _linking_rows(tables.entities[name], tables.parts[name, rows.name], field, dialect), rows.name)
        if rows
        else Referrer(name, field, _linking(tables.entities[name], field, dialect))
        for name, rows, field in system.application.links_to.get(entity.name, ())
    )


def _linking(table: sa.Table, field: Field, dialect: DialectName) -> Statement:
    mark = sa.bindparam("id", type_=table.c.id.type, required=True)
    uses = sa.and_(table.c[field.name] == mark, table.c.id != mark, table.c.deleted_at.is_(None))
    query = sa.select(table.c.id).where(uses).order_by(table.c.id)
    return compiled(query.limit(sa.bindparam("most", type_=sa.Integer(), required=True)), dialect)


def _linking_rows(table: sa.Table, rows: sa.Table, field: Field, dialect: DialectName) -> Statement:
    mark = sa.bindparam("id", type_=table.c.id.type, required=True)
    linking = sa.select(rows.c.record).where(rows.c[field.name] == mark)
    query = sa.select(table.c.id).where(table.c.id.in_(linking), table.c.id != mark, table.c.deleted_at.is_(None)).order_by(table.c.id)
    return compiled(query.limit(sa.bindparam("most", type_=sa.Integer(), required=True)), dialect)


def _once(table: sa.Table, dialect: DialectName) -> sa.Insert:
    """An insert that does nothing where the row is there already."""
    marks = {column.name: sa.bindparam(column.name, type_=column.type, required=True) for column in table.c}
    insert = sqlite.insert if dialect == "sqlite" else postgresql.insert
    return insert(table).values(marks).on_conflict_do_nothing()


def system_writes(tables: Tables, dialect: DialectName) -> SystemWrites:
    def insert(name: str, leave_out: tuple[str, ...] = ()) -> sa.Insert:
        table = tables.own(name)
        marks = {c.name: sa.bindparam(c.name, type_=c.type, required=True) for c in table.c if c.name not in leave_out}
        return sa.insert(table).values(marks)

    just_inserted = sa.func.last_insert_rowid() if dialect == "sqlite" else sa.func.lastval()
    record, release, along = tables.own("record"), tables.own("release"), tables.own("along")
    told = sa.select(along.c.entity, along.c.record, along.c.field, along.c.target)
    spine = sa.update(record).where(record.c.id == sa.bindparam("id_", type_=record.c.id.type, required=True))
    return SystemWrites(
        release=compiled(sa.select(release.c.id).where(release.c.active), dialect),
        spine=compiled(sa.select(record.c.entity).where(_this(record), record.c.deleted_at.is_(None)), dialect),
        spine_insert=compiled(insert("record"), dialect),
        spine_update=compiled(
            spine.values(
                open=sa.bindparam("open", type_=record.c.open.type, required=True),
                deleted_at=sa.bindparam("deleted_at", type_=record.c.deleted_at.type, required=True),
            ),
            dialect,
        ),
        change=compiled(insert("change", ("id", "position", "hash")), dialect),
        payload=compiled(insert("payload", ("change",)).values(change=just_inserted), dialect),
        along=compiled(insert("along"), dialect),
        gone_along=compiled(_of_root(told, along).order_by(along.c.place), dialect),
        forget_along=compiled(_of_root(sa.delete(along), along), dialect),
        file=compiled(_once(tables.own("file"), dialect), dialect),
        job=compiled(insert("job", ("id", "lease_until", "fence", "error", "ended_at", "since", "mended_at")), dialect),
    )


def _of_root(statement: Any, along: sa.Table) -> Any:
    return statement.where(along.c.root == sa.bindparam("root", type_=along.c.root.type, required=True))
