"""Applying: the statements of a plan and no others, in one transaction on either database (SQLite's DDL is transactional
too), with the new release beside them."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from datetime import datetime

import psycopg

from xrm.errors import Invalid, Problem
from xrm.store import outbox, releases
from xrm.store.database import Connection, Database, DatabaseError
from xrm.store.ddl import quoted
from xrm.store.plans import Plan, Step

LOCK = 7_246_002
"""The advisory lock (PostgreSQL) that writers share and ``apply`` takes alone."""
WAIT = 500
"""Milliseconds that a waiting step keeps others behind it."""
PAUSE = 0.5
"""Seconds in which they go on before it tries again."""
TRIES = 120


Then = Callable[[Connection, int], None]
"""What is done with the new tables before the commit: records written under the new release."""


def apply(
    database: Database,
    made: Plan,
    files: Mapping[str, str],
    *,
    at: datetime,
    by: str,
    why: str | None,
    first: Callable[[], None] = lambda: None,
    then: Then | None = None,
) -> int:
    """Run a plan and make its text the active release; the release's number. All of it, or none.

    Steps that are online come before, each by itself: what they make is found again by the next plan if the rest does not
    happen. The others lock every table they change first, in one go and for no longer than ``WAIT``: while it waits,
    readers and writers wait behind it, so it gives up, lets them through, and tries again.

    ``first`` runs before the first statement, ``then`` after the last, in the same transaction.
    """
    try:
        _online(database, made)
        for attempt in range(TRIES):
            try:
                with database.transaction() as connection:
                    _alone(connection, made)
                    _still_fits(connection, made)
                    first()
                    release = run(connection, made, files, at=at, by=by, why=why)
                    if then is not None:
                        then(connection, release)
                    return release
            except psycopg.errors.LockNotAvailable:
                if attempt == TRIES - 1:
                    raise
                time.sleep(PAUSE)
        raise AssertionError("unreachable")
    except DatabaseError as error:
        reason = str(error).strip().splitlines()[0]
        raise Invalid(Problem("XRM402", f"the database refused the plan: {reason}", hint="nothing was changed; try again")) from error


def _online(database: Database, made: Plan) -> None:
    steps = [step for step in made.steps if step.online]
    if steps:
        _still_fits(database.connection, made)
    for step in steps:
        _run(database.connection, step)


def _alone(connection: Connection, made: Plan) -> None:
    if connection.dialect == "sqlite":
        connection.run("PRAGMA defer_foreign_keys = ON")  # what the last step leaves is what must hold
        return
    connection.run(f"SET LOCAL lock_timeout = '{WAIT}ms'")
    connection.one("SELECT pg_advisory_xact_lock(%s)", (LOCK,))
    if made.locks:
        connection.run(f"LOCK TABLE {', '.join(quoted(name, 'postgresql') for name in made.locks)} IN ACCESS EXCLUSIVE MODE")


def run(connection: Connection, made: Plan, files: Mapping[str, str], *, at: datetime, by: str, why: str | None) -> int:
    """The steps, the jobs that follow and the release, in the caller's transaction."""
    for step in made.steps:
        if not step.online:
            _run(connection, step)
    for entity in made.recompute:
        outbox.enqueue(connection, "recompute", {"entity": entity}, at)
    release = releases.record(connection, made.digest, files, made.statements, at, by, why)
    releases.record_renamings(connection, release, made.renamed)
    return release


def _still_fits(connection: Connection, made: Plan) -> None:
    """Refuse a plan that another apply has overtaken."""
    if made.base is None:
        return
    row = connection.one("SELECT id FROM xrm_release WHERE active")
    if row is None or int(row[0]) != made.base:
        raise Invalid(Problem("XRM402", "another release was applied since this was planned", hint="plan again"))


def _run(connection: Connection, step: Step) -> None:
    try:
        for statement in step.sql:
            connection.raw.execute(statement)
        if step.work is not None:
            step.work(connection)
    except psycopg.errors.LockNotAvailable:
        raise
    except DatabaseError as error:
        reason = str(error).strip().splitlines()[0]
        hint = (
            "nothing was changed; records that share a value must be told apart first"
            if "unique" in reason.lower()
            else "nothing was changed"
        )
        raise Invalid(Problem("XRM402", f"the database refused to {step.words}: {reason}", hint=hint)) from error


def admitted(connection: Connection, release_sql: str, release: int) -> bool:
    """Whether this process's release is still the active one; on PostgreSQL it holds ``apply`` off until commit."""
    active = (release_sql, ())
    if connection.dialect == "postgresql":  # two statements: the second must see what was there when the lock was ours
        row = connection.batch([("SELECT pg_advisory_xact_lock_shared(%s)", (LOCK,)), active])
    else:
        row = connection.one(*active)
    return row is not None and int(row[0]) == release
