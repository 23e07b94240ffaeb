"""Records that a definition names by their key: which they are."""

from __future__ import annotations

from xrm.model.data import Keyed
from xrm.service.context import Context
from xrm.store.database import Connection


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
