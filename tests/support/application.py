"""Tiny applications that run: from a few YAML texts to a `Service` on a database of one's own, on either engine.

    running = application({"note": "fields: {name: text}\naccess: {agent: [read, create]}"})
    ana = running.person("ana", "agent")
    made = ana.create("note", name="One")
    assert ana.get("note", made.id)["name"] == "One"

The tables of an application are made once for each worker and engine, then cloned. A `Person` starts a new operation with each call, as a
request does; its `api` speaks HTTP to the same service, in this process.
"""

import asyncio
import json
from collections.abc import Callable, Mapping, MutableMapping
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote, urlencode

from starlette.types import ASGIApp

from tests.support.databases import TestDatabases
from xrm import bootstrap, plugins, source
from xrm.api.answers import encode
from xrm.model.application import Application
from xrm.plugins import Plugins
from xrm.service import moves, reading, records, sessions
from xrm.service.context import SYSTEM_ACTOR, Actor, Context, Service
from xrm.service.reading import Query
from xrm.service.records import Written
from xrm.settings import Settings
from xrm.store.database import Database

Texts = Mapping[str, str]
Result = TypeVar("Result")
XRM = "xrm: 1\nname: tiny\nroles: {agent: Agent, boss: {includes: agent}, guest: Guest, nobody: Nobody}\n"
SECRET = bytes(range(32))


def files_of(texts: Texts | str) -> dict[str, str]:
    """The files of an application. A name without a slash is that of an entity; `xrm.yml` is made when it is not given.

    A text alone is the entity `note`.
    """
    given = {"note": texts} if isinstance(texts, str) else texts
    files = {"xrm.yml": XRM}
    for name, text in given.items():
        if "/" in name or name.endswith(".yml"):
            files[name] = text
        else:
            files[f"entities/{name}.yml"] = f"entity: {name}\n{text}"
    return files


def write_folder(folder: Path, texts: Texts | str) -> Path:
    """The same files on disk, for commands and servers."""
    for name, text in files_of(texts).items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


def loaded(texts: Texts | str) -> tuple[Application, Plugins]:
    """The checked application; fails the test with every problem when it is not sound."""
    files = files_of(texts)
    found, problems = plugins.load(files)
    result = source.load_text(files, found.functions)
    said = [f"{p.place} {p.code} {p.message} ({p.hint})" for p in [*problems, *result.problems] if p.severity == "error"]
    assert result.application is not None and not said, "\n".join(said)
    return result.application, found


def apply_to(database: Database, texts: Texts | str, *, allow: bool = True) -> int:
    """Plan and apply, as the command does; the release."""
    model, _ = loaded(texts)
    plan = bootstrap.plan_of(database, model)
    assert allow or not any(step.loses for step in plan.steps)
    return bootstrap.apply(database, model, plan, by="test", why=None)


def build(texts: Texts | str) -> Callable[[str], None]:
    """What `databases.fresh` wants: makes the tables of an application in an empty database."""

    def made(url: str) -> None:
        with closing(Database(url)) as database:
            apply_to(database, texts)

    return made


