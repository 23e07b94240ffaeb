"""The endpoints: each reads its request and returns the work, which a thread that owns a connection does."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from xrm.api import requests
from xrm.api.answers import Answer, Header, encode
from xrm.api.openapi import document as openapi_document
from xrm.api.requests import ApiRequest
from xrm.compile.columns import instant_text
from xrm.errors import Invalid, NotFound
from xrm.service import files, records, serving
from xrm.service.context import Context
from xrm.service.deriving import seen_behind
from xrm.service.moves import Move, moves
from xrm.service.reading import get_document, list_documents
from xrm.service.records import Written

Work = Callable[[Context], Answer]


def openapi(request: ApiRequest) -> Work:
    return lambda ctx: Answer(200, encode(openapi_document(ctx.policies, ctx.service.application.model)))


def list_(request: ApiRequest) -> Work:
    query = requests.list_query(request.entity, request.scope)

    def work(ctx: Context) -> Answer:
        page = list_documents(ctx, query)
        return Answer(200, encode({"items": page.rows, "next": page.next}), _as_of(ctx, query.entity))

    return work


def get(request: ApiRequest) -> Work:
    fields = requests.field_list(requests.parameters(request.scope["query_string"], ("fields",)))
    alone = not any("." in path for path in fields)  # the version says nothing of what lies beyond a link

    def work(ctx: Context) -> Answer:
        state, document = get_document(ctx, request.entity, request.id, fields)
        tag = requests.etag(state)
        headers: tuple[Header, ...] = ((b"etag", tag), *_as_of(ctx, request.entity))
        if alone and requests.knows(request.scope, tag):
            return Answer(304, headers=headers)
        return Answer(200, encode(document), headers)

    return work


def _as_of(ctx: Context, entity: str) -> tuple[Header, ...]:
    """``As-Of``: since when computed values wait for a job that makes them anew, and which; absent when they do not."""
    behind = seen_behind(ctx, entity)
    if behind is None:
        return ()
    return (b"as-of", instant_text(behind.since).encode()), (b"as-of-fields", ", ".join(sorted(behind.fields)).encode())


async def create(request: ApiRequest) -> Work:
    values = await requests.json_body(request)
    return lambda ctx: _written(ctx, request, records.create(ctx, request.entity, values), 201)


async def update(request: ApiRequest) -> Work:
    version, values = requests.version(request.scope), await requests.json_body(request)
    return lambda ctx: _written(ctx, request, records.update(ctx, request.entity, request.id, version, values))


def delete(request: ApiRequest) -> Work:
    version = requests.version(request.scope)

    def work(ctx: Context) -> Answer:
        written = records.delete(ctx, request.entity, request.id, version)
        return Answer(204, headers=((b"etag", requests.etag(written.tag)),))

    return work


def restore(request: ApiRequest) -> Work:
    version = requests.version(request.scope)
    return lambda ctx: _written(ctx, request, records.restore(ctx, request.entity, request.id, version))


async def upload(request: ApiRequest) -> Work:
    """The body is the file itself. Who sends it is asked first, and no more is read than any field takes."""
    service, scope = request.service, request.scope
    given = requests.parameters(scope["query_string"], ("name",))
    await service.database.read(lambda: requests.actor(service, scope))
    name, declared = given.get("name", ""), requests.header(scope, b"content-type") or ""
    most = files.most_bytes(service)
    length = requests.header(scope, b"content-length") or ""
    if length.isdigit() and int(length) > most:
        raise Invalid(files.too_large(name, most))
    draft = files.Draft(most)
    try:
        async for piece in requests.stream(request):
            draft.write(piece)
            if draft.too_large:
                raise Invalid(files.too_large(name, most))
        brought = draft.upload(name, declared)
    except BaseException:
        draft.close()
        raise

    def work(ctx: Context) -> Answer:
        with draft:
            return Answer(201, encode(files.stage(ctx, brought)))

    return work


def file(request: ApiRequest) -> Work:
    """A file of a record, or with ``?thumbnail`` the small image made of it."""
    given = requests.parameters(request.scope["query_string"], ("thumbnail",))
    said, known, tags = (requests.header(request.scope, name) for name in (b"range", b"if-range", b"if-none-match"))
    asked = serving.Asked(said, known, tags)

    def work(ctx: Context) -> Answer:
        found = files.held(ctx, request.entity, request.id, request.parts[5], request.parts[6])
        if "thumbnail" in given:
            return _small(files.thumbnail(ctx, found))
        made = serving.served(found, asked)
        headers = tuple((name.encode(), value.encode("latin-1")) for name, value in made.headers)
        return Answer(made.status, headers=headers, kind=b"", pieces=serving.pieces(ctx.service, made))

    return work


def _small(image: bytes) -> Answer:
    return Answer(200, image, kind=b"image/png" if image.startswith(b"\x89PNG") else b"image/jpeg")


def transitions(request: ApiRequest) -> Work:
    def work(ctx: Context) -> Answer:
        return Answer(200, encode({"items": [_move(move) for move in moves(ctx, request.entity, request.id)]}))

    return work


def _move(move: Move) -> dict[str, object]:
    asks = [{"field": ask.field, "required": ask.required} for ask in move.ask]
    return {
        "name": move.name, "label": move.label, "target": move.target,
        "allowed": move.allowed, "reasons": move.reasons, "ask": asks,
    }  # fmt: skip


async def transition(request: ApiRequest) -> Work:
    version, scope = requests.version(request.scope), request.scope
    has_body = requests.header(scope, b"content-length") not in (None, "0") or requests.header(scope, b"transfer-encoding")
    values = await requests.json_body(request) if has_body else {}
    return lambda ctx: _written(ctx, request, records.transition(ctx, request.entity, request.id, version, request.name, values))


def _written(ctx: Context, request: ApiRequest, written: Written, status: int = 200) -> Answer:
    """The record as its writer may see it, which can be less than what was written; warnings beside it.

    ``Prefer: return=minimal`` (RFC 7240, section 4.2) leaves the record out.
    """
    headers: tuple[Header, ...] = ((b"etag", requests.etag(written.tag)),)
    if status == 201:
        headers = (*headers, (b"location", f"/api/{request.entity}/{written.id}".encode()))
    minimal = "return=minimal" in (requests.header(request.scope, b"prefer") or "")
    if minimal and not written.warnings:
        return Answer(204 if status == 200 else status, headers=headers)
    return Answer(status, encode(_seen(ctx, request, written, minimal)), headers)


def _seen(ctx: Context, request: ApiRequest, written: Written, minimal: bool) -> object:
    """The record as its writer sees it, with the warnings of the write if there are any."""
    try:
        document: object = {} if minimal else get_document(ctx, request.entity, written.id)[1]
    except NotFound:  # it was written, but it is no longer for this actor to see
        document = {"id": written.id, "version": written.version}
    if not written.warnings:
        return document
    warnings = [{"code": p.code, "field": ".".join(p.path) or None, "message": p.message} for p in written.warnings]
    return {**msgspec.json.decode(encode(document)), "warnings": warnings}
