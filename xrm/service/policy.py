"""May the actor? Asked before a write begins, and again with the final values."""

from __future__ import annotations

from collections.abc import Mapping

from xrm.compile.rules import rule_closure
from xrm.errors import Forbidden, Problem
from xrm.model.access import Right
from xrm.model.lifecycle import Transition
from xrm.service.context import SYSTEM_ACTOR, Context

VERB: Mapping[Right, str] = {"read": "see", "create": "create", "update": "change", "delete": "delete"}


def may(ctx: Context, entity: str, right: Right) -> None:
    """Refuse when the right is granted for no record at all.

    Raises:
        Forbidden: XRM507.
    """
    if not ctx.policy(entity).may(right):
        raise forbidden(ctx, entity, right)


def may_here(ctx: Context, entity: str, right: Right, row: Mapping[str, object]) -> bool:
    """Whether the right holds for a record in hand (raw values, as row rules see them)."""
    rule = ctx.policy(entity).rule(right)
    if rule is None or rule is True:
        return rule is True
    cache, key = ctx.service.prepared, ("right", ctx.actor.roles, entity, right)
    if key not in cache:
        cache[key] = rule_closure(rule)
    return bool(cache[key](row, ctx.moment))


def may_move(ctx: Context, entity: str, move: Transition, row: Mapping[str, object]) -> bool:
    """A move's own roles decide; without any, whoever may update the record."""
    if ctx.actor is SYSTEM_ACTOR:
        return True
    if move.roles is not None:
        return bool(ctx.actor.roles & set(move.roles))
    return may_here(ctx, entity, "update", row)


def forbidden(ctx: Context, entity: str, right: Right) -> Forbidden:
    label = ctx.service.application.model.entities[entity].name.replace("_", " ")
    roles = ", ".join(sorted(ctx.actor.roles)) or "none"
    return Forbidden(Problem("XRM507", f"you may not {VERB[right]} this {label}", hint=f"your roles: {roles}"))
