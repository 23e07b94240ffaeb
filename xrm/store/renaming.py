"""Renaming: tables, columns, options and states keep what they hold and get another name.

Where a column also gets another type, its values are set aside under ``xrm_old_…`` for ``store/converting``.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace

import sqlalchemy as sa

from xrm.compile.columns import DialectName, stored
from xrm.compile.pairing import Holder, Renaming
from xrm.compile.tables import Tables, part_name
from xrm.store import ddl
from xrm.store.ddl import literal, quoted
from xrm.store.plans import Step
from xrm.store.standing import Standing, StandingTable

ASIDE = "xrm_old_"
"""Before the name of a column whose values wait for their conversion; no field is called so."""


def tables(holders: Sequence[Holder]) -> dict[str, str]:
    """The new name of each table that has one, child tables too."""
    found: dict[str, str] = {}
    for holder in holders:
        found[holder.table_before] = holder.table
        for name, (was, _) in holder.fields.items():
            found[part_name(holder.table_before, was.name)] = part_name(holder.table, name)
    return {old: new for old, new in found.items() if old != new}


def columns(holder: Holder, converted: frozenset[str]) -> dict[str, str]:
    """The new name of each column of a table that has one. ``converted``: fields whose values are set aside."""
    found: dict[str, str] = {}
    for name, (was, _) in holder.fields.items():
        for old, new in zip(stored(was), stored(replace(was, name=name)), strict=True):
            target = f"{ASIDE}{new.name}" if name in converted else new.name
            if target != old.name:
                found[old.name] = target
    return found


def standing(there: Standing, holders: Sequence[Holder], converted: Mapping[str, frozenset[str]]) -> Standing:
    """What stands after the renames. ``converted`` gives by table the fields whose values are set aside."""
    named = {old: new for old, new in tables(holders).items() if old in there.tables}
    renamed = {holder.table: columns(holder, converted.get(holder.table, frozenset())) for holder in holders}
    made: dict[str, StandingTable] = {}
    for name, table in there.tables.items():
        its = renamed.get(named.get(name, name), {})
        keys = tuple(replace(key, column=its.get(key.column, key.column), target=named.get(key.target, key.target)) for key in table.keys)
        new = named.get(name, name)
        made[new] = replace(table, name=new, columns=tuple(its.get(column, column) for column in table.columns), keys=keys)
    indexes = {index: named.get(table, table) for index, table in there.indexes.items()}
    return replace(there, tables=made, indexes=indexes)


def steps(
    there: Standing, holders: Sequence[Holder], converted: Mapping[str, frozenset[str]], renamed: Sequence[Renaming], dialect: DialectName
) -> Iterator[Step]:
    for old, new in tables(holders).items():
        if old in there.tables:
            yield Step(f"rename table {old} to {new}", (ddl.rename_table(old, new, dialect),))
    for holder in holders:
        standing = there.tables.get(holder.table_before)
        for old, new in columns(holder, converted.get(holder.table, frozenset())).items():
            if standing is not None and old in standing.columns:
                verb = "set aside" if new.startswith(ASIDE) else "rename"
                yield Step(f"{verb} column {holder.table}.{old} as {new}", (ddl.rename_column(holder.table, old, new, dialect),))
    for one in renamed:
        if one.what == "entity":
            yield Step(str(one), _entity(one.was, one.now))
        elif one.what == "role":
            yield Step(str(one), (_role(one.was, one.now),))
        elif one.what in ("transition", "view"):
            yield Step(str(one))
    yield from _flags(holders, renamed)
    if "xrm_file" in there.tables:
        yield from _files(holders)
    yield from _values(holders, renamed, converted, dialect)


def _entity(was: str, now: str) -> tuple[str, ...]:
    """What names an entity beside its own tables: the spine, its series of numbers, jobs that wait."""
    old, new, length = literal(was), literal(now), len(was) + 1
    its_years, new_years = f"substr(name, 1, {length}) = {literal(f'{was}:')}", f"substr(name, 1, {len(now) + 1}) = {literal(f'{now}:')}"
    return (
        f"UPDATE xrm_record SET entity = {new} WHERE entity = {old}",
        f"DELETE FROM xrm_number WHERE name = {new} OR {new_years}",
        f"UPDATE xrm_number SET name = {new} || substr(name, {length}) WHERE name = {old} OR {its_years}",
        *(
            f"UPDATE xrm_job SET body = replace(body, {literal(_said(key, was))}, {literal(_said(key, now))})"
            " WHERE ended_at IS NULL OR error IS NOT NULL"
            for key in ("entity", "source")
        ),
    )


def _role(was: str, now: str) -> str:
    old, new = literal(f'"{was}"'), literal(f'"{now}"')
    return f"UPDATE xrm_user SET roles = replace(roles, {old}, {new}) WHERE roles LIKE '%' || {old} || '%'"


def _flags(holders: Sequence[Holder], renamed: Sequence[Renaming]) -> Iterator[Step]:
    """Flags name the check that a record breaks."""
    tables = {holder.after.name: holder.table for holder in holders if holder.part is None}
    for one in renamed:
        if one.what == "check":
            flags = f"replace(' ' || flags || ' ', {literal(f' {one.was} ')}, {literal(f' {one.now} ')})"
            table = quoted(tables[one.entity], "sqlite")
            yield Step(str(one), (f"UPDATE {table} SET flags = trim({flags}) WHERE flags IS NOT NULL",))


def _said(key: str, entity: str) -> str:
    return f'"{key}":"{entity}"'


def _files(holders: Sequence[Holder]) -> Iterator[Step]:
    """Which files a record has or had in a field: under the field's new name, so that its history still gives them."""
    for holder in holders:
        part = holder.table_before.removeprefix(f"{holder.before.name}__") if holder.part else None
        old, new = (f"{name}." if name else "" for name in (part, holder.part))
        pairs = {
            f"{old}{was.name}": f"{new}{name}"
            for name, (was, _) in holder.fields.items()
            if was.kind.kept == "files" and old + was.name != new + name
        }
        if pairs:
            records = f"SELECT id FROM xrm_record WHERE entity = {literal(holder.after.name)}"
            where = f" AND record IN ({records})"
            said = ", ".join(f"{old} to {new}" for old, new in pairs.items())
            yield Step(f"files of {holder.after.name} go from {said}", (replaced("xrm_file", "field", pairs, "sqlite", where),))


