"""Whether an area covers a place. Whole numbers of a millionth of a degree (11 cm), so that every engine gives the same answer."""

from __future__ import annotations

import json
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


def edges(area: Mapping[str, Any]) -> list[tuple[int, int, int, int, int]]:
    """For a database: every edge as (polygon, x1, y1, x2, y2) in whole millionths, upward (y1 <= y2)."""
    found = []
    for polygon, rings in enumerate(polygons(area)):
        for ring in rings:
            corners = [(micro(lat), micro(lon)) for lon, lat in ring]
            for one, other in pairwise(corners):
                (y1, x1), (y2, x2) = sorted((one, other))
                found.append((polygon, x1, y1, x2, y2))
    return found


def shape(area: Mapping[str, Any]) -> str:
    """The edges as JSON text, as they lie in a column beside the area."""
    return json.dumps(edges(area), separators=(",", ":"))


@dataclass(frozen=True, slots=True)
class Bound:
    """One side of the box around an area, in whole millionths of a degree."""

    side: str

    def __call__(self, area: Mapping[str, Any]) -> int:
        axis = 0 if self.side in ("west", "east") else 1
        most = max if self.side in ("north", "east") else min
        return most(micro(position[axis]) for rings in polygons(area) for ring in rings for position in ring)


BOUNDS = tuple(Bound(side) for side in ("south", "west", "north", "east"))
"""The sides of the box in which a place has to lie before an area is looked at."""


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
