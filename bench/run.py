"""Runs the measurement: xrm beside two hand-written services, turn by turn, and prints the ratios.

``python -m bench.run [--database sqlite|postgresql|both] [--seconds N] [--rounds N] [--rows N] [--only WORD] [--json FILE]``
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec
import psycopg

from bench import loading, report, same, servers
from bench.client import WrongAnswer, load
from bench.loading import Urls
from bench.operations import OPERATIONS, Operation, Subject
from bench.report import Sample
from bench.servers import Server
from tests.support.postgres import start_server

SETTLE = 0.2
"""Seconds after writes in which what follows from them (xrm's chain of changes) is still counted as their cost."""
NAMES = ("raw", "core", "xrm")


@dataclass(frozen=True, slots=True)
class Options:
    databases: tuple[str, ...]
    rounds: int
    seconds: float
    rows: int
    only: str
    json: Path | None


def options() -> Options:
    parser = argparse.ArgumentParser(prog="python -m bench.run", description="Measure xrm beside hand-written services.")
    parser.add_argument("--database", choices=("sqlite", "postgresql", "both"), default="both")
    parser.add_argument("--rounds", type=int, default=8, help="rounds, of which the first is not counted")
    parser.add_argument("--seconds", type=float, default=240, help="start no round after this time, for each database")
    parser.add_argument("--rows", type=int, default=20_000, help="requests in the tables")
    parser.add_argument("--only", default="", help="only operations with this word in their name (a transition needs creates)")
    parser.add_argument("--json", type=Path, help="also write every sample to this file")
    given = parser.parse_args()
    databases = ("sqlite", "postgresql") if given.database == "both" else (given.database,)
    return Options(databases, given.rounds, given.seconds, given.rows, given.only, given.json)


def main() -> None:
    given = options()
    samples: list[Sample] = []
    for database in given.databases:
        found = measure(database, given)
        report.show(database, found)
        samples += found
    if given.json:
        given.json.write_bytes(msgspec.json.format(msgspec.json.encode(samples)))


def measure(database: str, given: Options) -> list[Sample]:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="xrm-bench-")))
        urls, admin = stack.enter_context(databases(database, folder))
        report.say(f"{database}: loading {given.rows} requests into each of three databases")
        loaded = loading.load(urls, folder / "key", given.rows)
        started = {name: stack.enter_context(start(name, urls, admin, folder / "key")) for name in NAMES}
        subjects = {name: Subject(name, its.port, loaded, by_hand=name != "xrm") for name, its in started.items()}
        same.check(subjects)
        same.check_pages(subjects)
        return rounds(database, started, subjects, given)


@contextmanager
def databases(database: str, folder: Path) -> Iterator[tuple[Urls, str]]:
    """Three empty databases, and the URL of the server they are on (empty for SQLite)."""
    if database == "sqlite":
        yield Urls(*(f"sqlite:///{folder}/{name}.db" for name in ("xrm", "raw", "core"))), ""
        return
    with start_server(durable=True) as server:
        with psycopg.connect(server.url, autocommit=True) as connection:
            for name in NAMES:
                connection.execute(f"CREATE DATABASE bench_{name} TEMPLATE template0".encode())
        yield Urls(*(server.url_of(f"bench_{name}") for name in ("xrm", "raw", "core"))), server.url


@contextmanager
def start(name: str, urls: Urls, admin: str, key: Path) -> Iterator[Server]:
    """One of the three servers, on its own database."""
    port = servers.free_port()
    url = {"xrm": urls.xrm, "raw": urls.raw, "core": urls.core}[name]
    if name == "xrm":
        arguments = ["cli.py", "serve", "--app", str(loading.APPLICATION), "--port", str(port)]
    else:
        arguments = ["-m", f"bench.limit_{name}", "--database", url, "--port", str(port)]
    backend = servers.backends_of(admin, f"bench_{name}") if admin else servers.no_backend
    environment = {"XRM_DATABASE_URL": url, "XRM_SECRET_FILE": str(key)}
    with servers.running(name, arguments, port, environment, backend) as server:
        yield server


def rounds(database: str, started: Mapping[str, Server], subjects: Mapping[str, Subject], given: Options) -> list[Sample]:
    """Short rounds, in each of them every operation on every service, one service after another, in turning order."""
    samples: list[Sample] = []
    wanted = [operation for operation in OPERATIONS if given.only in operation.name and there(operation, subjects)]
    deadline = time.monotonic() + given.seconds
    for number in range(given.rounds):
        if time.monotonic() > deadline:
            report.say(f"{database}: time is over after {number} rounds")
            break
        for operation in wanted:
            for name in turned(NAMES, number):
                sample = one(database, operation, number, started[name], subjects[name])
                samples += [sample] if number else []
    return samples


def turned(names: Sequence[str], number: int) -> Sequence[str]:
    at = number % len(names)
    return [*names[at:], *names[:at]]


def there(operation: Operation, subjects: Mapping[str, Subject]) -> bool:
    """Whether xrm has the page yet; the API it has."""
    if not operation.page:
        return True
    try:
        load(subjects["xrm"].port, operation.make(subjects["xrm"], 1), operation.status)
    except WrongAnswer as wrong:
        report.say(f"left out: {operation.name}: {wrong}")
        return False
    return True


def one(database: str, operation: Operation, number: int, server: Server, subject: Subject) -> Sample:
    """One load on one server, with the CPU it and its database's processes used for it."""
    requests = operation.make(subject, operation.count)
    done = load(server.port, requests, operation.status, (server.cpu, server.backend), SETTLE if operation.writes else 0)
    if operation.after:
        operation.after(subject, done.answers)
    cpu, backend = done.metered
    size = sum(len(answer.body) for answer in done.answers) // len(done.answers)
    return Sample(database, operation.name, operation.aim, server.name, number, len(requests), done.seconds, cpu, backend, size)


if __name__ == "__main__":
    main()
