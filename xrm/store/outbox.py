"""Jobs as rows: enqueued in the caller's transaction, taken with a lease and a fencing token, done at least once.

A job that fails is tried again, at most eight times. Then it has failed for good, and stays open: what it was to do is undone
until a later job does the same, or somebody has it tried again.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from xrm.compile.columns import bind_instant, instant_text
from xrm.store.database import Connection, Database

log = logging.getLogger("xrm.jobs")
LEASE = timedelta(seconds=60)
MOST_ATTEMPTS = 8

TAKE = {
    "sqlite": (
        "UPDATE xrm_job SET lease_until = ?, fence = coalesce(fence, 0) + 1, attempts = attempts + 1 WHERE id IN"
        " (SELECT id FROM xrm_job WHERE ended_at IS NULL AND run_at <= ? AND (lease_until IS NULL OR lease_until < ?)"
        " ORDER BY run_at, id LIMIT 20) RETURNING id, kind, body, attempts, fence"
    ),
    "postgresql": (
        "UPDATE xrm_job SET lease_until = %s, fence = coalesce(fence, 0) + 1, attempts = attempts + 1 WHERE id IN"
        " (SELECT id FROM xrm_job WHERE ended_at IS NULL AND run_at <= %s AND (lease_until IS NULL OR lease_until < %s)"
        " ORDER BY run_at, id LIMIT 20 FOR UPDATE SKIP LOCKED) RETURNING id, kind, body, attempts, fence"
    ),
}
DUE = {
    "sqlite": "SELECT 1 FROM xrm_job WHERE ended_at IS NULL AND run_at <= ? AND (lease_until IS NULL OR lease_until < ?) LIMIT 1",
    "postgresql": "SELECT 1 FROM xrm_job WHERE ended_at IS NULL AND run_at <= %s AND (lease_until IS NULL OR lease_until < %s) LIMIT 1",
}  # fmt: skip
END = {
    "sqlite": "UPDATE xrm_job SET ended_at = ?, error = ?, run_at = ?, lease_until = NULL WHERE id = ? AND fence = ?",
    "postgresql": ("UPDATE xrm_job SET ended_at = %s, error = %s, run_at = %s, lease_until = NULL WHERE id = %s AND fence = %s"),
}


@dataclass(frozen=True, slots=True)
class Job:
    id: int
    kind: str
    body: Any
    attempts: int
    fence: int


@dataclass(frozen=True, slots=True)
class Waiting:
    """A job whose work is undone. ``failed``: it is not tried again by itself; ``error`` is what its last attempt failed with."""

    id: int
    kind: str
    body: Any
    since: datetime
    attempts: int
    failed: bool
    error: str | None


INSERT = {
    "sqlite": "INSERT INTO xrm_job (kind, body, run_at, since, attempts) VALUES (?, ?, ?, ?, 0)",
    "postgresql": "INSERT INTO xrm_job (kind, body, run_at, since, attempts) VALUES (%s, %s, %s, %s, 0)",
}
OPEN = "(ended_at IS NULL OR error IS NOT NULL AND mended_at IS NULL)"
FAILED = "ended_at IS NOT NULL AND error IS NOT NULL AND mended_at IS NULL"


def enqueue(connection: Connection, kind: str, body: object, at: datetime) -> None:
    """A job in the caller's transaction."""
    due = bind_instant(at, connection.dialect)
    connection.run(INSERT[connection.dialect], (kind, msgspec.json.encode(body).decode(), due, due))


def waiting(connection: Connection, kinds: Sequence[str] = ()) -> list[Waiting]:
    """The jobs whose work is undone, in order; of some kinds, or of all."""
    mark = "?" if connection.dialect == "sqlite" else "%s"
    among = f" AND kind IN ({', '.join([mark] * len(kinds))})" if kinds else ""
    wanted = "id, kind, body, coalesce(since, run_at), attempts, ended_at IS NOT NULL, error"
    rows = connection.all(f"SELECT {wanted} FROM xrm_job WHERE {OPEN}{among} ORDER BY id", tuple(kinds))
    return [Waiting(row[0], row[1], msgspec.json.decode(row[2]), _moment(row[3]), row[4], bool(row[5]), row[6]) for row in rows]


def _moment(stored: Any) -> datetime:
    return datetime.fromisoformat(stored) if isinstance(stored, str) else stored.astimezone(UTC)


def mend(connection: Connection, ids: Iterable[int], at: datetime) -> None:
    """Note that the work of jobs that have failed for good is done."""
    mark = "?" if connection.dialect == "sqlite" else "%s"
    for id in ids:
        text = f"UPDATE xrm_job SET mended_at = {mark} WHERE id = {mark} AND {FAILED}"
        connection.run(text, (bind_instant(at, connection.dialect), id))


def retry(database: Database, at: datetime, ids: Sequence[int] | None = None) -> list[int]:
    """Have jobs that failed for good tried again, all or some; which they are."""
    with database.transaction() as connection:
        found = [job.id for job in waiting(connection) if job.failed and (ids is None or job.id in ids)]
        mark = "?" if connection.dialect == "sqlite" else "%s"
        for id in found:
            text = f"UPDATE xrm_job SET ended_at = NULL, attempts = 0, run_at = {mark} WHERE id = {mark}"
            connection.run(text, (bind_instant(at, connection.dialect), id))
    return found


def work(database: Database, handlers: dict[str, Callable[[Any], None]]) -> int:
    """Do every job that is due; how many were taken. A failed one comes again later, at most eight times."""
    taken = 0
    while jobs := _take(database):
        taken += len(jobs)
        for job in jobs:
            _do(database, job, handlers)
    return taken


def _take(database: Database) -> list[Job]:
    """A cheap look first: an idle poll takes no write lock."""
    now = datetime.now(UTC)
    at, until = _instant(database, now), _instant(database, now + LEASE)
    if not database.connection.all(DUE[database.dialect], (at, at)):
        return []
    with database.transaction() as connection:
        rows = sorted(connection.all(TAKE[database.dialect], (until, at, at)))  # RETURNING promises no order
    return [Job(row[0], row[1], msgspec.json.decode(row[2]), row[3], row[4]) for row in rows]


def _do(database: Database, job: Job, handlers: dict[str, Callable[[Any], None]]) -> None:
    error = None
    try:
        handlers[job.kind](job.body)
    except Exception as failure:
        log.exception("job %d (%s) failed at attempt %d", job.id, job.kind, job.attempts)
        error = f"{type(failure).__name__}: {failure}"
    now = datetime.now(UTC)
    over = error is None or job.attempts >= MOST_ATTEMPTS
    again = now + timedelta(seconds=2**job.attempts)
    values = (_instant(database, now) if over else None, error, _instant(database, again), job.id, job.fence)
    with database.transaction() as connection:
        connection.run(END[database.dialect], values)


def _instant(database: Database, moment: datetime) -> object:
    return instant_text(moment) if database.dialect == "sqlite" else moment
