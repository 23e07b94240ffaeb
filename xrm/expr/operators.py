"""Which types the operators take, and what they give."""

from __future__ import annotations

from xrm.expr.types import (
    DATE,
    DATETIME,
    DAYS,
    DURATION,
    INT,
    MAX_SCALE,
    NULL,
    NUMBERS,
    OPAQUE,
    ORDERED,
    SPANS,
    TEXT,
    Type,
    decimal,
    scale_of,
)
from xrm.expr.values import QUOTIENT_SCALE

_MOVES = SPANS | {"months"}


def arithmetic(operator: str, left: Type, right: Type) -> Type | None:
    """What `left operator right` gives, or None when they do not go together."""
    if left.name in NUMBERS and right.name in NUMBERS:
        return _number(operator, left, right)
    if left.name == right.name == "text":
        return TEXT if operator == "+" else None
    if left.name in SPANS or right.name in SPANS or "months" in (left.name, right.name):
        return _span(operator, left, right)
    if operator == "-" and left == right and left in (DATE, DATETIME):
        return DAYS if left == DATE else DURATION
    return None


def _number(operator: str, left: Type, right: Type) -> Type:
    if left.name == right.name == "int":
        return INT
    scales = (scale_of(left), scale_of(right))
    if scales[0] is None or scales[1] is None:
        return decimal()
    if operator == "/":
        return decimal(QUOTIENT_SCALE)
    return decimal(scales[0] + scales[1] if operator == "*" else max(scales[0], scales[1]))


def _span(operator: str, left: Type, right: Type) -> Type | None:
    if left.name in SPANS and right.name in SPANS and operator in "+-":
        return DAYS if left == right == DAYS else DURATION
    if operator == "*":
        return _times(left, right) or _times(right, left)
    if operator == "+" and left.name in _MOVES:
        left, right = right, left
    if operator in "+-" and right.name in _MOVES:
        return _moved(left, right)
    return None


def _times(left: Type, right: Type) -> Type | None:
    return left if left.name in SPANS and right == INT else None


def _moved(moment: Type, by: Type) -> Type | None:
    if moment == DATETIME:
        return DATETIME
    return DATE if moment == DATE and by != DURATION else None


def arithmetic_hint(operator: str, left: Type, right: Type) -> str | None:
    """What to write instead of arithmetic that has no type."""
    names = {left.name, right.name}
    if "null" in names:
        return "null with an operator is always null; coalesce(a, 0) replaces it"
    if names == {"date", "duration"}:
        return "a date moves by whole days: days(3)"
    if "int" in names and names & {"date", "datetime"}:
        return 'write days(3) or duration("36h")'
    if names == {"date", "datetime"}:
        return "date(x) is the date of an instant"
    if "text" in names and operator == "+":
        return "only texts are joined with +"
    return None


def too_fine(result: Type) -> bool:
    """Whether a decimal has more decimals than the language keeps."""
    return result.name == "decimal" and (result.scale or 0) > MAX_SCALE


def comparable(left: Type, right: Type) -> bool:
    """Whether == and != go between them."""
    if "any" in (left.name, right.name) or NULL in (left, right):
        return True
    if left.name in NUMBERS and right.name in NUMBERS:
        return True
    if left.name in SPANS and right.name in SPANS:
        return True
    return left.name == right.name and left.name not in OPAQUE


def orderable(left: Type, right: Type) -> bool:
    """Whether < <= > >= go between them."""
    if "any" in (left.name, right.name):
        return True
    return comparable(left, right) and left.name in ORDERED and right.name in ORDERED


def comparison_hint(operator: str, left: Type, right: Type) -> str | None:
    """What to write instead of a comparison that has no meaning."""
    names = {left.name, right.name}
    return _literal_hint(names) or _other_hint(operator, names)


def result_hint(given: Type, wanted: Type) -> str | None:
    """How a value becomes one of the type that a place wants."""
    if (given.name, wanted.name) == ("datetime", "date"):
        return "write today() for now(), and date(x) for the day of an instant"
    if given.name == "ref":
        return "read a field of the linked record, such as .title"
    return "choose with test ? then : otherwise" if given.name == "bool" else None


def _literal_hint(names: set[str]) -> str | None:
    """How a value of one type is written out beside the other."""
    if "null" in names:
        return "a comparison with null is never true; write == null or != null"
    if names == {"date", "datetime"}:
        return "date(x) is the date of an instant"
    if names in ({"date", "text"}, {"date", "int"}):
        return 'write a date as date("2026-03-02")'
    if names == {"datetime", "text"}:
        return 'write an instant as timestamp("2026-03-02T09:00:00Z")'
    if names == {"time", "text"}:
        return 'write a time as time("17:30")'
    if names == {"time", "datetime"}:
        return "time(x) is the time of an instant"
    if any(name.startswith("business") for name in names):
        return "business days and hours compare with their own kind: business_days(5), business_hours(3)"
    if names in ({"duration", "text"}, {"days", "text"}):
        return 'write a duration as duration("36h")'
    return None


def _other_hint(operator: str, names: set[str]) -> str | None:
    if names in ({"bool"}, {"bool", "int"}):
        return "write a < b && b < c" if operator not in ("==", "!=") else None
    if "ref" in names and "text" in names:
        return "compare a field of the linked record, such as .code, with a text"
    if "text" in names and names & (NUMBERS | {"bool"}):
        return "write numbers, true and false without quotes, and texts with quotes"
    if "list" in names:
        return "write x in list, or size(list) == 0"
    if "collection" in names:
        return "ask it: count(x) > 0, sum(x.amount), exists(x, amount > 5)"
    return None
