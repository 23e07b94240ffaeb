"""The change log: audit, feed and erasure in one (decision 1).

A write inserts a ``change`` row that commits to its payload by a salted digest. After commit a single sequencer gives
each change its position in the feed and a hash that covers all before it; so writers never wait for each other's hash.
An erased payload leaves the chain whole: the chain covers the digest, not the payload.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from xrm.compile.columns import id_text, instant_text
from xrm.store.connections import SqliteConnection
from xrm.store.database import Connection, Database

GENESIS = bytes(32)
BATCH = 500
LOCK = 7_246_001
"""The advisory lock (PostgreSQL) that makes the sequencer single."""

SAID = "c.id, c.record, c.entity, c.version, c.action, c.transition, c.historic, c.at, c.actor, c.release, c.digest"
"""Everything that a change row says; the hash covers it all."""
WAITING = {
    "sqlite": f"SELECT {SAID} FROM xrm_change c WHERE c.position IS NULL ORDER BY c.id LIMIT ?",
    "postgresql": f"SELECT {SAID} FROM xrm_change c WHERE c.position IS NULL ORDER BY c.id LIMIT %s",
}
PLACE = {
    "sqlite": "UPDATE xrm_change SET position = ?, hash = ? WHERE id = ?",
    "postgresql": "UPDATE xrm_change SET position = %s, hash = %s WHERE id = %s",
}
HEAD = "SELECT position, hash FROM xrm_change WHERE position IS NOT NULL ORDER BY position DESC LIMIT 1"
WHOLE = (
    f"SELECT {SAID}, c.position, c.hash, p.salt, p.body FROM xrm_change c"
    " LEFT JOIN xrm_payload p ON p.change = c.id WHERE c.position IS NOT NULL ORDER BY c.position"
)


@dataclass(frozen=True, slots=True)
class Payload:
    """What a change was: ``{field: [before, after]}`` as canonical JSON, and the salt of its digest."""

    body: str
    salt: bytes
    digest: bytes


def payload(fields: Mapping[str, tuple[object, object]]) -> Payload:
    body = msgspec.json.encode(fields, enc_hook=_plain, order="deterministic")
    salt = secrets.token_bytes(16)
    return Payload(body.decode(), salt, digest(salt, body))


def digest(salt: bytes, body: bytes) -> bytes:
    return hashlib.sha256(salt + body).digest()


def _plain(value: Any) -> object:
    return value.as_json()


def link_hash(before: bytes, position: int, row: tuple[Any, ...]) -> bytes:
    """The hash of one change: over the hash before it, its position, all that its row says, and its payload's digest."""
    number, record, entity, version, action, transition, historic, at, actor, release, its_digest = row[:11]
    moment = instant_text(at) if isinstance(at, datetime) else at
    said = [position, number, _id(record), entity, version, action, transition, bool(historic), moment, _id(actor), release]
    return hashlib.sha256(before + msgspec.json.encode(said) + its_digest).digest()


def _id(stored: object) -> str:
    return id_text(stored) if isinstance(stored, bytes) else str(stored)


def sequence(database: Database) -> int:
    """Give waiting changes their position and hash; how many were. Safe to call from anywhere, any number of times."""
    done = 0
    while batch := _sequence_batch(database):
        done += batch
        if batch < BATCH:
            break
    return done


def _sequence_batch(database: Database) -> int:
    dialect = database.dialect
    if not database.connection.all(WAITING[dialect], (1,)):
        return 0
    with database.transaction() as connection:
        if dialect == "postgresql" and connection.one("SELECT pg_try_advisory_xact_lock(%s)", (LOCK,)) != (True,):
            return 0
        position, before = connection.one(HEAD) or (0, GENESIS)
        waiting = connection.all(WAITING[dialect], (BATCH,))
        places = []
        for row in waiting:
            position += 1
            before = link_hash(before, position, row)
            places.append((position, before, row[0]))
        connection.raw.cursor().executemany(PLACE[dialect], places)
        return len(waiting)


@dataclass(frozen=True, slots=True)
class ChainReport:
    """What a walk of the whole chain found: ``broken`` is the first position that does not fit, if any."""

    length: int
    waiting: int
    erased: int
    broken: int | None


def verify(database: Database) -> ChainReport:
    """Walk the chain from its start: positions without a gap, every hash and every digest that still has a payload."""
    length = erased = 0
    before, broken = GENESIS, None
    with database.snapshot() as connection:
        (waiting,) = connection.one("SELECT count(*) FROM xrm_change WHERE position IS NULL") or (0,)
        for row in _stream(connection):
            length += 1
            position, stored, salt, body = row[11:]
            before = link_hash(before, position, row)
            erased += body is None
            whole = body is None or digest(bytes(salt), body.encode()) == bytes(row[10])
            if position != length or before != bytes(stored) or not whole:
                broken = position
                break
    return ChainReport(length, waiting, erased, broken)


def _stream(connection: Connection) -> Any:
    if isinstance(connection, SqliteConnection):
        return connection.raw.execute(WHOLE)
    return connection.raw.cursor().stream(WHOLE)
