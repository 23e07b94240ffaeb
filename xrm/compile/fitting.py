"""Which records fit a link: its ``filter``, which a chosen record must hold, and its ``find``, which finds the one by itself.

Both are conditions on the target that also read the record that has the link, as ``this``. What they read of it is bound
for each operation, as the actor is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa

from xrm.compile.columns import DialectName, from_database
from xrm.compile.in_hand import InHand
from xrm.compile.joining import Rows
from xrm.compile.picking import Picked, row_decoder
from xrm.compile.policies import Policies
from xrm.compile.statements import Statement, compiled
from xrm.compile.tables import Tables
from xrm.expr import Moment, to_python
from xrm.expr.python import Closure
from xrm.model.entity import Entity
from xrm.model.fields import Expression, Field
from xrm.model.values import MOST_ROWS

MOST_TRIED = 5000
"""Records of a target that are tried one by one, where the database cannot evaluate the condition."""
THIS = "this."


@dataclass(frozen=True, slots=True)
class Search:
    """Looks among the live records of one target. ``decode`` gives id and flat row where Python judges, else None."""

    statement: Statement
    decode: Callable[[Sequence[Any]], Mapping[str, Any]] | None


@dataclass(frozen=True, slots=True)
class Fit:
    """``filter`` and ``find`` of one link, or of a list of links. ``reads`` are the paths of the record that its ``find`` reads.

    ``among`` gives, for each target, those of some ids whose records hold the ``filter``.
    """

    field: Field
    among: tuple[Statement, ...]
    find: Closure | None
    reads: tuple[str, ...]
    searches: tuple[Search, ...]


def this_paths(expression: Expression | None) -> tuple[str, ...]:
    """What a condition on the target reads of the record that has the link."""
    keys = sorted(expression.checked.actor_keys) if expression else []
    return tuple(key.removeprefix(THIS) for key in keys if key.startswith(THIS))


def beyond(entity: Entity) -> frozenset[str]:
    """The paths over links of ``this`` that must be at hand to judge what fits."""
    found: set[str] = set()
    for field in entity.fields.values():
        found.update(path for part in (field.filter, field.find) for path in this_paths(part) if "." in path)
    return frozenset(found)


def with_this(moment: Moment, paths: Iterable[str], row: Mapping[str, object]) -> Moment:
    """The moment in which ``this`` is the record in hand."""
    return replace(moment, actor={**moment.actor, **{f"{THIS}{path}": row.get(path) for path in paths}})


def fits(tables: Tables, system: Policies, entity: Entity, dialect: DialectName) -> tuple[Fit, ...]:
    return tuple(_fit(tables, system, field, dialect) for field in entity.fields.values() if field.filter or field.find)


def _fit(tables: Tables, system: Policies, field: Field, dialect: DialectName) -> Fit:
    targets = (field.each or field).targets
    return Fit(
        field,
        tuple(_among(tables, system, field.filter, target, dialect) for target in targets) if field.filter else (),
        to_python(field.find.checked) if field.find else None,
        this_paths(field.find),
        tuple(_search(tables, system, field, field.find, target, dialect) for target in targets) if field.find else (),
    )


def _among(tables: Tables, system: Policies, filter: Expression, target: str, dialect: DialectName) -> Statement:
    rows = Rows(tables, system, target, dialect)
    where = [InHand(dialect)(rows.root.c.id), rows.condition(filter.checked, "t_", raw=True)]
    return compiled(sa.select(rows.root.c.id).select_from(rows.source).where(*where), dialect, rows.run_time)


def _search(tables: Tables, system: Policies, field: Field, find: Expression, target: str, dialect: DialectName) -> Search:
    """At most two ids are wanted for one link: of several none is taken. For a list all that fit, in the order of their titles."""
    rows = Rows(tables, system, target, dialect)
    where: list[sa.ColumnElement[bool]] = [rows.root.c.deleted_at.is_(None)]
    if field.filter is not None:
        where.append(rows.condition(field.filter.checked, "t_", raw=True))
    if not find.checked.sql_faults:
        where.append(rows.condition(find.checked, "f_", raw=True))
        query = sa.select(rows.root.c.id).select_from(rows.source).where(*where)
        query = query.order_by(rows.root.c.title_key, rows.root.c.id).limit(MOST_ROWS + 1) if field.each else query.limit(2)
        return Search(compiled(query, dialect, rows.run_time), None)
    id_field = Field("id", "link", {}, to=target)
    picked = [Picked("id", (rows.root.c.id,), from_database(id_field, dialect))]
    picked += [Picked.of(rows, path) for path in sorted(find.checked.paths) if path != "id"]
    columns = [column.label(f"c{n}") for n, column in enumerate(c for pick in picked for c in pick.columns)]
    order = (rows.root.c.title_key, rows.root.c.id) if field.each else (rows.root.c.id,)
    query = sa.select(*columns).select_from(rows.source).where(*where).order_by(*order).limit(MOST_TRIED)
    return Search(compiled(query, dialect, rows.run_time), row_decoder(picked))
