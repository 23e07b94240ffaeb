"""The read journey: one query compiler, the actor's policy beneath, whoever asks."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

import msgspec

from xrm.compile.columns import bind_id, is_id
from xrm.compile.picking import Row
from xrm.compile.policies import PolicyScope
from xrm.compile.reads import Read, Shape
from xrm.compile.statements import Statement
from xrm.errors import Invalid, NotFound, Problem, nearest
from xrm.expr import Checked, ExpressionError, Moment, check, parse
from xrm.expr.types import BOOL
from xrm.model.entity import Entity
from xrm.model.fields import TARGET, Field
from xrm.model.values import fold
from xrm.model.views import SortKey, View
from xrm.service.context import Context
from xrm.service.former import Former

MOST_ROWS = 500
MOST_PREPARED = 1000
MOST_SORT_KEYS = 4
MOST_LINKS = 30


@dataclass(frozen=True, slots=True)
class Query:
    """A list that is asked for. ``filter`` is an expression; ``sort`` names paths, ``-`` for descending.

    ``fields`` empty: every visible field. ``view``: a named view's filter, and its sort if none is given.
    """

    entity: str
    fields: tuple[str, ...] = ()
    filter: str | None = None
    sort: str | None = None
    limit: int = 50
    after: str | None = None
    search: str | None = None
    view: str | None = None
    deleted: bool = False
    fitting: tuple[str, str, Moment] | None = None
    """(entity, link, moment): only records that the link's ``filter`` lets through, with its ``this`` in the moment."""
    linked: tuple[str, str] | None = None
    """(field, id): only records whose link of that name points at that record."""


Record = TypeVar("Record")


@dataclass(frozen=True, slots=True)
class Page(Generic[Record]):
    """``next`` is a sealed cursor, or None on the last page."""

    rows: list[Record]
    next: str | None


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """One change as this actor may see it: ``fields`` holds only visible ones, before and after as JSON values."""

    version: int
    at: datetime
    actor: str
    action: str
    transition: str | None
    historic: bool
    fields: dict[str, tuple[Any, Any]]


@dataclass(frozen=True, slots=True)
class Prepared:
    """A read made ready for one shape and one set of roles, and the purpose its cursors are sealed for."""

    read: Read
    shape: Shape
    purpose: str


def get_record(ctx: Context, entity: str, id: str, fields: tuple[str, ...] = (), *, deleted: bool = False) -> Row:
    """One record, as far as the actor may see it: a flat row.

    Raises:
        NotFound: there is none for this actor (XRM506).
        Invalid: a field in ``fields`` is not there for this actor (XRM302).
    """
    read, row = _one(ctx, Query(entity, fields, deleted=deleted), id)
    return read.flat(row)


def get_document(ctx: Context, entity: str, id: str, fields: tuple[str, ...] = ()) -> tuple[str, msgspec.Struct]:
    """The tag of one record's state, and its document for JSON. Raises as ``get_record`` does."""
    read, row = _one(ctx, Query(entity, fields), id)
    derived = None if read.derived is None else row[read.derived]
    return tag(row[read.version or 0], derived), read.document(row)


def tag(version: int, derived: int | None) -> str:
    """``3``, or ``3-12`` where twelve changes followed from other records: those are no edits, so that the version stands."""
    return f"{version}-{derived}" if derived else str(version)


def _one(ctx: Context, query: Query, id: str) -> tuple[Read, tuple[Any, ...]]:
    ctx.entity(query.entity)
    read = _prepared(ctx, query, one=True).read
    row = None
    if is_id(id):
        found = _rows(ctx, read, {"id": bind_id(id, ctx.service.database.dialect)})
        row = found[0] if found else None
    if row is None:
        raise NotFound(Problem("XRM506", "there is no such record", path=("id",)))
    return read, row


def list_records(ctx: Context, query: Query) -> Page[Row]:
    """A page of records in order, as flat rows.

    Raises:
        NotFound: the entity or view is not there for this actor.
        Invalid: filter, sort, fields, limit or cursor are wrong; each problem says where.
    """
    read, rows, following = _page(ctx, query)
    return Page([read.flat(row) for row in rows], following)


def list_documents(ctx: Context, query: Query) -> Page[msgspec.Struct]:
    """A page of records in order, as documents for JSON. Raises as ``list_records`` does."""
    read, rows, following = _page(ctx, query)
    return Page([read.document(row) for row in rows], following)


