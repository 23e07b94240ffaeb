"""The list page: from the address to a query, and from its answer to a page model."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

from xrm.errors import Invalid, NotFound, Problem
from xrm.model.fields import Field
from xrm.service.context import Context
from xrm.service.reading import Page, Query, count_records, list_records
from xrm.web import pages
from xrm.web.failures import said
from xrm.web.screens import ListView, Screen

COUNTED = 1000
"""Lists count no further than this."""
NAMES = 12
"""Names that the hint of the rule filter lists."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What the address asks for. ``picks``: chosen options by field name."""

    view: str = ""
    search: str = ""
    filter: str = ""
    sort: str = ""
    after: str = ""
    picks: tuple[tuple[str, str], ...] = ()
    many: frozenset[str] = frozenset()
    """Those that hold several options."""

    @staticmethod
    def of(screen: Screen, given: Mapping[str, str]) -> Asked:
        picks = tuple(
            (field.name, value)
            for field in screen.picks
            if (value := given.get(f"is.{field.name}", "")) in screen.badges[field.name].labels
        )
        words = {name: given.get(key, "").strip() for name, key in (("search", "q"), ("filter", "filter"), ("sort", "sort"))}
        return Asked(
            given.get("view", ""),
            after=given.get("after", ""),
            picks=picks,
            many=frozenset(field.name for field in screen.picks if field.many),
            **words,
        )

    def url(self, screen: Screen, **changes: object) -> str:
        """The address of this list with something else in it; a change other than of page starts at the first page."""
        new = replace(self, **{"after": "", **changes})  # type: ignore[arg-type]
        pairs = [("view", new.view), ("q", new.search), ("filter", new.filter), *((f"is.{n}", v) for n, v in new.picks)]
        pairs += [("sort", new.sort), ("after", new.after)]
        text = urlencode([pair for pair in pairs if pair[1]])
        return f"{screen.url}?{text}" if text else screen.url

    @property
    def expression(self) -> str | None:
        """The rule and the picks as one expression."""
        parts = [f"({self.filter})"] if self.filter and self.picks else [self.filter] if self.filter else []
        return (
            " && ".join([*parts, *(f'"{value}" in {name}' if name in self.many else f'{name} == "{value}"' for name, value in self.picks)])
            or None
        )


def list_page(ctx: Context, screen: Screen, given: Mapping[str, str]) -> pages.ListPage:
    """The list that the address asks for.

    Raises:
        NotFound: there is no such view.
        Invalid: the sort or the cursor does not fit. A rule that does not fit is said on the page.
    """
    asked = Asked.of(screen, given)
    view = view_of(screen, asked.view)
    query = Query(
        screen.entity.name, view.fields, asked.expression, asked.sort or None, after=asked.after or None,
        search=asked.search or None, view=view.name or None,
    )  # fmt: skip
    try:
        found, count = list_records(ctx, query), count_records(ctx, query, COUNTED + 1)
    except Invalid as error:
        if any(problem.path[:1] != ("filter",) for problem in error.problems):
            raise
        return _page(ctx, screen, view, asked, Page([], None), 0, error.problems)
    return _page(ctx, screen, view, asked, found, count, ())


def view_of(screen: Screen, name: str) -> ListView:
    """Raises NotFound (XRM506) for a view that is not there for these roles."""
    called = screen.entity.view(name)
    view = screen.views.get(called.name if called else name) if name else screen.default
    if view is None:
        raise NotFound(Problem("XRM506", f"there is no view '{name[:60]}'", path=("view",)))
    return view


def _page(
    ctx: Context, screen: Screen, view: ListView, asked: Asked, found: Page[dict[str, Any]], count: int, problems: tuple[Problem, ...]
) -> pages.ListPage:
    counted = count_words(screen, count)
    caption = f"{screen.plural}: {view.label}" if len(screen.views) > 1 else screen.plural
    filtered = bool(asked.search or asked.filter or asked.picks)
    may_create = screen.policy.may("create")
    return pages.ListPage(
        title=f"{'Error: ' if problems else ''}{caption}",
        heading=screen.plural,
        caption=f"{caption}, {counted}",
        url=screen.url,
        view=asked.view,
        table=view.table,
        headings=tuple(_headings(screen, view, asked)),
        rows=found.rows,
        today=ctx.moment.today,
        count=counted,
        tabs=tuple(pages.Tab(v.label, f"{screen.url}?view={v.name}", v is view) for v in screen.views.values()),
        search=asked.search,
        filter=asked.filter,
        filter_problem=" ".join(said(problem) for problem in problems),
        filter_names=tuple(_names(ctx, screen)),
        sort=asked.sort,
        sorts=tuple(_sorts(view, asked)),
        picks=tuple(_pick(screen, field, dict(asked.picks)) for field in screen.picks),
        chips=tuple(_chips(screen, asked)),
        clear=asked.url(screen, search="", filter="", picks=()) if filtered else "",
        new=pages.Link(f"New {screen.label[:1].lower()}{screen.label[1:]}", f"{screen.url}/new") if may_create else None,
        first=asked.url(screen) if asked.after else "",
        next=asked.url(screen, after=found.next) if found.next else "",
        empty="Nothing here matches." if filtered else f"There are no {screen.plural.lower()} in this view.",
    )


def count_words(screen: Screen, count: int) -> str:
    number = screen.tongue.display.number
    if count > COUNTED:
        return f"more than {number(COUNTED, 0)} records"
    return "1 record" if count == 1 else f"{number(count, 0)} records"


def _headings(screen: Screen, view: ListView, asked: Asked) -> Iterable[pages.Heading]:
    current = (asked.sort or view.sort).partition(",")[0]
    for column in view.table.columns:
        order = {column.path: "ascending", f"-{column.path}": "descending"}.get(current, "")
        turned = f"-{column.path}" if order == "ascending" else column.path
        url = asked.url(screen, sort=turned) if column.sortable else ""
        yield pages.Heading(column.label, url, order, column.style)  # type: ignore[arg-type]


def _sorts(view: ListView, asked: Asked) -> Iterable[pages.Option]:
    """The orders a phone offers, where the table has no heads."""
    yield pages.Option("", "Usual order", not asked.sort)
    for column in view.table.columns:
        if column.sortable:
            for value, way in ((column.path, "first to last"), (f"-{column.path}", "last to first")):
                yield pages.Option(value, f"{column.label}, {way}", asked.sort == value)


def _pick(screen: Screen, field: Field, chosen: Mapping[str, str]) -> pages.Pick:
    label = screen.words(field.name)
    labels = screen.badges[field.name].labels
    options = [pages.Option(value, text, chosen.get(field.name) == value) for value, text in labels.items()]
    return pages.Pick(field.name, label, (pages.Option("", f"{label}: any"), *options))


def _chips(screen: Screen, asked: Asked) -> Iterable[pages.Link]:
    if asked.search:
        yield pages.Link(f"Contains: {asked.search}", asked.url(screen, search=""))
    for name, value in asked.picks:
        label = f"{screen.words(name)}: {screen.badges[name].labels[value]}"
        yield pages.Link(label, asked.url(screen, picks=tuple(pick for pick in asked.picks if pick[0] != name)))
    if asked.filter:
        yield pages.Link(f"Rule: {asked.filter}", asked.url(screen, filter=""))


def _names(ctx: Context, screen: Screen) -> Iterable[str]:
    shown = [name for name in ctx.policies.names(screen.entity.name) if not re.fullmatch("id|version|flags", name)]
    return shown[:NAMES]
