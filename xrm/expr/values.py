"""What the operators and functions do to Python values; None is null, unknown and error at once.

Every function here takes values that are not None and is total: what has no result gives None.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from decimal import ROUND_DOWN, ROUND_HALF_UP, Context, Decimal, DivisionByZero, Inexact, InvalidOperation, Overflow

STORED_LIMIT = 2**53
"""A stored whole number is smaller than this in magnitude (RFC 8259, section 6)."""

SCALED_LIMIT = 10**15
"""A stored decimal, counted in units of its last decimal, is smaller than this in magnitude."""

INT64_LIMIT = 2**63
"""A whole number on the way is smaller than this, as in CEL; past it is null."""

DECIMAL_LIMIT = Decimal(10) ** 28
"""A decimal is smaller than this in magnitude; past it is null."""

QUOTIENT_SCALE = 12
"""Decimals of what a decimal division gives, rounded half away from zero."""

DURATION_LIMIT = timedelta(days=3_652_059)
"""A duration is at most ten thousand years, as in CEL."""

_EXACT = Context(prec=100, traps=[Inexact, InvalidOperation, Overflow, DivisionByZero])
_ROUNDED = Context(prec=100, traps=[InvalidOperation, Overflow, DivisionByZero])
_QUOTIENT = Decimal(1).scaleb(-QUOTIENT_SCALE)

Number = int | Decimal


def fit_int(value: int) -> int | None:
    """The value, or None past 64 bits."""
    return value if -INT64_LIMIT <= value < INT64_LIMIT else None


def fit_decimal(value: Decimal) -> Decimal | None:
    """The value, or None past DECIMAL_LIMIT."""
    return value if abs(value) < DECIMAL_LIMIT else None


def fit_sum(value: Number, scale: int) -> Number | None:
    """A sum that a field of its type could hold, else None: `scale` is -1 for whole numbers."""
    limit = Decimal(STORED_LIMIT) if scale < 0 else Decimal(SCALED_LIMIT).scaleb(-scale)
    return value if -limit < value < limit else None


def add_exactly(left: Number, right: Number) -> Number:
    """Two parts of a sum, whose limit is asked at its end only, so that their order does not matter."""
    return left + right if isinstance(left, int) and isinstance(right, int) else _ROUNDED.add(Decimal(left), Decimal(right))


def add_int(left: int, right: int) -> int | None:
    return fit_int(left + right)


def subtract_int(left: int, right: int) -> int | None:
    return fit_int(left - right)


def multiply_int(left: int, right: int) -> int | None:
    return fit_int(left * right)


def divide_int(left: int, right: int) -> int | None:
    """Truncated toward zero, as in CEL, C and SQL; by zero is None."""
    if right == 0:
        return None
    quotient = abs(left) // abs(right)
    return fit_int(quotient if (left < 0) == (right < 0) else -quotient)


def remainder_int(left: int, right: int) -> int | None:
    """With the sign of the left side, as in CEL, C and SQL; by zero is None."""
    if right == 0:
        return None
    return abs(left) % abs(right) * (-1 if left < 0 else 1)


def negate_int(value: int) -> int | None:
    return fit_int(-value)


def add_decimal(left: Number, right: Number) -> Decimal | None:
    try:
        return fit_decimal(_EXACT.add(left, right))
    except ArithmeticError:
        return None


def subtract_decimal(left: Number, right: Number) -> Decimal | None:
    try:
        return fit_decimal(_EXACT.subtract(left, right))
    except ArithmeticError:
        return None


def multiply_decimal(left: Number, right: Number) -> Decimal | None:
    try:
        return fit_decimal(_EXACT.multiply(left, right))
    except ArithmeticError:
        return None


def divide_decimal(left: Number, right: Number) -> Decimal | None:
    """Rounded half away from zero to QUOTIENT_SCALE decimals; by zero is None."""
    try:
        quotient = _ROUNDED.divide(left, right)
        return fit_decimal(quotient.quantize(_QUOTIENT, ROUND_HALF_UP, _ROUNDED))
    except ArithmeticError:
        return None


def remainder_decimal(left: Number, right: Number) -> Decimal | None:
    """With the sign of the left side; by zero is None."""
    try:
        return _EXACT.remainder(left, right)
    except ArithmeticError:
        return None


def negate_decimal(value: Decimal) -> Decimal:
    return _EXACT.minus(value)


def absolute(value: Number) -> Number:
    return _EXACT.abs(value) if isinstance(value, Decimal) else abs(value)


def round_decimal(value: Number, places: int = 0) -> Decimal | None:
    """Rounded half away from zero to `places` decimals."""
    try:
        return Decimal(value).quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP, _ROUNDED)
    except ArithmeticError:
        return None


def truncate(value: Number) -> int | None:
    """The whole number toward zero."""
    return fit_int(int(Decimal(value).to_integral_value(ROUND_DOWN)))


def fit_duration(value: timedelta) -> timedelta | None:
    return value if -DURATION_LIMIT <= value <= DURATION_LIMIT else None


def add_duration(left: timedelta, right: timedelta) -> timedelta | None:
    return fit_duration(left + right)


def subtract_duration(left: timedelta, right: timedelta) -> timedelta | None:
    return fit_duration(left - right)


def multiply_duration(left: timedelta | int, right: timedelta | int) -> timedelta | None:
    """A duration times a whole number, in either order."""
    try:
        product: timedelta = left * right  # type: ignore[operator, assignment]
    except OverflowError:
        return None
    return fit_duration(product)


def days(count: int) -> timedelta | None:
    return fit_duration(timedelta(days=count)) if abs(count) <= DURATION_LIMIT.days else None


def shift(moment: date, by: timedelta) -> date | None:
    """A date or datetime moved by a duration; None outside the years 1 to 9999."""
    try:
        return moment + by
    except OverflowError:
        return None


def shift_back(moment: date, by: timedelta) -> date | None:
    return shift(moment, -by)


def shift_months(day: date, count: int) -> date | None:
    """A date moved by calendar months, clamped to the end of the month: 31 January + 1 is 28 or 29 February."""
    if abs(count) > 12 * 9999:
        return None
    whole = day.year * 12 + day.month - 1 + count
    year, month = whole // 12, whole % 12 + 1
    if not 1 <= year <= 9999:
        return None
    return day.replace(year=year, month=month, day=min(day.day, calendar.monthrange(year, month)[1]))


def shift_months_local(moment: datetime, count: int, zone: tzinfo) -> datetime | None:
    """An instant moved by calendar months on the wall clock of `zone`; gives UTC."""
    try:
        moved = shift_months(moment.astimezone(zone).replace(tzinfo=None, fold=0), count)
        return moved.replace(tzinfo=zone).astimezone(UTC) if isinstance(moved, datetime) else None
    except (OverflowError, ValueError):
        return None


_UNITS = {"w": 604_800_000_000, "d": 86_400_000_000, "h": 3_600_000_000, "m": 60_000_000, "s": 1_000_000, "ms": 1000, "us": 1}
_UNIT_WORDS = {"week": "w", "day": "d", "hour": "h", "hr": "h", "minute": "m", "min": "m", "second": "s", "sec": "s"}
_COUNT = r"(\d{1,20}(?:\.\d{1,6})?)"
_SHORT = re.compile(rf"{_COUNT}(us|ms|d|h|m|s)", re.ASCII)
_LONG = re.compile(rf"{_COUNT}\s*({'|'.join(_UNIT_WORDS)})s?(?:,?\s+(?:and\s+)?|$)", re.ASCII)
_ISO = re.compile(rf"P(?:{_COUNT}W)?(?:{_COUNT}D)?(?:T(?=\d)(?:{_COUNT}H)?(?:{_COUNT}M)?(?:{_COUNT}S)?)?", re.ASCII)
_MOST_DURATION = 64


def parse_duration(text: str) -> timedelta:
    """`36h`, `1d12h`, `-90m`, `1.5s`: CEL's form, and `d` for 24 hours.

    Raises ValueError with words for the person who wrote it.
    """
    return _summed(text, _short_parts)


def parse_length(text: str) -> timedelta:
    """A duration in `parse_duration`'s form, in words (`1 day 12 hours`), or in ISO 8601 (`PT36H`).

    A week has 7 days; months and years have no fixed length. Raises ValueError.
    """
    return _summed(text, _parts)


def _summed(text: str, parts_of: Callable[[str], list[tuple[str, str]]]) -> timedelta:
    parts = parts_of(text.removeprefix("-")) if len(text) <= _MOST_DURATION else []
    if not parts:
        raise ValueError(f"'{text[:_MOST_DURATION]}' is not a duration; write for example 36h, 1d12h or 90m")
    total = sum((Decimal(count) * _UNITS[unit] for count, unit in parts), Decimal(0))
    if total != total.to_integral_value():
        raise ValueError("a duration is exact to the microsecond")
    if total > DURATION_LIMIT // timedelta(microseconds=1):
        raise ValueError("a duration is at most 10000 years")
    return timedelta(microseconds=int(total)) * (-1 if text.startswith("-") else 1)


def _short_parts(body: str) -> list[tuple[str, str]]:
    return _SHORT.findall(body) if re.fullmatch(rf"(?:{_SHORT.pattern})+", body, re.ASCII) else []


def _parts(body: str) -> list[tuple[str, str]]:
    """Counts and units, in any of the three forms; empty for what has none of them."""
    short = _short_parts(body)
    if short:
        return short
    if re.fullmatch(rf"(?:{_LONG.pattern})+", body, re.ASCII):
        return [(count, _UNIT_WORDS[unit]) for count, unit in _LONG.findall(body)]
    iso = _ISO.fullmatch(body)
    return [(count, unit) for count, unit in zip(iso.groups(), "wdhms", strict=True) if count] if iso else []


def duration_words(value: timedelta) -> str:
    """`1 day 12 hours`: the largest units first, exact, as `parse_length` reads it."""
    left = abs(value) // timedelta(microseconds=1)
    words = []
    for unit, size in (("day", "d"), ("hour", "h"), ("minute", "m")):
        count, left = divmod(left, _UNITS[size])
        words += [f"{count} {unit}{'' if count == 1 else 's'}"] if count else []
    if left or not words:
        seconds = f"{Decimal(left) / _UNITS['s']:f}"
        words.append(f"{seconds} second{'' if seconds == '1' else 's'}")
    return ("-" if value < timedelta() else "") + " ".join(words)


def parse_time(text: str) -> time:
    """A time of the wall clock, `17:30` or `17:30:15` (ISO 8601). Raises ValueError."""
    if not re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d(:[0-5]\d)?", text, re.ASCII):
        raise ValueError(f"'{text}' is not a time; write for example 17:30")
    return time.fromisoformat(text)


def parse_timestamp(text: str) -> datetime:
    """An instant with its zone (RFC 3339, section 5.6), as UTC. Raises ValueError."""
    pattern = r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,6})?([Zz]|[+-]\d\d:\d\d)"
    if not re.fullmatch(pattern, text, re.ASCII):
        raise ValueError(f"'{text}' is not an instant; write for example 2026-03-02T09:00:00Z")
    try:
        return datetime.fromisoformat(text.upper()).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise ValueError(f"'{text}' is not in the calendar: {error}") from None


def parse_date(text: str) -> date:
    """A calendar date, `2026-03-02` (ISO 8601). Raises ValueError."""
    if not re.fullmatch(r"\d{4}-\d\d-\d\d", text, re.ASCII):
        raise ValueError(f"'{text}' is not a date; write for example 2026-03-02")
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise ValueError(f"'{text}' is not in the calendar: {error}") from None
