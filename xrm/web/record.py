"""The record page and its short form beside a list."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from xrm.errors import NotFound
from xrm.service.constraints import flagged
from xrm.service.context import Context
from xrm.service.deriving import seen_behind
from xrm.service.moves import Move, may_now, moves
from xrm.service.reading import HistoryEntry, get_record, history
from xrm.web import pages
from xrm.web.mirror import mirror
from xrm.web.related import Titles, related
from xrm.web.screens import Screen, Screens, form_parts
from xrm.web.timeline import SHOWN, days, stages

KEYS = "123456789"


@dataclass(frozen=True, slots=True)
class Found:
    """A record as its page needs it; ``deleted`` ones may only be restored."""

    row: dict[str, object]
    deleted: bool = False

    @property
    def id(self) -> str:
        return str(self.row["id"])

    @property
    def number(self) -> str:
        return str(self.row.get("number") or "")

    @property
    def title(self) -> str:
        return str(self.row.get("title") or self.number or self.id)

    @property
    def heading(self) -> str:
        """The title without the number that stands above it."""
        rest = self.title.removeprefix(self.number).strip() if self.number else self.title
        return rest or self.title

    @property
    def name(self) -> str:
        return self.number or self.title

    @property
    def version(self) -> str:
        return str(self.row["version"])


def find(ctx: Context, screen: Screen, id: str, *, deleted: bool = False) -> Found:
    """Raises NotFound (XRM506) where this actor has no such record."""
    return Found(get_record(ctx, screen.entity.name, id, screen.fields, deleted=deleted), deleted)


def find_any(ctx: Context, screen: Screen, id: str) -> Found:
    """The record; one that was deleted, for those who may restore it."""
    try:
        return find(ctx, screen, id)
    except NotFound:
        if not screen.policy.may("delete"):
            raise
        return find(ctx, screen, id, deleted=True)


def crumbs(screen: Screen, found: Found | None = None) -> tuple[pages.Link, ...]:
    here = (pages.Link(found.name, url(screen, found)),) if found else ()
    return (pages.Link(screen.plural, screen.url), *here)


def url(screen: Screen, found: Found) -> str:
    return f"{screen.url}/{found.id}"


def record_page(ctx: Context, screens: Screens, screen: Screen, id: str, *, all_changes: bool = False) -> pages.RecordPage:
    """Raises NotFound (XRM506)."""
    found = find_any(ctx, screen, id)
    if found.deleted:
        return _deleted_page(screen, found)
    entity = screen.entity.name
    groups, empty = _filled(screen, found, outside(ctx, screen, found))
    allowed, past = may_now(ctx, entity, id), history(ctx, entity, id)
    shown = past if all_changes else past[:SHOWN]
    return pages.RecordPage(
        title=found.title,
        heading=found.heading,
        number=found.number,
        row=found.row,
        crumbs=crumbs(screen),
        badges=badges(screen, found),
        facts=_head(screen, found),
        flags=(*flags(ctx, screen, found), *_behind(ctx, screen)),
        stages=stages(ctx, screen, found.row, past),
        steps=_steps(screen, found, moves(ctx, entity, id)),
        groups=groups,
        empty=empty,
        days=days(screen, Titles(ctx), shown, url(screen, found)),
        more=_more(screen, found, past, shown),
        links=tuple(fact for fact in screen.links if found.row.get(fact.name) is not None),
        related=tuple(related(ctx, screens, screen, found.id)),
        info=screen.info,
        printed=f"{url(screen, found)}/print" if screen.printed else "",
        edit=f"{url(screen, found)}/edit" if allowed["update"] and _has_inputs(screen, found) else "",
        delete=f"{url(screen, found)}/delete" if allowed["delete"] else "",
    )


def print_page(ctx: Context, screen: Screen, id: str) -> pages.PrintPage:
    """The record on paper, as the form ``print`` lays it out, else as the record page does. Raises NotFound (XRM506)."""
    found = find(ctx, screen, id)
    out = outside(ctx, screen, found)
    groups = (pages.Group(one.label, tuple(fact for fact in one.facts if fact.name not in out)) for one in screen.printed or screen.groups)
    return pages.PrintPage(
        title=found.title, heading=found.heading, number=found.number, row=found.row, crumbs=crumbs(screen, found),
        badges=badges(screen, found), groups=tuple(group for group in groups if group.facts),
    )  # fmt: skip


def _filled(screen: Screen, found: Found, out: frozenset[str] = frozenset()) -> tuple[tuple[pages.Group, ...], tuple[str, ...]]:
    """The groups of facts that have a value, and the labels of those that have none; without what does not apply (``out``)."""
    asked = [(group.label, [fact for fact in group.facts if fact.name not in out]) for group in screen.groups]
    groups = [pages.Group(label, tuple(fact for fact in facts if found.row.get(fact.name) not in (None, ()))) for label, facts in asked]
    empty = (fact.label for _, facts in asked for fact in facts if found.row.get(fact.name) in (None, ()))
    return tuple(group for group in groups if group.facts), tuple(empty)


def _head(screen: Screen, found: Found) -> tuple[pages.Fact, ...]:
    """The facts beside the title: those with a value that no badge says already."""
    said = {name for name, known in screen.badges.items() if known.tones.get(str(found.row.get(name)))}
    return tuple(fact for fact in screen.facts if found.row.get(fact.name) is not None and fact.name not in said)


def _deleted_page(screen: Screen, found: Found) -> pages.RecordPage:
    groups, empty = _filled(screen, found)
    restore = pages.Post("Restore", f"{url(screen, found)}/restore", (("version", found.version),))
    return pages.RecordPage(
        title=found.title, heading=found.heading, number=found.number, row=found.row, crumbs=crumbs(screen),
        badges=badges(screen, found), facts=_head(screen, found), groups=groups,
        empty=empty, info=screen.info, restore=restore,
    )  # fmt: skip


def _has_inputs(screen: Screen, found: Found) -> bool:
    state = found.row.get("state")
    return bool(form_parts(screen, creating=False, state=state if isinstance(state, str) else None))


def _more(screen: Screen, found: Found, past: Sequence[HistoryEntry], shown: Sequence[HistoryEntry]) -> pages.Link | None:
    if len(shown) == len(past):
        return None
    return pages.Link(f"Show all {len(past)} changes", f"{url(screen, found)}?changes=all")


def badges(screen: Screen, found: Found) -> tuple[pages.Badge, ...]:
    """The state, and every choice whose option has a tone."""
    made = []
    for name, known in screen.badges.items():
        value = found.row.get(name)
        tone = known.tones.get(str(value)) if value is not None else None
        if name == "state" and value is not None:
            made.append(pages.Badge(screen.text(name, value), tone, "flag"))  # type: ignore[arg-type]
        elif tone:
            icon = "alert-triangle" if tone in ("warn", "danger") else ""
            made.append(pages.Badge(f"{screen.words(name)}: {screen.text(name, value)}", tone, icon))  # type: ignore[arg-type]
    return tuple(made)


def flags(ctx: Context, screen: Screen, found: Found) -> tuple[str, ...]:
    """What the record's flags say, with the field that they are about where the words do not name it."""
    told = []
    for problem in flagged(ctx, ctx.entity(screen.entity.name), found.row):
        label = screen.words(problem.path[0]) if problem.path and problem.code == "XRM504" else ""
        told.append(f"{label}: {problem.message}" if label else problem.message)
    return tuple(told)


