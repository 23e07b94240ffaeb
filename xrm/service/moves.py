"""What may happen next to a record: its moves, allowed or blocked, each blocked one with its reason."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from xrm.model.lifecycle import Ask, Transition
from xrm.service.constraints import ahead, moved
from xrm.service.context import Context
from xrm.service.locking import with_links
from xrm.service.policy import may_here, may_move
from xrm.service.reading import get_record
from xrm.service.validation import unmet


@dataclass(frozen=True, slots=True)
class Move:
    """``reasons`` says why it is blocked; empty when it is allowed. ``ask``: the fields it wants, as far as the actor sees them."""

    name: str
    label: str
    target: str
    allowed: bool
    reasons: tuple[str, ...]
    ask: tuple[Ask, ...]


def moves(ctx: Context, entity: str, id: str) -> tuple[Move, ...]:
    """The moves that leave the record's state, in the order of the definition.

    Raises:
        NotFound: there is no such record for this actor.
    """
    get_record(ctx, entity, id, ("id",))
    lifecycle = ctx.entity(entity).entity.lifecycle
    if lifecycle is None:
        return ()
    row = raw_row(ctx, entity, id)
    return tuple(_move(ctx, entity, move, row) for move in lifecycle.leaving(row["state"]))


def may_now(ctx: Context, entity: str, id: str) -> Mapping[str, bool]:
    """Whether the actor may update and delete this very record."""
    row = raw_row(ctx, entity, id)
    return {"update": may_here(ctx, entity, "update", row), "delete": may_here(ctx, entity, "delete", row)}


def raw_row(ctx: Context, entity: str, id: str) -> dict[str, Any]:
    """The record as its own rules see it: whole, with what they read beyond its links."""
    system = ctx.as_system()
    record = get_record(system, entity, id)
    return with_links(system, ctx.service.database.connection, ctx.entity(entity), record)


def _move(ctx: Context, entity: str, move: Transition, row: dict[str, Any]) -> Move:
    words = ctx.words
    compiled = ctx.service.application.entities[entity]
    after = moved(compiled, move, row)
    reasons = [*unmet(ctx, compiled, compiled.rules.moves[move.name], after, ahead=True), *ahead(ctx, compiled, move, row, after)]
    if not may_move(ctx, entity, move, row):
        reasons.insert(0, _who(ctx, move))
    asks = tuple(ask for ask in move.ask if ctx.policy(entity).sees(ask.field))
    return Move(move.name, words(move.label), move.target, not reasons, tuple(reasons), asks)


def _who(ctx: Context, move: Transition) -> str:
    model = ctx.service.application.model
    names = [ctx.words(model.roles[name].label) for name in move.roles or () if name in model.roles]
    return f"Only for: {', '.join(names)}" if names else "You may not change this record"
