"""Puts the measured data into xrm by its own journey of a write, and the same records into the hand-written services."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench import limit_tables, records
from xrm import bootstrap
from xrm.service import sessions
from xrm.service.context import SYSTEM_ACTOR, Context, Service
from xrm.service.reading import Query, list_records
from xrm.service.records import Intent, create, prepared_write
from xrm.settings import Settings

APPLICATION = Path(__file__).parent / "application"


@dataclass(frozen=True, slots=True)
class Urls:
    """One database for each service."""

    xrm: str
    raw: str
    core: str


@dataclass(frozen=True, slots=True)
class Loaded:
    """What the load needs to know: who asks, and about which records (``ids``: those that the asker may see)."""

    token: str
    session: str
    links: records.Links
    ids: tuple[str, ...]
    open_ids: tuple[str, ...]


def load(urls: Urls, secret_file: Path, count: int) -> Loaded:
    settings = Settings(APPLICATION, urls.xrm, secret_file, threads=4)
    database = bootstrap.open_database(settings)
    try:
        application, plan = bootstrap.plan(settings, database)
        bootstrap.apply(database, application, plan, why="measurement")
        service = bootstrap.open_service(settings, database)
        loaded = _records(service, count)
        _analyse(service)
        _copy(service, urls)
        service.after.settle()
    finally:
        database.close()
    return loaded


def _records(service: Service, count: int) -> Loaded:
    system = service.acting(SYSTEM_ACTOR)
    user = create(system, "user", {"name": "ana", "label": "Ana Diaz", "roles": ["agent"]})
    links = records.Links(
        tuple(_insert(system, "category", records.categories())),
        tuple(_insert(system, "district", records.districts())),
        tuple(_insert(system, "person", records.people())),
    )
    requests = list(records.requests(count, links))
    made = list(zip(_insert(system, "service_request", requests, historic=True), requests, strict=True))
    seen = tuple(id for id, values in made if values["state"] != "closed" or not values["confidential"])
    still_open = tuple(id for id, values in made if values["state"] != "closed")
    token = sessions.issue(service, user.id, "api", "bench", sessions.TOKEN_LIFE).text
    session = sessions.issue(service, user.id, "session", "bench", sessions.SESSION_LIFE).text
    return Loaded(token, session, links, seen, still_open)


def _insert(ctx: Context, entity: str, rows: Iterable[records.Values], historic: bool = False) -> Iterator[str]:
    """Each by the one way to write, joined in one transaction; their ids."""
    with ctx.service.database.transaction() as connection:
        for values in rows:
            yield prepared_write(ctx, Intent("create", entity, values, historic=historic))(connection).id


def _analyse(service: Service) -> None:
    service.database.connection.run("ANALYZE" if service.database.dialect == "sqlite" else "VACUUM ANALYZE")


def _copy(service: Service, urls: Urls) -> None:
    system = service.acting(SYSTEM_ACTOR)
    linked = {name: list(_all(system, name)) for name in ("category", "district", "person")}
    linked["staff"] = list(_all(system, "user"))
    for url in (urls.raw, urls.core):
        limit_tables.fill(url, linked, _all(system, "service_request"))


def _all(ctx: Context, entity: str) -> Iterator[dict[str, Any]]:
    after = None
    while True:
        page = list_records(ctx, Query(entity, sort="created_at", limit=500, after=after))
        yield from page.rows
        after = page.next
        if after is None:
            return
