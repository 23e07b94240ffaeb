"""One request to the pages: who makes it, whether it comes from a page of ours, and how answers are sent."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, quote, urlsplit

from starlette.requests import Request
from starlette.responses import Response

from xrm.errors import Problem
from xrm.model.entity import Entity
from xrm.service.context import Actor, Service
from xrm.service.serving import Asked
from xrm.service.sessions import SESSION_LIFE, actor_of, form_token_fits
from xrm.web import multipart
from xrm.web.multipart import Arrived, Form
from xrm.web.row_forms import most_inputs
from xrm.web.security import PAGE_HEADERS
from xrm.web.uploads import WRONG, field_of
from xrm.web.writing import STALE_TOKEN

COOKIE = "xrm_session"
LEAST_PACKED = 1000
"""Bytes below which packing an answer is not worth it."""
MOST_FIELDS = 500
"""Inputs of a form, without those of its tables of rows."""
MOST_BODY = 2_000_000
"""Bytes of a form; a long text has at most 20,000 characters."""
FORM = "application/x-www-form-urlencoded"
OURS = f".{WRONG}"
"""The end of names that we give to what we say of a form; nobody sends them."""


@dataclass(frozen=True, slots=True)
class Visit:
    """A request as the pages need it, read before the work begins. ``sent`` is the form, ``given`` the query string.

    ``files`` came with the form and wait on the disk; ``asks`` is what is said of a file that is wanted. ``problem``: the form
    could not be read.
    """

    path: str
    query: str
    given: Mapping[str, str]
    params: Mapping[str, str]
    session: str
    host: str
    secure: bool
    fragment: bool
    packs: bool
    method: str
    origin: str | None
    site: str | None
    sent: Mapping[str, str] = field(default_factory=dict)
    files: Sequence[Arrived] = ()
    asks: Asked = field(default_factory=Asked)
    problem: Problem | None = None

    @property
    def reads(self) -> bool:
        return self.method in ("GET", "HEAD")

    @property
    def here(self) -> str:
        return f"{self.path}?{self.query}" if self.query else self.path


async def visit(request: Request, service: Service | None = None) -> Visit:
    """Read all of a request. Files are taken only with a ``service`` that knows who sends them, and where they may go."""
    headers = request.headers
    form = await _form(request, service) if request.method == "POST" else Form()
    return Visit(
        path=request.url.path,
        query=request.url.query,
        given={name: value.replace("\0", "") for name, value in request.query_params.items()},
        params=request.path_params,
        session=request.cookies.get(COOKIE, ""),
        host=headers.get("host", ""),
        secure=request.url.scheme == "https",
        fragment=headers.get("hx-request") == "true" and headers.get("hx-request-type", "partial") == "partial",
        packs="gzip" in headers.get("accept-encoding", ""),
        method=request.method,
        origin=headers.get("origin"),
        site=headers.get("sec-fetch-site"),
        sent={name: text for name, text in form.texts.items() if not name.endswith(OURS)},
        files=form.files,
        asks=Asked(headers.get("range"), headers.get("if-range"), headers.get("if-none-match"), "save" in request.query_params),
        problem=form.problem,
    )


async def _form(request: Request, service: Service | None) -> Form:
    """The form that was sent (WHATWG URL, section 5.1; RFC 7578 where it brings files), or why it cannot be read."""
    model = service.application.model if service else None
    entity = model.entities.get(request.path_params.get("entity", "")) if model else None
    tables = most_inputs(entity) if entity else 0
    kind = request.headers.get("content-type", "")
    if service is not None and kind.partition(";")[0].strip().lower() == multipart.FORM.decode():
        return await _form_with_files(request, service, entity, tables, kind)
    if kind.partition(";")[0].strip().lower() != FORM:
        return Form(problem=Problem("XRM512", "what was sent is not a form"))
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MOST_BODY:
            return Form(problem=Problem("XRM512", f"the form has more than {MOST_BODY} bytes"))
    try:
        return Form(dict(parse_qsl(bytes(body).decode(), keep_blank_values=True, max_num_fields=MOST_FIELDS + tables)))
    except ValueError:
        return Form(problem=Problem("XRM512", "the form cannot be read"))


async def _form_with_files(request: Request, service: Service, entity: Entity | None, tables: int, kind: str) -> Form:
    """Nobody's files are written to the disk: who sends them is asked first."""
    session = request.cookies.get(COOKIE, "")
    if not session or await service.database.read(lambda: actor_of(service, session, "session")) is None:
        return Form()

    def limit(name: str) -> int | None:
        found = field_of(entity, name) if entity else None
        return found.size if found else None

    return await multipart.read(kind, request.headers.get("content-length", ""), request.stream(), limit, multipart.MOST_FIELDS + tables)


