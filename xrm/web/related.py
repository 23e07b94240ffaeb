"""What a record's page says about other records: those that link here, and titles of those its history names."""

from __future__ import annotations

from collections.abc import Iterable

from xrm.service.context import Context
from xrm.service.reading import Query, list_records
from xrm.web import pages
from xrm.web.lists import Asked
from xrm.web.screens import Inverse, Screen, Screens
from xrm.web.typed import title_of

SHOWN = 5
"""Linked records of one kind that a page shows."""


class Titles:
    """The titles of linked records, each asked for once."""

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx
        self._known: dict[tuple[tuple[str, ...], str], str] = {}

    def of(self, targets: tuple[str, ...], id: str) -> str:
        """The title of a record of one of these entities."""
        key = (targets, id)
        if key not in self._known:
            self._known[key] = title_of(self._ctx, targets, id) or "a record that you may not see"
        return self._known[key]


def related(ctx: Context, screens: Screens, screen: Screen, id: str) -> Iterable[pages.Related]:
    """The newest records of each kind that link here; a kind of which there are none is left out unless one may be added."""
    for inverse in screen.inverse:
        group = _group(ctx, screens.by_entity[inverse.entity], inverse, id)
        if group.records or group.new:
            yield group


def _group(ctx: Context, other: Screen, inverse: Inverse, id: str) -> pages.Related:
    rule = f'"{id}" in {inverse.field}' if inverse.many else f'{inverse.field} == "{id}"'
    wanted = ("title", *(name for name in ("number", "state", "created_at") if name in other.texts))
    rows = list_records(ctx, Query(inverse.entity, wanted, sort="-created_at", limit=SHOWN + 1, linked=(inverse.field, id))).rows
    more = len(rows) > SHOWN
    new = f"{other.url}/new?{inverse.field}={id}"
    may_add = other.policy.may("create") and inverse.field in other.policy.editable
    return pages.Related(
        label=inverse.label,
        url=Asked(filter=rule).url(other) if more else "",
        count=f"{SHOWN}+" if more else str(len(rows)),
        records=tuple(_link(other, row) for row in rows[:SHOWN]),
        new=pages.Link("Add", new) if may_add else None,
    )


def _link(other: Screen, row: dict[str, object]) -> pages.Link:
    said = [other.text(name, row.get(name)) for name in ("state", "created_at") if row.get(name) is not None]
    return pages.Link(numbered(row), f"{other.url}/{row['id']}", " · ".join(said))


def numbered(row: dict[str, object]) -> str:
    """The title with its number before it, unless the title has it already."""
    title, number = str(row.get("title") or ""), row.get("number")
    return title if not number or str(number) in title else f"{number} {title}"
