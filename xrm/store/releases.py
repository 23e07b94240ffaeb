"""Releases: the whole text of an application as it was applied. The active one is what runs (decision 8)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from xrm.compile.columns import instant_text
from xrm.compile.pairing import Renaming
from xrm.errors import Invalid, Problem
from xrm.store.database import Connection, Database

FIELDS = 'id, digest, files, plan, at, "by", why'


@dataclass(frozen=True, slots=True)
class Release:
    """``files`` is the text of each file by its path; ``plan`` the statements that were run to make it so."""

    id: int
    digest: str
    files: Mapping[str, str]
    plan: tuple[str, ...]
    at: datetime
    by: str
    why: str | None


def active(database: Database) -> Release | None:
    """The release that runs, or None in a database that nothing was applied to."""
    return _one(database, "active") if has_tables(database) else None


def numbered(database: Database, number: int) -> Release:
    """A release by its number.

    Raises:
        Invalid: XRM410.
    """
    found = _one(database, f"id = {int(number)}") if has_tables(database) else None
    if found is None:
        raise Invalid(Problem("XRM410", f"there is no release {number}", hint="xrm releases lists them"))
    return found


def _one(database: Database, where: str) -> Release | None:
    row = database.connection.one(f"SELECT {FIELDS} FROM xrm_release WHERE {where}")
    return _release(row) if row else None


def every(database: Database) -> tuple[Release, ...]:
    """All releases, the newest first."""
    if not has_tables(database):
        return ()
    return tuple(_release(row) for row in database.connection.all(f"SELECT {FIELDS} FROM xrm_release ORDER BY id DESC"))


def _release(row: tuple[Any, ...]) -> Release:
    at = datetime.fromisoformat(row[4]) if isinstance(row[4], str) else row[4]
    files, plan = msgspec.json.decode(row[2]), tuple(msgspec.json.decode(row[3]))
    return Release(row[0], row[1], files, plan, at, row[5], row[6])


def active_id(database: Database) -> int | None:
    row = database.connection.one("SELECT id FROM xrm_release WHERE active")
    return int(row[0]) if row else None


def has_tables(database: Database) -> bool:
    if database.dialect == "sqlite":
        return bool(database.connection.one("SELECT 1 FROM sqlite_master WHERE name = 'xrm_release'"))
    return database.connection.one("SELECT to_regclass('xrm_release')") != (None,)


def record_renamings(connection: Connection, release: int, renamed: Sequence[Renaming]) -> None:
    """Keep what was called otherwise before a release, so that older changes can be read; earlier renames follow along."""
    mark = "?" if connection.dialect == "sqlite" else "%s"
    for one in renamed:
        if one.what == "entity":
            connection.run(f"UPDATE xrm_renaming SET entity = {mark} WHERE entity = {mark}", (one.now, one.was))
        elif one.what == "field":
            inner = f"{one.field}." if one.field else ""
            values = (f"{inner}{one.now}", one.entity, f"{inner}{one.was}")
            connection.run(f"UPDATE xrm_renaming SET field = {mark} WHERE entity = {mark} AND field = {mark}", values)
        connection.run(
            f"INSERT INTO xrm_renaming (release, what, entity, field, was, now) VALUES ({', '.join([mark] * 6)})",
            (release, one.what, one.entity, one.field, one.was, one.now),
        )


def renamings(database: Database) -> tuple[tuple[int, Renaming], ...]:
    """Everything that was renamed, with the release that did it, the oldest first."""
    rows = database.connection.all("SELECT release, what, entity, field, was, now FROM xrm_renaming ORDER BY id")
    return tuple((int(row[0]), Renaming(*row[1:])) for row in rows)


def record(
    connection: Connection, digest: str, files: Mapping[str, str], plan: tuple[str, ...], at: datetime, by: str, why: str | None
) -> int:
    """Make this text the active release, inside the transaction that applies its plan."""
    sqlite = connection.dialect == "sqlite"
    connection.run("UPDATE xrm_release SET active = FALSE WHERE active")
    mark = ", ".join(["?" if sqlite else "%s"] * 7)
    row = connection.one(
        f'INSERT INTO xrm_release (id, digest, files, plan, at, "by", why, active)'
        f" VALUES ((SELECT coalesce(max(id), 0) + 1 FROM xrm_release), {mark}) RETURNING id",
        (
            digest,
            msgspec.json.encode(dict(files), order="sorted").decode(),
            msgspec.json.encode(plan).decode(),
            instant_text(at) if sqlite else at,
            by,
            why,
            True,
        ),
    )
    if row is None:
        raise AssertionError("a release was inserted without an id")
    return int(row[0])