def ours(visit: Visit) -> bool:
    """Whether an unsafe request comes from a page of this server (Fetch Metadata; RFC 6454, section 7)."""
    if visit.site is not None and visit.site not in ("same-origin", "none"):
        return False
    return visit.origin is None or urlsplit(visit.origin).netloc == visit.host


def actor(service: Service, visit: Visit) -> Actor | None:
    return actor_of(service, visit.session, "session") if visit.session else None


def form_of(service: Service, visit: Visit) -> Mapping[str, str]:
    """The form that was sent, with its token judged: one that does not fit this session is marked as stale."""
    fits = form_token_fits(service, visit.session, visit.sent.get("token", ""))
    return visit.sent if fits else {**visit.sent, "token": STALE_TOKEN}


# ------------------------------------------------------------------------ answers


def html(visit: Visit, text: str, status: int = 200) -> Response:
    body = text.encode()
    response = Response(status_code=status, headers=dict(PAGE_HEADERS), media_type="text/html")
    if visit.packs and len(body) > LEAST_PACKED:
        packer = zlib.compressobj(1, zlib.DEFLATED, 31)
        body = packer.compress(body) + packer.flush()
        response.headers["content-encoding"] = "gzip"
        response.headers["vary"] = "HX-Request, Accept-Encoding"
    response.body = body
    response.headers["content-length"] = str(len(body))
    return response


def see_other(visit: Visit, url: str) -> Response:
    """Go there with GET (RFC 9110, section 15.4.4); a page that asked for a fragment is told to go as a whole."""
    headers = {**PAGE_HEADERS, "location": url}
    if visit.fragment:
        return Response(status_code=204, headers={**PAGE_HEADERS, "hx-redirect": url})
    return Response(status_code=303, headers=headers)


def signed_in(visit: Visit, response: Response, token: str) -> Response:
    """Hand the session over: scripts cannot read it, other sites cannot send it with a form of theirs."""
    response.set_cookie(
        COOKIE, token, max_age=int(SESSION_LIFE.total_seconds()), path="/", httponly=True, samesite="lax", secure=visit.secure
    )
    return response


def signed_out(visit: Visit, response: Response) -> Response:
    response.delete_cookie(COOKIE, path="/", httponly=True, samesite="lax", secure=visit.secure)
    return response


def to_sign_in(visit: Visit, *, ended: bool = False) -> Response:
    """The sign-in page, and from there back to where the person wanted to go."""
    then = quote(visit.here, safe="/") if visit.reads and visit.path != "/w/" else ""
    parts = [f"then={then}" if then else "", "ended=yes" if ended else ""]
    text = "&".join(part for part in parts if part)
    return see_other(visit, f"/w/sign-in?{text}" if text else "/w/sign-in")


def local_path(text: str) -> str:
    """Where to go after signing in: a path on this server, else home. ``//elsewhere`` and schemes are not followed."""
    safe = text.startswith("/w") and not text.startswith("//") and "\\" not in text and text.isprintable()
    return text if safe else "/w/"
