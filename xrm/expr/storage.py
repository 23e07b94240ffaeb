"""How a value of each type lies in each database, for binding on a driver's own connection."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, Literal
from uuid import UUID

from xrm.expr.types import Type, scale_of
from xrm.expr.values import INT64_LIMIT

Dialect = Literal["sqlite", "postgresql"]
Rounding = Literal["exact", "floor", "ceiling"]

BEYOND = INT64_LIMIT - 1
"""A number that no field and no result in the database equals: it stands for one that does not fit."""


def to_database(value: object, type_: Type, dialect: str) -> object:
    """The value as it lies in the database, ready for the driver; None stays None.

    | type     | SQLite                                  | PostgreSQL         |
    |----------|-----------------------------------------|--------------------|
    | text     | TEXT                                    | TEXT COLLATE "C"   |
    | int      | INTEGER                                 | BIGINT             |
    | decimal  | INTEGER, value x 10**scale              | BIGINT, the same   |
    | bool     | INTEGER 0 or 1                          | BOOLEAN            |
    | date     | TEXT YYYY-MM-DD                         | DATE               |
    | datetime | TEXT YYYY-MM-DDTHH:MM:SS.ffffffZ        | TIMESTAMPTZ        |
    | time     | TEXT HH:MM:SS                           | TEXT, the same     |
    | duration | INTEGER, microseconds                   | BIGINT, the same   |
    | business days, hours | INTEGER, their count        | BIGINT, the same   |
    | ref      | BLOB of 16 bytes                        | UUID               |
    | list     | TEXT, a JSON array; refs as 32 hex digits | an array         |

    Raises ValueError when a decimal has more decimals than its type, or the type has no such form.
    """
    if value is None:
        return None
    if type_.name == "list":
        return _list(value, type_, dialect)
    return _scalar(value, type_, dialect)


def _scalar(value: Any, type_: Type, dialect: str) -> object:
    if type_.name == "decimal":
        return exact_units(value, type_)
    if type_.name in ("duration", "days"):
        return value // timedelta(microseconds=1)
    if type_.name == "time":
        return time.isoformat(value, timespec="seconds")
    if dialect == "sqlite":
        return _in_sqlite(value, type_)
    return value


def _in_sqlite(value: Any, type_: Type) -> object:
    match type_.name:
        case "bool":
            return int(value)
        case "ref":
            return UUID(value).bytes
        case "datetime":
            return _instant(value)
        case "date":
            return date.isoformat(value)
        case _:
            return value


def _instant(value: datetime) -> str:
    return value.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def _list(value: Any, type_: Type, dialect: str) -> object:
    item = type_.item
    if item is None:
        raise ValueError("a list of nothing known has no form in the database")
    present = [element for element in value if element is not None]
    if dialect == "sqlite":
        return json.dumps([_element(element, item) for element in present], ensure_ascii=False)
    return [_scalar(element, item, dialect) for element in present]


def _element(value: Any, item: Type) -> object:
    """A value inside a JSON array."""
    return UUID(value).hex if item.name == "ref" else _scalar(value, item, "sqlite")


def exact_units(value: int | Decimal, type_: Type) -> int:
    """A number in units of its type's last decimal; raises ValueError when it does not fit exactly."""
    scale = scale_of(type_)
    units = None if scale is None else units_of(value, scale, "exact")
    if units in (None, BEYOND):
        raise ValueError(f"{value} has no exact form with {scale} decimals")
    assert units is not None
    return units


def units_of(value: int | Decimal, scale: int, rounding: Rounding) -> int:
    """A number in units of `scale` decimals, for a comparison with a column that has these.

    With `x < 1.005` and a column of two decimals, the column's units are compared with 101, rounded up.
    "exact" gives BEYOND for what lies between two units; what is past 64 bits is clamped to BEYOND.
    """
    numerator, denominator = value.as_integer_ratio()
    factor: int = 10**scale
    units, rest = divmod(numerator * factor, denominator)
    if rest and rounding == "exact":
        return BEYOND
    return max(-BEYOND, min(BEYOND, units + (1 if rest and rounding == "ceiling" else 0)))
