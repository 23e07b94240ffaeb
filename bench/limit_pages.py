"""The pages of the hand-written services: two Jinja templates with the markup of xrm's own pages, and what they need.

All that does not vary (navigation, headings, options of choices) stands in the templates as it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

ZONE = ZoneInfo("America/Los_Angeles")
MONTHS = ("", "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
NONE = Markup('<span class="none">–</span>')
STATES = {
    name: Markup(f'<span class="badge {tone}">{label}</span>')  # noqa: S704 (our own words)
    for name, label, tone in (
        ("new", "New", "info"), ("triaged", "Triaged", "info"), ("in_progress", "In progress", "info"), ("closed", "Closed", "ok"),
    )
}  # fmt: skip
PRIORITIES = (("low", "Low"), ("normal", "Normal"), ("high", "High"), ("urgent", "Urgent"))
SHOWN_PRIORITIES = {
    "low": "Low",
    "normal": "Normal",
    "high": Markup('<span class="badge warn">High</span>'),
    "urgent": Markup('<span class="badge danger">Urgent</span>'),
}
CHANNELS = (
    ("phone", "Telephone"), ("web", "Web form"), ("app", "Mobile app"), ("email", "Email"), ("counter", "At the counter"),
    ("crew", "Seen by a crew"),
)  # fmt: skip
MOST_COUNTED = 1000


def near(value: Any, today: date) -> Markup:
    """An instant, as short as is clear: the time today, the day this year, else the date."""
    moment = datetime.fromisoformat(value) if isinstance(value, str) else value
    local = moment.astimezone(ZONE)
    if local.date() == today:
        shown = f"{local.hour % 12 or 12}:{local.minute:02}\u202f{'AM' if local.hour < 12 else 'PM'}"
    else:
        shown = f"{MONTHS[local.month]} {local.day}" + ("" if local.year == today.year else f", {local.year}")
    return Markup(f'<time datetime="{moment.isoformat()}">{shown}</time>')  # noqa: S704 (digits and names of months)


def day(value: Any) -> Markup:
    if value is None:
        return NONE
    its = date.fromisoformat(value) if isinstance(value, str) else value
    return Markup(f'<time datetime="{its}">{MONTHS[its.month]} {its.day}, {its.year}</time>')  # noqa: S704 (as above)


def money(cents: int | None) -> str:
    return NONE if cents is None else f"${cents / 100:,.2f}"


def minute(value: Any) -> str:
    """An instant as an input of a local time takes it."""
    if value is None:
        return ""
    moment = datetime.fromisoformat(value) if isinstance(value, str) else value
    return str(moment.astimezone(ZONE).strftime("%Y-%m-%dT%H:%M"))


def amount(value: int | None, places: int) -> str:
    return "" if value is None else f"{value / 10**places:.{places}f}"


_environment = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"), autoescape=True, undefined=StrictUndefined, auto_reload=False
)
_environment.globals.update(priorities=PRIORITIES, channels=CHANNELS, minute=minute, amount=amount)
_list, _form = _environment.get_template("list.html"), _environment.get_template("form.html")


def list_page(rows: Sequence[Any], following: str | None, count: int) -> str:
    """``rows``: id, number, category, address, district, state, priority, created_at, due_on, cost."""
    today = datetime.now(ZONE).date()
    shown = [
        (id, number, category, address, district, STATES[state], SHOWN_PRIORITIES[priority], near(opened, today), day(due), money(cost))
        for id, number, category, address, district, state, priority, opened, due, cost in rows
    ]
    counted = f"more than {MOST_COUNTED:,}" if count > MOST_COUNTED else f"{count:,}"
    return _list.render(rows=shown, next=following, count=counted)


def form_page(record: Any, requester: str | None, categories: Sequence[Any], districts: Sequence[Any]) -> str:
    """``record``: the fields of a request as attributes or keys; the others: (id, name) to choose from."""
    return _form.render(r=record, requester=requester, categories=categories, districts=districts, token="none")  # noqa: S106
