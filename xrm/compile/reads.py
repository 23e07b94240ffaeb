"""The one query compiler. Every read of every record goes through it, with the actor's policy beneath.

Beneath means: the policy's condition stands in the same WHERE as the filter, a linked record is joined only where its
own policy shows it, and a name that the policy hides cannot be resolved, so that filter, sort, search, count and
expand all ask a database in which the rest does not exist.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import sqlalchemy as sa

from xrm.compile.columns import (
    DialectName,
)
from xrm.compile.joining import Rows
from xrm.compile.ordering import after_cursor, parameter, sort_keys
from xrm.compile.picking import Picked, Row, document_decoder, list_of_links, over_lists, row_decoder, with_links
from xrm.compile.policies import Policies
from xrm.compile.statements import Statement, compiled
from xrm.compile.tables import Tables
from xrm.expr import Checked
from xrm.model.fields import ENTITY, TARGET, Field, alike
from xrm.model.rows import ID as ROW_ID
from xrm.model.views import SortKey


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
            query = query.order_by(*(term for key in keys for term in key.order)).limit(parameter("limit", sa.Integer()))
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
            marks = [parameter(f"record_{n}", inside.root.c.record.type) for n in range(size)]
            query = sa.select(*columns).select_from(inside.source).where(inside.root.c.record.in_(marks))
            query = query.order_by(inside.root.c.record, inside.root.c.position)
            statements[size] = compiled(query, self.dialect, inside.run_time)
        parts.append(PartRead(statements))
        if field.each:
            return list_of_links(path, field.each, picked, beyond)
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
        inner = inner.limit(parameter("most", sa.Integer()))
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
            link, mark = rows.entity.field(shape.linked), parameter("linked", rows.root.c.id.type)
            where.append(rows.leads((shape.linked,), mark) if link and link.each else rows.column(shape.linked) == mark)
        if shape.one:
            where.append(rows.root.c.id == parameter("id", rows.root.c.id.type))
        return where

    def _search(self, rows: Rows) -> sa.ColumnElement[bool]:
        """Words anywhere in the title, the number or a visible text. Never LIKE: a ``%`` is a per cent sign."""
        words = parameter("search", sa.Text())
        inside = sa.func.instr if self.dialect == "sqlite" else sa.func.strpos
        policy = self.policies.by_entity[rows.entity.name]
        texts: list[sa.ColumnElement[str]] = [rows.root.c.title_key]
        if rows.entity.number:
            texts.append(sa.func.lower(rows.root.c.number))
        texts += [rows.root.c[f"{name}_key"] for name, field in rows.entity.fields.items() if field.folded and policy.sees(name)]
        return sa.or_(*(inside(text, words) > 0 for text in texts))


def _place(columns: list[sa.ColumnElement[Any]], wanted: sa.ColumnElement[Any]) -> int:
    """Where a column stands among those that are read; added at the end if it does not."""
    for place, column in enumerate(columns):
        if column is wanted:
            return place
    columns.append(wanted)
    return len(columns) - 1


def _labelled(columns: Sequence[sa.ColumnElement[Any]]) -> list[sa.ColumnElement[Any]]:
    return [column.label(f"c{n}") for n, column in enumerate(columns)]
