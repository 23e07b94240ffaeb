"""What a write must follow up in other records, compiled: which records, their questions about others, and one record's part in them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from operator import ge, le
from typing import Any

import sqlalchemy as sa

from xrm.compile.columns import Converter, DialectName, Stored, from_database, is_id, stored, to_database
from xrm.compile.dependencies import Dependencies, Lookup, Rollup, whole_question
from xrm.compile.in_hand import InHand
from xrm.compile.joining import Linked, Rows, United
from xrm.compile.policies import Policies
from xrm.compile.rules import Closure, Row, asked_of_others, fit
from xrm.compile.statements import Statement, compiled
from xrm.compile.tables import Tables
from xrm.expr import Checked, Moment, Type
from xrm.expr.gathered import Gather
from xrm.expr.python import member_closure
from xrm.expr.sql import to_sql
from xrm.model.entity import Entity
from xrm.model.fields import TARGET, Field
from xrm.model.kinds import FieldType

MOST_AT_ONCE = 500
"""Records that follow one record in its own transaction; more are followed up by a job."""

AGAIN = object()
"""One record's part is not enough to know: the question is asked again."""


@dataclass(frozen=True, slots=True)
class Followers:
    """``ids``: the live records that follow one by its links, in order, after an id; at most ``most``."""

    lookup: Lookup
    ids: Statement


@dataclass(frozen=True, slots=True)
class Share:
    """``part`` gives what one record brings into a whole question; None where the question is asked again each time."""

    rollup: Rollup
    part: Closure | None


@dataclass(frozen=True, slots=True)
class Term:
    """A question about linked records, asked of the database. ``outer`` are the record's own values in it."""

    statement: Statement
    decode: Callable[[Any], Any]
    outer: tuple[tuple[str, str, Callable[[Any], Any] | None], ...]


@dataclass(frozen=True, slots=True)
class Whole:
    """A field that is one question: what a new record has, and how one record's part changes it."""

    field: Field
    key: str
    start: object
    operation: str


@dataclass(frozen=True, slots=True)
class Use:
    """What a write does with the record that a link leads to: it changes it too ("own"), reads it ("share"), or only links to it
    (""). ``further``: by which links of it still another record is read."""

    kind: str = ""
    further: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Derivation:
    """For one entity. ``uses`` says of its links what its writes do with the record that is there, where they do more than link."""

    followers: tuple[Followers, ...]
    shares: tuple[Share, ...]
    terms: Mapping[str, Term]
    wholes: Mapping[str, Whole]
    uses: Mapping[str, Use]
    reads_beyond: bool


def derivation(tables: Tables, system: Policies, entity: Entity, graph: Dependencies, dialect: DialectName) -> Derivation:
    lookups = graph.lookups.get(entity.name, ())
    rollups = graph.rollups.get(entity.name, ())
    return Derivation(
        followers=tuple(Followers(one, _ids(tables, system, one, dialect)) for one in lookups),
        shares=tuple(Share(one, _part(one.whole) if one.whole else None) for one in rollups),
        terms={gather.text: term(tables, system, entity, gather, dialect) for gather in asked_of_others(entity)},
        wholes=wholes(entity),
        uses=_uses(entity, graph),
        reads_beyond=entity.name in graph.derived,
    )


def _uses(entity: Entity, graph: Dependencies) -> Mapping[str, Use]:
    chains = [_led(entity, one.chain) for many in graph.lookups.values() for one in many if one.entity == entity.name]
    watched = {name for one in graph.lookups.get(entity.name, ()) for name in one.watched}
    kinds = {chain[0]: "share" for chain in chains}
    kinds |= {name: "share" for name in watched if (field := entity.field(name)) and (field.each or field).targets and not field.system}
    kinds |= {rollup.link: "own" for rollup in graph.rollups.get(entity.name, ())}
    return {name: Use(kind, tuple(sorted({c[1] for c in chains if c[0] == name and len(c) > 1}))) for name, kind in kinds.items()}


def _led(entity: Entity, chain: tuple[str, ...]) -> tuple[str, ...]:
    """A chain where a link of rows is one step (``lines.article``), as locks name it."""
    field = entity.field(chain[0])
    return (".".join(chain[:2]), *chain[2:]) if field is not None and field.type == "rows" else chain


def wholes(entity: Entity) -> Mapping[str, Whole]:
    """The fields that are one question about linked records and nothing else."""
    found = {}
    for field in entity.fields.values():
        gather = whole_question(entity, field) if field.compute else None
        if gather:
            starts: dict[str, object] = {"count": 0, "sum": 0 if gather.type.name == "int" else Decimal(0), "exists": False, "all": True}
            found[field.name] = Whole(field, gather.text, fit(field, starts.get(gather.operation)), gather.operation)
    return found


def _ids(tables: Tables, system: Policies, lookup: Lookup, dialect: DialectName) -> Statement:
    rows = Rows(tables, system, lookup.entity, dialect)
    mark = sa.bindparam("id", type_=rows.root.c.id.type, required=True)
    past = sa.bindparam("past", type_=rows.root.c.id.type, required=True)
    holder = system.application.entities[lookup.entity].fields.get(lookup.chain[0])
    if holder is not None and holder.type == "rows" and not holder.each:
        leads: sa.ColumnElement[bool] = rows.root.c.id.in_(_holding(tables, system, lookup, holder, mark, dialect))
    else:
        leads = rows.leads(lookup.chain, mark)
    query = sa.select(rows.root.c.id).select_from(rows.source)
    query = query.where(leads, rows.root.c.deleted_at.is_(None), rows.root.c.id > past)
    return compiled(query.order_by(rows.root.c.id).limit(sa.bindparam("most", type_=sa.Integer(), required=True)), dialect)


