"""Databases for tests, on both engines: empty ones, and clones of a template that is built once for each worker.

    url = databases.empty()
    url = databases.fresh("city311", lambda url: apply(url, folder))

`fresh` calls the function once for each name and worker, on an empty database; it must close every connection it opened. Each call
then gives a clone, in milliseconds.
"""

import secrets
import shutil
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql

Build = Callable[[str], None]
LEAVE_SECONDS = 5


class TemplateDatabases(Protocol):
    """One engine's databases for one worker. Implementations: `SqliteDatabases`, `PostgresDatabases`."""

    @property
    def engine(self) -> str:
        """`sqlite` or `postgresql`."""
        ...

    def empty(self) -> str:
        """The URL of a new, empty database."""
        ...

    def fresh(self, name: str, build: Build) -> str:
        """The URL of a new database with what `build(url)` puts in; built once for each name, then cloned."""
        ...

    def drop(self, url: str) -> None:
        """Removes one database that `empty` or `fresh` made, even one that is in use."""
        ...


class SqliteDatabases:
    """Files in one folder, which goes with whoever made it. A URL is `sqlite:///` and the absolute path."""

    engine = "sqlite"

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._templates: dict[str, Path] = {}
        self._count = 0

    def empty(self) -> str:
        return f"sqlite:///{self._new_path()}"

    def fresh(self, name: str, build: Build) -> str:
        if name not in self._templates:
            template = self._new_path()
            build(f"sqlite:///{template}")
            self._settle(template)
            self._templates[name] = template
        clone = self._new_path()
        shutil.copyfile(self._templates[name], clone)
        return f"sqlite:///{clone}"

    def drop(self, url: str) -> None:
        for path in self._folder.glob(self.path_of(url).name + "*"):
            shutil.rmtree(path) if path.is_dir() else path.unlink()

    @staticmethod
    def path_of(url: str) -> Path:
        """The file behind a `sqlite:///` URL."""
        return Path(url.removeprefix("sqlite:///"))

    def _new_path(self) -> Path:
        self._count += 1
        return self._folder / f"{self._count:05}.sqlite3"

    @staticmethod
    def _settle(path: Path) -> None:
        """Moves what the write-ahead log still holds into the file, since only the file is copied."""
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            busy, _, _ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        if busy:
            raise AssertionError("the template was built with a connection left open: close it at the end of `build`")


class PostgresDatabases:
    """Databases of one server, named `xrm_<worker>_<random>_<n>` so that runs side by side on one server never meet."""

    engine = "postgresql"

    def __init__(self, server_url: str, worker: str) -> None:
        self._server_url = server_url
        self._prefix = f"xrm_{worker}_{secrets.token_hex(3)}_"
        self._templates: dict[str, str] = {}
        self._alive: set[str] = set()
        self._count = 0
        self._connection = psycopg.connect(server_url, autocommit=True)

    def empty(self) -> str:
        return self.url_of(self._create("template0"))

    def fresh(self, name: str, build: Build) -> str:
        if name not in self._templates:
            template = self._create("template0")
            build(self.url_of(template))
            self._settle(template)
            self._templates[name] = template
        return self.url_of(self._create(self._templates[name]))

    def drop(self, url: str) -> None:
        self._drop(urlsplit(url).path.lstrip("/"))

    def close(self) -> None:
        """Removes every database that is left, templates included."""
        for database in sorted(self._alive):
            self._drop(database)
        self._connection.close()

    def url_of(self, database: str) -> str:
        return urlunsplit(urlsplit(self._server_url)._replace(path=f"/{database}"))

    def _create(self, template: str) -> str:
        self._count += 1
        database = f"{self._prefix}{self._count}"
        statement = "CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY"  # three times faster than logging each page
        self._connection.execute(sql.SQL(statement).format(sql.Identifier(database), sql.Identifier(template)))
        self._alive.add(database)
        return database

    def _drop(self, database: str) -> None:
        self._connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(database)))
        self._alive.discard(database)

    def _settle(self, template: str) -> None:
        """Closes the template to everybody, since PostgreSQL clones only a database that nobody is connected to."""
        self._connection.execute(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS false").format(sql.Identifier(template)))
        deadline = time.monotonic() + LEAVE_SECONDS
        while self._connected(template):
            if time.monotonic() > deadline:
                raise AssertionError("the template was built with a connection left open: close it at the end of `build`")
            time.sleep(0.005)

    def _connected(self, database: str) -> int:
        row = self._connection.execute("SELECT count(*) FROM pg_stat_activity WHERE datname = %s", [database]).fetchone()
        assert row is not None
        return int(row[0])


class TestDatabases:
    """What one test may ask for; each database it got is dropped at its end."""

    __test__ = False  # not a test class, whatever its name says

    def __init__(self, source: TemplateDatabases) -> None:
        self._source = source
        self._made: list[str] = []

    @property
    def engine(self) -> str:
        return self._source.engine

    def empty(self) -> str:
        self._made.append(self._source.empty())
        return self._made[-1]

    def fresh(self, name: str, build: Build) -> str:
        self._made.append(self._source.fresh(name, build))
        return self._made[-1]

    def drop_all(self) -> None:
        while self._made:
            self._source.drop(self._made.pop())
