"""Finding many records by what they are called: one statement for a batch of keys, with the actor's policy beneath."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from xrm.compile.columns import DialectName, Stored, from_database, stored, to_database
from xrm.compile.in_hand import InHand
from xrm.compile.joining import Rows
from xrm.compile.picking import Picked, row_decoder
from xrm.compile.policies import Policies
from xrm.compile.statements import Statement, compiled
from xrm.compile.tables import Tables
from xrm.expr import Moment
from xrm.model.fields import Field

BATCH = 100
"""Keys that one statement looks for."""

LookupKey = tuple[Any, ...]
"""The key of a record as the database holds it: a unique text is compared by its folded key."""


@dataclass(frozen=True, slots=True)
class Lookup:
    """``encode`` gives the key of some values; ``bind`` takes at most ``BATCH`` of them."""

    statement: Statement
    encode: Callable[[Sequence[Any]], LookupKey]
    decode: Callable[[Sequence[Any]], tuple[LookupKey, str]]

    def bind(self, keys: Sequence[LookupKey], moment: Moment) -> tuple[Any, ...]:
        """The parameters; a batch that is not full ends in keys that nothing has."""
        whole = [*keys, *[(None,) * len(keys[0])] * (BATCH - len(keys))]
        values: Mapping[str, Any] = {f"k{n}_{place}": part for n, key in enumerate(whole) for place, part in enumerate(key)}
        return self.statement.bind(values, moment)


def lookup(tables: Tables, policies: Policies, entity: str, fields: Sequence[str], dialect: DialectName) -> Lookup:
    """How the live records of an entity that these policies show are found by the values of some fields.

    Raises:
        KeyError: a field is not there for these policies.
    """
    rows = Rows(tables, policies, entity, dialect)
    parts = [_key_part(policies, entity, name, dialect) for name in fields]
    columns = [rows.root.c[part.name] for part in parts]
    rule = policies.by_entity[entity].rule("read")
    if rule is None:
        raise KeyError(entity)
    where: list[sa.ColumnElement[bool]] = [rows.root.c.deleted_at.is_(None), *(rows.root.c[name].is_not(None) for name in fields)]
    if rule is not True:
        where.append(rows.rule(rule, "p_"))
    wanted = _wanted(columns)
    where += [column == wanted.c[f"k{place}"] for place, column in enumerate(columns)]
    query = sa.select(rows.root.c.id, *columns).select_from(wanted, rows.source).where(*where)
    id_of = from_database(Field("id", "link", {}, to=entity), dialect)

    def encode(values: Sequence[Any]) -> LookupKey:
        return tuple(part.part(value) if part.part else value for part, value in zip(parts, values, strict=True))

    def decode(row: Sequence[Any]) -> tuple[LookupKey, str]:
        return tuple(row[1:]), id_of(row[0]) if id_of else row[0]

    return Lookup(compiled(query, dialect, rows.run_time), encode, decode)


@dataclass(frozen=True, slots=True)
class Naming:
    """Gives the keys of records whose ids are known, as far as the policy shows them."""

    statement: Statement
    given: InHand
    decode: Callable[[Sequence[Any]], tuple[str, Any]]


def naming(tables: Tables, policies: Policies, entity: str, key: str, dialect: DialectName) -> Naming:
    """The records of an entity by their ids, with the value of the field that names them. Raises KeyError as ``lookup`` does."""
    rows, given = Rows(tables, policies, entity, dialect), InHand(dialect)
    field, rule = policies.resolve(entity, key), policies.by_entity[entity].rule("read")
    if field is None or rule is None:
        raise KeyError(key)
    where = [given(rows.root.c.id), rows.root.c.deleted_at.is_(None)]
    if rule is not True:
        where.append(rows.rule(rule, "p_"))
    picked = [Picked("id", (rows.root.c.id,), from_database(Field("id", "link", {}, to=entity), dialect)), Picked.of(rows, key)]
    flat = row_decoder(picked)

    def decode(row: Sequence[Any]) -> tuple[str, Any]:
        found = flat(row)
        return found["id"], found[key]

    query = sa.select(*(column for pick in picked for column in pick.columns)).select_from(rows.source).where(*where)
    return Naming(compiled(query, dialect, rows.run_time), given, decode)


def _key_part(policies: Policies, entity: str, name: str, dialect: DialectName) -> Stored:
    field = policies.resolve(entity, name)
    if field is None:
        raise KeyError(name)
    part = stored(field)[-1 if field.folded and not field.system else 0]
    return Stored(part.name, part.type, part.part or to_database(field, dialect))


def _wanted(columns: Sequence[sa.ColumnElement[Any]]) -> sa.CTE:
    """The keys as a table of their own: joined, each is one step into the index, which a long OR is not (SQLite)."""
    names = [sa.column(f"k{place}", column.type) for place, column in enumerate(columns)]
    marks = [
        tuple(sa.bindparam(f"k{n}_{place}", type_=column.type, required=True) for place, column in enumerate(columns)) for n in range(BATCH)
    ]
    return sa.values(*names, name="wanted").data(marks).cte("wanted")
