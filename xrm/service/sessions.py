"""Who is asking: passwords, sessions and API tokens. All are opaque and hashed in the database, so that they end at once."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, Literal

import msgspec
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from xrm.compile.application import CompiledApplication
from xrm.compile.columns import bind_id, bind_instant, id_text
from xrm.errors import Forbidden, Invalid, Problem
from xrm.model.values import fold
from xrm.service.context import SYSTEM_ID, Actor, Service
from xrm.store.database import Connection

Kind = Literal["api", "session"]
SESSION_LIFE = timedelta(hours=12)
TOKEN_LIFE = timedelta(days=365)
MOST_FAILURES = 10
FAILURE_WINDOW = timedelta(minutes=10)
PASSWORD_LENGTH = 12
"""Least characters of a password (NIST SP 800-63B asks for 8; 12 where there is no second factor)."""
PREFERENCES = ("locale", "theme", "density", "keys")

_hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
"""Argon2id with the parameters of the OWASP password storage guide: 19 MiB, 2 passes, 1 lane."""
_nobody = _hasher.hash(secrets.token_hex(16))
"""Verified when the name is unknown, so that the answer takes as long."""

COLUMNS = "u.id, u.name, u.label, u.roles, u.active, u.locale, u.theme, u.density, u.keys"


@dataclass(frozen=True, slots=True)
class Issued:
    """A new session or API token. ``text`` is shown once and kept nowhere."""

    text: str
    expires_at: datetime


def sign_in(service: Service, name: str, password: str) -> Issued:
    """Start a session.

    Raises:
        Forbidden: wrong name or password, whichever (XRM514), or too many failures lately (XRM517).
    """
    key = fold(" ".join(name.split()))[:255]
    _not_too_often(service, key)
    row = _sql(
        service.database.connection,
        'SELECT u.id, u.active, c.password FROM xrm_user u JOIN xrm_credential c ON c."user" = u.id'
        " WHERE u.name_key = ? AND u.deleted_at IS NULL",
        key,
    )
    right = _verified(row[0][2] if row else _nobody, password) and bool(row) and bool(row[0][1])
    _count_attempt(service, key, right)
    if not right:
        raise Forbidden(Problem("XRM514", "the name or the password is not right", path=("name",)))
    return issue(service, _text(row[0][0]), "session", None, SESSION_LIFE)


def issue(service: Service, user: str, kind: Kind, label: str | None, life: timedelta) -> Issued:
    """A new token for a user. Only its SHA-256 is kept."""
    text = ("xrm_" if kind == "api" else "") + secrets.token_urlsafe(32)
    now = service.clock()
    dialect = service.database.dialect
    with service.database.transaction() as connection:
        _sql(
            connection,
            'INSERT INTO xrm_token (digest, kind, "user", label, created_at, expires_at) VALUES (?, ?, ?, ?, ?, ?)',
            _digest(text), kind, bind_id(user, dialect), label, bind_instant(now, dialect), bind_instant(now + life, dialect),
            rows=False,
        )  # fmt: skip
    return Issued(text, now + life)


def actor_of(service: Service, token: str, kind: Kind) -> Actor | None:
    """Whose token this is, now; None for one that is unknown, ended, revoked or whose user is not active."""
    dialect = service.database.dialect
    rows = _sql(
        service.database.connection,
        f'SELECT {COLUMNS} FROM xrm_token t JOIN xrm_user u ON u.id = t."user" WHERE t.digest = ? AND t.kind = ?'
        " AND t.revoked_at IS NULL AND t.expires_at > ? AND u.deleted_at IS NULL",
        _digest(token), kind, bind_instant(service.clock(), dialect),
    )  # fmt: skip
    return _actor(service.application, rows[0]) if rows and rows[0][4] else None


def actor_named(service: Service, name: str, *, active: bool = True) -> Actor | None:
    """The user of that name, for commands; ``active`` False: also one who may not sign in."""
    sql = f"SELECT {COLUMNS} FROM xrm_user u WHERE u.name_key = ? AND u.deleted_at IS NULL"
    rows = _sql(service.database.connection, sql, fold(name))
    return _actor(service.application, rows[0]) if rows and (rows[0][4] or not active) else None


def revoke(service: Service, token: str) -> bool:
    """End one token or session; whether there was one to end."""
    at = bind_instant(service.clock(), service.database.dialect)
    sql = "UPDATE xrm_token SET revoked_at = ? WHERE digest = ? AND revoked_at IS NULL RETURNING kind"
    with service.database.transaction() as connection:
        return bool(_sql(connection, sql, at, _digest(token)))


def fit_password(password: str) -> None:
    """Whether a password will do.

    Raises:
        Invalid: it is too short (XRM502).
    """
    if len(password) < PASSWORD_LENGTH:
        raise Invalid(Problem("XRM502", f"a password must have {PASSWORD_LENGTH} characters or more", path=("password",)))


def set_password(service: Service, user: str, password: str) -> None:
    """Set a user's password and end their sessions.

    Raises:
        Invalid: it is too short (XRM502).
    """
    fit_password(password)
    dialect = service.database.dialect
    at, key, hashed = bind_instant(service.clock(), dialect), bind_id(user, dialect), _hasher.hash(password)
    with service.database.transaction() as connection:
        _sql(
            connection,
            'INSERT INTO xrm_credential ("user", password, changed_at) VALUES (?, ?, ?) ON CONFLICT ("user")'
            " DO UPDATE SET password = excluded.password, changed_at = excluded.changed_at",
            key, hashed, at, rows=False,
        )  # fmt: skip
        sql = 'UPDATE xrm_token SET revoked_at = ? WHERE "user" = ? AND kind = ? AND revoked_at IS NULL'
        _sql(connection, sql, at, key, "session", rows=False)


def check_password(service: Service, user: str, password: str) -> bool:
    """Whether this is the user's present password, before they change it."""
    key = bind_id(user, service.database.dialect)
    rows = _sql(service.database.connection, 'SELECT password FROM xrm_credential WHERE "user" = ?', key)
    return _verified(rows[0][0] if rows else _nobody, password) and bool(rows)


