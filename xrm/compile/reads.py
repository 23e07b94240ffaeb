"""The one query compiler. Every read of every record goes through it, with the actor's policy beneath.

Beneath means: the policy's condition stands in the same WHERE as the filter, a linked record is joined only where its
own policy shows it, and a name that the policy hides cannot be resolved, so that filter, sort, search, count and
expand all ask a database in which the rest does not exist.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from typing import Any

import msgspec
import sqlalchemy as sa

from xrm.compile.columns import (
    TEXT,
    DialectName,
    Stored,
    from_database,
    json_from_database,
    json_point,
    placed,
    point,
    short_instant,
    stored,
    to_database,
)
from xrm.compile.policies import Policies, Rule
from xrm.compile.statements import RunTime, Statement, compiled
from xrm.compile.tables import Tables
from xrm.expr import Checked
from xrm.expr.sql import to_sql
from xrm.model.entity import Entity, Inverse
from xrm.model.fields import ENTITY, TARGET, Field, alike
from xrm.model.kinds import ADDRESS_PARTS
from xrm.model.rows import ID as ROW_ID
from xrm.model.rows import row_entity
from xrm.model.views import SortKey

Row = dict[str, Any]
Given = Callable[[sa.ColumnElement[Any]], sa.ColumnElement[bool]]
"""Whether an id is one of those that a statement is given."""


@dataclass(frozen=True, slots=True)
class Shape:
    """What is asked, without the values: the same shape compiles to the same statement.

    ``after`` has, for a next page, whether the cursor's value of each sort key is null. ``deleted`` asks for records
    that were deleted (to restore them) instead of live ones. ``linked`` is a link field that must point at the
    parameter ``linked``.
    """

    entity: str
    fields: tuple[str, ...]
    filters: tuple[Checked, ...] = ()
    sort: tuple[SortKey, ...] = ()
    search: bool = False
    one: bool = False
    after: tuple[bool, ...] | None = None
    deleted: bool = False
    linked: str | None = None
    fitting: Checked | None = None
    """The condition of the link that the records are chosen for; it reads raw data."""


@dataclass(frozen=True, slots=True)
class Read:
    """A compiled read. Rows of the driver become flat rows (``category.title`` is a key) or documents (for JSON).

    ``version`` says where in the row of a read of one record its version stands, ``derived`` how often it
    changed without being edited, for an entity that can. ``parts`` are what lies in tables of
    its own: for each the caller adds one value to every row, what ``PartRead.of`` gives for the id at ``key``.
    """

    statement: Statement
    key: int
    parts: tuple[PartRead, ...]
    flat: Callable[[Sequence[Any]], Row]
    document: Callable[[Sequence[Any]], msgspec.Struct]
    cursor: Callable[[Sequence[Any]], list[Any]]
    version: int | None
    derived: int | None = None


PART_SIZES = (1, 50, 501)
"""How many records one statement asks the rows of: a page takes the first that is enough."""


@dataclass(frozen=True, eq=False, slots=True)
class PartRead:
    """Reads the rows of one field for a whole page of records, by one statement."""

    statements: Mapping[int, Statement]

    def of(self, keys: Sequence[Any], ask: Callable[[Statement, Mapping[str, Any]], list[tuple[Any, ...]]]) -> dict[Any, list[Any]]:
        """The driver's rows by their record, in order. ``ask`` runs a statement; keys are ids as the driver has them."""
        found: dict[Any, list[Any]] = {}
        if keys:
            size = next(size for size in PART_SIZES if size >= len(keys))
            marks = {f"record_{n}": keys[min(n, len(keys) - 1)] for n in range(size)}
            for row in ask(self.statements[size], marks):
                found.setdefault(row[0], []).append(row)
        return found


