"""What follows from a write in other records, in the same transaction: lookups and rollups, made anew in the order of their ranks.

A change that only follows is no edit: the record keeps its version, its ``updated_at`` and its change log, since the
log of what it follows from commits to it already; a counter beside the version (``derived``) makes its ETag another one.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from dataclasses import field as part
from datetime import datetime
from typing import Any

from xrm.compile.application import CompiledEntity
from xrm.compile.columns import bind_id
from xrm.compile.dependencies import Step
from xrm.compile.deriving import AGAIN, MOST_AT_ONCE, Followers, Share, Whole, changed
from xrm.compile.rules import fit
from xrm.errors import Invalid, Problem
from xrm.model.fields import ENTITY
from xrm.service import commit, validation
from xrm.service.context import SYSTEM_ACTOR, Context, Service
from xrm.service.intent import Intent
from xrm.service.locking import FIRST, linked_to, with_links
from xrm.service.rows import read
from xrm.store import outbox
from xrm.store.database import Connection

Record = Mapping[str, Any]
KIND, REMAKE = "derive", "recompute"
"""The kinds of jobs that make values anew: those that follow one record, all of an entity."""
BATCH = 250
SETTLED = ("settled",)
"""In what a service keeps: that no values of this release wait to be made anew as a whole."""


@dataclass(frozen=True, slots=True)
class Cause:
    """One record's part in a question, before and after. ``anew``: every question of the record is asked again. Without either
    all else that follows in it is made anew."""

    share: Share | None = None
    was: object = None
    becomes: object = None
    anew: bool = False


@dataclass(slots=True)
class _Due:
    """What is still to be made anew, the lowest rank first; of one rank in (entity, id) order, as locks are taken."""

    heap: list[tuple[int, str, str]] = part(default_factory=list)
    causes: dict[tuple[int, str, str], list[Cause]] = part(default_factory=dict)

    def add(self, rank: int, entity: str, id: str, cause: Cause) -> None:
        key = (rank, entity, id)
        if key not in self.causes:
            heapq.heappush(self.heap, key)
        self.causes.setdefault(key, []).append(cause)

    def next(self) -> tuple[str, str, list[Cause]]:
        key = heapq.heappop(self.heap)
        return key[1], key[2], self.causes.pop(key)


def follow_up(
    ctx: Context, connection: Connection, compiled: CompiledEntity, before: Record | None, after: Record
) -> Mapping[tuple[str, str], Record]:
    """Make anew what follows from a record that was just written; the records that changed by it.

    Raises:
        Invalid: a value that follows does not fit its field (XRM534), or is in use (XRM503).
    """
    follows = compiled.derivation
    if not (follows.followers or follows.shares or follows.reads_beyond):
        return {}
    due = _Due()
    back = before is not None and before.get("deleted_at") is not None and after.get("deleted_at") is None
    if back and follows.reads_beyond:  # while it was deleted nothing was followed up in it
        due.add(0, compiled.entity.name, after["id"], Cause(anew=True))
    _note(ctx, connection, due, compiled, before, after)
    return _work(ctx.as_system(), connection, due) if due.heap else {}


def _work(system: Context, connection: Connection, due: _Due) -> dict[tuple[str, str], Record]:
    done: dict[tuple[str, str], Record] = {}
    while due.heap:
        entity, id, causes = due.next()
        compiled = system.service.application.entities[entity]
        made = _remade(system, connection, compiled, id, causes)
        if made is not None:
            done[entity, id] = made[1]
            _note(system, connection, due, compiled, *made)
    return done


def _live(record: Record | None) -> Record | None:
    return record if record is not None and record.get("deleted_at") is None else None


def _note(ctx: Context, connection: Connection, due: _Due, compiled: CompiledEntity, before: Record | None, after: Record) -> None:
    """What a change of one record makes due in others."""
    was, now = _live(before), _live(after)
    for one in compiled.derivation.followers:
        changed = sorted(name for name in one.lookup.fields if before is not None and before.get(name) != after.get(name))
        if changed:
            _follow(ctx, connection, due, one, after["id"], changed)
    for share in compiled.derivation.shares:
        _shared(ctx, due, share, was, now)


def _follow(ctx: Context, connection: Connection, due: _Due, one: Followers, id: str, names: Sequence[str]) -> None:
    found = follower_ids(connection, one, id, FIRST, MOST_AT_ONCE + 1)
    if len(found) > MOST_AT_ONCE:
        body = {"entity": one.lookup.entity, "source": one.lookup.source, "chain": list(one.lookup.chain), "id": id, "changed": names}
        outbox.enqueue(connection, KIND, body, ctx.moment.now)
        return
    for follower in found:
        due.add(one.lookup.rank, one.lookup.entity, follower, Cause())


def follower_ids(connection: Connection, one: Followers, id: str, past: str, most: int) -> list[str]:
    values = {"id": bind_id(id, connection.dialect), "past": bind_id(past, connection.dialect), "most": most}
    rows = connection.all(one.ids.sql, one.ids.bind(values))
    return [id_text(row[0]) for row in rows]


def id_text(value: Any) -> str:
    if isinstance(value, bytes):
        text = value.hex()
        return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
    return str(value)


def _shared(ctx: Context, due: _Due, share: Share, was: Record | None, now: Record | None) -> None:
    rollup = share.rollup
    old, new = linked_to(was, rollup.link), linked_to(now, rollup.link)
    same = all((was or {}).get(name) == (now or {}).get(name) for name in rollup.watched)
    if old == new and (same or not old):
        return
    which = {ENTITY.name: rollup.source} if ENTITY.name in rollup.watched else {}
    before = share.part({**was, **which}, ctx.moment) if share.part and was is not None else None
    after = share.part({**now, **which}, ctx.moment) if share.part and now is not None else None
    for id in old | new if not same else old ^ new:
        due.add(rollup.rank, rollup.entity, id, Cause(share, before if id in old else None, after if id in new else None))


def _remade(
    ctx: Context, connection: Connection, compiled: CompiledEntity, id: str, causes: Iterable[Cause]
) -> tuple[Record, Record] | None:
    """Lock a record, make anew what follows in it, write it; before and after, or None where nothing is another."""
    statement = compiled.writes.lock
    found = connection.one(statement.sql, statement.bind({"id": bind_id(id, connection.dialect)}))
    before = read(connection, compiled, compiled.writes.decode(found)) if found is not None else None
    if before is None or before["deleted_at"] is not None:
        return None
    row = with_links(ctx, connection, compiled, before)
    row |= {part.field.name: tuple(map(dict, row[part.field.name])) for part in compiled.rows}
    for cause in causes:
        _applied(compiled, row, cause)
    problems = validation.figure(ctx, connection, compiled, Intent("update", compiled.entity.name, follows=True), before, row)
    if problems:
        raise _misfit(ctx, compiled, problems)
    after = {name: row.get(name) for name in before}
    if after == before:
        return None
    after["derived"] = (before["derived"] or 0) + 1
    commit.rewrite(ctx, connection, compiled, before, after)
    return before, after


def _applied(compiled: CompiledEntity, row: dict[str, Any], cause: Cause) -> None:
    wholes = compiled.derivation.wholes
    if cause.share is None:
        for whole in wholes.values() if cause.anew else ():
            row[whole.field.name] = asked(whole, row)
        return
    field = cause.share.rollup.field
    if cause.share.part is not None and field in wholes:
        whole = wholes[field]
        value = changed(whole, row.get(field), cause.was, cause.becomes)
        row[field] = asked(whole, row) if value is AGAIN else fit(whole.field, value)


def asked(whole: Whole, row: Mapping[str, Any]) -> object:
    """The value of a field that is one question, asked of the database."""
    return fit(whole.field, row[whole.key])


def _misfit(ctx: Context, compiled: CompiledEntity, problems: list[Problem]) -> Invalid:
    label = ctx.words(compiled.entity.label)
    return Invalid(*(Problem("XRM534", f"what follows in {label} does not fit: {one.message}", hint=one.hint) for one in problems))


# -- the job of many followers -------------------------------------------------------------------------------------------


def carry_out(service: Service, body: Mapping[str, Any]) -> None:
    """Follow up one record in all that follow it, in transactions of ``BATCH``. Done again from the start after a kill, which
    changes nothing where it was done already."""
    key = ("entity", "source", "chain", "id")
    note = mended(service, lambda failed: all(failed[name] == body[name] for name in key))
    one = _followed(service, body)
    past: str | None = FIRST if one else None
    while one is not None and past is not None:
        past = service.database.write(lambda connection, past=past: _batch(service, connection, one, body["id"], past))  # type: ignore[misc]
    note()


def _followed(service: Service, body: Mapping[str, Any]) -> Followers | None:
    """What a job follows up, as the definition is now; None where it follows no more."""
    compiled = service.application.entities.get(body["source"])
    followers = compiled.derivation.followers if compiled else ()
    return next((one for one in followers if one.lookup.entity == body["entity"] and one.lookup.chain == tuple(body["chain"])), None)


def _batch(service: Service, connection: Connection, one: Followers, id: str, past: str) -> str | None:
    found = follower_ids(connection, one, id, past, BATCH)
    due = _Due()
    for follower in found:
        due.add(one.lookup.rank, one.lookup.entity, follower, Cause())
    _work(service.acting(SYSTEM_ACTOR), connection, due)
    return found[-1] if len(found) == BATCH else None


# -- values that wait for a job ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Behind:
    """``fields`` of an entity's records may be behind what they follow from, since the first change that waits for its job;
    ``failed``: one of these jobs has failed for good, and somebody must have it tried again."""

    since: datetime
    fields: frozenset[str]
    failed: bool


def behind(service: Service, entity: str) -> Behind | None:
    """None when the values of an entity's records are right."""
    application = service.application
    settled = SETTLED in service.prepared or not application.entities[entity].rules.computes
    if settled and entity not in application.dependencies.derived:  # made anew by an apply alone: nothing waits again once it is done
        return None
    jobs = outbox.waiting(service.database.connection, (KIND, REMAKE))
    if not any(job.kind == REMAKE for job in jobs):
        service.prepared[SETTLED] = True
    waits = [
        (job, fields)
        for job in jobs
        if (fields := frozenset(name for at, name in _waiting_steps(service, job.kind, job.body) if at == entity))
    ]
    if not waits:
        return None
    fields = frozenset[str]().union(*(fields for _, fields in waits))
    return Behind(min(job.since for job, _ in waits), fields, any(job.failed for job, _ in waits))


