"""The write journey. There is no second way to write: page, API, import, job, plugin and command all come here.

may the actor? → prepare hooks → begin → lock in order → re-read, check the version → compute, validate, guard →
may the actor, with the final values? → record + change + payload + jobs → commit → wake the observers
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal, Protocol

from xrm.compile.columns import is_id
from xrm.errors import Invalid, Problem, Stale, XrmError
from xrm.service import commit, deleting, files, locking, naming, numbering, rows, validation
from xrm.service.accepting import accepted
from xrm.service.context import Context
from xrm.service.deriving import follow_up
from xrm.service.hooks import prepare
from xrm.service.intent import Action, Intent
from xrm.service.locking import Held
from xrm.service.policy import may, may_here, may_move
from xrm.service.reading import tag
from xrm.store.database import Connection
from xrm.store.ids import new_id
from xrm.store.savepoints import savepoint


@dataclass(frozen=True, slots=True)
class Written:
    """What was written. ``changed`` is False when the record already was so, and nothing was written."""

    id: str
    version: int
    record: Mapping[str, Any]
    changed: bool
    warnings: tuple[Problem, ...] = ()

    @property
    def tag(self) -> str:
        """What tells this state of the record from every other: its version, and how often it changed without being edited."""
        return tag(self.version, self.record.get("derived"))


def create(ctx: Context, entity: str, values: Mapping[str, object], *, historic: bool = False) -> Written:
    return write(ctx, Intent("create", entity, values, historic=historic))


def update(ctx: Context, entity: str, id: str, version: int | None, values: Mapping[str, object], *, historic: bool = False) -> Written:
    return write(ctx, Intent("update", entity, values, id, version, historic=historic))


def transition(ctx: Context, entity: str, id: str, version: int | None, name: str, values: Mapping[str, object]) -> Written:
    return write(ctx, Intent("transition", entity, values, id, version, name))


def delete(ctx: Context, entity: str, id: str, version: int | None) -> Written:
    return write(ctx, Intent("delete", entity, {}, id, version))


def restore(ctx: Context, entity: str, id: str, version: int | None) -> Written:
    return write(ctx, Intent("restore", entity, {}, id, version))


def write(ctx: Context, intent: Intent) -> Written:
    """Write one record, whole or not at all.

    Raises:
        NotFound: the entity, record or transition is not there for this actor.
        Forbidden: the actor may not.
        Stale: the record has changed since ``intent.version``.
        Invalid: the values are refused; every problem names its field.
    """
    try:
        written = _written(ctx, intent)
    except commit.InUse as refused:
        raise naming.with_holder(ctx, refused) from refused
    if written.changed:
        ctx.service.after.wake()
    return written


def write_within(ctx: Context, connection: Connection, held: Held, intent: Intent) -> Written:
    """The same in the caller's transaction, which can go on when it is refused. Raises as ``write`` does."""
    try:
        with savepoint(connection):
            return prepared_write(ctx, intent)(connection, held)
    except XrmError as refused:
        held.forget()
        if isinstance(refused, commit.InUse):
            raise naming.with_holder(ctx, refused) from refused
        raise


def _written(ctx: Context, intent: Intent) -> Written:
    try:
        return prepared_write(ctx, intent)(None)
    except Invalid as refused:
        if not numbering.taken(intent, refused):
            raise
        numbering.pass_over(ctx, intent)
        return prepared_write(ctx, intent)(None)


class PreparedWrite(Protocol):
    """A write that is ready. Called with None it makes a transaction of its own; with a connection it joins the caller's,
    who hands the same ``held`` to all writes of that transaction (an import of many rows)."""

    def __call__(self, connection: Connection | None, held: Held | None = None) -> Written: ...


def prepared_write(ctx: Context, intent: Intent) -> PreparedWrite:
    """Everything before the transaction; returns what runs in it."""
    compiled = ctx.entity(intent.entity)
    if intent.action == "transition":
        validation.known_move(compiled.entity, intent.transition or "")
    else:
        may(ctx, intent.entity, _right(intent.action))
    values = prepare(ctx, intent, accepted(ctx, compiled.entity, intent))
    number = numbering.number(ctx, intent, values) if intent.action == "create" else None

    def run(connection: Connection | None, held: Held | None = None) -> Written:
        if connection is not None:
            return _transact(ctx, intent, values, number, connection, held or Held())
        return ctx.service.database.write(lambda own: _transact(ctx, intent, values, number, own, Held()))

    return run


def _right(action: Action) -> Literal["create", "update", "delete"]:
    return "create" if action == "create" else "delete" if action in ("delete", "restore") else "update"


