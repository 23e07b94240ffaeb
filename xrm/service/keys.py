"""Records that a definition names by their key: which they are."""

from __future__ import annotations

from xrm.model.data import Keyed
from xrm.model.fields import TARGET, Field
from xrm.service.context import Context
from xrm.store.database import Connection


def given(ctx: Context, connection: Connection, field: Field, value: object) -> object:
    """What a definition gives a field, with the ids of records that it names by their keys; those that are not there are left out."""
    if not field.each:
        return keyed(ctx, connection, value)
    ids = (keyed(ctx, connection, one) for one in (value if isinstance(value, tuple) else (value,)))
    return tuple({"id": None, TARGET: id} for id in dict.fromkeys(ids) if id is not None)


def keyed(ctx: Context, connection: Connection, value: object) -> object:
    """The id of a record that is named by its key, None where there is none; any other value as it is."""
    if not isinstance(value, Keyed):
        return value
    entity = ctx.service.application.entities.get(value.entity)
    read = entity.writes.by_key if entity else None
    if read is None:
        return None
    row = connection.one(read.statement.sql, read.statement.bind({"key": read.encode(value.key)}))
    return None if row is None else read.decode(row[0]) if read.decode else row[0]
