"""The bytes of files, by the SHA-256 of their content: each content lies here once, whoever attached it.

A row of ``xrm_blob`` says that a content is there; its bytes lie in a folder beside a SQLite file, and in rows of
``xrm_chunk`` on PostgreSQL, so that every process sees them and one backup holds all. ``xrm_file`` says which record has
or had it. Bytes come first and the record's row after, so that a crash between the two leaves only what nobody sees;
``collect`` takes that away when it is old enough.
"""

from __future__ import annotations

import os
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Protocol
from urllib.parse import unquote

from xrm.compile.columns import bind_instant
from xrm.store.database import Connection, Database

CHUNK = 262_144
"""Bytes of one row on PostgreSQL."""


@dataclass(frozen=True, slots=True)
class Blob:
    """A content to keep: where its bytes lie now, its digest (SHA-256), and what was found out about it.

    ``width`` and ``height`` in pixels and ``thumbnail`` (a small JPEG or PNG) of an image that could be read.
    """

    path: Path
    digest: bytes
    size: int
    type: str
    width: int | None = None
    height: int | None = None
    thumbnail: bytes | None = None


@dataclass(frozen=True, slots=True)
class Kept:
    """What is known of a content that is there."""

    size: int
    type: str
    width: int | None
    height: int | None


class Bytes(Protocol):
    """Where bytes lie. ``prepare`` does what takes long, before the transaction that writes the row of ``xrm_blob``; ``put`` and
    ``drop`` are called within it."""

    def prepare(self, blob: Blob) -> Path: ...
    def put(self, connection: Connection, blob: Blob, ready: Path, *, new: bool) -> None: ...
    def drop(self, connection: Connection, digest: bytes) -> None: ...
    def read(self, connection: Connection, digest: bytes, start: int, length: int) -> bytes: ...
    def sweep(self, connection: Connection, before: datetime) -> int: ...


class Folder:
    """``xrm.db.files/ab/ab12…`` beside ``xrm.db``. The writer's lock of SQLite orders what happens to a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def _of(self, digest: bytes) -> Path:
        name = digest.hex()
        return self.path / name[:2] / name

    def prepare(self, blob: Blob) -> Path:
        """Whole and on the disk before it has its name, so that no name ever stands for half a content."""
        target = self._of(blob.digest)
        target.parent.mkdir(parents=True, exist_ok=True)
        draft = self.path / f"new-{os.getpid()}-{time.monotonic_ns()}"
        with blob.path.open("rb") as source, draft.open("xb") as out:
            while piece := source.read(CHUNK):
                out.write(piece)
            out.flush()
            os.fsync(out.fileno())
        return draft

    def put(self, connection: Connection, blob: Blob, ready: Path, *, new: bool) -> None:
        """No other writer is at work now, so that a content that is there stays there."""
        target = self._of(blob.digest)
        if not target.exists() and ready.exists():
            ready.replace(target)
            _sync(target.parent)
        ready.unlink(missing_ok=True)

    def drop(self, connection: Connection, digest: bytes) -> None:
        self._of(digest).unlink(missing_ok=True)

    def read(self, connection: Connection, digest: bytes, start: int, length: int) -> bytes:
        with self._of(digest).open("rb") as file:
            file.seek(start)
            return file.read(length)

    def sweep(self, connection: Connection, before: datetime) -> int:
        """Files that no row knows, which a crash left; how many were taken away."""
        gone = 0
        for path in [*self.path.glob("new-*"), *self.path.glob("??/*")]:
            with suppress(FileNotFoundError):  # another process sweeps too
                known = len(path.name) == 64 and connection.one("SELECT 1 FROM xrm_blob WHERE digest = ?", (bytes.fromhex(path.name),))
                if not known and path.stat().st_mtime < before.timestamp():
                    path.unlink()
                    gone += 1
        return gone


def _sync(folder: Path) -> None:
    """The folder's own entry on the disk (POSIX: a rename is safe only then)."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