class Rows:
    """The tables of one query: the root, and one alias for each link that is followed.

    ``raw`` paths ignore the policies of linked records; only row rules, which see raw data, use them.
    """

    def __init__(
        self, tables: Tables, policies: Policies, entity: str, dialect: DialectName, part: str | None = None, prefix: str = ""
    ) -> None:
        """``part``: the rows of this field are the root, instead of the records of the entity. ``prefix`` begins the names
        of its aliases: a query within a query has others."""
        self.tables, self.policies, self.dialect, self.prefix = tables, policies, dialect, prefix
        self.model = policies.application
        self.entity = self.model.entities[entity]
        self.root = tables.entities[entity].alias(f"{prefix}r")
        if part is not None:
            self.root = tables.parts[entity, part].alias(f"{prefix}r")
            self.entity = row_entity(self.entity, self.entity.fields[part])
        self.source: sa.FromClause = self.root
        self.run_time: list[RunTime] = []
        self._joined: dict[tuple[str, bool], tuple[sa.FromClause, Entity]] = {("", False): (self.root, self.entity)}
        self._joined["", True] = (self.root, self.entity)
        self._several: dict[tuple[str, bool], sa.ColumnElement[Any]] = {}
        self._gathered = 0
        self._counts: dict[str, sa.ColumnElement[Any]] = {}

    def column(self, path: str, raw: bool = False) -> sa.ColumnElement[Any]:
        """The value of a path; a link whose target is guarded by a row rule shows through that rule.

        Of a point, one of its two columns: expressions only ask whether there is one.
        """
        path = self.flat(path)
        link = self.several(path)
        if link is not None:
            return self._of_several(link, path, raw)
        prefix, _, name = path.rpartition(".")
        table, entity = self.at(prefix, raw)
        field = entity.field(name)
        if field is None and name in entity.inverses:
            return self._count(path, table, entity.inverses[name])
        if not raw and field and field.type == "link" and name != "id" and self._guarded(field):
            return self.at(path, raw)[0].c.id
        return table.c[f"{name}_lat" if field and field.type == "point" else name]

    def flat(self, path: str) -> str:
        """A path whose end is part of an address, as the path of the part's column: ``home.city`` is ``home_city``."""
        before, _, name = path.rpartition(".")
        field = self.policies.resolve(self.entity.name, before) if before and name in ADDRESS_PARTS else None
        return f"{before}_{name}" if field is not None and field.type == "address" else path

    def several(self, path: str) -> str | None:
        """The first link on a path that leads to several entities, if there is one."""
        here: Entity | None = self.entity
        names = path.split(".")
        for depth, name in enumerate(names, 1):
            field = here.field(name) if here else None
            if field is None or field.type != "link" or name == "id":
                return None
            if field.several:
                return ".".join(names[:depth])
            here = self.model.entities[field.to] if field.to else None
        return None

    def _of_several(self, link: str, path: str, raw: bool) -> sa.ColumnElement[Any]:
        """What lies beyond a link to several entities, or the link itself: of each entity what its own policy shows."""
        if (path, raw) not in self._several:
            prefix, _, name = link.rpartition(".")
            table, entity = self.at(prefix, raw)
            field = entity.fields[name]
            shown = all(self.policies.by_entity[target].rule("read") is True for target in field.several)
            if path == link and (raw or shown):
                return table.c[name]
            rest = path[len(link) + 1 :] or "id"
            made = OfSeveral(self.tables, self.policies, self.dialect, f"{self.prefix}s{len(self._several)}_")
            self._several[path, raw] = made.column(field, table.c[name], table, rest, raw)
            self.run_time += made.run_time
        return self._several[path, raw]

    def _guarded(self, field: Field) -> bool:
        return bool(field.to) and self.policies.by_entity[field.to or ""].rule("read") is not True

    def at(self, prefix: str, raw: bool = False) -> tuple[sa.FromClause, Entity]:
        """The table that a chain of links leads to, joined at its first use."""
        if (prefix, raw) not in self._joined:
            self._joined[prefix, raw] = self._join(prefix, raw)
        return self._joined[prefix, raw]

    def _join(self, prefix: str, raw: bool) -> tuple[sa.FromClause, Entity]:
        parent, _, name = prefix.rpartition(".")
        table, entity = self.at(parent, raw)
        field = entity.field(name)
        if field is None or field.to is None:
            raise KeyError(prefix)
        target = self.tables.entities[field.to].alias(f"{self.prefix}{'w' if raw else 'j'}{len(self._joined)}")
        match = target.c.id == table.c[name]
        if not raw:
            match = sa.and_(match, target.c.deleted_at.is_(None))
            rule = self.policies.by_entity[field.to].rule("read")
            if rule is None:
                raise KeyError(prefix)
            if rule is not True:
                match = sa.and_(match, self._linked_rule(target, field.to, rule))
        self.source = self.source.outerjoin(target, match)
        return target, self.model.entities[field.to]

    def _linked_rule(self, target: sa.FromClause, entity: str, rule: Rule) -> sa.ColumnElement[bool]:
        """A linked record's own row rule, asked in a subquery so that its own links stay its own affair."""
        inner = Rows(self.tables, self.policies, entity, self.dialect)
        condition = inner.rule(rule, f"l{len(self._joined)}_")
        self.run_time += inner.run_time
        return target.c.id.in_(sa.select(inner.root.c.id).select_from(inner.source).where(condition))

    def rule(self, rule: Rule, prefix: str) -> sa.ColumnElement[bool]:
        """A right as a condition on raw data."""
        if rule is True:
            return sa.true()
        return sa.or_(*(self.condition(one.checked, f"{prefix}{n}_", raw=True) for n, one in enumerate(rule)))

    def condition(self, checked: Checked, prefix: str, raw: bool = False) -> sa.ColumnElement[bool]:
        asked: list[Linked | United] = []

        def members(path: str) -> Linked | United:
            gathered = self.entity.collection(path)
            asked.append(self.linked(self.root.c.id, gathered, raw) if gathered else self.held(self.root.c.id, path, raw))
            return asked[-1]

        made = to_sql(checked, lambda path: self.column(path, raw), self.dialect, prefix=prefix, members=members)
        self.run_time += made.run_time
        for one in asked:
            self.run_time += one.run_time
        return made.clause

    def linked(self, id: sa.ColumnElement[Any], inverse: Inverse, raw: bool, given: Given | None = None) -> Linked | United:
        """The records of a collection of the record with an id, for a subquery: those that the policies show, unless ``raw``.

        ``given``: what stands in a list of links of the record's own is given, instead of what the database has.
        """
        policies, own = self.policies, inverse.by == "own"
        seen = [one for one in inverse.entities if raw or (policies.readable(one) and (own or policies.by_entity[one].sees(inverse.field)))]
        if not seen:
            raise KeyError(inverse.name)
        found = tuple(self._linked(id, one, inverse, raw, given if own else None) for one in seen)
        self._gathered += 1
        return found[0] if len(found) == 1 else United(found, f"{self.prefix}u{self._gathered}")

    def _linked(self, id: sa.ColumnElement[Any], entity: str, inverse: Inverse, raw: bool, given: Given | None) -> Linked:
        self._gathered += 1
        inner = Rows(self.tables, self.policies, entity, self.dialect, prefix=f"{self.prefix}g{self._gathered}")
        belongs = given(inner.root.c.id) if given else self._in_list(id, inner, inverse) if inverse.by == "own" else None
        if belongs is None:
            belongs = inner.leads((inverse.field,), id)
        where: list[sa.ColumnElement[bool]] = [belongs, inner.root.c.deleted_at.is_(None)]
        rule = self.policies.by_entity[entity].rule("read")
        if not raw and rule is not None and rule is not True:
            where.append(inner.rule(rule, f"{inner.prefix}_"))
        return Linked(inner, where, raw)

    def _in_list(self, id: sa.ColumnElement[Any], inner: Rows, inverse: Inverse) -> sa.ColumnElement[bool]:
        """Whether a record stands in a list of links of the record with an id."""
        part = self.tables.parts[self.entity.name, inverse.field].alias(f"{inner.prefix}l")
        return inner.root.c.id.in_(sa.select(part.c[TARGET]).where(part.c.record == id).correlate_except(part))

    def leads(self, chain: Sequence[str], id: sa.ColumnElement[Any]) -> sa.ColumnElement[bool]:
        """Whether a chain of links, the last of which may be a list, leads to the record with an id, whoever asks."""
        table, entity = self.at(".".join(chain[:-1]), raw=True)
        field = entity.field(chain[-1])
        if field is None or not field.each:
            return table.c[chain[-1]] == id
        part = self.tables.parts[entity.name, field.name].alias(f"{self.prefix}l")
        return table.c.id.in_(sa.select(part.c.record).where(part.c[TARGET] == id).correlate_except(part))

    def held(self, id: sa.ColumnElement[Any], field: str, raw: bool) -> Linked:
        """The rows of a field of the record with an id, for a subquery."""
        self._gathered += 1
        prefix = f"{self.prefix}g{self._gathered}"
        inner = Rows(self.tables, self.policies, self.entity.name, self.dialect, part=field, prefix=prefix)
        return Linked(inner, [inner.root.c.record == id], raw)

    def _count(self, path: str, table: sa.FromClause, inverse: Inverse) -> sa.ColumnElement[Any]:
        """How many records a collection has: one column, however often it is asked for."""
        if path not in self._counts:
            linked = self.linked(table.c.id, inverse, raw=False)
            source = linked.source
            counted: sa.Select[Any] = sa.select(sa.func.count(type_=sa.BigInteger())).select_from(source).where(*linked.where)
            self._counts[path] = counted.correlate_except(source).scalar_subquery()
            self.run_time += linked.run_time
        return self._counts[path]


