"""The tables of one query: a root, and what links, rows and inverse collections bring in, each beneath the policy of what it shows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from xrm.compile.columns import (
    TEXT,
    DialectName,
)
from xrm.compile.policies import Policies, Rule
from xrm.compile.statements import RunTime
from xrm.compile.tables import Tables
from xrm.expr import Checked
from xrm.expr.sql import to_sql
from xrm.model.entity import Entity, Inverse
from xrm.model.fields import ENTITY, TARGET, Field
from xrm.model.kinds import ADDRESS_PARTS
from xrm.model.rows import row_entity

Given = Callable[[sa.ColumnElement[Any]], sa.ColumnElement[bool]]
"""Whether an id is one of those that a statement is given."""


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
