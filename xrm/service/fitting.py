"""Links that find their record by themselves, and whether a chosen record fits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from xrm.compile.application import CompiledEntity
from xrm.compile.columns import id_text
from xrm.compile.fitting import Fit, Search, this_paths, with_this
from xrm.errors import Problem
from xrm.expr import Moment
from xrm.service.context import Context
from xrm.store.database import Connection


def found(
    ctx: Context, connection: Connection, compiled: CompiledEntity, before: Mapping[str, Any] | None, row: dict[str, Any]
) -> list[Problem]:
    """Fill in the empty links whose ``find`` fits exactly one record, and warn of those that fit none or several.

    A record that stands is looked for again only when something that ``find`` reads has changed.
    """
    warnings: list[Problem] = []
    for fit in compiled.fits:
        if fit.find is None or row.get(fit.field.name) is not None or not _asks(fit, before, row):
            continue
        moment = with_this(ctx.moment, {*fit.reads, *this_paths(fit.field.filter)}, row)
        ids = [id for search in fit.searches for id in _ids(connection, fit, search, moment)]
        if len(ids) == 1:
            row[fit.field.name] = ids[0]
        else:
            label = ctx.service.application.model.words(fit.field.label)
            why = "more than one record fits" if ids else "no record fits"
            warnings.append(Problem("XRM533", f"{label} was left empty: {why}", path=(fit.field.name,), severity="warning"))
    return warnings


def _asks(fit: Fit, before: Mapping[str, Any] | None, row: Mapping[str, Any]) -> bool:
    """Whether there is something to look by, and it is new."""
    if fit.reads and all(row.get(path) is None for path in fit.reads):
        return False
    roots = {path.partition(".")[0] for path in fit.reads}
    return before is None or any(before.get(name) != row.get(name) for name in roots)


def _ids(connection: Connection, fit: Fit, search: Search, moment: Moment) -> Sequence[str]:
    rows = connection.all(search.statement.sql, search.statement.bind({}, moment))
    if search.decode is None:
        return [id_text(row[0]) if isinstance(row[0], bytes) else str(row[0]) for row in rows]
    records = map(search.decode, rows)
    return [record["id"] for record in records if fit.find is not None and fit.find(record, moment) is True][:2]


def unfit(ctx: Context, compiled: CompiledEntity, before: Mapping[str, Any] | None, row: Mapping[str, Any]) -> list[Problem]:
    """The links that were given a record which their ``filter`` does not let through."""
    problems = []
    for fit in compiled.fits:
        name = fit.field.name
        if fit.filter is None or row.get(name) is None or (before is not None and before.get(name) == row.get(name)):
            continue
        moment = with_this(ctx.moment, this_paths(fit.field.filter), row)
        if fit.filter({path: row.get(f"{name}.{path}") for path in fit.paths}, moment) is not True:
            label = ctx.service.application.model.words(fit.field.label)
            problems.append(Problem("XRM532", f"{label}: this record cannot be chosen here", path=(name,)))
    return problems