def _values(
    holders: Sequence[Holder], renamed: Sequence[Renaming], converted: Mapping[str, frozenset[str]], dialect: DialectName
) -> Iterator[Step]:
    """Options and states: what is stored in place of their old names, all of a column at once (two may swap)."""
    by_column: dict[tuple[str, str], dict[str, str]] = {}
    tables = {(holder.after.name, holder.part or ""): holder.table for holder in holders}
    for one in renamed:
        if one.what in ("option", "state"):
            part, _, field = one.field.rpartition(".")
            by_column.setdefault((tables[one.entity, part], field), {})[one.was] = one.now
    for (table, column), names in by_column.items():
        said = ", ".join(f"{old} to {new}" for old, new in names.items())
        stands = f"{ASIDE}{column}" if column in converted.get(table, ()) else column
        lists = any(holder.table == table and column in holder.fields and holder.fields[column][0].many for holder in holders)
        yield Step(
            f"rename in {table}.{column}: {said}",
            _in_lists(table, stands, names, dialect) if lists else (replaced(table, stands, names, dialect),),
        )


def _in_lists(table: str, column: str, names: Mapping[str, str | None], dialect: DialectName) -> tuple[str, ...]:
    """One name after the other in columns that hold several (arrays; on SQLite JSON, where a name stands in its quotes)."""
    name, quote = quoted(column, dialect), '"' if dialect == "sqlite" else ""
    function, statements = "replace" if dialect == "sqlite" else "array_replace", []
    for old, new in names.items():
        was, now = literal(f"{quote}{old}{quote}"), literal(f"{quote}{new}{quote}")
        statements.append(f"UPDATE {quoted(table, dialect)} SET {name} = {function}({name}, {was}, {now})")
    return tuple(statements)


