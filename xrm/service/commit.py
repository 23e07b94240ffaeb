"""The last step of a write: the record, its spine row, the change with its payload, and the jobs that follow from it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from xrm.compile.application import CompiledEntity
from xrm.compile.columns import bind_id, bind_instant
from xrm.compile.indexes import broken_rule
from xrm.errors import Invalid, Problem
from xrm.model.entity import Entity
from xrm.service.context import Context
from xrm.store.changes import payload
from xrm.store.connections import Dangling, Duplicate
from xrm.store.database import Connection

if TYPE_CHECKING:
    from xrm.service.records import Intent

BOOKKEEPING = frozenset({"id", "version", "created_at", "created_by", "updated_at", "updated_by", "title", "open", "flags"})
"""What follows from the rest of a write and is not a change of its own."""


def differs(entity: Entity, before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    """Whether a write would change anything a person said. Importing the same file again does not."""
    return any(before.get(name) != value for name, value in after.items() if name not in BOOKKEEPING) or (
        before.get("title") != after.get("title") or before.get("flags") != after.get("flags")
    )


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
    entity, dialect = compiled.entity, connection.dialect
    key = bind_id(after["id"], dialect)
    columns = compiled.writes.encode(dict(after))
    statement = compiled.writes.insert if before is None else compiled.writes.update
    try:
        connection.run(statement.sql, statement.bind({**columns, "id_": key}))
    except Duplicate as refused:
        raise _in_use(ctx, entity, refused.rule) from refused
    except Dangling as refused:
        raise Invalid(Problem("XRM511", "a linked record does not exist")) from refused
    _spine(ctx, connection, entity, before, columns, key)
    _change(ctx, connection, intent, before, after, key)


def _spine(
    ctx: Context,
    connection: Connection,
    entity: Entity,
    before: Mapping[str, Any] | None,
    columns: Mapping[str, Any],
    key: object,
) -> None:
    system = ctx.service.application.system
    values = {"id": key, "id_": key, "entity": entity.name, "open": columns["open"], "deleted_at": columns["deleted_at"]}
    if before is None:
        connection.run(system.spine_insert.sql, system.spine_insert.bind(values))
    elif (before["open"], before["deleted_at"]) != (bool(columns["open"]), columns["deleted_at"]):
        connection.run(system.spine_update.sql, system.spine_update.bind(values))


def _change(
    ctx: Context,
    connection: Connection,
    intent: Intent,
    before: Mapping[str, Any] | None,
    after: Mapping[str, Any],
    key: object,
) -> None:
    system, dialect = ctx.service.application.system, connection.dialect
    old = before or {}
    fields = {name: (old.get(name), value) for name, value in after.items() if name not in BOOKKEEPING and old.get(name) != value}
    body = payload(fields)
    at = bind_instant(ctx.moment.now, dialect)
    row = connection.one(
        system.change.sql,
        system.change.bind(
            {
                "record": key,
                "entity": intent.entity,
                "version": after["version"],
                "action": intent.action,
                "transition": intent.transition,
                "historic": intent.historic,
                "at": at,
                "actor": bind_id(ctx.actor.id, dialect),
                "release": ctx.service.release,
                "digest": body.digest,
            }
        ),
    )
    change = row[0] if row else None
    connection.run(system.payload.sql, system.payload.bind({"change": change, "salt": body.salt, "body": body.body}))
    if ctx.service.plugins.committed:
        job = {"change": change, "record": after["id"], "entity": intent.entity}
        values = {"kind": "record_committed", "body": msgspec.json.encode(job).decode(), "run_at": at, "attempts": 0}
        connection.run(system.job.sql, system.job.bind(values))


def _in_use(ctx: Context, entity: Entity, rule: str) -> Invalid:
    fields = broken_rule(ctx.service.application.tables.entities[entity.name], rule)
    if not fields:
        return Invalid(Problem("XRM503", "a value that must be unique is already in use"))
    words = ctx.service.application.model.words
    labels = " and ".join(words(entity.all_fields[field].label) for field in fields)
    return Invalid(Problem("XRM503", f"{labels} is already in use", path=(fields[0],)))
