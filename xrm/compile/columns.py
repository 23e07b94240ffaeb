"""How a field's Python value lies in a database column, and comes back.

The two databases answer alike because both hold the same thing: decimals and money as whole numbers of their smallest
unit, instants in UTC, text compared by code point. Where the database has a good type of its own it is used (UUID,
timestamptz, date and boolean on PostgreSQL); SQLite holds 16 bytes, and ISO 8601 text of one width, which sorts as time.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from functools import lru_cache
from operator import methodcaller
from typing import Any, Literal

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.sql.elements import Grouping
from sqlalchemy.types import TypeEngine

from xrm.expr.places import BOUNDS, Point, shape
from xrm.expr.values import duration_words
from xrm.model.fields import Field
from xrm.model.kinds import ADDRESS_PARTS, Kept
from xrm.model.moments import counted
from xrm.model.values import fold

DialectName = Literal["sqlite", "postgresql"]
Converter = Callable[[Any], Any] | None
"""A function of one value that is never None; None where the value passes as it is."""

TEXT = sa.Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")
INSTANT = sa.Text().with_variant(postgresql.TIMESTAMP(timezone=True), "postgresql")
DAY = sa.Text().with_variant(postgresql.DATE(), "postgresql")
ID = sa.LargeBinary(16).with_variant(postgresql.UUID(as_uuid=False), "postgresql")
WHOLE = sa.BigInteger()
FLAG = sa.Boolean(create_constraint=False)
DEGREES: TypeEngine[Any] = sa.Double()
BYTES = sa.LargeBinary()

COLUMN_TYPES: Mapping[Kept, TypeEngine[Any]] = {
    "text": TEXT,
    "json": TEXT,
    "list": sa.Text().with_variant(postgresql.ARRAY(postgresql.TEXT(collation="C")), "postgresql"),
    "files": TEXT,
    "whole": WHOLE,
    "count": WHOLE,
    "units": WHOLE,
    "span": WHOLE,
    "clock": TEXT,
    "flag": FLAG,
    "day": DAY,
    "instant": INSTANT,
    "id": ID,
}
"""By the form in which values are kept (``model/kinds``): forms of one column."""


@dataclass(frozen=True, slots=True)
class Stored:
    """One column of a field: what it is called, its type, and how the field's value becomes the column's."""

    name: str
    type: TypeEngine[Any]
    part: Callable[[Any], Any] | None = None


def stored(field: Field) -> tuple[Stored, ...]:
    """The columns that hold a field: one, two for a point, the folded key beside a text, edges and box beside an area,
    the parts beside an address; none for what lies apart."""
    if field.apart:
        return ()
    if field.kind.kept == "point":
        return (
            Stored(f"{field.name}_lat", DEGREES, lambda point: point.lat),
            Stored(f"{field.name}_lon", DEGREES, lambda point: point.lon),
        )
    own = Stored(field.name, COLUMN_TYPES[field.kind.kept])
    if field.type == "area":
        sides = (Stored(f"{field.name}_{bound.side}", WHOLE, bound) for bound in BOUNDS)
        return (own, Stored(f"{field.name}_shape", TEXT, shape), *sides)
    if field.type == "address":
        return (own, *(Stored(f"{field.name}_{name}", TEXT, methodcaller("get", name)) for name in ADDRESS_PARTS))
    return (own, Stored(f"{field.name}_key", TEXT, fold)) if field.folded else (own,)


def companions(field: Field) -> tuple[str, ...]:
    """The columns that follow from the value and can be made of it again: a folded key, edges and a box."""
    return () if field.kind.kept == "point" else tuple(part.name for part in stored(field)[1:])


def placed(column: sa.ColumnElement[Any], field: Field) -> sa.ColumnElement[Any]:
    """The place of an option among the field's, by which it is sorted; written out, so that an index on it serves the order."""
    places: dict[Any, Any] = {
        sa.literal_column(f"'{option.name}'"): sa.literal_column(str(place)) for place, option in enumerate(field.options)
    }
    return Grouping(sa.case(places, value=column)) if places else column  # bracketed, as an index wants it


def id_bytes(text: str) -> bytes:
    return bytes.fromhex(text.replace("-", ""))


@lru_cache(maxsize=16_384)
def id_text(raw: bytes) -> str:
    """The canonical form of 16 bytes (RFC 9562, section 4), without the cost of a UUID object; the same few come often."""
    h = raw.hex()
    return f"{h[:8]}-{h[8:12]}-{h[12:16]}-{h[16:20]}-{h[20:]}"