def _transact(
    ctx: Context, intent: Intent, values: Mapping[str, object], number: str | numbering.Draw | None, connection: Connection, held: Held
) -> Written:
    """The transaction, in the order the journey names. Runs again from the start after a deadlock."""
    compiled = ctx.service.application.entities[intent.entity]
    locking.admitted(ctx, connection, held)
    id = intent.id or ""
    reach = deleting.hold(ctx, connection, intent.entity, id) if intent.action == "delete" and is_id(id) else None
    before = locking.lock(ctx, connection, compiled, intent.action, intent.id, values, held)
    if before is not None:
        _may_touch(ctx, connection, intent, before)
    drawn = number.take(connection) if isinstance(number, numbering.Draw) else number
    after = _after(ctx, intent, before, files.attached(connection, compiled.entity, before, values), drawn)
    rows.merge(ctx, compiled, before, after, partial(locking.sees, ctx, connection), carried=intent.carried)
    row = locking.with_links(ctx, connection, compiled, after)
    warnings = validation.complete(ctx, connection, compiled, intent, before, row)
    _may_finally(ctx, intent, row)
    if reach is not None:
        deleting.judge(ctx, connection, reach)
    after = {name: row.get(name) for name in after}
    files.settled(compiled.entity, before, after)
    if intent.action != "delete":
        locking.hold(ctx, connection, compiled, before, after, held)
    if before is not None and not commit.differs(before, after, commit.said(intent)):
        return Written(after["id"], before["version"], before, False, warnings)
    commit.insert(ctx, connection, compiled, intent, before, after)
    warnings += _along(ctx, intent, connection, held, reach)
    own = follow_up(ctx, connection, compiled, before, after).get((intent.entity, after["id"]), after)
    return Written(after["id"], after["version"], own, True, warnings)


def _along(ctx: Context, intent: Intent, connection: Connection, held: Held, reach: deleting.Reach | None) -> tuple[Problem, ...]:
    """What a delete takes along, and what a restore brings back with it; each is a write like any other."""

    def step(action: str, entity: str, before: dict[str, Any], values: Mapping[str, object]) -> None:
        follows = Intent(action, entity, values, before["id"], follows=True)  # type: ignore[arg-type]  # it gives only actions
        compiled = ctx.service.application.entities[entity]
        after = _after(ctx, follows, before, values, None)
        row = locking.with_links(ctx, connection, compiled, after)
        validation.complete(ctx, connection, compiled, follows, before, row)
        after = {name: row.get(name) for name in after}
        if action != "delete":
            locking.hold(ctx, connection, compiled, before, after, held)
        commit.insert(ctx, connection, compiled, follows, before, after)
        follow_up(ctx, connection, compiled, before, after)

    if reach is not None:
        deleting.carry_out(ctx, connection, reach, step)
    return deleting.bring_back(ctx, connection, intent.id or "", held, step) if intent.action == "restore" else ()


def _may_touch(ctx: Context, connection: Connection, intent: Intent, before: dict[str, Any]) -> None:
    """The record as it is: may this actor see it, change it, and did they see this version?"""
    compiled = ctx.service.application.entities[intent.entity]
    row = locking.with_links(ctx, connection, compiled, before) if _asks(ctx, intent) else before
    if not may_here(ctx, intent.entity, "read", row):
        raise locking.no_record()
    if intent.version is not None and intent.version != before["version"]:
        raise Stale(
            Problem(
                "XRM508", f"the record has changed: you saw version {intent.version}, it is {before['version']}",
                path=("version",), hint="read it again and repeat your change",
            )
        )  # fmt: skip
    if intent.action == "transition":
        move = validation.known_move(compiled.entity, intent.transition or "")
        if not may_move(ctx, intent.entity, move, row):
            raise validation.refused_move(ctx, compiled.entity, move)
    elif not may_here(ctx, intent.entity, _right(intent.action), row):
        raise validation.forbidden(ctx, intent.entity, _right(intent.action))


def _asks(ctx: Context, intent: Intent) -> bool:
    """Whether any right that is asked here is a condition, which may read beyond links."""
    policy = ctx.policy(intent.entity)
    return any(policy.rule(right) is not True for right in ("read", "update", _right(intent.action)))


def _may_finally(ctx: Context, intent: Intent, row: Mapping[str, object]) -> None:
    """A create or an update must leave a record that the actor may create or update (as row security has it)."""
    if intent.action in ("create", "update"):
        right = _right(intent.action)
        if not may_here(ctx, intent.entity, right, row):
            raise validation.forbidden(ctx, intent.entity, right)


def _after(
    ctx: Context, intent: Intent, before: Mapping[str, Any] | None, values: Mapping[str, object], number: str | None
) -> dict[str, Any]:
    """The record as it will be, before defaults and computed fields."""
    compiled = ctx.service.application.entities[intent.entity]
    entity, now = compiled.entity, ctx.moment.now
    after: dict[str, Any] = dict(before or compiled.blank)
    after |= before or {"id": intent.own_id or new_id(), "created_at": now, "created_by": ctx.actor.id, "version": 0, "number": number}
    after |= {"updated_at": now, "updated_by": ctx.actor.id, "version": after["version"] + 1}
    if before is None and entity.lifecycle:
        after |= {"state": entity.lifecycle.initial.name, "state_since": now}
    after |= values
    if intent.action == "transition":
        move = compiled.rules.moves[intent.transition or ""].transition
        after |= {"state": move.target, "state_since": now}
    if intent.action in ("delete", "restore"):
        after["deleted_at"] = now if intent.action == "delete" else None
    return after


__all__ = ["Intent", "Invalid", "Written", "create", "delete", "restore", "transition", "update", "write"]
