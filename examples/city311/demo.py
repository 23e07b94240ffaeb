"""Starts Port Alder: makes its database the first time, fills it with a year of requests, and serves it.

    make demo                 # http://127.0.0.1:8000
    make demo PORT=8080       # somewhere else
    make demo RESET=1         # from the beginning

Every run gives every user a new password, made at random and shown here only.
"""

from __future__ import annotations

import os
import secrets
import sys
import time
from datetime import datetime
from pathlib import Path

import generate
import seed
import uvicorn

from xrm import bootstrap
from xrm.errors import XrmError
from xrm.service.context import Service
from xrm.service.sessions import actor_named, set_password
from xrm.settings import Settings, settings
from xrm.store.database import Database

FOLDER = Path(__file__).parent
HOST = "127.0.0.1"


def main() -> int:
    port = int(os.environ.get("PORT") or 8000)
    its = settings(FOLDER)
    if os.environ.get("RESET"):
        forget(its)
    try:
        service = prepared(its, bootstrap.open_database(its))
    except XrmError as error:
        print("\n".join(f"{problem.code}  {problem.message}" for problem in error.problems), file=sys.stderr)
        return 1
    welcome(service, port)
    serve(service, port)
    return 0


def forget(its: Settings) -> None:
    """Removes the demo's own SQLite file; another database is not touched."""
    if its.dialect != "sqlite":
        print("RESET=1 removes the demo's own SQLite file only; this database was left as it is", file=sys.stderr)
        return
    path = Path(its.database_url.removeprefix("sqlite:///"))
    for name in (path.name, f"{path.name}-wal", f"{path.name}-shm", f"{path.name}.key"):
        (path.parent / name).unlink(missing_ok=True)


def prepared(its: Settings, database: Database) -> Service:
    """The service of the folder's definition, with data."""
    application, plan = bootstrap.plan(its, database)
    if not plan.empty:
        bootstrap.apply(database, application, plan, by="demo")
    service = bootstrap.open_service(its, database)
    if not seed.seeded(service):
        fill(service)
    return service


def fill(service: Service) -> None:
    started = time.perf_counter()
    end = datetime.now(service.timezone).replace(second=0, microsecond=0)
    writes = seed.seed(service, end, told=told)
    service.after.settle()
    print(f"\rmade up a year of Port Alder: {writes:,} writes in {time.perf_counter() - started:.0f} s")


def told(done: int, of: int) -> None:
    if sys.stdout.isatty() and (done % 100 == 0 or done == of):
        print(f"\rmaking up a year of Port Alder: {done:,} of {of:,} writes", end="", flush=True)


def welcome(service: Service, port: int) -> None:
    """The address, and a new password for everybody."""
    print(f"\nPort Alder 311 is at http://{HOST}:{port}/ (Ctrl-C stops it)\n")
    print("sign in as   password            who")
    for name, (label, role) in generate.STAFF.items():
        actor = actor_named(service, name)
        if actor is not None:
            password = secrets.token_urlsafe(12)
            set_password(service, actor.id, password)
            print(f"{name:<12} {password:<19} {label}, {service.application.model.words(service.application.model.roles[role].label)}")
    print("\nThe passwords were made for this run; the next run makes others.\n", flush=True)


def serve(service: Service, port: int) -> None:
    uvicorn.run(
        bootstrap.asgi(service), host=HOST, port=port, loop="uvloop", http="httptools", access_log=False, log_level="warning",
        server_header=False, timeout_graceful_shutdown=5,
    )  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
