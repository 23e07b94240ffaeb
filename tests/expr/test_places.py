"""Areas and places: what is covered, to the millionth of a degree, on edges, in holes and beside them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.expr.samples import checked, value
from xrm.expr import ExpressionError
from xrm.expr.places import Point, box, covers

SQUARE = [[0, 0], [10, 0], [10, 10], [0, 10], [0, 0]]
HOLE = [[4, 4], [6, 4], [6, 6], [4, 6], [4, 4]]
NOTCHED = [[20, 0], [30, 0], [25, 5], [30, 10], [20, 10], [20, 0]]
AREA = {"type": "MultiPolygon", "coordinates": [[SQUARE, HOLE], [NOTCHED]]}


@pytest.mark.parametrize(
    ("lat", "lon", "inside"),
    [
        (1, 1, True), (5, 5, False), (5, 4, True), (4, 4, True), (0, 0, True), (10, 5, True), (0, 5, True), (5, 10, True), (5, 10.000001, False),
        (10.0000004, 5, True), (10.0000006, 5, False), (-0.000001, 5, False), (4, -1, False), (5, 15, False), (5, 25, True), (5, 25.000001, False),
        (5, 24.999999, True), (2, 28, True), (2, 28.000001, False), (10, 31, False), (0, 31, False), (0, 19, False),
    ],
)  # fmt: skip
def test_what_an_area_covers(lat: float, lon: float, inside: bool) -> None:
    """Edges and corners belong to it, those of a hole too; a ray through a corner counts once."""
    assert covers(AREA, Point(lat, lon)) is inside
    turned = {"type": "MultiPolygon", "coordinates": [[list(reversed(ring)) for ring in rings] for rings in AREA["coordinates"]]}
    assert covers(turned, Point(lat, lon)) is inside


DEGREES = st.integers(-80_000_000, 80_000_000)


@given(DEGREES, DEGREES, DEGREES, DEGREES, DEGREES, DEGREES)
def test_a_box_is_its_bounds(a: int, b: int, c: int, d: int, lat: int, lon: int) -> None:
    """Compared in whole millionths, without rounding."""
    (south, north), (west, east) = sorted((a, b)), sorted((c, d))
    made = box(*(n / 1_000_000 for n in (south, west, north, east)))  # type: ignore[arg-type]  # floats, as a driver gives them
    assert covers(made, Point(lat / 1_000_000, lon / 1_000_000)) is (south <= lat <= north and west <= lon <= east)


def test_covers_in_expressions() -> None:
    """Null where either is; what is not on earth is a fault; a database is asked of fields and bound values, never of a choice of places."""
    assert value("covers(box(0, 0, 1, 1), point(1, 0.5))") is True
    assert value("covers(box(0, 0, 1, 1), place)") is None
    assert value("covers(box(0, 0, 1, 1), place)", place=Point(0.5, 2)) is False
    with pytest.raises(ExpressionError, match="latitude"):
        checked("covers(box(0, 0, 91, 1), place)")
    assert checked("covers(box(0, 0, 1, 1), place)").sql_faults == ()
    chosen = checked("covers(box(0, 0, 1, 1), a > 1 ? place : point(0, 0))")
    assert [fault.code for fault in chosen.sql_faults] == ["XRM307"]