@dataclass(frozen=True, slots=True)
class Linked:
    """The records of a collection in a query of their own (``xrm.expr.sql.Members``)."""

    rows: Rows
    where: list[sa.ColumnElement[bool]]
    raw: bool

    @property
    def source(self) -> sa.FromClause:
        return self.rows.source

    def column(self, path: str) -> sa.ColumnElement[Any]:
        return self.rows.column(path, self.raw)

    @property
    def run_time(self) -> list[RunTime]:
        return self.rows.run_time


class United:
    """The records of several entities in one collection: one query of all of them, with the columns that are asked for."""

    def __init__(self, each: tuple[Linked, ...], name: str) -> None:
        self._each, self._name = each, name
        self.where: list[sa.ColumnElement[bool]] = []
        self._columns: dict[str, list[sa.ColumnElement[Any]]] = {}

    def column(self, path: str) -> sa.ColumnElement[Any]:
        if path not in self._columns:
            self._columns[path] = [self._own(one, path) for one in self._each]
        place = list(self._columns).index(path)
        return sa.literal_column(f"{self._name}.c{place}", self._columns[path][0].type)

    def _own(self, one: Linked, path: str) -> sa.ColumnElement[Any]:
        return sa.literal_column(f"'{one.rows.entity.name}'", TEXT) if path == ENTITY.name else one.column(path)

    @property
    def source(self) -> sa.FromClause:
        """After all columns are asked for: the query has those."""
        return sa.union_all(*(self._query(n, one) for n, one in enumerate(self._each))).subquery(self._name)

    def _query(self, n: int, one: Linked) -> sa.Select[Any]:
        columns = [asked[n].label(f"c{place}") for place, asked in enumerate(self._columns.values())]
        query = sa.select(*(columns or [sa.literal_column("1").label("c0")])).select_from(one.source).where(*one.where)
        return query.correlate_except(one.source)

    @property
    def run_time(self) -> list[RunTime]:
        return [bind for one in self._each for bind in one.run_time]


