"""Which district covers a place: Python, SQLite and PostgreSQL agree, on edges and corners, in holes and beside them."""

import json
from typing import Any

from tests.support.application import Applications, Person
from xrm.expr.places import Point, covers, shape

DISTRICT = """
title: "{name}"
fields: {name: text, region: area}
access: {agent: [read, create, update, delete]}
"""
REQUEST = """
title: "{name}"
fields:
  name: text
  place: point
  district: {type: link, to: district, inverse: requests}
  inside: {compute: "=covers(district.region, place)"}
access: {agent: [read, create, update, delete]}
"""
SQUARE = [[0, 0], [10, 0], [10, 10], [0, 10], [0, 0]]
HOLE = [[4, 4], [4, 6], [6, 6], [6, 4], [4, 4]]
NOTCHED = [[20, 0], [30, 0], [25, 5], [30, 10], [20, 10], [20, 0]]
AREAS: dict[str, dict[str, Any]] = {
    "square": {"type": "Polygon", "coordinates": [SQUARE, HOLE]},
    "both": {"type": "MultiPolygon", "coordinates": [[[[x + 8, y - 5] for x, y in SQUARE]], [NOTCHED]]},
    "slanted": {"type": "Polygon", "coordinates": [[[-0.3, -0.1], [0.7, 0.2], [0.1, 0.9], [-0.3, -0.1]]]},
}
PLACES = [
    (1, 1), (5, 5), (5, 4), (4, 4), (0, 0), (10, 5), (0, 5), (5, 10), (5, 10.000001), (10.0000004, 5), (10.0000006, 5), (-0.000001, 5),
    (4, -1), (5, 15), (5, 25), (5, 25.000001), (5, 24.999999), (2, 28), (2, 28.000001), (10, 31), (0, 19), (3, 9), (0.05, 0.2), (-0.1, -0.3),
    (0.2, 0.7), (0.2, 0.700001), (0.55, 0.4), (0.4, -0.1), (-5, 8), (-5.0000005, 8), (-5.0000006, 8), (-5.00000049, 8), (90, 180), (-90, -180),
]  # fmt: skip


def filled(application: Applications) -> tuple[Person, dict[str, str], dict[str, str]]:
    ana = application({"district": DISTRICT, "request": REQUEST}).person("ana", "agent")
    districts = {name: ana.create("district", name=name, region=area).id for name, area in AREAS.items()}
    districts["none"] = ana.create("district", name="none").id
    requests = {str(n): ana.create("request", name=str(n), place={"lat": lat, "lon": lon}).id for n, (lat, lon) in enumerate(PLACES)}
    requests["nowhere"] = ana.create("request", name="nowhere").id
    return ana, districts, requests


def names(ana: Person, entity: str, condition: str) -> set[str]:
    return {str(row["name"]) for row in ana.all(entity, fields=("name",), filter=condition)}


def test_every_engine_agrees(application: Applications) -> None:
    """Areas of records about one place, places of records in one area, and what links to both."""
    ana, districts, requests = filled(application)
    for lat, lon in PLACES:
        wanted = {name for name, area in AREAS.items() if covers(area, Point(lat, lon))}
        place = f"point({lat:.8f}, {lon:.8f})"
        assert names(ana, "district", f"covers(region, {place})") == wanted, place
        if lat in (0, 5, 10):
            assert names(ana, "district", f"!covers(region, {place})") == set(AREAS) - wanted, place
    for name, area in AREAS.items():
        for id in requests.values():
            ana.update("request", id, None, district=districts[name])
        wanted = {str(n) for n, (lat, lon) in enumerate(PLACES) if covers(area, Point(lat, lon))}
        assert names(ana, "request", "covers(district.region, place)") == wanted
        assert names(ana, "request", "inside") == wanted
        assert names(ana, "request", "!covers(district.region, place)") == {str(n) for n in range(len(PLACES))} - wanted
        assert names(ana, "district", "requests.exists(r, covers(region, r.place))") == ({name} if wanted else set())
    south = {str(n) for n, (lat, lon) in enumerate(PLACES) if covers(box := square(-10, -10, 4, 4), Point(lat, lon))}
    assert south and box
    assert names(ana, "request", "covers(box(-10, -10, 4, 4), place)") == south
    assert names(ana, "request", "covers(box(-10, -10, 4, 4), place) == null") == {"nowhere"}


def square(south: float, west: float, north: float, east: float) -> dict[str, Any]:
    return {"type": "Polygon", "coordinates": [[[west, south], [east, south], [east, north], [west, north], [west, south]]]}


def test_what_is_kept_beside_an_area_follows_it(application: Applications) -> None:
    """Changed, emptied, and brought back: the edges are those of the area that is there now."""
    ana = application({"district": DISTRICT, "request": REQUEST}).person("ana", "agent")
    id = ana.create("district", name="one", region=square(0, 0, 1, 1)).id
    assert names(ana, "district", "covers(region, point(0.5, 1))") == {"one"}
    ana.update("district", id, None, region=square(5, 5, 6, 6))
    assert names(ana, "district", "covers(region, point(0.5, 1))") == set()
    assert names(ana, "district", "covers(region, point(6, 6))") == {"one"}
    ana.update("district", id, None, region=None)
    assert names(ana, "district", "covers(region, point(6, 6)) == null") == {"one"}
    assert json.loads(shape(square(0, 0, 1, 1)))[1] == [0, 1_000_000, 0, 1_000_000, 1_000_000]


FOUND = REQUEST.replace("inverse: requests", 'inverse: requests, find: "covers(region, this.place)"')


def test_a_place_finds_its_district(application: Applications) -> None:
    """The one that covers it: inside, on an edge, on a corner; none and two are told, and the link stays empty."""
    ana = application({"district": DISTRICT, "request": FOUND}).person("ana", "agent")
    west = ana.create("district", name="west", region=square(34.0, -118.4, 34.1, -118.3)).id
    east = ana.create("district", name="east", region=square(34.0, -118.3, 34.1, -118.2)).id
    ana.create("district", name="none")
    cases: list[tuple[float, float, str | None]] = [
        (34.05, -118.35, west), (34.05, -118.25, east), (34.0, -118.35, west), (34.1, -118.2, east), (34.05, -118.2999996, None),
        (34.05, -118.2999994, east), (34.05, -118.3, None), (34.1000006, -118.35, None), (34.1000004, -118.35, west), (10.0, 10.0, None),
    ]  # fmt: skip
    for lat, lon, wanted in cases:
        made = ana.create("request", name="x", place={"lat": lat, "lon": lon})
        assert made.record["district"] == wanted, (lat, lon)
        assert [(problem.code, problem.path) for problem in made.warnings] == ([] if wanted else [("XRM533", ("district",))]), (lat, lon)
    moved = ana.update("request", made.id, None, place={"lat": 34.05, "lon": -118.25})
    assert moved.record["district"] == east and moved.record["inside"] is True
