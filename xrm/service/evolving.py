"""The writes of a plan: fills and moves of removed names, by the one way to write, in the transaction that applies it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from dataclasses import field as part
from typing import Any

from xrm.compile.rules import value_closure
from xrm.errors import Invalid, XrmError
from xrm.model.fields import Field
from xrm.service.commit import BOOKKEEPING
from xrm.service.context import SYSTEM_ACTOR, Context, Service
from xrm.service.locking import Held
from xrm.service.records import Intent, prepared_write
from xrm.store.database import Connection
from xrm.store.ddl import quoted
from xrm.store.deciding import mapped
from xrm.store.plans import Writes
from xrm.store.renaming import holding
from xrm.store.savepoints import savepoint

BATCH = 500
SHOWN = 5


def write_all(service: Service, connection: Connection, writes: Sequence[Writes]) -> None:
    """Every write of a plan. They are history: rules that would refuse the rest of a record are kept as flags.

    Raises:
        Invalid: a record cannot take its value; the transaction is to be rolled back.
    """
    ctx, held = service.acting(SYSTEM_ACTOR), Held()
    for one in writes:
        for record in _records(ctx, connection, one):
            value = _value(ctx, one, record)
            if value == record[one.field]:
                continue
            intent = Intent("update", one.entity, {one.field: _sent(value)}, record["id"], historic=True)
            try:
                prepared_write(ctx, intent)(connection, held)
            except XrmError as refused:
                raise _refused(one, record, refused) from refused


def _refused(one: Writes, record: Mapping[str, Any], refused: XrmError) -> Invalid:
    """The problem with the record it is about."""
    first, *others = refused.problems
    name = record.get("number") or record.get("title") or record["id"]
    return Invalid(replace(first, message=f"{one.words}: {name}: {first.message}"), *others)


def _records(ctx: Context, connection: Connection, one: Writes) -> Iterator[dict[str, Any]]:
    """The records that a write is for, whole, in the order of their ids; each batch is read before any of it is written."""
    compiled = ctx.service.application.entities[one.entity]
    dialect = connection.dialect
    table = quoted(ctx.service.application.tables.entities[one.entity].name, dialect)
    field = compiled.entity.field(one.field)
    mark, column = "?" if dialect == "sqlite" else "%s", quoted(_column(field), dialect)
    if one.mapping is not None:
        where = holding(one.field, one.mapping, dialect, lists=bool(field and field.many))
    else:
        where = "1 = 1" if one.field == "state" else f"{column} IS NULL"
    last = None
    while True:
        after = "" if last is None else f" AND id > {mark}"
        text = f"SELECT id FROM {table} WHERE {where} AND deleted_at IS NULL{after} ORDER BY id LIMIT {BATCH}"
        keys = [row[0] for row in connection.all(text, () if last is None else (last,))]
        for key in keys:
            row = connection.one(compiled.writes.lock.sql, compiled.writes.lock.bind({"id": key}))
            assert row is not None
            yield dict(compiled.writes.decode(row))
        if len(keys) < BATCH:
            return
        last = keys[-1]


def _column(field: Field | None) -> str:
    assert field is not None
    return f"{field.name}_lat" if field.kind.kept == "point" else field.name


def _value(ctx: Context, one: Writes, record: Mapping[str, Any]) -> object:
    entity = ctx.service.application.entities[one.entity].entity
    field = entity.field(one.field)
    assert field is not None
    if one.mapping is not None:
        return mapped(record[one.field], one.mapping)
    given = (entity.lifecycle.fill if entity.lifecycle else None) if one.field == "state" else field.fill or field.default
    return value_closure(field, given)(record, ctx.moment) if given else None


def _sent(value: object) -> object:
    """A value as a caller would send it."""
    as_json = getattr(value, "as_json", None)
    return as_json() if as_json is not None else value


@dataclass(slots=True)
class Anew:
    """What recomputing an entity would change: how many records, the first of them in words, and those that refuse."""

    entity: str
    changed: int = 0
    examples: list[str] = part(default_factory=list)
    refused: int = 0
    reasons: list[str] = part(default_factory=list)


def recomputed(service: Service, connection: Connection, entity: str) -> Anew:
    """Write every record of an entity again, in a transaction that will be rolled back, and tell what differs."""
    ctx, held, found = service.acting(SYSTEM_ACTOR), Held(), Anew(entity)
    compiled = service.application.entities[entity]
    table = quoted(service.application.tables.entities[entity].name, connection.dialect)
    for (key,) in connection.all(f"SELECT id FROM {table} WHERE deleted_at IS NULL ORDER BY id"):
        row = connection.one(compiled.writes.lock.sql, compiled.writes.lock.bind({"id": key}))
        assert row is not None
        before = dict(compiled.writes.decode(row))
        name = str(before.get("number") or before.get("title") or before["id"])
        try:
            with savepoint(connection):
                written = prepared_write(ctx, Intent("update", entity, {}, before["id"], historic=True))(connection, held)
        except XrmError as refused:
            held.forget()
            found.refused += 1
            found.reasons += [f"{name}: {refused.problems[0].message}"] if len(found.reasons) < SHOWN else []
            continue
        if written.changed:
            found.changed += 1
            found.examples += [f"{name}: {_differing(before, written.record)}"] if len(found.examples) < SHOWN else []
    return found


def _differing(before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    kept = BOOKKEEPING - {"title", "flags"}
    return ", ".join(
        f"{name} {before.get(name)} → {value}" for name, value in after.items() if name not in kept and before.get(name) != value
    )
