"""The human number of a new record: the next of its series, past numbers that came in with imported history."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from xrm.errors import Invalid, NotFound, Problem
from xrm.model.entity import NumberFormat
from xrm.model.fields import Field
from xrm.model.misfits import Misfit
from xrm.model.values import coerce
from xrm.service.context import Context
from xrm.service.keys import given
from xrm.service.reading import Query, get_record, list_records
from xrm.store.database import Connection
from xrm.store.numbers import take

if TYPE_CHECKING:
    from xrm.service.records import Intent


@dataclass(frozen=True, slots=True)
class Draw:
    """A number without gaps, to be taken inside the transaction: its series, and what makes the number of a counter."""

    series: str
    render: Callable[[int], str]

    def take(self, connection: Connection) -> str:
        return self.render(take(connection, self.series))


def number(ctx: Context, intent: Intent, values: Mapping[str, object]) -> str | Draw | None:
    """Taken before the transaction, in blocks, so that creates do not wait for each other; gaps are allowed, or it is a ``Draw``.

    Raises:
        Invalid: what it is made from is empty (XRM501) or not there (XRM511).
    """
    form = ctx.service.application.entities[intent.entity].entity.number
    if form is None:
        return None
    if isinstance(given := values.get("number"), str):
        return given
    year, words = _year(ctx, values), _words(ctx, intent.entity, form, values)
    series = _series(intent.entity, form, year, words)
    if form.gapless or ctx.service.database.connection.busy:  # inside a transaction no other can begin
        return Draw(series, lambda counter: form.render(counter, year, words))
    return form.render(ctx.service.numbers.next(series), year, words)


def _words(ctx: Context, entity: str, form: NumberFormat, values: Mapping[str, object]) -> dict[str, str]:
    """What stands in the number's form, by its path: values that were given, or else their defaults."""
    made, connection = dict(values), ctx.service.database.connection
    said = all(path.partition(".")[0] in values for path in form.reads)
    for field, closure in () if said else ctx.service.application.entities[entity].rules.steps:
        if field.compute or field.name not in values:
            made[field.name] = given(ctx, connection, field, closure(made, ctx.moment))
    return {path: str(_word(ctx, entity, path, made)) for path in form.reads}


def _word(ctx: Context, entity: str, path: str, values: Mapping[str, object]) -> object:
    name, _, inner = path.partition(".")
    field = ctx.service.application.entities[entity].entity.fields[name]
    try:
        value = coerce(field, values.get(name))
        if inner and value is not None:
            value = get_record(ctx.as_system(), field.to or "", str(value), (inner,))[inner]
    except Misfit as misfit:
        raise Invalid(Problem("XRM502", f"{_label(ctx, field)} {misfit.message}", path=(name,), hint=misfit.hint)) from None
    except NotFound:
        raise Invalid(Problem("XRM511", "a linked record does not exist", path=(name,))) from None
    if value is None:
        raise Invalid(Problem("XRM501", f"{_label(ctx, field)} is required: the number is made from it", path=(name,)))
    return value


def _label(ctx: Context, field: Field) -> str:
    return ctx.service.application.model.words(field.label)


def taken(intent: Intent, refused: Invalid) -> bool:
    """Whether a create was refused for a number that it did not choose itself."""
    return intent.action == "create" and "number" not in intent.values and all(p.path == ("number",) for p in refused.problems)


def pass_over(ctx: Context, intent: Intent) -> None:
    """Move the series past the highest number that stands. Numbers that history brought are not in the series' count."""
    form = ctx.service.application.entities[intent.entity].entity.number
    if form is None:
        return
    year, words = _year(ctx, intent.values), _words(ctx, intent.entity, form, intent.values)
    before, after = form.around(year, words)
    ending = re.sub(r"\\{check:\w+\\}", r"\\d{1,2}", re.escape(after))
    fits = re.compile(rf"{re.escape(before)}(\d{{{form.digits},15}}){ending}", re.ASCII)
    rule = f"number.startsWith({_quoted(before)})" if before else None
    system, highest = ctx.as_system(), 0
    for deleted in (False, True):
        query = Query(intent.entity, ("number",), rule, "-number", limit=1, deleted=deleted)
        for row in list_records(system, query).rows:
            found = fits.fullmatch(row["number"])
            highest = max(highest, int(found[1]) if found else 0)
    ctx.service.numbers.pass_over(_series(intent.entity, form, year, words), highest)


def _series(entity: str, form: NumberFormat, year: int, words: Mapping[str, str]) -> str:
    """The name of a counter: one for each year, and for each value of what else stands in the number."""
    return ":".join((entity, *([str(year)] if form.yearly else []), *words.values()))


def _year(ctx: Context, values: Mapping[str, object]) -> int:
    made = values.get("created_at")
    return (made if isinstance(made, datetime) else ctx.moment.now).astimezone(ctx.service.timezone).year


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
