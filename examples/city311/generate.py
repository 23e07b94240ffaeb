"""A year of Port Alder's requests, made up from a seed: people, calls, work and last words, as events in time.

Pure standard library and no database: the same seed and the same end give the same year. Every name and street is put
together from invented parts.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from math import cos, pi
from pathlib import Path
from random import Random
from typing import Literal, Protocol

DATA = Path(__file__).parent / "data"
PEOPLE = 400
REQUESTS = 2000
YEAR = timedelta(days=365)

FIRST = ("Ma", "Tor", "Eli", "Ju", "Ro", "Ansel", "Bri", "Cle", "Dag", "Fen", "Gil", "Hes", "Ivo", "Ka", "Lu", "Ni", "Os", "Per")
LAST_OF_FIRST = ("ren", "vik", "sabe", "nis", "wen", "ta", "gard", "mo", "lia", "rick", "dra", "bert")
SURNAME = ("Hal", "Tarn", "Quill", "Brack", "Fen", "Oster", "Mar", "Wick", "Salt", "Dun", "Grey", "Loch", "Thorn", "Vale")
LAST_OF_SURNAME = ("loway", "wright", "more", "shaw", "gate", "den", "sby", "holt", "mark", "row", "stead")
STREET = ("Alder", "Anchor", "Barnacle", "Cooper", "Dory", "Eelgrass", "Ferry", "Gannet", "Herring", "Kelp", "Lamp", "Mooring",
          "Oakum", "Plover", "Rigging", "Sailmaker", "Tern", "Windlass")  # fmt: skip
KIND_OF_STREET = ("St", "Ave", "Ln", "Way", "Ct")

CHANNELS = {"phone": 46, "app": 24, "web": 17, "email": 6, "crew": 4, "counter": 2, "council": 1}
WEEKDAYS = (1.3, 1.1, 1.0, 1.0, 1.1, 0.55, 0.45)
CREWS = {"streets": "roads", "waste": "sanitation", "water": "water", "lighting": "lights", "parks": "parks", "harbor": "harbor"}
WEIGHTS = {
    "pothole": 13, "sidewalk": 6, "street_sign": 4, "faded_marking": 2, "fallen_tree": 4, "tree_trim": 6, "playground": 2,
    "bulky_item": 17, "missed_bin": 9, "dumping": 10, "graffiti": 8, "dead_animal": 3, "blocked_drain": 5, "water_leak": 4,
    "flooded_street": 2, "street_light": 7, "traffic_light": 3, "noise": 8, "abandoned_car": 5, "pier_damage": 1,
}  # fmt: skip
PEAK = {"pothole": 2, "fallen_tree": 12, "blocked_drain": 11, "flooded_street": 1, "tree_trim": 5, "noise": 7, "playground": 6,
        "street_light": 12, "bulky_item": 8, "graffiti": 7}  # fmt: skip
"""The month in which a category is most called for; the others keep an even pace."""

SAYS = {
    "pothole": ("Hole in the wheel track, cars swerve around it.", "It took the hubcap off my neighbor's van."),
    "bulky_item": ("An old sofa and two chairs at the curb.", "A mattress, wrapped."),
    "dumping": ("Building rubble behind the net sheds.", "Tires and paint cans again."),
    "noise": ("Music since ten, windows rattle.", "A generator has been running for three nights."),
    "street_light": ("Dark since the storm.", "It flickers all night."),
    "water_leak": ("Clear water runs along the gutter.", "The hydrant drips."),
}
OTHERS = ("County roads", "Harbor trust", "Bay electric", "Tidewater rail")
HINDRANCES = ("Spare part", "An answer of the owner", "Dry weather", "Night closure")
DONE = ("Done, street is clear.", "Repaired on the spot.", "Two of us, half a morning.", "Temporary fix, proper one in spring.", None)

Role = Literal["agent", "inspector", "supervisor"]
STAFF: Mapping[str, tuple[str, Role]] = {
    "ana": ("Ana Whitlow", "agent"),
    "ben": ("Ben Okari", "agent"),
    "cora": ("Cora Distel", "agent"),
    "dmitri": ("Dmitri Vane", "inspector"),
    "elsa": ("Elsa Marrow", "inspector"),
    "farid": ("Farid Lowen", "inspector"),
    "greta": ("Greta Sandhal", "inspector"),
    "hugo": ("Hugo Ferris", "supervisor"),
}


@dataclass(frozen=True, slots=True)
class Link:
    """A record of this year, by its entity and serial number; a category by its code."""

    entity: str
    subject: object


@dataclass(frozen=True, slots=True)
class Event:
    """Something that somebody did at a time. ``subject`` is the serial number of a record within its entity.

    Values are plain; a :class:`Link` stands for another record of this year.
    """

    at: datetime
    actor: str
    entity: str
    subject: int
    action: str
    values: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Category:
    code: str
    group: str
    target_days: int
    needs_depth: bool


@dataclass(frozen=True, slots=True)
class Box:
    south: float
    north: float
    west: float
    east: float


def events(seed: int, end: datetime, requests: int = REQUESTS) -> list[Event]:
    """The whole year up to ``end``, in the order of time."""
    return sorted(_Year(seed, end, requests).events(), key=lambda event: event.at)


def categories() -> list[Category]:
    rows = _rows("categories.csv")
    return [Category(r["code"], r["group"], int(r["target_days"]), r["needs_depth"] == "true") for r in rows if r["active"] == "true"]


def boxes() -> list[Box]:
    return [Box(*(float(row[side]) for side in ("south", "north", "west", "east"))) for row in _rows("districts.csv")]


def _rows(name: str) -> list[dict[str, str]]:
    with (DATA / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


class Make(Protocol):
    """Makes an event of one request."""

    def __call__(self, when: datetime, actor: str, action: str, **values: object) -> Event: ...


class _Year:
    """One random generator, asked in a fixed order."""

    def __init__(self, seed: int, end: datetime, requests: int) -> None:
        self.random = Random(seed)  # noqa: S311  (a demo, no secret)
        self.end = end
        self.requests = requests
        self.categories = categories()
        self.boxes = boxes()
        self.agents = [name for name, (_, role) in STAFF.items() if role == "agent"]
        self.inspectors = [name for name, (_, role) in STAFF.items() if role == "inspector"]
        self.visits = 0

    def events(self) -> Iterator[Event]:
        opened = sorted(self.moment() for _ in range(self.requests))
        known = 0
        for subject, at in enumerate(opened):
            wanted = min(PEOPLE, 1 + subject * PEOPLE // self.requests)
            while known < wanted:
                yield from self.person(known, at - timedelta(minutes=self.random.randint(1, 9)))
                known += 1
            yield from self.request(subject, at, known)

    # -- when -------------------------------------------------------------------------------------------------------

    def moment(self) -> datetime:
        """A moment of the year: more in winter and summer, on Mondays, in office hours."""
        while True:
            at = self.end - YEAR * self.random.random()
            season = 1 + 0.25 * cos(4 * pi * (at.timetuple().tm_yday - 15) / 365)
            hour = 1.0 if 8 <= at.hour < 18 else 0.35 if 6 <= at.hour < 22 else 0.08
            if self.random.random() < season * WEEKDAYS[at.weekday()] * hour / 1.7:
                return at.replace(microsecond=0)

    def later(self, at: datetime, hours: float) -> datetime:
        """Some time after, about so many hours."""
        return at + timedelta(minutes=round(60 * hours * self.random.lognormvariate(-0.3, 0.7)) + 5)

    # -- who --------------------------------------------------------------------------------------------------------

    def person(self, subject: int, at: datetime) -> Iterator[Event]:
        random = self.random
        name = f"{random.choice(FIRST)}{random.choice(LAST_OF_FIRST)} {random.choice(SURNAME)}{random.choice(LAST_OF_SURNAME)}"
        phone = f"+1 {random.choice((541, 503, 971, 458))} 555 01{random.randint(0, 99):02}" if random.random() < 0.85 else None
        email = f"{name.lower().replace(' ', '.')}@example.org" if random.random() < 0.6 else None
        values = {
            "name": name, "phone": phone, "email": email, "language": random.choices(("en", "es", "vi", "tl", "zh"), (78, 13, 4, 3, 2))[0],
            "prefers": random.choice(("phone", "email", "text", None)), "address": self.address() if random.random() < 0.5 else None,
        }  # fmt: skip
        yield Event(at, random.choice(self.agents), "person", subject, "create", values)
        if random.random() < 0.12:
            born = date(1936, 1, 1) + timedelta(days=random.randint(0, 25_000))
            yield Event(self.later(at, 30), "hugo", "person", subject, "update", {"birth_date": born})

    # -- what and where ---------------------------------------------------------------------------------------------

    def category(self, at: datetime) -> Category:
        def weight(one: Category) -> float:
            peak = PEAK.get(one.code)
            season = 1.0 if peak is None else 1 + 0.8 * cos(2 * pi * (at.month - peak) / 12)
            return WEIGHTS[one.code] * season

        return self.random.choices(self.categories, [weight(one) for one in self.categories])[0]

    def address(self) -> str:
        return f"{self.random.randint(1, 240) * 10 + 1} {self.random.choice(STREET)} {self.random.choice(KIND_OF_STREET)}"

    def place(self) -> dict[str, float]:
        box = self.random.choices(self.boxes, [3, 2, 1, 2, 3, 1, 2, 2, 2, 1, 1, 1])[0]
        lat, lon = self.random.uniform(box.south, box.north), self.random.uniform(box.west, box.east)
        return {"lat": round(lat, 6), "lon": round(lon, 6)}

    # -- the life of a request --------------------------------------------------------------------------------------

    def request(self, subject: int, at: datetime, people: int) -> Iterator[Event]:
        category = self.category(at)
        channel = self.random.choices(tuple(CHANNELS), tuple(CHANNELS.values()))[0]
        agent = self.random.choice(self.inspectors if channel == "crew" else self.agents)
        yield Event(at, agent, "service_request", subject, "create", self.opening(category, channel, people))
        yield from (event for event in self.life(subject, at, category) if event.at <= self.end)

    def opening(self, category: Category, channel: str, people: int) -> dict[str, object]:
        random = self.random
        nameless = channel == "crew" or random.random() < 0.08
        found = random.random()
        return {
            "category": Link("service_category", category.code),
            "channel": channel,
            "anonymous": nameless and channel != "crew",
            "requester": None if nameless else Link("person", random.randrange(people)),
            "description": random.choice(SAYS[category.code]) if category.code in SAYS and random.random() < 0.6 else None,
            "address": self.address() if found > 0.04 else None,
            "zip": f"97{random.randint(390, 399)}" if found > 0.3 else None,
            "place": self.place() if 0.015 < found < 0.9 else None,
            "depth": round(random.triangular(3, 34, 9), 1) if category.needs_depth else None,
        }

    def life(self, subject: int, at: datetime, category: Category) -> Iterator[Event]:
        """From the first look to the last word; what would lie ahead of the end has not happened yet."""
        random, turn = self.random, self.random.random()
        agent, inspector = random.choice(self.agents), random.choice(self.inspectors)

        def event(when: datetime, actor: str, action: str, **values: object) -> Event:
            return Event(when, actor, "service_request", subject, action, values)

        looked = self.later(at, 5)
        if turn < 0.05:
            yield event(looked, agent, "cancel", resolution_note=random.choice(("Called twice, gave it up.", "Asked by mistake.")))
            return
        if turn < 0.09:
            yield event(looked, agent, "refer", referred_to=random.choice(OTHERS))
            return
        if turn < 0.8:
            yield event(looked, agent, "triage", priority=random.choices(("low", "normal", "high", "urgent"), (15, 62, 17, 6))[0])
        if turn > 0.995:
            return
        begun = self.later(looked, 24 * category.target_days * 0.4)
        planned = (begun + timedelta(days=random.randint(0, 2))).date()
        yield event(begun, inspector, "start", crew=CREWS.get(category.group, "roads"), service_on=planned)
        if random.random() < 0.25:
            yield self.visit(subject, self.later(begun, 2), inspector, category)
        if random.random() < 0.14:
            begun = self.later(begun, 10)
            yield event(
                begun,
                inspector,
                "wait",
                waiting_for=random.choice(HINDRANCES),
            )
            if random.random() < 0.1:
                return
            begun = self.later(begun, 70)
            yield event(begun, inspector, "resume")
        yield from self.ending(event, begun, inspector, agent, category)

    def visit(self, subject: int, at: datetime, inspector: str, category: Category) -> Event:
        self.visits += 1
        values: dict[str, object] = {
            "request": Link("service_request", subject), "visited_on": at.date(),
            "outcome": self.random.choices(("confirmed", "again", "not_found", "done"), (60, 15, 10, 15))[0],
            "depth": round(self.random.uniform(3, 30), 1) if category.needs_depth else None,
        }  # fmt: skip
        return Event(at, inspector, "visit", self.visits, "create", values)

    def ending(self, event: Make, begun: datetime, inspector: str, agent: str, category: Category) -> Iterator[Event]:
        random = self.random
        over = self.later(begun, 24 * category.target_days * 0.5)
        outcome = random.choices(("fixed", "no_action", "not_found", "not_city"), (86, 6, 5, 3))[0]
        if outcome == "fixed":
            hours = Decimal(random.randint(1, 40)) / 4
            materials = Decimal(random.randint(0, 90_000)) / 100 if random.random() < 0.4 else None
            yield event(over - timedelta(minutes=4), inspector, "update", hours=hours, materials=materials)
        note = random.choice(DONE) if outcome == "fixed" else None
        yield event(over, inspector, "resolve", resolution=outcome, resolution_note=note)
        if random.random() < 0.03:
            again = self.later(over, 60)
            yield event(again, "hugo", "reopen", description="Called again: it is as it was.")
            yield event(self.later(again, 30), inspector, "start", crew=CREWS.get(category.group, "roads"))


def counted(year: Sequence[Event]) -> Mapping[str, int]:
    """How many events of each kind, for the curious: ``python generate.py``."""
    kinds: dict[str, int] = {}
    for event in year:
        name = f"{event.action} {event.entity}"
        kinds[name] = kinds.get(name, 0) + 1
    return kinds


if __name__ == "__main__":
    for name, count in counted(events(311, datetime(2026, 11, 1, 12).astimezone())).items():
        print(f"{count:6,}  {name}")
