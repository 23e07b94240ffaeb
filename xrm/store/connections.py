"""Driver connections that we own: how they are opened, and that what they acknowledge is on the disk."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import unquote

import psycopg
from psycopg.types.string import TextLoader

from xrm.compile.columns import DialectName
from xrm.errors import Problem, Unavailable

MILLISECONDS = 5000
"""How long a statement waits for a lock that another process holds."""


Bound = tuple[str, Sequence[Any]]
"""A statement with its parameters."""


class Duplicate(Exception):
    """A unique index refused a row. ``rule`` is what the driver says of it: the index's name, or its columns."""

    def __init__(self, rule: str) -> None:
        super().__init__(rule)
        self.rule = rule


class TooLong(Exception):
    """A value does not fit into the index that it stands in (PostgreSQL: about 2,700 bytes)."""


class Dangling(Exception):
    """A foreign key refused a row: what it points at is not there."""


class Stopped(BaseException):
    """A read was stopped because it took too many steps in place (``Database.read``).

    No Exception, so that nobody on the way mistakes it for a failure and answers.
    """


def _stopped(error: sqlite3.OperationalError) -> BaseException:
    if error.sqlite_errorcode == sqlite3.SQLITE_INTERRUPT:
        return Stopped()
    return _moved(error) if str(error).startswith(("no such column", "no such table")) else error


def _moved(error: Exception) -> Unavailable:
    """What is read is not there any more: every statement is compiled from the release that this process runs."""
    reason = str(error).splitlines()[0]
    message = f"this process runs a release that is no longer active: what it reads has another name or is gone ({reason})"
    return Unavailable(Problem("XRM405", message, hint="restart it"))


class Connection(Protocol):
    """One connection of one thread. Rows are tuples.

    ``run`` gives the count of rows changed, and raises Duplicate, Dangling or TooLong for a row that an index or a key refuses.
    ``batch`` runs several statements (on PostgreSQL in one round trip) and gives the first row of the last.
    """

    dialect: DialectName

    @property
    def busy(self) -> bool:
        """Whether it is in a transaction."""
        ...

    def all(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]: ...
    def one(self, sql: str, parameters: Sequence[Any] = ()) -> tuple[Any, ...] | None: ...
    def run(self, sql: str, parameters: Sequence[Any] = ()) -> int: ...
    def batch(self, statements: Sequence[Bound]) -> tuple[Any, ...] | None: ...
    def begin(self, write: bool) -> None: ...
    def commit(self) -> None: ...
    def rollback(self) -> None: ...
    def close(self) -> None: ...


