"""The human number of a new record: the next of its series, past numbers that came in with imported history."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from xrm.errors import Invalid
from xrm.model.entity import NumberFormat
from xrm.service.context import Context
from xrm.service.reading import Query, list_records

if TYPE_CHECKING:
    from xrm.service.records import Intent


def number(ctx: Context, intent: Intent, values: Mapping[str, object]) -> str | None:
    """Taken before the transaction, in blocks, so that creates do not wait for each other; gaps are allowed."""
    form = ctx.service.application.entities[intent.entity].entity.number
    if form is None:
        return None
    if isinstance(given := values.get("number"), str):
        return given
    year = _year(ctx, values)
    return form.render(ctx.service.numbers.next(_series(intent.entity, form, year)), year)


def taken(intent: Intent, refused: Invalid) -> bool:
    """Whether a create was refused for a number that it did not choose itself."""
    return intent.action == "create" and "number" not in intent.values and all(p.path == ("number",) for p in refused.problems)


def pass_over(ctx: Context, intent: Intent) -> None:
    """Move the series past the highest number that stands. Numbers that history brought are not in the series' count."""
    form = ctx.service.application.entities[intent.entity].entity.number
    if form is None:
        return
    year = _year(ctx, intent.values)
    before, after = form.pattern.replace("{year}", f"{year:04d}").split(f"{{seq:{form.digits}}}")
    fits = re.compile(rf"{re.escape(before)}(\d{{{form.digits},15}}){re.escape(after)}", re.ASCII)
    rule = f"number.startsWith({_quoted(before)})" if before else None
    system, highest = ctx.as_system(), 0
    for deleted in (False, True):
        query = Query(intent.entity, ("number",), rule, "-number", limit=1, deleted=deleted)
        for row in list_records(system, query).rows:
            found = fits.fullmatch(row["number"])
            highest = max(highest, int(found[1]) if found else 0)
    ctx.service.numbers.pass_over(_series(intent.entity, form, year), highest)


def _series(entity: str, form: NumberFormat, year: int) -> str:
    return f"{entity}:{year}" if form.yearly else entity


def _year(ctx: Context, values: Mapping[str, object]) -> int:
    made = values.get("created_at")
    return (made if isinstance(made, datetime) else ctx.moment.now).astimezone(ctx.service.timezone).year


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
