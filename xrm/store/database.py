"""One process's way to its database: threads that each own a connection, and transactions.

A request hands one function to a thread and gets its answer: it crosses threads at most once. On SQLite, writers of
this process take turns in the order they came (the file admits one at a time, and its own waiting is not fair).
"""

from __future__ import annotations

import asyncio
import logging
import random
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from queue import SimpleQueue
from typing import Any, TypeVar

import psycopg

from xrm.compile.columns import DialectName
from xrm.store.connections import PostgresConnection, SqliteConnection, Stopped, connect

log = logging.getLogger("xrm.store")
Result = TypeVar("Result")
Connection = SqliteConnection | PostgresConnection
DatabaseError = (sqlite3.Error, psycopg.Error)
"""What the drivers raise."""
DatabaseAway = (sqlite3.OperationalError, psycopg.OperationalError)
"""It is gone, locked or out of room: not what was asked is wrong, but when."""
RETRIES = 8


class FairLock:
    """A lock that is granted in the order it was asked for."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._held = False
        self._waiting: deque[threading.Lock] = deque()

    def __enter__(self) -> None:
        with self._guard:
            if not self._held:
                self._held = True
                return
            turn = threading.Lock()
            turn.acquire()
            self._waiting.append(turn)
        turn.acquire()

    def __exit__(self, *_: object) -> None:
        with self._guard:
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._held = False


class Crew:
    """Threads that take functions from one queue. They start with the first function and end when closed."""

    def __init__(self, name: str, size: int) -> None:
        self._name, self._size = name, size
        self._work: SimpleQueue[tuple[Any, ...] | None] = SimpleQueue()
        self._threads: list[threading.Thread] = []

    async def run(self, work: Callable[[], Result]) -> Result:
        """The function's result, or what it raised."""
        if not self._threads:
            self._start()
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Result] = loop.create_future()
        self._work.put((loop, future, work))
        return await future

    def _start(self) -> None:
        for n in range(self._size):
            thread = threading.Thread(target=self._serve, name=f"{self._name}-{n}", daemon=True)
            thread.start()
            self._threads.append(thread)

    def _serve(self) -> None:
        while (task := self._work.get()) is not None:
            loop, future, work = task
            settle: Callable[[asyncio.Future[Any], Any], None]
            try:
                settle, outcome = _result, work()
            except BaseException as error:  # noqa: BLE001 (it is handed to whoever awaits)
                settle, outcome = _error, error
            if not loop.is_closed():
                loop.call_soon_threadsafe(settle, future, outcome)
            del task, outcome, future, work

    def close(self) -> None:
        for _ in self._threads:
            self._work.put(None)
        for thread in self._threads:
            thread.join(timeout=10)
        self._threads.clear()


class Database:
    """Threads and connections of one process. Close it to end both."""

    def __init__(self, url: str, threads: int = 4) -> None:
        self.url = url
        self.dialect: DialectName = "sqlite" if url.startswith("sqlite") else "postgresql"
        self._own = threading.local()
        self._connections: list[Connection] = []
        self._connections_lock = threading.Lock()
        self._writers = FairLock()
        self._crew = Crew("xrm-store", threads)
        self._writer = Crew("xrm-writer", 1)

    @property
    def connection(self) -> Connection:
        """This thread's connection, opened at its first use and opened again after it was lost."""
        mine: Connection | None = getattr(self._own, "connection", None)
        if mine is None or (isinstance(mine, PostgresConnection) and mine.raw.closed):
            mine = self._own.connection = connect(self.url)
            with self._connections_lock:
                self._connections.append(mine)
        return mine

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """A write transaction on this thread's connection: committed at the end, rolled back on any error."""
        connection = self.connection
        if self.dialect == "sqlite":
            with self._writers, _transaction(connection):
                yield connection
        else:
            with _transaction(connection):
                yield connection

    @contextmanager
    def snapshot(self) -> Iterator[Connection]:
        """A read transaction, so that several reads see one state (PostgreSQL: repeatable read)."""
        connection = self.connection
        connection.begin(write=False)
        try:
            if self.dialect == "postgresql":
                connection.run("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            yield connection
        finally:
            connection.rollback()

    @contextmanager
    def steady(self) -> Iterator[Connection]:
        """A connection on which several reads see one state: the transaction that this thread is in, else a snapshot."""
        if self.connection.busy:
            yield self.connection
        else:
            with self.snapshot() as connection:
                yield connection

    def write(self, work: Callable[[Connection], Result]) -> Result:
        """Run a whole write in a transaction, again from the start after a deadlock or a busy file."""
        for attempt in range(RETRIES):
            try:
                with self.transaction() as connection:
                    return work(connection)
            except (psycopg.errors.DeadlockDetected, psycopg.errors.SerializationFailure, sqlite3.OperationalError) as error:
                if attempt == RETRIES - 1 or not _passing(error):
                    raise
                time.sleep(random.uniform(0, 0.01 * 2**attempt))  # noqa: S311 (spread, not secrecy)
        raise AssertionError("unreachable")

    async def run(self, work: Callable[[], Result]) -> Result:
        """Run a function in one of the threads and await its result."""
        return await self._crew.run(work)

    async def run_in_turn(self, work: Callable[[], Result]) -> Result:
        """Run a write that does not wait for anything outside: on SQLite in the one writing thread.

        Writers of a file take turns anyway; one thread does it without handing a lock from thread to thread, which costs
        a third of a write's CPU.
        """
        return await (self._writer if self.dialect == "sqlite" else self._crew).run(work)

    async def read(self, work: Callable[[], Result]) -> Result:
        """Run a function that only reads: on SQLite in place while it is short, else in one of the threads.

        Crossing threads costs more than a short read of a file. A read that turns out long is stopped after
        ``LOOKS`` times ``STEPS`` of SQLite's machine and done again, from its start, where it holds nobody up.
        """
        connection = self.connection
        if not isinstance(connection, SqliteConnection):
            return await self.run(work)
        raw = connection.raw
        raw.set_progress_handler(_Patience().look, STEPS)
        try:
            return work()
        except Stopped:
            log.debug("a read was too long to be done in place")
        finally:
            raw.set_progress_handler(None, 0)
        return await self.run(work)

    def close(self) -> None:
        self._crew.close()
        self._writer.close()
        with self._connections_lock:
            for connection in self._connections:
                connection.close()
            self._connections.clear()
        self._own = threading.local()


STEPS = 25_000
"""Steps of SQLite's virtual machine between two looks at a read in place: about a millisecond."""
LOOKS = 4


class _Patience:
    """Stops a read at its fourth look. SQLite counts a kept statement's steps over all its runs, so the first look can
    come at once to a read that is short."""

    def __init__(self) -> None:
        self._left = LOOKS

    def look(self) -> int:
        self._left -= 1
        return int(self._left <= 0)


def _result(future: asyncio.Future[Any], value: Any) -> None:
    if not future.done():
        future.set_result(value)


def _error(future: asyncio.Future[Any], error: Any) -> None:
    if not future.done():
        future.set_exception(error)


@contextmanager
def _transaction(connection: Connection) -> Iterator[None]:
    connection.begin(write=True)
    try:
        yield
        connection.commit()
    except BaseException:
        connection.rollback()
        raise


def _passing(error: Exception) -> bool:
    """Whether the same write may well succeed a moment later."""
    if isinstance(error, sqlite3.OperationalError):
        return "locked" in str(error) or "busy" in str(error)
    return True