MOST_TRIED = 6
"""Entities of a link that are tried one after the other; of more the spine says first which it is."""


class OfSeveral:
    """One value beyond a link to several entities: a question to each, of which the one that has the record answers."""

    def __init__(self, tables: Tables, policies: Policies, dialect: DialectName, prefix: str) -> None:
        self._tables, self._policies, self._dialect, self._prefix = tables, policies, dialect, prefix
        self.run_time: list[RunTime] = []

    def column(
        self, field: Field, link: sa.ColumnElement[Any], source: sa.FromClause | None, path: str, raw: bool
    ) -> sa.ColumnElement[Any]:
        """``link``: the column, in ``source``, that holds the id; ``path``: what is wanted of its record, or ``entity``."""
        seen = [target for target in field.several if raw or self._policies.readable(target)]
        asked = {target: self._asked(n, target, link, source, path, raw) for n, target in enumerate(seen)}
        if len(asked) < 2:
            return next(iter(asked.values()), sa.null())
        if len(asked) <= MOST_TRIED:
            return sa.func.coalesce(*asked.values(), type_=next(iter(asked.values())).type)
        spine = self._tables.own("record").alias(f"{self._prefix}e")
        which = _correlated(sa.select(spine.c.entity).where(spine.c.id == link), source)
        return sa.case({sa.literal_column(f"'{target}'"): column for target, column in asked.items()}, value=which)

    def _asked(self, n: int, target: str, link: Any, source: sa.FromClause | None, path: str, raw: bool) -> sa.ColumnElement[Any]:
        rows = Rows(self._tables, self._policies, target, self._dialect, prefix=f"{self._prefix}{n}_")
        value = sa.literal_column(f"'{target}'", TEXT) if path == ENTITY.name else rows.column(path, raw)
        where: list[sa.ColumnElement[bool]] = [rows.root.c.id == link]
        rule = self._policies.by_entity[target].rule("read")
        if not raw:
            where.append(rows.root.c.deleted_at.is_(None))
            if rule is not None and rule is not True:
                where.append(rows.rule(rule, f"{self._prefix}{n}_"))
        self.run_time += rows.run_time
        return _correlated(sa.select(value).select_from(rows.source).where(*where), source)


def _correlated(query: sa.Select[Any], source: sa.FromClause | None) -> sa.ColumnElement[Any]:
    return (query.correlate(source) if source is not None else query).scalar_subquery()


