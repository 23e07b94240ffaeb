"""What a delete does beyond its record (``on_delete``): what goes along, which links are emptied, what holds it; and back.

A link says what the deletion of the record it leads to does: ``restrict`` refuses it, ``cascade`` deletes the linking
record too, ``clear`` empties the link. All of it is one transaction; every record it touches is locked in (entity, id)
order and gets a change row of its own. What went along is remembered until the record is restored.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from xrm.compile.columns import bind_id, id_text
from xrm.compile.writes import Referrer
from xrm.errors import Invalid, Problem
from xrm.model.fields import TARGET
from xrm.service import locking, rows
from xrm.service.context import Context
from xrm.service.locking import Held
from xrm.service.policy import may_here
from xrm.store.database import Connection

MOST_ALONG = 1000
"""Records that one delete takes along or whose links it empties."""
NAMED = 3
"""Examples that a message names."""

Key = tuple[str, str]
"""The entity and the id of a record."""
Record = dict[str, Any]


class Step(Protocol):
    """Writes one record that a delete or a restore takes along, by the one way to write."""

    def __call__(self, action: str, entity: str, before: Record, values: Mapping[str, object]) -> None: ...


@dataclass(slots=True)
class Reach:
    """What a delete reaches: records that go along (the deleted one first), links that are emptied, links that hold it."""

    gone: dict[Key, None]
    cleared: dict[tuple[Key, str], tuple[str, ...]] = field(default_factory=dict)
    """(record, field) → the id that the link leads to and will not any more; of a list of links, all such ids."""
    holding: dict[tuple[str, str], dict[str, None]] = field(default_factory=dict)
    """(entity, field) → the ids of the records whose links hold it."""
    records: dict[Key, Record] = field(default_factory=dict)

    @property
    def root(self) -> Key:
        return next(iter(self.gone))

    @property
    def over(self) -> bool:
        return len(self.gone) - 1 + len(self.cleared) > MOST_ALONG

    @property
    def touched(self) -> set[Key]:
        return {*self.gone, *(key for key, _ in self.cleared)}


@dataclass(frozen=True, slots=True)
class Group:
    """Some records of one entity, as far as an actor sees them: how many, and the first few by id and title.

    ``field``: their link that matters here. ``hidden``: there are others that the actor may not see.
    """

    entity: str
    field: str | None
    count: int
    examples: tuple[tuple[str, str], ...]
    hidden: bool


@dataclass(frozen=True, slots=True)
class Preview:
    """What a delete would do, for who is asked to confirm it. ``refusals`` are the reasons why it is not possible."""

    gone: tuple[Group, ...]
    cleared: tuple[Group, ...]
    refusals: tuple[Problem, ...]


# --- what is reached


def reach(ctx: Context, connection: Connection, entity: str, id: str) -> Reach:
    """Walk the links that lead to a record, as they stand. A record is reached once, so that circles end."""
    found = Reach({(entity, id): None})
    waiting = deque(found.gone)
    while waiting and not found.over:
        here = waiting.popleft()
        for link in _referrers(ctx, here, "cascade"):
            for other in _linking(connection, link, here):
                if other not in found.gone:
                    found.gone[other] = None
                    waiting.append(other)
    for here in found.gone if not found.over else ():
        _around(ctx, connection, here, found)
    return found


def _around(ctx: Context, connection: Connection, here: Key, found: Reach) -> None:
    """The links to one of the records that go, from records that stay."""
    for link in _referrers(ctx, here, "clear", "restrict"):
        for other in _linking(connection, link, here):
            if other in found.gone:
                continue
            if link.field.on_delete == "clear":
                place = (other, link.part or link.field.name)
                found.cleared[place] = (*found.cleared.get(place, ()), here[1])
            else:
                found.holding.setdefault((link.entity, link.path), {})[other[1]] = None


def _referrers(ctx: Context, here: Key, *rules: str) -> Iterator[Referrer]:
    writes = ctx.service.application.entities[here[0]].writes
    return (link for link in writes.referrers if link.field.on_delete in rules)


def _linking(connection: Connection, link: Referrer, here: Key) -> list[Key]:
    values = {"id": bind_id(here[1], connection.dialect), "most": MOST_ALONG + 2}
    return [(link.entity, _id(row[0])) for row in connection.all(link.statement.sql, link.statement.bind(values))]


def _id(value: object) -> str:
    return id_text(value) if isinstance(value, bytes) else str(value)


def hold(ctx: Context, connection: Connection, entity: str, id: str) -> Reach:
    """Lock all that a delete touches, in order, and say what it is.

    What came to link here between the look and the locks is found by looking again; once the records that go are
    locked, no other write can link to them.
    """
    held: dict[Key, Record] = {}
    found = reach(ctx, connection, entity, id)
    while not found.over and (missing := found.touched - held.keys()):
        for key in sorted(missing):
            record = _locked(ctx, connection, key, whole=key in found.gone)
            if record is not None:
                held[key] = record
        if not missing & held.keys():
            break
        found = reach(ctx, connection, entity, id)
    found.records = held
    return found


def _locked(ctx: Context, connection: Connection, key: Key, whole: bool) -> Record | None:
    compiled = ctx.service.application.entities[key[0]]
    writes = compiled.writes
    statement = writes.lock_whole if whole else writes.lock
    row = connection.one(statement.sql, statement.bind({"id": bind_id(key[1], connection.dialect)}))
    return rows.read(connection, compiled, writes.decode(row)) if row else None


def _record(ctx: Context, connection: Connection, key: Key, found: Reach) -> Record | None:
    """A record as it is, with what its rules read beyond its links."""
    compiled = ctx.service.application.entities[key[0]]
    record = found.records.get(key)
    if record is None:
        row = connection.one(compiled.writes.read.sql, compiled.writes.read.bind({"id": bind_id(key[1], connection.dialect)}))
        record = rows.read(connection, compiled, compiled.writes.decode(row)) if row else None
    return locking.with_links(ctx, connection, compiled, record) if record else None


# --- what is refused


def judge(ctx: Context, connection: Connection, found: Reach) -> None:
    """Refuse a delete that something holds, that takes along what the actor may not delete, or too much.

    Raises:
        Invalid: XRM515, XRM530, XRM531.
    """
    problems = refusals(ctx, connection, found)
    if problems:
        raise Invalid(*problems)


def refusals(ctx: Context, connection: Connection, found: Reach) -> list[Problem]:
    if found.over:
        message = f"deleting it would reach more than {MOST_ALONG:,} other records"
        return [Problem("XRM531", message, hint="delete or change some of those first")]
    return [*_held(ctx, connection, found), *_not_allowed(ctx, connection, found)]


def _held(ctx: Context, connection: Connection, found: Reach) -> Iterator[Problem]:
    unseen = False
    for (entity, name), ids in found.holding.items():
        group = _group(ctx, connection, entity, name, ids, found)
        unseen |= group.hidden
        if group.count:
            where = ctx.words(ctx.service.application.model.entities[entity].fields[name.partition(".")[0]].label)
            message = f"it is still used by {counted(ctx, group)} (in {where})"
            yield Problem("XRM515", message, hint="change or delete those first")
    if unseen:
        yield Problem("XRM515", "it is still used by other records", hint="change or delete those first")


def _not_allowed(ctx: Context, connection: Connection, found: Reach) -> Iterator[Problem]:
    refused: dict[str, dict[str, None]] = {}
    for key in [key for key in found.gone if key != found.root]:
        record = _record(ctx, connection, key, found)
        if record is not None and not (may_here(ctx, key[0], "read", record) and may_here(ctx, key[0], "delete", record)):
            refused.setdefault(key[0], {})[key[1]] = None
    for entity, ids in refused.items():
        group = _group(ctx, connection, entity, None, ids, found)
        what = counted(ctx, group) if group.count else "other records"
        yield Problem("XRM530", f"{what} would be deleted with it, and you may not delete them")


# --- in words


def preview(ctx: Context, entity: str, id: str) -> Preview:
    """What deleting a record would do, as far as this actor sees it. Reads only."""
    connection = ctx.service.database.connection
    found = reach(ctx, connection, entity, id)
    along: dict[str, dict[str, None]] = {}
    for key in [key for key in found.gone if key != found.root]:
        along.setdefault(key[0], {})[key[1]] = None
    emptied: dict[Key, dict[str, None]] = {}
    for key, name in found.cleared:
        emptied.setdefault((key[0], name), {})[key[1]] = None
    refused = refusals(ctx, connection, found)
    if found.over:
        return Preview((), (), tuple(refused))
    gone = (_group(ctx, connection, other, None, ids, found) for other, ids in along.items())
    cleared = (_group(ctx, connection, other, name, ids, found) for (other, name), ids in emptied.items())
    return Preview(tuple(gone), tuple(group for group in cleared if group.count), tuple(refused))


def _group(ctx: Context, connection: Connection, entity: str, name: str | None, ids: Iterable[str], found: Reach) -> Group:
    """Those that the actor may see are counted and named; of others it is only said that there are some."""
    count, hidden = 0, False
    examples: list[tuple[str, str]] = []
    if not ctx.policies.readable(entity) or (name is not None and not _visible(ctx, entity, name)):
        return Group(entity, name, 0, (), hidden=True)
    for id in ids:
        record = _record(ctx, connection, (entity, id), found)
        if record is None or not may_here(ctx, entity, "read", record):
            hidden = True
            continue
        count += 1
        if len(examples) < NAMED:
            examples.append((id, str(record["title"])))
    return Group(entity, name, count, tuple(examples), hidden)


def _visible(ctx: Context, entity: str, path: str) -> bool:
    name, _, own = path.partition(".")
    return ctx.policies.resolve(entity, name) is not None and (not own or own in ctx.policies.row_fields(entity, name))


def counted(ctx: Context, group: Group) -> str:
    """``2 requests: “Noise”, “Pothole”``; of many the first few are named."""
    model = ctx.service.application.model
    entity = model.entities[group.entity]
    noun = ctx.words(entity.label if group.count == 1 else entity.plural)
    shown = ", ".join(f"“{title}”" for _, title in group.examples)
    return f"{group.count:,} {noun[:1].lower()}{noun[1:]}: {shown}{', …' if group.count > len(group.examples) else ''}"


# --- what is done


def carry_out(ctx: Context, connection: Connection, found: Reach, step: Step) -> None:
    """Delete what goes along, empty the links, and remember both for ``bring_back``."""
    system, root = ctx.service.application.system, found.root
    bound = {"root": bind_id(root[1], connection.dialect)}
    connection.run(system.forget_along.sql, system.forget_along.bind(bound))
    told: list[tuple[Key, str | None, str | None]] = []
    for key in [key for key in found.gone if key != root]:
        step("delete", key[0], found.records[key], {})
        told.append((key, None, None))
    for key, names in _by_record(found).items():
        before = found.records[key]
        step("update", key[0], before, {name: _without(before[name], targets) for name, targets in names.items()})
        told += [(key, name, target) for name, targets in names.items() for target in targets]
    for place, (key, name, target) in enumerate(told):
        values = {
            **bound, "place": place, "entity": key[0], "record": bind_id(key[1], connection.dialect), "field": name,
            "target": bind_id(target, connection.dialect) if target else None,
        }  # fmt: skip
        connection.run(system.along.sql, system.along.bind(values))


def _by_record(found: Reach) -> dict[Key, dict[str, tuple[str, ...]]]:
    emptied: dict[Key, dict[str, tuple[str, ...]]] = {}
    for (key, name), targets in found.cleared.items():
        emptied.setdefault(key, {})[name] = targets
    return emptied


def _without(value: object, targets: tuple[str, ...]) -> object:
    """An empty link; or a list of links without those."""
    return tuple(row for row in value if row[TARGET] not in targets) if isinstance(value, tuple) else None


def bring_back(ctx: Context, connection: Connection, root: str, held: Held, step: Step) -> tuple[Problem, ...]:
    """After a record was restored: restore what went along, and lead the emptied links to it again where they are still empty.

    What somebody restored, deleted or linked anew meanwhile is left as it is. Warnings tell what could not come back.

    Raises:
        Invalid: the actor may not restore all of it (XRM530).
    """
    system, dialect = ctx.service.application.system, connection.dialect
    bound = {"root": bind_id(root, dialect)}
    gone = connection.all(system.gone_along.sql, system.gone_along.bind(bound))
    told = [((str(row[0]), _id(row[1])), row[2], _id(row[3]) if row[3] is not None else None) for row in gone]
    told = [one for one in told if one[0][0] in ctx.service.application.entities]
    for key in sorted({key for key, _, _ in told}):
        _locked(ctx, connection, key, whole=False)
    warnings = _restored(ctx, connection, [key for key, name, _ in told if name is None], held, step)
    for key, name, target in told:
        if name is not None and target is not None:
            _linked_again(ctx, connection, key, name, target, step)
    connection.run(system.forget_along.sql, system.forget_along.bind(bound))
    return tuple(warnings)


def _restored(ctx: Context, connection: Connection, keys: list[Key], held: Held, step: Step) -> list[Problem]:
    """Restore those whose links lead to records that are there, or come back too: circles come back whole."""
    records = {key: record for key in keys if (record := _record(ctx, connection, key, Reach({}))) and record["deleted_at"] is not None}
    refused = [key for key, record in records.items() if not may_here(ctx, key[0], "delete", record)]
    if refused:
        raise Invalid(Problem("XRM530", f"{len(refused):,} records were deleted with it, and you may not restore them"))
    able = dict(records)
    while lost := [key for key, record in able.items() if not _leads_to_live(ctx, connection, key[0], record, able)]:
        for key in lost:
            del able[key]
    held.links |= able.keys()
    for key, record in able.items():
        step("restore", key[0], _own(record), {})
    if len(able) == len(records):
        return []
    message = f"{len(records) - len(able):,} records that were deleted with it stay deleted: they link to others that are"
    return [Problem("XRM511", message, severity="warning")]


def _leads_to_live(ctx: Context, connection: Connection, entity: str, record: Record, able: Mapping[Key, Record]) -> bool:
    back = {id for _, id in able}
    fields = ctx.service.application.entities[entity].entity.fields.values()
    targets = [record[field.name] for field in fields if field.type == "link" and record[field.name] is not None]
    parts = ctx.service.application.entities[entity].rows
    targets += [key for part in parts for _, _, key in rows.links_in(part, record[part.field.name])]
    return all(target in back or locking.entity_of(ctx, connection, target) is not None for target in targets)


def _linked_again(ctx: Context, connection: Connection, key: Key, name: str, target: str, step: Step) -> None:
    record = _record(ctx, connection, key, Reach({}))
    fields = ctx.service.application.entities[key[0]].entity.fields
    if record is None or record["deleted_at"] is not None or name not in fields:
        return
    value: object = target
    if fields[name].each and all(row[TARGET] != target for row in record[name]):
        value = (*record[name], {"id": None, TARGET: target})  # at the end: where it stood may not be there any more
    elif record.get(name) is not None:
        return
    try:
        step("update", key[0], _own(record), {name: value})
    except Invalid as error:
        if any(problem.code != "XRM511" for problem in error.problems):
            raise


def _own(record: Record) -> Record:
    """Without what lies beyond its links."""
    return {name: value for name, value in record.items() if "." not in name}
