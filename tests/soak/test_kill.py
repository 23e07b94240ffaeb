"""The server is killed with -9 while many write to it; after its restart nothing that it acknowledged is missing or altered.

XRM_SOAK=1 kills it 50 times on each database (`XRM_KILLS=n` for another number); the usual suite does so twice.
"""

import http.client
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.support.application import Running, apply_to, loaded, write_folder
from tests.support.postgres import free_port, start_server
from xrm import bootstrap
from xrm.compile.application import compile_application
from xrm.compile.columns import bind_id
from xrm.errors import XrmError
from xrm.service import sessions
from xrm.settings import Settings
from xrm.store import changes, migrate, releases
from xrm.store.database import Database

KILLS = int(os.environ.get("XRM_KILLS", "50"))
ENGINES = ("sqlite", "postgresql")
WRITERS = 6
APPLY_KILLS = 6
CASE = {
    "case": """
number: "C-{year}-{seq:6}"
title: "{number} {name}"
fields:
  name: {type: text, required: true}
  count: {type: integer, default: 0}
  note: long_text
  box: {type: link, to: box}
lifecycle:
  states: {new: {initial: true}, doing: {}, done: {final: true}}
  transitions: {start: {from: new, to: doing}, finish: {from: doing, to: done}, reopen: {from: done, to: new}}
access: {agent: [read, create, update, delete]}
views: {default: {sort: -created_at}}
""",
    "box": "fields: {name: text}\naccess: {agent: [read, create, update, delete]}",
}


@dataclass
class Known:
    """What the server acknowledged of one record, and what it may have done with a request that it never answered."""

    version: int
    values: dict[str, Any]
    deleted: bool = False
    pending: bool = False


@dataclass
class Book:
    """One writer's records, and how many requests of each kind were acknowledged."""

    records: dict[str, Known] = field(default_factory=dict)
    done: Counter[str] = field(default_factory=Counter)
    unexpected: list[str] = field(default_factory=list)


@dataclass
class Town:
    """A folder, a durable database and a token: what stays while servers come and go."""

    folder: Path
    url: str
    token: str
    box: str

    @property
    def environment(self) -> dict[str, str]:
        return {**os.environ, "XRM_DATABASE_URL": self.url, "XRM_SECRET_FILE": str(self.folder / "secret.key")}

    @property
    def log(self) -> Path:
        return self.folder / "server.log"

    def said(self) -> str:
        """The end of what the servers wrote to their standard error."""
        return self.log.read_text(errors="replace")[-3000:]

    def settings(self) -> Settings:
        return Settings(self.folder, self.url, self.folder / "secret.key", 4)


def command(*words: str) -> list[str]:
    return [sys.executable, "-c", "from xrm.commands import main; main()", *words]


@contextmanager
def durable_database(engine: str, folder: Path) -> Iterator[str]:
    """A database on the disk with the settings of production."""
    if engine == "sqlite":
        yield f"sqlite:///{folder / 'data' / 'xrm.db'}"
        return
    with start_server(durable=True) as server:
        yield server.url


@contextmanager
def town(engine: str, folder: Path) -> Iterator[Town]:
    write_folder(folder, CASE)
    with durable_database(engine, folder) as url:
        database = Database(url)
        apply_to(database, CASE)
        database.close()
        running = Running(bootstrap.open_service(Settings(folder, url, folder / "secret.key", 4)), url, folder / "secret.key")
        ana = running.person("ana", "agent")
        token = sessions.issue(running.service, ana.id, "api", None, timedelta(days=1)).text
        box = ana.create("box", name="b").id
        running.close()
        yield Town(folder, url, token, box)


@contextmanager
def server(place: Town) -> Iterator[tuple[int, "subprocess.Popen[bytes]"]]:
    """`xrm serve` as a process of its own: its port and itself. Whoever leaves it alive has it killed here."""
    port = free_port()
    words = command("serve", "--app", str(place.folder), "--port", str(port))
    with place.log.open("ab") as log:
        process = subprocess.Popen(words, env=place.environment, stdout=subprocess.DEVNULL, stderr=log)
    try:
        deadline = time.monotonic() + 60
        while True:
            with suppress(OSError), closing(http.client.HTTPConnection("127.0.0.1", port, timeout=10)) as probe:
                if ask(probe, "GET", "/readyz")[0] == 200:
                    break
            if process.poll() is not None or time.monotonic() > deadline:
                process.kill()
                raise AssertionError(f"the server did not come up: {place.said()}")
            time.sleep(0.05)
        yield port, process
    finally:
        if process.poll() is None:
            process.kill()
        process.wait(30)


