"""The endpoints. Each hands one function to a thread that owns a connection, and sends what it answers."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from xrm.api import requests
from xrm.api.openapi import document
from xrm.api.problems import problem_response, server_error
from xrm.errors import NotFound, XrmError
from xrm.service import records
from xrm.service.context import Context, Service
from xrm.service.moves import Move, moves
from xrm.service.reading import get_record, list_records
from xrm.service.records import Written

log = logging.getLogger("xrm.api")
JSON = "application/json"


def encode(value: object) -> bytes:
    return _encoder.encode(value)


def _plain(value: Any) -> object:
    return value.as_json()


_encoder = msgspec.json.Encoder(enc_hook=_plain)


class Endpoint:
    """One resource as an ASGI application: a function for each method, run as whoever the token says."""

    def __init__(self, service: Service, **methods: Callable[[Request], Any]) -> None:
        self._service = service
        self._methods = methods

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        method = scope["method"].lower()
        prepare = self._methods.get("get" if method == "head" else method)
        if prepare is None:
            response = Response(status_code=405, headers={"Allow": ", ".join(m.upper() for m in self._methods)})
        else:
            response = await self._answer(prepare, Request(scope, receive))
        await response(scope, receive, send)

    async def _answer(self, prepare: Callable[[Request], Any], request: Request) -> Response:
        """Read what must be awaited, then do the rest in one thread: who asks, the work, the answer's text."""
        service = self._service
        try:
            prepared = prepare(request)
            work: Callable[[Context], Response] = await prepared if hasattr(prepared, "__await__") else prepared
            return await service.database.run(lambda: work(service.acting(requests.actor(service, request.scope))))
        except XrmError as error:
            return problem_response(error)
        except Exception:
            log.exception("a request failed")
            return server_error()


def routes(service: Service) -> list[Route]:
    def endpoint(**methods: Callable[[Request], Any]) -> Endpoint:
        return Endpoint(service, **methods)

    return [
        Route("/api/openapi.json", endpoint(get=openapi)),
        Route("/api/{entity}", endpoint(get=list_, post=create)),
        Route("/api/{entity}/{id}", endpoint(get=get, patch=update, delete=delete)),
        Route("/api/{entity}/{id}/transitions", endpoint(get=transitions)),
        Route("/api/{entity}/{id}/transitions/{name}", endpoint(post=transition)),
    ]


def openapi(request: Request) -> Callable[[Context], Response]:
    def work(ctx: Context) -> Response:
        return Response(encode(document(ctx.policies, ctx.service.application.model)), media_type=JSON)

    return work


def list_(request: Request) -> Callable[[Context], Response]:
    query = requests.list_query(request.path_params["entity"], request.scope)

    def work(ctx: Context) -> Response:
        page = list_records(ctx, query, nested=True)
        return Response(encode({"items": page.rows, "next": page.next}), media_type=JSON)

    return work


def get(request: Request) -> Callable[[Context], Response]:
    entity, id = request.path_params["entity"], request.path_params["id"]
    fields = requests.field_list(requests.parameters(request.scope, ("fields",)))
    seen = requests.header(request.scope, b"if-none-match")

    def work(ctx: Context) -> Response:
        record = get_record(ctx, entity, id, ("version", *fields) if fields else (), nested=True)
        tag = requests.etag(record["version"])
        if seen == tag:
            return Response(status_code=304, headers={"ETag": tag})
        return Response(encode(record), headers={"ETag": tag}, media_type=JSON)

    return work


async def create(request: Request) -> Callable[[Context], Response]:
    entity, values = request.path_params["entity"], await requests.json_body(request)
    return lambda ctx: _written(ctx, request, entity, records.create(ctx, entity, values), 201)


async def update(request: Request) -> Callable[[Context], Response]:
    entity, id = request.path_params["entity"], request.path_params["id"]
    version, values = requests.version(request.scope), await requests.json_body(request)
    return lambda ctx: _written(ctx, request, entity, records.update(ctx, entity, id, version, values))


def delete(request: Request) -> Callable[[Context], Response]:
    entity, id = request.path_params["entity"], request.path_params["id"]
    version = requests.version(request.scope)

    def work(ctx: Context) -> Response:
        records.delete(ctx, entity, id, version)
        return Response(status_code=204)

    return work


def transitions(request: Request) -> Callable[[Context], Response]:
    entity, id = request.path_params["entity"], request.path_params["id"]

    def work(ctx: Context) -> Response:
        return Response(encode({"items": [_move(move) for move in moves(ctx, entity, id)]}), media_type=JSON)

    return work


def _move(move: Move) -> dict[str, object]:
    asks = [{"field": ask.field, "required": ask.required} for ask in move.ask]
    return {
        "name": move.name, "label": move.label, "target": move.target,
        "allowed": move.allowed, "reasons": move.reasons, "ask": asks,
    }  # fmt: skip


async def transition(request: Request) -> Callable[[Context], Response]:
    entity, id, name = (request.path_params[key] for key in ("entity", "id", "name"))
    version = requests.version(request.scope)
    has_body = requests.header(request.scope, b"content-length") not in (None, "0") or bool(
        requests.header(request.scope, b"transfer-encoding")
    )
    values = await requests.json_body(request) if has_body else {}
    return lambda ctx: _written(ctx, request, entity, records.transition(ctx, entity, id, version, name, values))


def _written(ctx: Context, request: Request, entity: str, written: Written, status: int = 200) -> Response:
    """The record as its writer may see it, which can be less than what was written; warnings beside it.

    ``Prefer: return=minimal`` (RFC 7240, section 4.2) leaves the body out.
    """
    headers = {"ETag": requests.etag(written.version)}
    if status == 201:
        headers["Location"] = f"/api/{entity}/{written.id}"
    minimal = "return=minimal" in (requests.header(request.scope, b"prefer") or "")
    if minimal and not written.warnings:
        return Response(status_code=204 if status == 200 else status, headers=headers)
    try:
        body: dict[str, Any] = {} if minimal else get_record(ctx, entity, written.id, nested=True)
    except NotFound:
        body = {"id": written.id, "version": written.version}
    if written.warnings:
        body["warnings"] = [{"code": p.code, "field": ".".join(p.path) or None, "message": p.message} for p in written.warnings]
    return Response(encode(body), status, headers, media_type=JSON)
