"""Calling plugins: what they get, and what becomes of their failures."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from xrm.errors import Problem, XrmError
from xrm.model.entity import Entity
from xrm.model.misfits import Misfit
from xrm.model.values import coerce
from xrm.plugins import failed
from xrm.service.context import Context
from xrm.service.reading import Query, get_record, list_records

if TYPE_CHECKING:
    from xrm.service.records import Intent

log = logging.getLogger("xrm.plugins")


@dataclass(frozen=True, slots=True)
class HookContext:
    """What a plugin gets: who acts, when, and reading with the rights of ``reader``."""

    actor_id: str
    now: datetime
    reader: Context
    query: Mapping[str, str]

    def find(self, entity: str, filter: str, fields: Sequence[str], limit: int = 50) -> list[dict[str, Any]]:
        """Records as flat rows. ``filter`` is an expression, or empty for all; at most ``limit`` of them."""
        return list_records(self.reader, Query(entity, tuple(fields), filter or None, limit=limit)).rows


def hook_context(ctx: Context) -> HookContext:
    """For hooks: a plugin is trusted and reads as the system does."""
    return HookContext(ctx.actor.id, ctx.moment.now, ctx.as_system(), {})


def page_context(ctx: Context, query: Mapping[str, str]) -> HookContext:
    """For pages of plugins: reading with the rights of the user who opened the page."""
    return HookContext(ctx.actor.id, ctx.moment.now, ctx, query)


def prepare(ctx: Context, intent: Intent, values: dict[str, Any]) -> dict[str, Any]:
    """Let plugins complete the values, outside any transaction; theirs are trusted, and typed like any.

    Raises:
        NotFound: the actor does not see the record, so that no plugin is asked about it.
        XrmError: XRM703, a plugin failed or set what is not a value of a field that can be written.
    """
    hooks = ctx.service.plugins.preparing
    if not hooks or intent.action not in ("create", "update"):
        return values
    if intent.id:
        get_record(ctx, intent.entity, intent.id, ("id",))
    before = get_record(ctx.as_system(), intent.entity, intent.id) if intent.id else None
    prepared = dict(values)
    for hook in hooks:
        _call("prepare_record", hook, entity=intent.entity, values=prepared, before=before, context=hook_context(ctx))
    entity = ctx.service.application.entities[intent.entity].entity
    return {name: value if name in values and value is values[name] else _fitting(entity, name, value) for name, value in prepared.items()}


def _fitting(entity: Entity, name: str, value: object) -> object:
    field = entity.fields.get(name)
    if field is None or field.compute is not None:
        raise XrmError(Problem("XRM703", f"a plugin set '{name}', which is not a field of {entity.name} that can be written"))
    try:
        return coerce(field, value)
    except Misfit as misfit:
        raise XrmError(Problem("XRM703", f"a plugin set '{name}' of {entity.name}, and it {misfit.message}")) from None


def validate(ctx: Context, entity: str, record: Mapping[str, Any], before: Mapping[str, Any] | None) -> list[Problem]:
    found: list[Problem] = []
    for hook in ctx.service.plugins.validating:
        for problems in _call("validate_record", hook, entity=entity, record=dict(record), before=before, context=hook_context(ctx)):
            found += problems or ()
    return found


def _call(name: str, hook: Any, **arguments: Any) -> list[Any]:
    try:
        return list(hook(**arguments))
    except XrmError:
        raise
    except Exception as error:
        log.exception("a plugin failed in %s", name)
        raise failed(name, error) from error
