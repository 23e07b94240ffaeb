"""Links in the rows of an import: each is the key of its record, where that has one, as an export writes it, or its id."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec

from xrm.compile.columns import is_id
from xrm.errors import Invalid, Problem
from xrm.model.fields import Field
from xrm.model.misfits import Misfit
from xrm.service.context import Context
from xrm.service.finding import Links
from xrm.service.rows import row_problem

Values = Mapping[str, object]


class RowLinks:
    """The records that the links in rows may lead to, by their keys."""

    def __init__(self, ctx: Context, fields: Iterable[Field]) -> None:
        self._ctx = ctx
        self._fields = {field.name: (field, found) for field in fields if field.type == "rows" and (found := dict(_finders(ctx, field)))}

    def learn(self, drafts: Iterable[Values]) -> None:
        """Look for all of these at once."""
        wanted: dict[tuple[str, str], list[object]] = {}
        for values in drafts if self._fields else ():
            for name, (_, finders) in self._fields.items():
                for row in rows_of_cell(values.get(name)):
                    for link in finders:
                        if row.get(link) is not None:
                            wanted.setdefault((name, link), []).append(row[link])
        for (name, link), words in wanted.items():
            self._fields[name][1][link].learn(words)

    def found(self, values: Values) -> dict[str, object]:
        """The values, with ids for keys.

        Raises:
            Invalid: a word is neither the key nor the id of a record (XRM511).
        """
        made, problems = dict(values), list[Problem]()
        for name, (field, finders) in self._fields.items():
            rows = rows_of_cell(made.get(name))
            for number, row in enumerate(rows):
                for link, finder in finders.items():
                    if row.get(link) is not None:
                        row[link] = self._id(field, number, link, finder, row[link], problems)
            if rows:
                made[name] = rows
        if problems:
            raise Invalid(*problems)
        return made

    def _id(self, field: Field, number: int, link: str, finder: Links, word: object, problems: list[Problem]) -> object:
        try:
            ids = finder.ids(finder.key(word))
        except Misfit:
            ids = ()
        if len(ids) == 1:
            return ids[0]
        if not (isinstance(word, str) and is_id(word)):
            noun = finder.entity.replace("_", " ")
            message = f"leads to no {noun} with the {finder.find.name} '{str(word)[:60]}'"
            problems.append(row_problem(self._ctx, field, number, link, "XRM511", message))
        return word


def _finders(ctx: Context, field: Field) -> Iterator[tuple[str, Links]]:
    for inner in field.rows.values():
        target = ctx.service.application.model.entities.get(inner.to or "") if inner.type == "link" else None
        key = target.field(target.key) if target and target.key and target.key in ctx.policies.names(target.name) else None
        if target and key:
            yield inner.name, Links(ctx, target.name, key)


def rows_of_cell(value: object) -> list[dict[str, Any]]:
    """The rows of a cell; none where it holds something else, of which the write says what is wrong."""
    if isinstance(value, list):
        return [dict(row) for row in value if isinstance(row, dict)]
    try:
        if isinstance(value, str):
            return msgspec.json.decode(value, type=list[dict[str, Any]])
        return msgspec.convert(value, list[dict[str, Any]]) if isinstance(value, list) else []
    except (msgspec.DecodeError, msgspec.ValidationError):
        return []