def _holding(
    tables: Tables, system: Policies, lookup: Lookup, holder: Field, mark: sa.ColumnElement[Any], dialect: DialectName
) -> sa.Select[Any]:
    """The ids of the records with a row whose link, or a link of what that leads to, leads to one record."""
    part = tables.parts[lookup.entity, holder.name].alias("part")
    link = part.c[lookup.chain[1]]
    if len(lookup.chain) == 2:
        return sa.select(part.c.record).where(link == mark)
    beyond = Rows(tables, system, holder.rows[lookup.chain[1]].to or "", dialect)
    table = beyond.at(".".join(lookup.chain[2:-1]), raw=True)[0]
    source = beyond.source.join(part, link == beyond.root.c.id)
    return sa.select(part.c.record).select_from(source).where(table.c[lookup.chain[-1]] == mark).correlate(None)


# -- one record's part ---------------------------------------------------------------------------------------------------


def _part(gather: Gather) -> Closure:
    where = member_closure(gather.where, gather.member) if gather.where else None
    value = member_closure(gather.value, gather.member) if gather.value else None
    operation = gather.operation

    def part(row: Row, moment: Moment) -> object:
        counts = where is None or where(row, moment) is True
        found = value(row, moment) if counts and value else None
        match operation:
            case "count":
                return int(counts and (value is None or found is not None))
            case "sum":
                return 0 if found is None else found
            case "exists":
                return counts and found is True
            case "all":
                return not counts or found is True
            case _:
                return found

    return part


def changed(whole: Whole, now: Any, was: Any, becomes: Any) -> Any:
    """The value after one record's part went from ``was`` to ``becomes`` (None: it is not among them), or ``AGAIN``."""
    match whole.operation:
        case "count" | "sum":
            return AGAIN if now is None else now + (becomes or 0) - (was or 0)
        case "exists":
            return True if becomes else AGAIN if was else now
        case "all":
            return False if becomes is False else AGAIN if was is False else now
        case _:
            return _extreme(whole.operation == "min", now, was, becomes)


def _extreme(least: bool, now: Any, was: Any, becomes: Any) -> Any:
    better: Callable[[Any, Any], Any] = le if least else ge
    if was is not None and (now is None or better(was, now)):
        return becomes if becomes is not None and better(becomes, was) else AGAIN
    if becomes is None:
        return now
    return becomes if now is None or better(becomes, now) else now


# -- questions to the database -------------------------------------------------------------------------------------------


def term(tables: Tables, system: Policies, entity: Entity, gather: Gather, dialect: DialectName) -> Term:
    rows = Rows(tables, system, entity.name, dialect)
    id_mark = sa.bindparam("id", type_=rows.root.c.id.type, required=True)
    given = InHand(dialect)
    outer: dict[str, tuple[str, str, Callable[[Any], Any] | None]] = {}
    asked: list[Linked | United] = []

    def column(path: str) -> sa.ColumnElement[Any]:
        name, part, convert = _kept(system, entity, path, dialect)
        outer[path] = (f"o{len(outer)}", name, convert) if path not in outer else outer[path]
        kind = part.type
        mark: sa.ColumnElement[Any] = sa.bindparam(outer[path][0], type_=kind, required=True)
        return mark if dialect == "sqlite" else sa.cast(mark, kind)

    def members(path: str) -> Linked | United:
        gathered = entity.collection(path)
        if gathered is None:
            raise KeyError(path)
        if gathered.by == "own":
            outer.update({f"{path}:{mark}": (mark, path, _of_rows(convert)) for mark, convert in given.marks})
        asked.append(rows.linked(id_mark, gathered, raw=True, given=given))
        return asked[-1]

    checked = Checked(gather.text, gather, gather.type, frozenset())
    made = to_sql(checked, column, dialect, positive=False, prefix="t_", members=members)
    run_time = [*made.run_time, *(bind for one in asked for bind in one.run_time)]
    return Term(compiled(sa.select(made.clause), dialect, run_time), _decoder(gather.type, dialect), tuple(outer.values()))


def _of_rows(convert: Callable[[Sequence[str]], Any]) -> Callable[[Any], Any]:
    return lambda rows: convert([row[TARGET] for row in rows if is_id(row[TARGET])])  # a form may have words in it


def _kept(system: Policies, entity: Entity, path: str, dialect: DialectName) -> tuple[str, Stored, Converter]:
    """The field that a path of columns is of (``region_shape`` is of ``region``), the column, and what makes its value."""
    whole = system.resolve(entity.name, path)
    name = path if whole else path.rpartition("_")[0]
    field = whole or system.resolve(entity.name, name)
    if field is None:
        raise KeyError(path)
    column = path.rpartition(".")[2]
    part = stored(field)[0] if whole else next(part for part in stored(field) if part.name == column)
    return name, part, part.part or to_database(field, dialect)


TYPES: Mapping[str, FieldType] = {
    "int": "integer", "decimal": "decimal", "bool": "boolean", "date": "date", "datetime": "datetime", "text": "text",
    "duration": "duration", "days": "duration", "time": "time",
}  # fmt: skip


def _decoder(type_: Type, dialect: DialectName) -> Callable[[Any], Any]:
    convert = from_database(Field("", TYPES[type_.name], {}, places=type_.scale or 0), dialect)
    return lambda value: value if value is None or convert is None else convert(value)