def holding(column: str, names: Collection[str], dialect: DialectName, *, lists: bool, json: bool = False) -> str:
    """The condition that a column has any of the names, or where it holds several, one of them among the others. ``json``: it holds them
    as JSON on either database."""
    name = quoted(column, dialect)
    if json and dialect == "postgresql":
        return f"({' OR '.join(f'strpos({name}, {literal(chr(34) + one + chr(34))}) > 0' for one in sorted(names))})"
    if not (lists or json):
        return f"{name} IN ({', '.join(literal(one) for one in sorted(names))})"
    if dialect == "postgresql":
        return f"{name} && ARRAY[{', '.join(literal(one) for one in sorted(names))}]"
    quotes = [literal(f'"{one}"') for one in sorted(names)]
    return f"({' OR '.join(f'instr({name}, {one}) > 0' for one in quotes)})"


def replaced(table: str, column: str, names: Mapping[str, str | None], dialect: DialectName, where: str = "") -> str:
    """The statement that puts one value in another's place."""
    name = quoted(column, dialect)
    cases = " ".join(f"WHEN {literal(old)} THEN {'NULL' if new is None else literal(new)}" for old, new in names.items())
    olds = ", ".join(literal(old) for old in names)
    return f"UPDATE {quoted(table, dialect)} SET {name} = CASE {name} {cases} END WHERE {name} IN ({olds}){where}"


def constraints(both: Sequence[tuple[StandingTable, sa.Table]], dialect: DialectName) -> Iterator[Step]:
    """On PostgreSQL a constraint keeps its name when its table or column gets another; the old name must be free again."""
    for old, table in both if dialect == "postgresql" else ():
        names = {old.primary: ddl.key_name(table.primary_key)} if old.primary else {}
        wanted = {(key.column_keys[0], key.elements[0].target_fullname.partition(".")[0]): key for key in table.foreign_key_constraints}
        for standing in old.keys:
            key = wanted.get((standing.column, standing.target))
            names |= {standing.name: ddl.key_name(key)} if key is not None else {}
        for name, new in names.items():
            if name != new:
                yield Step(f"rename constraint {name} to {new}", (ddl.rename_constraint(table.name, name, new),))


def indexes(
    there: Standing, before: Tables, after: Tables, holders: Sequence[Holder], converted: Mapping[str, frozenset[str]]
) -> dict[str, str]:
    """The new name of each standing index that only follows a rename (PostgreSQL; on SQLite an index cannot be renamed). One on
    values that are set aside (``converted``, by table) does not: it goes with them."""
    every = [index for table in after.metadata.tables.values() for index in table.indexes]
    wanted = {_shape(ddl.create_index(index, "postgresql"), {}): str(index.name) for index in every}
    named = tables(holders)
    found: dict[str, str] = {}
    for holder in holders:
        table = before.metadata.tables.get(holder.table_before)
        names = {**named, **columns(holder, converted.get(holder.table, frozenset()))}
        for index in table.indexes if table is not None else ():
            new = wanted.get(_shape(ddl.create_index(index, "postgresql"), names))
            if new is not None and str(index.name) != new and str(index.name) in there.indexes and new not in there.indexes:
                found[str(index.name)] = new
    return found


def _shape(text: str, names: Mapping[str, str]) -> str:
    """An index's definition without its own name, under new names."""
    plain = re.sub(r"INDEX \S+ ON", "INDEX ON", text, count=1)
    return re.sub(r"\w+", lambda word: names.get(word[0], word[0]), plain)
