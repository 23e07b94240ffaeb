"""The API as one ASGI application: a path and a method lead to a function; it runs in one thread and answers once.

Its own dispatcher and answers, since Starlette's routing and Response cost more CPU here than the query itself.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from starlette.types import Receive, Scope, Send

from xrm.api import endpoints, requests
from xrm.api.answers import Answer, problem, server_error, wrong_method
from xrm.api.requests import ApiRequest
from xrm.errors import NotFound, Problem, Unavailable, XrmError
from xrm.service.context import Context, Service
from xrm.store.database import DatabaseAway

log = logging.getLogger("xrm.api")

Work = Callable[[Context], Answer]
Prepare = Callable[[ApiRequest], Work | Awaitable[Work]]


@dataclass(frozen=True, slots=True)
class Resource:
    """The methods of one kind of path. Those in ``reads`` only read, so that they may run again or in place."""

    reads: Mapping[str, Prepare]
    writes: Mapping[str, Prepare]

    @property
    def allowed(self) -> str:
        return ", ".join([*self.reads, *self.writes])


ENTITY = Resource({"GET": endpoints.list_, "HEAD": endpoints.list_}, {"POST": endpoints.create})
RECORD = Resource({"GET": endpoints.get, "HEAD": endpoints.get}, {"PATCH": endpoints.update, "DELETE": endpoints.delete})
RESTORE = Resource({}, {"POST": endpoints.restore})
TRANSITIONS = Resource({"GET": endpoints.transitions, "HEAD": endpoints.transitions}, {})
TRANSITION = Resource({}, {"POST": endpoints.transition})
UPLOADS = Resource({}, {"POST": endpoints.upload})
FILE = Resource({"GET": endpoints.file, "HEAD": endpoints.file}, {})
OPENAPI = Resource({"GET": endpoints.openapi, "HEAD": endpoints.openapi}, {})


def resource(parts: list[str]) -> Resource | None:
    """The resource of ``/api/…`` split at its slashes."""
    match parts[2:]:
        case ["openapi.json"]:
            return OPENAPI
        case ["files"]:
            return UPLOADS
        case [entity] if entity:
            return ENTITY
        case [_, id] if id:
            return RECORD
        case [_, _, "restore"]:
            return RESTORE
        case [_, _, "transitions"]:
            return TRANSITIONS
        case [_, _, "transitions", name] if name:
            return TRANSITION
        case [_, _, "files", field, hash] if field and hash:
            return FILE
    return None


class Api:
    """Answers everything under ``/api/``."""

    def __init__(self, service: Service) -> None:
        self._service = service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        answer = await self._answer(scope, receive)
        await send({"type": "http.response.start", "status": answer.status, "headers": answer.all_headers()})
        if scope["method"] != "HEAD" and answer.pieces is not None:
            async for piece in answer.pieces:
                await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else answer.body})

    async def _answer(self, scope: Scope, receive: Receive) -> Answer:
        parts = scope["path"].split("/")
        try:
            found = resource(parts)
            if found is None:
                raise NotFound(Problem("XRM506", "there is nothing at this path", hint="GET /api/openapi.json lists what there is"))
            return await self._run(found, ApiRequest(scope, receive, parts, self._service))
        except XrmError as error:
            return problem(error)
        except DatabaseAway:
            log.exception("the database did not answer")
            return problem(Unavailable(Problem("XRM404", "the database does not answer now", hint="try again in a moment")))
        except Exception:
            log.exception("a request failed")
            return server_error()

    async def _run(self, found: Resource, request: ApiRequest) -> Answer:
        """Read what must be awaited, then do the rest in one go: who asks, the work, the text of the answer."""
        service, method = self._service, request.scope["method"]
        reading = found.reads.get(method)
        prepare = reading or found.writes.get(method)
        if prepare is None:
            return wrong_method(method, found.allowed)
        prepared = prepare(request)
        work = await prepared if isinstance(prepared, Awaitable) else prepared

        def run() -> Answer:
            return work(service.acting(requests.actor(service, request.scope)))

        return await (service.database.read(run) if reading else service.run_write(run))
