"""Search over every entity the actor may read, the options of link inputs, and the home page."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from markupsafe import escape

from xrm.errors import NotFound, Problem
from xrm.service.context import Context
from xrm.service.reading import Query, count_records, list_records
from xrm.web import pages
from xrm.web.cells import is_link
from xrm.web.forms import Chosen, fitting
from xrm.web.lists import COUNTED, Asked
from xrm.web.screens import Screen, Screens

HITS = 6
"""Hits of one entity on the search page."""
OPTIONS = 10


def home_page(ctx: Context, screens: Screens) -> pages.HomePage:
    return pages.HomePage("Home", tuple(_entry(ctx, screen) for screen in screens.by_entity.values()))


def _entry(ctx: Context, screen: Screen) -> pages.HomeEntry:
    count = count_records(ctx, Query(screen.entity.name), COUNTED + 1)
    number = screen.tongue.display.number
    views = tuple(pages.Tab(view.label, f"{screen.url}?view={view.name}") for view in screen.views.values() if len(screen.views) > 1)
    new = pages.Link(f"New {screen.label[:1].lower()}{screen.label[1:]}", f"{screen.url}/new") if screen.policy.may("create") else None
    words = f"{number(COUNTED, 0)}+" if count > COUNTED else number(count, 0)
    return pages.HomeEntry(screen.plural, screen.url, screen.entity.icon, words, screen.tongue.words(screen.entity.help), views, new)


# ------------------------------------------------------------------------- search


def search_page(ctx: Context, screens: Screens, words: str) -> pages.SearchPage:
    if not words:
        return pages.SearchPage("Search", "", ())
    groups = tuple(group for screen in screens.by_entity.values() if (group := _hits(ctx, screen, words)))
    found = sum(len(group.hits) for group in groups)
    more = "+" if any(group.all for group in groups) else ""
    return pages.SearchPage(f"Search: {words}", words, groups, f"{found}{more} found" if found else "Nothing found")


def only_hit(page: pages.SearchPage) -> str:
    """The address of the one record whose number was typed; empty where there is more to choose from."""
    hits = [hit for group in page.groups for hit in group.hits]
    return hits[0].url if len(hits) == 1 and hits[0].number.casefold() == page.words.casefold() else ""


def _hits(ctx: Context, screen: Screen, words: str) -> pages.HitGroup | None:
    wanted = ("title", *(name for name in ("number", "state", "created_at") if name in screen.texts))
    rows = list_records(ctx, Query(screen.entity.name, wanted, search=words, limit=HITS + 1)).rows
    if not rows:
        return None
    every = pages.Link("Show all in a list", Asked(search=words).url(screen)) if len(rows) > HITS else None
    return pages.HitGroup(screen.plural, screen.entity.icon, tuple(_hit(screen, row) for row in rows[:HITS]), every)


def _hit(screen: Screen, row: Mapping[str, Any]) -> pages.Hit:
    number, title, state = str(row.get("number") or ""), str(row["title"]), row.get("state")
    tone = screen.badges["state"].tones.get(str(state)) if state is not None else None
    badge = pages.Badge(screen.text("state", state), tone) if state is not None else None  # type: ignore[arg-type]
    made = screen.text("created_at", row.get("created_at"))
    label = title.removeprefix(number).strip() or title
    return pages.Hit(label, f"{screen.url}/{row['id']}", number, badge, f"Created {made}" if made else "")


# ------------------------------------------------------------------------ options


def options(ctx: Context, screens: Screens, screen: Screen, name: str, words: str, given: Mapping[str, str]) -> str:
    """The options of a link input, as the items of its listbox.

    Raises:
        NotFound: there is no such link for this actor (XRM506).
    """
    outer, _, own = name.partition(".")
    fields = screen.rows[outer].entity.fields if own and outer in screen.rows else screen.entity.all_fields
    field = fields.get(own or name) if name in screen.policy.visible else None
    targets = [screens.by_entity[target] for target in field.targets if target in screens.by_entity] if field and is_link(field) else []
    if not targets:
        raise NotFound(Problem("XRM506", f"there is no link '{name[:60]}'", path=("field",)))
    each = max(1, OPTIONS // len(targets))
    chosen = fitting(ctx, screen, field, given) if field else None
    return "".join(item for target in targets for item in _found(ctx, target, words, each, chosen, several=len(targets) > 1))


TOLD = ("text", "email", "phone", "date", "choice")


def _found(ctx: Context, target: Screen, words: str, most: int, chosen: Chosen | None, *, several: bool) -> Iterable[str]:
    told = [fact.name for fact in target.facts if target.entity.all_fields[fact.name].type in TOLD][:2]
    wanted = ("title", *(["number"] if "number" in target.texts else []), *told)
    rows = list_records(ctx, Query(target.entity.name, wanted, search=words or None, sort="title", limit=most, fitting=chosen)).rows
    return _options(target, told, rows, target.label if several else "")


def _options(target: Screen, told: list[str], rows: list[dict[str, Any]], kind: str) -> Iterable[str]:
    for row in rows:
        title = escape(str(row["title"]))
        notes = [text for name in told if (text := target.text(name, row.get(name))) and text not in str(row["title"])]
        note = " · ".join(filter(None, (kind, *notes)))
        said = f"<small><bdi>{escape(note)}</bdi></small>" if note else ""
        yield f'<li role="option" data-value="{row["id"]}" data-label="{title}"><bdi>{title}</bdi>{said}</li>'
