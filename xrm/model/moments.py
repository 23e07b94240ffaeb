"""Dates, times, moments and lengths of time, from what a caller sent."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta

from xrm.expr.values import parse_length, parse_time
from xrm.model.fields import Field
from xrm.model.misfits import Misfit


def as_date(field: Field, raw: object) -> date:
    if isinstance(raw, datetime):
        raise Misfit("must be a date without a time")
    if isinstance(raw, date):
        return raw
    try:
        if isinstance(raw, str) and re.fullmatch(r"\d{4}-\d\d-\d\d", raw.strip(), re.ASCII):
            return date.fromisoformat(raw.strip())
    except ValueError as error:
        raise Misfit(f"is not a date of the calendar: {error}") from None
    raise Misfit("must be a date", hint="for example 2026-03-02")


def as_time(field: Field, raw: object) -> time:
    if isinstance(raw, time) and raw.tzinfo is None:
        return raw.replace(microsecond=0)
    if not isinstance(raw, str):
        raise Misfit("must be a time", hint="for example 17:30")
    try:
        return parse_time(raw.strip())
    except ValueError:
        raise Misfit("must be a time of day", hint="for example 17:30 or 17:30:15") from None


BUSINESS = re.compile(r"(-?\d{1,9})(?:\s*business\s+(day|hour)s?)?", re.ASCII | re.IGNORECASE)
CALENDAR = re.compile(r"^-?P[\d.DW]*\d[YM]|\d ?(?:month|year)s?\b", re.ASCII | re.IGNORECASE)
"""A length with months or years, in words or in ISO 8601."""


def as_duration(field: Field, raw: object) -> timedelta | int:
    if field.unit:
        return _working_time(field, raw)
    if isinstance(raw, timedelta):
        return raw
    if not isinstance(raw, str):
        raise Misfit("must be a length of time", hint="for example 90 minutes or 1 day 12 hours")
    text = " ".join(raw.split())
    try:
        return parse_length(text if text.lstrip("-").startswith("P") else text.lower())
    except ValueError as error:
        if "business" in text.lower():
            raise Misfit("is exact: it has no business days or hours", hint="for example 90 minutes or 1 day 12 hours") from None
        if CALENDAR.search(text[:64]):
            raise Misfit("has months or years, which have no fixed length", hint="write days, for example 210 days") from None
        known = "is not a duration" not in str(error)
        message = str(error).removeprefix("a duration ") if known else "must be a length of time"
        raise Misfit(message, hint="for example 90 minutes or 1 day 12 hours") from None


def _working_time(field: Field, raw: object) -> int:
    """A count of the field's own unit; a number alone is one too."""
    unit = field.unit or ""
    example = f"for example {counted(field, 5)}"
    if isinstance(raw, int) and not isinstance(raw, bool):
        raw = str(raw)
    found = BUSINESS.fullmatch(raw.strip()) if isinstance(raw, str) else None
    if found is None:
        raise Misfit(f"must be a number of {unit}", hint=example)
    if found[2] and f"{found[2].lower()}s" not in unit:
        raise Misfit(f"is counted in {unit}", hint=example)
    return int(found[1])


def as_datetime(field: Field, raw: object) -> datetime:
    moment = raw
    if isinstance(raw, str):
        try:
            moment = datetime.fromisoformat(raw.strip())
        except ValueError:
            moment = None
    if not isinstance(moment, datetime):
        raise Misfit("must be a date and time", hint="for example 2026-03-02T09:00:00Z")
    if moment.tzinfo is None:
        raise Misfit("must say its zone", hint="for example 2026-03-02T09:00:00Z or …+01:00")
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise Misfit("is outside the years 1 to 9999") from None


def counted(field: Field, count: int) -> str:
    """``5 business days``"""
    unit = field.unit or ""
    return f"{count} {unit.removesuffix('s') if abs(count) == 1 else unit}"
