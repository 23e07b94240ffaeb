"""A record's past as its page tells it: the changes by day, and the stages of its lifecycle."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import groupby, pairwise
from typing import Literal

from xrm.model.fields import TARGET, Field
from xrm.model.lifecycle import State
from xrm.model.misfits import Misfit
from xrm.model.values import coerce
from xrm.service.context import Context
from xrm.service.reading import HistoryEntry
from xrm.web import pages
from xrm.web.cells import file_names, is_link
from xrm.web.related import Titles
from xrm.web.screens import Screen

Kind = Literal["created", "changed", "moved", "deleted", "restored", "other"]
SHOWN = 30
"""Changes that a page shows at first."""
KINDS: Mapping[str, Kind] = {
    "create": "created",
    "update": "changed",
    "transition": "moved",
    "delete": "deleted",
    "restore": "restored",
}
TEXTS = {"created": "opened this record", "deleted": "deleted this record", "restored": "restored this record"}
KEPT = frozenset({"state", "state_since", "number", "deleted_at"})
"""Fields whose change is said in other words."""


@dataclass(frozen=True, slots=True)
class Stay:
    """A time that a record was in one state; ``until`` is None while it still is."""

    state: str
    since: datetime
    until: datetime | None


# ------------------------------------------------------------------------- stages


def stages(ctx: Context, screen: Screen, row: Mapping[str, object], history: Sequence[HistoryEntry]) -> tuple[pages.Stage, ...]:
    """States passed, in the order of the definition; the current one; and those that lie ahead of it."""
    lifecycle, current = screen.entity.lifecycle, row.get("state")
    if lifecycle is None or not isinstance(current, str) or current not in lifecycle.states:
        return ()
    stays = _stays(history)
    passed = {stay.state for stay in stays}
    states = list(lifecycle.states.values())
    done = [state for state in states if state.name in passed and state.name != current and not state.final]
    now = lifecycle.states[current]
    return (
        *(_done(screen, state, stays) for state in done),
        _now(ctx, screen, now, row),
        *(pages.Stage(screen.tongue.words(state.label), "todo") for state in _ahead(states, now, done)),
    )


def _stays(history: Sequence[HistoryEntry]) -> list[Stay]:
    """From the newest-first history: when each state was entered and left."""
    entered = [(entry.at, entry.fields["state"][1]) for entry in reversed(history) if "state" in entry.fields]
    pairs = [Stay(state, since, until) for (since, state), (until, _) in pairwise(entered)]
    return pairs + [Stay(state, since, None) for since, state in entered[-1:]]


def _ahead(states: Sequence[State], now: State, done: Sequence[State]) -> list[State]:
    """What may come: states declared later, and of several ends the first. Nothing comes after an end."""
    if now.final:
        return []
    later = [s for s in states[states.index(now) + 1 :] if s not in done and not s.final]
    return [*later, *[s for s in states if s.final][:1]]


def _done(screen: Screen, state: State, stays: Sequence[Stay]) -> pages.Stage:
    display = screen.tongue.display
    mine = [stay for stay in stays if stay.state == state.name]
    length = sum(((stay.until or stay.since) - stay.since for stay in mine), timedelta())
    note = display.short_day(display.local(mine[-1].since).date())
    return pages.Stage(screen.tongue.words(state.label), "done", note, display.duration(length))


def _now(ctx: Context, screen: Screen, state: State, row: Mapping[str, object]) -> pages.Stage:
    label, since, display = screen.tongue.words(state.label), row.get("state_since"), screen.tongue.display
    if not isinstance(since, datetime):
        return pages.Stage(label, "now")
    note = f"since {display.near(since, ctx.moment.today)}"
    running = None if state.final else since
    length = "" if state.final else display.duration(ctx.moment.now - since)
    return pages.Stage(label, "now", note, length, running)


# ------------------------------------------------------------------------ changes


def days(screen: Screen, titles: Titles, history: Iterable[HistoryEntry], here: str) -> tuple[pages.Day, ...]:
    """The changes of the record whose page is at ``here``, by day."""
    display = screen.tongue.display
    entries = ((display.local(entry.at).date(), entry) for entry in history)
    return tuple(
        pages.Day(display.long_day(day), tuple(_entry(screen, titles, entry, here) for _, entry in group))
        for day, group in groupby(entries, key=lambda pair: pair[0])
    )


def _entry(screen: Screen, titles: Titles, entry: HistoryEntry, here: str) -> pages.Entry:
    display = screen.tongue.display
    kind = KINDS.get(entry.action, "other")
    found = tuple(changes(screen, titles, entry.fields, here)) if kind in ("changed", "moved") else ()
    text, emphasis = _said(screen, kind, entry, len(found))
    if entry.historic:
        text = f"{text} (imported or converted)"
    return pages.Entry(kind, entry.actor, text, entry.at, display.time(display.local(entry.at)), emphasis, found)


def _said(screen: Screen, kind: Kind, entry: HistoryEntry, count: int) -> tuple[str, str]:
    if kind == "moved":
        before, after = entry.fields.get("state", (None, None))
        return f"moved it from {screen.text('state', before)} to", screen.text("state", after)
    if kind == "changed" and not count:
        return "brought what follows from other fields up to date", ""
    if kind == "changed":
        return ("changed 1 field" if count == 1 else f"changed {count} fields"), ""
    return TEXTS.get(kind, entry.action), ""


def changes(screen: Screen, titles: Titles, fields: Mapping[str, tuple[object, object]], here: str) -> Iterable[pages.Change]:
    """The changes of fields in words; values come as the change log keeps them."""
    for name, (before, after) in fields.items():
        field = screen.entity.field(name)
        if field is not None and field.kind.kept == "files":
            yield _files(screen, field, before, after, f"{here}/files/{name}")
        elif field is not None and field.each:
            yield _link_changes(screen, titles, field, before, after)
        elif field is not None and field.type == "rows":
            yield from _row_changes(screen, titles, field, before, after, here)
        elif name not in KEPT and field is not None:
            yield pages.Change(screen.words(name), shown(screen, titles, name, before), shown(screen, titles, name, after))


def _files(screen: Screen, field: Field, before: object, after: object, start: str) -> pages.Change:
    """Which files came and which went; each is still to be had."""
    old, new = ([file for file in files if isinstance(file, dict)] if isinstance(files, list) else [] for files in (before, after))
    gone, come = [file for file in old if file not in new], [file for file in new if file not in old]
    verbs = ("Replaced", "With") if not field.many and gone and come else ("Removed", "Added")
    said = [
        (verb, pages.Link(file["name"], f"{start}/{file['hash']}"))
        for verb, files in zip(verbs, (gone, come), strict=True)
        for file in files
    ]
    return pages.Change(screen.words(field.name), file_names(gone), file_names(come), tuple(said))


def _link_changes(screen: Screen, titles: Titles, field: Field, before: object, after: object) -> pages.Change:
    """Which links went from a list and which came; or that their order changed."""
    gone, come = ([row for row in rows if TARGET in row] if isinstance(rows, list) else [] for rows in (before, after))
    old, new = shown(screen, titles, field.name, gone), shown(screen, titles, field.name, come)
    return pages.Change(screen.words(field.name), old, new if old or new else "in another order")


def _row_changes(screen: Screen, titles: Titles, field: Field, before: object, after: object, here: str) -> Iterable[pages.Change]:
    """The changes of rows: each new row, each that went, and what of the others is not as it was."""
    old, new = ({row["id"]: row for row in rows} if isinstance(rows, list) else {} for rows in (before, after))
    label, inner = screen.words(field.name), screen.rows[field.name]
    for id, row in old.items():
        if id not in new:
            yield pages.Change(f"{label}, row {row['row']}", row_words(inner, titles, row), "")
    for id, row in new.items():
        if id not in old:
            yield pages.Change(f"{label}, row {row['row']}", "", row_words(inner, titles, row))
            continue
        if old[id]["row"] != row["row"]:
            yield pages.Change(f"{label}, row {row['row']}", f"row {old[id]['row']}", f"row {row['row']}")
        for name in [name for name in field.rows if name in row or name in old[id]]:
            told = f"{label}, row {row['row']}: {inner.words(name)}"
            if field.rows[name].kind.kept == "files":
                told_files = _files(inner, field.rows[name], old[id].get(name), row.get(name), f"{here}/files/{field.name}.{name}")
                yield replace(told_files, label=told)
                continue
            was, now = (shown(inner, titles, name, one.get(name)) for one in (old[id], row))
            yield pages.Change(told, was, now)


def rows_before(screen: Screen, field: Field, rows: object, change: tuple[object, object]) -> tuple[dict[str, object], ...]:
    """The rows as they were before a change of the log, from those after it."""
    before, after = ({row["id"]: row for row in part} if isinstance(part, list) else {} for part in change)
    inner = screen.rows[field.name]
    kept = [dict(row) for row in rows if row["id"] in before or row["id"] not in after] if isinstance(rows, tuple) else []
    for id, row in before.items():
        old = {name: stored_value(inner, name, value) for name, value in row.items() if name in field.rows}
        here = next((one for one in kept if one["id"] == id), None)
        moved = here if here is not None else {"id": id}
        kept = [one for one in kept if one is not here]
        kept.insert(int(row["row"]) - 1, {**moved, **old})
    return tuple(kept)


def row_words(screen: Screen, titles: Titles, row: Mapping[str, object]) -> str:
    """One row in words: ``Item: Bolt, Amount: $2.50``."""
    told = ((name, shown(screen, titles, name, row[name])) for name in screen.entity.fields if row.get(name) not in (None, ""))
    return ", ".join(f"{screen.words(name)}: {text}" for name, text in told if text)


def shown(screen: Screen, titles: Titles, name: str, value: object) -> str:
    """A value in words: a link as its record's title, anything else as its field writes it."""
    field = screen.entity.field(name)
    if value is None or field is None:
        return ""
    if field.each:
        links = value if isinstance(value, (list, tuple)) else ()
        ids = [str(one.get(TARGET) if isinstance(one, dict) else one) for one in links]
        return ", ".join(titles.of(field.each.targets, id) for id in ids)
    if field.type == "rows":
        inner = screen.rows[name]
        rows = value if isinstance(value, (list, tuple)) else ()
        return "\n".join(f"{number}. {row_words(inner, titles, row)}" for number, row in enumerate(rows, 1))
    if is_link(field):
        return titles.of(field.targets, str(value))
    return screen.text(name, stored_value(screen, name, value))


def stored_value(screen: Screen, name: str, value: object) -> object:
    """A value of the change log in its field's own type."""
    field = screen.entity.field(name)
    try:
        return coerce(field, value) if field else value
    except Misfit:
        return value
