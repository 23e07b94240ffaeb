"""A small agency with everything that pages show, people to visit its pages as, and a server for browsers."""

from __future__ import annotations

import asyncio
import re
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from html import unescape

import httpx
import uvicorn
from starlette.applications import Starlette

from xrm import web
from xrm.service import records
from xrm.service.context import SYSTEM_ACTOR, Context, Service
from xrm.service.reading import Query, get_record, list_records
from xrm.service.sessions import actor_named, set_password

PASSWORD = "correct horse battery"
HOST = "http://localhost"
FILES: Mapping[str, str] = {
    "xrm.yml": """
xrm: 1
name: northport
label: City of Northport
locale: en-US
timezone: America/Los_Angeles
currency: USD
roles:
  agent: Call handler
  clerk: Clerk
  supervisor: {label: Supervisor, includes: agent}
""",
    "entities/category.yml": """
entity: category
label: Category
plural: Categories
icon: tag
title: "{name}"
key: code
fields:
  code: {type: text, length: 20, required: true, unique: true}
  name: {type: text, required: true, length: 60}
access:
  agent: {read: true}
  supervisor: {create: true, update: true, delete: true}
""",
    "entities/person.yml": """
entity: person
label: Person
plural: People
icon: users
title: "{name}"
fields:
  name: {type: text, required: true}
  phone: phone
  email: email
access:
  agent: {read: true, create: true, update: true}
""",
    "entities/request.yml": """
entity: request
label: Service request
icon: briefcase
help: What residents ask the city to do.
number: "NP-{year}-{seq:6}"
title: "{number} {subject}"
fields:
  subject: {type: text, required: true, hint: A few words}
  description: {type: long_text, length: 500}
  category: {type: link, to: category, required: true}
  requester: {type: link, to: person}
  priority:
    type: choice
    options: {low: Low, normal: Normal, high: {label: High, tone: danger}}
    default: normal
    required: true
  urgent: {type: boolean, label: Happening now}
  noticed: {type: date, label: First noticed}
  visit_at: {type: datetime, label: Visit}
  level: {type: decimal, label: Measured level, places: 1, unit: dB, min: 0}
  cost: {type: money, label: Estimated cost}
  affected: {type: integer, label: People affected}
  place: point
  email: email
  phone: {type: phone, label: Reply to}
  page: {type: url, label: Permit page}
  owner: {type: link, to: user}
  outcome: {type: choice, options: {upheld: Upheld, refused: Refused}}
  secret: {type: text, label: Confidential, protected: true}
checks:
  findable: {should: place != null, message: The request has no place on the map, field: place}
  noticed_past: {must: noticed == null || noticed <= date(created_at), message: First noticed cannot lie in the future, field: noticed}
lifecycle:
  states:
    new: {label: Received, initial: true}
    triage: Triage
    investigation: {tone: info}
    waiting: {label: Waiting for resident, tone: warn}
    closed: {final: true, tone: ok, edit: [description]}
  transitions:
    triage: {from: new, to: triage}
    investigate: {label: Start investigation, from: [new, triage], to: investigation, set: {owner: =actor}}
    wait: {label: Ask the resident, from: investigation, to: waiting}
    close:
      from: [triage, investigation, waiting]
      to: closed
      ask: {outcome: {}, description: {required: false}}
      guards:
        - {must: level != null, message: Enter the measured level first}
    reopen: {from: closed, to: triage, roles: supervisor}
access:
  agent: {read: true, create: true, update: true}
  supervisor: {delete: true, sees: secret, edits: secret}
views:
  default: {label: All, columns: [number, subject, category, state, priority, created_at, cost, requester, owner], sort: -created_at}
  mine: {label: Mine, filter: owner == actor && open}
  urgent: {label: High priority, filter: priority == "high"}
compact: [requester, category, created_at, cost]
forms:
  - {section: What, fields: [subject, category, priority, description, urgent, noticed, visit_at, level, cost, affected, secret]}
  - {section: Where and who, fields: [requester, place, phone, email, page, owner]}
""",
    "plugins/report.py": """
from markupsafe import Markup, escape
from xrm.plugins import Route, hookimpl

def page(request):
    rows = request.find("request", "", ("subject",))
    return Markup("<section class='card'><div class='body'>{} requests, first {}</div></section>").format(
        len(rows), rows[0]["subject"] if rows else "none")

def broken(request):
    raise ValueError("secret detail")

@hookimpl
def routes():
    return [Route("report", "Report", page, icon="chart-bar"), Route("broken", "Broken", broken, roles=("supervisor",))]
""",
}  # fmt: skip
USERS = {
    "ana": ("Ana Agent", ["agent"]),
    "bo": ("Bo Second", ["agent"]),
    "sam": ("Sam Supervisor", ["supervisor"]),
    "cleo": ("Cleo Clerk", ["clerk"]),
}


