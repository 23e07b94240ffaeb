"""Points and areas, from what a caller sent."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from xrm.expr.places import MICRO, Point, micro
from xrm.model.fields import Field
from xrm.model.misfits import Misfit, plain_number


def as_point(field: Field, raw: object) -> Point:
    if isinstance(raw, Point):
        return raw
    pair: tuple[object, object] | None = None
    if isinstance(raw, str):
        parts = raw.strip().strip("()").split(",")
        pair = (parts[0], parts[1]) if len(parts) == 2 else None
    elif isinstance(raw, Mapping) and set(raw) == {"lat", "lon"}:
        pair = (raw["lat"], raw["lon"])
    if pair is None:
        raise Misfit("must be a place", hint="latitude, longitude; for example 34.0522, -118.2437")
    lat, lon = (float(plain_number(part)) for part in pair)
    if abs(lat) > 90 or abs(lon) > 180:
        raise Misfit("is not a place on earth", hint="latitude -90 to 90, longitude -180 to 180")
    return Point(lat, lon)


def as_area(field: Field, raw: object) -> dict[str, object]:
    """A polygon or multipolygon (RFC 7946), or a feature that has one; longitude first, heights are left out."""
    try:
        raw = msgspec.json.decode(raw) if isinstance(raw, str) else raw
    except msgspec.DecodeError:
        raise Misfit("must be GeoJSON", hint=AREA_HINT) from None
    if isinstance(raw, Mapping) and raw.get("type") == "Feature":
        raw = raw.get("geometry")
    if not isinstance(raw, Mapping) or raw.get("type") not in ("Polygon", "MultiPolygon") or not _filled(raw.get("coordinates")):
        raise Misfit("must be a polygon or multipolygon in GeoJSON", hint=AREA_HINT)
    inner = raw["coordinates"]
    if sum(len(str(position)) for position in inner) > AREA_LIMIT:
        raise Misfit(f"is too large an area; {AREA_LIMIT:,} characters are the most")
    if raw["type"] == "Polygon":
        return {"type": "Polygon", "coordinates": _polygon(inner)}
    return {"type": "MultiPolygon", "coordinates": [_polygon(rings) for rings in inner]}


AREA_LIMIT = 1_000_000
AREA_HINT = 'for example {"type": "Polygon", "coordinates": [[[-118.3, 34.0], [-118.2, 34.0], [-118.2, 34.1], [-118.3, 34.0]]]}'


def _filled(raw: object) -> bool:
    return isinstance(raw, list | tuple) and bool(raw)


def _polygon(raw: object) -> list[list[list[float]]]:
    if not isinstance(raw, list | tuple) or not raw:
        raise Misfit("has a polygon without a ring", hint=AREA_HINT)
    return [_ring(ring) for ring in raw]


def _ring(raw: object) -> list[list[float]]:
    """Closed, of four positions or more (RFC 7946, section 3.1.6)."""
    if not isinstance(raw, list | tuple) or len(raw) < 4:
        raise Misfit("has a ring of fewer than four positions", hint=AREA_HINT)
    ring = [_position(position) for position in raw]
    if ring[0] != ring[-1]:
        raise Misfit("has a ring that does not end where it begins", hint="repeat its first position at the end")
    return ring


def _position(raw: object) -> list[float]:
    if not isinstance(raw, list | tuple) or not 2 <= len(raw) <= 3:
        raise Misfit("has a position that is not [longitude, latitude]", hint=AREA_HINT)
    lon, lat = (float(plain_number(part)) for part in raw[:2])
    if abs(lat) > 90 or abs(lon) > 180:
        raise Misfit("has a position that is not on earth", hint="longitude -180 to 180 first, then latitude -90 to 90")
    return [micro(lon) / MICRO, micro(lat) / MICRO]