def ask(
    connection: http.client.HTTPConnection, method: str, path: str, body: object = None, headers: Mapping[str, str] | None = None
) -> tuple[int, Any]:
    sent = {"Content-Type": "application/json", **(headers or {})} if body is not None else dict(headers or {})
    connection.request(method, path, None if body is None else json.dumps(body), sent)
    answer = connection.getresponse()
    raw = answer.read()
    return answer.status, json.loads(raw) if raw else None


class Writer(threading.Thread):
    """Creates, changes, moves and deletes its own records over one connection until the server is gone."""

    def __init__(self, place: Town, port: int, book: Book, seed: int) -> None:
        super().__init__(daemon=True)
        self.place, self.port, self.book, self.chance = place, port, book, random.Random(seed)

    def run(self) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        with suppress(OSError, http.client.HTTPException, ValueError):
            while True:
                self.step(connection)
        connection.close()

    def step(self, connection: http.client.HTTPConnection) -> None:
        alive = [id for id, known in self.book.records.items() if not known.deleted and not known.pending]
        kind = self.chance.choice(["create", "update", "update", "move", "delete"]) if len(alive) > 3 else "create"
        headers = {"Authorization": f"Bearer {self.place.token}"}
        if kind == "create":
            values = {"name": f"n{self.chance.randrange(10**9)}", "box": self.place.box if self.chance.random() < 0.5 else None}
            status, body = ask(connection, "POST", "/api/case", values, headers)
            if self.expected(kind, status, body, 201):
                self.book.records[body["id"]] = Known(1, {**values, "state": "new", "count": 0, "number": body["number"]})
            return
        id = self.chance.choice(alive)
        known = self.book.records[id]
        headers["If-Match"] = f'"{known.version}"'
        known.pending = True  # until it is answered: the server may have done it, or not
        match kind:
            case "update":
                values = {"count": self.chance.randrange(10**9), "note": "x" * self.chance.randint(1, 2000)}
                status, body = ask(connection, "PATCH", f"/api/case/{id}", values, headers)
            case "move":
                name, target = {"new": ("start", "doing"), "doing": ("finish", "done"), "done": ("reopen", "new")}[known.values["state"]]
                values = {"state": target}
                status, body = ask(connection, "POST", f"/api/case/{id}/transitions/{name}", None, headers)
            case _:
                values = {}
                status, body = ask(connection, "DELETE", f"/api/case/{id}", None, headers)
        if self.expected(kind, status, body, 204 if kind == "delete" else 200):
            known.values |= values
            known.version += 1
            known.deleted = kind == "delete"
            known.pending = False

    def expected(self, kind: str, status: int, body: Any, wanted: int) -> bool:
        self.book.done[kind if status == wanted else f"{kind} {status}"] += 1
        if status != wanted:
            self.book.unexpected.append(f"{kind} {status} {body}")
        return status == wanted


def check(place: Town, books: list[Book]) -> Counter[str]:
    """Compares the database with what was acknowledged, then settles what was left open. The figures of what was found."""
    found: Counter[str] = Counter()
    running = Running(bootstrap.open_service(place.settings()), place.url, place.folder / "secret.key")
    try:
        system = running.system
        for book in books:
            assert not book.unexpected, (book.unexpected[:3], place.said())
            for id, known in book.records.items():
                rows = running.rows('SELECT version, deleted_at FROM "case" WHERE id = ?', bind_id(id, running.service.database.dialect))
                assert rows, f"{id} was acknowledged and is not there"
                version, deleted = rows[0][0], rows[0][1] is not None
                if known.pending:
                    assert version in (known.version, known.version + 1), (id, known, version)
                    found["unanswered, done" if version > known.version else "unanswered, not done"] += 1
                else:
                    assert (version, deleted) == (known.version, known.deleted), (id, known, version, deleted)
                    if not deleted:
                        record = system.get("case", id)
                        assert {name: record[name] for name in known.values} == known.values, (id, known, record)
                    found["acknowledged, there"] += 1
                known.pending, known.version, known.deleted = False, version, deleted
                if not deleted:
                    record = system.get("case", id)
                    known.values = {name: record[name] for name in known.values}
        found["changes"] = whole(running)
    finally:
        running.close()
    return found


def whole(running: Running) -> int:
    """Versions are changes, the spine is the records, the chain has neither gap nor forgery. How long the chain is."""
    for table, entity in (('"case"', "case"), ("box", "box"), ("xrm_user", "user")):
        off = f"SELECT count(*) FROM {table} t WHERE t.version <> (SELECT count(*) FROM xrm_change c WHERE c.record = t.id)"
        assert running.rows(off) == [(0,)], f"{entity}: versions differ from changes"
        both = (
            f'SELECT count(*) FROM {table} t JOIN xrm_record r ON r.id = t.id AND r.entity = ? AND r."open" = t."open"'
            " AND (r.deleted_at IS NULL) = (t.deleted_at IS NULL)"
        )
        records = running.rows(f"SELECT count(*) FROM {table}")
        assert running.rows(both, entity) == records == running.rows("SELECT count(*) FROM xrm_record WHERE entity = ?", entity)
    assert running.rows("SELECT count(*) FROM xrm_change c LEFT JOIN xrm_payload p ON p.change = c.id WHERE p.change IS NULL") == [(0,)]
    numbers = running.rows('SELECT count(*), count(DISTINCT number) FROM "case"')[0]
    assert numbers[0] == numbers[1], "a number was given twice"
    changes.sequence(running.database)
    report = changes.verify(running.database)
    assert (report.broken, report.waiting, report.erased) == (None, 0, 0), report
    return report.length


