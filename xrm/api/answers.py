"""What the API sends: a status, headers, a body; errors as RFC 9457 problems."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import msgspec

from xrm.errors import CODES, Forbidden, Invalid, NotFound, Problem, Stale, Unavailable, XrmError

log = logging.getLogger("xrm.api")

Header = tuple[bytes, bytes]
JSON = b"application/json"
PROBLEM_JSON = b"application/problem+json"
SECURITY: tuple[Header, ...] = (
    (b"x-content-type-options", b"nosniff"),
    (b"cache-control", b"no-store"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
)


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: bytes = b""
    headers: tuple[Header, ...] = ()
    kind: bytes = JSON
    pieces: AsyncIterator[bytes] | None = None
    """The body of a file as it is read; its headers say all that is to be said."""

    def all_headers(self) -> list[Header]:
        if self.pieces is not None:
            return list(self.headers)
        found = [*SECURITY, *self.headers]
        if self.status not in (204, 304):
            found.append((b"content-length", b"%d" % len(self.body)))
            found.append((b"content-type", self.kind))
        return found


def encode(value: object) -> bytes:
    return _encoder.encode(value)


def _plain(value: Any) -> object:
    return value.as_json()


_encoder = msgspec.json.Encoder(enc_hook=_plain)

STATUS_BY_CODE: Mapping[str, int] = {
    "XRM503": 409,
    "XRM505": 403,
    "XRM509": 428,
    "XRM510": 409,
    "XRM512": 400,
    "XRM513": 400,
    "XRM514": 401,
    "XRM515": 409,
    "XRM530": 403,
    "XRM531": 409,
    "XRM516": 403,
    "XRM517": 429,
    "XRM521": 413,
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


def wrong_method(method: str, allowed: str) -> Answer:
    """A path that is there, and a method that it does not have (RFC 9110, section 15.5.6)."""
    answer = problem(Invalid(Problem("XRM512", f"{method[:20]} is not possible here", hint=f"possible: {allowed}")), 405)
    return replace(answer, headers=((b"allow", allowed.encode()),))


def problem(error: XrmError, status: int | None = None) -> Answer:
    """``code`` and ``detail`` are the first problem's; ``errors`` has one object for each."""
    status, first = status or status_of(error), error.problems[0]
    if status >= 500:
        log.error("request failed: %s", error)
    body = {
        "type": f"urn:xrm:problem:{first.code}",
        "title": CODES[first.code],
        "status": status,
        "detail": first.message,
        "code": first.code,
        "errors": [_one(each) for each in error.problems],
    }
    headers: tuple[Header, ...] = ((b"www-authenticate", b"Bearer"),) if status == 401 else ()
    return Answer(status, encode(body), headers, PROBLEM_JSON)


def _one(problem: Problem) -> dict[str, object]:
    return {"code": problem.code, "field": ".".join(problem.path) or None, "message": problem.message, "hint": problem.hint}


def server_error() -> Answer:
    """What a caller sees of a defect of ours: nothing of its inside. The log has the rest."""
    body = {"type": "about:blank", "title": "Internal server error", "status": 500, "detail": "this is our fault; it was logged"}
    return Answer(500, encode(body), kind=PROBLEM_JSON)
