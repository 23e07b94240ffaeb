"""The last step of a write: the record, its spine row, the change with its payload, and the jobs that follow from it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from xrm.compile.application import CompiledEntity
from xrm.compile.columns import DialectName, bind_id, bind_instant
from xrm.compile.indexes import broken_rule
from xrm.compile.statements import Statement
from xrm.errors import Invalid, Problem
from xrm.model.entity import Entity
from xrm.service import rows
from xrm.service.context import Context
from xrm.service.files import added
from xrm.store.changes import payload
from xrm.store.connections import Bound, Dangling, Duplicate, TooLong
from xrm.store.database import Connection

if TYPE_CHECKING:
    from xrm.service.records import Intent

BOOKKEEPING = frozenset({"id", "version", "created_at", "created_by", "updated_at", "updated_by", "title", "open", "flags", "derived"})
"""What follows from the rest of a write and is not a change of its own."""


def said(intent: Intent) -> frozenset[str]:
    """The bookkeeping that an import of history says itself, so that it is a change like any other."""
    return BOOKKEEPING & intent.values.keys() if intent.historic else frozenset()


def differs(before: Mapping[str, Any], after: Mapping[str, Any], said: frozenset[str]) -> bool:
    """Whether a write would change anything a person said. Importing the same file again does not."""
    kept = BOOKKEEPING - {"title", "flags"} - said
    return any(before.get(name) != value for name, value in after.items() if name not in kept)


def insert(
    ctx: Context,
    connection: Connection,
    compiled: CompiledEntity,
    intent: Intent,
    before: Mapping[str, Any] | None,
    after: Mapping[str, Any],
) -> None:
    """Write it all in the caller's transaction.

    Raises:
        Invalid: a value is already in use (XRM503).
    """
    columns = compiled.writes.encode(dict(after)) | {"id_": bind_id(after["id"], connection.dialect)}
    statement = compiled.writes.insert if before is None else compiled.writes.update
    changes = [*_files(ctx, connection.dialect, compiled.entity, before, after), *_change(ctx, connection.dialect, intent, before, after)]
    own = rows.statements(compiled, before, after, connection.dialect)
    _run(ctx, connection, compiled, after, [_bound(statement, columns), *own, *_spine(ctx, intent.entity, before, columns), *changes])


def rewrite(ctx: Context, connection: Connection, compiled: CompiledEntity, before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
    """Write a record in which only what follows from others has changed: no edit, so no change of its own. Raises as ``insert``."""
    columns = compiled.writes.encode(dict(after)) | {"id_": bind_id(after["id"], connection.dialect)}
    own = rows.statements(compiled, before, after, connection.dialect)
    _run(ctx, connection, compiled, after, [_bound(compiled.writes.update, columns), *own])


def _run(ctx: Context, connection: Connection, compiled: CompiledEntity, after: Mapping[str, Any], statements: list[Bound]) -> None:
    try:
        connection.batch(statements)
    except Duplicate as refused:
        raise _in_use(ctx, compiled.entity, refused.rule, after) from refused
    except Dangling as refused:
        raise Invalid(Problem("XRM511", "a linked record does not exist")) from refused
    except TooLong as refused:
        raise Invalid(Problem("XRM502", "a value is too long to be unique or indexed", hint="2,000 bytes are always fine")) from refused


def _bound(statement: Statement, values: Mapping[str, Any]) -> Bound:
    return statement.sql, statement.bind(values)


def _spine(ctx: Context, entity: str, before: Mapping[str, Any] | None, columns: Mapping[str, Any]) -> list[Bound]:
    system = ctx.service.application.system
    values = {**columns, "id": columns["id_"], "entity": entity}
    if before is None:
        return [_bound(system.spine_insert, values)]
    unchanged = before["open"] == bool(columns["open"]) and (before["deleted_at"] is None) == (columns["deleted_at"] is None)
    return [] if unchanged else [_bound(system.spine_update, values)]


def _files(ctx: Context, dialect: DialectName, entity: Entity, before: Mapping[str, Any] | None, after: Mapping[str, Any]) -> list[Bound]:
    """That this record has, or had, the files it brings in: so long their bytes stay."""
    statement, id = ctx.service.application.system.file, bind_id(after["id"], dialect)
    return [
        _bound(
            statement,
            {"record": id, "field": field, "digest": bytes.fromhex(file["hash"]), "name": file["name"], "version": file["version"]},
        )
        for field, file in added(entity, before, after)
    ]


def _change(ctx: Context, dialect: DialectName, intent: Intent, before: Mapping[str, Any] | None, after: Mapping[str, Any]) -> list[Bound]:
    """The change row, its payload, and the job that tells plugins of it."""
    system, old = ctx.service.application.system, before or {}
    kept = BOOKKEEPING - said(intent)
    fields: dict[str, tuple[object, object]] = {}
    apart = {part.field.name for part in ctx.service.application.entities[intent.entity].rows}
    for name, value in after.items():
        if name not in kept and old.get(name, () if name in apart else None) != value:
            fields[name] = rows.difference(old.get(name) or (), value) if name in apart else (old.get(name), value)
    body = payload(fields)
    at = bind_instant(ctx.moment.now, dialect)
    values = {
        "record": bind_id(after["id"], dialect),
        "entity": intent.entity,
        "version": after["version"],
        "action": intent.action,
        "transition": intent.transition,
        "historic": intent.historic,
        "at": at,
        "actor": bind_id(ctx.actor.id, dialect),
        "release": ctx.service.release,
        "digest": body.digest,
        "salt": body.salt,
        "body": body.body,
    }
    made = [_bound(system.change, values), _bound(system.payload, values)]
    if ctx.service.plugins.committed:
        job = {"entity": intent.entity, "record": after["id"], "version": after["version"]}
        text = msgspec.json.encode(job).decode()
        made.append(_bound(system.job, {"kind": "record_committed", "body": text, "run_at": at, "attempts": 0}))
    return made


class InUse(Invalid):
    """A unique rule refuses a record; ``values`` are those of its fields, to find the record that has them."""

    def __init__(self, problem: Problem, entity: str, id: str, values: Mapping[str, Any]) -> None:
        super().__init__(problem)
        self.entity = entity
        self.id = id
        self.values = values


def _in_use(ctx: Context, entity: Entity, rule: str, after: Mapping[str, Any]) -> Invalid:
    fields = broken_rule(ctx.service.application.tables.entities[entity.name], rule)
    if not fields:
        return Invalid(Problem("XRM503", "a value that must be unique is already in use"))
    words = ctx.words
    labels = " and ".join(words(entity.all_fields[field].label) for field in fields)
    problem = Problem("XRM503", f"{labels} {'is' if len(fields) == 1 else 'are together'} already in use", path=(fields[0],))
    return InUse(problem, entity.name, after["id"], {name: after.get(name) for name in fields})