class ReadCompiler:
    """Compiles shapes under one set of policies. What it makes is kept by whoever asks (``service/reading``)."""

    def __init__(self, tables: Tables, policies: Policies, dialect: DialectName) -> None:
        self.tables, self.policies, self.dialect = tables, policies, dialect

    def read(self, shape: Shape) -> Read:
        rows = Rows(self.tables, self.policies, shape.entity, self.dialect)
        parts: list[PartRead] = []
        beyond, own = over_lists(shape.fields, rows.policies, shape.entity)
        picked = [self._pick(rows, path, parts, beyond.get(path, ())) for path in with_links(own, rows.policies, shape.entity)]
        keys = [] if shape.one else sort_keys(rows, shape.sort)
        where = self._where(rows, shape)
        if shape.after is not None:
            where.append(after_cursor(keys, shape.after))
        columns = [column for pick in picked for column in pick.columns]
        places = [_place(columns, key.column) for key in keys]
        version = _place(columns, rows.root.c.version) if shape.one else None
        key = _place(columns, rows.root.c.id)
        derived = _place(columns, rows.root.c.derived) if shape.one and rows.entity.derived else None
        query = sa.select(*_labelled(columns))
        query = query.select_from(rows.source).where(*where)
        if not shape.one:
            query = query.order_by(*(term for key in keys for term in key.order)).limit(_parameter("limit", sa.Integer()))
        statement = compiled(query, self.dialect, rows.run_time)
        flat, document = row_decoder(picked, len(columns)), document_decoder(picked, len(columns))
        return Read(statement, key, tuple(parts), flat, document, lambda raw: [raw[place] for place in places], version, derived)

    def _pick(self, rows: Rows, path: str, parts: list[PartRead], beyond: Sequence[str] = ()) -> Picked:
        """What a path brings; of a field that lies apart, the read of its rows is put into ``parts``. ``beyond``: what is
        read of each record that a list of links leads to."""
        field = rows.policies.resolve(rows.entity.name, path)
        if field is None or not field.apart:
            return Picked.of(rows, path)
        inside = Rows(self.tables, self.policies, rows.entity.name, self.dialect, part=path)
        seen = self.policies.row_fields(rows.entity.name, path)
        titled = {f"{name}.{own}": found for name, one in seen.items() if one.type == "link" for own, found in self._told(one)}
        if field.each:
            titled = {**self._of_each(field.each), **{f"{TARGET}.{far}": self._far(rows.entity.name, f"{path}.{far}") for far in beyond}}
        picked = [Picked("", (inside.root.c.record,), None)]
        picked += [Picked.made(inside, name, field) for name, field in {"id": ROW_ID, **seen, **titled}.items()]
        columns = _labelled([column for pick in picked for column in pick.columns])
        statements = {}
        for size in PART_SIZES:
            marks = [_parameter(f"record_{n}", inside.root.c.record.type) for n in range(size)]
            query = sa.select(*columns).select_from(inside.source).where(inside.root.c.record.in_(marks))
            query = query.order_by(inside.root.c.record, inside.root.c.position)
            statements[size] = compiled(query, self.dialect, inside.run_time)
        parts.append(PartRead(statements))
        if field.each:
            return _list_of_links(path, field.each, picked, beyond)
        flat, document = row_decoder(picked), document_decoder([pick for pick in picked if pick.path not in titled])
        return Picked(path, (), lambda found: tuple(map(flat, found)), lambda found: list(map(document, found)))

    def _told(self, link: Field) -> Iterator[tuple[str, Field]]:
        """What is read of the record that a link in a row leads to: its title, and its key."""
        for name in ("title", self.policies.application.entities[link.to].key) if link.to else ():
            found = self.policies.resolve(link.to or "", name) if name else None
            if name and found:
                yield name, found

    def _of_each(self, link: Field) -> dict[str, Field]:
        """What is read of each record of a list of links, whoever asks: its title, its key, and which entity it is of."""
        seen = [target for target in link.targets if self.policies.readable(target)]
        found = {"title": alike([self.policies.resolve(target, "title") for target in seen])}
        if link.several:
            found[ENTITY.name] = ENTITY if seen else None
        elif link.to and (key := self.policies.application.entities[link.to].key):
            found[key] = self.policies.resolve(link.to, key)
        return {f"{TARGET}.{name}": field for name, field in found.items() if field}

    def _far(self, entity: str, path: str) -> Field:
        field = self.policies.beyond(entity, path)
        if field is None:
            raise KeyError(path)
        return field

    def count(self, shape: Shape) -> Statement:
        """How many records a list has, counted up to the bound parameter ``most``."""
        rows = Rows(self.tables, self.policies, shape.entity, self.dialect)
        where = self._where(rows, shape)
        inner: sa.Select[Any] = sa.select(sa.literal_column("1")).select_from(rows.source).where(*where)
        inner = inner.limit(_parameter("most", sa.Integer()))
        return compiled(sa.select(sa.func.count()).select_from(inner.subquery()), self.dialect, rows.run_time)

    def _where(self, rows: Rows, shape: Shape) -> list[sa.ColumnElement[bool]]:
        rule = self.policies.by_entity[shape.entity].rule("read")
        if rule is None:
            raise KeyError(shape.entity)
        deleted = rows.root.c.deleted_at
        where: list[sa.ColumnElement[bool]] = [deleted.is_not(None) if shape.deleted else deleted.is_(None)]
        if rule is not True:
            where.append(rows.rule(rule, "p_"))
        where += [rows.condition(one, f"f{n}_") for n, one in enumerate(shape.filters)]
        if shape.fitting is not None:
            where.append(rows.condition(shape.fitting, "t_", raw=True))
        if shape.search:
            where.append(self._search(rows))
        if shape.linked:
            link, mark = rows.entity.field(shape.linked), _parameter("linked", rows.root.c.id.type)
            where.append(rows.leads((shape.linked,), mark) if link and link.each else rows.column(shape.linked) == mark)
        if shape.one:
            where.append(rows.root.c.id == _parameter("id", rows.root.c.id.type))
        return where

    def _search(self, rows: Rows) -> sa.ColumnElement[bool]:
        """Words anywhere in the title, the number or a visible text. Never LIKE: a ``%`` is a per cent sign."""
        words = _parameter("search", sa.Text())
        inside = sa.func.instr if self.dialect == "sqlite" else sa.func.strpos
        policy = self.policies.by_entity[rows.entity.name]
        texts: list[sa.ColumnElement[str]] = [rows.root.c.title_key]
        if rows.entity.number:
            texts.append(sa.func.lower(rows.root.c.number))
        texts += [rows.root.c[f"{name}_key"] for name, field in rows.entity.fields.items() if field.folded and policy.sees(name)]
        return sa.or_(*(inside(text, words) > 0 for text in texts))


