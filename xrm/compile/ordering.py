"""The order of a read, and the place after a cursor in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any

import sqlalchemy as sa

from xrm.compile.columns import (
    placed,
)
from xrm.compile.joining import Rows
from xrm.model.views import SortKey


def parameter(name: str, kind: sa.types.TypeEngine[Any]) -> sa.BindParameter[Any]:
    return sa.bindparam(name, type_=kind, required=True)


@dataclass(frozen=True, slots=True)
class Key:
    """One column of the order. Empty values come last, whichever way the order runs."""

    column: sa.ColumnElement[Any]
    descending: bool
    nullable: bool

    @property
    def order(self) -> list[sa.ColumnElement[Any]]:
        value = self.column.desc() if self.descending else self.column.asc()
        return [self.column.is_(None), value] if self.nullable else [value]

    def past(self, parameter: sa.ColumnElement[Any]) -> sa.ColumnElement[bool]:
        return self.column < parameter if self.descending else self.column > parameter


def sort_keys(rows: Rows, sort: Sequence[SortKey]) -> list[Key]:
    """The columns of an order, ended by the id, which makes it total."""
    keys = []
    for wanted in sort:
        path = wanted.path
        field = rows.policies.resolve(rows.entity.name, path)
        if field is None:
            raise KeyError(path)
        alone = rows.several(path) or field.within
        if not alone and path.rpartition(".")[2] in rows.at(path.rpartition(".")[0])[1].inverses:
            keys.append(Key(rows.column(path), wanted.descending, nullable="." in path))
            continue
        if field.type == "link" and field.name != "id":
            path, name = f"{path}.title", "title"
        else:
            name = field.name
        if rows.several(path):
            folded = name == "title" or (field.folded and not field.system)
            keys.append(Key(rows.column(f"{path}_key" if folded else path), wanted.descending, nullable=True))
            continue
        path, name = (flat, flat.rpartition(".")[2]) if (flat := rows.flat(path)) != path else (path, name)
        table, entity = rows.at(path.rpartition(".")[0])
        target = entity.field(name)
        folded = name == "title" or (target is not None and target.folded and not target.system)
        column: sa.ColumnElement[Any] = table.c[f"{name}_key" if folded else name]
        nullable = "." in path or bool(rows.tables.entities[entity.name].c[f"{name}_key" if folded else name].nullable)
        if target is not None and target.ordered:
            column = placed(column, target)
        keys.append(Key(column, wanted.descending, nullable))
    last = keys[-1].descending if keys else True
    return [*keys, Key(rows.root.c.id, last, nullable=False)]


def after_cursor(keys: Sequence[Key], nulls: Sequence[bool]) -> sa.ColumnElement[bool]:
    """The records that come after the cursor's; its values are the parameters ``after_0`` and on."""
    marks = [parameter(f"after_{n}", key.column.type) for n, key in enumerate(keys)]
    same_way = len({key.descending for key in keys}) == 1
    if same_way and not any(key.nullable for key in keys):
        here, there = sa.tuple_(*(key.column for key in keys)), sa.tuple_(*marks)
        return here < there if keys[0].descending else here > there

    def behind(rest: sa.ColumnElement[bool], step: tuple[Key, Any, bool]) -> sa.ColumnElement[bool]:
        key, mark, null = step
        if null:
            return sa.and_(key.column.is_(None), rest)
        later = sa.or_(key.past(mark), sa.and_(key.column == mark, rest))
        return sa.or_(key.column.is_(None), later) if key.nullable else later

    steps = list(zip(keys, marks, nulls, strict=True))
    return reduce(behind, reversed(steps), sa.false())
