"""Whether an area covers a place. Whole numbers of a millionth of a degree (11 cm), so that every engine gives the same answer."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise
from typing import Any

MICRO = 1_000_000


@dataclass(frozen=True, slots=True)
class Point:
    """A place on earth in WGS 84 degrees (EPSG:4326)."""

    lat: float
    lon: float

    def __str__(self) -> str:
        return f"{self.lat}, {self.lon}"

    def as_json(self) -> dict[str, float]:
        return {"lat": self.lat, "lon": self.lon}


Number = int | Decimal


def point(lat: Number, lon: Number) -> Point:
    """Raises ValueError for what is not on earth."""
    if not (-90 <= lat <= 90 and -180 <= lon <= 180):
        raise ValueError("latitude -90 to 90, longitude -180 to 180")
    return Point(float(lat), float(lon))


def box(south: Number, west: Number, north: Number, east: Number) -> dict[str, Any]:
    """The area between two parallels and two meridians, as GeoJSON. Raises ValueError."""
    low, high = point(south, west), point(north, east)
    ring = [[low.lon, low.lat], [high.lon, low.lat], [high.lon, high.lat], [low.lon, high.lat], [low.lon, low.lat]]
    return {"type": "Polygon", "coordinates": [ring]}


def micro(degrees: float) -> int:
    """The nearest millionth of a degree, a half upwards."""
    return math.floor(degrees * MICRO + 0.5)


def covers(area: Mapping[str, Any], place: Point) -> bool:
    """Whether a polygon or multipolygon (RFC 7946, 3.1.6 and 3.1.7) covers a place. An edge is covered, that of a hole too."""
    x, y = micro(place.lon), micro(place.lat)
    return any(_covers(rings, x, y) for rings in polygons(area))


def polygons(area: Mapping[str, Any]) -> Sequence[Any]:
    """The polygons of an area, each a sequence of rings."""
    coordinates: Sequence[Any] = area["coordinates"]
    return [coordinates] if area["type"] == "Polygon" else coordinates


def _covers(rings: Iterable[Sequence[Sequence[float]]], x: int, y: int) -> bool:
    """Even and odd crossings of the ray to the east; a hole's crossings count alike."""
    inside = False
    for ring in rings:
        corners = [(micro(lon), micro(lat)) for lon, lat in ring]
        for (x1, y1), (x2, y2) in pairwise(corners):
            side = (x2 - x1) * (y - y1) - (x - x1) * (y2 - y1)
            if side == 0 and min(x1, x2) <= x <= max(x1, x2) and min(y1, y2) <= y <= max(y1, y2):
                return True
            if (y1 > y) != (y2 > y) and (side > 0) == (y2 > y1):
                inside = not inside
    return inside