class Rows:
    """``xrm_chunk`` on PostgreSQL."""

    def prepare(self, blob: Blob) -> Path:
        return blob.path

    def put(self, connection: Connection, blob: Blob, ready: Path, *, new: bool) -> None:
        if not new:
            return
        with ready.open("rb") as source:
            number = 0
            while piece := source.read(CHUNK):
                connection.run("INSERT INTO xrm_chunk (digest, number, bytes) VALUES (%s, %s, %s)", (blob.digest, number, piece))
                number += 1

    def drop(self, connection: Connection, digest: bytes) -> None:
        connection.run("DELETE FROM xrm_chunk WHERE digest = %s", (digest,))

    def read(self, connection: Connection, digest: bytes, start: int, length: int) -> bytes:
        first, last = start // CHUNK, (start + length - 1) // CHUNK
        found = connection.all(
            "SELECT bytes FROM xrm_chunk WHERE digest = %s AND number BETWEEN %s AND %s ORDER BY number", (digest, first, last)
        )
        whole = b"".join(bytes(row[0]) for row in found)
        return whole[start - first * CHUNK :][:length]

    def sweep(self, connection: Connection, before: datetime) -> int:
        return 0


class Blobs:
    """The one way to bytes, on either database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._bytes: Bytes = Folder(folder_of(database.url)) if database.dialect == "sqlite" else Rows()
        self._mark = "?" if database.dialect == "sqlite" else "%s"

    def _sql(self, text: str) -> str:
        return text.replace("?", self._mark)

    def put(self, blob: Blob, now: datetime) -> None:
        """Keep a content. One that is there already is marked as wanted now, so that it is not collected meanwhile."""
        ready = self._bytes.prepare(blob)
        self._database.write(lambda connection: self._put(connection, blob, ready, now))

    def _put(self, connection: Connection, blob: Blob, ready: Path, now: datetime) -> None:
        at = bind_instant(now, connection.dialect)
        values = (blob.digest, blob.size, blob.type, blob.width, blob.height, blob.thumbnail, at)
        new = connection.run(
            self._sql(
                "INSERT INTO xrm_blob (digest, size, type, width, height, thumbnail, wanted_at) VALUES (?, ?, ?, ?, ?, ?, ?)"
                " ON CONFLICT (digest) DO NOTHING"
            ),
            values,
        )
        if not new:
            connection.run(self._sql("UPDATE xrm_blob SET wanted_at = ? WHERE digest = ?"), (at, blob.digest))
        self._bytes.put(connection, blob, ready, new=bool(new))

    def known(self, digest: bytes) -> Kept | None:
        row = self._database.connection.one(self._sql("SELECT size, type, width, height FROM xrm_blob WHERE digest = ?"), (digest,))
        return Kept(*row) if row else None

    def thumbnail(self, digest: bytes) -> bytes | None:
        row = self._database.connection.one(self._sql("SELECT thumbnail FROM xrm_blob WHERE digest = ?"), (digest,))
        return bytes(row[0]) if row and row[0] is not None else None

    def read(self, digest: bytes, start: int, length: int) -> bytes:
        """So many bytes from a place on; fewer at the end."""
        return self._bytes.read(self._database.connection, digest, start, length) if length > 0 else b""

    def collect(self, before: datetime) -> int:
        """Take away what no record has or had and nobody has wanted since ``before``; how many contents that were."""
        gone = 0
        at = bind_instant(before, self._database.dialect)
        orphans = self._sql(
            "SELECT digest FROM xrm_blob WHERE wanted_at < ? AND NOT EXISTS"
            " (SELECT 1 FROM xrm_file WHERE xrm_file.digest = xrm_blob.digest) LIMIT 100"
        )
        while found := self._database.connection.all(orphans, (at,)):
            taken = sum(self._database.write(partial(self._drop, digest=bytes(row[0]), at=at)) for row in found)
            gone += taken
            if not taken:
                break
        return gone + self._database.write(lambda connection: self._bytes.sweep(connection, before))

    def _drop(self, connection: Connection, digest: bytes, at: object) -> int:
        """One content, if it is still not wanted: whoever attaches it holds its row, so that one of the two comes first."""
        lock = "" if connection.dialect == "sqlite" else " FOR UPDATE"
        row = connection.one(self._sql(f"SELECT wanted_at FROM xrm_blob WHERE digest = ?{lock}"), (digest,))
        used = connection.one(self._sql("SELECT 1 FROM xrm_file WHERE digest = ? LIMIT 1"), (digest,))
        if row is None or used or row[0] >= at:
            return 0
        self._bytes.drop(connection, digest)
        return connection.run(self._sql("DELETE FROM xrm_blob WHERE digest = ?"), (digest,))


def folder_of(url: str) -> Path:
    """Where the files of a SQLite database lie: beside it, under its name."""
    return Path(f"{unquote(url.removeprefix('sqlite:///'))}.files")
