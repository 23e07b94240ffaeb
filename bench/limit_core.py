"""The same service the usual way: SQLAlchemy Core with its pool, run in Starlette's threads, and msgspec.

``python -m bench.limit_core --database URL --port N``. The tables, the JSON and the pages are those of ``limit_raw``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy import event
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bench import limit_raw as raw
from bench import limit_records, serving
from bench.limit_pages import MOST_COUNTED, form_page, list_page
from bench.limit_tables import COLUMNS, LINKED

POOL = 15


def tables(metadata: sa.MetaData, dialect: str) -> tuple[sa.Table, ...]:
    """The tables as they lie in the database, by reflection of their names and our words for their types."""
    sqlite = dialect == "sqlite"
    key: Any = sa.Text() if sqlite else sa.Uuid(as_uuid=False)
    instant: Any = sa.Text() if sqlite else sa.DateTime(timezone=True)
    day: Any = sa.Text() if sqlite else sa.Date()
    kinds = {
        **dict.fromkeys(("id", "created_by", "updated_by", "category", "district", "requester"), key),
        **dict.fromkeys(("state_since", "created_at", "updated_at", "deleted_at", "reported_at", "closed_at"), instant),
        **dict.fromkeys(("open", "anonymous", "confidential", "needs_depth"), sa.Boolean()),
        **dict.fromkeys(("version", "depth", "labour", "materials", "cost", "target_days"), sa.BigInteger()),
        **dict.fromkeys(("place_lat", "place_lon"), sa.Double()),
        "due_on": day,
    }

    def table(name: str, columns: tuple[str, ...]) -> sa.Table:
        made = [sa.Column(column, kinds.get(column, sa.Text()), primary_key=column == "id") for column in columns]
        return sa.Table(name, metadata, *made)

    return (table("request", COLUMNS), *(table(name, columns) for name, columns in LINKED.items()))


class Service:
    """The endpoints: each builds its statement, runs it on a pooled connection in a thread, and sends the rows as JSON."""

    def __init__(self, url: str) -> None:
        self.sqlite = url.startswith("sqlite")
        self.engine = engine(url)
        metadata = sa.MetaData()
        self.request, self.category, self.district, self.person, self.staff = tables(metadata, self.engine.dialect.name)
        self.shown = [self.request.c[name] for name in limit_records.SHOWN]
        with self.engine.connect() as connection:
            self.by = str(connection.execute(sa.select(self.staff.c.id).limit(1)).scalar_one())
            last = connection.execute(sa.select(sa.func.max(sa.func.substr(self.request.c.number, 9)))).scalar_one()
        self.next = int(last) + 1

    async def get(self, request: Request) -> Response:
        return await run_in_threadpool(self._get, request.path_params["id"])

    def _get(self, id: str) -> Response:
        its = self.request
        with self.engine.connect() as connection:
            row = connection.execute(sa.select(*self.shown).where(its.c.id == id, its.c.deleted_at.is_(None))).one_or_none()
        return shown(row) if row else Response(status_code=404)

    async def list_(self, request: Request) -> Response:
        return await run_in_threadpool(self._list, request.query_params)

    def _list(self, given: Mapping[str, str]) -> Response:
        rows, following = self._page(sa.select(*self.shown), given)
        return Response(limit_records.encode(limit_records.Page([record(row) for row in rows], following)), media_type=raw.JSON)

    async def expanded(self, request: Request) -> Response:
        return await run_in_threadpool(self._expanded, request.query_params)

    def _expanded(self, given: Mapping[str, str]) -> Response:
        its, category, person = self.request, self.category, self.person
        query = sa.select(
            its.c.id, its.c.number, its.c.title, its.c.state, its.c.priority, its.c.created_at, its.c.category,
            category.c.name.label("category_name"), its.c.requester, person.c.name.label("requester_name"),
        ).select_from(its.join(category, category.c.id == its.c.category).outerjoin(person, person.c.id == its.c.requester))  # fmt: skip
        rows, following = self._page(query, given)
        return Response(limit_records.encode(limit_records.Page([expanded(row) for row in rows], following)), media_type=raw.JSON)

    def _page(self, query: sa.Select[Any], given: Mapping[str, str]) -> tuple[list[sa.Row[Any]], str | None]:
        its, limit, after = self.request, int(given.get("limit", "50")), given.get("after")
        filters = [_filter(its, name, value) for name, value in given.items() if name in raw.FILTERS]
        query = query.where(its.c.deleted_at.is_(None), *filters)
        if after:
            query = query.where(sa.tuple_(its.c.created_at, its.c.id) < tuple(after.split("~", 1)))
        newest = given.get("sort", "-created_at") == "-created_at"
        order = [its.c.created_at.desc(), its.c.id.desc()] if newest else [its.c.number, its.c.id]
        with self.engine.connect() as connection:
            rows = list(connection.execute(query.order_by(*order).limit(limit + 1)).all())
        if len(rows) <= limit:
            return rows, None
        rows.pop()
        return rows, f"{rows[-1].created_at}~{rows[-1].id}"

    async def create(self, request: Request) -> Response:
        return await run_in_threadpool(self._create, limit_records.decode_new(await request.body()))

    def _create(self, new: limit_records.NewRequest) -> Response:
        its, category = self.request, self.category
        now = datetime.now(UTC)
        with self.engine.begin() as connection:
            days = connection.execute(sa.select(category.c.target_days).where(category.c.id == new.category)).scalar_one_or_none()
            if days is None:
                return Response(status_code=422)
            due = now.date() + timedelta(days=days)
            row = connection.execute(sa.insert(its).values(self._values(new, now, due)).returning(*self.shown)).one()
        return shown(row, 201)

    def _values(self, new: limit_records.NewRequest, now: datetime, due: date) -> dict[str, Any]:
        number, self.next = f"SR-{now.year}-{self.next:06}", self.next + 1
        at = limit_records.moment("sqlite") if self.sqlite else now
        values = limit_records.inserted(new, number, at, self.by)
        values[30:32] = [new.due_on or (due.isoformat() if self.sqlite else due)]
        return dict(zip(COLUMNS, values, strict=False))

    async def triage(self, request: Request) -> Response:
        version, wanted = int(request.headers["if-match"].strip('"')), limit_records.decode_triage(await request.body())
        return await run_in_threadpool(self._triage, request.path_params["id"], version, wanted.priority)

    def _triage(self, id: str, version: int, priority: str) -> Response:
        its, at = self.request, limit_records.moment("sqlite" if self.sqlite else "postgresql")
        this = [its.c.id == id, its.c.version == version, its.c.state == "new", its.c.deleted_at.is_(None)]
        changed = {"state": "triaged", "state_since": at, "priority": priority, "updated_at": at, "updated_by": self.by}
        with self.engine.begin() as connection:
            query = sa.update(its).where(*this).values(version=its.c.version + 1, **changed).returning(*self.shown)
            row = connection.execute(query).one_or_none()
        return shown(row) if row else Response(status_code=409)

    async def list_page(self, request: Request) -> Response:
        return await run_in_threadpool(self._list_page, request.query_params)

    def _list_page(self, given: Mapping[str, str]) -> Response:
        its, category, district = self.request, self.category, self.district
        query = sa.select(
            its.c.id, its.c.number, category.c.name, its.c.address, district.c.name.label("district_name"), its.c.state,
            its.c.priority, its.c.created_at, its.c.due_on, its.c.cost,
        ).select_from(its.join(category, category.c.id == its.c.category).outerjoin(district, district.c.id == its.c.district))  # fmt: skip
        counted = sa.select(its.c.id).where(its.c.deleted_at.is_(None)).limit(MOST_COUNTED + 1).subquery()
        rows, following = self._page(query, given)
        with self.engine.connect() as connection:
            count = connection.execute(sa.select(sa.func.count()).select_from(counted)).scalar_one()
        return Response(list_page(rows, following, count), media_type=raw.HTML)

    async def form_page(self, request: Request) -> Response:
        return await run_in_threadpool(self._form_page, request.path_params["id"])

    def _form_page(self, id: str) -> Response:
        its, person = self.request, self.person
        query = sa.select(*self.shown, person.c.name.label("requester_name")).select_from(
            its.outerjoin(person, person.c.id == its.c.requester)
        )
        with self.engine.connect() as connection:
            row = connection.execute(query.where(its.c.id == id, its.c.deleted_at.is_(None))).one_or_none()
            choices = [
                connection.execute(sa.select(table.c.id, table.c.name).order_by(table.c.name)).all()
                for table in (self.category, self.district)
            ]
        if row is None:
            return Response(status_code=404)
        return Response(form_page(row, row.requester_name, *choices), media_type=raw.HTML)


def _filter(its: sa.Table, name: str, value: str) -> sa.ColumnElement[bool]:
    return its.c.open if name == "open" else its.c[name] == value


def engine(url: str) -> sa.Engine:
    """A pool of fifteen. SQLite commits to the disk, and begins a write where the driver would begin a read."""
    if url.startswith("postgresql"):
        return sa.create_engine(url.replace("postgresql://", "postgresql+psycopg://", 1), pool_size=POOL)
    made = sa.create_engine(url, pool_size=POOL)

    @event.listens_for(made, "connect")
    def connected(connection: Any, _: object) -> None:
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "cache_size=-32000", "busy_timeout=5000"):
            connection.execute(f"PRAGMA {pragma}")

    return made


def record(row: sa.Row[Any]) -> Any:
    return limit_records.record(tuple(row))


def expanded(row: sa.Row[Any]) -> Any:
    return limit_records.expanded(tuple(row))


def shown(row: sa.Row[Any], status: int = 200) -> Response:
    return raw.shown(tuple(row), status)


def build(url: str) -> Starlette:
    service: Any = Service(url)
    handlers: Mapping[Any, Callable[..., Any]] = dict.fromkeys((msgspec.DecodeError, KeyError, ValueError), raw.refused)
    routes: list[Route] = raw.routes(service)
    return Starlette(routes=routes, exception_handlers=handlers)


if __name__ == "__main__":
    serving.main(build)
