"""The staff pages: page models, the templates that turn them into HTML, and the routes that serve them."""

from xrm.web.routes import routes

__all__ = ["routes"]