@dataclass
class Running:
    """A service of the active release of a database."""

    service: Service
    url: str
    secret: Path
    people: dict[str, "Person"] = field(default_factory=dict)

    def __repr__(self) -> str:
        return f"Running({self.url!r})"

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        """What hypothesis shows of it; a service has a long description."""
        printer.text(repr(self))

    @cached_property
    def asgi(self) -> ASGIApp:
        """The API and the pages, as a server process has them; nothing runs in the background."""
        return bootstrap.asgi(self.service)

    @property
    def dialect(self) -> str:
        return self.service.database.dialect

    @property
    def database(self) -> Database:
        return self.service.database

    @property
    def system(self) -> "Person":
        return Person(self, SYSTEM_ACTOR)

    def person(self, name: str, *roles: str) -> "Person":
        """A user with these roles; made at the first call."""
        if name not in self.people:
            self.system.create("user", name=name, label=name.title(), roles=list(roles))
            actor = sessions.actor_named(self.service, name)
            assert actor is not None
            self.people[name] = Person(self, actor)
        return self.people[name]

    def at(self, moment: datetime) -> "Running":
        """The same service at another time."""
        return replace(self, service=replace(self.service, clock=lambda: moment), people={})

    def another(self) -> "Running":
        """A second process on the same database, with threads and connections of its own. Close it."""
        service = bootstrap.open_service(Settings(Path(), self.url, self.secret, 4))
        return Running(service, self.url, self.secret)

    def rows(self, sql: str, *parameters: object) -> list[tuple[Any, ...]]:
        """What one statement with `?` marks gives, on a connection of this thread."""
        text = sql if self.dialect == "sqlite" else sql.replace("?", "%s")
        return self.database.connection.all(text, parameters)

    def run(self, sql: str, *parameters: object) -> int:
        text = sql if self.dialect == "sqlite" else sql.replace("?", "%s")
        return self.database.connection.run(text, parameters)

    def close(self) -> None:
        self.database.close()


@dataclass(frozen=True)
class Person:
    """An actor; each call is one operation of its own."""

    running: Running
    actor: Actor

    @property
    def ctx(self) -> Context:
        return self.running.service.acting(self.actor)

    @property
    def id(self) -> str:
        return self.actor.id

    def create(self, entity: str, /, **values: object) -> Written:
        return records.create(self.ctx, entity, values)

    def update(self, entity: str, id: str, version: int | None, /, **values: object) -> Written:
        return records.update(self.ctx, entity, id, version, values)

    def move(self, entity: str, id: str, version: int | None, name: str, /, **values: object) -> Written:
        return records.transition(self.ctx, entity, id, version, name, values)

    def delete(self, entity: str, id: str, version: int | None = None) -> Written:
        return records.delete(self.ctx, entity, id, version)

    def restore(self, entity: str, id: str, version: int | None = None) -> Written:
        return records.restore(self.ctx, entity, id, version)

    def get(self, entity: str, id: str, *fields: str, nested: bool = False) -> dict[str, Any]:
        if nested:
            document: dict[str, Any] = json.loads(encode(reading.get_document(self.ctx, entity, id, fields)[1]))
            return document
        return reading.get_record(self.ctx, entity, id, fields)

    def page(self, entity: str, **query: Any) -> reading.Page[dict[str, Any]]:
        return reading.list_records(self.ctx, Query(entity, **query))

    def all(self, entity: str, **query: Any) -> list[dict[str, Any]]:
        """Every record of a list, walked from page to page."""
        found: list[dict[str, Any]] = []
        after = None
        while True:
            page = self.page(entity, after=after, **query)
            found += page.rows
            after = page.next
            if after is None:
                return found

    def count(self, entity: str, **query: Any) -> int:
        return reading.count_records(self.ctx, Query(entity, **query))

    def history(self, entity: str, id: str) -> list[reading.HistoryEntry]:
        return reading.history(self.ctx, entity, id)

    def moves(self, entity: str, id: str) -> dict[str, moves.Move]:
        return {move.name: move for move in moves.moves(self.ctx, entity, id)}

    @property
    def api(self) -> "Api":
        token = sessions.issue(self.running.service, self.actor.id, "api", None, timedelta(days=1))
        return Api(self.running.asgi, token.text)


@dataclass(frozen=True)
class Answer:
    """An HTTP response. Names of headers are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def codes(self) -> list[str]:
        """The codes of a problem's errors."""
        return [error["code"] for error in self.json["errors"]]