def _parameter(name: str, kind: sa.types.TypeEngine[Any]) -> sa.BindParameter[Any]:
    return sa.bindparam(name, type_=kind, required=True)


def _place(columns: list[sa.ColumnElement[Any]], wanted: sa.ColumnElement[Any]) -> int:
    """Where a column stands among those that are read; added at the end if it does not."""
    for place, column in enumerate(columns):
        if column is wanted:
            return place
    columns.append(wanted)
    return len(columns) - 1


def _labelled(columns: Sequence[sa.ColumnElement[Any]]) -> list[sa.ColumnElement[Any]]:
    return [column.label(f"c{n}") for n, column in enumerate(columns)]


# --- what is picked, and how a row of the driver becomes a row of values


@dataclass(frozen=True, slots=True)
class Picked:
    """One path of a row: its columns in the query, and what makes its value, or its JSON, of them."""

    path: str
    columns: tuple[sa.ColumnElement[Any], ...]
    convert: Callable[..., Any] | None
    convert_json: Callable[..., Any] | None = None
    part: bool = False
    """Whether it is a part of an address, which a document has whole."""

    @staticmethod
    def of(rows: Rows, path: str) -> Picked:
        field = rows.policies.resolve(rows.entity.name, path)
        if field is None:
            raise KeyError(path)
        return Picked.made(rows, path, field)

    @staticmethod
    def made(rows: Rows, path: str, field: Field) -> Picked:
        """The pick of a field that the caller knows to be visible."""
        prefix = path.rpartition(".")[0]
        if field.type == "point":
            parts: tuple[Stored, ...] = stored(field)
            if rows.several(path):
                return Picked(path, tuple(rows.column(f"{prefix}.{part.name}") for part in parts), point, json_point)
            table = rows.at(prefix)[0]
            return Picked(path, tuple(table.c[part.name] for part in parts), point, json_point)
        converters = (from_database(field, rows.dialect), json_from_database(field, rows.dialect))
        return Picked(path, (rows.column(path),), *converters, part=bool(field.within))