class SqliteConnection:
    """SQLite in WAL with ``synchronous=FULL``: a commit that was acknowledged survives a loss of power."""

    dialect: DialectName = "sqlite"

    def __init__(self, url: str) -> None:
        path = unquote(url.removeprefix("sqlite:///"))
        if sqlite3.sqlite_version_info < (3, 40):
            raise Unavailable(Problem("XRM404", f"SQLite {sqlite3.sqlite_version} is too old", hint="SQLite 3.40 or newer"))
        try:
            Path(path).parent.mkdir(parents=True, exist_ok=True)
            self.raw = sqlite3.connect(path, isolation_level=None, check_same_thread=False, cached_statements=512)
            for pragma in (
                f"busy_timeout={MILLISECONDS}", "journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "cache_size=-32000"
            ):  # fmt: skip
                self.raw.execute(f"PRAGMA {pragma}")
        except (sqlite3.Error, OSError) as error:
            raise _unreachable(error, f"is {path} a SQLite file this user may write?") from error

    @property
    def busy(self) -> bool:
        return self.raw.in_transaction

    def all(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        try:
            return self.raw.execute(sql, parameters).fetchall()
        except sqlite3.OperationalError as error:
            raise _stopped(error) from error

    def one(self, sql: str, parameters: Sequence[Any] = ()) -> tuple[Any, ...] | None:
        try:
            cursor = self.raw.execute(sql, parameters)
            row: tuple[Any, ...] | None = cursor.fetchone()
        except sqlite3.OperationalError as error:
            raise _stopped(error) from error
        cursor.close()
        return row

    def run(self, sql: str, parameters: Sequence[Any] = ()) -> int:
        try:
            return self.raw.execute(sql, parameters).rowcount
        except sqlite3.IntegrityError as error:
            if error.sqlite_errorcode == sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY:
                raise Dangling from error
            raise Duplicate(str(error).rpartition(": ")[2]) from error

    def batch(self, statements: Sequence[Bound]) -> tuple[Any, ...] | None:
        for sql, parameters in statements[:-1]:
            self.run(sql, parameters)
        return self.one(*statements[-1])

    def begin(self, write: bool) -> None:
        self.raw.execute("BEGIN IMMEDIATE" if write else "BEGIN")

    def commit(self) -> None:
        self.raw.execute("COMMIT")

    def rollback(self) -> None:
        if self.raw.in_transaction:
            self.raw.execute("ROLLBACK")

    def close(self) -> None:
        self.raw.close()

    def durability(self) -> dict[str, str]:
        """``synchronous`` 2 is FULL."""
        return {name: str(self.raw.execute(f"PRAGMA {name}").fetchone()[0]) for name in ("synchronous", "journal_mode")}


MOVED = (psycopg.errors.UndefinedColumn, psycopg.errors.UndefinedTable)
"""What PostgreSQL says of names that another release took away."""


class PostgresConnection:
    """PostgreSQL at READ COMMITTED, in UTC, with prepared statements."""

    dialect: DialectName = "postgresql"

    def __init__(self, url: str) -> None:
        options = f"-c timezone=UTC -c lock_timeout={MILLISECONDS} -c synchronous_commit=on"
        try:
            self.raw = psycopg.connect(url, autocommit=True, options=options, prepare_threshold=2)
        except psycopg.Error as error:
            raise _unreachable(error, "is the server up, and XRM_DATABASE_URL right?") from error
        if self.raw.info.server_version < 150000:
            raise Unavailable(Problem("XRM404", f"PostgreSQL {self.raw.info.server_version // 10000} is too old", hint="15 or newer"))
        self.raw.prepared_max = 500
        self.raw.adapters.register_loader("uuid", TextLoader)
        self.cursor = self.raw.cursor()

    @property
    def busy(self) -> bool:
        return self.raw.info.transaction_status != psycopg.pq.TransactionStatus.IDLE

    def all(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        try:
            return self.cursor.execute(sql, parameters).fetchall()
        except MOVED as error:
            raise _moved(error) from error

    def one(self, sql: str, parameters: Sequence[Any] = ()) -> tuple[Any, ...] | None:
        try:
            return self.cursor.execute(sql, parameters).fetchone()
        except MOVED as error:
            raise _moved(error) from error

    def run(self, sql: str, parameters: Sequence[Any] = ()) -> int:
        with _refusals():
            return self.cursor.execute(sql, parameters).rowcount

    def batch(self, statements: Sequence[Bound]) -> tuple[Any, ...] | None:
        cursors = [self.raw.cursor() for _ in statements]
        with _refusals(), self.raw.pipeline():
            for cursor, (sql, parameters) in zip(cursors, statements, strict=True):
                cursor.execute(sql, parameters)
        return cursors[-1].fetchone() if cursors[-1].description else None

    def begin(self, write: bool) -> None:
        self.cursor.execute("BEGIN")

    def commit(self) -> None:
        self.cursor.execute("COMMIT")

    def rollback(self) -> None:
        if not self.raw.closed and self.raw.info.transaction_status != psycopg.pq.TransactionStatus.IDLE:
            self.raw.rollback()

    def close(self) -> None:
        self.raw.close()

    def durability(self) -> dict[str, str]:
        names = ("fsync", "synchronous_commit", "full_page_writes")
        return {name: str(self.raw.execute(f"SHOW {name}").fetchone()[0]) for name in names}  # type: ignore[index]


@contextmanager
def _refusals() -> Iterator[None]:
    """PostgreSQL's refusals of a row in our words."""
    try:
        yield
    except psycopg.errors.UniqueViolation as error:
        raise Duplicate(error.diag.constraint_name or "") from error
    except psycopg.errors.ForeignKeyViolation as error:
        raise Dangling from error
    except psycopg.errors.ProgramLimitExceeded as error:
        raise TooLong from error


def connect(url: str) -> SqliteConnection | PostgresConnection:
    """Open a connection.

    Raises:
        Unavailable: the database cannot be reached or is too old (XRM404).
    """
    return SqliteConnection(url) if url.startswith("sqlite") else PostgresConnection(url)


def _unreachable(error: Exception, hint: str) -> Unavailable:
    return Unavailable(Problem("XRM404", f"The database cannot be opened: {str(error).strip()}", hint=hint))