def outside(ctx: Context, screen: Screen, found: Found) -> frozenset[str]:
    """The fields that do not apply to the record, as far as the actor may know: the page does not show them."""
    rules = ctx.entity(screen.entity.name).rules.constraints
    return mirror(ctx, screen.entity.name, screen.entity.fields.values(), found.row, {}).out if rules.shows else frozenset()


def _behind(ctx: Context, screen: Screen) -> tuple[str, ...]:
    """Which computed values wait to be made anew, and since when."""
    found = seen_behind(ctx, screen.entity.name)
    if found is None:
        return ()
    names = [screen.words(name) for name in screen.fields if name in found.fields]
    told = f"{' and '.join(filter(None, (', '.join(names[:-1]), names[-1])))}: as of {screen.tongue.display.instant(found.since)}"
    if found.failed:
        return (f"{told}. Working out newer values has failed; whoever runs this system finds the reason with “xrm jobs”.",)
    return (f"{told}; newer values are being worked out.",)


def _steps(screen: Screen, found: Found, found_moves: Sequence[Move]) -> tuple[pages.Step, ...]:
    """In the order of the definition. A move that is blocked keeps its place and its key, so that no hand finds another one there."""
    keys = {move.name: key for move, key in zip(found_moves, KEYS, strict=False)}
    return tuple(
        pages.Step(m.name, m.label, f"{url(screen, found)}/move/{m.name}", m.allowed, m.reasons, keys.get(m.name, "") if m.allowed else "")
        for m in found_moves
    )


def peek_page(ctx: Context, screen: Screen, id: str) -> pages.PeekPage:
    """Raises NotFound (XRM506)."""
    found = find(ctx, screen, id)
    long = [fact for group in screen.groups for fact in group.facts if fact.wide and found.row.get(fact.name)]
    steps = _steps(screen, found, moves(ctx, screen.entity.name, id))
    return pages.PeekPage(
        title=found.heading,
        number=found.number,
        url=url(screen, found),
        row=found.row,
        badges=badges(screen, found),
        flags=(*flags(ctx, screen, found), *_behind(ctx, screen)),
        facts=_head(screen, found),
        long=tuple(fact for fact in long if screen.entity.fields[fact.name].kind.long)[:1],
        moves=tuple(pages.Link(step.label, step.url) for step in steps if step.allowed),
    )


def stage_labels(screen: Screen, row: Mapping[str, object], target: str) -> tuple[str, str]:
    """Where a move leads from and to, in words."""
    return screen.text("state", row.get("state")), screen.text("state", target)
