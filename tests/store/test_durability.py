"""What was acknowledged is on the disk: the settings of every live connection."""

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest

from tests.support.application import apply_to
from tests.support.postgres import start_server
from xrm.errors import Unavailable
from xrm.store.connections import PostgresConnection, SqliteConnection
from xrm.store.database import Connection, Database

NOTE = "fields: {name: text}\naccess: {agent: [read, create]}"


def live_connections(database: Database) -> list[Connection]:
    """One connection in each of five threads, this one among them."""
    gate = threading.Barrier(4)

    def own(_: int) -> Connection:
        gate.wait(30)
        return database.connection

    with ThreadPoolExecutor(4) as pool:
        found = [database.connection, *pool.map(own, range(4))]
    assert len({id(connection) for connection in found}) == 5
    return found


def test_sqlite_writes_through(tmp_path: Path) -> None:
    """Each connection to SQLite is in WAL with synchronous=FULL and foreign keys on, and waits for a lock."""
    database = Database(f"sqlite:///{tmp_path / 'x.db'}")
    apply_to(database, NOTE)
    for connection in live_connections(database):
        assert isinstance(connection, SqliteConnection)
        assert connection.durability() == {"synchronous": "2", "journal_mode": "wal"}
        assert connection.raw.execute("PRAGMA foreign_keys").fetchone() == (1,)
        assert connection.raw.execute("PRAGMA busy_timeout").fetchone()[0] >= 1000
        assert connection.raw.isolation_level is None
    database.close()


def test_postgresql_writes_through() -> None:
    """On a server with its own settings each connection has fsync, synchronous_commit and full_page_writes on, READ COMMITTED, in UTC."""
    with start_server(durable=True) as server:
        database = Database(server.url)
        apply_to(database, NOTE)
        for connection in live_connections(database):
            assert isinstance(connection, PostgresConnection)
            assert connection.durability() == {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}
            shown = {name: connection.one(f"SHOW {name}") for name in ("transaction_isolation", "TimeZone", "lock_timeout")}
            assert shown == {"transaction_isolation": ("read committed",), "TimeZone": ("UTC",), "lock_timeout": ("5s",)}
        database.close()


def test_a_server_that_defaults_to_less_is_overruled(postgres_url: str) -> None:
    """Where the server's default is synchronous_commit=off, our connections still wait for the disk."""
    with psycopg.connect(postgres_url) as other:
        assert other.execute("SHOW synchronous_commit").fetchone() == ("off",), "the suite's server is fast and loose"
    database = Database(postgres_url)
    assert database.connection.durability()["synchronous_commit"] == "on"
    database.close()


def test_a_lost_connection_is_opened_again(postgres_url: str) -> None:
    """After the server ended a connection, the thread's next use has a new one, with the same settings."""
    database = Database(postgres_url)
    pid = database.connection.one("SELECT pg_backend_pid()")
    with psycopg.connect(postgres_url, autocommit=True) as other:
        other.execute("SELECT pg_terminate_backend(%s)", pid)
    with pytest.raises((psycopg.OperationalError, Unavailable)):
        database.connection.one("SELECT 1")
    assert database.connection.one("SELECT 1") == (1,)
    assert database.connection.durability()["synchronous_commit"] == "on"
    database.close()


def test_a_failed_transaction_leaves_nothing_open(tmp_path: Path) -> None:
    """An error in a transaction rolls it back, and the connection can be used at once."""
    database = Database(f"sqlite:///{tmp_path / 'x.db'}")
    database.connection.run("CREATE TABLE t (n integer)")

    def fail(connection: Connection) -> None:
        connection.run("INSERT INTO t VALUES (1)")
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        database.write(fail)
    with database.transaction() as connection:
        connection.run("INSERT INTO t VALUES (2)")
    assert database.connection.all("SELECT n FROM t") == [(2,)]
    database.close()
