"""A value that must be unique is in use: by which record, where the actor may know."""

from __future__ import annotations

from dataclasses import replace

from xrm.compile.lookups import lookup
from xrm.errors import Invalid, XrmError
from xrm.service.commit import InUse
from xrm.service.context import Context
from xrm.service.reading import get_record


def with_holder(ctx: Context, refused: InUse) -> Invalid:
    """The same refusal with the title of the record that has the value; unchanged where this actor sees none, or several.

    Called after the transaction was undone.
    """
    title = _holder(ctx, refused)
    return Invalid(*(replace(one, message=f"{one.message} by {title}") for one in refused.problems)) if title else refused


def _holder(ctx: Context, refused: InUse) -> str:
    service = ctx.service
    names, values = list(refused.values), list(refused.values.values())
    if None in values:
        return ""
    try:
        found = lookup(service.application.tables, ctx.policies, refused.entity, names, service.database.dialect)
        rows = service.database.connection.all(found.statement.sql, found.bind([found.encode(values)], ctx.moment))
        ids = {id for _, id in map(found.decode, rows) if id != refused.id}
        return str(get_record(ctx, refused.entity, ids.pop(), ("title",))["title"]) if len(ids) == 1 else ""
    except (KeyError, XrmError):
        return ""
