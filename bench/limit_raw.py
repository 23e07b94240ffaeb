"""The limit: the same entity written by hand on Starlette, the raw driver and msgspec.

It knows no tokens, rights, audit, change log, versions of definitions or plugins: it is the bare limit of what this
server, these drivers and this JSON encoder can do. ``python -m bench.limit_raw --database URL --port N``.

SQLite is read and written in place, on the loop: cheaper than any thread, if a commit holds up the others for as long as
the disk takes. PostgreSQL is asked from four threads with a connection each, fed by a queue: psycopg's asynchronous
way and asyncio's own executor cost more.
"""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections import namedtuple
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from queue import SimpleQueue
from typing import Any, Protocol

import msgspec
import psycopg
from psycopg.types.string import TextLoader
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bench import serving
from bench.limit_pages import MOST_COUNTED, form_page, list_page
from bench.limit_records import (
    SHOWN,
    Page,
    Row,
    decode_new,
    decode_triage,
    encode,
    expanded,
    inserted,
    moment,
    record,
)
from bench.limit_tables import COLUMNS

JSON = "application/json"
HTML = "text/html"
THREADS = 4
BLOCK = 20


class Runs(Protocol):
    """Runs one statement and gives its rows."""

    dialect: str

    async def rows(self, sql: str, parameters: Sequence[Any] = ()) -> list[Any]: ...
    async def each(self, *statements: tuple[str, Sequence[Any]]) -> list[list[Any]]: ...


class SqliteInPlace:
    """One connection, used on the loop."""

    dialect = "sqlite"

    def __init__(self, url: str) -> None:
        path = url.removeprefix("sqlite:///")
        connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, cached_statements=512)
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "cache_size=-32000", "busy_timeout=5000"):
            connection.execute(f"PRAGMA {pragma}")
        self._execute = connection.execute

    async def rows(self, sql: str, parameters: Sequence[Any] = ()) -> list[Any]:
        return self._execute(sql, parameters).fetchall()

    async def each(self, *statements: tuple[str, Sequence[Any]]) -> list[list[Any]]:
        return [self._execute(*statement).fetchall() for statement in statements]


class PostgresThreads:
    """Four threads with a connection each, fed by a queue. Every statement is a transaction of its own."""

    dialect = "postgresql"

    def __init__(self, url: str) -> None:
        self._url = url
        self._work: SimpleQueue[tuple[Any, ...]] = SimpleQueue()
        for _ in range(THREADS):
            threading.Thread(target=self._serve, daemon=True).start()

    async def rows(self, sql: str, parameters: Sequence[Any] = ()) -> list[Any]:
        return (await self.each((sql, parameters)))[0]

    async def each(self, *statements: tuple[str, Sequence[Any]]) -> list[list[Any]]:
        loop = asyncio.get_running_loop()
        future: asyncio.Future[list[list[Any]]] = loop.create_future()
        self._work.put((loop, future, statements))
        return await future

    def _serve(self) -> None:
        cursor = self._connect()
        while True:
            loop, future, statements = self._work.get()
            try:
                found = [cursor.execute(*statement).fetchall() for statement in statements]
            except psycopg.Error as error:
                loop.call_soon_threadsafe(future.set_exception, error)
            else:
                loop.call_soon_threadsafe(future.set_result, found)

    def _connect(self) -> psycopg.Cursor[Any]:
        options = "-c timezone=UTC -c synchronous_commit=on"
        connection = psycopg.connect(self._url, autocommit=True, prepare_threshold=1, options=options)
        connection.adapters.register_loader("uuid", TextLoader)
        return connection.cursor()


# --- lists

