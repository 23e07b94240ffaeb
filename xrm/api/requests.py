"""From an HTTP request to what the service takes: the actor, the query, the body, the version."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import parse_qsl

import msgspec
from starlette.types import Receive, Scope

from xrm.errors import Forbidden, Invalid, Problem, Stale, nearest
from xrm.service.context import Actor, Service
from xrm.service.reading import Query
from xrm.service.sessions import actor_of

MOST_BODY = 1_000_000
"""Bytes of a request body."""
MOST_KEPT = 2000
"""Bytes of a query string whose meaning is kept."""
LIST_PARAMETERS = ("filter", "sort", "limit", "after", "fields", "search", "view")


@dataclass(frozen=True, slots=True)
class ApiRequest:
    """A request whose path is split: ``["", "api", entity, id, "transitions", name]``, as far as it goes."""

    scope: Scope
    receive: Receive
    parts: list[str]
    service: Service

    @property
    def entity(self) -> str:
        return self.parts[2]

    @property
    def id(self) -> str:
        return self.parts[3]

    @property
    def name(self) -> str:
        return self.parts[5]


def header(scope: Scope, name: bytes) -> str | None:
    """The first header of that name (lower case)."""
    for key, value in scope["headers"]:
        if key == name:
            return str(value.decode("latin-1"))
    return None


def actor(service: Service, scope: Scope) -> Actor:
    """Whose bearer token this is (RFC 6750).

    Raises:
        Forbidden: no token, or one that is not valid now (XRM514).
    """
    scheme, _, token = (header(scope, b"authorization") or "").partition(" ")
    found = actor_of(service, token.strip(), "api") if scheme.lower() == "bearer" and token else None
    if found is None:
        hint = "send 'Authorization: Bearer TOKEN'; 'xrm token add USER' makes one"
        raise Forbidden(Problem("XRM514", "a valid API token is required", hint=hint))
    return found


def parameters(text: bytes, known: tuple[str, ...]) -> dict[str, str]:
    """The query string; an unknown or repeated parameter is a problem, not something to overlook."""
    if not text:
        return {}
    given: dict[str, str] = {}
    try:
        pairs = parse_qsl(text.decode("latin-1"), keep_blank_values=True, max_num_fields=50)
    except ValueError:
        raise Invalid(Problem("XRM512", "the query string has too many parameters", hint="known: " + ", ".join(known))) from None
    for name, value in pairs:
        if name not in known:
            near = nearest(name, known)
            hint = f"did you mean '{near}'?" if near else "known: " + ", ".join(known)
            raise Invalid(Problem("XRM512", f"unknown parameter '{name[:60]}'", path=(name[:60],), hint=hint))
        if name in given:
            raise Invalid(Problem("XRM512", f"the parameter '{name}' stands twice", path=(name,)))
        given[name] = value
    return given


def list_query(entity: str, scope: Scope) -> Query:
    """What a list asks for. The same few lists are asked for again and again: what they mean is kept."""
    text: bytes = scope["query_string"]
    return _list_query(entity, text) if len(text) <= MOST_KEPT else _list_query.__wrapped__(entity, text)


@lru_cache(maxsize=1024)
def _list_query(entity: str, text: bytes) -> Query:
    given = parameters(text, LIST_PARAMETERS)
    limit = given.get("limit", "50")
    if not limit.isascii() or not limit.isdigit() or len(limit) > 4:
        raise Invalid(Problem("XRM512", "limit must be a whole number", path=("limit",)))
    return Query(
        entity,
        field_list(given),
        given.get("filter") or None,
        given.get("sort") or None,
        int(limit),
        given.get("after") or None,
        given.get("search") or None,
        given.get("view") or None,
    )


def field_list(given: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name.strip() for name in given.get("fields", "").split(",") if name.strip()))


async def json_body(request: ApiRequest) -> dict[str, object]:
    """The body: one JSON object of at most ``MOST_BODY`` bytes.

    Raises:
        Invalid: XRM512.
    """
    kind = (header(request.scope, b"content-type") or "").partition(";")[0].strip()
    if kind not in ("application/json", "application/merge-patch+json"):
        raise Invalid(Problem("XRM512", "the body must be application/json", hint="set the Content-Type header"))
    try:
        value = msgspec.json.decode(await body(request))
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise Invalid(Problem("XRM512", f"the body is not JSON: {error}")) from None
    if not isinstance(value, dict):
        raise Invalid(Problem("XRM512", "the body must be a JSON object"))
    return value


async def body(request: ApiRequest) -> bytes:
    chunks: list[bytes] = []
    size = 0
    async for chunk in stream(request):
        size += len(chunk)
        if size > MOST_BODY:
            raise Invalid(Problem("XRM512", f"the body has more than {MOST_BODY} bytes"))
        chunks.append(chunk)
    return b"".join(chunks)


async def stream(request: ApiRequest) -> AsyncIterator[bytes]:
    """The body as it comes. Raises Invalid (XRM512) where the sender goes away."""
    more = True
    while more:
        message = await request.receive()
        if message["type"] != "http.request":
            raise Invalid(Problem("XRM512", "the request ended before its body did"))
        more = message.get("more_body", False)
        yield message.get("body", b"")


def version(scope: Scope) -> int | None:
    """The version that ``If-Match`` names; None for ``*``, which takes any.

    Raises:
        Invalid: there is no such header (XRM509).
        Stale: it names something no version can be (XRM508).
    """
    text = header(scope, b"if-match")
    if text is None:
        hint = 'send If-Match with the record\'s ETag, for example If-Match: "3"'
        raise Invalid(Problem("XRM509", "a change says which version it was made to", hint=hint))
    if text.strip() == "*":
        return None
    found = re.fullmatch(r'\s*"(\d{1,15})(?:-\d{1,15})?"\s*', text, re.ASCII)
    if found is None:
        raise Stale(Problem("XRM508", "If-Match names no version of this record", hint='one ETag in quotes, as in "3"'))
    return int(found[1])


def knows(scope: Scope, tag: bytes) -> bool:
    """Whether ``If-None-Match`` names this version (RFC 9110, section 13.1.2: a list or ``*``, compared weakly)."""
    text = header(scope, b"if-none-match")
    if text is None:
        return False
    return text.strip() == "*" or tag.decode() in [one.strip().removeprefix("W/") for one in text.split(",")]


def etag(tag: str) -> bytes:
    """The tag of a state in quotes; ``If-Match`` compares its version, since what only follows is no edit."""
    return f'"{tag}"'.encode()
