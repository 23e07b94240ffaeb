"""Errors as HTTP: a status by kind of error, and an ``application/problem+json`` body (RFC 9457)."""

from __future__ import annotations

import logging
from collections.abc import Mapping

import msgspec
from starlette.responses import Response

from xrm.errors import CODES, Forbidden, Invalid, NotFound, Problem, Stale, Unavailable, XrmError

log = logging.getLogger("xrm.api")

STATUS_BY_CODE: Mapping[str, int] = {
    "XRM503": 409,
    "XRM505": 403,
    "XRM509": 428,
    "XRM510": 409,
    "XRM512": 400,
    "XRM513": 400,
    "XRM514": 401,
    "XRM515": 409,
    "XRM516": 403,
    "XRM517": 429,
}
STATUS_BY_KIND: tuple[tuple[type[XrmError], int], ...] = (
    (NotFound, 404),
    (Stale, 412),
    (Unavailable, 503),
    (Forbidden, 403),
    (Invalid, 422),
)


def status_of(error: XrmError) -> int:
    """The HTTP status: the code's own where all problems agree on one, else by the kind of error."""
    codes = {STATUS_BY_CODE.get(problem.code) for problem in error.problems}
    if len(codes) == 1 and (status := codes.pop()) is not None:
        return status
    return next((status for kind, status in STATUS_BY_KIND if isinstance(error, kind)), 500)


def problem_body(error: XrmError, status: int) -> bytes:
    """``code`` and ``detail`` are the first problem's; ``errors`` has one object for each."""
    first = error.problems[0]
    return msgspec.json.encode(
        {
            "type": f"urn:xrm:problem:{first.code}",
            "title": CODES[first.code],
            "status": status,
            "detail": first.message,
            "code": first.code,
            "errors": [_one(problem) for problem in error.problems],
        }
    )


def _one(problem: Problem) -> dict[str, object]:
    return {
        "code": problem.code,
        "field": ".".join(problem.path) or None,
        "message": problem.message,
        "hint": problem.hint,
    }


def problem_response(error: XrmError) -> Response:
    status = status_of(error)
    if status >= 500:
        log.error("request failed: %s", error)
    headers = {"WWW-Authenticate": "Bearer"} if status == 401 else None
    return Response(problem_body(error, status), status, headers, media_type="application/problem+json")


def server_error() -> Response:
    """What a caller sees of a defect of ours: nothing of its inside. The log has the rest."""
    body = {"type": "about:blank", "title": "Internal server error", "status": 500, "detail": "this is our fault; it was logged"}
    return Response(msgspec.json.encode(body), 500, media_type="application/problem+json")
