"""Values that are to be unique and stand in several records: found while planning, by rule, before an index is refused."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence

import sqlalchemy as sa

from xrm.compile.columns import DialectName
from xrm.compile.pairing import Holder
from xrm.compile.tables import Tables
from xrm.errors import Problem
from xrm.store import ddl, renaming
from xrm.store.database import Connection
from xrm.store.ddl import quoted
from xrm.store.plans import counted
from xrm.store.standing import Standing

SHOWN = 5
RULE = re.compile(r" ON \S+ \((.*?)\)(?: WHERE (.*))?$", re.DOTALL)


def problems(
    connection: Connection, there: Standing, tables: Tables, holders: Sequence[Holder], converted: Mapping[str, Collection[str]]
) -> Iterator[Problem]:
    """XRM402 for each rule that records would break. Rules over fields that are new or converted are left to the database."""
    for holder in holders:
        standing, table = there.tables.get(holder.table_before), tables.metadata.tables[holder.table]
        names = {new: old for old, new in renaming.columns(holder, frozenset()).items()}
        for index in sorted(table.indexes, key=lambda one: str(one.name)) if standing and holder.part is None else ():
            fields: tuple[str, ...] = index.info.get("fields", ())
            columns = [names.get(column.name, column.name) for column in index.columns]
            known = (
                standing is not None and set(columns) <= set(standing.columns) and not set(fields) & set(converted.get(holder.table, ()))
            )
            if index.unique and fields and known and str(index.name) not in there.indexes:
                found = _doubles(connection, holder.table_before, index, columns, names)
                if found:
                    yield _problem(holder, fields, found)


def _doubles(
    connection: Connection, table: str, index: sa.Index, columns: Sequence[str], names: Mapping[str, str]
) -> list[tuple[str, int]]:
    """The values that stand more than once, and in how many records; one more than is shown."""
    dialect: DialectName = connection.dialect
    rule = RULE.search(ddl.create_index(index, dialect))
    where = re.sub(r"\w+", lambda word: names.get(word[0], word[0]), rule[2]) if rule and rule[2] else "1 = 1"
    said = [quoted(column, dialect) for column in columns]
    there = " AND ".join(f"{one} IS NOT NULL" for one in said)
    text = (
        f"SELECT {', '.join(said)}, count(*) FROM {quoted(table, dialect)} WHERE {where} AND {there}"
        f" GROUP BY {', '.join(said)} HAVING count(*) > 1 ORDER BY {', '.join(said)} LIMIT {SHOWN + 1}"
    )
    return [(", ".join(str(value) for value in row[:-1]), int(row[-1])) for row in connection.all(text)]


def _problem(holder: Holder, fields: Sequence[str], found: Sequence[tuple[str, int]]) -> Problem:
    shown = ", ".join(f"'{value[:60]}' in {counted(count, 'record')}" for value, count in found[:SHOWN])
    more = "; and more" if len(found) > SHOWN else ""
    verb = "is" if len(fields) == 1 else "are together"
    message = (
        f"{' and '.join(holder.says(field) for field in fields)} {verb} unique now, and some values stand more than once: {shown}{more}"
    )
    hint = "records that share a value must be told apart first"
    return Problem("XRM402", message, path=holder.path(fields[0]), hint=hint)
