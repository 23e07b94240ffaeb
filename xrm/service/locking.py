"""The locks of a write, in one order, and the reads that stand under them (decision 3).

Everything a write touches is locked before anything is judged, in (entity, id) order: the record itself, and the
records that its changed links point at, which must not be deleted meanwhile. SQLite admits one writer, so there the
same reads need no locks.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from dataclasses import field as part
from typing import Any

from xrm.compile.application import CompiledEntity
from xrm.compile.columns import bind_id, is_id
from xrm.compile.deriving import MOST_AT_ONCE, Term, Use
from xrm.compile.row_parts import RowsWrite
from xrm.compile.writes import LinkRead
from xrm.errors import Invalid, NotFound, Problem, Unavailable
from xrm.expr import Moment
from xrm.model.entity import Entity
from xrm.model.fields import TARGET, Field
from xrm.service.context import Context
from xrm.service.policy import may_here
from xrm.service.rows import links_in, no_target, read, row_problem
from xrm.store.database import Connection
from xrm.store.migrate import admitted as release_admitted

FIRST = "00000000-0000-0000-0000-000000000000"
"""An id before every other."""
READ = Use()


@dataclass(slots=True)
class Held:
    """What one transaction of many writes is sure of until its commit: its release, and linked records that are there."""

    admitted: bool = False
    links: set[tuple[str, str]] = part(default_factory=set)

    def forget(self) -> None:
        """After a part of the transaction was undone: its locks are gone too."""
        self.admitted = False
        self.links.clear()


def admitted(ctx: Context, connection: Connection, held: Held) -> None:
    """A process whose release is no longer the active one writes nothing (decision 8).

    Raises:
        Unavailable: XRM405.
    """
    service = ctx.service
    if held.admitted:
        return
    if not release_admitted(connection, service.application.system.release.sql, service.release):
        raise Unavailable(Problem("XRM405", f"this process runs release {service.release}, which is no longer active", hint="restart it"))
    held.admitted = True


def no_record() -> NotFound:
    return NotFound(Problem("XRM506", "there is no such record", path=("id",)))


def lock(
    ctx: Context,
    connection: Connection,
    compiled: CompiledEntity,
    action: str,
    id: str | None,
    values: Mapping[str, object],
    held: Held,
) -> dict[str, Any] | None:
    """Lock what the write touches and read the record itself; None when it is being created.

    Raises:
        NotFound: the record is not there, or deleted (or not deleted, for a restore).
        Invalid: a link points at nothing the actor may see (XRM511).
    """
    entity = compiled.entity
    sent = [(field.name, field, value, _no_target(ctx, field)) for field, value in _sent_links(entity, values)]
    for rows in compiled.rows:
        held_rows = _sent_rows(values.get(rows.field.name))
        sent += [(_as(rows, field), field, key, _no_row_target(ctx, rows, n, field)) for n, field, key in links_in(rows, held_rows)]
    wanted: list[tuple[str, str, Problem | None, str]] = []
    before: dict[str, Any] | None = None
    problems: list[Problem] = []
    for name, field, key, lost in sent:
        target = target_of(ctx, connection, field, key)
        if target is None:
            problems.append(lost)
        else:
            wanted.append((target, key, lost, name))
    if id is not None:
        wanted.append((entity.name, id, None, ""))
        wanted += [(target, key, None, "ahead") for target, key in ahead(connection, compiled, id, values)]
    for target, key, missing, name in sorted(wanted, key=lambda item: item[:2]):
        use = compiled.derivation.uses.get(name, READ)
        if missing is None and name:
            take(ctx, connection, target, key)
        elif missing is None:
            before = _own(ctx, connection, compiled, action, key)
        elif (f"{target}{use.kind}", key) in held.links:
            continue
        elif _linked(ctx, connection, target, key, use):
            held.links.add((f"{target}{use.kind}", key))
        else:
            problems.append(missing)
    if problems:
        raise Invalid(*problems)
    return before


def _sent_rows(value: object) -> tuple[Mapping[str, Any], ...]:
    return value if isinstance(value, tuple) else ()


def _own(ctx: Context, connection: Connection, compiled: CompiledEntity, action: str, id: str) -> dict[str, Any]:
    writes = compiled.writes
    statement = writes.lock_whole if action == "delete" else writes.lock
    row = connection.one(statement.sql, statement.bind({"id": _key(id, connection)}))
    if row is None:
        raise no_record()
    before = read(connection, compiled, writes.decode(row))
    if (before["deleted_at"] is not None) != (action == "restore"):
        raise no_record()
    return before


def _key(id: str, connection: Connection) -> object:
    if not is_id(id):
        raise no_record()
    return bind_id(id, connection.dialect)


def ahead(connection: Connection, compiled: CompiledEntity, id: str, values: Mapping[str, object]) -> set[tuple[str, str]]:
    """What the write will change beside the record itself, as far as one step tells: locked with it, in order.

    SQLite has one writer, and wants no locks. What lies further is locked when it is reached, in the order of ranks; should two
    writes meet there, one starts again.
    """
    follows = compiled.derivation
    if connection.dialect == "sqlite" or not (follows.shares or follows.followers) or not is_id(id):
        return set()
    row = connection.one(compiled.writes.read.sql, compiled.writes.read.bind({"id": bind_id(id, connection.dialect)}))
    record = compiled.writes.decode(row) if row else {}
    if record and any(one.rollup.link not in record for one in follows.shares):  # a list of links, which lies apart
        record = read(connection, compiled, record)
    found = {(one.rollup.entity, key) for one in follows.shares for key in linked_to(record, one.rollup.link)}
    for one in follows.followers:
        if one.lookup.watched & values.keys():
            bound = {"id": bind_id(id, connection.dialect), "past": bind_id(FIRST, connection.dialect), "most": MOST_AT_ONCE + 1}
            ids = [str(found_row[0]) for found_row in connection.all(one.ids.sql, one.ids.bind(bound))]
            found |= {(one.lookup.entity, key) for key in ids} if len(ids) <= MOST_AT_ONCE else set()
    return found - {(compiled.entity.name, id)}


def linked_to(record: Mapping[str, Any] | None, link: str) -> frozenset[str]:
    """The records that a link of a record leads to: one or none, or those of a list."""
    value = (record or {}).get(link)
    if isinstance(value, tuple):
        return frozenset(row[TARGET] for row in value)
    return frozenset((value,)) if value else frozenset()


def take(ctx: Context, connection: Connection, entity: str, id: str) -> None:
    """Lock a record that will be changed."""
    statement = ctx.service.application.entities[entity].writes.lock
    connection.one(statement.sql, statement.bind({"id": bind_id(id, connection.dialect)}))


def _linked(ctx: Context, connection: Connection, entity: str, id: str, use: Use) -> bool:
    """Whether the record that a link will point at is there for this actor; it stays there until commit, and as ``use`` wants it."""
    compiled = ctx.service.application.entities[entity]
    rule = ctx.policy(entity).rule("read")
    if use.kind:
        ready = compiled.writes.lock if use.kind == "own" else compiled.writes.lock_read
        found = connection.one(ready.sql, ready.bind({"id": _key(id, connection)}))
        if found is not None:
            _share(ctx, connection, compiled, compiled.writes.decode(found), use.further)
    statement = compiled.writes.lock_shared if rule is True else compiled.writes.lock_shared_whole
    row = connection.one(statement.sql, statement.bind({"id": _key(id, connection)}))
    if row is None:
        return False
    if rule is True:
        return row[0] is None
    record = read(connection, compiled, compiled.writes.decode(row))
    return record["deleted_at"] is None and may_here(ctx, entity, "read", with_links(ctx, connection, compiled, record))


def sees(ctx: Context, connection: Connection, field: Field, id: str) -> bool:
    """Whether the record that a link leads to is there for this actor, as reads have it: without a guard every one is."""
    if all(ctx.policy(target).rule("read") is True for target in field.targets):
        return True
    entity = target_of(ctx, connection, field, id)
    if entity is None or not ctx.policies.readable(entity):
        return False
    compiled = ctx.service.application.entities[entity]
    row = connection.one(compiled.writes.read.sql, compiled.writes.read.bind({"id": bind_id(id, connection.dialect)}))
    record = read(connection, compiled, compiled.writes.decode(row)) if row else None
    return bool(record and record["deleted_at"] is None and may_here(ctx, entity, "read", with_links(ctx, connection, compiled, record)))


def _share(ctx: Context, connection: Connection, compiled: CompiledEntity, record: Mapping[str, Any], links: tuple[str, ...]) -> None:
    """Hold what values are read from beyond a linked record; what will change too is locked for that at once, since two that
    share a lock cannot both raise it."""
    for name in links:
        field = compiled.entity.field(name)
        if field and field.to and record.get(name):
            writes = ctx.service.application.entities[field.to].writes
            statement = writes.lock if compiled.derivation.uses.get(name, READ).kind == "own" else writes.lock_read
            connection.one(statement.sql, statement.bind({"id": bind_id(record[name], connection.dialect)}))


class Asking(dict[str, Any]):
    """A record whose rules ask something of the records that link to it: the database is asked when a rule wants it."""

    __slots__ = ("_connection", "_moment", "_terms")

    def __init__(self, record: Mapping[str, Any], connection: Connection, moment: Moment, terms: Mapping[str, Term]) -> None:
        super().__init__(record)
        self._connection, self._moment, self._terms = connection, moment, terms

    def copy(self) -> Asking:
        """A record of its own that asks the same."""
        return Asking(self, self._connection, self._moment, self._terms)

    def __missing__(self, key: str) -> Any:
        """Not kept, since the record may change before it is asked again. A name that is no question is a KeyError."""
        term, dialect = self._terms[key], self._connection.dialect
        values = {"id": bind_id(self["id"], dialect)}
        for name, path, convert in term.outer:
            value = self.get(path)
            values[name] = value if value is None or convert is None else convert(value)
        found = self._connection.one(term.statement.sql, term.statement.bind(values, self._moment))
        return term.decode(found[0]) if found else None


def with_links(ctx: Context, connection: Connection, compiled: CompiledEntity, record: Mapping[str, Any]) -> dict[str, Any]:
    """The record with what its rules read from beyond its links (``category.code``), raw; empty links give nothing."""
    terms = compiled.derivation.terms
    row = Asking(record, connection, ctx.moment, terms) if terms else dict(record)
    follow(connection, compiled, row, {})
    return row


def follow(connection: Connection, compiled: CompiledEntity, row: dict[str, Any], was: Mapping[str, Any]) -> None:
    """Read into ``row`` what lies beyond the links whose value is no longer that in ``was``."""
    for link in compiled.writes.links:
        target = row.get(link.field)
        if target == was.get(link.field):
            continue
        for name in [name for name in row if name.startswith(f"{link.field}.")]:
            del row[name]
        row |= read_beyond(connection, link, target)


def read_beyond(connection: Connection, link: LinkRead, target: str | None) -> dict[str, Any]:
    """What rules read of the record that a link leads to; nothing of none."""
    if target is None:
        return {}
    found = connection.one(link.statement.sql, link.statement.bind({"id": bind_id(target, connection.dialect)}))
    return link.decode(found) if found else {}


def hold(
    ctx: Context, connection: Connection, compiled: CompiledEntity, before: Mapping[str, Any] | None, after: Mapping[str, Any], held: Held
) -> None:
    """Hold what the record will link to by a default, a set, a computed value or by coming back, as ``lock`` holds what was sent.

    Raises:
        Invalid: it is not there, or deleted (XRM511).
    """
    old = {} if before is None or before["deleted_at"] is not None else before
    problems = []
    for name, field, key, missing in _new_links(ctx, compiled, old, after):
        use = compiled.derivation.uses.get(name, READ)
        if any((f"{target}{use.kind}", key) in held.links for target in field.targets):
            continue
        entity = target_of(ctx, connection, field, key)
        if entity is not None and _linked(ctx.as_system(), connection, entity, key, use):
            held.links.add((f"{entity}{use.kind}", key))
        else:
            problems.append(missing)
    if problems:
        raise Invalid(*problems)


def entity_of(ctx: Context, connection: Connection, id: str) -> str | None:
    """The entity of a live record, as the spine has it; None where there is no such record."""
    if not is_id(id):
        return None
    statement = ctx.service.application.system.spine
    row = connection.one(statement.sql, statement.bind({"id": bind_id(id, connection.dialect)}))
    return str(row[0]) if row else None


def _sent_links(entity: Entity, values: Mapping[str, object]) -> Iterator[tuple[Field, str]]:
    """The links of the record itself that were sent: (field, id)."""
    for name, value in values.items():
        field = entity.field(name)
        if field is not None and field.type == "link" and field.targets and isinstance(value, str):
            yield field, value


def _new_links(
    ctx: Context, compiled: CompiledEntity, old: Mapping[str, Any], after: Mapping[str, Any]
) -> Iterator[tuple[str, Field, str, Problem]]:
    """The links of a record and of its rows that did not stand in it before, each with what it is called in the record, and the
    problem if it leads nowhere."""
    for field in compiled.entity.fields.values():
        key = after.get(field.name) if field.type == "link" else None
        if key is not None and key != old.get(field.name):
            yield field.name, field, key, _no_target(ctx, field)
    for rows in compiled.rows:
        were = {(field.name, key) for _, field, key in links_in(rows, old.get(rows.field.name) or ())}
        for number, field, key in links_in(rows, after[rows.field.name]):
            if (field.name, key) not in were:
                yield _as(rows, field), field, key, _no_row_target(ctx, rows, number, field)


def _as(rows: RowsWrite, link: Field) -> str:
    """What a link in rows is called in its record (``lines.article``): of a list of links, the list."""
    return rows.field.name if rows.field.each else f"{rows.field.name}.{link.name}"


def _no_row_target(ctx: Context, rows: RowsWrite, number: int, field: Field) -> Problem:
    message = no_target(field) if rows.field.each else f"leads to no {(field.to or 'record').replace('_', ' ')} that is there"
    return row_problem(ctx, rows.field, number, field.name, "XRM511", message)


def target_of(ctx: Context, connection: Connection, field: Field, id: str) -> str | None:
    """Which of the entities that a link may lead to a record is of; None where it is of none."""
    if field.to is not None:
        return field.to
    entity = entity_of(ctx, connection, id)
    return entity if entity in field.several else None


def _no_target(ctx: Context, field: Field) -> Problem:
    label = ctx.words(field.label)
    noun = (field.to or "record").replace("_", " ")
    return Problem("XRM511", f"{label}: there is no such {noun}", path=(field.name,))