@dataclass(frozen=True)
class Api:
    """Speaks HTTP to an ASGI application in this process."""

    app: ASGIApp
    token: str | None = None

    def get(self, path: str, headers: Mapping[str, str] | None = None, **query: object) -> Answer:
        return self.send("GET", path, headers=headers, query=query)

    def post(self, path: str, body: object = None, headers: Mapping[str, str] | None = None) -> Answer:
        return self.send("POST", path, body, headers=headers)

    def patch(self, path: str, body: object, version: object = "*") -> Answer:
        return self.send("PATCH", path, body, headers=if_match(version))

    def delete(self, path: str, version: object = "*") -> Answer:
        return self.send("DELETE", path, headers=if_match(version))

    def move(self, path: str, name: str, version: object = "*", body: object = None) -> Answer:
        return self.send("POST", f"{path}/transitions/{name}", body, headers=if_match(version))

    def send(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        headers: Mapping[str, str] | None = None,
        query: Mapping[str, object] | str | None = None,
    ) -> Answer:
        """`body` is sent as JSON, or as it is when it is bytes; `query` a mapping, or the text after the `?`."""
        return asyncio.run(self.ask(method, path, body, headers=headers, query=query))

    def together(self, *asked: tuple[Any, ...]) -> list[Answer]:
        """Several requests at once: each a tuple of what `send` takes by position."""

        async def all_of_them() -> list[Answer]:
            return list(await asyncio.gather(*(self.ask(*one) for one in asked)))

        return asyncio.run(all_of_them())

    async def ask(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        headers: Mapping[str, str] | None = None,
        query: Mapping[str, object] | str | None = None,
    ) -> Answer:
        sent = {**({"authorization": f"Bearer {self.token}"} if self.token else {}), **{k.lower(): v for k, v in (headers or {}).items()}}
        raw = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        if body is not None:
            sent.setdefault("content-type", "application/json")
            sent.setdefault("content-length", str(len(raw)))
        text = query if isinstance(query, str) else urlencode(query or {}, quote_via=quote)
        scope = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method, "scheme": "http", "root_path": "",
            "path": path, "raw_path": quote(path).encode(), "query_string": text.encode(), "client": ("127.0.0.1", 1),
            "server": ("127.0.0.1", 80), "headers": [(k.encode(), v.encode("latin-1")) for k, v in sent.items()],
        }  # fmt: skip
        messages: list[MutableMapping[str, Any]] = []

        async def receive() -> MutableMapping[str, Any]:
            return {"type": "http.request", "body": raw, "more_body": False}

        async def send(message: MutableMapping[str, Any]) -> None:
            messages.append(message)

        await self.app(scope, receive, send)
        start = messages[0]
        return Answer(
            start["status"],
            {k.decode().lower(): v.decode("latin-1") for k, v in start["headers"]},
            b"".join(message.get("body", b"") for message in messages[1:]),
        )


def if_match(version: object) -> dict[str, str]:
    """The header that says which version was seen: a number, `*`, or None for no header."""
    if version is None:
        return {}
    return {"if-match": "*" if version == "*" else f'"{version}"'}


class Applications:
    """The fixture `application`: called with texts it gives a `Running`; everything is closed after the test."""

    def __init__(self, databases: TestDatabases, folder: Path) -> None:
        self._databases = databases
        self._folder = folder
        self._running: list[Running] = []

    @property
    def engine(self) -> str:
        return self._databases.engine

    def __call__(self, texts: Texts | str) -> Running:
        model, _ = loaded(texts)
        return self.opened(self._databases.fresh(f"application-{model.digest}", build(texts)))

    def made(self, texts: Texts | str) -> Running:
        """The same in a database of its own from the start, of which no template is kept."""
        build(texts)(url := self.empty())
        return self.opened(url)

    def empty(self) -> str:
        """The URL of an empty database."""
        return self._databases.empty()

    def opened(self, url: str) -> Running:
        """The service of the release that is active in a database."""
        secret = self._folder / "secret.key"
        if not secret.exists():
            secret.touch(mode=0o600)
            secret.write_bytes(SECRET)
        running = Running(bootstrap.open_service(Settings(self._folder, url, secret, 4)), url, secret)
        self._running.append(running)
        return running

    def clear(self) -> None:
        """Closes and drops everything that was made so far."""
        self.close()
        self._running.clear()
        self._databases.drop_all()

    def close(self) -> None:
        for running in self._running:
            running.close()