def _page(ctx: Context, query: Query) -> tuple[Read, list[tuple[Any, ...]], str | None]:
    """The rows of a page, and the sealed cursor of the next."""
    ctx.entity(query.entity)
    if not 1 <= query.limit <= MOST_ROWS:
        raise Invalid(Problem("XRM512", f"limit must be from 1 to {MOST_ROWS}", path=("limit",)))
    prepared, values = _with_cursor(ctx, query)
    rows = _rows(ctx, prepared.read, {**values, "limit": query.limit + 1, **_asked(ctx, query)})
    following = None
    if len(rows) > query.limit:
        rows.pop()
        following = ctx.service.seal.seal(prepared.read.cursor(rows[-1]), prepared.purpose)
    return prepared.read, rows, following


def _rows(ctx: Context, read: Read, values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    """The driver's rows, each with what lies in tables of its own: one more statement for each such field, in one snapshot."""
    statement = read.statement
    if not read.parts:
        return ctx.service.database.connection.all(statement.sql, statement.bind(values, ctx.moment))
    with ctx.service.database.steady() as connection:
        rows = connection.all(statement.sql, statement.bind(values, ctx.moment))
        keys = [row[read.key] for row in rows]
        ask = lambda part, marks: connection.all(part.sql, part.bind(marks, ctx.moment))  # noqa: E731
        parts = [part.of(keys, ask) for part in read.parts]
    return [(*row, *(part.get(row[read.key], ()) for part in parts)) for row in rows]


def count_records(ctx: Context, query: Query, most: int = 1000) -> int:
    """How many records a list has, counted no further than ``most``."""
    ctx.entity(query.entity)
    statement = _count(ctx, _prepared(ctx, query).shape)
    values = {"most": most, **_asked(ctx, query)}
    row = ctx.service.database.connection.one(statement.sql, statement.bind(values, ctx.moment))
    return int(row[0]) if row else 0


def _words(query: Query) -> str:
    """What is searched, spaced and folded as stored text is."""
    return fold(" ".join((query.search or "").split()))


def history(ctx: Context, entity: str, id: str) -> list[HistoryEntry]:
    """The changes of a record the actor may read, newest first, without the fields and linked records it may not see."""
    get_record(ctx, entity, id, ("id",))
    database, policy = ctx.service.database, ctx.policy(entity)
    mark = "?" if database.dialect == "sqlite" else "%s"
    rows = database.connection.all(
        "SELECT c.version, c.at, u.label, c.action, c.transition, c.historic, p.body, c.release FROM xrm_change c"
        " LEFT JOIN xrm_user u ON u.id = c.actor LEFT JOIN xrm_payload p ON p.change = c.id"
        f" WHERE c.record = {mark} ORDER BY c.version DESC LIMIT 500",
        (bind_id(id, database.dialect),),
    )
    former = Former(database, entity)
    seen = _Seen(ctx, ctx.entity(entity).entity, former)
    return [
        HistoryEntry(
            row[0], datetime.fromisoformat(row[1]) if isinstance(row[1], str) else row[1],
            row[2] or "", row[3], former.transition(row[4], row[7]), bool(row[5]), seen.changes(row[6], policy.visible, row[7]),
        )
        for row in rows
    ]  # fmt: skip


class _Seen:
    """What of a record's payloads one actor sees; each linked record that a row rule guards is asked for once."""

    def __init__(self, ctx: Context, entity: Entity, former: Former) -> None:
        self._ctx, self._entity = ctx, entity
        self._former = former
        self._asked: dict[tuple[str, str], bool] = {}

    def changes(self, body: str | None, visible: frozenset[str], release: int) -> dict[str, tuple[Any, Any]]:
        found: dict[str, tuple[Any, Any]] = msgspec.json.decode(body) if body else {}
        found = self._former.fields(found, release)
        told = ((name, self._pair(self._entity.field(name), pair)) for name, pair in found.items() if name in visible)
        return {name: pair for name, pair in told if pair is not None}

    def _pair(self, field: Field | None, pair: tuple[Any, Any]) -> tuple[Any, Any] | None:
        """Before and after. A row of which the actor sees no difference is not told of; None where no row is left."""
        if field is None or field.type != "rows":
            return self._seen(field, pair[0]), self._seen(field, pair[1])
        before, after = (self._rows(field, _as_list(field, side)) for side in pair)
        alike = {row["id"] for row in before if row in after}
        if not alike:
            return before, after
        told = tuple([row for row in side if row["id"] not in alike] for side in (before, after))
        return (told[0], told[1]) if any(told) else None

    def _rows(self, field: Field, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """What the actor may see of changed rows."""
        visible = self._ctx.policies.row_fields(self._entity.name, field.name)
        shown = [{name: value for name, value in row.items() if name in visible or name in ("id", "row")} for row in rows]
        seen = [{name: self._seen(field.rows.get(name), value) for name, value in row.items()} for row in shown]
        return [row for row in seen if row.get(TARGET, row) is not None] if field.each else seen

    def _seen(self, field: Field | None, value: Any) -> Any:
        """A link to a record that the actor may not read is an empty one, as in every other read."""
        if value is None or field is None or field.type != "link" or not field.targets:
            return value
        if all(self._ctx.policy(target).rule("read") is True for target in field.targets):
            return value
        key = (" ".join(field.targets), value)
        if key not in self._asked:
            self._asked[key] = any(_is_there(self._ctx, target, value) for target in field.targets if self._ctx.policies.readable(target))
        return value if self._asked[key] else None


def _as_list(field: Field, side: Any) -> list[dict[str, Any]]:
    """The rows of a change. A list of links that was one link before has one row, called as what it leads to."""
    return [{"id": side, "row": 1, TARGET: side}] if field.each and isinstance(side, str) else side or []


def _is_there(ctx: Context, entity: str, id: str) -> bool:
    try:
        get_record(ctx, entity, id, ("id",))
    except NotFound:
        return False
    return True


# --- from what was asked to a compiled read


def _prepared(ctx: Context, query: Query, one: bool = False, after: tuple[bool, ...] | None = None) -> Prepared:
    key = (
        ctx.actor.roles, query.entity, query.fields, query.filter, query.sort, query.view,
        bool(query.search), query.deleted, query.linked and query.linked[0], query.fitting and query.fitting[:2], one, after,
    )  # fmt: skip
    prepared: Prepared = _kept(ctx, key, lambda: _prepare(ctx, query, one, after))
    return prepared


def _kept(ctx: Context, key: Any, make: Callable[[], Any]) -> Any:
    """What was made once for this key; the oldest tenth makes room. Threads may make one twice, which does no harm."""
    cache = ctx.service.prepared
    found = cache.get(key)
    if found is None:
        if len(cache) >= MOST_PREPARED:
            for old in list(cache)[: MOST_PREPARED // 10]:  # a copy: other threads add meanwhile
                cache.pop(old, None)
        found = cache[key] = make()
    return found


def _prepare(ctx: Context, query: Query, one: bool, after: tuple[bool, ...] | None) -> Prepared:
    application = ctx.service.application
    entity = application.entities[query.entity].entity
    if not ctx.policies.readable(query.entity):
        raise NotFound(Problem("XRM506", "there is no such record", path=("id",)))
    view = _view(entity, query.view)
    sort = _sort(ctx, entity, query.sort, view)
    if view and not _seen_whole(ctx, entity, view):
        raise _no_view(query.view)
    filters = [view.filter.checked] if view and view.filter else []
    if query.filter:
        filters.append(_filter(ctx, entity, query.filter))
    shape = Shape(
        query.entity,
        _fields(ctx, entity, query.fields),
        tuple(filters),
        () if one else sort,
        bool(query.search),
        one,
        after,
        query.deleted,
        _link(ctx, entity, query.linked),
        _fitting(ctx, query),
    )
    _not_too_far(shape)
    reader = application.seen_by(ctx.actor.roles)
    roles = ",".join(sorted(ctx.actor.roles))
    order = ",".join(map(str, sort))
    purpose = f"cursor|{query.entity}|{order}|{query.filter or ''}|{query.view or ''}|{query.search or ''}|{query.linked or ''}|{roles}"
    return Prepared(reader.read(shape), shape, purpose)


def _not_too_far(shape: Shape) -> None:
    """Each link that is followed is a join; SQLite takes 64, and row rules have theirs."""
    paths = {*shape.fields, *(key.path for key in shape.sort), *(path for one in shape.filters for path in one.reads)}
    links = {path[:at] for path in paths for at, sign in enumerate(path) if sign == "."}
    if len(links) > MOST_LINKS:
        raise Invalid(Problem("XRM512", f"a list follows {MOST_LINKS} links at most; this follows {len(links)}", path=("fields",)))


def _count(ctx: Context, shape: Shape) -> Statement:
    reader = ctx.service.application.seen_by(ctx.actor.roles)
    statement: Statement = _kept(ctx, ("count", ctx.actor.roles, shape), lambda: reader.count(shape))
    return statement


def _asked(ctx: Context, query: Query) -> dict[str, Any]:
    """The parameters that a list's shape leaves open."""
    values: dict[str, Any] = {"search": _words(query)} if query.search else {}
    if query.linked:
        values["linked"] = bind_id(query.linked[1], ctx.service.database.dialect)
    return values


def _with_cursor(ctx: Context, query: Query) -> tuple[Prepared, dict[str, Any]]:
    first = _prepared(ctx, query)
    if query.after is None:
        return first, {}
    values = ctx.service.seal.open(query.after, first.purpose)
    if not isinstance(values, list):
        raise Invalid(Problem("XRM513", "the cursor does not belong to this list", path=("after",), hint="start without 'after'"))
    nulls = tuple(value is None for value in values)
    return _prepared(ctx, query, after=nulls), {f"after_{n}": value for n, value in enumerate(values)}


def _view(entity: Entity, name: str | None) -> View | None:
    if name is None:
        return None
    view = entity.view(name)
    if view is None:
        raise _no_view(name)
    return view


def _no_view(name: str | None) -> NotFound:
    return NotFound(Problem("XRM506", f"there is no view '{(name or '')[:60]}'", path=("view",)))


def _seen_whole(ctx: Context, entity: Entity, view: View) -> bool:
    """Whether every name the view's filter reads is visible: a view is no way round a hidden field."""
    paths = view.filter.checked.reads if view.filter else ()
    return all(path.partition(".")[0] == "actor" or ctx.policies.shows(entity.name, path) for path in paths)


def _fitting(ctx: Context, query: Query) -> Checked | None:
    """The definition's own condition: it reads what it needs, as guards do."""
    if query.fitting is None:
        return None
    entity, link, _ = query.fitting
    found = ctx.service.application.entities[entity].entity.fields[link].filter
    return found.checked if found else None


def _link(ctx: Context, entity: Entity, linked: tuple[str, str] | None) -> str | None:
    if linked is None:
        return None
    name, id = linked
    field = _known(ctx, entity, name, "linked")
    if (field.each or field).type != "link" or not is_id(id):
        raise Invalid(Problem("XRM512", f"'{name}' links no such record", path=("linked",)))
    return name


def _fields(ctx: Context, entity: Entity, wanted: Sequence[str]) -> tuple[str, ...]:
    if not wanted:
        return ctx.policies.names(entity.name)
    for path in wanted:
        if path.count(".") <= 3 and ctx.policies.beyond(entity.name, path) is not None:
            continue
        if _known(ctx, entity, path, "fields").apart and "." in path:
            raise Invalid(Problem("XRM512", f"rows are read with their own record, not over a link: '{path[:80]}'", path=("fields",)))
    return ("id", *wanted)


def _sort(ctx: Context, entity: Entity, text: str | None, view: View | None) -> tuple[SortKey, ...]:
    if not text:
        default = view or entity.views.get("default")
        keys = default.sort if default else (SortKey("created_at", True),)
        return tuple(key for key in keys if ctx.policies.resolve(entity.name, key.path))
    keys = tuple(SortKey(part.removeprefix("-"), part.startswith("-")) for part in text.split(",") if part)
    if len(keys) > MOST_SORT_KEYS:
        raise Invalid(Problem("XRM512", f"a list sorts by {MOST_SORT_KEYS} fields at most", path=("sort",)))
    for key in keys:
        field = _known(ctx, entity, key.path, "sort")
        if not field.kind.sortable:
            raise Invalid(Problem("XRM512", f"a list cannot sort by '{key.path}' ({field.type})", path=("sort",)))
    return keys


def _known(ctx: Context, entity: Entity, path: str, where: str) -> Any:
    """The visible field of a path; the same problem whether it is hidden or missing."""
    field = ctx.policies.resolve(entity.name, path) if path.count(".") <= 3 else None
    if field is None:
        scope = PolicyScope(ctx.policies, entity.name)
        raise Invalid(Problem("XRM302", f"unknown field '{path[:80]}'", path=(where,), hint=_near(scope, path)))
    return field


def _near(scope: PolicyScope, path: str) -> str | None:
    *links, last = path.split(".")
    near = nearest(last, scope.names(tuple(links)))
    return f"did you mean '{'.'.join([*links, near])}'?" if near else None


def _filter(ctx: Context, entity: Entity, text: str) -> Checked:
    """An actor's own filter: it knows only what the policy shows, and the database must be able to evaluate it."""
    try:
        checked = check(parse(text), PolicyScope(ctx.policies, entity.name), BOOL)
        faults = checked.sql_faults
    except ExpressionError as error:
        faults = error.faults
    if faults:
        raise Invalid(*(Problem(f.code, f"{f.message} (character {f.start + 1})", path=("filter",), hint=f.hint) for f in faults))
    return checked