def kill_while_writing(engine: str, folder: Path, kills: int) -> str:
    figures: Counter[str] = Counter()
    chance = random.Random()
    started = time.monotonic()
    with town(engine, folder) as place:
        books = [Book() for _ in range(WRITERS)]
        for n in range(kills):
            with server(place) as (port, process):
                writers = [Writer(place, port, book, chance.randrange(10**9)) for book in books]
                for writer in writers:
                    writer.start()
                time.sleep(chance.uniform(0.1, 1.2 if kills > 5 else 0.8))
                os.kill(process.pid, signal.SIGKILL)
                process.wait(30)
                for writer in writers:
                    writer.join(60)
                    assert not writer.is_alive()
            last = check(place, books)
            figures += Counter({name: count for name, count in last.items() if name.startswith("unanswered")})
            figures["kills"] = n + 1
        figures["changes"] = last["changes"]
        done = sum((book.done for book in books), Counter[str]())
    assert done["create"] and done["update"], done
    seconds = time.monotonic() - started
    return f"{engine}: {dict(figures)}, acknowledged {sum(done.values())} {dict(done)}, {seconds:.0f} s"


def kill_while_applying(engine: str, folder: Path, kills: int) -> str:
    """`xrm apply` is killed at some moment; afterwards the database is what one of the two releases says, and apply ends the work."""
    figures: Counter[str] = Counter()
    chance = random.Random()
    with town(engine, folder) as place:
        for n in range(kills):
            more = "".join(f"  f{m}: {{type: text, index: true}}\n" for m in range(8 * (n + 1)))
            extra = {f"extra{m}": f"fields:\n{more}access: {{agent: [read, create]}}" for m in range(n + 1)}
            write_folder(folder, {**CASE, **extra})
            before = _release(place)
            process = subprocess.Popen(
                command("apply", "--yes", "--app", str(folder)), env=place.environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
            )
            assert process.stdout is not None
            process.stdout.readline()  # the plan is being printed: the work is about to begin
            time.sleep(chance.uniform(0, 0.25))
            process.kill()
            process.communicate(timeout=60)
            after = _release(place)
            figures["applied" if after > before else "not applied"] += 1
            done = subprocess.run(
                command("apply", "--yes", "--app", str(folder)),
                env=place.environment,
                capture_output=True,
                text=True,
                check=False,
                timeout=120,
            )
            assert done.returncode == 0, done.stderr
            database = Database(place.url)
            try:
                model, _ = loaded({**CASE, **extra})
                assert migrate.plan(database, compile_application(model, database.dialect).tables, model.digest).empty
            finally:
                database.close()
            running = Running(bootstrap.open_service(place.settings()), place.url, folder / "secret.key")
            try:
                assert running.system.create("extra0", f0="x").version == 1
                assert running.rows("SELECT count(*) FROM xrm_user WHERE name = 'system'") == [(1,)]
                whole(running)
            finally:
                running.close()
    return f"{engine}: {dict(figures)}"


def _release(place: Town) -> int:
    database = Database(place.url)
    try:
        return releases.active_id(database) or 0
    except XrmError:
        return 0
    finally:
        database.close()


@pytest.mark.parametrize("engine", ENGINES)
def test_nothing_acknowledged_is_lost(engine: str, tmp_path: Path) -> None:
    """`kill -9` of the server during concurrent writes: every acknowledged write is there, versions are changes, the chain is whole."""
    assert kill_while_writing(engine, tmp_path / "town", 2)


@pytest.mark.soak
@pytest.mark.parametrize("engine", ENGINES)
def test_nothing_acknowledged_is_lost_in_many_kills(engine: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The same, many times on one database."""
    line = kill_while_writing(engine, tmp_path / "town", KILLS)
    with capsys.disabled():
        print(f"\n{line}")  # noqa: T201 (the figures are what a soak is for)


@pytest.mark.soak
@pytest.mark.parametrize("engine", ENGINES)
def test_apply_is_killed(engine: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`kill -9` of `xrm apply`: the database is as before or as after, and applying again ends well."""
    line = kill_while_applying(engine, tmp_path / "town", APPLY_KILLS)
    with capsys.disabled():
        print(f"\n{line}")  # noqa: T201 (the figures are what a soak is for)