SELECT = f"SELECT {', '.join(f'r.{name}' for name in SHOWN)} FROM request r"
SELECT_EXPANDED = (
    "SELECT r.id, r.number, r.title, r.state, r.priority, r.created_at, c.id, c.name, p.id, p.name FROM request r"
    " JOIN category c ON c.id = r.category LEFT JOIN person p ON p.id = r.requester"
)
SELECT_PAGE = (
    "SELECT r.id, r.number, c.name, r.address, d.name, r.state, r.priority, r.created_at, r.due_on, r.cost FROM request r"
    " JOIN category c ON c.id = r.category LEFT JOIN district d ON d.id = r.district"
)
FORM_COLUMNS = ", ".join([*(f"r.{name}" for name in SHOWN), "p.name"])
FORM_TABLES = "request r LEFT JOIN person p ON p.id = r.requester"
SELECT_FORM = f"SELECT {FORM_COLUMNS} FROM {FORM_TABLES} WHERE r.id = ? AND r.deleted_at IS NULL"
COUNT = f"SELECT count(*) FROM (SELECT 1 FROM request WHERE deleted_at IS NULL LIMIT {MOST_COUNTED + 1}) AS counted"
CHOICES: tuple[tuple[str, tuple[()]], ...] = (
    ("SELECT id, name FROM category ORDER BY name", ()),
    ("SELECT id, name FROM district ORDER BY name", ()),
)
Form: Any = namedtuple("Form", [*SHOWN, "requester_name"])  # type: ignore[misc]  # noqa: PYI024 (a template reads it by name)
FILTERS = {"open": "r.open", "channel": "r.channel = ?", "priority": "r.priority = ?", "state": "r.state = ?"}
SORTS = {"-created_at": "r.created_at DESC, r.id DESC", "number": "r.number, r.id"}


class BadRequest(Exception):
    """The query string asks for what there is not."""


@lru_cache(maxsize=256)
def list_sql(dialect: str, select: str, filters: tuple[str, ...], sort: str, after: bool) -> str:
    """The statement of a list, written once for each shape."""
    where = ["r.deleted_at IS NULL", *(FILTERS[name] for name in filters)]
    if after:
        where.append("(r.created_at, r.id) < (?, ?)")
    return marked(dialect, f"{select} WHERE {' AND '.join(where)} ORDER BY {SORTS[sort]} LIMIT ?")


def marked(dialect: str, sql: str) -> str:
    return sql if dialect == "sqlite" else sql.replace("?", "%s")


def list_query(runs: Runs, select: str, given: Mapping[str, str]) -> tuple[str, list[Any], int]:
    sort, limit, after = given.get("sort", "-created_at"), int(given.get("limit", "50")), given.get("after")
    filters = tuple(name for name in FILTERS if name in given)
    if sort not in SORTS or not 1 <= limit <= 500 or not set(given) <= {*FILTERS, "sort", "limit", "after"}:
        raise BadRequest
    values: list[Any] = [given[name] for name in filters if name != "open"]
    if after:
        values += after.split("~", 1)
    return list_sql(runs.dialect, select, filters, sort, bool(after)), [*values, limit + 1], limit


def page_of(rows: list[Row], limit: int, created_at: int) -> tuple[list[Row], str | None]:
    """The rows to show and the cursor of the next page."""
    if len(rows) <= limit:
        return rows, None
    rows.pop()
    return rows, f"{rows[-1][created_at]}~{rows[-1][0]}"


# --- writes


class Numbers:
    """The next number. SQLite has one process, which counts; PostgreSQL's sequence gives blocks of twenty."""

    def __init__(self, runs: Runs) -> None:
        self._runs = runs
        self._next = self._end = 0

    async def take(self) -> int:
        if self._next >= self._end:
            if self._runs.dialect == "sqlite":
                [(last,)] = await self._runs.rows("SELECT max(substr(number, 9)) FROM request")
                first, count = int(last) + 1, 10**9
            else:
                [(first,)] = await self._runs.rows("SELECT nextval('request_seq')")
                count = BLOCK
            if self._next >= self._end:
                self._next, self._end = first, first + count
        self._next += 1
        return self._next - 1


def insert_sql(dialect: str) -> str:
    """The category gives the days until it is due; none such, no row."""
    days = "date(?, '+' || c.target_days || ' days')" if dialect == "sqlite" else "?::date + c.target_days::int"
    due = f"coalesce(?, {days})"
    marks = ", ".join(due if name == "due_on" else "?" for name in COLUMNS)
    returning = ", ".join(SHOWN)
    sql = f"INSERT INTO request ({', '.join(COLUMNS)}) SELECT {marks} FROM category c WHERE c.id = ? RETURNING {returning}"
    return marked(dialect, sql)


NEXT = "state = 'triaged', state_since = ?, priority = ?, version = r.version + 1, updated_at = ?, updated_by = ?"
STILL = "r.id = ? AND r.version = ? AND r.state = 'new' AND r.deleted_at IS NULL"
TRIAGE = f"UPDATE request AS r SET {NEXT} WHERE {STILL} RETURNING {', '.join(SHOWN)}"