@dataclass
class City:
    """The agency at work. Users are made when they are first named."""

    service: Service
    _app: Starlette | None = None

    @property
    def app(self) -> Starlette:
        if self._app is None:
            self._app = Starlette(routes=list(web.routes(self.service)))
        return self._app

    def acting(self, name: str) -> Context:
        actor = actor_named(self.service, name)
        if actor is None:
            label, roles = USERS[name]
            made = records.create(self.system, "user", {"name": name, "label": label, "roles": roles})
            set_password(self.service, made.id, PASSWORD)
            actor = actor_named(self.service, name)
        assert actor is not None
        return self.service.acting(actor)

    @property
    def system(self) -> Context:
        return self.service.acting(SYSTEM_ACTOR)

    def visitor(self, name: str) -> Visitor:
        """Somebody who has signed in."""
        self.acting(name)
        visitor = Visitor(self.app)
        answer = visitor.post("/w/sign-in", {"name": name, "password": PASSWORD})
        assert answer.status_code == 303, answer.text
        return visitor

    def request(self, subject: str, by: str = "ana", **values: object) -> str:
        """A new service request; its id."""
        category = values.pop("category", None) or self.category("Noise")
        return records.create(self.acting(by), "request", {"subject": subject, "category": category, **values}).id

    def category(self, name: str) -> str:
        found = list_records(self.system, Query("category", ("name",), f'name == "{name}"')).rows
        return str(found[0]["id"]) if found else records.create(self.system, "category", {"code": name.lower(), "name": name}).id

    def person(self, name: str, **values: object) -> str:
        return records.create(self.acting("ana"), "person", {"name": name, **values}).id

    def get(self, id: str, entity: str = "request") -> dict[str, object]:
        return get_record(self.system, entity, id)


@dataclass
class Visitor:
    """A browser without script: keeps cookies, follows no redirect by itself, fills in forms."""

    app: Starlette
    cookies: httpx.Cookies = field(default_factory=httpx.Cookies)

    def get(self, path: str, **headers: str) -> httpx.Response:
        return self.send("GET", path, headers=headers)

    def post(self, path: str, data: Mapping[str, str], **headers: str) -> httpx.Response:
        return self.send("POST", path, data, headers)

    def send(
        self, method: str, path: str, data: Mapping[str, str] | None = None, headers: Mapping[str, str] | None = None
    ) -> httpx.Response:
        sent = {name.replace("_", "-"): value for name, value in (headers or {}).items()}

        async def ask() -> httpx.Response:
            transport = httpx.ASGITransport(app=self.app)
            async with httpx.AsyncClient(transport=transport, base_url=HOST, cookies=self.cookies) as client:
                answer = await client.request(method, path, data=data, headers=sent)
                self.cookies = client.cookies
                return answer

        return asyncio.run(ask())

    def fill(self, path: str, **changes: str | None) -> httpx.Response:
        """Opens the page of a form, changes some inputs and sends it; None leaves an input out."""
        page = self.get(path)
        assert page.status_code == 200, page.text
        return self.submit(page.text, **changes)

    def submit(self, html: str, **changes: str | None) -> httpx.Response:
        action, values = form_in(html)
        values |= {name.replace("__", "."): value for name, value in changes.items() if value is not None}
        for name, value in changes.items():
            if value is None:
                values.pop(name.replace("__", "."), None)
        return self.post(action, values)


def form_in(html: str) -> tuple[str, dict[str, str]]:
    """The address of the last form that posts from the main part, and what is in it."""
    form = re.findall(r'<form[^>]*method="post"[^>]*>.*?</form>', html, re.DOTALL)[-1]
    action = re.search(r'action="([^"]*)"', form)
    assert action is not None
    values: dict[str, str] = {}
    for tag in re.findall(r"<input[^>]*>", form):
        attributes = dict(re.findall(r'([\w-]+)="([^"]*)"', tag))
        if "name" in attributes and (attributes.get("type") not in ("radio", "checkbox") or " checked" in tag):
            values[attributes["name"]] = unescape(attributes.get("value", ""))
    for name, text in re.findall(r'<textarea[^>]*name="([^"]*)"[^>]*>\n?(.*?)</textarea>', form, re.DOTALL):
        values[name] = unescape(text)
    for name, options in re.findall(r'<select[^>]*name="([^"]*)"[^>]*>(.*?)</select>', form, re.DOTALL):
        chosen = re.search(r'value="([^"]*)" selected', options)
        values[name] = unescape(chosen[1]) if chosen else ""
    return unescape(action[1]), values


@contextmanager
def served(app: Starlette) -> Iterator[str]:
    """The application on a port of this machine."""
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="error", lifespan="off"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(timeout=10)
