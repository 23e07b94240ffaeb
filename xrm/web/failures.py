"""What could not be done, as a page: plain words, what to do next, and a status."""

from __future__ import annotations

import secrets
from collections.abc import Mapping

from xrm.errors import Forbidden, Invalid, NotFound, Problem, Stale, Unavailable, XrmError
from xrm.web.pages import ErrorPage, Link

STATUS_BY_CODE: Mapping[str, int] = {
    "XRM510": 409,
    "XRM513": 400,
    "XRM512": 400,
    "XRM514": 401,
    "XRM516": 403,
    "XRM517": 429,
    "XRM521": 413,
}
STATUS_BY_KIND: tuple[tuple[type[XrmError], int], ...] = (
    (NotFound, 404), (Forbidden, 403), (Stale, 412), (Unavailable, 503), (Invalid, 422),
)  # fmt: skip
TITLES: Mapping[int, tuple[str, str]] = {
    400: ("This address cannot be read", "It may have been cut off, or belong to another list."),
    401: ("Please sign in", ""),
    403: ("You may not do this", "Your roles do not allow it. A supervisor can tell who may."),
    404: ("Not found", "It may have been deleted, or your roles may not see it."),
    409: ("This is not possible now", ""),
    412: ("Somebody else was faster", "The record was changed while you were at it. Open it again."),
    413: ("Too large", "Go back: what you typed is still there. Choose a smaller file."),
    422: ("This cannot be done", ""),
    429: ("Too many attempts", ""),
    500: ("Something went wrong here", "This is a fault of the system, not yours. It was written to the log."),
    503: ("Not available just now", "Try again in a minute."),
}
HOME = Link("To the home page", "/w/")


def failure_page(error: XrmError | None, mark: str = "", record: str = "") -> tuple[ErrorPage, int]:
    """The page and its status; without an error it is a defect of ours, found again in the log by its mark. ``record`` is the address of
    the record with which something was to be done: the way back where it can be read, and its list where it cannot."""
    if error is None:
        title, hint = TITLES[500]
        return ErrorPage(title, 500, "Nothing was changed by what you did last.", hint, mark, HOME), 500
    status = status_of(error)
    title, hint = TITLES[status]
    text = " ".join(f"{said(problem)}." for problem in error.problems)
    return ErrorPage(title, status, text, hint, link=_way_on(status, record)), status


def _way_on(status: int, record: str) -> Link:
    if record and status in {409, 412, 413, 422}:
        return Link("Back to the record", record)
    if record and status == 404:
        return Link("To the list", record.rpartition("/")[0])
    return HOME


def said(problem: Problem) -> str:
    """A problem as people read it: its message, begun with a capital, and its hint."""
    message = f"{problem.message[:1].upper()}{problem.message[1:]}"
    return f"{message} ({problem.hint})" if problem.hint else message


def status_of(error: XrmError) -> int:
    codes = {STATUS_BY_CODE.get(problem.code) for problem in error.problems}
    if len(codes) == 1 and (status := codes.pop()) is not None:
        return status
    return next((status for kind, status in STATUS_BY_KIND if isinstance(error, kind)), 500)


def reference() -> str:
    """A short mark to find a failure in the log by."""
    return secrets.token_hex(4)
