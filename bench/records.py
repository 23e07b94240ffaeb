"""The measured data: seeded, the same in every run and for every service."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

SEED = 311
START = datetime(2025, 1, 6, 8, 0, tzinfo=UTC)
SPAN = timedelta(days=600)
CATEGORIES = 24
DISTRICTS = 12
PEOPLE = 2000
CHANNELS = ("phone", "web", "app", "email", "counter", "crew")
CHANNEL_WEIGHTS = (45, 25, 15, 8, 5, 2)
PRIORITIES = ("low", "normal", "high", "urgent")
PRIORITY_WEIGHTS = (20, 55, 20, 5)
OPEN_STATES = ("new", "triaged", "in_progress")
STREETS = ("Harbour", "Church", "Mill", "Ocean", "Station", "Wharf", "Maple", "Sequoia", "Bridge", "Señal", "Fremont", "Alder")
KINDS = ("Street", "Avenue", "Road", "Lane")
WORDS = (
    "pothole", "lamp", "dark", "corner", "school", "water", "standing", "since", "Monday", "again", "the", "near", "kerb",
    "bin", "overflowing", "noise", "at", "night", "tree", "down", "across", "path", "sign", "missing", "glass",
)  # fmt: skip
Values = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Links:
    """The ids of what requests link to."""

    categories: tuple[str, ...]
    districts: tuple[str, ...]
    people: tuple[str, ...]


def categories() -> Iterator[Values]:
    for n in range(CATEGORIES):
        yield {"code": f"category-{n:02}", "name": f"Category {n:02}", "target_days": 3 + n, "needs_depth": n % 12 == 0}


def districts() -> Iterator[Values]:
    for n in range(DISTRICTS):
        yield {"code": f"D{n:02}", "name": f"District {n:02}"}


def people() -> Iterator[Values]:
    for n in range(PEOPLE):
        yield {"name": f"Person {n:04}", "phone": f"+1206555{n:04}", "email": f"person{n:04}@example.org"}


def requests(count: int, links: Links) -> Iterator[Values]:
    """Requests in the order they were opened, as an import of history gives them. The newer, the likelier it is open."""
    random = Random(SEED)  # noqa: S311 (the same data each time)
    for n in range(count):
        created = START + SPAN * (n / count)
        values = request(random, links)
        values["number"] = f"SR-{created.year}-{n + 1:06}"
        values["created_at"] = values["reported_at"] = created
        values["state"] = random.choice(OPEN_STATES) if random.random() < max(0.02, 1 - 3 * (1 - n / count)) else "closed"
        values["state_since"] = values["updated_at"] = created + timedelta(hours=random.randrange(1, 200))
        values["due_on"] = created.date() + timedelta(days=random.randrange(3, 27))
        values["closed_at"] = values["state_since"] if values["state"] == "closed" else None
        yield values


def request(random: Random, links: Links) -> Values:
    """What a caller sends to open one (JSON values)."""
    channel = random.choices(CHANNELS, CHANNEL_WEIGHTS)[0]
    return {
        "category": random.choice(links.categories),
        "district": random.choice(links.districts),
        "requester": random.choice(links.people) if channel == "phone" or random.random() < 0.7 else None,
        "channel": channel,
        "priority": random.choices(PRIORITIES, PRIORITY_WEIGHTS)[0],
        "anonymous": False,
        "confidential": random.random() < 0.05,
        "description": " ".join(random.choices(WORDS, k=random.randrange(6, 30))),
        "address": f"{random.randrange(1, 900)} {random.choice(STREETS)} {random.choice(KINDS)}",
        "place": {"lat": round(47.5 + random.random() / 5, 6), "lon": round(-122.4 + random.random() / 5, 6)},
        "depth": f"{random.randrange(0, 300) / 10:.1f}",
        "labour": f"{random.randrange(0, 90000) / 100:.2f}" if random.random() < 0.5 else None,
        "materials": f"{random.randrange(0, 30000) / 100:.2f}" if random.random() < 0.4 else None,
    }


def bodies(count: int, links: Links) -> list[Mapping[str, Any]]:
    """Bodies of creates."""
    random = Random(SEED + 1)  # noqa: S311 (the same data each time)
    return [request(random, links) for _ in range(count)]
