"""REST: the same journeys as the pages, as JSON. Problems are RFC 9457, versions are ETags."""

from xrm.api.application import Api
from xrm.api.health import routes as health_routes

__all__ = ["Api", "health_routes"]
