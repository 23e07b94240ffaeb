"""Whether an area covers a place, as SQL: the same whole numbers as ``xrm.expr.places``, so that all engines agree on every edge."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from xrm.expr.storage import Dialect

Element = sa.ColumnElement[Any]

ZERO, ONE, TWO = (sa.literal_column(digit, sa.BigInteger()) for digit in "012")


def covered(area: Sequence[Element], x: Element, y: Element, dialect: Dialect) -> Element:
    """``area``: its edges as JSON text (``places.shape``), then its box: south, west, north, east. Null where either is.

    The box is asked first: CASE keeps the order, so that edges are read only where the place is near.
    """
    shape, south, west, north, east = area
    beside = sa.or_(y < south, y > north, x < west, x > east)
    missing = sa.or_(shape.is_(None), x.is_(None), y.is_(None))
    null = sa.null() if dialect == "sqlite" else sa.cast(sa.null(), sa.Boolean())
    return sa.case((missing, null), (beside, sa.false()), else_=_inside(shape, x, y, dialect))


def _inside(shape: Element, x: Element, y: Element, dialect: Dialect) -> Element:
    """Of one polygon: on an edge, or an odd number of edges to the east; those of a hole count alike."""
    if dialect == "sqlite":
        edges = sa.func.json_each(shape).table_valued("value", joins_implicitly=True).alias()
    else:
        edges = sa.func.jsonb_array_elements(sa.cast(shape, postgresql.JSONB)).table_valued("value", joins_implicitly=True).alias()
    polygon, x1, y1, x2, y2 = (_number(edges.c.value, place, dialect) for place in range(5))
    side = (x2 - x1) * (y - y1) - (x - x1) * (y2 - y1)
    on = sa.and_(side == ZERO, sa.or_(sa.and_(x1 <= x, x <= x2), sa.and_(x2 <= x, x <= x1)))
    crossed = sa.and_(y < y2, side > ZERO)
    found = sa.select(ONE).select_from(edges).where(y1 <= y, y <= y2).group_by(polygon)
    odd = sa.func.sum(sa.case((crossed, ONE), else_=ZERO)).op("%")(TWO) == ONE
    found = found.having(sa.or_(sa.func.max(sa.case((on, ONE), else_=ZERO)) == ONE, odd))
    return sa.exists(found.correlate_except(edges))


def _number(edge: Element, place: int, dialect: Dialect) -> Element:
    if dialect == "sqlite":
        return sa.func.json_extract(edge, sa.literal_column(f"'$[{place}]'"), type_=sa.BigInteger())
    return sa.cast(sa.func.jsonb_extract_path_text(edge, sa.literal_column(f"'{place}'")), sa.BigInteger())
