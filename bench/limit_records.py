"""Records as the hand-written services take and give them: msgspec structs, which check as they decode."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal

import msgspec

Row = Sequence[Any]
encode = msgspec.json.Encoder().encode

SHOWN = (
    "id", "number", "title", "state", "state_since", "open", "flags", "version", "created_at", "created_by", "updated_at",
    "updated_by", "category", "district", "requester", "channel", "priority", "anonymous", "confidential", "description",
    "address", "place_lat", "place_lon", "depth", "labour", "materials", "cost", "due_on", "reported_at", "closed_at",
)  # fmt: skip
"""The columns of an answer; structs are written to JSON at half the cost of dicts."""
OUT = tuple(name for name in SHOWN if name != "place_lon")


class Point(msgspec.Struct, gc=False):
    lat: float
    lon: float


Out: Any = msgspec.defstruct("Out", [("place" if name == "place_lat" else name, Any) for name in OUT], gc=False)


class Linked(msgspec.Struct, gc=False):
    id: str
    name: str


class Expanded(msgspec.Struct, gc=False):
    id: str
    number: str
    title: str
    state: str
    priority: str
    created_at: Any
    category: Linked
    requester: Linked | None


class Page(msgspec.Struct, gc=False):
    items: list[Any]
    next: str | None


def record(r: Row) -> Any:
    """A row in the order of ``SHOWN`` as the API shows it."""
    return Out(
        r[0], r[1], r[2], r[3], r[4], r[5] == 1, r[6], r[7], r[8], r[9], r[10], r[11], r[12], r[13], r[14], r[15], r[16],
        r[17] == 1, r[18] == 1, r[19], r[20], None if r[21] is None else Point(r[21], r[22]),
        None if r[23] is None else f"{r[23] / 10:.1f}", None if r[24] is None else f"{r[24] / 100:.2f}",
        None if r[25] is None else f"{r[25] / 100:.2f}", None if r[26] is None else f"{r[26] / 100:.2f}", r[27], r[28], r[29],
    )  # fmt: skip


def expanded(r: Row) -> Expanded:
    requester = None if r[8] is None else Linked(r[8], r[9])
    return Expanded(r[0], r[1], r[2], r[3], r[4], r[5], Linked(r[6], r[7]), requester)


# --- what comes in

Id = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$")]
Amount = Annotated[Decimal, msgspec.Meta(ge=0)]
Priority = Literal["low", "normal", "high", "urgent"]


class Place(msgspec.Struct):
    lat: Annotated[float, msgspec.Meta(ge=-90, le=90)]
    lon: Annotated[float, msgspec.Meta(ge=-180, le=180)]


class NewRequest(msgspec.Struct, forbid_unknown_fields=True):
    """What a create accepts; msgspec checks it as it decodes."""

    category: Id
    district: Id | None = None
    requester: Id | None = None
    channel: Literal["phone", "web", "app", "email", "counter", "crew"] = "phone"
    priority: Priority | None = None
    anonymous: bool = False
    confidential: bool = False
    description: Annotated[str, msgspec.Meta(max_length=4000)] | None = None
    address: Annotated[str, msgspec.Meta(max_length=160)] | None = None
    place: Place | None = None
    depth: Decimal | None = None
    labour: Decimal | None = None
    materials: Decimal | None = None
    due_on: str | None = None
    reported_at: datetime | None = None


class Triage(msgspec.Struct, forbid_unknown_fields=True):
    priority: Priority


decode_new = msgspec.json.Decoder(NewRequest).decode
decode_triage = msgspec.json.Decoder(Triage).decode


def uuid7() -> str:
    """RFC 9562, section 5.7."""
    h = f"{time.time_ns() // 1_000_000:012x}7{int.from_bytes(os.urandom(10), 'big') & (1 << 76) - 1:019x}"
    return f"{h[:8]}-{h[8:12]}-{h[12:16]}-8{h[17:20]}-{h[20:]}"


def cents(value: Decimal | None, places: int) -> int | None:
    return None if value is None else int(value.scaleb(places))


def inserted(new: NewRequest, number: str, now: Any, by: str) -> list[Any]:
    """The values of a new row, in the order of ``COLUMNS``."""
    title = f"{number} {new.address or ''}".rstrip()
    labour, materials = cents(new.labour, 2), cents(new.materials, 2)
    priority = new.priority or ("urgent" if new.depth is not None and new.depth >= 20 else "normal")
    lat, lon = (new.place.lat, new.place.lon) if new.place else (None, None)
    return [
        uuid7(), number, title, title.lower(), "new", now, True, None, 1, now, by, now, by, None, new.category, new.district,
        new.requester, new.channel, priority, new.anonymous, new.confidential, new.description, new.address,
        new.address and new.address.lower(), lat, lon, cents(new.depth, 1), labour, materials, (labour or 0) + (materials or 0),
        new.due_on, now, new.reported_at, None, new.category,
    ]  # fmt: skip


def moment(dialect: str) -> Any:
    now = datetime.now(UTC)
    return now.replace(tzinfo=None).isoformat(timespec="microseconds") + "Z" if dialect == "sqlite" else now
