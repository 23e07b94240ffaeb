"""How long a step takes and what it locks: counted and measured on this very database, from a small sample."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from xrm.store.database import Connection
from xrm.store.ddl import quoted
from xrm.store.plans import Step
from xrm.store.standing import Standing

SAMPLE = 2_000
"""Rows that are read and sorted to learn what a row costs."""
LOCKING = ("ALTER", "DROP", "CREATE INDEX", "CREATE UNIQUE", "CREATE TABLE")
WALKING = ("CREATE INDEX", "CREATE UNIQUE", "UPDATE")


def timed(steps: Iterable[Step], connection: Connection) -> Iterator[Step]:
    """The steps that walk over a table, with its rows and for about how long."""
    known: dict[str, tuple[int, float]] = {}
    for step in steps:
        if step.table is None or step.seconds is not None or not any(sql.startswith(WALKING) for sql in step.sql):
            yield step
            continue
        if step.table not in known:
            known[step.table] = _sampled(connection, step.table)
        count, each = known[step.table]
        yield replace(step, rows=step.rows or count or None, seconds=count * each) if count else step


def _sampled(connection: Connection, table: str) -> tuple[int, float]:
    """How many rows a table has, and the seconds that one of them takes to be read and sorted."""
    name = quoted(table, connection.dialect)
    count = int((connection.one(f"SELECT count(*) FROM {name}") or (0,))[0])
    if not count:
        return 0, 0.0
    started = time.perf_counter()
    connection.all(f"SELECT * FROM (SELECT * FROM {name} LIMIT {SAMPLE}) s ORDER BY 1 DESC LIMIT 1 OFFSET {min(count, SAMPLE) - 1}")
    return count, (time.perf_counter() - started) / min(count, SAMPLE)


def locked(steps: Iterable[Step], before: Standing, renamed: Mapping[str, str]) -> tuple[str, ...]:
    """The standing tables, by their names before the plan, that its statements change. (A column called like a table counts too.)"""
    names = {name: name for name, table in before.tables.items() if table.ours} | {new: old for old, new in renamed.items()}
    found: set[str] = set()
    for step in steps:
        for sql in step.sql if not step.online else ():
            if sql.startswith(LOCKING):
                found |= {names[word] for word in re.findall(r"\w+", sql) if word in names and names[word] in before.tables}
            if sql.startswith("DROP INDEX"):
                found |= {before.indexes[word] for word in re.findall(r"\w+", sql) if word in before.indexes}
    return tuple(sorted(found))
