"""The writes of a plan: fills and moves of removed names, by the one way to write, in the transaction that applies it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from dataclasses import field as part
from typing import Any

from xrm.compile.columns import bind_id
from xrm.compile.constraints import value_paths
from xrm.compile.dependencies import expressions
from xrm.compile.deriving import term
from xrm.compile.policies import SYSTEM
from xrm.compile.rules import value_closure
from xrm.compile.writes import link_reads
from xrm.errors import Invalid, XrmError
from xrm.expr.gathered import linked
from xrm.model.data import Keyed
from xrm.model.entity import Entity
from xrm.model.fields import Field, Value
from xrm.model.values import canonical
from xrm.service import rows
from xrm.service.context import SYSTEM_ACTOR, Context, Service
from xrm.service.keys import keyed
from xrm.service.locking import Asking, Held, read_beyond
from xrm.service.records import Intent, prepared_write
from xrm.store.database import Connection
from xrm.store.ddl import quoted
from xrm.store.deciding import mapped
from xrm.store.plans import Writes
from xrm.store.renaming import holding
from xrm.store.savepoints import savepoint

BATCH = 500
SHOWN = 5


def parted(service: Service, writes: Sequence[Writes]) -> tuple[list[Writes], list[Writes]]:
    """The writes of a plan that come before its reference records, and those that name one of these by its key."""
    ctx = service.acting(SYSTEM_ACTOR)
    named = [one for one in writes if (given := _given(ctx, one)) and any(isinstance(use, Keyed) for _, use in given.cases)]
    return [one for one in writes if one not in named], named


def write_all(service: Service, connection: Connection, writes: Sequence[Writes]) -> None:
    """Some writes of a plan. They are history: rules that would refuse the rest of a record are kept as flags.

    Raises:
        Invalid: a record cannot take its value; the transaction is to be rolled back.
    """
    ctx, held = service.acting(SYSTEM_ACTOR), Held()
    for one in writes:
        given = _given(ctx, one)
        beyond = _Beyond(ctx, connection, one.entity, given) if given else None
        for record in _records(ctx, connection, one):
            if given and not _applies(ctx, one, record):
                continue
            value = _value(ctx, one, record, beyond)
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
    path = (one.entity, "lifecycle") if one.field == "state" else (one.entity, "fields", one.field)
    hint = first.hint or "give it what fits: another fill, or another name in removed"
    return Invalid(replace(first, message=f"{one.words}: {name}: {first.message}", path=path, hint=hint), *others)


def _records(ctx: Context, connection: Connection, one: Writes) -> Iterator[dict[str, Any]]:
    """The records that a write is for, whole, in the order of their ids; each batch is read before any of it is written."""
    compiled = ctx.service.application.entities[one.entity]
    dialect = connection.dialect
    table = quoted(ctx.service.application.tables.entities[one.entity].name, dialect)
    field = compiled.entity.field(one.field)
    mark, column = "?" if dialect == "sqlite" else "%s", quoted(_column(field), dialect)
    if one.mapping is not None:
        where = holding(one.field, one.mapping, dialect, lists=bool(field and field.many), json=bool(field and field.type == "json"))
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


def _given(ctx: Context, one: Writes) -> Value | None:
    """What says the value of a write; None where a map does, or nothing."""
    entity = ctx.service.application.entities[one.entity].entity
    field = entity.field(one.field)
    assert field is not None
    if one.mapping is not None:
        return None
    return (entity.lifecycle.fill if entity.lifecycle else None) if one.field == "state" else field.fill or field.default


def _applies(ctx: Context, one: Writes, record: Mapping[str, Any]) -> bool:
    """Whether a field is shown in a record, as far as the record alone can tell: what does not apply is not filled in."""
    shows = ctx.service.application.entities[one.entity].rules.constraints.shows
    when = next((shown.when for shown in shows if shown.field.name == one.field), None)
    alone = when is not None and not when.gathered and not any("." in path for path in when.paths)
    return when is None or not alone or when.holds(record, ctx.moment)


def _value(ctx: Context, one: Writes, record: Mapping[str, Any], beyond: _Beyond | None) -> object:
    if one.mapping is not None:
        value = mapped(record[one.field], one.mapping)
        return list(value) if isinstance(value, tuple) and isinstance(record[one.field], list) else value
    return beyond.value(one.field, record) if beyond else None


class _Beyond:
    """What a fill reads of a record, through links, in its rows and of records that link to it, as the tables are now."""

    def __init__(self, ctx: Context, connection: Connection, entity: str, given: Value) -> None:
        application = ctx.service.application
        compiled = application.entities[entity]
        tables, system, dialect = application.tables, application.policies(SYSTEM), connection.dialect
        paths = frozenset(path for path in value_paths(given) if "." in path and _leads(compiled.entity, path))
        self._links = link_reads(tables, system, compiled.entity, paths, dialect)
        found = {gather.text: gather for one in expressions(given) for gather in linked(one.checked.node)}
        self._terms = {text: term(tables, system, compiled.entity, gather, dialect) for text, gather in found.items()}
        self._ctx, self._connection, self._compiled, self._given = ctx, connection, compiled, given

    def value(self, name: str, record: Mapping[str, Any]) -> object:
        field = self._compiled.entity.field(name)
        assert field is not None
        row = Asking(rows.read(self._connection, self._compiled, dict(record)), self._connection, self._ctx.moment, self._terms)
        for link in self._links:
            row |= read_beyond(self._connection, link, record.get(link.field))
        return keyed(self._ctx, self._connection, value_closure(field, self._given)(row, self._ctx.moment))


def _leads(entity: Entity, path: str) -> bool:
    first = entity.field(path.partition(".")[0])
    return first is not None and bool(first.targets)


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


def recomputed(service: Service, connection: Connection, entities: Sequence[str]) -> tuple[Anew, ...]:
    """Write every record of some entities again, in a transaction that will be rolled back, and tell what differs. All are looked at
    before the first is written: those that follow from records of another entity have changed when it is their turn."""
    ctx, held = service.acting(SYSTEM_ACTOR), Held()
    compiled = service.application.entities
    before = {entity: {row["id"]: _told(compiled[entity].entity, row) for row in _alive(ctx, connection, entity)} for entity in entities}
    found = {entity: Anew(entity) for entity in entities}
    rewritten = {entity: _rewritten(ctx, connection, held, found[entity], tuple(before[entity])) for entity in entities}
    for entity, anew in found.items():
        for row in _alive(ctx, connection, entity):
            was, now = before[entity][row["id"]], _told(compiled[entity].entity, row)
            if row["id"] in rewritten[entity] or was != now:
                anew.changed += 1
                differing = _differing(compiled[entity].entity, was, now)
                anew.examples += [f"{_name(row)}: {differing}"] if differing and len(anew.examples) < SHOWN else []
    return tuple(found.values())


def _alive(ctx: Context, connection: Connection, entity: str) -> Iterator[Mapping[str, Any]]:
    """The records of an entity as they stand, in the order of their ids."""
    compiled = ctx.service.application.entities[entity]
    table = quoted(ctx.service.application.tables.entities[entity].name, connection.dialect)
    for (key,) in connection.all(f"SELECT id FROM {table} WHERE deleted_at IS NULL ORDER BY id"):
        row = connection.one(compiled.writes.lock.sql, compiled.writes.lock.bind({"id": key}))
        assert row is not None
        yield compiled.writes.decode(row)


def _rewritten(ctx: Context, connection: Connection, held: Held, anew: Anew, ids: Sequence[str]) -> set[str]:
    """The records that a write of nothing changed; ``anew`` takes those that refuse it."""
    changed = set()
    for id in ids:
        try:
            with savepoint(connection):
                written = prepared_write(ctx, Intent("update", anew.entity, {}, id, historic=True))(connection, held)
        except XrmError as refused:
            held.forget()
            anew.refused += 1
            if len(anew.reasons) < SHOWN:
                compiled = ctx.service.application.entities[anew.entity]
                row = connection.one(compiled.writes.lock.sql, compiled.writes.lock.bind({"id": bind_id(id, connection.dialect)}))
                anew.reasons.append(f"{_name(compiled.writes.decode(row) if row else {'id': id})}: {refused.problems[0].message}")
            continue
        if written.changed:
            changed.add(id)
    return changed


def _name(row: Mapping[str, Any]) -> str:
    return str(row.get("number") or row.get("title") or row["id"])


def _told(entity: Entity, row: Mapping[str, Any]) -> dict[str, Any]:
    """What follows from other fields; of rows and lists, which are not read here, nothing."""
    fields = (field for field in entity.all_fields.values() if field.name in ("title", "flags") or (field.compute and not field.apart))
    return {field.name: row.get(field.name) for field in fields}


def _differing(entity: Entity, before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    """What differs, as words."""
    told = [(entity.all_fields[name], was, after[name]) for name, was in before.items() if was != after[name]]
    return ", ".join(f"{field.name} {_said(field, was)} → {_said(field, now)}" for field, was, now in told)


def _said(field: Field, value: object) -> str:
    return "–" if value is None else canonical(field, value)