def form_token(service: Service, session: str) -> str:
    """What each form of a session carries (with the Origin check, against forged requests)."""
    return service.seal.seal("form", f"form|{_digest(session).hex()}")


def form_token_fits(service: Service, session: str, token: str) -> bool:
    return service.seal.open(token, f"form|{_digest(session).hex()}") == "form"


@lru_cache(maxsize=1024)
def _actor(application: CompiledApplication, row: tuple[Any, ...]) -> Actor:
    """The actor of a user's row. The row is read for each request; only what is made of it is kept."""
    roles = msgspec.json.decode(row[3]) if row[3] else []
    known = application.expand(role for role in roles if isinstance(role, str)) if isinstance(roles, list) else frozenset[str]()
    preferences: Mapping[str, str] = {name: str(value) for name, value in zip(PREFERENCES, row[5:], strict=True) if value is not None}
    return Actor(_text(row[0]), row[1], row[2], known, preferences)


def _not_too_often(service: Service, key: str) -> None:
    since = bind_instant(service.clock() - FAILURE_WINDOW, service.database.dialect)
    sql = "SELECT failures FROM xrm_attempt WHERE name = ? AND since > ?"
    rows = _sql(service.database.connection, sql, key, since)
    if rows and rows[0][0] >= MOST_FAILURES:
        raise Forbidden(Problem("XRM517", "too many failed attempts for this name", path=("name",), hint="wait ten minutes and try again"))


def _count_attempt(service: Service, key: str, right: bool) -> None:
    dialect = service.database.dialect
    now = service.clock()
    at, since = bind_instant(now, dialect), bind_instant(now - FAILURE_WINDOW, dialect)
    with service.database.transaction() as connection:
        if right:
            _sql(connection, "DELETE FROM xrm_attempt WHERE name = ?", key, rows=False)
            return
        _sql(
            connection,
            "INSERT INTO xrm_attempt (name, failures, since) VALUES (?, 1, ?) ON CONFLICT (name) DO UPDATE SET"
            " failures = CASE WHEN xrm_attempt.since > ? THEN xrm_attempt.failures + 1 ELSE 1 END,"
            " since = CASE WHEN xrm_attempt.since > ? THEN xrm_attempt.since ELSE excluded.since END",
            key, at, since, since, rows=False,
        )  # fmt: skip


def _verified(hashed: str, password: str) -> bool:
    try:
        return _hasher.verify(hashed, password)
    except (VerificationError, InvalidHashError):
        return False


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


def _text(id: object) -> str:
    return id_text(id) if isinstance(id, bytes) else str(id)


def _sql(connection: Connection, sql: str, *parameters: object, rows: bool = True) -> list[tuple[Any, ...]]:
    """One statement with ``?`` marks on either database."""
    text = sql if connection.dialect == "sqlite" else sql.replace("?", "%s")
    if rows:
        return connection.all(text, parameters)
    connection.run(text, parameters)
    return []


__all__ = ["SYSTEM_ID", "Issued", "actor_named", "actor_of", "issue", "revoke", "set_password", "sign_in"]