def _list_of_links(path: str, link: Field, picked: Sequence[Picked], beyond: Sequence[str]) -> Picked:
    """A list of links: rows with the ``target`` and its title; in JSON ids, or what was asked of each. What the reader may
    not see is left out."""
    wanted = {TARGET, *(f"{TARGET}.{far}" for far in beyond), *([f"{TARGET}.{ENTITY.name}"] if link.several else [])}
    flat = row_decoder(picked)
    single = document_decoder([pick if pick.path in wanted else replace(pick, path="") for pick in picked])

    def rows(found: Sequence[Sequence[Any]]) -> tuple[Row, ...]:
        return tuple(row for row in map(flat, found) if row[TARGET] is not None)

    def documents(found: Sequence[Sequence[Any]]) -> list[Any]:
        links = [msgspec.structs.astuple(single(row))[0] for row in found]
        return [one for one in links if one is not None]

    return Picked(path, (), rows, documents)


def over_lists(paths: Sequence[str], policies: Policies, entity: str) -> tuple[dict[str, list[str]], tuple[str, ...]]:
    """What is read beyond each list of links, by its field; and the other paths, with those fields."""
    beyond: dict[str, list[str]] = {}
    own: dict[str, None] = {}
    for path in paths:
        first, _, rest = path.partition(".")
        if rest and policies.beyond(entity, path) is not None:
            beyond.setdefault(first, []).append(rest)
        own[first if first in beyond and rest else path] = None
    return beyond, tuple(own)


def with_links(paths: Sequence[str], policies: Policies, entity: str) -> tuple[str, ...]:
    """The paths asked for, and each link on the way to one: ``category.title`` brings ``category``; of several entities, which it is."""
    wanted: dict[str, None] = {}
    for path in paths:
        parts = path.split(".")
        for depth in range(1, len(parts) + 1):
            wanted[".".join(parts[:depth])] = None
    for path in list(wanted):
        field = policies.resolve(entity, path)
        if field is not None and field.several and field.name != "id":
            wanted[f"{path}.{ENTITY.name}"] = None
    return tuple(wanted)


def row_decoder(picked: Sequence[Picked], width: int = 0) -> Callable[[Sequence[Any]], Row]:
    """A function written for this row: one dict display, each value converted in place.

    A pick without columns takes its value from behind the ``width`` columns of the statement.

    Written as Python source, since a loop over converters costs three times as much for a list of fifty.
    """
    scope: dict[str, Any] = {}
    values = _value_sources(picked, [pick.convert for pick in picked], scope, width)
    body = ", ".join(f"{path!r}: {source}" for path, source in values.items())
    exec(f"def decode(r):\n    return {{{body}}}", scope)  # noqa: S102  (our own source; names are repr'd)
    decode: Callable[[Sequence[Any]], Row] = scope["decode"]
    return decode


def document_decoder(picked: Sequence[Picked], width: int = 0) -> Callable[[Sequence[Any]], msgspec.Struct]:
    """A function that makes the JSON document of a row: nested structs, which are written to JSON at half the cost of dicts."""
    scope: dict[str, Any] = {}
    values = _value_sources(picked, [pick.convert_json for pick in picked], scope, width)
    body = _struct_source({pick.path: values[pick.path] for pick in picked if pick.path and not pick.part}, "", scope)
    exec(f"def decode(r):\n    return {body}", scope)  # noqa: S102  (our own source; names are repr'd)
    decode: Callable[[Sequence[Any]], msgspec.Struct] = scope["decode"]
    return decode


def _value_sources(
    picked: Sequence[Picked], converts: Sequence[Callable[..., Any] | None], scope: dict[str, Any], width: int
) -> dict[str, str]:
    """The Python source of each path's value, from the row ``r``; what it calls is put into ``scope``."""
    values: dict[str, str] = {}
    at, behind = 0, width
    for n, (pick, convert) in enumerate(zip(picked, converts, strict=True)):
        if not pick.columns:
            values[pick.path] = _value_source(convert, 1, n, behind, scope)
            behind += 1
            continue
        if pick.path:
            values[pick.path] = _value_source(convert, len(pick.columns), n, at, scope)
        at += len(pick.columns)
    return values


def _value_source(convert: Callable[..., Any] | None, width: int, n: int, at: int, scope: dict[str, Any]) -> str:
    if convert is None:
        return f"r[{at}]"
    scope[f"f{n}"] = convert
    if width == 2:
        return f"f{n}(r[{at}], r[{at + 1}])"
    made = IN_PLACE.get(convert) or f"f{n}(v)"
    return f"(None if (v := r[{at}]) is None else {made})"


IN_PLACE: Mapping[Callable[..., Any], str] = {
    bool: "v == 1",
    short_instant: "v if v[20:26] != '000000' else v[:19] + 'Z'",
}
"""Conversions so small that a call would cost more than they do; ``v`` is the value."""


