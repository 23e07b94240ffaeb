"""Whether the process lives, and whether it can serve."""

from __future__ import annotations

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from xrm.errors import XrmError
from xrm.service.context import Service
from xrm.store.database import DatabaseError
from xrm.store.releases import active_id


def routes(service: Service) -> list[Route]:
    async def live(request: Request) -> Response:
        return Response(b'{"status":"ok"}', media_type="application/json")

    async def ready(request: Request) -> Response:
        """Ready: the database answers, and the release that runs here is the active one."""
        try:
            active = await service.database.run(lambda: active_id(service.database))
        except (XrmError, *DatabaseError) as error:
            return _answer(503, {"status": "unavailable", "reason": type(error).__name__})
        if active != service.release:
            return _answer(503, {"status": "outdated", "release": service.release, "active": active})
        return _answer(200, {"status": "ready", "release": service.release})

    return [Route("/healthz", live), Route("/readyz", ready)]


def _answer(status: int, body: dict[str, object]) -> Response:
    return Response(msgspec.json.encode(body), status, media_type="application/json")
