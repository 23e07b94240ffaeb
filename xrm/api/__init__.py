"""REST: the same journeys as the pages, as JSON. Problems are RFC 9457, versions are ETags."""

from __future__ import annotations

from starlette.routing import BaseRoute

from xrm.api import endpoints, health
from xrm.service.context import Service


def routes(service: Service) -> list[BaseRoute]:
    return [*health.routes(service), *endpoints.routes(service)]