def instant_text(moment: datetime) -> str:
    """UTC with six digits and a Z, always 27 characters: text order is time order."""
    plain = moment.astimezone(UTC).replace(tzinfo=None)
    return plain.isoformat(timespec="microseconds") + "Z"


def json_text(value: object) -> str:
    return msgspec.json.encode(value, order="deterministic").decode()


MICROSECOND = timedelta(microseconds=1)


def span(microseconds: int) -> timedelta:
    return timedelta(microseconds=microseconds)


TO_ANY: Mapping[Kept, Converter] = {
    "json": json_text,
    "files": json_text,
    "span": lambda value: value // MICROSECOND,
    "clock": time.isoformat,
    "list": list,
}
FROM_ANY: Mapping[Kept, Converter] = {
    "json": msgspec.json.decode,
    "files": lambda text: tuple(msgspec.json.decode(text)),
    "span": span,
    "clock": time.fromisoformat,
    "list": tuple,
}
TO_SQLITE: Mapping[Kept, Converter] = {
    "list": json_text,
    "id": id_bytes,
    "instant": instant_text,
    "day": date.isoformat,
    "flag": int,
}
FROM_SQLITE: Mapping[Kept, Converter] = {
    "list": lambda text: tuple(msgspec.json.decode(text)),
    "id": id_text,
    "instant": datetime.fromisoformat,
    "day": date.fromisoformat,
    "flag": bool,
}


def to_database(field: Field, dialect: DialectName) -> Converter:
    """What turns a field's value into what the driver binds."""
    places, kept = field.places, field.kind.kept
    if kept == "units":
        return lambda value: int(value.scaleb(places))
    return (TO_SQLITE.get(kept) if dialect == "sqlite" else None) or TO_ANY.get(kept)


def from_database(field: Field, dialect: DialectName) -> Converter:
    """What turns what the driver gives back into a field's value."""
    kept = field.kind.kept
    if kept == "units":
        return _scaled(field.places)
    return (FROM_SQLITE.get(kept) if dialect == "sqlite" else None) or FROM_ANY.get(kept)


def json_from_database(field: Field, dialect: DialectName) -> Converter:
    """What turns what the driver gives back into what JSON shows, without the value in between.

    A decimal is text with its places; an instant has a Z, and no fraction where there is none; a duration is in words.
    """
    kept = field.kind.kept
    if kept == "units":
        return _scaled_text(field.places)
    if kept == "instant":
        return short_instant if dialect == "sqlite" else None
    if kept in ("day", "clock"):
        return None
    if kept == "files" and not field.many:
        return lambda text: msgspec.Raw(json_text(msgspec.json.decode(text)[0]).encode())  # the only one, out of its list
    if kept == "span":
        return lambda microseconds: duration_words(span(microseconds))
    if kept == "count":
        return lambda count: counted(field, count)
    if kept in ("json", "files") or (kept == "list" and dialect == "sqlite"):
        return lambda text: msgspec.Raw(text.encode())
    return from_database(field, dialect)


def short_instant(text: str) -> str:
    return text[:19] + "Z" if text[20:26] == "000000" else text


def _scaled_text(places: int) -> Callable[[int], str]:
    @lru_cache(maxsize=4096)
    def text(whole: int) -> str:
        digits = f"{abs(whole):0{places + 1}d}"
        sign = "-" if whole < 0 else ""
        return f"{sign}{digits[:-places]}.{digits[-places:]}" if places else f"{sign}{digits}"

    return text


def _scaled(places: int) -> Callable[[int], Decimal]:
    exponent = -places

    @lru_cache(maxsize=4096)
    def decimal(whole: int) -> Decimal:
        return Decimal(whole).scaleb(exponent)

    return decimal


ID_FORM = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.ASCII)


def is_id(text: str) -> bool:
    """Whether a text is an id in its one canonical form."""
    return ID_FORM.fullmatch(text) is not None


def point(lat: float | None, lon: float | None) -> Point | None:
    return None if lat is None or lon is None else Point(lat, lon)


def json_point(lat: float | None, lon: float | None) -> dict[str, float] | None:
    return None if lat is None or lon is None else {"lat": lat, "lon": lon}


def bind_id(text: str, dialect: DialectName) -> object:
    return id_bytes(text) if dialect == "sqlite" else text


def bind_instant(moment: datetime, dialect: DialectName) -> object:
    return instant_text(moment) if dialect == "sqlite" else moment
