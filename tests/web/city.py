"""A small agency with everything that pages show, its database, and a server for browsers to visit."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import uvicorn
from starlette.applications import Starlette

from xrm import bootstrap
from xrm.service import records
from xrm.service.context import SYSTEM_ACTOR, Context, Service
from xrm.service.sessions import actor_named, set_password
from xrm.settings import settings
from xrm.web.routes import routes

PASSWORD = "correct horse battery"
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
    "sam": ("Sam Supervisor", ["supervisor"]),
    "bo": ("Bo Second", ["agent"]),
    "cleo": ("Cleo Clerk", ["clerk"]),
}


@dataclass(frozen=True, slots=True)
class City:
    service: Service

    @property
    def app(self) -> Starlette:
        return Starlette(routes=list(routes(self.service)))

    def acting(self, name: str) -> Context:
        actor = actor_named(self.service, name)
        assert actor is not None
        return self.service.acting(actor)

    def request(self, subject: str, by: str = "ana", **values: object) -> str:
        """A new service request; its id."""
        category = values.pop("category", None) or self.category("Noise")
        return records.create(self.acting(by), "request", {"subject": subject, "category": category, **values}).id

    def category(self, name: str) -> str:
        ctx = self.service.acting(SYSTEM_ACTOR)
        from xrm.service.reading import Query, list_records

        found = list_records(ctx, Query("category", ("name",), f'name == "{name}"')).rows
        return str(found[0]["id"]) if found else records.create(ctx, "category", {"code": name.lower(), "name": name}).id

    def person(self, name: str, **values: object) -> str:
        return records.create(self.acting("ana"), "person", {"name": name, **values}).id


def build(folder: Path, url: str, files: Mapping[str, str] = FILES, users: Mapping[str, tuple[str, list[str]]] = USERS) -> City:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return opened(folder, url, users)


def opened(folder: Path, url: str, users: Mapping[str, tuple[str, list[str]]] = USERS) -> City:
    """The application of a folder on an empty database, with users."""
    environment = {"XRM_DATABASE_URL": url, "XRM_SECRET_FILE": str(folder / "key")}
    chosen = settings(folder, environment)
    database = bootstrap.open_database(chosen)
    application, plan = bootstrap.plan(chosen, database)
    bootstrap.apply(database, application, plan)
    service = bootstrap.open_service(chosen, database)
    system = service.acting(SYSTEM_ACTOR)
    for name, (label, roles) in users.items():
        made = records.create(system, "user", {"name": name, "label": label, "roles": roles})
        set_password(service, made.id, PASSWORD)
    return City(service)


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