def seen_behind(ctx: Context, entity: str) -> Behind | None:
    """The same, of the fields that this actor sees."""
    found = behind(ctx.service, entity)
    fields = frozenset(name for name in found.fields if ctx.policy(entity).sees(name)) if found else frozenset()
    return replace(found, fields=fields) if found and fields else None


def _waiting_steps(service: Service, kind: str, body: Mapping[str, Any]) -> frozenset[Step]:
    """The fields that a job makes anew, through every entity."""
    graph, entity = service.application.dependencies, body["entity"]
    one = _followed(service, body) if kind == KIND else None
    if kind == KIND and one is None:
        return frozenset()
    changed = tuple(body.get("changed", one.lookup.fields)) if one else ()
    key = ("behind", kind, entity, body.get("source"), one.lookup.chain if one else (), changed)
    if key not in service.prepared:
        names = frozenset[str]().union(*(one.lookup.fields.get(name, ()) for name in changed)) if one else frozenset()
        own = {(entity, name) for name in names} if one else {step for step in graph.reads if step[0] == entity}
        service.prepared[key] = graph.following(own) | own
    found: frozenset[Step] = service.prepared[key]
    return found


def mended(service: Service, which: Callable[[Mapping[str, Any]], bool]) -> Callable[[], None]:
    """What a job that begins now does beside: the work of such jobs as have failed for good. To be called when it has succeeded."""
    failed = [job.id for job in outbox.waiting(service.database.connection, (KIND, REMAKE)) if job.failed and which(job.body)]

    def note() -> None:
        with service.database.transaction() as connection:
            outbox.mend(connection, failed, service.clock())

    return note if failed else lambda: None
