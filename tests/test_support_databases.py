"""The databases that the other tests stand on."""

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import psutil
import psycopg
import pytest

from tests.support.databases import PostgresDatabases, SqliteDatabases, TestDatabases
from tests.support.postgres import Account, Binaries, Server, embedded_binaries, machine_binaries, reachable_by, start_server
from tests.support.scratch import sweep

ROOT = Path(__file__).resolve().parents[1]
INSTALLED = [binaries for binaries in (machine_binaries(), embedded_binaries()) if binaries]


def run(url: str, statement: str) -> list[tuple[object, ...]]:
    """Runs one statement on either engine, and closes the connection."""
    if url.startswith("sqlite"):
        with closing(sqlite3.connect(SqliteDatabases.path_of(url), isolation_level=None)) as lite:
            return lite.execute(statement).fetchall()
    with psycopg.connect(url, autocommit=True) as postgres:
        cursor = postgres.execute(statement)
        return cursor.fetchall() if cursor.description else []


@pytest.mark.parametrize("turn", [1, 2])
def test_database_url_is_empty_each_time(database_url: str, turn: int) -> None:
    """A table that one test made is not there for the next."""
    run(database_url, "CREATE TABLE t (n integer)")
    run(database_url, f"INSERT INTO t VALUES ({turn})")
    assert run(database_url, "SELECT n FROM t") == [(turn,)]


def test_a_template_is_built_once_and_cloned_apart(databases: TestDatabases) -> None:
    """The second `fresh` of a name gives a clone of what the first built, and no clone sees another's rows."""
    built: list[str] = []

    def build(url: str) -> None:
        built.append(url)
        run(url, "CREATE TABLE t (n integer)")
        run(url, "INSERT INTO t VALUES (1)")

    one, two = databases.fresh("once", build), databases.fresh("once", build)
    run(one, "INSERT INTO t VALUES (2)")

    assert len(built) == 1
    assert run(one, "SELECT count(*) FROM t") == [(2,)]
    assert run(two, "SELECT count(*) FROM t") == [(1,)]


def test_a_template_keeps_what_is_still_in_the_write_ahead_log(sqlite_databases: SqliteDatabases) -> None:
    """A SQLite template built in WAL mode is cloned whole."""

    def build(url: str) -> None:
        run(url, "PRAGMA journal_mode = WAL")
        run(url, "CREATE TABLE t (n integer)")

    assert run(sqlite_databases.fresh("wal", build), "SELECT n FROM t") == []


def test_a_template_with_an_open_connection_is_refused(postgres_databases: PostgresDatabases, monkeypatch: pytest.MonkeyPatch) -> None:
    """`build` that leaves a connection open is told so, instead of every clone waiting for five seconds."""
    monkeypatch.setattr("tests.support.databases.LEAVE_SECONDS", 0.1)
    left_open: list[psycopg.Connection] = []

    with pytest.raises(AssertionError, match="connection left open"):
        postgres_databases.fresh("leaky", lambda url: left_open.append(psycopg.connect(url)))
    left_open[0].close()


def test_databases_are_dropped_after_the_test(postgres_databases: PostgresDatabases) -> None:
    """A dropped database is gone, even with somebody connected."""
    mine = TestDatabases(postgres_databases)
    url = mine.empty()
    with psycopg.connect(url):
        mine.drop_all()
    with pytest.raises(psycopg.OperationalError, match="does not exist"):
        psycopg.connect(url)


def test_the_worker_has_a_database_of_its_own(postgres_url: str, worker_name: str) -> None:
    """`postgres_url` names a database of this worker on a server that is new enough."""
    assert f"/xrm_{worker_name}_" in postgres_url
    with psycopg.connect(postgres_url) as connection:
        assert connection.info.server_version >= 150000


def crash_and_restart(server: Server) -> None:
    run(server.url, "CREATE TABLE kept (n integer)")
    server.kill()
    assert server.pid is None
    server.start()
    run(server.url, "INSERT INTO kept VALUES (1)")


@pytest.mark.parametrize("binaries", INSTALLED, ids=lambda binaries: str(binaries.folder))
def test_a_durable_server_survives_a_kill(binaries: Binaries) -> None:
    """With `durable=True` what was committed is there after every process of the server was killed; each server found here can do it."""
    with start_server(durable=True, binaries=binaries) as server:
        assert run(server.url, "SHOW fsync") == [("on",)]
        crash_and_restart(server)
        assert run(server.url, "SELECT count(*) FROM kept") == [(1,)]
        pid, folder = server.pid, server.folder
    assert pid is not None
    assert not psutil.pid_exists(pid)
    assert not folder.exists()


def test_the_server_goes_when_its_starter_is_killed() -> None:
    """A test run that is killed outright leaves no server behind."""
    program = """
import os, signal
from tests.support.postgres import start_server
with start_server() as server:
    print(server.pid, server.folder, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)
    pid, folder = done.stdout.split()
    assert done.returncode == -signal.SIGKILL
    psutil.wait_procs([psutil.Process(int(pid))] if psutil.pid_exists(int(pid)) else [], timeout=20)
    assert not psutil.pid_exists(int(pid))
    shutil.rmtree(folder)


def test_an_installation_out_of_reach_is_copied(tmp_path: Path) -> None:
    """A server inside a folder that the unprivileged user may not enter is copied whole, with the libraries a wheel puts beside it."""
    package = tmp_path / "private" / "embedded"
    (package / "install" / "bin").mkdir(parents=True)
    (package / "install" / "bin" / "postgres").write_text("#!/bin/sh\necho postgres 18\n")
    (package / "install" / "bin" / "postgres").chmod(0o755)
    (tmp_path / "private" / "embedded.libs").mkdir()
    (tmp_path / "private" / "embedded.libs" / "libpq.so").write_text("")

    class Outsider(Account):
        def may_run(self, program: Path) -> bool:
            return "private" not in program.parts and super().may_run(program)

    copied = reachable_by(Outsider(), Binaries(package / "install" / "bin", 18), tmp_path / "copy")

    assert copied.folder == tmp_path / "copy" / "embedded" / "install" / "bin"
    assert (tmp_path / "copy" / "embedded.libs" / "libpq.so").exists()


def test_a_scratch_folder_that_a_killed_run_left_is_swept(tmp_path: Path) -> None:
    """What a dead process left an hour ago goes; what a live one holds, or one that died just now, stays."""
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    old, recent, held = (tmp_path / name for name in (f"xrm-a-{dead.pid}-x", f"xrm-b-{dead.pid}-x", f"xrm-a-{os.getpid()}-x"))
    for folder in (old, recent, held):
        folder.mkdir()
    for folder in (old, held):
        os.utime(folder, (0, 0))

    sweep(tmp_path)

    assert set(tmp_path.iterdir()) == {recent, held}
