"""Planning: from the tables that are there to the tables a definition wants. Reads only.

Tables and columns are compared by name, after the renames that the definition states; foreign keys by column and target,
indexes by name (a changed index has another).
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import sqlalchemy as sa

from xrm.compile.columns import DialectName, companions, stored
from xrm.compile.differences import follows, refigured
from xrm.compile.pairing import Holder, Renaming, holders, renamings
from xrm.compile.tables import Tables
from xrm.compile.tables import tables as tables_of
from xrm.errors import Invalid, Problem
from xrm.expr import Moment
from xrm.model.application import Application
from xrm.model.entity import Entity
from xrm.store import converting, ddl, deciding, doubling, dropping, measuring, releases, renaming
from xrm.store.database import Connection, Database
from xrm.store.plans import Plan, Step, counted
from xrm.store.standing import Standing, StandingTable, standing

ONLINE = 10_000
"""Records from which an index is made without stopping anybody (PostgreSQL)."""


@dataclass(frozen=True, slots=True)
class Shift:
    """How the old definition becomes the new one, as far as statements follow from it."""

    holders: tuple[Holder, ...] = ()
    renamed: tuple[Renaming, ...] = ()
    changes: tuple[converting.Change, ...] = ()
    old: Tables | None = None
    converted: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """By table, the fields whose values are set aside."""


def plan(
    database: Database,
    tables: Tables,
    digest: str,
    before: Application | None = None,
    after: Application | None = None,
    moment: Moment | None = None,
) -> Plan:
    """Compare the database with the wanted tables. Reads only.

    Raises:
        Invalid: the data asks what the definition does not answer (XRM402, XRM408), or values would not fit (XRM407).
    """
    connection = database.connection
    current = releases.active(database)
    text_changed, base = current is None or current.digest != digest, current.id if current else None
    there = standing(connection)
    if before is None or after is None or moment is None:
        plain = tuple(_steps(there, tables, Shift(), connection))
        return Plan(plain, digest, text_changed, base, locks=measuring.locked(plain, there, {}))
    shift, refused = _shift(before, after)
    answers = deciding.answers(connection, shift.holders, shift.renamed, after.data)
    deciding.roles(connection, before, after, answers)
    problems = [*refused, *answers.problems, *doubling.problems(connection, there, tables, shift.holders, shift.converted)]
    cost: dict[str, tuple[int, float]] = {}
    for change in (*shift.changes, *converting.watched(shift.holders)):
        started = time.perf_counter()
        found = converting.check(connection, change, moment)
        cost[change.name] = found.looked, 2 * (time.perf_counter() - started)  # it is read again, and written
        if found.failed:
            problems.append(converting.problem(change, found))
    if problems:
        raise Invalid(*problems)
    opened = (step for holder in shift.holders for step in deciding.opened(holder, shift.renamed))
    data = (*_data(connection, shift, moment, cost), *answers.steps, *opened, *_computed_over(connection, shift))
    steps = tuple(measuring.timed(_steps(there, tables, shift, connection, data), connection))
    locks = measuring.locked(steps, there, renaming.tables(shift.holders))
    return Plan(steps, digest, text_changed, base, refigured(before, after), tuple(answers.writes), shift.renamed, locks)


def _shift(before: Application, after: Application) -> tuple[Shift, list[Problem]]:
    """With what must be said of changes of type first."""
    its = holders(before, after)
    gone = before.entities.keys() - {holder.before.name for holder in its}
    changes, problems = converting.changes(its, gone, before.entities)
    converted: dict[str, frozenset[str]] = {}
    for change in changes:
        converted[change.holder.table] = converted.get(change.holder.table, frozenset()) | {change.now.name}
    for holder in its:  # what is computed is made anew, not converted
        anew = {name for name, (was, now) in holder.fields.items() if (was.compute or now.compute) and not follows(was, now)}
        if anew:
            converted[holder.table] = converted.get(holder.table, frozenset()) | anew
    return Shift(its, renamings(before, after), tuple(changes), tables_of(before), converted), problems


def _data(connection: Connection, shift: Shift, moment: Moment, cost: Mapping[str, tuple[int, float]]) -> Iterator[Step]:
    yield from converting.steps(shift.changes, moment, cost)
    for holder in shift.holders:
        if holder.part is None and deciding.has_new_system_columns(holder):
            yield from deciding.system_columns(connection, holder, moment, dropping.records(connection, holder.table_before))


def _computed_over(connection: Connection, shift: Shift) -> Iterator[Step]:
    """Fields that people gave values, and that are computed from now on."""
    for holder in shift.holders:
        for was, now in holder.fields.values():
            if now.compute and not was.compute and not was.apart:
                count = dropping.values(connection, holder.table_before, stored(was)[0].name)
                loses = f"{counted(count, 'value')} of {holder.says(now.name)}"
                if count:
                    yield Step(f"compute {holder.says(now.name)} in place of what people gave", (), loses, table=holder.table_before)


def _steps(before: Standing, tables: Tables, shift: Shift, connection: Connection, data: Sequence[Step] = ()) -> Iterator[Step]:
    """In this order: names first, then what is new, then the data, then what is made of it, then what goes."""
    dialect, wanted = connection.dialect, tables.metadata.tables
    there = renaming.standing(before, shift.holders, shift.converted)
    both = [(there.tables[name], table) for name, table in wanted.items() if name in there.tables]
    gone = [table for name, table in there.tables.items() if name not in wanted and table.ours]
    follow = (
        renaming.indexes(before, shift.old, tables, shift.holders, shift.converted)
        if shift.old is not None and dialect == "postgresql"
        else {}
    )
    stale = _stale_indexes(there, tables, shift, follow)
    online = _online(before, tables, shift, connection) if dialect == "postgresql" else {}
    stale -= online.keys()
    yield from online.values()
    yield from (Step(f"drop index {name}", (ddl.drop_index(name, dialect),)) for name in sorted(stale))
    yield from dropping.keys(both, gone, dialect)
    yield from renaming.steps(before, shift.holders, shift.converted, shift.renamed, dialect)
    yield from (Step(f"rename index {old} to {new}", (ddl.rename_index(old, new),)) for old, new in sorted(follow.items()))
    yield from renaming.constraints(both, dialect)
    yield from _created(there, tables, dialect)
    entities = {holder.table: holder.after for holder in shift.holders if holder.part is None}
    for old, table in both:
        yield from _columns(old, table, entities, dialect)
    yield from data
    if dialect == "postgresql":
        for old, table in both:
            yield from _links(old, table, dialect)
    standing_indexes = (there.indexes.keys() - stale - follow.keys()) | set(follow.values())
    for _, table in sorted(wanted.items()):
        for index in sorted(table.indexes, key=lambda one: str(one.name)):
            if str(index.name) not in standing_indexes and str(index.name) not in online:
                stood = there.tables[table.name].stood if table.name in there.tables else None
                yield Step(f"create index {index.name}", (ddl.create_index(index, dialect),), table=stood)
    yield from dropping.columns(both, connection, _derived(shift), _renamed_perhaps(shift))
    yield from dropping.tables(gone, connection)


def _online(before: Standing, tables: Tables, shift: Shift, connection: Connection) -> dict[str, Step]:
    """Indexes of large tables that can be made while everybody works: not unique, and on columns that stand and stay."""
    found: dict[str, Step] = {}
    for name, table in tables.metadata.tables.items():
        standing = before.tables.get(name)
        missing = [one for one in table.indexes if str(one.name) not in before.indexes or str(one.name) in before.broken]
        moved = {column for holder in shift.holders if holder.table_before == name for column in renaming.columns(holder, frozenset())}
        moved |= _set_aside(shift, name)
        if standing is None or not missing or dropping.records(connection, name) < ONLINE:
            continue
        for index in missing:
            if not index.unique and _reads(index) <= set(standing.columns) - moved:
                leftover = (ddl.drop_index(str(index.name), "postgresql", concurrently=True),) if str(index.name) in before.broken else ()
                sql = (*leftover, ddl.create_index(index, "postgresql", concurrently=True))
                found[str(index.name)] = Step(f"create index {index.name}", sql, table=name, online=True)
    return found


def _stale_indexes(there: Standing, tables: Tables, shift: Shift, follow: Mapping[str, str]) -> set[str]:
    """Indexes that are not wanted any more, that a stopped build left broken, or that stand on values which are set aside."""
    wanted = {str(index.name): index for table in tables.metadata.tables.values() for index in table.indexes}
    stale = set(there.broken)
    for name, table in there.indexes.items():
        if not name.startswith(("ix_", "uq_")) or table not in tables.metadata.tables:
            continue
        if name not in wanted or (shift.converted.get(table) and _reads(wanted[name]) & _set_aside(shift, table)):
            stale.add(name)
    return stale - follow.keys()


def _reads(index: sa.Index) -> set[str]:
    text = str(ddl.create_index(index, "postgresql"))
    return {column.name for column in index.table.c if column.name in text} if index.table is not None else set()


def _set_aside(shift: Shift, table: str) -> set[str]:
    found: set[str] = set()
    for holder in shift.holders:
        if holder.table == table:
            for name in shift.converted.get(table, frozenset()):
                found |= {part.name for part in stored(holder.fields[name][1])}
    return found


def _derived(shift: Shift) -> set[tuple[str, str]]:
    """Columns that go without a loss: folded keys, what was computed, and what was set aside for a conversion."""
    found: set[tuple[str, str]] = set()
    for holder in shift.holders:
        for name, (was, _) in holder.fields.items():
            aside = [f"{renaming.ASIDE}{name}{part.name.removeprefix(was.name)}" for part in stored(was)]
            found |= {(holder.table, column) for column in (*aside, *companions(replace(was, name=name)))}
        for was in holder.gone:
            found |= {(holder.table, part.name) for part in stored(was) if was.compute or part.name in companions(was)}
    return found


def _renamed_perhaps(shift: Shift) -> dict[tuple[str, str], str]:
    """For columns that go: the new field that may be the old one by another name."""
    found = {}
    for holder in shift.holders:
        for was in holder.gone:
            alike = [new.name for new in holder.added if new.type == was.type and not new.compute and not was.compute]
            if alike:
                found[holder.table, was.name] = f"if '{alike[0]}' is its new name, write there: renamed_from: {was.name}"
    return found


def _created(there: Standing, tables: Tables, dialect: DialectName) -> Iterator[Step]:
    """New tables; foreign keys that point at a table made later (circles too) come after."""
    names = set(there.tables)
    late: list[tuple[sa.Table, sa.ForeignKeyConstraint]] = []
    for name, table in tables.metadata.tables.items():
        if name in there.tables:
            continue
        names.add(name)
        later = [key for key in table.foreign_key_constraints if dialect == "postgresql" and _target(key) not in names]
        late += [(table, key) for key in later]
        yield Step(f"create table {name}", (ddl.create_table(table, dialect, later),))
    for table, key in sorted(late, key=lambda item: (item[0].name, tuple(item[1].column_keys))):
        yield _linked(table, key, dialect)


def _target(key: sa.ForeignKeyConstraint) -> str:
    return key.elements[0].target_fullname.partition(".")[0]


def _linked(table: sa.Table, key: sa.ForeignKeyConstraint, dialect: DialectName) -> Step:
    return Step(f"link {table.name}.{key.column_keys[0]} to {_target(key)}", (ddl.add_key(table, key, dialect),), table=table.name)


def _columns(old: StandingTable, table: sa.Table, entities: Mapping[str, Entity], dialect: DialectName) -> Iterator[Step]:
    """Columns that a standing table does not have yet."""
    for column in table.columns:
        if column.name in old.columns:
            continue
        entity = entities.get(table.name)
        extra = deciding.default_of(entity, column.name, dialect) if entity is not None and not column.nullable else ""
        text = ddl.add_column(column, dialect, extra)
        if not extra and not column.nullable and entity is not None:
            text = text.removesuffix(" NOT NULL")
        yield Step(f"add column {table.name}.{column.name}", (text,))


def _links(old: StandingTable, table: sa.Table, dialect: DialectName) -> Iterator[Step]:
    """Foreign keys that a standing table does not have yet (on SQLite they stand in their columns)."""
    has = {(key.column, key.target) for key in old.keys}
    for key in sorted(table.foreign_key_constraints, key=lambda one: tuple(one.column_keys)):
        if (key.column_keys[0], _target(key)) not in has:
            yield _linked(table, key, dialect)
