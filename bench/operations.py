"""What is measured: the same question to each service, in the words of its own API."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from urllib.parse import quote, urlencode

import msgspec

from bench import records
from bench.client import Answer, request
from bench.loading import Loaded

API = "/api/service_request"
HAND = "/api/requests"
LISTS: tuple[dict[str, str], ...] = (
    {"open": "1", "channel": "phone"},
    {"open": "1", "channel": "web"},
    {"open": "1", "priority": "normal"},
    {"open": "1", "priority": "normal", "channel": "phone"},
)
EXPANDED = "number,title,state,priority,created_at,category.name,requester.name"
Target = str
COOKIE = "xrm_session"
NO_HEADERS: Mapping[str, str] = {}


@dataclass(slots=True)
class Subject:
    """One service as the load sees it: which words it understands, and what was created there and not yet moved."""

    name: str
    port: int
    loaded: Loaded
    by_hand: bool
    fresh: list[tuple[str, str]] = field(default_factory=list)
    """(id, ETag) of requests that are new."""
    random: Random = field(default_factory=lambda: Random(records.SEED))  # noqa: S311 (the same questions each time)

    def send(self, method: str, target: str, body: bytes | None = None, headers: Mapping[str, str] = NO_HEADERS) -> bytes:
        own = {} if self.by_hand else {"Authorization": f"Bearer {self.loaded.token}"}
        return request(method, target, {**own, **headers}, body)

    def page(self, target: str) -> bytes:
        return request("GET", target, {} if self.by_hand else {"Cookie": f"{COOKIE}={self.loaded.session}"})


@dataclass(frozen=True, slots=True)
class Operation:
    """``aim``: the least ratio limit / xrm that is wanted; None where the figure is only shown. ``count``: in a round."""

    name: str
    count: int
    aim: float | None
    make: Callable[[Subject, int], list[bytes]]
    status: int = 200
    after: Callable[[Subject, Sequence[Answer]], None] | None = None
    page: bool = False
    writes: bool = False


def get_one(subject: Subject, count: int) -> list[bytes]:
    root = HAND if subject.by_hand else API
    return [subject.send("GET", f"{root}/{id}") for id in subject.random.choices(subject.loaded.ids, k=count)]


def lists(subject: Subject, count: int) -> list[bytes]:
    return [subject.send("GET", listed(subject, LISTS[n % len(LISTS)])) for n in range(count)]


def listed(subject: Subject, wanted: dict[str, str], fields: str = "") -> Target:
    """The target of a list of fifty, the newest first."""
    if subject.by_hand:
        path = f"{HAND}/expanded" if fields else HAND
        return f"{path}?{urlencode({**wanted, 'sort': '-created_at', 'limit': '50'})}"
    shown = {"fields": fields} if fields else {}
    return f"{API}?{urlencode({'filter': rule(wanted), 'sort': '-created_at', 'limit': '50', **shown})}"


def rule(wanted: dict[str, str]) -> str:
    """The filter as an expression of xrm."""
    return " && ".join(name if name == "open" else f'{name} == "{value}"' for name, value in wanted.items())


def expanded(subject: Subject, count: int) -> list[bytes]:
    return [subject.send("GET", listed(subject, LISTS[n % len(LISTS)], EXPANDED)) for n in range(count)]


def unseen(subject: Subject, count: int) -> list[bytes]:
    """A filter that nobody asked for before: xrm parses, checks and compiles it."""
    if subject.by_hand:
        return lists(subject, count)
    made = []
    for _ in range(count):
        words = f'{rule(LISTS[0])} && address != "{subject.random.random()}"'
        made.append(subject.send("GET", f"{API}?filter={quote(words)}&sort=-created_at&limit=50"))
    return made


def create(subject: Subject, count: int) -> list[bytes]:
    made = records.bodies(count, subject.loaded.links)
    return [subject.send("POST", HAND if subject.by_hand else API, msgspec.json.encode(body)) for body in made]


def created(subject: Subject, answers: Sequence[Answer]) -> None:
    for answer in answers:
        subject.fresh.append((answer.header("location").rpartition("/")[2], answer.header("etag")))


def transition(subject: Subject, count: int) -> list[bytes]:
    made = []
    for _ in range(count):
        id, tag = subject.fresh.pop()
        target = f"{HAND}/{id}/triage" if subject.by_hand else f"{API}/{id}/transitions/triage"
        made.append(subject.send("POST", target, b'{"priority":"high"}', {"If-Match": tag}))
    return made


def list_page(subject: Subject, count: int) -> list[bytes]:
    return [subject.page("/pages/requests" if subject.by_hand else "/w/service_request")] * count


def form_page(subject: Subject, count: int) -> list[bytes]:
    """The form to edit an open request."""
    root = "/pages/requests" if subject.by_hand else "/w/service_request"
    return [subject.page(f"{root}/{id}/edit") for id in subject.random.choices(subject.loaded.open_ids, k=count)]


OPERATIONS = (
    Operation("get one", 1000, 0.5, get_one),
    Operation("list 50, filtered, sorted", 200, 0.7, lists),
    Operation("list 50, links expanded", 200, 0.7, expanded),
    Operation("list 50, filter never seen", 40, None, unseen),
    Operation("create", 120, 0.35, create, 201, created, writes=True),
    Operation("transition", 120, None, transition, writes=True),
    Operation("list page of 50 rows", 100, 0.5, list_page, page=True),
    Operation("form page", 100, None, form_page, page=True),
)
