"""What a statement binds when it runs: the parts of an expression that read no column.

Each function here gives a closure of a record (not read) and a Moment, whose value is in the
database's own form.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from xrm.expr.python import Closure, closure
from xrm.expr.storage import BEYOND, Rounding, to_database, units_of
from xrm.expr.typed import Moment, Typed
from xrm.expr.types import Type


def bound_value(node: Typed, type_: Type, dialect: str, whole: bool) -> Closure:
    """The value itself; `whole` as for `closure`."""
    evaluate = closure(node, whole)

    def bound(row: Mapping[str, object], moment: Moment) -> object:
        return to_database(evaluate(row, moment), type_, dialect)

    return bound


def bound_part(node: Typed, part: Callable[[Any], object]) -> Closure:
    """What `part` makes of the value: text or a number."""
    evaluate = closure(node, whole=False)

    def bound(row: Mapping[str, object], moment: Moment) -> object:
        value = evaluate(row, moment)
        return None if value is None else part(value)

    return bound


def bound_number(node: Typed, scale: int, rounding: Rounding) -> Closure:
    """A number in units of `scale` decimals."""
    evaluate = closure(node, whole=False)

    def bound(row: Mapping[str, object], moment: Moment) -> object:
        value: Any = evaluate(row, moment)
        return None if value is None else units_of(value, scale, rounding)

    return bound


def bound_numbers(node: Typed, scale: int, dialect: str) -> Closure:
    """A list of numbers in units of `scale` decimals; those that lie between two units are left out."""
    evaluate = closure(node, whole=False)

    def bound(row: Mapping[str, object], moment: Moment) -> object:
        value: Any = evaluate(row, moment)
        if value is None:
            return None
        units = [units_of(item, scale, "exact") for item in value if item is not None]
        found = [item for item in units if abs(item) != BEYOND]
        return json.dumps(found) if dialect == "sqlite" else found

    return bound


def bound_refs(node: Typed) -> Closure:
    """SQLite: the ids of a list, one after the other, 16 bytes each; a BLOB cannot stand in JSON."""
    evaluate = closure(node, whole=False)

    def bound(row: Mapping[str, object], moment: Moment) -> object:
        value: Any = evaluate(row, moment)
        return None if value is None else b"".join(UUID(item).bytes for item in value if item is not None)

    return bound


def bound_ref_offsets(node: Typed) -> Closure:
    """SQLite: where each id of `bound_refs` begins, counted from 1, as a JSON array."""
    evaluate = closure(node, whole=False)

    def bound(row: Mapping[str, object], moment: Moment) -> object:
        value: Any = evaluate(row, moment)
        if value is None:
            return None
        count = sum(item is not None for item in value)
        return json.dumps([1 + 16 * place for place in range(count)])

    return bound