# --- the service


class Service:
    """The endpoints. ``by`` is the one person who works here."""

    def __init__(self, runs: Runs) -> None:
        self._runs = runs
        self._numbers = Numbers(runs)
        self._by: str | None = None
        self._insert, self._triage = insert_sql(runs.dialect), marked(runs.dialect, TRIAGE)
        self._get = marked(runs.dialect, f"{SELECT} WHERE r.id = ? AND r.deleted_at IS NULL")
        self._form = marked(runs.dialect, SELECT_FORM)

    async def get(self, request: Request) -> Response:
        rows = await self._runs.rows(self._get, (request.path_params["id"],))
        return shown(rows[0]) if rows else Response(status_code=404)

    async def list_(self, request: Request) -> Response:
        sql, values, limit = list_query(self._runs, SELECT, request.query_params)
        rows, following = page_of(await self._runs.rows(sql, values), limit, 8)
        return Response(encode(Page([record(row) for row in rows], following)), media_type=JSON)

    async def expanded(self, request: Request) -> Response:
        sql, values, limit = list_query(self._runs, SELECT_EXPANDED, request.query_params)
        rows, following = page_of(await self._runs.rows(sql, values), limit, 5)
        return Response(encode(Page([expanded(row) for row in rows], following)), media_type=JSON)

    async def create(self, request: Request) -> Response:
        new = decode_new(await request.body())
        now, by = moment(self._runs.dialect), await self._who()
        number = f"SR-{datetime.now(UTC).year}-{await self._numbers.take():06}"
        rows = await self._runs.rows(self._insert, inserted(new, number, now, by))
        return shown(rows[0], 201) if rows else Response(status_code=422)

    async def triage(self, request: Request) -> Response:
        version, priority = int(request.headers["if-match"].strip('"')), decode_triage(await request.body()).priority
        now, by = moment(self._runs.dialect), await self._who()
        rows = await self._runs.rows(self._triage, (now, priority, now, by, request.path_params["id"], version))
        return shown(rows[0]) if rows else Response(status_code=409)

    async def list_page(self, request: Request) -> Response:
        sql, values, limit = list_query(self._runs, SELECT_PAGE, request.query_params)
        found, [(count,)] = await self._runs.each((sql, values), (COUNT, ()))
        rows, following = page_of(found, limit, 7)
        return Response(list_page(rows, following, count), media_type=HTML)

    async def form_page(self, request: Request) -> Response:
        found, categories, districts = await self._runs.each((self._form, (request.path_params["id"],)), *CHOICES)
        if not found:
            return Response(status_code=404)
        return Response(form_page(Form._make(found[0]), found[0][-1], categories, districts), media_type=HTML)

    async def _who(self) -> str:
        if self._by is None:
            [(self._by,)] = await self._runs.rows("SELECT id FROM staff LIMIT 1")
        return str(self._by)


def shown(row: Row, status: int = 200) -> Response:
    headers = {"ETag": f'"{row[7]}"'}
    if status == 201:
        headers["Location"] = f"/api/requests/{row[0]}"
    return Response(encode(record(row)), status, headers, media_type=JSON)


def routes(service: Service) -> list[Route]:
    return [
        Route("/api/requests", service.list_),
        Route("/api/requests", service.create, methods=["POST"]),
        Route("/api/requests/expanded", service.expanded),
        Route("/api/requests/{id}", service.get),
        Route("/api/requests/{id}/triage", service.triage, methods=["POST"]),
        Route("/pages/requests", service.list_page),
        Route("/pages/requests/{id}/edit", service.form_page),
    ]


Handler = Callable[[Request], Awaitable[Response]]


async def refused(request: Request, error: Exception) -> Response:
    return Response(str(error).encode(), 400)


def build(url: str) -> Starlette:
    runs: Runs = SqliteInPlace(url) if url.startswith("sqlite") else PostgresThreads(url)
    handlers: Any = {BadRequest: refused, msgspec.DecodeError: refused, KeyError: refused, ValueError: refused}
    return Starlette(routes=routes(Service(runs)), exception_handlers=handlers)


if __name__ == "__main__":
    serving.main(build)
