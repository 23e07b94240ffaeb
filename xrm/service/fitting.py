"""Links that find their record by themselves, and whether a chosen record fits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from xrm.compile.application import CompiledEntity
from xrm.compile.columns import id_text
from xrm.compile.constraints import EMPTY
from xrm.compile.fitting import Fit, Search, this_paths, with_this
from xrm.compile.in_hand import InHand
from xrm.errors import Problem
from xrm.expr import Moment
from xrm.model.fields import TARGET, Field
from xrm.model.values import MOST_ROWS
from xrm.service.context import Context
from xrm.service.locking import linked_to
from xrm.store.database import Connection


def filled_in(
    ctx: Context,
    connection: Connection,
    compiled: CompiledEntity,
    before: Mapping[str, Any] | None,
    row: dict[str, Any],
    warnings: list[Problem],
) -> bool:
    """Fill in the empty links whose ``find`` fits exactly one record, and lists of links with all that fit: whether any was.
    ``warnings`` gets those that fit none or too many.

    A record that stands is looked for again only when something that ``find`` reads has changed.
    """
    filled = False
    for fit in compiled.fits:
        if fit.find is None or row.get(fit.field.name) not in EMPTY or not _asks(fit, before, row):
            continue
        moment = with_this(ctx.moment, {*fit.reads, *this_paths(fit.field.filter)}, row)
        ids = [id for search in fit.searches for id in _ids(connection, fit, search, moment)]
        why = _why_not(fit.field, ids)
        if why is None:
            row[fit.field.name] = tuple({"id": None, TARGET: id} for id in ids) if fit.field.each else ids[0]
            filled = True
        else:
            label = ctx.service.application.model.words(fit.field.label)
            warnings.append(Problem("XRM533", f"{label} was left empty: {why}", path=(fit.field.name,), severity="warning"))
    return filled


def _why_not(field: Field, ids: Sequence[str]) -> str | None:
    """Why a link stays empty. A list takes as many as it may have, all or none."""
    if not ids:
        return "no record fits"
    most = min(field.maximum, MOST_ROWS) if isinstance(field.maximum, int) else MOST_ROWS
    if field.each:
        return f"more than {most:,} records fit" if len(ids) > most else None
    return "more than one record fits" if len(ids) > 1 else None


def _asks(fit: Fit, before: Mapping[str, Any] | None, row: Mapping[str, Any]) -> bool:
    """Whether there is something to look by, and it is new."""
    if fit.reads and all(row.get(path) is None for path in fit.reads):
        return False
    roots = {path.partition(".")[0] for path in fit.reads}
    return before is None or any(before.get(name) != row.get(name) for name in roots)


def _ids(connection: Connection, fit: Fit, search: Search, moment: Moment) -> Sequence[str]:
    rows = connection.all(search.statement.sql, search.statement.bind({}, moment))
    if search.decode is None:
        return [_text(row[0]) for row in rows]
    found = [record["id"] for record in map(search.decode, rows) if fit.find is not None and fit.find(record, moment) is True]
    return found if fit.field.each else found[:2]


def _text(id: object) -> str:
    return id_text(id) if isinstance(id, bytes) else str(id)


def unfit(
    ctx: Context, connection: Connection, compiled: CompiledEntity, before: Mapping[str, Any] | None, row: Mapping[str, Any]
) -> list[Problem]:
    """The links that were given a record which their ``filter`` does not let through."""
    problems = []
    for fit in compiled.fits:
        name = fit.field.name
        new = sorted(linked_to(row, name) - linked_to(before, name)) if fit.among else []
        if not new:
            continue
        moment = with_this(ctx.moment, this_paths(fit.field.filter), row)
        given = InHand(connection.dialect).bind(new)
        fitting = {_text(found[0]) for one in fit.among for found in connection.all(one.sql, one.bind(given, moment))}
        if not fitting.issuperset(new):
            label = ctx.service.application.model.words(fit.field.label)
            count = len(set(new) - fitting)
            what = f"{count} of these records" if count > 1 else "one of these records" if fit.field.each else "this record"
            problems.append(Problem("XRM532", f"{label}: {what} cannot be chosen here", path=(name,)))
    return problems
