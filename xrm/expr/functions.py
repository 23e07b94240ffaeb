"""The functions of the language, in one table; plugins add to it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

import re2

from xrm.expr import values
from xrm.expr.places import box, covers, point
from xrm.expr.typed import Constant, Moment, Typed, common_type
from xrm.expr.types import (
    ANY,
    AREA,
    BOOL,
    BUSINESS_DAYS,
    BUSINESS_HOURS,
    DATE,
    DATETIME,
    DAYS,
    DURATION,
    FILES,
    INT,
    MAX_SCALE,
    MONTHS,
    POINT,
    TEXT,
    TIME,
    Type,
    accepts,
    decimal,
    list_of,
    scale_of,
)

Param = Type | tuple[Type, ...]
"""The type of an argument, or the types it may have."""


@dataclass(frozen=True)
class Function:
    """A function: what it takes and gives, how Python computes it, and its documentation.

    `params` are the arguments in order, of which the last `optional` may be left out; a method's
    first is what stands before the dot. `result` is a type, or a function of the checked arguments
    that gives one (None when they do not go together). `call` gets the values, none of them None
    unless `nulls`; the Moment comes first when `moment`. What it gives as None, and a ValueError,
    ArithmeticError or LookupError it raises, is null. `sql` says whether the database evaluates it
    too: for True always, for names of types when the first argument has one of those. `literal` is
    how many of the last arguments must be literals; then a ValueError is a fault of the expression,
    found when it is checked, and `prepare` turns the last of them, once, into what `call` gets.
    `example` is an expression without fields, and `gives` its value as the reference page shows it.
    """

    name: str
    params: tuple[Param, ...]
    result: Type | Callable[[tuple[Typed, ...]], Type | None]
    call: Callable[..., Any]
    doc: str
    example: str
    gives: str = ""
    sql: bool | tuple[str, ...] = False
    method: bool = False
    optional: int = 0
    nulls: bool = False
    moment: bool = False
    literal: int = 0
    prepare: Callable[[str], object] | None = None
    standard: bool = False

    def runs_in_sql(self, arguments: tuple[Typed, ...]) -> bool:
        """Whether a database evaluates it with these arguments."""
        if isinstance(self.sql, bool):
            return self.sql
        return arguments[0].type.name in self.sql

    def accepts_at(self, position: int, given: Type) -> bool:
        """Whether an argument of this type may stand at this position."""
        wanted = self.params[position]
        return any(accepts(one, given) for one in (wanted if isinstance(wanted, tuple) else (wanted,)))

    @property
    def signature(self) -> str:
        """`text.startsWith(text)`, `round(decimal, int?)`: for messages and the reference page."""
        first_optional = len(self.params) - self.optional
        words = [_param_words(param) + ("?" if place >= first_optional else "") for place, param in enumerate(self.params)]
        if self.method:
            return f"{words[0]}.{self.name}({', '.join(words[1:])})"
        return f"{self.name}({', '.join(words)})"


def _param_words(param: Param) -> str:
    if not isinstance(param, tuple):
        return str(param)
    return " or ".join(str(one) for one in param) if len(param) <= 3 else "value"


_NUMBER = (INT, decimal())
_LIST = list_of(ANY)
_COMPARABLE = (INT, decimal(), TEXT, DATE, DATETIME, TIME, DURATION, BUSINESS_DAYS, BUSINESS_HOURS)


def _common(arguments: tuple[Typed, ...]) -> Type | None:
    return common_type(arguments[0], arguments[1])


def _extreme(arguments: tuple[Typed, ...]) -> Type | None:
    """Options go by their place, not by the alphabet: the smaller of two texts would mislead."""
    return None if any(argument.type.options for argument in arguments) else _common(arguments)


def _same(arguments: tuple[Typed, ...]) -> Type:
    return arguments[0].type


def _rounded(arguments: tuple[Typed, ...]) -> Type:
    places = arguments[1] if len(arguments) > 1 else None
    if places is None:
        return decimal(0)
    if isinstance(places, Constant) and isinstance(places.value, int):
        return decimal(max(0, places.value))
    return decimal(scale_of(arguments[0].type))


def _round(value: int | Decimal, places: int = 0) -> Decimal | None:
    if not 0 <= places <= MAX_SCALE:
        raise ValueError(f"a number is rounded to 0 to {MAX_SCALE} decimals")
    return values.round_decimal(value, places)


def _sum(items: list[Any]) -> int | Decimal | None:
    total: int | Decimal | None = 0
    for item in items:
        if item is not None and total is not None:
            total = values.add_decimal(total, item) if isinstance(item, Decimal) else values.add_int(int(total), item)
    return total


def _summed(arguments: tuple[Typed, ...]) -> Type | None:
    item = arguments[0].type.item
    return item if item and item.name in ("int", "decimal", "any") else None


def _coalesce(*given: Any) -> Any:
    return next((value for value in given if value is not None), None)


def _matches(text: str, pattern: Any) -> bool:
    return pattern.search(text) is not None


def compiled_pattern(pattern: str) -> Any:
    """The RE2 pattern: time linear in the text. Raises ValueError."""
    options = re2.Options()
    options.log_errors = False
    try:
        return re2.compile(pattern, options)
    except re2.error as error:
        reason = error.args[0] if error.args else error
        raise ValueError(f"not a pattern: {reason.decode() if isinstance(reason, bytes) else reason}") from None


def _date(moment: Moment, value: str | datetime) -> date:
    if isinstance(value, datetime):
        return value.astimezone(moment.tz).date()
    return values.parse_date(value)


def _time(moment: Moment, value: str | datetime) -> time:
    if isinstance(value, datetime):
        return value.astimezone(moment.tz).time().replace(microsecond=0)
    return values.parse_time(value)


def _counted(count: int) -> int | None:
    return count if abs(count) < values.STORED_LIMIT else None


def _local(moment: Moment, value: date) -> date:
    return value.astimezone(moment.tz) if isinstance(value, datetime) else value


_DATES = (DATE, DATETIME)
_IN_DATE_ONLY = ("date",)

_TABLE = (
    Function("now", (), DATETIME, lambda moment: moment.now, "The instant of the operation.", "now()", moment=True),
    Function("today", (), DATE, lambda moment: moment.today, "The date of the operation, in the application's zone.",
             "today()", moment=True),
    Function("timestamp", (TEXT,), DATETIME, values.parse_timestamp, "An instant, written with its zone.",
             'timestamp("2026-03-02T09:00:00+01:00")', "2026-03-02T08:00:00Z", literal=1),
    Function("date", ((TEXT, DATETIME),), DATE, _date, "A date, written out; or the date of an instant in the application's zone.",
             'date("2026-03-02")', "2026-03-02", moment=True, literal=1),
    Function("time", ((TEXT, DATETIME),), TIME, _time,
             "A time of the wall clock, written out; or that of an instant in the application's zone.",
             'time("17:30")', "17:30:00", moment=True, literal=1),
    Function("business_days", (INT,), BUSINESS_DAYS, _counted, "Business days, to compare with a duration in these.",
             "business_days(5)", "5"),
    Function("business_hours", (INT,), BUSINESS_HOURS, _counted, "Business hours, to compare with a duration in these.",
             "business_hours(3)", "3"),
    Function("duration", (TEXT,), DURATION, values.parse_duration, "A length of time in d, h, m, s, ms and us; d is 24 hours.",
             'duration("1d12h")', "36h", literal=1),
    Function("days", (INT,), DAYS, values.days, "Whole days, to move a date or an instant.",
             'date("2026-03-02") + days(3)', "2026-03-05"),
    Function("months", (INT,), MONTHS, lambda count: count,
             "Calendar months, to move a date or an instant; the day is clamped to the month's end.",
             'date("2026-01-31") + months(1)', "2026-02-28"),
    Function("year", (_DATES,), INT, lambda moment, value: _local(moment, value).year,
             "The year of a date, or of an instant in the application's zone.", 'year(date("2026-03-02"))', "2026",
             moment=True, sql=_IN_DATE_ONLY),
    Function("month", (_DATES,), INT, lambda moment, value: _local(moment, value).month,
             "The month, 1 to 12.", 'month(date("2026-03-02"))', "3", moment=True, sql=_IN_DATE_ONLY),
    Function("day", (_DATES,), INT, lambda moment, value: _local(moment, value).day,
             "The day of the month, 1 to 31.", 'day(date("2026-03-02"))', "2", moment=True, sql=_IN_DATE_ONLY),
    Function("size", ((TEXT, _LIST, FILES),), INT, len, "How many characters a text has, or items a list.", 'size("città")', "5", sql=True),
    Function("count", ((_LIST, FILES),), INT, lambda items: len(items or ()), "How many a list has, or how many files there are.",
             "count([1, 2.5])", "2", sql=True, nulls=True),
    Function("bytes", (FILES,), INT, lambda files: sum(file["size"] for file in files or ()),
             "How large files are together; without any it is 0.", "bytes(null)", "0", sql=True, nulls=True),
    Function("startsWith", (TEXT, TEXT), BOOL, str.startswith, "Whether a text begins with another.",
             '"pothole".startsWith("pot")', "true", sql=True, method=True),
    Function("endsWith", (TEXT, TEXT), BOOL, str.endswith, "Whether a text ends with another.",
             '"pothole".endsWith("hole")', "true", sql=True, method=True),
    Function("contains", (TEXT, TEXT), BOOL, str.__contains__, "Whether a text holds another; case counts.",
             '"pothole".contains("tho")', "true", sql=True, method=True),
    Function("matches", (TEXT, TEXT), BOOL, _matches, "Whether a part of a text matches an RE2 pattern, which must be a literal.",
             '"SR-2026-000001".matches("^SR-[0-9]{4}-")', "true", method=True, literal=1, prepare=compiled_pattern),
    Function("lower", (TEXT,), TEXT, str.lower, "The text in small letters.", 'lower("ÀB")', "àb"),
    Function("upper", (TEXT,), TEXT, str.upper, "The text in capital letters.", 'upper("àb")', "ÀB"),
    Function("abs", (_NUMBER,), _same, values.absolute, "The number without its sign.", "abs(-1.5)", "1.5", sql=True),
    Function("min", (_COMPARABLE, _COMPARABLE), _extreme, min,
             "The smaller of two numbers, texts, dates or durations.", "min(2, 1.5)", "1.5"),
    Function("max", (_COMPARABLE, _COMPARABLE), _extreme, max,
             "The larger of two numbers, texts, dates or durations.", "max(2, 1.5)", "2"),
    Function("round", (decimal(), INT), _rounded, _round, "Rounded to a number of decimals (0 if not said), half away from zero.",
             "round(2.345, 2)", "2.35", optional=1),
    Function("int", (_NUMBER,), INT, values.truncate, "The whole number toward zero.", "int(-2.7)", "-2", sql=True),
    Function("sum", (_LIST,), _summed, _sum, "The sum of a list of numbers; of nothing it is 0.", "sum([1, 2.5])", "3.5"),
    Function("coalesce", (ANY, ANY), _common, _coalesce, "The first, or the second when the first is null.",
             'coalesce(null, "none")', "none", sql=True, nulls=True),
    Function("covers", (AREA, POINT), BOOL, covers,
             "Whether an area covers a place; on its edge too.", "covers(box(34, -119, 35, -118), point(34.05, -118.25))", "true",
             sql=True),
    Function("point", (_NUMBER, _NUMBER), POINT, point, "A place, by its latitude and longitude in degrees.", "point(34.05, -118.25)",
             "34.05, -118.25"),
    Function("box", (_NUMBER, _NUMBER, _NUMBER, _NUMBER), AREA, box, "The area between south, west, north and east, in degrees.",
             "covers(box(34, -119, 35, -118), point(33, -118.25))", "false"),
    Function("has", (ANY,), BOOL, lambda value: value is not None, "Whether there is a value: the same as x != null.",
             'has("")', "false", sql=True, nulls=True),
)  # fmt: skip

STANDARD: Mapping[str, Function] = {function.name: replace(function, standard=True) for function in _TABLE}
"""The functions that every expression may use, by name."""
