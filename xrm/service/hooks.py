"""Calling plugins: what they get, and what becomes of their failures."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from xrm.errors import Problem, XrmError
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
    """Let plugins complete the values, outside any transaction; theirs are trusted, and typed like any."""
    hooks = ctx.service.plugins.preparing
    if not hooks or intent.action not in ("create", "update"):
        return values
    before = get_record(ctx.as_system(), intent.entity, intent.id) if intent.id else None
    for hook in hooks:
        _call("prepare_record", hook, entity=intent.entity, values=values, before=before, context=hook_context(ctx))
    known = ctx.service.application.entities[intent.entity].entity.all_fields
    unknown = sorted(set(values) - set(known))
    if unknown:
        raise XrmError(Problem("XRM703", f"a plugin set a field that {intent.entity} does not have: {unknown[0]}"))
    return values


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