def _struct_source(values: Mapping[str, str], prefix: str, scope: dict[str, Any]) -> str:
    """The source that makes the document of the paths below a prefix; each link that is followed is a document in it."""
    names: list[str] = []
    sources: list[str] = []
    if prefix:
        names.append("id")
        sources.append(values[prefix.removesuffix(".")])
    for path, source in values.items():
        name = path[len(prefix) :]
        if not path.startswith(prefix) or "." in name or name in names:
            continue
        follows = any(below.startswith(f"{path}.") for below in values)
        names.append(name)
        sources.append(f"(None if {source} is None else {_struct_source(values, f'{path}.', scope)})" if follows else source)
    attributes = [f"a{n}" for n in range(len(names))]
    kind = f"S{len(scope)}"
    rename = dict(zip(attributes, names, strict=True))
    scope[kind] = msgspec.defstruct("Document", [(attribute, Any) for attribute in attributes], rename=rename, gc=False)
    return f"{kind}({', '.join(sources)})"


# --- order, and the place after a cursor


@dataclass(frozen=True, slots=True)
class Key:
    """One column of the order. Empty values come last, whichever way the order runs."""

    column: sa.ColumnElement[Any]
    descending: bool
    nullable: bool

    @property
    def order(self) -> list[sa.ColumnElement[Any]]:
        value = self.column.desc() if self.descending else self.column.asc()
        return [self.column.is_(None), value] if self.nullable else [value]

    def past(self, parameter: sa.ColumnElement[Any]) -> sa.ColumnElement[bool]:
        return self.column < parameter if self.descending else self.column > parameter


def sort_keys(rows: Rows, sort: Sequence[SortKey]) -> list[Key]:
    """The columns of an order, ended by the id, which makes it total."""
    keys = []
    for wanted in sort:
        path = wanted.path
        field = rows.policies.resolve(rows.entity.name, path)
        if field is None:
            raise KeyError(path)
        alone = rows.several(path) or field.within
        if not alone and path.rpartition(".")[2] in rows.at(path.rpartition(".")[0])[1].inverses:
            keys.append(Key(rows.column(path), wanted.descending, nullable="." in path))
            continue
        if field.type == "link" and field.name != "id":
            path, name = f"{path}.title", "title"
        else:
            name = field.name
        if rows.several(path):
            folded = name == "title" or (field.folded and not field.system)
            keys.append(Key(rows.column(f"{path}_key" if folded else path), wanted.descending, nullable=True))
            continue
        path, name = (flat, flat.rpartition(".")[2]) if (flat := rows.flat(path)) != path else (path, name)
        table, entity = rows.at(path.rpartition(".")[0])
        target = entity.field(name)
        folded = name == "title" or (target is not None and target.folded and not target.system)
        column: sa.ColumnElement[Any] = table.c[f"{name}_key" if folded else name]
        nullable = "." in path or bool(rows.tables.entities[entity.name].c[f"{name}_key" if folded else name].nullable)
        if target is not None and target.ordered:
            column = placed(column, target)
        keys.append(Key(column, wanted.descending, nullable))
    last = keys[-1].descending if keys else True
    return [*keys, Key(rows.root.c.id, last, nullable=False)]


def after_cursor(keys: Sequence[Key], nulls: Sequence[bool]) -> sa.ColumnElement[bool]:
    """The records that come after the cursor's; its values are the parameters ``after_0`` and on."""
    marks = [_parameter(f"after_{n}", key.column.type) for n, key in enumerate(keys)]
    same_way = len({key.descending for key in keys}) == 1
    if same_way and not any(key.nullable for key in keys):
        here, there = sa.tuple_(*(key.column for key in keys)), sa.tuple_(*marks)
        return here < there if keys[0].descending else here > there

    def behind(rest: sa.ColumnElement[bool], step: tuple[Key, Any, bool]) -> sa.ColumnElement[bool]:
        key, mark, null = step
        if null:
            return sa.and_(key.column.is_(None), rest)
        later = sa.or_(key.past(mark), sa.and_(key.column == mark, rest))
        return sa.or_(key.column.is_(None), later) if key.nullable else later

    steps = list(zip(keys, marks, nulls, strict=True))
    return reduce(behind, reversed(steps), sa.false())


def bind_value(field: Field, dialect: DialectName, value: object) -> object:
    """A field's value as the driver wants it."""
    convert = to_database(field, dialect)
    return value if value is None or convert is None else convert(value)
