"""Writes Port Alder's year into an application, as its own people: every event is a write of the service at its time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import generate
from generate import Event, Link

from xrm.service import records
from xrm.service.context import SYSTEM_ACTOR, Actor, Service
from xrm.service.reading import Query, list_records
from xrm.service.records import Intent, PreparedWrite
from xrm.service.sessions import actor_named
from xrm.service.transfer.starting import open_import
from xrm.store.ids import new_id
from xrm.store.numbers import Numbers

DATA = Path(__file__).parent / "data"
SEED = 311
BATCH = 300


Told = Callable[[int, int], None]
"""Told how many of how many writes are done."""


def silent(done: int, of: int) -> None:
    """Tells nobody."""


def seeded(service: Service) -> bool:
    """Whether there is anything yet."""
    return bool(list_records(service.acting(SYSTEM_ACTOR), Query("service_request", ("id",), limit=1)).rows)


def seed(service: Service, end: datetime, number: int = SEED, told: Told = silent, requests: int = generate.REQUESTS) -> int:
    """Everything: categories, districts, staff and the year up to ``end``. How many writes the year took."""
    quick = replace(service, numbers=Numbers(service.database, 500))
    opened = _at(quick, end - generate.YEAR - timedelta(days=1))
    for entity, file in (("service_category", "categories.csv"), ("district", "districts.csv")):
        with open_import(opened.acting(SYSTEM_ACTOR), entity, DATA / file) as ready:
            ready.run()
    staff(opened)
    year = generate.events(number, end, requests)
    writer = _Writer(quick, {name: _actor(quick, name) for name in generate.STAFF}, _categories(quick))
    for done, event in enumerate(year, 1):
        writer.add(event)
        told(done, len(year))
    writer.flush()
    service.after.wake()
    return len(year)


def staff(service: Service) -> None:
    """The people who work here, as far as they are not there yet. They have no password."""
    ctx = service.acting(SYSTEM_ACTOR)
    there = {row["name"] for row in list_records(ctx, Query("user", ("name",), limit=500)).rows}
    for name, (label, role) in generate.STAFF.items():
        if name not in there:
            records.create(ctx, "user", {"name": name, "label": label, "roles": [role]})


def _at(service: Service, moment: datetime) -> Service:
    """The service as it was at a moment: who writes then, writes then."""
    return replace(service, clock=lambda: moment)


def _actor(service: Service, name: str) -> Actor:
    found = actor_named(service, name)
    if found is None:
        raise LookupError(f"there is no active user {name}")
    return found


def _categories(service: Service) -> dict[tuple[str, object], str]:
    rows = list_records(service.acting(SYSTEM_ACTOR), Query("service_category", ("code",), limit=500)).rows
    return {("service_category", row["code"]): row["id"] for row in rows}


@dataclass(slots=True)
class _Writer:
    """Writes events in transactions of some hundred. ``touched``: the records that the waiting writes concern."""

    service: Service
    actors: Mapping[str, Actor]
    ids: dict[tuple[str, object], str]
    waiting: list[PreparedWrite] = field(default_factory=list)
    touched: set[str] = field(default_factory=set)

    def add(self, event: Event) -> None:
        intent = self.intent(event)
        if len(self.waiting) >= BATCH or (intent.action == "update" and intent.id in self.touched):
            self.flush()  # an update is prepared with the record as it is, so it must be there
        ctx = _at(self.service, event.at.astimezone(UTC)).acting(self.actors[event.actor])
        self.waiting.append(records.prepared_write(ctx, intent))
        self.touched.add(intent.own_id or intent.id or "")

    def flush(self) -> None:
        """One transaction; nothing waits afterwards."""
        waiting = self.waiting
        self.service.database.write(lambda connection: [run(connection) for run in waiting])
        self.waiting, self.touched = [], set()

    def intent(self, event: Event) -> Intent:
        values = {name: self.value(value) for name, value in event.values.items()}
        key = (event.entity, event.subject)
        if event.action == "create":
            self.ids[key] = new_id()
            return Intent("create", event.entity, values, own_id=self.ids[key])
        if event.action == "update":
            return Intent("update", event.entity, values, id=self.ids[key])
        return Intent("transition", event.entity, values, id=self.ids[key], transition=event.action)

    def value(self, value: object) -> object:
        return self.ids[value.entity, value.subject] if isinstance(value, Link) else value
